//! Group 3 of the suites STU2 and STU2.2, groups 7.1 and 8.1 of (g)(10): backend services.

use serde_json::Value;

use super::kit::BACKEND;
use super::{DOCTOR, Inferno, text};
use crate::support::Reply;

const SCOPE: &str = "system/Patient.rs system/Observation.rs";

/// What Inferno posts, with one member as it is given.
async fn post(inferno: &Inferno, name: &str, value: &str) -> Reply {
    let assertion = inferno.assertion(BACKEND).await;
    let mut form = vec![
        ("scope", SCOPE),
        ("grant_type", "client_credentials"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion.as_str()),
    ];
    for member in &mut form {
        if member.0 == name {
            member.1 = value;
        }
    }
    inferno.post_token(&form).await
}

/// `smart_backend_services_invalid_grant_type`: exactly 400, although the assertion is good.
#[tokio::test]
async fn an_invalid_grant_type_is_400() {
    let inferno = Inferno::start().await;
    let reply = post(&inferno, "grant_type", "not_a_grant_type").await;
    assert_eq!((reply.status.as_u16(), reply.json()["error"].as_str()), (400, Some("unsupported_grant_type")));
}

/// `smart_backend_services_invalid_client_assertion`, `smart_backend_services_invalid_jwt`: the kit sends the same twice.
/// Beyond it: a JWT that is none.
#[tokio::test]
async fn an_invalid_assertion_is_400_or_401() {
    let inferno = Inferno::start().await;
    for (name, value) in [("client_assertion_type", "not_an_assertion_type"), ("client_assertion", "not_a_jwt")] {
        let reply = post(&inferno, name, value).await;
        assert!([400, 401].contains(&reply.status.as_u16()), "{}", reply.body);
        assert_eq!(reply.json()["error"], "invalid_client", "{name}");
    }
}

/// `smart_backend_services_auth_request_success`, `smart_backend_services_auth_response_body`; and the token works.
#[tokio::test]
async fn a_backend_service_gets_a_token_and_uses_it() {
    let inferno = Inferno::start().await;
    for scope in [SCOPE, "system/*.read"] {
        let reply = post(&inferno, "scope", scope).await;
        assert_eq!(reply.status.as_u16(), 200, "{}", reply.body);
        let body = reply.json();
        assert!(text(&body, "token_type").eq_ignore_ascii_case("bearer"));
        assert_eq!(text(&body, "scope"), scope);
        assert!(body["expires_in"].as_i64().is_some_and(|seconds| seconds <= 300), "{body}");
        assert_eq!(body.get("refresh_token"), None::<&Value>);
        let read = inferno.fhir(&format!("Patient/{}", DOCTOR.patient), Some(text(&body, "access_token"))).await;
        assert_eq!(read.status.as_u16(), 200, "{}", read.body);
    }
}
