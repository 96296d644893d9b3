//! Group 9.4 of (g)(10): an app that means another FHIR server.

use super::{CONFIDENTIAL, HOST, Inferno, REDIRECT};

/// `g10_smart_invalid_aud`: by a redirect, since no tester has to attest to that one.
#[tokio::test]
async fn an_aud_that_is_not_ours_gets_an_error_and_no_code() {
    let inferno = Inferno::start().await;
    for scope in ["launch/patient openid patient/Patient.rs", "openid fhirUser offline_access user/Patient.rs"] {
        let ask = inferno.ask(CONFIDENTIAL, scope).with("aud", "https://inferno.healthit.gov/invalid_aud");
        let landing = inferno.app.browser().ask(&ask).await;
        assert!(landing.reply.header("location").starts_with(&format!("{REDIRECT}?error=")), "{}", landing.reply.body);
        assert!(REDIRECT.starts_with(HOST) && landing.reply.param("code").is_none());
        assert!(landing.reply.param("state").is_some());
    }
}
