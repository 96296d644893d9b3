//! Procedures: what was done, where a problem or an age asks for it.

use serde_json::json;
use time::Duration;

use super::ailment::Ailment;
use super::chart::{Chart, instant};
use super::person::Person;
use super::term::Term;
use super::visit::{Reason, Visit};

const FEET: Term = Term::snomed("401191002", "Diabetic foot examination");
const TRACING: Term = Term::snomed("29303009", "Electrocardiographic procedure");
const SPIROMETRY: Term = Term::snomed("127783003", "Spirometry");
const COLONOSCOPY: Term = Term::snomed("73761001", "Colonoscopy");
const MOOD: Term = Term::snomed("171207006", "Depression screening");
const MEDICINES: Term = Term::snomed("428191000124101", "Documentation of current medications");
const EXAMINATION: Term = Term::snomed("5880005", "Physical examination");

/// Writes down the Procedures of one visit; `is_first` where it is the oldest on file.
pub fn write(chart: &mut Chart, visit: &Visit, is_first: bool) {
    if visit.reason == Reason::Unwell {
        return;
    }
    let person = chart.person;
    for term in done(person, visit, is_first) {
        let at = visit.start + Duration::minutes(10);
        let body = json!({
            "status": "completed",
            "code": term.concept(),
            "subject": person.reference(),
            "encounter": visit.reference(),
            "performedDateTime": instant(at),
            "performer": [{ "actor": visit.clinician_reference() }],
        });
        chart.add("Procedure", at, body);
    }
}

fn done(person: &Person, visit: &Visit, is_first: bool) -> Vec<Term> {
    let years = person.years_old(visit.start.date());
    let mut done = Vec::new();
    if visit.reason == Reason::CheckUp {
        if person.has(Ailment::Diabetes) {
            done.push(FEET);
        }
        if person.has(Ailment::CoronaryDisease) || person.has(Ailment::AtrialFibrillation) {
            done.push(TRACING);
        }
        if person.has(Ailment::Asthma) || person.has(Ailment::Copd) {
            done.push(SPIROMETRY);
        }
    }
    if is_first {
        done.push(if years < 12.0 { EXAMINATION } else { MOOD });
        if !person.ailments.is_empty() && years >= 18.0 {
            done.push(MEDICINES);
        }
        if (50.0..80.0).contains(&years) && person.number.is_multiple_of(2) {
            done.push(COLONOSCOPY);
        }
    }
    done
}
