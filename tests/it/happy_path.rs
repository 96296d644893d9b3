//! The main job, from end to end.

use serde_json::Value;

use crate::support::{TestApp, VERIFIER};

const SPA: &str = "https://app.test/cb";

/// The claims of a token, unverified.
fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("a JWT");
    serde_json::from_slice(&admit::token::from_base64url(payload).expect("base64url")).expect("JSON")
}

#[tokio::test]
async fn a_clinician_signs_in_chooses_a_patient_allows_and_the_app_gets_its_tokens() {
    let app = TestApp::start().await;
    let landing = app
        .browser()
        .launch("spa", SPA, "openid fhirUser launch/patient offline_access patient/Patient.rs patient/Observation.read", "dr.a", Some("p2"))
        .await;
    assert!(landing.reply.header("location").starts_with("https://app.test/cb?code=sc_"), "{}", landing.reply.body);
    assert_eq!(landing.reply.param("state").as_deref(), Some("a-state"));

    let reply = app
        .token(
            "spa",
            &[("grant_type", "authorization_code"), ("code", &landing.code()), ("redirect_uri", SPA), ("code_verifier", VERIFIER)],
        )
        .await;
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.body);
    assert_eq!((reply.header("cache-control"), reply.header("pragma")), ("no-store", "no-cache"));
    let tokens = reply.json();
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 600);
    assert_eq!(tokens["patient"], "p2");
    assert_eq!(tokens["scope"], "openid fhirUser launch/patient offline_access patient/Patient.rs patient/Observation.read");

    let access = claims(tokens["access_token"].as_str().expect("a token"));
    assert_eq!(access["iss"], "https://idp.test");
    assert_eq!(access["aud"], "https://fhir.test/r4/");
    assert_eq!(access["sub"], "u-dr.a");
    assert_eq!(access["patient"], "p2");
    assert_eq!(access["launch_response_patient"], "Patient/p2");
    assert_eq!(access["fhirUser"], "https://fhir.test/r4/Practitioner/a");
    assert_eq!(access["tenant_id"], "default");
    let id = claims(tokens["id_token"].as_str().expect("a token"));
    assert_eq!(id["aud"], "spa");
    assert_eq!(id["fhirUser"], "https://fhir.test/r4/Practitioner/a");

    let seen = app.introspect(tokens["access_token"].as_str().expect("a token")).await;
    assert_eq!(seen["active"], true);
    assert_eq!(seen["patient"], "p2");

    let reply =
        app.token("spa", &[("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().expect("a token"))]).await;
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.body);
    assert_eq!(reply.json()["patient"], "p2");
    assert_ne!(reply.json()["refresh_token"], tokens["refresh_token"]);
}

#[tokio::test]
async fn a_patient_skips_the_picker_and_is_their_own_patient() {
    let app = TestApp::start().await;
    let landing = app.browser().launch("spa", SPA, "openid fhirUser launch/patient patient/*.rs", "pat1", None).await;
    let reply = app
        .token(
            "spa",
            &[("grant_type", "authorization_code"), ("code", &landing.code()), ("redirect_uri", SPA), ("code_verifier", VERIFIER)],
        )
        .await;
    assert_eq!(reply.json()["patient"], "p1");
    assert!(reply.json().get("refresh_token").is_none());
}

#[tokio::test]
async fn a_backend_service_gets_a_token_of_its_own() {
    let app = TestApp::start().await;
    let reply = app.token("bsc", &[("grant_type", "client_credentials"), ("scope", "system/Patient.rs system/*.cud")]).await;
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.body);
    assert_eq!(reply.json()["scope"], "system/Patient.rs");
    assert_eq!(reply.json()["expires_in"], 300);
}
