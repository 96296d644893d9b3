//! Blood tests: what a problem wants watched, twice a year, and a general set for everybody grown.

use super::ailment::Ailment;
use super::chart::Chart;
use super::dice::Dice;
use super::observation::{Category, G_PER_DL, MG_PER_DL, MG_PER_DL_FINE, PERCENT, Test, Unit, write as observe};
use super::person::{Gender, Person};
use super::term::Term;
use super::visit::{Reason, Visit};

const HBA1C: Test = Test::new("HbA1c", &[Term::loinc("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood")]);
const GLUCOSE: Test = Test::new("Glucose", &[Term::loinc("2339-0", "Glucose [Mass/volume] in Blood")]);
const CHOLESTEROL: Test = Test::new("Total cholesterol", &[Term::loinc("2093-3", "Cholesterol [Mass/volume] in Serum or Plasma")]);
const HDL: Test = Test::new("HDL cholesterol", &[Term::loinc("2085-9", "Cholesterol in HDL [Mass/volume] in Serum or Plasma")]);
const CREATININE: Test = Test::new("Creatinine", &[Term::loinc("2160-0", "Creatinine [Mass/volume] in Serum or Plasma")]);
const HAEMOGLOBIN: Test = Test::new("Hemoglobin", &[Term::loinc("718-7", "Hemoglobin [Mass/volume] in Blood")]);

/// Writes down the laboratory's results of one visit.
pub fn write(chart: &mut Chart, visit: &Visit, dice: &mut Dice) {
    let person = chart.person;
    let years = person.years_old(visit.start.date());
    let drawn = match visit.reason {
        // A child's blood is drawn once: for anaemia, at the first birthday and at school age.
        Reason::WellChild => (0.98..1.05).contains(&years) || (11.9..12.1).contains(&years),
        Reason::CheckUp => true,
        Reason::FollowUp => person.has(Ailment::Diabetes),
        Reason::Unwell => false,
    };
    if !drawn {
        return;
    }
    let mut result = |test: Test, unit: Unit, value: f64| {
        let found = ("valueQuantity", unit.quantity(value));
        observe(chart, visit, 15, Category::Laboratory, test, found);
    };

    result(HAEMOGLOBIN, G_PER_DL, haemoglobin(person, years) + dice.around(0.5));
    if years < 18.0 {
        return;
    }
    let sugar = long_term_sugar(person, visit) + dice.around(0.25);
    if person.has(Ailment::Diabetes) || person.has(Ailment::Prediabetes) {
        result(HBA1C, PERCENT, sugar);
    }
    // The usual line between the two: an HbA1c of 7 % is an average of 154 mg/dL.
    result(GLUCOSE, MG_PER_DL, 28.7 * sugar - 46.7 + dice.around(14.0));
    result(CHOLESTEROL, MG_PER_DL, cholesterol(person, visit) + dice.around(12.0));
    result(HDL, MG_PER_DL, 52.0 - 8.0 * person.build + dice.around(6.0));
    let kidneys = if person.gender == Gender::Male { 0.95 } else { 0.78 };
    let worn = (years - 60.0).max(0.0) * 0.008;
    result(CREATININE, MG_PER_DL_FINE, kidneys + worn + dice.around(0.08));
}

/// Grams in a decilitre.
fn haemoglobin(person: &Person, years: f64) -> f64 {
    match person.gender {
        _ if years < 18.0 => 12.6,
        Gender::Male => 14.9,
        _ => 13.4,
    }
}

/// HbA1c in percent.
fn long_term_sugar(person: &Person, visit: &Visit) -> f64 {
    if person.has(Ailment::Diabetes) {
        // Metformin was begun three years ago.
        8.7 + 0.4 * person.build - 1.7 * visit.progress
    } else if person.has(Ailment::Prediabetes) {
        6.0
    } else {
        5.2
    }
}

/// Milligrams in a decilitre.
fn cholesterol(person: &Person, visit: &Visit) -> f64 {
    if person.has(Ailment::Hyperlipidaemia) { 252.0 - 58.0 * visit.progress } else { 182.0 }
}
