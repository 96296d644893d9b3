//! How somebody lives and feels: smoking, mood, food, and the tracing of a heart.

use serde_json::json;

use super::ailment::Ailment;
use super::chart::Chart;
use super::dice::Dice;
use super::observation::{Category, SCORE, Test, write as observe};
use super::person::{Person, Smoking};
use super::term::{LOINC, Term};
use super::visit::{Reason, Visit};

const SMOKING: Test = Test::new("Smoking status", &[Term::loinc("72166-2", "Tobacco smoking status")]);
const PHQ9: Test =
    Test::new("PHQ-9 score", &[Term::loinc("44261-6", "Patient Health Questionnaire 9 item (PHQ-9) total score [Reported]")]);
const FOOD: Test = Test::new(
    "Worried that food would run out",
    &[Term::loinc("88122-7", "Within the past 12Mo we worried whether our food would run out before we got money to buy more")],
);
const TRACING: Test = Test::new("ECG", &[Term::loinc("8601-7", "EKG impression")]);

/// The answers to [`FOOD`].
const NEVER_TRUE: Term = Term::new(LOINC, "LA28398-8", "Never true");
const SOMETIMES_TRUE: Term = Term::new(LOINC, "LA6729-3", "Sometimes true");

impl Smoking {
    fn term(self) -> Term {
        match self {
            Self::Never => Term::snomed("266919005", "Never smoked tobacco"),
            Self::Former => Term::snomed("8517006", "Ex-smoker"),
            Self::Daily => Term::snomed("449868002", "Smokes tobacco daily"),
        }
    }
}

/// Whether food has run short at home: for the answer, and for the health concern it makes.
pub fn lacks_food(person: &Person) -> bool {
    Dice::seeded(person.number as u64 + 3_000).chance(0.12)
}

/// Writes down what was asked at one visit.
pub fn write(chart: &mut Chart, visit: &Visit, dice: &mut Dice) {
    let person = chart.person;
    let years = person.years_old(visit.start.date());
    if !matches!(visit.reason, Reason::CheckUp | Reason::WellChild) {
        return;
    }
    if years >= 12.0 {
        let found = ("valueCodeableConcept", person.smoking.term().concept());
        observe(chart, visit, 2, Category::SocialHistory, SMOKING, found);

        // Out of 27: 10 and more is a depression that wants treatment.
        let score = if person.has(Ailment::Depression) { 15.0 - 9.0 * visit.progress } else { 2.5 };
        let found = ("valueQuantity", SCORE.quantity((score + dice.around(2.5)).max(0.0)));
        observe(chart, visit, 3, Category::Survey, PHQ9, found);
    }
    let answer = if lacks_food(person) { SOMETIMES_TRUE } else { NEVER_TRUE };
    if years >= 1.0 {
        let found = ("valueCodeableConcept", answer.concept());
        observe(chart, visit, 4, Category::Sdoh, FOOD, found);
    }
    let fibrillation = person.has(Ailment::AtrialFibrillation);
    if fibrillation || person.has(Ailment::CoronaryDisease) {
        let seen = if fibrillation { "Atrial fibrillation, rate controlled" } else { "Sinus rhythm" };
        let found = ("valueString", json!(seen));
        observe(chart, visit, 12, Category::ClinicalTest, TRACING, found);
    }
}
