//! What is written about one person, resource by resource.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use time::{Date, OffsetDateTime};

use super::person::Person;

/// A person's resources, in the order in which they were written.
pub struct Chart<'a> {
    pub person: &'a Person,
    pub today: Date,
    written: Vec<Value>,
    counts: BTreeMap<&'static str, usize>,
}

impl<'a> Chart<'a> {
    pub fn new(person: &'a Person, today: Date) -> Self {
        Self { person, today, written: Vec::new(), counts: BTreeMap::new() }
    }

    /// Writes a resource down under an id of its own, and returns that id.
    ///
    /// `at` is when it was last changed.
    pub fn add(&mut self, kind: &'static str, at: OffsetDateTime, mut body: Value) -> String {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let id = format!("{}-{}-{count}", self.person.id, short(kind));
        body["resourceType"] = kind.into();
        body["id"] = id.clone().into();
        self.put(at, body);
        id
    }

    /// Writes down a resource that knows its type and id.
    pub fn put(&mut self, at: OffsetDateTime, body: Value) {
        self.written.push(labelled(body, at));
    }

    pub fn into_resources(self) -> Vec<Value> {
        self.written
    }
}

/// How an id names its type: ids are typed by hand in a demo.
fn short(kind: &'static str) -> &'static str {
    match kind {
        "AllergyIntolerance" => "allergy",
        "CareTeam" => "team",
        "Condition" => "cond",
        "Encounter" => "enc",
        "Immunization" => "imm",
        "MedicationRequest" => "med",
        "Observation" => "obs",
        "Procedure" => "proc",
        other => other,
    }
}

/// Marks a resource, last changed at `at`, as test data: the label travels with every copy of it.
///
/// People, whose names end up on screens, carry a tag as well.
pub fn labelled(mut resource: Value, at: OffsetDateTime) -> Value {
    resource["meta"] = json!({
        "versionId": "1",
        "lastUpdated": instant(at),
        "security": [{
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
            "code": "HTEST",
            "display": "test health data",
        }],
    });
    if resource.get("text").is_some() {
        resource["meta"]["tag"] = json!([{
            "system": "https://willowbank.example/tags",
            "code": "synthetic",
            "display": "Made up by the demo: no real person",
        }]);
    }
    resource
}

/// A FHIR `instant`, in UTC and to the second.
pub fn instant(at: OffsetDateTime) -> String {
    format!("{}T{:02}:{:02}:{:02}Z", at.date(), at.hour(), at.minute(), at.second())
}
