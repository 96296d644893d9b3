//! Which records a caller's scopes reach.

use std::collections::BTreeSet;

use serde_json::Value;

use super::access::{Action, Level};
use super::gate::Caller;
use super::outcome::Refusal;
use super::query::Query;
use crate::demo::people::{World, patient_of};

/// Types that are in no patient's compartment: who works here, and where.
///
/// Nothing in them is about a patient, so whoever may read the type at all may read all of it.
const DIRECTORY: [&str; 2] = ["Organization", "Practitioner"];

/// The records of one type that a caller may do something with.
#[derive(Debug, PartialEq, Eq)]
pub enum Reach {
    All,
    /// Those in the compartments of these patients, by id.
    Of(BTreeSet<String>),
}

impl Reach {
    pub fn includes(&self, resource: &Value) -> bool {
        match self {
            Self::All => true,
            Self::Of(patients) => patient_of(resource).is_some_and(|id| patients.contains(id)),
        }
    }

    /// A search that names a patient out of reach is refused, so that an app does not take
    /// "not yours" for "nothing there".
    pub fn check_named(&self, query: &Query) -> Result<(), Refusal> {
        let Self::Of(patients) = self else {
            return Ok(());
        };
        if query.named_patients().all(|id| patients.contains(id)) {
            return Ok(());
        }
        Err(Refusal::outside_the_scopes("the search names a patient outside the granted scopes"))
    }
}

impl Caller {
    /// The union of what all scopes reach; a refusal where none of them covers the action.
    pub fn reach(&self, world: &World, kind: &str, action: Action) -> Result<Reach, Refusal> {
        let mut patients: Option<BTreeSet<String>> = None;
        for grant in self.grants.iter().filter(|grant| grant.covers(kind, action)) {
            let found = match grant.level {
                Level::System => return Ok(Reach::All),
                Level::Patient => self.patient.iter().cloned().collect(),
                Level::User => self.opens(world),
            };
            let in_context = match grant.level {
                Level::Patient => self.patient.is_some(),
                _ => self.fhir_user.is_some(),
            };
            if in_context && DIRECTORY.contains(&kind) {
                return Ok(Reach::All);
            }
            if in_context {
                patients.get_or_insert_default().extend(found);
            }
        }
        patients.map(Reach::Of).ok_or_else(|| Refusal::outside_the_scopes(format!("no granted scope covers this use of {kind}")))
    }

    /// The patients whom the person who signed in may open.
    fn opens(&self, world: &World) -> BTreeSet<String> {
        let Some((kind, id)) = &self.fhir_user else {
            return BTreeSet::new();
        };
        match kind.as_str() {
            "Patient" => BTreeSet::from([id.clone()]),
            "Practitioner" => panel(world, &format!("Practitioner/{id}")),
            // A parent is one RelatedPerson per child, all with the same identifier.
            "RelatedPerson" => match world.get("RelatedPerson", id) {
                Some(own) => world
                    .resources("RelatedPerson")
                    .iter()
                    .filter(|other| other["identifier"] == own["identifier"])
                    .filter_map(|other| patient_of(other).map(str::to_owned))
                    .collect(),
                None => BTreeSet::new(),
            },
            _ => BTreeSet::new(),
        }
    }
}

/// HealthLake's own rule: the patients who name the practitioner as theirs.
fn panel(world: &World, practitioner: &str) -> BTreeSet<String> {
    let is_theirs = |patient: &&Value| {
        let doctors = patient["generalPractitioner"].as_array().into_iter().flatten();
        doctors.into_iter().any(|doctor| doctor["reference"] == practitioner)
    };
    let patients = world.resources("Patient").iter().filter(is_theirs);
    patients.filter_map(|patient| patient["id"].as_str().map(str::to_owned)).collect()
}
