//! The resources of one type, and where to find them.

use std::collections::HashMap;

use serde_json::Value;

/// The resources of one type.
#[derive(Default)]
pub struct Shelf {
    resources: Vec<Value>,
    by_id: HashMap<String, usize>,
    by_patient: HashMap<String, Vec<usize>>,
}

impl Shelf {
    pub fn put(&mut self, resource: Value) {
        let place = self.resources.len();
        if let Some(id) = resource["id"].as_str() {
            self.by_id.insert(id.to_owned(), place);
        }
        if let Some(patient) = patient_of(&resource) {
            self.by_patient.entry(patient.to_owned()).or_default().push(place);
        }
        self.resources.push(resource);
    }

    pub fn all(&self) -> &[Value] {
        &self.resources
    }

    pub fn get(&self, id: &str) -> Option<&Value> {
        self.by_id.get(id).map(|place| &self.resources[*place])
    }

    /// The resources of one patient.
    pub fn of_patient(&self, patient: &str) -> impl Iterator<Item = &Value> {
        let places = self.by_patient.get(patient).map_or(&[][..], Vec::as_slice);
        places.iter().map(|place| &self.resources[*place])
    }
}

/// The id of the patient in whose compartment a resource is; `None` where it is in nobody's.
pub fn patient_of(resource: &Value) -> Option<&str> {
    if resource["resourceType"] == "Patient" {
        return resource["id"].as_str();
    }
    ["patient", "subject"]
        .iter()
        .find_map(|key| resource[key]["reference"].as_str())
        .and_then(|reference| reference.strip_prefix("Patient/"))
}
