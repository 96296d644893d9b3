//! What FHIR R4 resources say about patients and who may open them.

use serde_json::Value;
use time::Date;

use super::reference::References;
use crate::id::PatientId;
use crate::label::is_deceptive;
use crate::person::{Encounter, FhirUser, FhirUserKind, Patient, is_fhir_id};

/// What a Patient says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The patient.
    pub patient: Patient,
    /// No longer treated there, or merged into another record.
    pub is_inactive: bool,
    /// The practitioners whom it names as theirs.
    pub practitioners: Vec<FhirUser>,
}

/// Somebody who may open a patient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The patient.
    pub patient: PatientId,
    /// Who may.
    pub who: FhirUser,
    /// The first day on which they could, where that is said.
    pub since: Option<Date>,
}

/// What was found, and how many references led nowhere that we know; or what is wrong with the resource.
pub type Found<T> = Result<(T, usize), String>;

/// FHIR R4, Patient.
///
/// # Errors
/// What is wrong with it, in words.
pub fn patient(resource: &Value, references: &References<'_>) -> Found<Record> {
    let patient = Patient {
        id: PatientId::new(id(resource)?),
        name: name(resource),
        birth_date: birth_date(resource)?,
        sex: sex(resource)?,
        mrn: mrn(resource),
    };
    let is_replaced = list(resource, "link").any(|link| text(link, "type") == Some("replaced-by"));
    let (mut practitioners, mut lost) = (Vec::new(), 0);
    for reference in list(resource, "generalPractitioner") {
        match references.id(Some(reference), "Practitioner") {
            Some(id) => practitioners.push(FhirUser { kind: FhirUserKind::Practitioner, id }),
            None => lost += 1,
        }
    }
    let is_inactive = is_replaced || resource.get("active") == Some(&Value::Bool(false));
    Ok((Record { patient, is_inactive, practitioners }, lost))
}

/// A parent, a guardian: they may open the patient whom they are related to.
///
/// # Errors
/// What is wrong with it, in words.
pub fn related_person(resource: &Value, references: &References<'_>, today: Date) -> Found<Option<Opening>> {
    let who = FhirUser { kind: FhirUserKind::RelatedPerson, id: id(resource)?.to_owned() };
    if resource.get("active") == Some(&Value::Bool(false)) || is_over(resource, today) {
        return Ok((None, 0));
    }
    match references.id(resource.get("patient"), "Patient") {
        Some(patient) => Ok((Some(Opening { patient: PatientId::new(patient), who, since: start(resource) }), 0)),
        None => Ok((None, 1)),
    }
}

/// The practitioners of a care team may open its subject, while the team and their part in it last.
///
/// # Errors
/// What is wrong with it, in words.
pub fn care_team(resource: &Value, references: &References<'_>, today: Date) -> Found<Vec<Opening>> {
    id(resource)?;
    let is_idle = matches!(text(resource, "status"), Some("proposed" | "suspended" | "inactive" | "entered-in-error"));
    if is_idle || is_over(resource, today) {
        return Ok((Vec::new(), 0));
    }
    let Some(patient) = references.id(resource.get("subject"), "Patient").map(PatientId::new) else { return Ok((Vec::new(), 1)) };
    let (mut openings, mut lost) = (Vec::new(), 0);
    for participant in list(resource, "participant").filter(|participant| !is_over(participant, today)) {
        match references.id(participant.get("member"), "Practitioner") {
            Some(id) => {
                let who = FhirUser { kind: FhirUserKind::Practitioner, id };
                openings.push(Opening { patient: patient.clone(), who, since: None });
            }
            None => lost += 1,
        }
    }
    Ok((openings, lost))
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name)?.as_str().filter(|text| !text.is_empty())
}

fn list<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn id(resource: &Value) -> Result<&str, String> {
    text(resource, "id").filter(|id| is_fhir_id(id)).ok_or_else(|| "it has no id, or one that FHIR does not allow".to_owned())
}

/// Whether its `period` ended before today, or has not begun. A date without a day lasts to its end.
fn is_over(value: &Value, today: Date) -> bool {
    let today = today.to_string();
    let edge = |name| value.get("period").and_then(|period| text(period, name)).and_then(|edge| edge.get(..edge.len().min(10)));
    let day = |edge: &str| today.get(..edge.len()).unwrap_or_default().to_owned();
    edge("end").is_some_and(|end| *end < *day(end)) || edge("start").is_some_and(|start| *start > *day(start))
}

/// The first day of its `period`.
fn start(value: &Value) -> Option<Date> {
    let start = text(value.get("period")?, "start")?;
    let whole = format!("{start}{}", "-01-01".get(start.len().checked_sub(4)?..).unwrap_or_default());
    Date::parse(whole.get(..10)?, &time::macros::format_description!("[year]-[month]-[day]")).ok()
}

/// FHIR R4, Encounter: a visit, and whose it is.
///
/// # Errors
/// What is wrong with it, in words.
pub fn encounter(resource: &Value, references: &References<'_>) -> Found<Option<(PatientId, Encounter)>> {
    let id = id(resource)?.to_owned();
    let Some(patient) = references.id(resource.get("subject"), "Patient") else { return Ok((None, 1)) };
    let edge = |name| resource.get("period").and_then(|period| text(period, name)).map(visible).unwrap_or_default();
    let class = resource.get("class").and_then(|class| text(class, "display").or_else(|| text(class, "code")));
    let reason = list(resource, "reasonCode").chain(list(resource, "type")).find_map(concept);
    let encounter = Encounter {
        id,
        status: text(resource, "status").map(visible).unwrap_or_default(),
        class: class.map(visible).unwrap_or_default(),
        reason: reason.unwrap_or_default(),
        started: edge("start"),
        ended: edge("end"),
    };
    Ok((Some((PatientId::new(patient), encounter)), 0))
}

/// A CodeableConcept in words.
fn concept(value: &Value) -> Option<String> {
    let coded = || list(value, "coding").find_map(|coding| text(coding, "display"));
    text(value, "text").or_else(coded).map(visible)
}

/// The official name, else the usual one, else one that is not an old one.
fn name(resource: &Value) -> String {
    let by_use = |wanted: &[Option<&str>]| list(resource, "name").find(|name| wanted.contains(&text(name, "use"))).map(full_name);
    let found = by_use(&[Some("official")])
        .or_else(|| by_use(&[Some("usual")]))
        .or_else(|| by_use(&[None, Some("temp"), Some("anonymous"), Some("nickname")]))
        .or_else(|| list(resource, "name").next().map(full_name));
    // A patient without a name has to be seen in a list as well.
    found.filter(|name| !name.is_empty()).unwrap_or_else(|| "(no name)".to_owned())
}

/// As its `text` has it ("the entire name as it should be displayed"), else put together.
fn full_name(name: &Value) -> String {
    match text(name, "text") {
        Some(whole) => visible(whole),
        None => {
            let given = list(name, "given").chain(name.get("family")).chain(list(name, "suffix"));
            visible(&given.filter_map(Value::as_str).collect::<Vec<_>>().join(" "))
        }
    }
}

/// Single spaces, and nothing that hides in a line or turns it round.
fn visible(text: &str) -> String {
    let text = text.replace(|c: char| c.is_whitespace() || is_deceptive(c), " ");
    text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// FHIR R4, datatype `date`. People are told apart by it, so that a date that cannot be read is
/// not passed over.
fn birth_date(resource: &Value) -> Result<String, String> {
    let Some(value) = resource.get("birthDate") else { return Ok(String::new()) };
    let date = value.as_str().unwrap_or_default();
    let is_shaped = matches!(date.len(), 4 | 7 | 10)
        && date.bytes().enumerate().all(|(place, b)| if place == 4 || place == 7 { b == b'-' } else { b.is_ascii_digit() });
    let whole = format!("{date}{}", &"-01-01"[if is_shaped { date.len() - 4 } else { 0 }..]);
    let format = time::macros::format_description!("[year]-[month]-[day]");
    match is_shaped && Date::parse(&whole, &format).is_ok() {
        true => Ok(date.to_owned()),
        false => Err(format!("its birthDate {value} is not YYYY, YYYY-MM or YYYY-MM-DD")),
    }
}

fn sex(resource: &Value) -> Result<String, String> {
    match resource.get("gender") {
        None => Ok("unknown".to_owned()),
        Some(value) => match value.as_str() {
            Some(sex @ ("female" | "male" | "other" | "unknown")) => Ok(sex.to_owned()),
            _ => Err(format!("its gender {value} is not one of female, male, other, unknown")),
        },
    }
}

/// The identifier that is said to be a medical record number, else the first.
fn mrn(resource: &Value) -> String {
    let is_mrn = |identifier: &&Value| {
        identifier.get("type").is_some_and(|kind| list(kind, "coding").any(|coding| text(coding, "code") == Some("MR")))
    };
    let identifiers = || list(resource, "identifier").filter(|identifier| text(identifier, "value").is_some());
    let found = identifiers().find(is_mrn).or_else(|| identifiers().next());
    found.and_then(|identifier| text(identifier, "value")).map(visible).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::json;

    use super::*;

    const TODAY: Date = time::macros::date!(2026 - 11 - 22);

    fn here() -> References<'static> {
        References { bases: &[], full_urls: HashMap::new() }
    }

    #[test]
    fn of_several_names_and_identifiers_the_right_ones_are_taken() {
        let (found, lost) = patient(
            &json!({
                "resourceType": "Patient", "id": "p-1", "gender": "female", "birthDate": "1980-02-29",
                "name": [
                    { "use": "old", "given": ["Was"], "family": "Synthetic" },
                    { "use": "usual", "given": ["Nick"] },
                    { "use": "official", "given": ["Ada ", "B."], "family": "Syn\u{202e}thetic", "suffix": ["Jr."] },
                ],
                "identifier": [{ "value": "first" }, { "type": { "coding": [{ "code": "MR" }] }, "value": "MRN-1" }],
                "generalPractitioner": [{ "reference": "Practitioner/a" }, { "reference": "Organization/o" }],
            }),
            &here(),
        )
        .expect("a good patient");
        assert_eq!(
            (found.patient.name.as_str(), found.patient.mrn.as_str(), found.patient.birth_date.as_str()),
            ("Ada B. Syn thetic Jr.", "MRN-1", "1980-02-29")
        );
        let practitioners: Vec<String> = found.practitioners.iter().map(ToString::to_string).collect();
        assert_eq!((practitioners, lost, found.is_inactive), (vec!["Practitioner/a".to_owned()], 1, false));
    }

    #[test]
    fn a_patient_who_was_merged_or_is_gone_is_inactive() {
        for gone in [json!({ "id": "p", "active": false }), json!({ "id": "p", "link": [{ "type": "replaced-by" }] })] {
            assert!(patient(&gone, &here()).is_ok_and(|(found, _)| found.is_inactive));
        }
        assert!(patient(&json!({ "id": "p", "link": [{ "type": "replaces" }] }), &here()).is_ok_and(|(found, _)| !found.is_inactive));
    }

    #[test]
    fn what_people_are_told_apart_by_is_read_exactly_or_refused() {
        for bad in [
            json!({}),
            json!({ "id": "a b" }),
            json!({ "id": "p", "birthDate": "01/02/1980" }),
            json!({ "id": "p", "birthDate": "1980-13" }),
            json!({ "id": "p", "birthDate": "2001-02-29" }),
            json!({ "id": "p", "birthDate": "１９８０" }),
            json!({ "id": "p", "birthDate": 1980 }),
            json!({ "id": "p", "gender": "F" }),
        ] {
            assert!(patient(&bad, &here()).is_err(), "{bad}");
        }
        for good in ["1980", "1980-02", "1980-02-29"] {
            assert_eq!(birth_date(&json!({ "birthDate": good })).as_deref(), Ok(good));
        }
    }

    #[test]
    fn whoever_no_longer_takes_part_opens_nothing() {
        let team = |status: &str, end: &str| {
            let participants = json!([
                { "member": { "reference": "Practitioner/a" } },
                { "member": { "reference": "Practitioner/b" }, "period": { "end": end } },
            ]);
            let team = json!({ "id": "t", "status": status, "subject": { "reference": "Patient/p" }, "participant": participants });
            care_team(&team, &here(), TODAY).expect("a good team").0.len()
        };
        assert_eq!([team("active", "2026-11-21T10:00:00Z"), team("active", "2025")], [1, 1]);
        assert_eq!([team("active", "2026-11-22"), team("active", "2026"), team("inactive", "2027")], [2, 2, 0]);
        let carer = |more: Value| {
            let mut carer = json!({ "id": "r", "patient": { "reference": "Patient/p" } });
            carer.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            related_person(&carer, &here(), TODAY).expect("a good carer").0
        };
        for over in [json!({ "active": false }), json!({ "period": { "end": "2026-11-21" } }), json!({ "period": { "start": "2026-12" } })]
        {
            assert_eq!(carer(over.clone()), None, "{over}");
        }
        let since = |start: &str| carer(json!({ "period": { "start": start } })).expect("a carer").since;
        assert_eq!(since("2026"), Some(time::macros::date!(2026 - 01 - 01)));
        assert_eq!(since("2026-11"), Some(time::macros::date!(2026 - 11 - 01)));
        assert_eq!(since("2026-11-22T10:00:00+01:00"), Some(TODAY));
        assert_eq!(carer(json!({})).expect("a carer").since, None);
    }

    #[test]
    fn a_visit_is_told_from_another_by_when_and_why() {
        let visit = json!({
            "id": "e1", "status": "finished", "class": { "code": "AMB", "display": "ambulatory" },
            "type": [{ "coding": [{ "display": "Check-up" }] }], "reasonCode": [{ "text": "Cough\u{202e}" }],
            "subject": { "reference": "Patient/p" }, "period": { "start": "2026-11-20T09:00:00Z" },
        });
        let (found, lost) = encounter(&visit, &here()).expect("a good visit");
        let (patient, found) = found.expect("of a patient");
        assert_eq!((patient.as_str(), lost), ("p", 0));
        assert_eq!((found.class.as_str(), found.reason.as_str(), found.started.as_str()), ("ambulatory", "Cough", "2026-11-20T09:00:00Z"));
        assert_eq!(encounter(&json!({ "id": "e", "subject": { "reference": "Group/g" } }), &here()), Ok((None, 1)));
    }
}
