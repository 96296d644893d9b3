//! The population as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::Value;
use time::macros::date;

use super::clinician::CLINICIANS;
use super::*;

const TODAY: Date = date!(2026 - 11 - 20);

/// One population for all that only look at it.
static WORLD: LazyLock<World> = LazyLock::new(|| World::generate(TODAY));

fn everything(world: &World) -> impl Iterator<Item = &Value> {
    world.types().iter().flat_map(|kind| world.resources(kind))
}

/// FNV-1a: enough to notice that something changed.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

fn has_category(resource: &Value, system: &str, code: &str) -> bool {
    resource["category"].as_array().into_iter().flatten().any(|concept| {
        concept["coding"].as_array().into_iter().flatten().any(|coding| coding["system"] == system && coding["code"] == code)
    })
}

#[test]
fn the_same_date_gives_the_same_bytes() {
    let (a, b) = (&*WORLD, &World::generate(TODAY));
    assert!(everything(a).map(Value::to_string).eq(everything(b).map(Value::to_string)));
    assert_eq!(a.people(), b.people());
}

#[test]
fn ids_do_not_change_unnoticed() {
    let world = &*WORLD;
    let ids: Vec<String> = everything(world).map(|r| format!("{}/{}\n", r["resourceType"], r["id"])).collect();
    let unique: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "an id is there twice");
    // Links in documentation and tests name these ids: change the hash knowingly.
    assert_eq!(digest(&ids.concat()), 17733890196335067721, "{} resources", ids.len());
}

#[test]
fn every_reference_resolves() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("reference").and_then(Value::as_str));
                map.values().for_each(|inner| references(inner, found));
            }
            Value::Array(list) => list.iter().for_each(|inner| references(inner, found)),
            _ => {}
        }
    }
    let world = &*WORLD;
    let mut found = Vec::new();
    everything(world).for_each(|resource| references(resource, &mut found));
    assert!(found.len() > 10_000);
    for reference in found {
        let (kind, id) = reference.split_once('/').expect("a relative reference");
        assert!(world.get(kind, id).is_some(), "{reference} leads nowhere");
    }
}

#[test]
fn panels_have_their_sizes_and_some_patients_are_in_two() {
    let world = &*WORLD;
    let mut panels: BTreeMap<String, usize> = BTreeMap::new();
    let mut shared = 0;
    for patient in world.resources("Patient") {
        let doctors = patient["generalPractitioner"].as_array().expect("a list");
        shared += usize::from(doctors.len() > 1);
        for doctor in doctors {
            *panels.entry(doctor["reference"].to_string().replace('"', "")).or_default() += 1;
        }
    }
    let sizes: Vec<usize> = CLINICIANS.iter().map(|c| panels.get(&format!("Practitioner/{}", c.id)).copied().unwrap_or(0)).collect();
    assert_eq!(sizes, [27, 22, 19, 16, 13, 11, 0]);
    assert_eq!(shared, 8);
    assert_eq!(world.resources("Patient").len(), 100);
}

#[test]
fn those_who_sign_in_open_what_the_records_say() {
    let world = &*WORLD;
    let people = world.people();
    let clinicians = people.iter().filter(|person| person.kind == PersonKind::Clinician);
    let mut sizes: Vec<usize> = clinicians.map(|person| person.opens.len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [0, 13, 19, 27]);

    let parent = people.iter().find(|p| p.kind == PersonKind::Carer).expect("a parent");
    assert_eq!(parent.opens.len(), 2);
    let related: Vec<&Value> = parent.opens.iter().flat_map(|id| world.of_patient("RelatedPerson", id)).collect();
    assert_eq!(related.len(), 2);
    assert_eq!(related[0]["identifier"], related[1]["identifier"]);
    assert_eq!(related[0]["name"], related[1]["name"]);
    assert_eq!(related[0]["name"][0]["text"], parent.display_name.as_str());

    for person in &people {
        let (kind, id) = person.fhir_user.split_once('/').expect("a relative reference");
        assert!(world.get(kind, id).is_some(), "{} is nobody", person.fhir_user);
        assert!(person.opens.iter().all(|id| world.get("Patient", id).is_some()));
    }
    let names: BTreeSet<&str> = people.iter().map(|p| p.username.as_str()).collect();
    assert_eq!(names.len(), people.len());
}

#[test]
fn every_category_of_us_core_is_there() {
    let world = &*WORLD;
    let base = "http://terminology.hl7.org/CodeSystem/observation-category";
    let us_core = "http://hl7.org/fhir/us/core/CodeSystem/us-core-category";
    for (system, code) in
        [(base, "vital-signs"), (base, "laboratory"), (base, "social-history"), (base, "survey"), (base, "procedure"), (us_core, "sdoh")]
    {
        let found = world.resources("Observation").iter().filter(|o| has_category(o, system, code));
        assert!(found.count() >= 10, "{code}");
    }
    let base = "http://terminology.hl7.org/CodeSystem/condition-category";
    let us_core = "http://hl7.org/fhir/us/core/CodeSystem/condition-category";
    for (system, code) in [(base, "problem-list-item"), (base, "encounter-diagnosis"), (us_core, "health-concern")] {
        let found = world.resources("Condition").iter().filter(|c| has_category(c, system, code));
        assert!(found.count() >= 10, "{code}");
    }
}

#[test]
fn some_are_at_the_practice_now() {
    let world = &*WORLD;
    let is_open = |encounter: &&Value| encounter["status"] == "in-progress";
    let open: Vec<&Value> = world.resources("Encounter").iter().filter(is_open).collect();
    assert_eq!(open.len(), 11);
    assert!(open.iter().any(|encounter| patient_of(encounter) == Some(&roster::id(roster::SIGN_IN_PATIENT))));
    for encounter in world.resources("Encounter") {
        assert_eq!(encounter["period"].get("end").is_none(), is_open(&encounter), "{encounter}");
    }
}

#[test]
fn a_carer_of_two_is_one_person() {
    let world = &*WORLD;
    let roles = |person: &Value| person["link"].as_array().map_or(0, Vec::len);
    let all: usize = world.resources("Person").iter().map(roles).sum();
    assert_eq!(all, world.resources("RelatedPerson").len(), "everybody is a Person once");
    let parent = world.resources("Person").iter().find(|person| person["id"] == "person-c-003").expect("the parent who signs in");
    assert_eq!(roles(parent), 2);
    assert_eq!(parent.get("patient"), None);
}

#[test]
fn everything_says_that_it_is_synthetic() {
    let world = &*WORLD;
    for resource in everything(world) {
        assert_eq!(resource["meta"]["security"][0]["code"], "HTEST");
    }
    for patient in world.resources("Patient") {
        let text = patient["text"]["div"].as_str().expect("a narrative");
        assert!(text.contains("no real person"));
        assert_eq!(patient["meta"]["tag"][0]["code"], "synthetic");
    }
}

#[test]
fn people_are_of_all_ages_and_of_names_of_their_own() {
    let world = &*WORLD;
    let names: BTreeSet<&str> = world.resources("Patient").iter().filter_map(|p| p["name"][0]["text"].as_str()).collect();
    assert_eq!(names.len(), 100);
    let births: BTreeSet<&str> = world.resources("Patient").iter().filter_map(|p| p["birthDate"].as_str()).collect();
    assert_eq!(births.first().map(|birth| &birth[..3]), Some("193"));
    assert_eq!(births.last().copied(), Some("2026-11-11"), "a newborn of nine days");
}

#[test]
fn a_diabetic_takes_metformin_and_their_sugar_comes_down() {
    let world = &*WORLD;
    let metformin = world.of_patient("MedicationRequest", "p001").any(|m| m["medicationCodeableConcept"]["coding"][0]["code"] == "860975");
    assert!(metformin);
    let sugar: Vec<f64> = world
        .of_patient("Observation", "p001")
        .filter(|o| o["code"]["coding"][0]["code"] == "4548-4")
        .filter_map(|o| o["valueQuantity"]["value"].as_f64())
        .collect();
    assert!(sugar.len() >= 4, "{sugar:?}");
    assert!(sugar[0] - sugar[sugar.len() - 1] > 0.8, "{sugar:?}");
}

#[test]
fn nobody_has_the_same_problem_twice_at_the_same_time() {
    let world = &*WORLD;
    for patient in world.resources("Patient") {
        let id = patient["id"].as_str().expect("an id");
        let active: Vec<String> = world
            .of_patient("Condition", id)
            .filter(|c| c["clinicalStatus"]["coding"][0]["code"] == "active")
            .map(|c| c["code"]["text"].to_string())
            .collect();
        let unique: BTreeSet<&String> = active.iter().collect();
        assert_eq!(unique.len(), active.len(), "{id}: {active:?}");
        let diagnosed = world.of_patient("Condition", id).any(|c| c.get("encounter").is_some());
        assert!(diagnosed, "{id} never came for anything");
    }
}

#[test]
fn a_child_grows_and_is_vaccinated() {
    let world = &*WORLD;
    let child = roster::id(roster::SIGN_IN_CHILDREN[0]);
    let heights: Vec<f64> = world
        .of_patient("Observation", &child)
        .filter(|o| o["code"]["coding"][0]["code"] == "8302-2")
        .filter_map(|o| o["valueQuantity"]["value"].as_f64())
        .collect();
    assert!(heights.len() >= 3 && heights.is_sorted(), "{heights:?}");
    assert!(world.of_patient("Immunization", &child).count() > 20);
    assert_eq!(world.of_patient("CareTeam", &child).count(), 1);
}

#[test]
fn nothing_happened_before_birth_or_after_today() {
    // Among them a leap day, and a day on which a newborn's first visits fall on a weekend.
    for today in [TODAY, date!(2024 - 02 - 29), date!(2027 - 03 - 01)] {
        let world = World::generate(today);
        for resource in everything(&world) {
            let updated = resource["meta"]["lastUpdated"].as_str().expect("a time");
            assert!(updated[..10] <= *today.to_string(), "{resource}");
            let Some(patient) = patient_of(resource) else {
                continue;
            };
            let birth = world.get("Patient", patient).map(|p| &p["birthDate"]);
            let birth = birth.and_then(Value::as_str).expect("a birth date");
            for key in ["effectiveDateTime", "onsetDateTime", "occurrenceDateTime", "authoredOn"] {
                if let Some(day) = resource[key].as_str() {
                    assert!(&day[..10] >= birth && day[..10] < *today.to_string(), "{resource}");
                }
            }
        }
    }
}

#[test]
fn the_whole_stays_small() {
    let world = &*WORLD;
    let bytes: usize = everything(world).map(|resource| resource.to_string().len()).sum();
    let count = everything(world).count();
    assert!((7_000..9_000).contains(&count), "{count} resources");
    assert!(bytes < 10 << 20, "{bytes} bytes");
}
