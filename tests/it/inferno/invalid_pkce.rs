//! Groups 9.7 and 9.18 of (g)(10): four launches whose code verifier is missing or wrong.

use super::{CONFIDENTIAL, DOCTOR, Inferno, PUBLIC, REDIRECT};
use crate::support::{VERIFIER, challenge};

/// Group 9.7: no verifier, an empty one, another one, the challenge itself. Confidential clients as well.
#[tokio::test]
async fn each_wrong_verifier_is_400_or_401() {
    let inferno = Inferno::start().await;
    let other = "3b241101-e2bb-4255-8caf-4136c566a962-3b241101-e2bb-4255-8caf-4136c566a962";
    let itself = challenge(VERIFIER);
    for client in [CONFIDENTIAL, PUBLIC] {
        for verifier in [None, Some(""), Some(other), Some(itself.as_str())] {
            let landing = inferno.authorize(&inferno.ask(client, "launch/patient patient/Patient.rs"), false, DOCTOR).await;
            let code = landing.code();
            let mut form = vec![("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", REDIRECT)];
            form.extend(verifier.map(|verifier| ("code_verifier", verifier)));
            let reply = inferno.token(client, &form).await;
            assert!([400, 401].contains(&reply.status.as_u16()), "{client} {verifier:?}: {}", reply.body);
            assert!(reply.json().get("access_token").is_none());
        }
    }
}
