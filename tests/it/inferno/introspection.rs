//! Group 4 of the suites STU2 and STU2.2, groups 9.11 and 9.20 of (g)(10): token introspection.

use std::collections::BTreeSet;

use axum::http::Request;
use serde_json::{Value, json};

use super::kit::{RESOURCE_SERVER, basic};
use super::{CONFIDENTIAL, DOCTOR, Inferno, granted, text};
use crate::support::SECRET;
use crate::support::encode;
use crate::support::visit::claims;

/// The request of a tester who gives Inferno this header (`custom_authorization_header`).
async fn introspect(inferno: &Inferno, authorization: &str, token: &str) -> Value {
    let configuration = inferno.configuration().await;
    let request = Request::post(text(&configuration, "introspection_endpoint"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept", "application/json")
        .header("authorization", authorization);
    let reply = inferno.http(request, encode(&[("token", token)])).await;
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.body);
    reply.json()
}

/// `smart_token_introspection_request_group` `Test01`, `smart_token_introspection_response_group` `Test01`
#[tokio::test]
async fn an_active_token_is_described_as_its_response_was() {
    let inferno = Inferno::start().await;
    let tokens = inferno.launch(CONFIDENTIAL, "launch/patient openid fhirUser offline_access patient/Patient.rs", DOCTOR).await;
    let answer = introspect(&inferno, &basic("rs", SECRET), text(&tokens, "access_token")).await;
    assert_eq!((&answer["active"], &answer["client_id"]), (&json!(true), &json!(CONFIDENTIAL)));
    let (told, said) = (granted(&tokens), granted(&answer));
    assert_eq!(said.len(), told.len());
    assert_eq!(said.into_iter().collect::<BTreeSet<_>>(), told.into_iter().collect());
    assert!(answer["exp"].as_i64().expect("a whole number") > inferno.app.clock.now().unix_timestamp() - 600);
    assert_eq!(answer["patient"], tokens["patient"]);
    let id = claims(text(&tokens, "id_token"));
    assert_eq!((&answer["iss"], &answer["sub"], &answer["fhirUser"]), (&id["iss"], &id["sub"], &id["fhirUser"]));
}

/// SMART App Launch 2.2, "Token Introspection": a client may authenticate by a bearer token that was given for this, and
/// sees the tokens of every client; no other token will do.
#[tokio::test]
async fn a_resource_server_asks_with_a_token_of_its_own() {
    let inferno = Inferno::start().await;
    let tokens = inferno.launch(CONFIDENTIAL, "launch/patient openid patient/Patient.rs", DOCTOR).await;
    let form = [("grant_type", "client_credentials"), ("scope", "__introspect")];
    let own = super::kit::tokens(&inferno.token(RESOURCE_SERVER, &form).await);
    let bearer = format!("Bearer {}", text(&own, "access_token"));
    let answer = introspect(&inferno, &bearer, text(&tokens, "access_token")).await;
    assert_eq!((&answer["active"], &answer["client_id"]), (&json!(true), &json!(CONFIDENTIAL)));
    assert_eq!(introspect(&inferno, &bearer, "this-token-was-never-issued").await, json!({ "active": false }));

    let request = Request::post("https://idp.test/introspect")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", format!("Bearer {}", text(&tokens, "access_token")));
    let refused = inferno.http(request, encode(&[("token", text(&own, "access_token"))])).await;
    assert!([401, 403].contains(&refused.status.as_u16()), "{}", refused.body);
}

/// `smart_token_introspection_request_group` `Test02`, `smart_token_introspection_response_group` `Test02`
#[tokio::test]
async fn of_an_invalid_token_nothing_is_said_but_that() {
    let inferno = Inferno::start().await;
    let answer = introspect(&inferno, &basic("rs", SECRET), "this-token-was-never-issued").await;
    assert_eq!(answer, json!({ "active": false }));
}
