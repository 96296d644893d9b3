//! Conditions: the problem list, what a visit was for, and what worries somebody.

use serde_json::{Value, json};
use time::{Date, Duration, OffsetDateTime, Time};

use super::ailment::Ailment;
use super::chart::{Chart, instant};
use super::dice::Dice;
use super::life::lacks_food;
use super::person::{Person, Smoking};
use super::term::{CONDITION_CATEGORY, Term, US_CORE_CONDITION_CATEGORY, status};
use super::visit::{Reason, Visit};

/// Something that passes, and in how many days.
struct Acute {
    term: Term,
    days: i64,
}

const fn acute(code: &'static str, display: &'static str, days: i64) -> Acute {
    Acute { term: Term::snomed(code, display), days }
}

const OF_CHILDREN: [Acute; 3] = [
    acute("65363002", "Otitis media", 9),
    acute("195662009", "Acute viral pharyngitis", 7),
    acute("54150009", "Upper respiratory infection", 8),
];
const OF_ADULTS: [Acute; 4] = [
    acute("444814009", "Viral sinusitis", 14),
    acute("10509002", "Acute bronchitis", 16),
    acute("44465007", "Sprain of ankle", 21),
    acute("195662009", "Acute viral pharyngitis", 8),
];

const WELL_CHILD: Term = Term::snomed("102506008", "Well child");
const FOOD_INSECURITY: Term = Term::snomed("733423003", "Food insecurity");
const AT_RISK_OF_FALLS: Term = Term::snomed("129839007", "At risk for falls");
const STRESS: Term = Term::snomed("73595000", "Stress");
const OVERWEIGHT: Term = Term::snomed("238131007", "Overweight");
const SMOKER: Term = Term::snomed("77176002", "Smoker");

/// Which of US Core's categories, as system and code.
const PROBLEM: (&str, &str) = (CONDITION_CATEGORY, "problem-list-item");
const DIAGNOSIS: (&str, &str) = (CONDITION_CATEGORY, "encounter-diagnosis");
const CONCERN: (&str, &str) = (US_CORE_CONDITION_CATEGORY, "health-concern");

/// Writes down all Conditions.
pub fn write(chart: &mut Chart, visits: &[Visit], dice: &mut Dice) {
    let person = chart.person;
    for ailment in &person.ailments {
        let since = onset(person, *ailment, chart.today, dice);
        let at = since.with_time(Time::MIDNIGHT).assume_utc();
        let body = body(person, PROBLEM, ailment.term(), None, (since, None));
        chart.add("Condition", at, body);
    }
    // What passes. A check-up of a problem is on the problem list already.
    for visit in visits.iter().filter(|visit| visit.reason == Reason::Unwell) {
        let day = visit.start.date();
        let table: &[Acute] = if person.years_old(day) < 14.0 { &OF_CHILDREN } else { &OF_ADULTS };
        let found = dice.pick(table);
        let over = day + Duration::days(found.days);
        let until = (over < chart.today).then_some(over);
        let body = body(person, DIAGNOSIS, found.term, Some(visit), (day, until));
        chart.add("Condition", visit.start + Duration::minutes(18), body);
    }
    // The very young have not been ill yet: what they came for is all there is.
    if let (Some(visit), true) = (visits.first(), person.days_old(chart.today) <= 200) {
        let day = visit.start.date();
        let body = body(person, DIAGNOSIS, WELL_CHILD, Some(visit), (day, Some(day)));
        chart.add("Condition", visit.start + Duration::minutes(18), body);
    }
    if let (Some(term), Some(visit)) = (concern(person, chart.today), visits.first()) {
        let body = body(person, CONCERN, term, Some(visit), (visit.start.date(), None));
        chart.add("Condition", visit.start + Duration::minutes(19), body);
    }
}

/// Since when: at most ten years, never before birth, and diabetes for three years, since its
/// treatment is what the laboratory's trend shows.
fn onset(person: &Person, ailment: Ailment, today: Date, dice: &mut Dice) -> Date {
    let days = match ailment {
        Ailment::Diabetes | Ailment::Hypertension => dice.between(1_100, 1_300),
        _ => dice.between(900, 3_650),
    };
    today - Duration::days(days.min(person.days_old(today) * 2 / 3))
}

/// What worries them or those who look after them.
fn concern(person: &Person, today: Date) -> Option<Term> {
    let years = person.years_old(today);
    if lacks_food(person) {
        Some(FOOD_INSECURITY)
    } else if years >= 78.0 {
        Some(AT_RISK_OF_FALLS)
    } else if person.smoking == Smoking::Daily {
        Some(SMOKER)
    } else if person.has(Ailment::Diabetes) && !person.has(Ailment::Obesity) {
        Some(OVERWEIGHT)
    } else if years >= 18.0 && person.number.is_multiple_of(4) {
        Some(STRESS)
    } else {
        None
    }
}

fn body(person: &Person, (system, code): (&str, &str), term: Term, visit: Option<&Visit>, (since, until): (Date, Option<Date>)) -> Value {
    let state = if until.is_some() { "resolved" } else { "active" };
    let recorded: OffsetDateTime = match visit {
        Some(visit) => visit.start,
        None => since.with_time(Time::MIDNIGHT).assume_utc(),
    };
    let mut body = json!({
        "clinicalStatus": status("http://terminology.hl7.org/CodeSystem/condition-clinical", state),
        "verificationStatus":
            status("http://terminology.hl7.org/CodeSystem/condition-ver-status", "confirmed"),
        "category": [status(system, code)],
        "code": term.concept(),
        "subject": person.reference(),
        "onsetDateTime": since.to_string(),
        "recordedDate": instant(recorded),
    });
    if let Some(visit) = visit {
        body["encounter"] = visit.reference();
    }
    if let Some(until) = until {
        body["abatementDateTime"] = until.to_string().into();
    }
    body
}
