//! The practice: its organization, and those who work there.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::chart::labelled;

pub const ORGANIZATION: &str = "org-willowbank";
pub const LOCATION: &str = "loc-willowbank";

/// Someone who sees patients.
pub struct Clinician {
    /// The FHIR id.
    pub id: &'static str,
    pub given: &'static str,
    pub family: &'static str,
    pub gender: &'static str,
    pub calling: &'static str,
}

pub const LARKSPUR: &str = "prac-larkspur";
pub const ALDERBROOK: &str = "prac-alderbrook";
pub const HAZELWOOD: &str = "prac-hazelwood";
pub const WINTERFIELD: &str = "prac-winterfield";
pub const FERNSBY: &str = "prac-fernsby";
pub const STONECROFT: &str = "prac-stonecroft";
pub const NEWLEAF: &str = "prac-newleaf";

const fn clinician(id: &'static str, given: &'static str, family: &'static str, gender: &'static str, calling: &'static str) -> Clinician {
    Clinician { id, given, family, gender, calling }
}

pub const CLINICIANS: [Clinician; 7] = [
    clinician(LARKSPUR, "Imogen", "Larkspur", "female", "Family medicine"),
    clinician(ALDERBROOK, "Mateus", "Alderbrook", "male", "Internal medicine"),
    clinician(HAZELWOOD, "Noor", "Hazelwood", "female", "Paediatrics"),
    clinician(WINTERFIELD, "Anselm", "Winterfield", "male", "Geriatrics"),
    clinician(FERNSBY, "Yukiko", "Fernsby", "female", "Endocrinology"),
    clinician(STONECROFT, "Amadou", "Stonecroft", "male", "Cardiology"),
    clinician(NEWLEAF, "Felix", "Newleaf", "male", "Family medicine"),
];

impl Clinician {
    pub fn name(&self) -> String {
        format!("Dr. {} {}", self.given, self.family)
    }

    /// As a FHIR Practitioner.
    pub fn resource(&self, number: usize, at: OffsetDateTime) -> Value {
        let body = json!({
            "resourceType": "Practitioner",
            "id": self.id,
            "text": synthetic_text(&self.name()),
            "active": true,
            "identifier": [{
                "system": "https://willowbank.example/staff",
                "value": format!("S-{number:03}"),
            }],
            "name": [{
                "use": "official",
                "text": self.name(),
                "family": self.family,
                "given": [self.given],
                "prefix": ["Dr."],
            }],
            "gender": self.gender,
            "telecom": [{
                "system": "email",
                "value": format!("{}@willowbank.example", self.family.to_lowercase()),
                "use": "work",
            }],
            "qualification": [{ "code": { "text": self.calling } }],
        });
        labelled(body, at)
    }
}

/// The practice, as a FHIR Organization.
pub fn organization(at: OffsetDateTime) -> Value {
    let body = json!({
        "resourceType": "Organization",
        "id": ORGANIZATION,
        "text": synthetic_text("Willowbank Practice"),
        "active": true,
        "identifier": [{ "system": "https://willowbank.example/sites", "value": "1" }],
        "type": [{
            "coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/organization-type",
                "code": "prov",
                "display": "Healthcare Provider",
            }],
        }],
        "name": "Willowbank Practice (synthetic)",
        "telecom": [{ "system": "phone", "value": "+1-555-555-0100", "use": "work" }],
        "address": [{
            "line": ["1 Willow Bank"],
            "city": "Willowbank",
            "postalCode": "00100",
            "country": "US",
        }],
    });
    labelled(body, at)
}

/// Where its patients are seen, as a FHIR Location.
pub fn location(at: OffsetDateTime) -> Value {
    let body = json!({
        "resourceType": "Location",
        "id": LOCATION,
        "text": synthetic_text("Willowbank Practice, consulting rooms"),
        "status": "active",
        "name": "Willowbank Practice, consulting rooms (synthetic)",
        "managingOrganization": { "reference": format!("Organization/{ORGANIZATION}") },
    });
    labelled(body, at)
}

/// The narrative of somebody who does not exist.
pub fn synthetic_text(name: &str) -> Value {
    json!({
        "status": "generated",
        "div": format!(
            "<div xmlns=\"http://www.w3.org/1999/xhtml\">{name}. Synthetic: made up by the demo, \
             no real person.</div>"
        ),
    })
}
