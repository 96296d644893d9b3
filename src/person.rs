//! People who sign in, and the patients whom they may open.

use time::{Date, Duration, OffsetDateTime};

use crate::id::{PatientId, SessionId, UserId};
use crate::scope::{Access, Filter, Level, ResourceScope, ResourceType, Scope, ScopeSet};

/// A person with an account.
#[derive(Clone, Debug)]
pub struct User {
    /// The `sub` of tokens; never given to anybody else.
    pub id: UserId,
    /// What they type to sign in, in its canonical form.
    pub username: String,
    /// What they are called.
    pub display_name: String,
    /// Their own FHIR resource.
    pub fhir_user: Option<FhirUser>,
    /// They were switched off.
    pub disabled_at: Option<OffsetDateTime>,
    /// When the account was made.
    pub created_at: OffsetDateTime,
}

/// The FHIR resource that stands for a person: `Practitioner/a`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FhirUser {
    /// Which kind of person it is.
    pub kind: FhirUserKind,
    /// The logical id.
    pub id: String,
}

/// The resource types that can stand for a person (SMART App Launch 2.2, "fhirUser").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FhirUserKind {
    /// Somebody who treats patients.
    Practitioner,
    /// Somebody who is treated.
    Patient,
    /// Somebody who cares for a patient.
    RelatedPerson,
    /// Somebody of whom no more is known.
    Person,
}

/// The text is no reference to a resource that can stand for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must be Practitioner/ID, Patient/ID, RelatedPerson/ID or Person/ID")]
pub struct BadFhirUser;

impl std::str::FromStr for FhirUser {
    type Err = BadFhirUser;

    fn from_str(text: &str) -> Result<Self, BadFhirUser> {
        let (kind, id) = text.split_once('/').ok_or(BadFhirUser)?;
        let kind = match kind {
            "Practitioner" => FhirUserKind::Practitioner,
            "Patient" => FhirUserKind::Patient,
            "RelatedPerson" => FhirUserKind::RelatedPerson,
            "Person" => FhirUserKind::Person,
            _ => return Err(BadFhirUser),
        };
        if is_fhir_id(id) { Ok(Self { kind, id: id.to_owned() }) } else { Err(BadFhirUser) }
    }
}

impl std::fmt::Display for FhirUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}/{}", self.kind, self.id)
    }
}

impl FhirUser {
    /// Whether this is that patient themselves.
    #[must_use]
    pub fn is_patient(&self, id: &PatientId) -> bool {
        self.kind == FhirUserKind::Patient && self.id == id.as_str()
    }
}

/// FHIR R4, datatype `id`: 1 to 64 letters, digits, `-` and `.`.
#[must_use]
pub fn is_fhir_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

/// A user name as it is stored and compared: trimmed and in lower case, so that counting failures
/// under two spellings is not possible (Authelia CVE-2025-24806).
#[must_use]
pub fn canonical_username(typed: &str) -> String {
    typed.trim().to_lowercase()
}

impl User {
    /// Whether this is somebody who treats patients.
    #[must_use]
    pub fn is_clinician(&self) -> bool {
        self.fhir_user.as_ref().is_some_and(|own| own.kind == FhirUserKind::Practitioner)
    }

    /// The patient that this user is, if they are one.
    #[must_use]
    pub fn own_patient(&self) -> Option<PatientId> {
        let own = self.fhir_user.as_ref().filter(|own| own.kind == FhirUserKind::Patient)?;
        Some(PatientId::new(own.id.clone()))
    }

    /// What of these scopes this kind of person can give away. People who do not treat patients
    /// have no rights over other people's records that an app could use to write to them; and
    /// nobody has a `fhirUser` who is no FHIR resource (SMART: scopes never exceed the user's rights).
    #[must_use]
    pub fn can_give(&self, asked: &ScopeSet) -> ScopeSet {
        let every =
            |level, access| Scope::Resource(ResourceScope { level, resource: ResourceType::Any, access, filter: Filter::default() });
        let of_users = if self.is_clinician() { Access::ALL } else { Access::READ_SEARCH };
        let mut limit: ScopeSet = [
            Scope::OpenId,
            Scope::Profile,
            Scope::Launch,
            Scope::LaunchPatient,
            Scope::LaunchEncounter,
            Scope::OfflineAccess,
            Scope::OnlineAccess,
            every(Level::Patient, Access::ALL),
            every(Level::User, of_users),
        ]
        .into_iter()
        .collect();
        if self.fhir_user.is_some() {
            limit.add(Scope::FhirUser);
        }
        asked.within(&limit)
    }

    /// For how long a session may rest, and how long it may last.
    #[must_use]
    pub fn session_lives(&self) -> (Duration, Duration) {
        if self.is_clinician() { (Duration::minutes(15), Duration::hours(12)) } else { (Duration::minutes(30), Duration::hours(24)) }
    }
}

/// A live sign-in, and whose it is.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The session.
    pub session_id: SessionId,
    /// Who signed in.
    pub user: User,
    /// When they proved who they are.
    pub auth_time: OffsetDateTime,
    /// When they were last known to be there.
    pub seen_at: OffsetDateTime,
}

/// A patient, as the picker shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patient {
    /// The logical id.
    pub id: PatientId,
    /// The name, as it is shown.
    pub name: String,
    /// `YYYY-MM-DD`, or as much of it as is known.
    pub birth_date: String,
    /// `female`, `male`, `other`, `unknown`.
    pub sex: String,
    /// The medical record number.
    pub mrn: String,
}

impl Patient {
    /// The age, in words as short as a clinician's: `42 y`, `7 mo`, `3 d`.
    #[must_use]
    pub fn age(&self, today: Date) -> String {
        let format = time::macros::format_description!("[year]-[month]-[day]");
        let Ok(born) = Date::parse(&self.birth_date, &format) else { return String::new() };
        let months = (today.year() - born.year()) * 12 + i32::from(u8::from(today.month()))
            - i32::from(u8::from(born.month()))
            - i32::from(today.day() < born.day());
        match months {
            ..0 => String::new(),
            0 => format!("{} d", (today - born).whole_days()),
            1..24 => format!("{months} mo"),
            _ => format!("{} y", months / 12),
        }
    }
}

/// A visit of a patient, as a picker shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encounter {
    /// The logical id.
    pub id: String,
    /// Such as `in-progress` or `finished` (FHIR R4, EncounterStatus).
    pub status: String,
    /// Which kind of visit it is, such as `ambulatory`.
    pub class: String,
    /// What it was about; empty where nobody says.
    pub reason: String,
    /// When it began, as FHIR has it; empty where that is not known.
    pub started: String,
    /// When it ended, likewise.
    pub ended: String,
}

/// The day on which somebody comes of age, where their birth date is known; of several days that it may be, the last.
#[must_use]
pub fn comes_of_age(birth_date: &str, majority: u8) -> Option<Date> {
    let mut parts = birth_date.split('-').map(str::parse::<u16>);
    let year = i32::from(parts.next()?.ok()?) + i32::from(majority);
    let month = match parts.next() {
        None => time::Month::December,
        Some(month) => time::Month::try_from(u8::try_from(month.ok()?).ok()?).ok()?,
    };
    let last = month.length(year);
    match parts.next() {
        None => Date::from_calendar_date(year, month, last).ok(),
        Some(day) => match u8::try_from(day.ok()?).ok()? {
            // Who was born on 29 February has a birthday on 1 March where there is none.
            29 if last == 28 => Date::from_calendar_date(year, time::Month::March, 1).ok(),
            day => Date::from_calendar_date(year, month, day).ok(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_comes_of_age_on_a_birthday() {
        use time::macros::date;
        for (born, day) in [
            ("2008-11-22", Some(date!(2026 - 11 - 22))),
            ("2008-02-29", Some(date!(2026 - 03 - 01))),
            ("2008-02", Some(date!(2026 - 02 - 28))),
            ("2008", Some(date!(2026 - 12 - 31))),
            ("", None),
            ("2008-13-01", None),
            ("2008-01-32", None),
            ("nineteen", None),
        ] {
            assert_eq!(comes_of_age(born, 18), day, "{born}");
        }
    }

    fn user(fhir_user: Option<&str>) -> User {
        User {
            id: UserId::new("u"),
            username: "u".to_owned(),
            display_name: "U".to_owned(),
            fhir_user: fhir_user.map(|text| text.parse().expect("a reference of this test")),
            disabled_at: None,
            created_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    /// SC-09: a patient cannot give an app a clinician's rights.
    #[test]
    fn what_a_person_can_give_depends_on_who_they_are() {
        let asked = ScopeSet::parse("openid fhirUser user/*.* patient/*.cruds user/Observation.cruds user/Patient.write").expect("scopes");
        assert_eq!(user(Some("Practitioner/a")).can_give(&asked), asked);
        assert_eq!(user(Some("Patient/p")).can_give(&asked).to_string(), "openid fhirUser user/*.read patient/*.cruds user/Observation.rs");
        assert_eq!(user(None).can_give(&asked).to_string(), "openid user/*.read patient/*.cruds user/Observation.rs");
    }

    #[test]
    fn ages_are_counted_as_clinicians_count_them() {
        let patient = |born: &str| Patient {
            id: PatientId::new("p"),
            name: String::new(),
            birth_date: born.to_owned(),
            sex: String::new(),
            mrn: String::new(),
        };
        let today = time::macros::date!(2026 - 11 - 22);
        assert_eq!(patient("1984-11-23").age(today), "41 y");
        assert_eq!(patient("1984-11-22").age(today), "42 y");
        assert_eq!(patient("2026-11-19").age(today), "3 d");
        assert_eq!(patient("2025-11-23").age(today), "11 mo");
        assert_eq!(patient("1984").age(today), "");
    }
}
