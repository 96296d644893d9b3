//! Vital signs, at every visit, with the trends that their ailments and treatments bring.

use serde_json::json;

use super::ailment::Ailment;
use super::chart::Chart;
use super::dice::Dice;
use super::growth;
use super::observation::{
    BODY_MASS, CELSIUS, CENTIMETRE, Category, KILOGRAM, MERCURY, PER_MINUTE, SATURATION, Test, Unit, write as observe,
};
use super::person::{Gender, Person};
use super::term::Term;
use super::visit::{Reason, Visit};

const PRESSURE: Test = Test::new("Blood pressure", &[Term::loinc("85354-9", "Blood pressure panel with all children optional")]);
const SYSTOLIC: Term = Term::loinc("8480-6", "Systolic blood pressure");
const DIASTOLIC: Term = Term::loinc("8462-4", "Diastolic blood pressure");
const PULSE: Test = Test::new("Heart rate", &[Term::loinc("8867-4", "Heart rate")]);
const WEIGHT: Test = Test::new("Body weight", &[Term::loinc("29463-7", "Body weight")]);
const HEIGHT: Test = Test::new("Body height", &[Term::loinc("8302-2", "Body height")]);
const BMI: Test = Test::new("Body mass index", &[Term::loinc("39156-5", "Body mass index (BMI) [Ratio]")]);
const TEMPERATURE: Test = Test::new("Body temperature", &[Term::loinc("8310-5", "Body temperature")]);
const BREATHS: Test = Test::new("Respiratory rate", &[Term::loinc("9279-1", "Respiratory rate")]);
const HEAD: Test = Test::new("Head circumference", &[Term::loinc("9843-4", "Head Occipital-frontal circumference")]);
/// US Core wants both codes on a pulse oximetry.
const OXYGEN: Test = Test::new(
    "Oxygen saturation",
    &[
        Term::loinc("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"),
        Term::loinc("2708-6", "Oxygen saturation in Arterial blood"),
    ],
);

/// A body as it is measured at one visit.
struct Body {
    kilograms: f64,
    centimetres: f64,
    systolic: f64,
    diastolic: f64,
    pulse: f64,
    breaths: f64,
}

/// Writes down the vital signs of one visit.
pub fn write(chart: &mut Chart, visit: &Visit, dice: &mut Dice) {
    let person = chart.person;
    let years = person.years_old(visit.start.date());
    let body = if years < 18.0 { young(person, years, dice) } else { grown(person, visit, years, dice) };
    let mut measure = |test: Test, unit: Unit, value: f64| {
        let found = ("valueQuantity", unit.quantity(value));
        observe(chart, visit, 5, Category::VitalSigns, test, found);
    };

    measure(WEIGHT, KILOGRAM, body.kilograms);
    measure(HEIGHT, CENTIMETRE, body.centimetres);
    if years >= 2.0 {
        let metres = body.centimetres / 100.0;
        measure(BMI, BODY_MASS, body.kilograms / (metres * metres));
    }
    if years < 3.0 {
        measure(HEAD, CENTIMETRE, growth::head(years, person.build));
    }
    measure(PULSE, PER_MINUTE, body.pulse + dice.around(6.0));
    if visit.reason == Reason::FollowUp {
        // A follow-up is short: what it follows is weight and pressure.
        pressure(chart, visit, &body);
        return;
    }
    measure(BREATHS, PER_MINUTE, body.breaths + dice.around(2.5));
    let fever = if visit.reason == Reason::Unwell { 1.1 + dice.around(0.9) } else { 0.0 };
    measure(TEMPERATURE, CELSIUS, 36.7 + fever + dice.around(0.3));
    let oxygen = if person.has(Ailment::Copd) { 93.5 } else { 98.3 };
    measure(OXYGEN, SATURATION, (oxygen + dice.around(1.6)).min(100.0));
    if years >= 3.0 {
        pressure(chart, visit, &body);
    }
}

fn pressure(chart: &mut Chart, visit: &Visit, body: &Body) {
    let part = |code: Term, value: f64| json!({ "code": { "coding": [code.coding()] }, "valueQuantity": MERCURY.quantity(value) });
    let components = json!([part(SYSTOLIC, body.systolic), part(DIASTOLIC, body.diastolic)]);
    let found = ("component", components);
    observe(chart, visit, 5, Category::VitalSigns, PRESSURE, found);
}

fn young(person: &Person, years: f64, dice: &mut Dice) -> Body {
    let (kilograms, centimetres) = growth::at(years, person.gender, person.build);
    let systolic = 92.0 + years * 1.4 + dice.around(5.0);
    Body {
        kilograms: kilograms * (1.0 + dice.around(0.01)),
        centimetres,
        systolic,
        diastolic: systolic * 0.61 + dice.around(3.0),
        pulse: 76.0 + 64.0 / (1.0 + years * 0.45),
        breaths: 16.0 + 26.0 / (1.0 + years * 0.8),
    }
}

fn grown(person: &Person, visit: &Visit, years: f64, dice: &mut Dice) -> Body {
    let middle = if person.gender == Gender::Male { 176.0 } else { 164.0 };
    let centimetres = middle + 11.0 * person.build - (years - 60.0).max(0.0) * 0.08;

    // Their usual weight is theirs for life; what is done about it shows over the years.
    let usual = 23.6 + 2.6 * Dice::seeded(person.number as u64 + 2_000).around(1.0);
    let (start, end) = if person.has(Ailment::Obesity) {
        (usual + 10.5, usual + 8.2)
    } else if person.has(Ailment::Diabetes) {
        (usual + 7.0, usual + 4.4)
    } else if years > 80.0 {
        (usual + 1.0, usual - 1.2)
    } else {
        (usual, usual + 0.7)
    };
    let bmi = start + (end - start) * visit.progress + dice.around(0.35);

    let by_age = 114.0 + (years - 35.0).max(0.0) * 0.28;
    let systolic = if person.has(Ailment::Hypertension) {
        // Treatment works, mostly in its first year.
        by_age + 36.0 - 27.0 * (1.0 - (1.0 - visit.progress) * (1.0 - visit.progress))
    } else {
        by_age
    } + dice.around(7.0);
    let irregular = if person.has(Ailment::AtrialFibrillation) { 12.0 } else { 0.0 };
    Body {
        kilograms: bmi * centimetres * centimetres / 10_000.0,
        centimetres,
        systolic,
        diastolic: 44.0 + systolic * 0.27 + dice.around(4.0),
        pulse: 71.0 + irregular + dice.around(5.0 + irregular),
        breaths: if person.has(Ailment::Copd) { 19.0 } else { 15.0 },
    }
}
