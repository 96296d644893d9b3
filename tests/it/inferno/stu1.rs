//! The suite STU1: an app that knows of no PKCE, with v1 scopes.

use super::kit::tokens;
use super::{CONFIDENTIAL, DOCTOR, Inferno, PUBLIC, REDIRECT, granted};

const SCOPE: &str = "launch/patient openid fhirUser offline_access patient/Patient.read";

async fn exempt(inferno: &Inferno) {
    inferno.app.sql("update client set pkce_exempt_at = 1 where client_id like 'inferno-%'").await;
}

/// STU1 groups 1.2 and 1.4 with `pkce_support: disabled`, which is the kit's default: for a client that is exempt.
#[tokio::test]
async fn an_exempt_client_launches_without_pkce() {
    let inferno = Inferno::facing("1.0").await;
    exempt(&inferno).await;
    for client in [PUBLIC, CONFIDENTIAL] {
        let ask = inferno.ask(client, SCOPE).without("code_challenge").without("code_challenge_method");
        let code = inferno.authorize(&ask, false, DOCTOR).await.code();
        let form = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", REDIRECT)];
        let first = tokens(&inferno.token(client, &form).await);
        assert_eq!(granted(&first), SCOPE.split(' ').collect::<Vec<_>>());
        inferno.assert_patient_can_be_read(&first).await;
        let renewed = tokens(&inferno.refresh(client, super::text(&first, "refresh_token"), None).await);
        inferno.assert_patient_can_be_read(&renewed).await;
    }
}

/// The same with `pkce_support: enabled`: no client has to be exempt.
#[tokio::test]
async fn a_client_of_stu1_that_knows_pkce_needs_no_exemption() {
    let inferno = Inferno::facing("1.0").await;
    let tokens = inferno.launch(CONFIDENTIAL, SCOPE, DOCTOR).await;
    inferno.assert_patient_can_be_read(&tokens).await;
}
