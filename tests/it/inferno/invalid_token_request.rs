//! Groups 9.6 and 9.17 of (g)(10): token requests that are wrong.

use base64::Engine as _;

use super::{CONFIDENTIAL, DOCTOR, Inferno, REDIRECT, text};
use crate::support::{SECRET, VERIFIER, encode};
use axum::http::Request;

/// Group 9.6 `Test03`: exactly 400.
#[tokio::test]
async fn a_bad_code_is_400() {
    let inferno = Inferno::start().await;
    let reply = inferno.exchange(CONFIDENTIAL, "BAD_CODE").await;
    assert_eq!((reply.status.as_u16(), reply.json()["error"].as_str()), (400, Some("invalid_grant")));
}

/// Group 9.6 `Test04`: the right code and the right secret of a client that there is not.
#[tokio::test]
async fn a_bad_client_id_is_400_or_401() {
    let inferno = Inferno::start().await;
    let landing = inferno.authorize(&inferno.ask(CONFIDENTIAL, "launch/patient patient/Patient.rs"), false, DOCTOR).await;
    let code = landing.code();
    let credentials = base64::engine::general_purpose::STANDARD.encode(format!("BAD_CLIENT_ID:{SECRET}"));
    let form = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", REDIRECT), ("code_verifier", VERIFIER)];
    let configuration = inferno.configuration().await;
    let request = Request::post(text(&configuration, "token_endpoint"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", format!("Basic {credentials}"));
    let reply = inferno.http(request, encode(&form)).await;
    assert!([400, 401].contains(&reply.status.as_u16()), "{}", reply.body);
    assert_eq!(reply.json()["error"], "invalid_client");
}
