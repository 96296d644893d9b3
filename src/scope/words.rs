//! Scopes in plain words, for the page on which a person decides.

use super::{Access, Level, ResourceScope, ResourceType};

/// One scope, as a person reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plain {
    /// A short phrase that begins with a verb: "See lab results and vital signs".
    pub label: String,
    /// One more sentence, or nothing.
    pub detail: String,
}

/// What this scope lets an app do, in plain words.
#[must_use]
pub fn plain(scope: &ResourceScope) -> Plain {
    let (noun, detail) = noun(&scope.resource);
    let label = match scope.level {
        Level::Patient => format!("{} {noun}", verb(scope.access)),
        Level::User => format!("{} {noun} of every patient you may open", verb(scope.access)),
        Level::System => format!("{} {noun} of every patient", verb(scope.access)),
    };
    let detail = if detail.is_empty() && scope.access.writes() { "The app can change the record itself." } else { detail };
    if scope.filter.is_empty() {
        return Plain { label, detail: detail.to_owned() };
    }
    let parts: Vec<String> = scope.filter.pairs().map(|(name, values)| format!("{name}: {values}")).collect();
    Plain { label: format!("{label}, some only"), detail: format!("Only those with {}.", parts.join("; ")) }
}

fn verb(access: Access) -> String {
    let mut verbs = Vec::new();
    if access.reads() {
        verbs.push("see");
    }
    if access.contains(Access::CREATE) {
        verbs.push("add");
    }
    if access.contains(Access::UPDATE) {
        verbs.push("change");
    }
    if access.contains(Access::DELETE) {
        verbs.push("delete");
    }
    let sentence = match verbs.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    };
    let mut letters = sentence.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A noun phrase for the type, and what it holds where the phrase does not say.
fn noun(resource: &ResourceType) -> (String, &'static str) {
    let name = match resource {
        ResourceType::Any => {
            return ("the whole health record".to_owned(), "Everything that is in the record now, and everything that is added later.");
        }
        ResourceType::Named(name) => name.as_str(),
    };
    let (noun, detail) = match name {
        "Patient" => ("basic details", "Name, birth date, sex, address and phone."),
        "Observation" => ("test results and measurements", "Lab results, blood pressure, weight, smoking, surveys."),
        "Condition" => ("health problems and diagnoses", "Conditions now and in the past."),
        "MedicationRequest" => ("prescribed medicines", "What was prescribed, and how to take it."),
        "MedicationStatement" | "MedicationDispense" | "MedicationAdministration" | "Medication" => ("medicines", ""),
        "AllergyIntolerance" => ("allergies", "What causes a reaction, and how bad it was."),
        "Immunization" => ("vaccines", "Which vaccines were given, and when."),
        "Procedure" => ("procedures and operations", ""),
        "Encounter" => ("visits and hospital stays", "When and where care was given."),
        "DiagnosticReport" => ("lab and imaging reports", ""),
        "DocumentReference" => ("notes and documents", "Letters and notes written by the care team."),
        "Binary" => ("attached files", ""),
        "CarePlan" => ("care plans", ""),
        "CareTeam" => ("the care team", "Who takes part in the care."),
        "Goal" => ("health goals", ""),
        "Coverage" => ("insurance cover", ""),
        "ExplanationOfBenefit" | "Claim" | "ClaimResponse" => ("insurance claims and bills", ""),
        "Device" => ("implants and devices", ""),
        "Appointment" | "Schedule" | "Slot" => ("appointments", ""),
        "FamilyMemberHistory" => ("family health history", ""),
        "ServiceRequest" => ("orders and referrals", ""),
        "ImagingStudy" => ("images and scans", ""),
        "Practitioner" | "PractitionerRole" => ("clinicians' names and roles", ""),
        "Organization" | "Location" => ("clinics and hospitals", ""),
        "RelatedPerson" => ("family and contacts", ""),
        "QuestionnaireResponse" | "Questionnaire" => ("answers to questionnaires", ""),
        "Provenance" => ("where records came from", ""),
        "Specimen" => ("samples taken for tests", ""),
        "Consent" => ("consent decisions", ""),
        other => return (format!("records of the kind “{}”", spaced(other)), ""),
    };
    (noun.to_owned(), detail)
}

/// `ResearchStudy` as `research study`.
fn spaced(name: &str) -> String {
    let mut words = String::new();
    for (place, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && place > 0 {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(scope: &str) -> String {
        plain(&scope.parse().expect("a scope of this test")).label
    }

    #[test]
    fn scopes_read_as_sentences() {
        assert_eq!(words("patient/Observation.rs"), "See test results and measurements");
        assert_eq!(words("patient/Observation.cruds"), "See, add, change and delete test results and measurements");
        assert_eq!(words("patient/Immunization.write"), "Add, change and delete vaccines");
        assert_eq!(words("user/*.read"), "See the whole health record of every patient you may open");
        assert_eq!(words("patient/ResearchStudy.r"), "See records of the kind “research study”");
    }
}
