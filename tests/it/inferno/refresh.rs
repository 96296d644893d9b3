//! Groups 1.4, 1.5, 2.4 and 2.5 of the suites: refresh without and with a scope; (g)(10)'s refresh group.

use std::collections::BTreeSet;

use super::kit::tokens;
use super::{CONFIDENTIAL, DOCTOR, Inferno, PUBLIC, granted, text};

const SCOPE: &str = "launch/patient openid fhirUser offline_access patient/Patient.rs patient/Observation.rs";

/// `smart_token_refresh`, `smart_token_refresh_stu2`, `smart_token_refresh_body`, `smart_token_response_headers`,
/// `g10_token_refresh_without_scopes`, `g10_token_refresh_with_scopes`, `g10_patient_context`: each time with the
/// refresh token of the last answer.
#[tokio::test]
async fn a_token_is_refreshed_without_and_with_its_scope() {
    let inferno = Inferno::start().await;
    for client in [PUBLIC, CONFIDENTIAL] {
        let mut last = inferno.launch(client, SCOPE, DOCTOR).await;
        for scope in [None, Some(SCOPE), None] {
            let before: BTreeSet<String> = granted(&last).into_iter().map(str::to_owned).collect();
            let renewed = tokens(&inferno.refresh(client, text(&last, "refresh_token"), scope).await);
            let after: BTreeSet<String> = granted(&renewed).into_iter().map(str::to_owned).collect();
            assert!(after.is_subset(&before), "{client}: {after:?}");
            assert_ne!(text(&renewed, "access_token"), text(&last, "access_token"));
            inferno.assert_patient_can_be_read(&renewed).await;
            last = renewed;
        }
    }
}

/// `g10_invalid_token_refresh`
#[tokio::test]
async fn a_made_up_refresh_token_is_refused() {
    let inferno = Inferno::start().await;
    for client in [PUBLIC, CONFIDENTIAL] {
        let reply = inferno.refresh(client, "8ad3f2ba-7a4c-4b8b-a1cc-04fe3c6df15e", None).await;
        assert!([400, 401].contains(&reply.status.as_u16()), "{}", reply.body);
    }
}
