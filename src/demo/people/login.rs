//! Who can sign in to the demo.

use super::carer::Carer;
use super::clinician::{CLINICIANS, FERNSBY, HAZELWOOD, LARKSPUR, NEWLEAF};
use super::names::handle;
use super::person::Person;
use super::roster::{SIGN_IN_CHILDREN, SIGN_IN_PATIENT, id};

/// Which kind of person signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonKind {
    /// Treats patients.
    Clinician,
    /// Is treated.
    Patient,
    /// Looks after children.
    Carer,
}

impl PersonKind {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clinician => "clinician",
            Self::Patient => "patient",
            Self::Carer => "parent",
        }
    }
}

/// Somebody who can sign in. Their password is not ours to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoPerson {
    /// What they type.
    pub username: String,
    /// What they are called.
    pub display_name: String,
    /// Which kind of person they are.
    pub kind: PersonKind,
    /// Which resource they are: `Practitioner/prac-larkspur`.
    pub fhir_user: String,
    /// The ids of the patients whose records they may open.
    pub opens: Vec<String>,
    /// What is special about them, in a line for the terminal.
    pub note: &'static str,
}

const SIGNING_IN: [(&str, &str); 4] = [
    (LARKSPUR, "family doctor with the largest panel"),
    (HAZELWOOD, "paediatrician: every patient is a child"),
    (FERNSBY, "endocrinologist: sees some of the other doctors' patients too"),
    (NEWLEAF, "began today: a clinician without a single patient"),
];

/// Clinicians first, then a patient, then the parent of two.
pub fn everybody(people: &[Person], today: time::Date) -> Vec<DemoPerson> {
    let clinicians = SIGNING_IN.iter().filter_map(|(signing_in, note)| {
        let clinician = CLINICIANS.iter().find(|clinician| clinician.id == *signing_in)?;
        Some(DemoPerson {
            username: format!("dr.{}", clinician.family.to_lowercase()),
            display_name: clinician.name(),
            kind: PersonKind::Clinician,
            fhir_user: format!("Practitioner/{}", clinician.id),
            opens: people.iter().filter(|person| person.clinicians.contains(&clinician.id)).map(|person| person.id.clone()).collect(),
            note,
        })
    });
    let patient = people.iter().filter(|person| person.number == SIGN_IN_PATIENT).map(|person| DemoPerson {
        username: handle(person.given, person.family),
        display_name: format!("{} {}", person.given, person.family),
        kind: PersonKind::Patient,
        fhir_user: format!("Patient/{}", person.id),
        opens: vec![person.id.clone()],
        note: "a patient with diabetes and three years of results",
    });
    // A parent is one RelatedPerson per child; they sign in as the first of the two.
    let parent = people.iter().filter(|person| person.number == SIGN_IN_CHILDREN[0]).filter_map(|child| {
        let parent = Carer::of(child, child.years_old(today))?;
        Some(DemoPerson {
            username: handle(parent.given, parent.family),
            display_name: parent.name(),
            kind: PersonKind::Carer,
            fhir_user: format!("RelatedPerson/{}", Carer::id(child)),
            opens: SIGN_IN_CHILDREN.map(id).to_vec(),
            note: "a parent: opens the records of two children",
        })
    });
    clinicians.chain(patient).chain(parent).collect()
}
