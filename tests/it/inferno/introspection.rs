//! Group 4 of the suites STU2 and STU2.2, groups 9.11 and 9.20 of (g)(10): token introspection.

use std::collections::BTreeSet;

use axum::http::Request;
use serde_json::{Value, json};

use super::kit::basic;
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

/// `smart_token_introspection_request_group` `Test02`, `smart_token_introspection_response_group` `Test02`
#[tokio::test]
async fn of_an_invalid_token_nothing_is_said_but_that() {
    let inferno = Inferno::start().await;
    let answer = introspect(&inferno, &basic("rs", SECRET), "this-token-was-never-issued").await;
    assert_eq!(answer, json!({ "active": false }));
}
