//! A FHIR server as the source. What it answers is looked at again here: a server that overlooks a search parameter must
//! not open its whole store.

use std::collections::BTreeMap;

use serde_json::Value;
use time::OffsetDateTime;

use super::resource::{self, Record};
use super::{Directory, Error, Exactly, MAX_ENCOUNTERS, MAX_NAMESAKES, References, Why};
use crate::audit::Origin;
use crate::id::PatientId;
use crate::person::{Encounter, FhirUser, FhirUserKind, Patient, is_fhir_id};
use crate::store::Opened;
use crate::tenant::{FhirBase, Panel};

/// How many ids are asked for at once.
const IDS_AT_ONCE: usize = 50;
/// How many patients by list or by care team are looked at; whoever has more needs `general-practitioner`.
const MAX_IDS: usize = 1000;
/// How many words of a search are asked for.
const MAX_WORDS: usize = 4;

/// A FHIR base, asked for somebody.
pub(super) struct Remote<'a> {
    pub(super) directory: &'a Directory,
    pub(super) origin: &'a Origin,
    pub(super) base: &'a FhirBase,
}

/// Who can be found at all. There is no search for patients without it.
enum Among<'a> {
    /// The patients who name this practitioner as theirs.
    PatientsOf(&'a FhirUser),
    /// These and no others; [`IDS_AT_ONCE`] at most.
    These(&'a [&'a PatientId]),
    /// Who answers to this exactly.
    Exactly(Exactly<'a>),
}

impl Among<'_> {
    /// The search parameters that say so; `None` where nobody can be meant.
    fn form(&self) -> Option<Vec<(&'static str, String)>> {
        match self {
            Self::PatientsOf(who) => Some(vec![("general-practitioner", who.to_string())]),
            Self::These(ids) => {
                let ids: Vec<&str> = ids.iter().map(|id| id.as_str()).filter(|id| is_fhir_id(id)).collect();
                (!ids.is_empty()).then(|| vec![("_id", ids.join(","))])
            }
            Self::Exactly(Exactly::Mrn(mrn)) => (!mrn.trim().is_empty()).then(|| vec![("identifier", escape(mrn.trim()))]),
            Self::Exactly(Exactly::NameAndBirth(name, born)) => {
                let words = name.split([' ', ',']).filter(|word| !word.is_empty()).take(MAX_WORDS);
                let mut form: Vec<_> = words.map(|word| ("name", escape(word))).collect();
                form.push(("birthdate", (*born).to_owned()));
                (form.len() > 1 && is_date(born) && born.len() == 10).then_some(form)
            }
        }
    }

    /// The same, of what was found.
    fn includes(&self, record: &Record) -> bool {
        match self {
            Self::PatientsOf(who) => record.practitioners.contains(who),
            Self::These(ids) => ids.contains(&&record.patient.id),
            Self::Exactly(wanted) => wanted.is(&record.patient),
        }
    }
}

impl Remote<'_> {
    /// The patients whom this person may open and who match what was typed, by name.
    pub(super) async fn search(&self, who: &FhirUser, typed: &str, limit: usize) -> Result<Vec<Opened>, Error> {
        let criteria = criteria(typed);
        let mut found = BTreeMap::new();
        if who.kind == FhirUserKind::Practitioner && self.has(Panel::GeneralPractitioner) {
            for patient in self.patients(&Among::PatientsOf(who), &criteria, limit).await? {
                found.insert(patient.id.clone(), Opened { patient, since: None });
            }
        }
        let ids = self.ids(who).await?;
        let wanted: Vec<&PatientId> = ids.keys().filter(|id| !found.contains_key(*id)).collect();
        for these in wanted.chunks(IDS_AT_ONCE) {
            for patient in self.patients(&Among::These(these), &criteria, IDS_AT_ONCE).await? {
                let since = ids.get(&patient.id).copied().flatten();
                found.insert(patient.id.clone(), Opened { patient, since });
            }
        }
        let mut found: Vec<Opened> = found.into_values().collect();
        found.sort_by_cached_key(|opened| (opened.patient.name.to_lowercase(), opened.patient.birth_date.clone()));
        found.truncate(limit);
        Ok(found)
    }

    /// Whether this person may open this patient, and since when.
    pub(super) async fn opened(&self, who: &FhirUser, id: &PatientId) -> Result<Result<Opened, Why>, Error> {
        let Some(record) = self.record(id).await? else { return Ok(Err(Why::Gone)) };
        let open = |since| Ok(Ok(Opened { patient: record.patient.clone(), since }));
        let is_theirs = who.is_patient(id) || (self.has(Panel::GeneralPractitioner) && record.practitioners.contains(who));
        if is_theirs {
            return open(None);
        }
        let mut since = None;
        if who.kind == FhirUserKind::RelatedPerson {
            since = self.related(who).await?.filter(|(patient, _)| patient == id).map(|(_, since)| since);
        }
        if who.kind != FhirUserKind::Practitioner || self.has(Panel::List) {
            // What was given twice is as old as the later time: whoever came of age may have allowed it again.
            since = since.max(self.directory.store.listed_since(&self.origin.tenant, &self.base.name, who, id).await?);
        }
        if let Some(since) = since {
            return open(since);
        }
        if who.kind == FhirUserKind::Practitioner && self.has(Panel::CareTeam) && self.teams(who, Some(id)).await?.contains(id) {
            return open(None);
        }
        Ok(Err(Why::NotTheirs))
    }

    /// This patient, whoever asks.
    pub(super) async fn patient(&self, id: &PatientId) -> Result<Option<Patient>, Error> {
        Ok(self.record(id).await?.map(|record| record.patient))
    }

    /// Who answers to this exactly.
    pub(super) async fn exactly(&self, wanted: Exactly<'_>) -> Result<Vec<Patient>, Error> {
        self.patients(&Among::Exactly(wanted), &[], MAX_NAMESAKES + 1).await
    }

    /// A patient's visits.
    pub(super) async fn encounters(&self, patient: &PatientId) -> Result<Vec<Encounter>, Error> {
        let references = self.references();
        let form = [("patient", format!("Patient/{patient}"))];
        // A server need not sort, and the latest may come last.
        let of_patient = |value: &Value| match resource::encounter(value, &references) {
            Ok((Some((of, encounter)), _)) if of == *patient && encounter.status != "entered-in-error" => Some(encounter),
            _ => None,
        };
        self.find("Encounter", &form, MAX_ENCOUNTERS * 10, of_patient).await
    }

    /// Whose visit this is.
    pub(super) async fn patient_of_encounter(&self, id: &str) -> Result<Option<PatientId>, Error> {
        let references = self.references();
        let of_visit = |value: &Value| match resource::encounter(value, &references) {
            Ok((Some((of, encounter)), _)) if encounter.id == id => Some(of),
            _ => None,
        };
        Ok(self.find("Encounter", &[("_id", id.to_owned())], 1, of_visit).await?.pop())
    }

    /// Whom this person may open beside those who name them as theirs, and since when.
    async fn ids(&self, who: &FhirUser) -> Result<BTreeMap<PatientId, Option<OffsetDateTime>>, Error> {
        let mut ids = BTreeMap::new();
        match who.kind {
            FhirUserKind::Patient => {
                ids.insert(PatientId::new(who.id.as_str()), None);
            }
            FhirUserKind::RelatedPerson => ids.extend(self.related(who).await?),
            FhirUserKind::Practitioner if self.has(Panel::CareTeam) => {
                ids.extend(self.teams(who, None).await?.into_iter().map(|id| (id, None)));
            }
            FhirUserKind::Practitioner | FhirUserKind::Person => {}
        }
        if who.kind != FhirUserKind::Practitioner || self.has(Panel::List) {
            let limit = i64::try_from(MAX_IDS).unwrap_or(i64::MAX);
            for (id, since) in self.directory.store.listed(&self.origin.tenant, &self.base.name, who, limit).await? {
                let known = ids.entry(id).or_default();
                *known = since.max(*known);
            }
        }
        Ok(ids)
    }

    /// The patient whom this carer is related to, and since when.
    async fn related(&self, who: &FhirUser) -> Result<Option<(PatientId, Option<OffsetDateTime>)>, Error> {
        let references = self.references();
        let of_carer = |value: &Value| {
            let (opening, _) = resource::related_person(value, &references, self.origin.now.date()).ok()?;
            opening
                .filter(|opening| opening.who == *who)
                .map(|opening| (opening.patient, opening.since.map(|day| day.midnight().assume_utc())))
        };
        Ok(self.find("RelatedPerson", &[("_id", who.id.clone())], 1, of_carer).await?.pop())
    }

    /// The subjects of the care teams that this practitioner takes part in.
    async fn teams(&self, who: &FhirUser, of: Option<&PatientId>) -> Result<Vec<PatientId>, Error> {
        let references = self.references();
        let mut form = vec![("participant", who.to_string())];
        form.extend(of.map(|patient| ("patient", format!("Patient/{patient}"))));
        let of_practitioner = |value: &Value| {
            let (openings, _) = resource::care_team(value, &references, self.origin.now.date()).ok()?;
            openings.into_iter().find(|opening| opening.who == *who).map(|opening| opening.patient)
        };
        self.find("CareTeam", &form, MAX_IDS, of_practitioner).await
    }

    async fn record(&self, id: &PatientId) -> Result<Option<Record>, Error> {
        Ok(self.records(&Among::These(&[id]), &[], 1).await?.pop())
    }

    async fn patients(&self, among: &Among<'_>, criteria: &[(&'static str, String)], most: usize) -> Result<Vec<Patient>, Error> {
        Ok(self.records(among, criteria, most).await?.into_iter().map(|record| record.patient).collect())
    }

    /// The active patients who are among these and whom the server finds by these criteria.
    async fn records(&self, among: &Among<'_>, criteria: &[(&'static str, String)], most: usize) -> Result<Vec<Record>, Error> {
        let Some(mut form) = among.form() else { return Ok(Vec::new()) };
        form.extend_from_slice(criteria);
        let references = self.references();
        let active = |value: &Value| {
            let (record, _) = resource::patient(value, &references).ok()?;
            (!record.is_inactive && among.includes(&record)).then_some(record)
        };
        self.find("Patient", &form, most, active).await
    }

    fn has(&self, panel: Panel) -> bool {
        self.base.patients.panels.contains(&panel)
    }

    fn references(&self) -> References<'_> {
        References::to(&self.base.public_urls)
    }
}

/// What was typed, as FHIR's search parameters: a date is a birth date, what has a digit is a record number, and what is
/// left begins a part of a name.
fn criteria(typed: &str) -> Vec<(&'static str, String)> {
    let words = typed.split([' ', ',']).filter(|word| !word.is_empty()).take(MAX_WORDS);
    words
        .map(|word| match word {
            date if is_date(date) => ("birthdate", date.to_owned()),
            number if number.contains(|c: char| c.is_ascii_digit()) => ("identifier", escape(number)),
            name => ("name", escape(name)),
        })
        .collect()
}

/// `YYYY`, `YYYY-MM`, `YYYY-MM-DD`, of a time in which people live.
fn is_date(text: &str) -> bool {
    let is_shaped = matches!(text.len(), 4 | 7 | 10)
        && text.bytes().enumerate().all(|(place, b)| if place == 4 || place == 7 { b == b'-' } else { b.is_ascii_digit() });
    is_shaped && matches!(text.get(..2), Some("18" | "19" | "20"))
}

/// FHIR R4 §3.1.1.4.0.1: what separates values is itself behind a backslash.
fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '\\' | '|' | ',' | '$') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_asked_for_as_what_it_looks_like() {
        let asked = |typed: &str| criteria(typed).into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
        assert_eq!(asked("Ada  Test"), "name=Ada&name=Test");
        assert_eq!(asked("test, ada 1984-03-09"), "name=test&name=ada&birthdate=1984-03-09");
        assert_eq!(asked("MRN-001"), "identifier=MRN-001");
        assert_eq!(asked("1984"), "birthdate=1984");
        assert_eq!(asked("12345"), "identifier=12345");
        assert_eq!(asked("a|b,c$d\\"), "name=a\\|b&name=c\\$d\\\\");
        assert_eq!(asked(" "), "");
    }

    /// No search finds everybody, whatever it is given.
    #[test]
    fn there_is_no_search_without_a_restriction() {
        let ids = [PatientId::new("a,b"), PatientId::new("")];
        let these: Vec<&PatientId> = ids.iter().collect();
        for nobody in [
            Among::These(&[]),
            Among::These(&these),
            Among::Exactly(Exactly::Mrn(" ")),
            Among::Exactly(Exactly::NameAndBirth("", "1984-03-09")),
            Among::Exactly(Exactly::NameAndBirth("Ada Test", "")),
            Among::Exactly(Exactly::NameAndBirth("Ada Test", "1984")),
        ] {
            assert!(nobody.form().is_none());
        }
    }
}
