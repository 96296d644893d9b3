//! The synthetic population: a hundred people who do not exist, and their records.
//!
//! All of it is computed, from nothing but a date: the same date gives the same bytes. Their
//! last three years end with that date, so that a demo never looks stale.
//!
//! ```text
//! roster ─ Person ─┬─ visit (Encounter) ─┬─ vital  laboratory  life   (Observation)
//!                  │                     ├─ condition  medication  procedure  allergy
//!                  ├─ vaccine            └─ team
//!                  └─ patient  carer
//! ```
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "ages, counts and readings of a made-up population: small numbers all"
)]

mod ailment;
mod allergy;
mod carer;
mod chart;
mod clinician;
mod condition;
mod dice;
mod growth;
mod laboratory;
mod life;
mod login;
mod medication;
mod names;
mod observation;
mod patient;
mod person;
mod procedure;
mod roster;
mod shelf;
mod team;
mod term;
mod vaccine;
mod visit;
mod vital;

#[cfg(test)]
mod tests;

use serde_json::Value;
use time::{Date, Duration};

pub use login::{DemoPerson, PersonKind};
pub use shelf::patient_of;

use chart::Chart;
use clinician::CLINICIANS;
use dice::Dice;
use person::Person;
use shelf::Shelf;

/// The types of which the population has resources.
const TYPES: [&str; 14] = [
    "AllergyIntolerance",
    "CareTeam",
    "Condition",
    "Encounter",
    "Immunization",
    "Location",
    "MedicationRequest",
    "Observation",
    "Organization",
    "Patient",
    "Person",
    "Practitioner",
    "Procedure",
    "RelatedPerson",
];

/// Everybody, and everything written about them.
pub struct World {
    shelves: Vec<(&'static str, Shelf)>,
    people: Vec<DemoPerson>,
}

impl World {
    /// The population as it is on `today`.
    pub fn generate(today: Date) -> Self {
        let people = roster::everybody(today);
        let mut world = Self { shelves: TYPES.map(|kind| (kind, Shelf::default())).into(), people: login::everybody(&people, today) };
        let founded = (today - Duration::days(1_500)).midnight().assume_utc();
        world.put(clinician::organization(founded));
        world.put(clinician::location(founded));
        for (n, clinician) in CLINICIANS.iter().enumerate() {
            world.put(clinician.resource(n + 1, founded));
        }
        for person in &people {
            for resource in records(person, today) {
                world.put(resource);
            }
        }
        for carer in carer::persons(world.resources("RelatedPerson")) {
            world.put(carer);
        }
        world
    }

    /// The types of which there are resources, in alphabetical order.
    pub fn types(&self) -> &'static [&'static str] {
        &TYPES
    }

    /// Everything of one type; nothing for a type we do not have.
    pub fn resources(&self, kind: &str) -> &[Value] {
        self.shelf(kind).map_or(&[], Shelf::all)
    }

    /// One resource, by its type and id.
    pub fn get(&self, kind: &str, id: &str) -> Option<&Value> {
        self.shelf(kind)?.get(id)
    }

    /// What of one type is in one patient's compartment.
    pub fn of_patient(&self, kind: &str, patient: &str) -> impl Iterator<Item = &Value> {
        self.shelf(kind).into_iter().flat_map(move |shelf| shelf.of_patient(patient))
    }

    /// Who can sign in.
    pub fn people(&self) -> Vec<DemoPerson> {
        self.people.clone()
    }

    fn shelf(&self, kind: &str) -> Option<&Shelf> {
        self.shelves.iter().find(|(of, _)| *of == kind).map(|(_, shelf)| shelf)
    }

    fn put(&mut self, resource: Value) {
        let kind = resource["resourceType"].as_str();
        if let Some((_, shelf)) = self.shelves.iter_mut().find(|(of, _)| Some(*of) == kind) {
            shelf.put(resource);
        }
    }
}

/// Everything that is written about one person.
fn records(person: &Person, today: Date) -> Vec<Value> {
    let mut dice = Dice::seeded(person.number as u64 + 10_000);
    let mut chart = Chart::new(person, today);
    let visits = visit::write(&mut chart, &mut dice);
    patient::write(&mut chart, &visits);
    carer::write(&mut chart);
    team::write(&mut chart, &visits);
    for (n, visit) in visits.iter().enumerate() {
        vital::write(&mut chart, visit, &mut dice);
        laboratory::write(&mut chart, visit, &mut dice);
        life::write(&mut chart, visit, &mut dice);
        procedure::write(&mut chart, visit, n == 0);
    }
    condition::write(&mut chart, &visits, &mut dice);
    medication::write(&mut chart, &visits, &mut dice);
    allergy::write(&mut chart, &visits, &mut dice);
    vaccine::write(&mut chart);
    chart.into_resources()
}
