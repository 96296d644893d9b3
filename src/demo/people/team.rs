//! CareTeams: for those whom two clinicians see, and for the very young and the very old.

use serde_json::{Value, json};

use super::carer::Carer;
use super::chart::{Chart, instant};
use super::clinician::ORGANIZATION;
use super::visit::Visit;

/// Writes down the CareTeam, where there is more than one to be in it.
pub fn write(chart: &mut Chart, visits: &[Visit]) {
    let person = chart.person;
    let Some(first) = visits.first() else { return };
    let mut members: Vec<Value> =
        person.clinicians.iter().map(|id| member("223366009", "Healthcare professional", &format!("Practitioner/{id}"))).collect();
    if Carer::of(person, person.years_old(chart.today)).is_some() {
        let id = Carer::id(person);
        members.push(member("133932002", "Caregiver", &format!("RelatedPerson/{id}")));
    }
    if members.len() < 2 {
        return;
    }
    let body = json!({
        "status": "active",
        "name": format!("Care team of {} {}", person.given, person.family),
        "subject": person.reference(),
        "period": { "start": instant(first.start) },
        "participant": members,
        "managingOrganization": [{ "reference": format!("Organization/{ORGANIZATION}") }],
    });
    chart.add("CareTeam", first.start, body);
}

fn member(code: &str, role: &str, reference: &str) -> Value {
    json!({
        "role": [{
            "coding": [{ "system": "http://snomed.info/sct", "code": code, "display": role }],
        }],
        "member": { "reference": reference },
    })
}
