//! Group 1.2 of the suites (standalone launch), and group 1 of (g)(10) with its checks of scope and context.

use admit::id::PatientId;
use admit::person::Encounter;

use super::kit::{an_encounter, tokens};
use super::{CONFIDENTIAL, DOCTOR, Inferno, PUBLIC, granted, text};
use crate::support::ISSUER;

/// What (g)(10) asks for in group 1: every type of US Core 6.1, for one patient.
pub const FULL: &str = "launch/patient openid fhirUser offline_access patient/Medication.rs patient/AllergyIntolerance.rs \
    patient/CarePlan.rs patient/CareTeam.rs patient/Condition.rs patient/Device.rs patient/DiagnosticReport.rs \
    patient/DocumentReference.rs patient/Encounter.rs patient/Goal.rs patient/Immunization.rs patient/Location.rs \
    patient/MedicationRequest.rs patient/Observation.rs patient/Organization.rs patient/Patient.rs patient/Practitioner.rs \
    patient/Procedure.rs patient/Provenance.rs patient/PractitionerRole.rs patient/Specimen.rs patient/Coverage.rs \
    patient/MedicationDispense.rs patient/ServiceRequest.rs patient/QuestionnaireResponse.rs patient/RelatedPerson.rs";

/// The types that have to be granted, each of which group 1.7 searches.
pub const TYPES: [&str; 17] = [
    "AllergyIntolerance",
    "CarePlan",
    "CareTeam",
    "Condition",
    "DiagnosticReport",
    "DocumentReference",
    "Goal",
    "Immunization",
    "MedicationRequest",
    "Observation",
    "Patient",
    "Procedure",
    "ServiceRequest",
    "Coverage",
    "MedicationDispense",
    "Specimen",
    "Encounter",
];

/// The search of group 1.7 and 2.3 for what there is of a type about a patient.
pub fn search(kind: &str, patient: &str) -> String {
    if kind == "Patient" { format!("Patient?_id={patient}") } else { format!("{kind}?patient={patient}") }
}

/// `smart_app_redirect`, `smart_app_redirect_stu2`, `smart_code_received`, `smart_token_exchange`,
/// `smart_token_exchange_stu2_2`, `smart_token_response_body` (and `_stu2_2`), `smart_token_response_headers`: public
/// and confidential clients, by GET and by POST.
#[tokio::test]
async fn a_standalone_launch_gives_tokens_by_get_and_by_post() {
    for version in ["2.0", "2.1", "2.2"] {
        let inferno = Inferno::facing(version).await;
        for client in [PUBLIC, CONFIDENTIAL] {
            for by_post in [false, true] {
                let scope = "launch/patient openid fhirUser offline_access patient/*.rs";
                let landing = inferno.authorize(&inferno.ask(client, scope), by_post, DOCTOR).await;
                assert_eq!(landing.reply.param("iss").as_deref(), Some(ISSUER));
                let tokens = tokens(&inferno.exchange(client, &landing.code()).await);
                assert_eq!(text(&tokens, "scope"), scope, "{version} {client}");
                assert!(tokens["refresh_token"].is_string() && tokens["id_token"].is_string());
                assert_eq!(text(&tokens, "patient"), DOCTOR.patient);
                // Nothing is said of a FHIR context that was not asked for: its form differs between the versions.
                assert!(tokens.get("fhirContext").is_none());
            }
        }
    }
}

/// `smart_cors_token_exchange`: the answer to a page may be read by it.
#[tokio::test]
async fn a_public_client_may_read_the_answer_in_its_page() {
    let inferno = Inferno::start().await;
    let landing = inferno.authorize(&inferno.ask(PUBLIC, "launch/patient patient/Patient.rs"), false, DOCTOR).await;
    let reply = inferno.exchange(PUBLIC, &landing.code()).await;
    tokens(&reply);
    assert_eq!(reply.header("access-control-allow-origin"), super::HOST);
}

/// (g)(10) group 1: `g10_smart_scopes`, `g10_unauthorized_access`, `g10_patient_context`, and the searches of 1.7.
#[tokio::test]
async fn a_full_standalone_app_may_read_every_type_of_its_patient() {
    let inferno = Inferno::start().await;
    let tokens = inferno.launch(CONFIDENTIAL, FULL, DOCTOR).await;
    let scopes = granted(&tokens);
    for required in ["openid", "fhirUser", "launch/patient", "offline_access"] {
        assert!(scopes.contains(&required), "{required} is not echoed: {scopes:?}");
    }
    for kind in TYPES {
        assert!(scopes.contains(&format!("patient/{kind}.rs").as_str()), "{kind}: {scopes:?}");
    }
    assert_eq!(inferno.fhir("Patient/p001", None).await.status.as_u16(), 401);
    inferno.assert_patient_can_be_read(&tokens).await;
    for kind in TYPES {
        let reply = inferno.fhir(&search(kind, DOCTOR.patient), Some(text(&tokens, "access_token"))).await;
        assert_eq!(reply.status.as_u16(), 200, "{kind}: {}", reply.body);
        assert_eq!(reply.json()["type"], "searchset", "{kind}");
    }
}

/// `context-standalone-encounter`, which no kit tests: after the patient, one of their encounters is chosen.
#[tokio::test]
async fn an_encounter_is_chosen_after_the_patient() {
    let inferno = Inferno::start().await;
    let id = an_encounter(DOCTOR.patient);
    let visit = Encounter {
        id: id.clone(),
        status: "finished".to_owned(),
        class: "ambulatory".to_owned(),
        reason: String::new(),
        started: "2026-11-02".to_owned(),
        ended: "2026-11-02".to_owned(),
    };
    let visits = vec![(PatientId::new(DOCTOR.patient), visit)];
    inferno.app.store().import_encounters(&inferno.app.origin(), "one", visits).await.expect("a visit");
    let scope = "launch/patient launch/encounter openid patient/Patient.rs patient/Encounter.rs";
    let mut browser = inferno.app.browser();
    let page = browser.ask(&inferno.ask(PUBLIC, scope)).await;
    let page = browser.log_in(&page, "dr.larkspur").await;
    let page = browser.pick(&page, DOCTOR.patient).await;
    assert_eq!(page.path(), "/encounter", "{}", page.reply.body);
    let page = browser.submit(&page.at, &[("csrf", &page.csrf()), ("encounter", &id)]).await;
    let landing = browser.approve(&page).await;
    let tokens = tokens(&inferno.exchange(PUBLIC, &landing.code()).await);
    assert_eq!(text(&tokens, "encounter"), id);
    assert_eq!(granted(&tokens), scope.split(' ').collect::<Vec<_>>());
    let read = inferno.fhir(&format!("Encounter/{id}"), Some(text(&tokens, "access_token"))).await;
    assert_eq!(read.status.as_u16(), 200, "{}", read.body);
}
