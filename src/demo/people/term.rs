//! Codes: the terminologies' addresses, and one word of any of them.

use serde_json::{Value, json};

pub const SNOMED: &str = "http://snomed.info/sct";
pub const LOINC: &str = "http://loinc.org";
pub const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
pub const CVX: &str = "http://hl7.org/fhir/sid/cvx";
pub const UCUM: &str = "http://unitsofmeasure.org";
pub const OBSERVATION_CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";
pub const CONDITION_CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/condition-category";
pub const US_CORE_CATEGORY: &str = "http://hl7.org/fhir/us/core/CodeSystem/us-core-category";
pub const US_CORE_CONDITION_CATEGORY: &str = "http://hl7.org/fhir/us/core/CodeSystem/condition-category";

/// One word of a terminology.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    pub system: &'static str,
    pub code: &'static str,
    pub display: &'static str,
}

impl Term {
    pub const fn new(system: &'static str, code: &'static str, display: &'static str) -> Self {
        Self { system, code, display }
    }

    pub const fn snomed(code: &'static str, display: &'static str) -> Self {
        Self::new(SNOMED, code, display)
    }

    pub const fn loinc(code: &'static str, display: &'static str) -> Self {
        Self::new(LOINC, code, display)
    }

    pub const fn rxnorm(code: &'static str, display: &'static str) -> Self {
        Self::new(RXNORM, code, display)
    }

    pub const fn cvx(code: &'static str, display: &'static str) -> Self {
        Self::new(CVX, code, display)
    }

    /// As a FHIR `Coding`.
    pub fn coding(&self) -> Value {
        json!({ "system": self.system, "code": self.code, "display": self.display })
    }

    /// As a FHIR `CodeableConcept`.
    pub fn concept(&self) -> Value {
        json!({ "coding": [self.coding()], "text": self.display })
    }
}

/// A `CodeableConcept` that says only its code: for the small closed lists of FHIR itself.
pub fn status(system: &str, code: &str) -> Value {
    json!({ "coding": [{ "system": system, "code": code }] })
}
