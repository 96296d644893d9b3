//! A person of the population: what is true of them, before anything is written down.

use serde_json::{Value, json};
use time::Date;

use super::ailment::Ailment;

/// The administrative genders that we use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gender {
    Female,
    Male,
    Other,
}

impl Gender {
    /// The code of FHIR's administrative-gender.
    pub fn code(self) -> &'static str {
        match self {
            Self::Female => "female",
            Self::Male => "male",
            Self::Other => "other",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Smoking {
    Never,
    Former,
    Daily,
}

/// One patient of the practice.
#[derive(Clone, Debug)]
pub struct Person {
    /// From 1: their number in the population, and the seed of their dice.
    pub number: usize,
    /// The FHIR id: `p001`.
    pub id: String,
    pub given: &'static str,
    pub family: &'static str,
    pub gender: Gender,
    pub birth: Date,
    /// Those in whose panels they are, by id; the first is the one they usually see.
    pub clinicians: Vec<&'static str>,
    pub ailments: Vec<Ailment>,
    pub smoking: Smoking,
    /// Their build, from -1 (small) to 1 (tall): it holds for life.
    pub build: f64,
}

impl Person {
    /// Age in days.
    pub fn days_old(&self, on: Date) -> i64 {
        (on - self.birth).whole_days()
    }

    /// Age in years, as a fraction.
    pub fn years_old(&self, on: Date) -> f64 {
        self.days_old(on) as f64 / 365.25
    }

    pub fn has(&self, ailment: Ailment) -> bool {
        self.ailments.contains(&ailment)
    }

    /// A FHIR reference to their Patient.
    pub fn reference(&self) -> Value {
        json!({ "reference": format!("Patient/{}", self.id) })
    }

    /// A FHIR reference to the Practitioner they usually see.
    pub fn doctor(&self) -> Value {
        json!({ "reference": format!("Practitioner/{}", self.clinicians[0]) })
    }
}
