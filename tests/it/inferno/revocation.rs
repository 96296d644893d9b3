//! Group 9.3 of (g)(10): a person takes back what they allowed.

use axum::http::Request;

use super::kit::basic;
use super::{CONFIDENTIAL, DOCTOR, Inferno, text};
use crate::support::{SECRET, encode};

/// Group 9.3 `Test02` and `Test03`, after the revocation endpoint of the configuration was told: nothing is
/// left of either token.
#[tokio::test]
async fn a_revoked_token_opens_nothing_and_is_not_refreshed() {
    let inferno = Inferno::start().await;
    let tokens = inferno.launch(CONFIDENTIAL, "launch/patient openid offline_access patient/Patient.rs", DOCTOR).await;
    inferno.assert_patient_can_be_read(&tokens).await;
    let configuration = inferno.configuration().await;
    let request = Request::post(text(&configuration, "revocation_endpoint"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", basic(CONFIDENTIAL, SECRET));
    let reply = inferno.http(request, encode(&[("token", text(&tokens, "refresh_token"))])).await;
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.body);

    let read = inferno.fhir("Patient/p001", Some(text(&tokens, "access_token"))).await;
    assert!([401, 403, 404].contains(&read.status.as_u16()), "{}", read.body);
    let refresh = inferno.refresh(CONFIDENTIAL, text(&tokens, "refresh_token"), None).await;
    assert!([400, 401].contains(&refresh.status.as_u16()), "{}", refresh.body);
}
