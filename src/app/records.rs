//! The records of a FHIR base as pages show them, and who may open which.

use time::Date;

use super::App;
use crate::audit::Origin;
use crate::directory::{Access, Error, Why};
use crate::id::PatientId;
use crate::person::{Encounter, Patient, User};
use crate::words::{Arg, Words};

/// A patient as the pages show them: what is not known is said to be so.
pub struct PatientRow {
    /// The logical id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The birth date, as far as it is known.
    pub birth_date: String,
    /// The age, in few words.
    pub age: String,
    /// The administrative gender.
    pub sex: String,
    /// The medical record number.
    pub mrn: String,
}

impl PatientRow {
    /// What there is to show of a patient today.
    #[must_use]
    pub fn new(patient: Patient, today: Date, words: &Words) -> Self {
        let or_unknown = |text: String| if text.is_empty() { words.text("patient-not-known", &[]) } else { text };
        Self {
            age: age(&patient.age(today), words),
            id: patient.id.to_string(),
            name: or_unknown(patient.name),
            birth_date: or_unknown(patient.birth_date),
            sex: match patient.sex.as_str() {
                "female" => words.text("patient-female", &[]),
                "male" => words.text("patient-male", &[]),
                "other" => words.text("patient-other", &[]),
                _ => words.text("patient-not-known", &[]),
            },
            mrn: or_unknown(patient.mrn),
        }
    }
}

fn age(short: &str, words: &Words) -> String {
    let (count, unit) = short.split_once(' ').unwrap_or_default();
    let args = [("count", Arg::from(count.parse::<i64>().unwrap_or_default()))];
    match unit {
        "y" => words.text("patient-years", &args),
        "mo" => words.text("patient-months", &args),
        "d" => words.text("patient-days", &args),
        _ => words.text("patient-not-known", &[]),
    }
}

/// A visit as the pages show it.
pub struct EncounterRow {
    /// The logical id.
    pub id: String,
    /// What it was about, or which kind of visit it was.
    pub title: String,
    /// The day on which it began.
    pub started: String,
    /// How it stands.
    pub status: String,
}

impl EncounterRow {
    /// What there is to show of a visit.
    #[must_use]
    pub fn new(encounter: Encounter, words: &Words) -> Self {
        let Encounter { id, status, class, reason, started, .. } = encounter;
        let known = |text: String| (!text.is_empty()).then_some(text);
        let day = started.get(..10).map_or(started.clone(), str::to_owned);
        Self {
            id,
            title: known(reason).or(known(class)).unwrap_or_else(|| words.text("visit-unnamed", &[])),
            started: known(day).unwrap_or_else(|| words.text("patient-not-known", &[])),
            status: match status.as_str() {
                "planned" => words.text("visit-state-planned", &[]),
                "arrived" => words.text("visit-state-arrived", &[]),
                "triaged" => words.text("visit-state-triaged", &[]),
                "in-progress" => words.text("visit-state-in-progress", &[]),
                "onleave" => words.text("visit-state-onleave", &[]),
                "finished" => words.text("visit-state-finished", &[]),
                "cancelled" => words.text("visit-state-cancelled", &[]),
                "unknown" => words.text("visit-state-unknown", &[]),
                // A code of FHIR that came later.
                _ => status.replace('-', " "),
            },
        }
    }
}

impl App {
    /// What this user may do with this patient; `in_emergency`, where they gave a reason to open somebody who is not theirs.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn access(
        &self,
        origin: &Origin,
        fhir_base: &str,
        user: &User,
        patient: &PatientId,
        in_emergency: bool,
    ) -> Result<Access, Error> {
        match &user.fhir_user {
            Some(who) => self.directory.access(origin, fhir_base, who, patient, in_emergency).await,
            None => Ok(Access::Closed(Why::NotTheirs)),
        }
    }

    /// Whether this user may open this patient.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn may_open(&self, origin: &Origin, fhir_base: &str, user: &User, patient: &PatientId) -> Result<bool, Error> {
        Ok(matches!(self.access(origin, fhir_base, user, patient, false).await?, Access::Open(_)))
    }

    /// The patients whom this user may open and who match what was typed. At most `limit`.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn find_patients(
        &self,
        origin: &Origin,
        fhir_base: &str,
        user: &User,
        typed: &str,
        limit: usize,
    ) -> Result<Vec<Patient>, Error> {
        match &user.fhir_user {
            Some(who) => self.directory.search(origin, fhir_base, who, typed, limit).await,
            None => Ok(vec![]),
        }
    }
}
