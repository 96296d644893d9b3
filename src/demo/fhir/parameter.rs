//! Which search parameters there are: the same table finds resources and fills /metadata.

use serde_json::Value;

/// How a parameter's values are written and compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Date,
    Reference,
    Text,
    Token,
}

impl Kind {
    /// FHIR's SearchParamType.
    pub fn code(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Reference => "reference",
            Self::Text => "string",
            Self::Token => "token",
        }
    }
}

/// A search parameter of one type.
#[derive(Debug, PartialEq, Eq)]
pub struct Parameter {
    pub name: &'static str,
    pub kind: Kind,
    /// Where its values are, from the resource down; several places are alternatives.
    at: &'static [&'static [&'static str]],
}

type Place = &'static [&'static str];

const fn date(name: &'static str, at: &'static [Place]) -> Parameter {
    Parameter { name, kind: Kind::Date, at }
}

const fn reference(name: &'static str, at: &'static [Place]) -> Parameter {
    Parameter { name, kind: Kind::Reference, at }
}

const fn text(name: &'static str, at: &'static [Place]) -> Parameter {
    Parameter { name, kind: Kind::Text, at }
}

const fn token(name: &'static str, at: &'static [Place]) -> Parameter {
    Parameter { name, kind: Kind::Token, at }
}

const ACTIVE: Parameter = token("active", &[&["active"]]);
const ID: Parameter = token("_id", &[&["id"]]);
const LAST_UPDATED: Parameter = date("_lastUpdated", &[&["meta", "lastUpdated"]]);
const CATEGORY: Parameter = token("category", &[&["category"]]);
const CLINICAL_STATUS: Parameter = token("clinical-status", &[&["clinicalStatus"]]);
const CODE: Parameter = token("code", &[&["code"]]);
const ENCOUNTER: Parameter = reference("encounter", &[&["encounter"]]);
const FAMILY: Parameter = text("family", &[&["name", "family"]]);
const GIVEN: Parameter = text("given", &[&["name", "given"]]);
const IDENTIFIER: Parameter = token("identifier", &[&["identifier"]]);
const NAME: Parameter = text("name", &[&["name", "family"], &["name", "given"], &["name", "text"]]);
const OF_PATIENT: Parameter = reference("patient", &[&["patient"]]);
const PATIENT: Parameter = reference("patient", &[&["subject"]]);
const STATUS: Parameter = token("status", &[&["status"]]);
const SUBJECT: Parameter = reference("subject", &[&["subject"]]);

const ALLERGY: [Parameter; 7] = [ID, LAST_UPDATED, OF_PATIENT, CATEGORY, CLINICAL_STATUS, CODE, date("date", &[&["recordedDate"]])];
/// What most clinical types have, for those of which there is nothing.
const CLINICAL: [Parameter; 7] = [ID, LAST_UPDATED, PATIENT, SUBJECT, CATEGORY, CODE, STATUS];
const CARE_TEAM: [Parameter; 6] = [ID, LAST_UPDATED, PATIENT, SUBJECT, STATUS, reference("participant", &[&["participant", "member"]])];
const CONDITION: [Parameter; 10] = [
    ID,
    LAST_UPDATED,
    PATIENT,
    SUBJECT,
    CATEGORY,
    CLINICAL_STATUS,
    CODE,
    ENCOUNTER,
    date("onset-date", &[&["onsetDateTime"]]),
    date("recorded-date", &[&["recordedDate"]]),
];
const ENCOUNTERS: [Parameter; 9] = [
    ID,
    LAST_UPDATED,
    PATIENT,
    SUBJECT,
    STATUS,
    token("class", &[&["class"]]),
    token("type", &[&["type"]]),
    date("date", &[&["period"]]),
    reference("location", &[&["location", "location"]]),
];
const IMMUNIZATION: [Parameter; 6] =
    [ID, LAST_UPDATED, OF_PATIENT, STATUS, token("vaccine-code", &[&["vaccineCode"]]), date("date", &[&["occurrenceDateTime"]])];
const MEDICATION_REQUEST: [Parameter; 9] = [
    ID,
    LAST_UPDATED,
    PATIENT,
    SUBJECT,
    STATUS,
    ENCOUNTER,
    token("intent", &[&["intent"]]),
    token("code", &[&["medicationCodeableConcept"]]),
    date("authoredon", &[&["authoredOn"]]),
];
const OBSERVATION: [Parameter; 9] =
    [ID, LAST_UPDATED, PATIENT, SUBJECT, CATEGORY, CODE, STATUS, ENCOUNTER, date("date", &[&["effectiveDateTime"]])];
const ORGANIZATION: [Parameter; 4] = [ID, LAST_UPDATED, IDENTIFIER, text("name", &[&["name"]])];
const PATIENTS: [Parameter; 10] = [
    ID,
    LAST_UPDATED,
    ACTIVE,
    NAME,
    FAMILY,
    GIVEN,
    IDENTIFIER,
    date("birthdate", &[&["birthDate"]]),
    token("gender", &[&["gender"]]),
    reference("general-practitioner", &[&["generalPractitioner"]]),
];
const LOCATION: [Parameter; 4] = [ID, LAST_UPDATED, text("name", &[&["name"]]), reference("organization", &[&["managingOrganization"]])];
const PERSON: [Parameter; 5] = [ID, LAST_UPDATED, NAME, IDENTIFIER, reference("link", &[&["link", "target"]])];
const PRACTITIONER: [Parameter; 6] = [ID, LAST_UPDATED, NAME, FAMILY, GIVEN, IDENTIFIER];
const PROCEDURE: [Parameter; 8] = [ID, LAST_UPDATED, PATIENT, SUBJECT, CODE, STATUS, ENCOUNTER, date("date", &[&["performedDateTime"]])];
const RELATED_PERSON: [Parameter; 6] = [ID, LAST_UPDATED, OF_PATIENT, NAME, IDENTIFIER, ACTIVE];
/// Of a type of which there is nothing.
const COMMON: [Parameter; 2] = [ID, LAST_UPDATED];

/// Types of which there is nothing, but for which apps of US Core ask: an empty list tells them
/// more than an error.
const EMPTY_CLINICAL: [&str; 12] = [
    "CarePlan",
    "Coverage",
    "DiagnosticReport",
    "DocumentReference",
    "FamilyMemberHistory",
    "Goal",
    "MedicationDispense",
    "MedicationStatement",
    "Provenance",
    "QuestionnaireResponse",
    "ServiceRequest",
    "Specimen",
];
/// Likewise, about things and roles.
const EMPTY: [&str; 3] = ["Device", "Medication", "PractitionerRole"];

/// Whether a type that nothing is held of can be searched all the same.
pub fn is_empty_type(kind: &str) -> bool {
    EMPTY_CLINICAL.contains(&kind) || EMPTY.contains(&kind)
}

/// The search parameters of one type.
pub fn of(kind: &str) -> &'static [Parameter] {
    match kind {
        "AllergyIntolerance" => &ALLERGY,
        "CareTeam" => &CARE_TEAM,
        "Condition" => &CONDITION,
        "Encounter" => &ENCOUNTERS,
        "Immunization" => &IMMUNIZATION,
        "Location" => &LOCATION,
        "MedicationRequest" => &MEDICATION_REQUEST,
        "Observation" => &OBSERVATION,
        "Organization" => &ORGANIZATION,
        "Patient" => &PATIENTS,
        "Person" => &PERSON,
        "Practitioner" => &PRACTITIONER,
        "Procedure" => &PROCEDURE,
        "RelatedPerson" => &RELATED_PERSON,
        other if EMPTY_CLINICAL.contains(&other) => &CLINICAL,
        _ => &COMMON,
    }
}

impl Parameter {
    pub fn named(kind: &str, name: &str) -> Option<&'static Self> {
        of(kind).iter().find(|parameter| parameter.name == name)
    }

    /// The values that a resource has for it. Lists are opened up.
    pub fn values<'a>(&self, resource: &'a Value) -> Vec<&'a Value> {
        let mut found = Vec::new();
        for place in self.at {
            collect(resource, place, &mut found);
        }
        found
    }
}

fn collect<'a>(value: &'a Value, place: &[&str], found: &mut Vec<&'a Value>) {
    match (value, place) {
        (Value::Array(list), _) => list.iter().for_each(|item| collect(item, place, found)),
        (_, [next, rest @ ..]) => {
            if let Some(inner) = value.get(*next) {
                collect(inner, rest, found);
            }
        }
        (_, []) => found.push(value),
    }
}
