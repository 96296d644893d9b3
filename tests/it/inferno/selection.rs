//! Groups 9.15 and 9.26 (US Core 6.1), 9.27 and 9.28 (US Core 7.0) of (g)(10): the app asks for whole types, the
//! person allows parts of them.

use super::kit::tokens;
use super::{CONFIDENTIAL, DOCTOR, Inferno, granted};

/// `g10_smart_granular_scope_selection`
#[tokio::test]
async fn a_person_chooses_categories_of_what_was_asked_for_as_a_whole() {
    let inferno = Inferno::start().await;
    let scope = "launch/patient openid fhirUser offline_access patient/Condition.rs patient/Observation.rs patient/Patient.rs";
    let mut browser = inferno.app.browser();
    let page = browser.go(&inferno.ask(CONFIDENTIAL, scope).path()).await;
    let page = browser.log_in(&page, "dr.larkspur").await;
    let page = browser.pick(&page, DOCTOR.patient).await;
    let offered = |code: &str| {
        let is_it = |value: &&str| value.contains("?category=") && value.ends_with(&format!("|{code}"));
        page.reply.body.split('"').find(is_it).unwrap_or_else(|| panic!("{code} is not offered")).to_owned()
    };
    // Every sub-resource that US Core knows is there to be chosen.
    for code in [
        "encounter-diagnosis",
        "problem-list-item",
        "health-concern",
        "laboratory",
        "social-history",
        "vital-signs",
        "survey",
        "sdoh",
        "procedure",
    ] {
        offered(code);
    }
    let chosen = ["offline_access".to_owned(), "patient/Patient.rs".to_owned(), offered("problem-list-item"), offered("laboratory")];
    let landing = browser.approve_only(&page, &chosen.each_ref().map(String::as_str)).await;
    let tokens = tokens(&inferno.exchange(CONFIDENTIAL, &landing.code()).await);
    let scopes = granted(&tokens);
    assert!(!scopes.contains(&"patient/Condition.rs") && !scopes.contains(&"patient/Observation.rs"), "{scopes:?}");
    for wanted in [&chosen[1], &chosen[2], &chosen[3]] {
        assert!(scopes.contains(&wanted.as_str()), "{wanted}: {scopes:?}");
    }
    for required in ["openid", "fhirUser", "launch/patient", "offline_access"] {
        assert!(scopes.contains(&required), "{required}");
    }
}
