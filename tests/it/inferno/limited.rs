//! Group 2 of (g)(10): a person lets the app have some types of what it asked for, and no others.

use super::kit::tokens;
use super::standalone::{FULL, TYPES, search};
use super::{CONFIDENTIAL, DOCTOR, Inferno, granted, text};
use crate::support::Landing;

const CHOSEN: [&str; 3] = ["Patient", "Condition", "Observation"];

async fn choose(inferno: &Inferno) -> Landing {
    let mut browser = inferno.app.browser();
    let page = browser.go(&inferno.ask(CONFIDENTIAL, FULL).path()).await;
    let page = browser.log_in(&page, "dr.larkspur").await;
    let page = browser.pick(&page, DOCTOR.patient).await;
    let kept: Vec<String> = page
        .scopes()
        .into_iter()
        .filter(|scope| !scope.starts_with("patient/") || CHOSEN.iter().any(|kind| *scope == format!("patient/{kind}.rs")))
        .collect();
    browser.approve_only(&page, &kept.iter().map(String::as_str).collect::<Vec<_>>()).await
}

/// `g10_limited_scope_grant`, `g10_restricted_access_test`
#[tokio::test]
async fn what_a_person_leaves_out_is_neither_granted_nor_served() {
    let inferno = Inferno::start().await;
    let landing = choose(&inferno).await;
    let tokens = tokens(&inferno.exchange(CONFIDENTIAL, &landing.code()).await);
    let scopes = granted(&tokens);
    for kind in TYPES {
        let is_granted = scopes.iter().any(|scope| scope.starts_with(&format!("patient/{kind}.")));
        assert_eq!(is_granted, CHOSEN.contains(&kind), "{kind}: {scopes:?}");
        let reply = inferno.fhir(&search(kind, DOCTOR.patient), Some(text(&tokens, "access_token"))).await;
        let status = reply.status.as_u16();
        assert!(if is_granted { status == 200 } else { [401, 403].contains(&status) }, "{kind}: {status} {}", reply.body);
    }
    assert!(scopes.contains(&"offline_access") && scopes.contains(&"launch/patient"));
}
