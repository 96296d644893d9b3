//! AllergyIntolerances, and the record that somebody has none.

use serde_json::json;

use super::chart::{Chart, instant};
use super::dice::Dice;
use super::term::{Term, status};
use super::visit::Visit;

const NONE: Term = Term::snomed("716186003", "No known allergy");

/// What somebody cannot have, of which of FHIR's categories, and what it does to them.
const KNOWN: [(Term, &str, Term); 5] = [
    (Term::snomed("91936005", "Allergy to penicillin"), "medication", Term::snomed("247472004", "Hives")),
    (Term::snomed("91935009", "Allergy to peanut"), "food", Term::snomed("39579001", "Anaphylaxis")),
    (Term::snomed("300913006", "Allergy to shellfish"), "food", Term::snomed("422587007", "Nausea")),
    (Term::snomed("418689008", "Allergy to grass pollen"), "environment", Term::snomed("76067001", "Sneezing")),
    (Term::snomed("300916003", "Latex allergy"), "environment", Term::snomed("271807003", "Eruption of skin")),
];

/// Writes down what was said about allergies at the first visit.
pub fn write(chart: &mut Chart, visits: &[Visit], dice: &mut Dice) {
    let Some(visit) = visits.first() else { return };
    let mut body = json!({
        "clinicalStatus":
            status("http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "active"),
        "verificationStatus": status(
            "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification",
            "confirmed",
        ),
        "patient": chart.person.reference(),
        "recordedDate": instant(visit.start),
        "recorder": visit.clinician_reference(),
    });
    if dice.chance(0.3) {
        let (term, category, reaction) = dice.pick(&KNOWN);
        body["type"] = "allergy".into();
        body["category"] = json!([category]);
        body["criticality"] = if reaction.code == "39579001" { "high" } else { "low" }.into();
        body["code"] = term.concept();
        body["reaction"] = json!([{ "manifestation": [reaction.concept()] }]);
    } else {
        body["code"] = NONE.concept();
    }
    chart.add("AllergyIntolerance", visit.start, body);
}
