//! A person as a FHIR Patient.

use serde_json::{Value, json};

use super::chart::Chart;
use super::clinician::{ORGANIZATION, synthetic_text};
use super::dice::Dice;
use super::names::handle;
use super::visit::Visit;

const STREETS: [&str; 12] = [
    "Juniper Lane",
    "Orchard Row",
    "Mill Street",
    "Heron Way",
    "Quarry Road",
    "Station Street",
    "Larch Close",
    "Harbour View",
    "Meadow Walk",
    "Chapel Hill",
    "Ferry Road",
    "Old Bridge Street",
];
/// Languages as BCP 47 codes: most people of the town speak the first.
const LANGUAGES: [(&str, &str); 8] = [
    ("en", "English"),
    ("en", "English"),
    ("en", "English"),
    ("en", "English"),
    ("es", "Spanish"),
    ("fr", "French"),
    ("pt", "Portuguese"),
    ("ar", "Arabic"),
];

/// Writes down the Patient.
pub fn write(chart: &mut Chart, visits: &[Visit]) {
    let person = chart.person;
    // Dice of its own: an address must not depend on how ill somebody is.
    let mut dice = Dice::seeded(person.number as u64 + 1_000);
    let name = format!("{} {}", person.given, person.family);
    let street = format!("{} {}", dice.between(2, 98), dice.pick(&STREETS));
    let (language, language_name) = *dice.pick(&LANGUAGES);
    let clinicians: Vec<Value> = person.clinicians.iter().map(|id| json!({ "reference": format!("Practitioner/{id}") })).collect();
    let mut body = json!({
        "resourceType": "Patient",
        "id": person.id,
        "text": synthetic_text(&name),
        "identifier": [{
            "use": "usual",
            "type": {
                "coding": [{
                    "system": "http://terminology.hl7.org/CodeSystem/v2-0203",
                    "code": "MR",
                    "display": "Medical record number",
                }],
            },
            "system": MRN,
            "value": mrn(person.number),
        }],
        "active": true,
        "name": [{
            "use": "official",
            "text": name,
            "family": person.family,
            "given": [person.given],
        }],
        "gender": person.gender.code(),
        "birthDate": person.birth.to_string(),
        "address": [{
            "use": "home",
            "line": [street],
            "city": "Willowbank",
            // No post office has a code below 00500.
            "postalCode": format!("001{:02}", dice.between(1, 40)),
            "country": "US",
        }],
        "communication": [{
            "language": {
                "coding": [{
                    "system": "urn:ietf:bcp:47",
                    "code": language,
                    "display": language_name,
                }],
            },
            "preferred": true,
        }],
        "generalPractitioner": clinicians,
        "managingOrganization": { "reference": format!("Organization/{ORGANIZATION}") },
    });
    if person.years_old(chart.today) >= 12.0 {
        body["telecom"] = json!([
            {
                "system": "phone",
                // 555-0100 to 555-0199 are kept for fiction.
                "value": format!("+1-555-555-01{:02}", person.number % 100),
                "use": "mobile",
            },
            {
                "system": "email",
                "value": format!("{}@people.example", handle(person.given, person.family)),
            },
        ]);
    }
    let at = visits.last().map_or_else(|| chart.today.midnight().assume_utc(), |last| last.start);
    chart.put(at, body);
}

/// Where medical record numbers come from.
pub const MRN: &str = "https://willowbank.example/mrn";

/// The medical record number of the person with this number.
pub fn mrn(number: usize) -> String {
    format!("MRN-{:05}", 20_000 + number * 7)
}
