//! Those who look after somebody: parents of the children, grown children of the very old.

use serde_json::{Value, json};
use time::{Duration, Time};

use super::chart::Chart;
use super::clinician::synthetic_text;
use super::dice::Dice;
use super::names::{given, handle};
use super::person::{Gender, Person};
use super::roster::FIRST_CHILD;

/// A parent or a grown child of a patient.
pub struct Carer {
    /// Which of the carers: two children of one parent have the same number here.
    pub number: usize,
    pub gender: Gender,
    pub given: &'static str,
    pub family: &'static str,
    is_parent: bool,
}

impl Carer {
    /// Who looks after `person`, if anybody does.
    pub fn of(person: &Person, years: f64) -> Option<Self> {
        let (number, is_parent) = if years < 18.0 && person.number >= FIRST_CHILD {
            ((person.number - FIRST_CHILD) / 2, true)
        } else if years >= 82.0 {
            (100 + person.number, false)
        } else {
            return None;
        };
        let gender = if Dice::seeded(number as u64).chance(0.6) { Gender::Female } else { Gender::Male };
        Some(Self { number, gender, given: given(gender, number + 13), family: person.family, is_parent })
    }

    pub fn name(&self) -> String {
        format!("{} {}", self.given, self.family)
    }

    /// The FHIR id of the RelatedPerson that ties this carer to `person`.
    pub fn id(person: &Person) -> String {
        format!("rel-{}", person.id)
    }

    /// HL7's RoleCode, and its display.
    fn relationship(&self) -> (&'static str, &'static str) {
        match (self.is_parent, self.gender) {
            (true, Gender::Female) => ("MTH", "mother"),
            (true, Gender::Male) => ("FTH", "father"),
            (true, Gender::Other) => ("PRN", "parent"),
            (false, Gender::Female) => ("DAU", "natural daughter"),
            (false, Gender::Male) => ("SON", "natural son"),
            (false, Gender::Other) => ("CHILD", "child"),
        }
    }
}

/// Writes down the RelatedPerson.
///
/// FHIR has one per patient. That two of them are the same person is said by their identifier.
pub fn write(chart: &mut Chart) {
    let person = chart.person;
    let Some(carer) = Carer::of(person, person.years_old(chart.today)) else {
        return;
    };
    let (code, display) = carer.relationship();
    let registered = person.birth.max(chart.today - Duration::days(1_000));
    chart.put(
        registered.with_time(Time::MIDNIGHT).assume_utc(),
        json!({
            "resourceType": "RelatedPerson",
            "id": Carer::id(person),
            "text": synthetic_text(&carer.name()),
            "identifier": [{
                "system": "https://willowbank.example/carers",
                "value": format!("C-{:03}", carer.number),
            }],
            "active": true,
            "patient": person.reference(),
            "relationship": [{
                "coding": [{
                    "system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode",
                    "code": code,
                    "display": display,
                }],
            }],
            "name": [{
                "use": "official",
                "text": carer.name(),
                "family": carer.family,
                "given": [carer.given],
            }],
            "gender": carer.gender.code(),
            "telecom": [{
                "system": "email",
                "value": format!("{}@people.example", handle(carer.given, carer.family)),
            }],
        }),
    );
}

/// The Persons behind the RelatedPersons: one for each carer, with a link to each of their roles.
pub fn persons(related: &[Value]) -> Vec<Value> {
    let mut persons: Vec<Value> = Vec::new();
    for role in related {
        let link = json!({ "target": { "reference": format!("RelatedPerson/{}", role["id"].as_str().unwrap_or_default()) } });
        match persons.iter_mut().find(|person| person["identifier"] == role["identifier"]) {
            Some(person) => {
                // RFC 3339 in UTC and to the second: text in order is time in order.
                let latest = person["meta"]["lastUpdated"].as_str().max(role["meta"]["lastUpdated"].as_str()).map(str::to_owned);
                person["meta"]["lastUpdated"] = latest.into();
                if let Some(links) = person["link"].as_array_mut() {
                    links.push(link);
                }
            }
            None => {
                let mut person = role.clone();
                person["resourceType"] = "Person".into();
                person["id"] = format!("person-{}", role["identifier"][0]["value"].as_str().unwrap_or_default().to_lowercase()).into();
                person["link"] = json!([link]);
                if let Some(fields) = person.as_object_mut() {
                    fields.retain(|name, _| !matches!(name.as_str(), "patient" | "relationship"));
                }
                persons.push(person);
            }
        }
    }
    persons
}
