//! When somebody came, and what for: the Encounters everything else hangs on.

use serde_json::{Value, json};
use time::{Date, Duration, OffsetDateTime, Time, Weekday};

use super::ailment::Ailment;
use super::chart::{Chart, instant};
use super::clinician::{LOCATION, ORGANIZATION};
use super::dice::Dice;
use super::person::Person;
use super::roster::SIGN_IN_PATIENT;
use super::term::Term;

/// How far back the practice's notes go, in days.
pub const THREE_YEARS: i64 = 1096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    WellChild,
    CheckUp,
    FollowUp,
    /// Something that passes; the index into the table of such things is its own.
    Unwell,
}

impl Reason {
    fn term(self) -> Term {
        match self {
            Self::WellChild => Term::snomed("410620009", "Well child visit"),
            Self::CheckUp => Term::snomed("185349003", "Encounter for check up"),
            Self::FollowUp => Term::snomed("390906007", "Follow-up encounter"),
            Self::Unwell => Term::snomed("185345009", "Encounter for symptom"),
        }
    }
}

/// One visit to the practice.
pub struct Visit {
    /// The Encounter's FHIR id.
    pub id: String,
    pub start: OffsetDateTime,
    pub reason: Reason,
    /// The id of the Practitioner who was seen.
    pub clinician: &'static str,
    /// From 0, three years ago, to 1, today.
    pub progress: f64,
}

impl Visit {
    /// A FHIR reference to the Encounter.
    pub fn reference(&self) -> Value {
        json!({ "reference": format!("Encounter/{}", self.id) })
    }

    /// A FHIR reference to the Practitioner who was seen.
    pub fn clinician_reference(&self) -> Value {
        json!({ "reference": format!("Practitioner/{}", self.clinician) })
    }
}

/// Writes down the Encounters, oldest first, and returns what they were.
pub fn write(chart: &mut Chart, dice: &mut Dice) -> Vec<Visit> {
    let person = chart.person;
    let days = days(person, chart.today, dice);
    let mut visits = Vec::new();
    for (n, (day, reason)) in days.into_iter().enumerate() {
        let slot = Duration::minutes(8 * 60 + 20 * dice.between(0, 26));
        let start = day.with_time(Time::MIDNIGHT).assume_utc() + slot;
        // Whoever is in two panels is seen by the two in turn.
        let clinician = person.clinicians[n % person.clinicians.len()];
        let age = (chart.today - day).whole_days();
        let progress = 1.0 - (age as f64 / THREE_YEARS as f64).min(1.0);
        let mut visit = Visit { id: String::new(), start, reason, clinician, progress };
        visit.id = chart.add("Encounter", start + Duration::minutes(20), encounter(person, &visit, &SEEN));
        visits.push(visit);
    }
    if is_here(person) {
        // Since yesterday afternoon: today may be minutes old.
        let start = chart.today.with_time(Time::MIDNIGHT).assume_utc() - Duration::hours(8);
        let stay = Visit { id: String::new(), start, reason: Reason::Unwell, clinician: person.clinicians[0], progress: 1.0 };
        chart.add("Encounter", start, encounter(person, &stay, &STAYS));
    }
    visits
}

/// Whether they are at the practice now, under observation: some are, so that an app can be
/// launched within an encounter that goes on.
fn is_here(person: &Person) -> bool {
    person.number == SIGN_IN_PATIENT || person.number.is_multiple_of(10)
}

/// FHIR's status of an Encounter, and HL7's ActCode for its class.
struct Kind {
    status: &'static str,
    class: (&'static str, &'static str),
}

const SEEN: Kind = Kind { status: "finished", class: ("AMB", "ambulatory") };
const STAYS: Kind = Kind { status: "in-progress", class: ("OBSENC", "observation encounter") };

fn encounter(person: &Person, visit: &Visit, kind: &Kind) -> Value {
    let (code, display) = kind.class;
    let mut period = json!({ "start": instant(visit.start) });
    if kind.status == SEEN.status {
        period["end"] = instant(visit.start + Duration::minutes(20)).into();
    }
    json!({
        "status": kind.status,
        "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": code, "display": display },
        "type": [visit.reason.term().concept()],
        "subject": person.reference(),
        "participant": [{ "individual": visit.clinician_reference() }],
        "period": period,
        "location": [{ "location": { "reference": format!("Location/{LOCATION}") } }],
        "serviceProvider": { "reference": format!("Organization/{ORGANIZATION}") },
    })
}

/// The days of the visits and what they were for, oldest first.
fn days(person: &Person, today: Date, dice: &mut Dice) -> Vec<(Date, Reason)> {
    let age = person.days_old(today);
    let mut days: Vec<(i64, Reason)> = Vec::new(); // days ago
    if age < 18 * 365 {
        let schedule = [1, 5, 14, 61, 122, 183, 274, 365, 456, 548, 730, 913];
        let birthdays = (3..18).map(|year| year * 1461 / 4);
        days.extend(schedule.into_iter().chain(birthdays).map(|day| (age - day, Reason::WellChild)));
    } else if person.ailments.iter().any(|ailment| Ailment::is_followed(*ailment)) {
        days.extend((0..6).map(|n| {
            let reason = if n % 2 == 0 { Reason::CheckUp } else { Reason::FollowUp };
            (35 + n * 200 + dice.between(-25, 25), reason)
        }));
    } else {
        days.extend((0..3).map(|n| (90 + n * 350 + dice.between(-60, 60), Reason::CheckUp)));
    }
    if age > 200 {
        let oldest = (THREE_YEARS - 20).min(age - 150);
        days.push((dice.between(20, oldest.max(21)), Reason::Unwell));
        if age < 10 * 365 && age > 500 {
            days.push((dice.between(20, oldest.max(21)), Reason::Unwell));
        }
    }
    days.retain(|(ago, _)| (1..THREE_YEARS).contains(ago));
    days.sort_by_key(|(ago, _)| std::cmp::Reverse(*ago));
    days.dedup_by_key(|(ago, _)| *ago);
    days.into_iter().map(|(ago, reason)| (working_day(today - Duration::days(ago), person.birth), reason)).collect()
}

/// The Friday before a weekend, unless the patient was not born yet.
fn working_day(day: Date, birth: Date) -> Date {
    let friday = match day.weekday() {
        Weekday::Saturday => day - Duration::days(1),
        Weekday::Sunday => day - Duration::days(2),
        _ => day,
    };
    if friday > birth { friday } else { day }
}
