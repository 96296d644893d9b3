//! Immunizations: a childhood schedule, and what the grown get.

use serde_json::json;
use time::{Date, Duration, Month, Time};

use super::chart::{Chart, instant};
use super::term::Term;

const HEPATITIS_B: Term = Term::cvx("08", "Hep B, adolescent or pediatric");
const ROTAVIRUS: Term = Term::cvx("119", "rotavirus, monovalent");
const DTAP: Term = Term::cvx("20", "DTaP");
const HIB: Term = Term::cvx("49", "Hib (PRP-OMP)");
const PNEUMOCOCCUS: Term = Term::cvx("133", "Pneumococcal conjugate PCV 13");
const POLIO: Term = Term::cvx("10", "IPV");
const MEASLES: Term = Term::cvx("03", "MMR");
const VARICELLA: Term = Term::cvx("21", "varicella");
const HEPATITIS_A: Term = Term::cvx("83", "Hep A, ped/adol, 2 dose");
const TDAP: Term = Term::cvx("115", "Tdap");
const HPV: Term = Term::cvx("165", "HPV9");
const MENINGOCOCCUS: Term = Term::cvx("114", "meningococcal MCV4P");
const TETANUS: Term = Term::cvx("113", "Td (adult) preservative free");
const ZOSTER: Term = Term::cvx("187", "zoster recombinant");
const INFLUENZA: Term = Term::cvx("140", "Influenza, seasonal, injectable, preservative free");

/// What is given at which age, in months.
const SCHEDULE: [(i64, &[Term]); 11] = [
    (0, &[HEPATITIS_B]),
    (2, &[HEPATITIS_B, ROTAVIRUS, DTAP, HIB, PNEUMOCOCCUS, POLIO]),
    (4, &[ROTAVIRUS, DTAP, HIB, PNEUMOCOCCUS, POLIO]),
    (6, &[HEPATITIS_B, DTAP, PNEUMOCOCCUS, POLIO]),
    (12, &[HIB, PNEUMOCOCCUS, MEASLES, VARICELLA, HEPATITIS_A]),
    (15, &[DTAP]),
    (18, &[HEPATITIS_A]),
    (49, &[DTAP, POLIO, MEASLES, VARICELLA]),
    (133, &[TDAP, HPV, MENINGOCOCCUS]),
    (139, &[HPV]),
    (193, &[MENINGOCOCCUS]),
];

/// Writes down every vaccine, oldest first.
pub fn write(chart: &mut Chart) {
    let (person, today) = (chart.person, chart.today);
    let years = person.years_old(today);
    let mut given: Vec<(Date, Term)> = Vec::new();
    if years < 18.0 {
        for (months, vaccines) in SCHEDULE {
            // The day after birth for the first, and a day after each month's end for the rest.
            let day = person.birth + Duration::days(months * 1461 / 48 + 1);
            given.extend(vaccines.iter().map(|vaccine| (day, *vaccine)));
        }
    } else {
        let days_ago = 300 + (person.number as i64 * 97) % 2_500;
        given.push((today - Duration::days(days_ago), TETANUS));
    }
    if years >= 53.0 {
        given.push((today - Duration::days(820), ZOSTER));
        given.push((today - Duration::days(700), ZOSTER));
    }
    // Two of three come for influenza, in the autumn.
    if !(10.0..60.0).contains(&years) || !person.number.is_multiple_of(3) {
        let day = 3 + (person.number % 25) as u8;
        for year in today.year() - 3..=today.year() {
            let autumn = Date::from_calendar_date(year, Month::October, day);
            given.extend(autumn.into_iter().map(|day| (day, INFLUENZA)));
        }
    }
    // Influenza is not for the first half year, and nothing is given on a day that has not come.
    given.retain(|(day, vaccine)| {
        let old_enough = *vaccine != INFLUENZA || person.days_old(*day) > 183;
        *day < today && person.days_old(*day) > 0 && old_enough && (today - *day).whole_days() < 7_000
    });
    given.sort_by_key(|(day, _)| *day);
    for (day, vaccine) in given {
        let at = day.with_time(Time::MIDNIGHT).assume_utc() + Duration::hours(10);
        let body = json!({
            "status": "completed",
            "vaccineCode": vaccine.concept(),
            "patient": person.reference(),
            "occurrenceDateTime": instant(at),
            "primarySource": true,
            "performer": [{ "actor": person.doctor() }],
        });
        chart.add("Immunization", at, body);
    }
}
