//! MedicationRequests: what is taken for the lasting problems.

use serde_json::json;
use time::Duration;

use super::ailment::Drug;
use super::chart::{Chart, instant};
use super::dice::Dice;
use super::visit::Visit;

/// Writes down what was prescribed.
pub fn write(chart: &mut Chart, visits: &[Visit], dice: &mut Dice) {
    let person = chart.person;
    let Some(first) = visits.first() else { return };
    for ailment in &person.ailments {
        for (n, drug) in ailment.drugs().iter().enumerate() {
            // The second choice only for some, and later.
            if n > 0 && !dice.chance(0.5) {
                continue;
            }
            let visit = visits.get(n).unwrap_or(first);
            order(chart, visit, drug);
        }
    }
}

fn order(chart: &mut Chart, visit: &Visit, drug: &Drug) {
    let body = json!({
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": drug.term.concept(),
        "subject": chart.person.reference(),
        "encounter": visit.reference(),
        "authoredOn": instant(visit.start),
        "requester": visit.clinician_reference(),
        "dosageInstruction": [{
            "text": drug.dose,
            "asNeededBoolean": drug.as_needed,
            "timing": { "repeat": { "frequency": drug.daily, "period": 1, "periodUnit": "d" } },
        }],
    });
    chart.add("MedicationRequest", visit.start + Duration::minutes(17), body);
}
