//! Groups 9.12 and 9.21 of (g)(10): a standalone launch of a client that signs with a key of its own.

use super::kit::{ASYMMETRIC, tokens};
use super::{DOCTOR, Inferno, text};

/// `smart_token_exchange` by `private_key_jwt`, the presence of an ID token, `g10_patient_context`, and the refresh
/// group with assertions.
#[tokio::test]
async fn a_client_with_a_key_launches_and_refreshes() {
    let inferno = Inferno::start().await;
    for client in ASYMMETRIC {
        let mut last = inferno.launch(client, "launch/patient openid fhirUser offline_access patient/Patient.rs", DOCTOR).await;
        assert_eq!(text(&last, "id_token").split('.').count(), 3);
        inferno.assert_patient_can_be_read(&last).await;
        for scope in [None, Some("launch/patient openid fhirUser offline_access patient/Patient.rs")] {
            last = tokens(&inferno.refresh(client, text(&last, "refresh_token"), scope).await);
            inferno.assert_patient_can_be_read(&last).await;
        }
        let reply = inferno.refresh(client, "0b9e6f1d-5bb3-4f5b-9df7-9c6a8bcd4c35", None).await;
        assert!([400, 401].contains(&reply.status.as_u16()), "{}", reply.body);
    }
}

/// The configuration says which signatures are read (`client-confidential-asymmetric`).
#[tokio::test]
async fn the_configuration_names_the_algorithms_of_assertions() {
    let document = Inferno::start().await.configuration().await;
    let algorithms = document["token_endpoint_auth_signing_alg_values_supported"].as_array().expect("a list");
    for algorithm in ["RS384", "ES384"] {
        assert!(algorithms.iter().any(|own| own == algorithm), "{algorithm}");
    }
    let methods = document["token_endpoint_auth_methods_supported"].as_array().expect("a list");
    assert!(methods.iter().any(|own| own == "private_key_jwt"));
    assert!(document["scopes_supported"].is_array());
}
