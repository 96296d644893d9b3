//! Group 2 of the suites (EHR launch), and group 3 of (g)(10) with its checks of scope and context.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::kit::{EhrWish, an_encounter, basic, tokens};
use super::{CONFIDENTIAL, DOCTOR, HOST, Inferno, PUBLIC, granted, text};
use crate::support::{SECRET, encode};

/// What (g)(10) asks for in group 3, of the types that the searches below need.
const SCOPE: &str = "launch openid fhirUser offline_access user/Patient.rs user/Encounter.rs user/Practitioner.rs \
    user/Observation.rs user/Condition.rs user/MedicationRequest.rs user/Immunization.rs";

/// The tokens of an EHR launch of this client: by POST, as group 3 has it.
async fn launched(inferno: &Inferno, client: &str, scope: &str, wish: &EhrWish) -> Value {
    let launch = inferno.open_app(client, wish).await;
    let ask = inferno.ask(client, scope).and("launch", &launch);
    let landing = inferno.authorize(&ask, true, DOCTOR).await;
    tokens(&inferno.exchange(client, &landing.code()).await)
}

/// `smart_app_launch`, `smart_launch_received`, then the tests of group 1.2 again: `smart_app_redirect`,
/// `smart_code_received`, `smart_token_exchange`, `smart_token_response_body`, `smart_token_response_headers`.
#[tokio::test]
async fn a_record_system_opens_the_app_and_the_app_gets_tokens() {
    for version in ["1.0", "2.0", "2.1", "2.2"] {
        let inferno = Inferno::facing(version).await;
        for client in [PUBLIC, CONFIDENTIAL] {
            let tokens = launched(&inferno, client, SCOPE, &EhrWish::default()).await;
            assert_eq!(granted(&tokens), SCOPE.split_whitespace().collect::<Vec<_>>(), "{version} {client}");
            assert_eq!(text(&tokens, "patient"), DOCTOR.patient);
            assert!(tokens["refresh_token"].is_string() && tokens["id_token"].is_string());
        }
    }
}

/// (g)(10) group 3: `g10_smart_scopes`, `g10_unauthorized_access`, `g10_patient_context`,
/// `g10_encounter_context`, `g10_smart_style_url`, `g10_smart_need_patient_banner`.
#[tokio::test]
async fn an_ehr_practitioner_app_knows_patient_encounter_style_and_banner() {
    let inferno = Inferno::start().await;
    let encounter = an_encounter(DOCTOR.patient);
    let wish = EhrWish { encounter: Some(encounter.clone()), ..EhrWish::default() };
    let tokens = launched(&inferno, CONFIDENTIAL, SCOPE, &wish).await;
    for required in ["openid", "fhirUser", "launch", "offline_access"] {
        assert!(granted(&tokens).contains(&required), "{required}");
    }
    assert_eq!(inferno.fhir("Patient/p001", None).await.status.as_u16(), 401);
    inferno.assert_patient_can_be_read(&tokens).await;

    assert_eq!(text(&tokens, "encounter"), encounter);
    let read = inferno.fhir(&format!("Encounter/{encounter}"), Some(text(&tokens, "access_token"))).await;
    assert_eq!((read.status.as_u16(), text(&read.json(), "id")), (200, encounter.as_str()));

    assert!(tokens["need_patient_banner"].is_boolean(), "{tokens}");
    let style = inferno.http(Request::get(text(&tokens, "smart_style_url")).header("origin", HOST), Body::empty()).await;
    assert_eq!((style.status.as_u16(), style.header("content-type")), (200, "application/json"));
    assert!(style.json().is_object());
    assert_eq!(style.header("access-control-allow-origin"), "*");
}

/// Groups 2.4 and 2.5, and (g)(10)'s refresh group after an EHR launch: `smart_token_refresh`,
/// `smart_token_refresh_body`, `g10_patient_context`.
#[tokio::test]
async fn a_refresh_after_an_ehr_launch_keeps_its_context() {
    let inferno = Inferno::start().await;
    let wish = EhrWish { encounter: Some(an_encounter(DOCTOR.patient)), ..EhrWish::default() };
    let first = launched(&inferno, CONFIDENTIAL, SCOPE, &wish).await;
    let mut last = first.clone();
    for scope in [None, Some(text(&first, "scope"))] {
        let renewed = tokens(&inferno.refresh(CONFIDENTIAL, text(&last, "refresh_token"), scope).await);
        assert_eq!(text(&renewed, "scope"), text(&first, "scope"));
        for member in ["patient", "encounter", "need_patient_banner", "smart_style_url"] {
            assert_eq!(renewed[member], first[member], "{member}");
        }
        inferno.assert_patient_can_be_read(&renewed).await;
        last = renewed;
    }
}

/// `smart_token_response_body_stu2_2` and its counterpart of STU2: `fhirContext` is a list of references in 2.0, one of
/// objects from 2.1 on, and unknown to STU1.
#[tokio::test]
async fn the_fhir_context_has_the_form_of_the_version() {
    let study = json!([{ "reference": "ImagingStudy/s-1" }]);
    for (version, expected) in
        [("1.0", None), ("2.0", Some(json!(["ImagingStudy/s-1"]))), ("2.1", Some(study.clone())), ("2.2", Some(study.clone()))]
    {
        let inferno = Inferno::facing(version).await;
        let wish = EhrWish { more: json!({ "fhirContext": study, "intent": "review-study" }), ..EhrWish::default() };
        let tokens = launched(&inferno, CONFIDENTIAL, SCOPE, &wish).await;
        assert_eq!(tokens.get("fhirContext"), expected.as_ref(), "{version}");
        assert_eq!(text(&tokens, "intent"), "review-study");
    }
}

/// Group 4 (introspection) of a token with a launch context: what the response said is said again.
#[tokio::test]
async fn introspection_repeats_the_launch_context() {
    let inferno = Inferno::start().await;
    let wish = EhrWish {
        encounter: Some(an_encounter(DOCTOR.patient)),
        more: json!({ "fhirContext": [{ "reference": "ImagingStudy/s-1" }], "intent": "review-study" }),
    };
    let tokens = launched(&inferno, CONFIDENTIAL, SCOPE, &wish).await;
    let configuration = inferno.configuration().await;
    let request = Request::post(text(&configuration, "introspection_endpoint"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", basic("rs", SECRET));
    let answer = inferno.http(request, encode(&[("token", text(&tokens, "access_token"))])).await.json();
    assert_eq!(answer["active"], true);
    for member in ["patient", "encounter", "intent", "fhirContext", "need_patient_banner", "smart_style_url", "tenant"] {
        assert_eq!(answer[member], tokens[member], "{member}");
    }
}

/// `g10_smart_well_known_capabilities` of group 3
#[tokio::test]
async fn the_capabilities_of_the_ehr_group_are_claimed() {
    let document = Inferno::start().await.configuration().await;
    let claimed = document["capabilities"].as_array().expect("a list");
    for capability in [
        "launch-ehr",
        "authorize-post",
        "client-confidential-symmetric",
        "client-confidential-asymmetric",
        "sso-openid-connect",
        "context-banner",
        "context-style",
        "context-ehr-patient",
        "context-ehr-encounter",
        "permission-offline",
        "permission-user",
        "permission-v1",
        "permission-v2",
    ] {
        assert!(claimed.iter().any(|own| own == capability), "{capability}");
    }
}
