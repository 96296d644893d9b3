//! Which records a caller's scopes reach.

use std::collections::BTreeSet;

use serde_json::Value;

use super::StandIn;
use super::access::{Action, Level};
use super::gate::Caller;
use super::outcome::Refusal;
use super::query::{Condition, Query};
use crate::demo::people::{World, patient_of};

/// Types that are in no patient's compartment: who works here, and where.
///
/// Nothing in them is about a patient, so whoever may read the type at all may read all of it.
const DIRECTORY: [&str; 3] = ["Location", "Organization", "Practitioner"];

/// The records of one type that a caller may do something with: those of any part, and so of any
/// scope (SMART App Launch 2.2, "Scope Equivalence": several scopes are their union).
#[derive(Debug)]
pub struct Reach(Vec<Part>);

/// What one scope reaches.
#[derive(Debug)]
struct Part {
    whose: Whose,
    /// What of it: all conditions hold.
    filter: Vec<Condition>,
}

#[derive(Debug)]
enum Whose {
    Everybodys,
    /// Those in the compartments of these patients, by id.
    Of(BTreeSet<String>),
}

impl Reach {
    pub fn includes(&self, resource: &Value) -> bool {
        self.0.iter().any(|part| {
            let is_theirs = match &part.whose {
                Whose::Everybodys => true,
                Whose::Of(patients) => patient_of(resource).is_some_and(|id| patients.contains(id)),
            };
            is_theirs && part.filter.iter().all(|condition| condition.holds(resource))
        })
    }

    /// The ids of the only patients whose records are reached; `None`: everybody's.
    pub fn patients(&self) -> Option<BTreeSet<&str>> {
        let mut all = BTreeSet::new();
        for part in &self.0 {
            match &part.whose {
                Whose::Everybodys => return None,
                Whose::Of(patients) => all.extend(patients.iter().map(String::as_str)),
            }
        }
        Some(all)
    }

    /// A search that names a patient out of reach is refused, so that an app does not take
    /// "not yours" for "nothing there".
    pub fn check_named(&self, query: &Query) -> Result<(), Refusal> {
        let Some(patients) = self.patients() else {
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
    pub fn reach(&self, here: &StandIn, kind: &str, action: Action) -> Result<Reach, Refusal> {
        let mut parts = Vec::new();
        for grant in self.grants.iter().filter(|grant| grant.covers(kind, action)) {
            let patients = match grant.level {
                Level::System => None,
                Level::Patient => match &self.patient {
                    Some(patient) => Some(BTreeSet::from([patient.clone()])),
                    None => continue,
                },
                Level::User if self.fhir_user.is_none() => continue,
                Level::User => Some(self.opens(&here.world)),
            };
            let Some(filter) = grant.filter(kind, &here.base) else { continue };
            let whose = patients.filter(|_| !DIRECTORY.contains(&kind)).map_or(Whose::Everybodys, Whose::Of);
            parts.push(Part { whose, filter });
        }
        if parts.is_empty() {
            return Err(Refusal::outside_the_scopes(format!("no granted scope covers this use of {kind}")));
        }
        Ok(Reach(parts))
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
            "Person" => world.get("Person", id).map(|own| linked(world, own)).unwrap_or_default(),
            _ => BTreeSet::new(),
        }
    }
}

/// The patients whom a Person is, or whom the RelatedPersons it is look after.
fn linked(world: &World, person: &Value) -> BTreeSet<String> {
    let links = person["link"].as_array().into_iter().flatten();
    let targets = links.filter_map(|link| link["target"]["reference"].as_str()?.split_once('/'));
    targets.filter_map(|(kind, id)| world.get(kind, id).and_then(patient_of).map(str::to_owned)).collect()
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
