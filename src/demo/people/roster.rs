//! Who is a patient of whom.

use time::{Date, Duration};

use super::ailment::Ailment::{self, *};
use super::clinician::{ALDERBROOK, FERNSBY, HAZELWOOD, LARKSPUR, STONECROFT, WINTERFIELD};
use super::dice::Dice;
use super::names::{FAMILIES, given};
use super::person::{Gender, Person, Smoking};

/// Some of a clinician's patients who are much alike.
struct Cohort {
    clinician: &'static str,
    size: usize,
    /// Years, from the youngest to the oldest.
    ages: (i64, i64),
    /// What all of them have.
    ailments: &'static [Ailment],
    /// Who sees some of them too, and how many.
    shared: (&'static str, usize),
}

const fn cohort(
    clinician: &'static str,
    size: usize,
    ages: (i64, i64),
    ailments: &'static [Ailment],
    shared: (&'static str, usize),
) -> Cohort {
    Cohort { clinician, size, ages, ailments, shared }
}

const NOBODY: (&str, usize) = ("", 0);

/// Everybody but the children. Those who are seen by two come first in their panels.
const COHORTS: [Cohort; 8] = [
    cohort(LARKSPUR, 2, (46, 58), &[Diabetes, Hypertension, Hyperlipidaemia], (FERNSBY, 2)),
    cohort(LARKSPUR, 25, (18, 64), &[], NOBODY),
    cohort(ALDERBROOK, 2, (41, 66), &[Diabetes, Obesity], (FERNSBY, 2)),
    cohort(ALDERBROOK, 2, (55, 70), &[Hypertension, CoronaryDisease], (STONECROFT, 2)),
    cohort(ALDERBROOK, 18, (25, 74), &[], NOBODY),
    cohort(WINTERFIELD, 2, (78, 84), &[AtrialFibrillation, Hypertension], (STONECROFT, 2)),
    cohort(WINTERFIELD, 14, (66, 95), &[], NOBODY),
    cohort(FERNSBY, 9, (30, 72), &[Diabetes], NOBODY),
];
const HEARTS: Cohort = cohort(STONECROFT, 7, (45, 80), &[CoronaryDisease, Hypertension], NOBODY);

/// The children's ages in days, two by two: neighbours are brother and sister.
const CHILDREN: [i64; 19] = [9, 1203, 124, 826, 431, 1650, 1935, 3047, 2360, 3421, 2705, 3790, 4175, 5012, 4490, 5601, 5240, 6103, 6410];

/// The first child; the last is `FIRST_CHILD + CHILDREN.len() - 1`.
pub const FIRST_CHILD: usize = 50;
/// The two children whose parent can sign in.
pub const SIGN_IN_CHILDREN: [usize; 2] = [FIRST_CHILD + 6, FIRST_CHILD + 7];
/// The patient who can sign in.
pub const SIGN_IN_PATIENT: usize = 1;

/// The whole population, as of `today`.
pub fn everybody(today: Date) -> Vec<Person> {
    let mut people = Vec::new();
    let grown = COHORTS.iter().chain([&HEARTS]);
    let mut number = 1;
    for cohort in grown {
        for n in 0..cohort.size {
            if number == FIRST_CHILD {
                number += CHILDREN.len();
            }
            people.push(grown_up(cohort, n, number, today));
            number += 1;
        }
    }
    people.extend(CHILDREN.iter().enumerate().map(|(n, days)| child(n, *days, today)));
    people.sort_by_key(|person| person.number);
    people
}

fn grown_up(cohort: &Cohort, n: usize, number: usize, today: Date) -> Person {
    let mut dice = Dice::seeded(number as u64);
    let (low, high) = cohort.ages;
    let years = low + (high - low) * n as i64 / (cohort.size as i64 - 1);
    // A year of 365.25 days, and no birthday within the next fortnight: nobody's age is on the
    // edge of a cohort.
    let days = years * 1461 / 4 + dice.between(1, 350);
    let (also, how_many) = cohort.shared;
    let mut clinicians = vec![cohort.clinician];
    if n < how_many {
        clinicians.push(also);
    }
    let ailments = ailments(cohort, years, &mut dice);
    let smoking = match dice.between(0, 9) {
        0..=5 => Smoking::Never,
        6..=8 => Smoking::Former,
        _ => Smoking::Daily,
    };
    let gender = match number {
        20 | 90 => Gender::Other,
        _ if dice.chance(0.52) => Gender::Female,
        _ => Gender::Male,
    };
    Person {
        number,
        id: id(number),
        given: given(gender, number),
        family: FAMILIES[number * 7 % FAMILIES.len()],
        gender,
        birth: today - Duration::days(days),
        clinicians,
        ailments,
        smoking,
        build: dice.around(1.0),
    }
}

fn child(n: usize, days: i64, today: Date) -> Person {
    let number = FIRST_CHILD + n;
    let mut dice = Dice::seeded(number as u64);
    let gender = if dice.chance(0.5) { Gender::Female } else { Gender::Male };
    let mut ailments = Vec::new();
    for (ailment, from_days, probability) in [(Eczema, 300, 0.2), (Asthma, 1500, 0.3), (Rhinitis, 2200, 0.25)] {
        if days > from_days && dice.chance(probability) {
            ailments.push(ailment);
        }
    }
    Person {
        number,
        id: id(number),
        given: given(gender, number),
        // Every other name of the table, and the same for two who are neighbours.
        family: FAMILIES[(n / 2 * 9 + 4) % FAMILIES.len()],
        gender,
        birth: today - Duration::days(days),
        clinicians: vec![HAZELWOOD],
        ailments,
        smoking: Smoking::Never,
        build: dice.around(1.0),
    }
}

/// What a grown-up has: what their cohort has, and what comes with the years.
fn ailments(cohort: &Cohort, years: i64, dice: &mut Dice) -> Vec<Ailment> {
    let mut found = cohort.ailments.to_vec();
    let chances = [
        (Hypertension, 40, 0.3),
        (Hyperlipidaemia, 40, 0.3),
        (Obesity, 18, 0.15),
        (Depression, 18, 0.12),
        (Asthma, 18, 0.08),
        (Rhinitis, 18, 0.15),
        (Prediabetes, 40, 0.15),
        (Gout, 50, 0.08),
        (KneeArthrosis, 60, 0.3),
        (Copd, 60, 0.12),
        (Osteoporosis, 70, 0.25),
        (AtrialFibrillation, 72, 0.15),
    ];
    for (ailment, from_years, probability) in chances {
        // Rolled for everybody, so that one answer does not change the next person's dice.
        let got_it = dice.chance(probability);
        let contradicts = match ailment {
            Prediabetes => found.contains(&Diabetes),
            Copd => found.contains(&Asthma),
            _ => false,
        };
        if got_it && years >= from_years && !contradicts && !found.contains(&ailment) {
            found.push(ailment);
        }
    }
    found
}

/// The FHIR id of the person with this number.
pub fn id(number: usize) -> String {
    format!("p{number:03}")
}
