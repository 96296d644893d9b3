//! The categories of US Core as parts of `Condition` and `Observation` (HTI-1).

use crate::support::ask::Ask;
use crate::support::{Browser, Landing, TestApp, claims};

const CONDITION: [&str; 3] = [
    "http://terminology.hl7.org/CodeSystem/condition-category|encounter-diagnosis",
    "http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item",
    "http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern",
];
const OBSERVATION: [&str; 6] = [
    "http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
    "http://terminology.hl7.org/CodeSystem/observation-category|social-history",
    "http://terminology.hl7.org/CodeSystem/observation-category|vital-signs",
    "http://terminology.hl7.org/CodeSystem/observation-category|survey",
    "http://terminology.hl7.org/CodeSystem/observation-category|procedure",
    "http://hl7.org/fhir/us/core/CodeSystem/us-core-category|sdoh",
];

async fn page_of(browser: &mut Browser<'_>, scope: &str) -> Landing {
    let page = browser.ask(&Ask::of("spa").with("scope", scope)).await;
    let page = if page.path() == "/login" { browser.log_in(&page, "dr.a").await } else { page };
    if page.path() == "/patient" { browser.pick(&page, "p2").await } else { page }
}

/// (g)(10) 9.15, 9.26, 9.27: the whole can be refused and categories be granted, in exactly these words.
#[tokio::test]
async fn categories_can_be_granted_instead_of_the_whole() {
    let app = TestApp::start().await;
    for (level, whole, spelt) in
        [("patient", "rs", "rs"), ("user", "rs", "rs"), ("patient", "read", "rs"), ("patient", "cruds", "cruds"), ("patient", "r", "r")]
    {
        let mut browser = app.browser();
        let asked = format!(
            "launch/patient openid fhirUser offline_access {level}/Condition.{whole} {level}/Observation.{whole} {level}/Patient.{whole}"
        );
        let page = page_of(&mut browser, &asked).await;
        let offered: Vec<String> = page.boxes().into_iter().map(|(value, _)| value).collect();
        let part = |name: &str, category: &str| format!("{level}/{name}.{spelt}?category={category}");
        let parts: Vec<String> =
            CONDITION.iter().map(|c| part("Condition", c)).chain(OBSERVATION.iter().map(|c| part("Observation", c))).collect();
        for part in &parts {
            assert!(offered.contains(part), "{part} is not offered");
        }
        let patient = format!("{level}/Patient.{whole}");
        let ticked = [parts[0].as_str(), parts[5].as_str(), parts[8].as_str(), patient.as_str(), "offline_access"];
        let landing = browser.approve_only(&page, &ticked).await;
        let tokens = app.redeem("spa", &landing.code()).await.tokens();
        let granted = tokens["scope"].as_str().expect("a scope").to_owned();
        for kept in ["launch/patient", "openid", "fhirUser", "offline_access"].into_iter().chain(ticked) {
            assert!(granted.split(' ').any(|scope| scope == kept), "{kept} in {granted}");
        }
        assert_eq!(granted.split(' ').count(), 8, "{granted}");
        assert_eq!(claims(&tokens["access_token"])["scope"], granted);
        // Refreshing gives the same, and never the whole.
        assert_eq!(app.refresh("spa", &tokens["refresh_token"]).await.tokens()["scope"], granted);
        let whole = format!("{level}/Condition.{whole}");
        let page = page_of(&mut browser, &asked).await;
        let tokens = app.redeem("spa", &browser.approve(&page).await.code()).await.tokens();
        assert!(tokens["scope"].as_str().is_some_and(|scope| scope.contains(&whole) && !scope.contains('?')), "{tokens}");
    }
}

/// NEG-9: the categories are there as well for who narrows "everything".
#[tokio::test]
async fn categories_can_be_granted_out_of_everything() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = page_of(&mut browser, "openid launch/patient patient/*.rs").await;
    let lab = format!("patient/Observation.rs?category={}", OBSERVATION[0]);
    let landing = browser.approve_only(&page, &["patient/Patient.rs", &lab]).await;
    assert_eq!(app.redeem("spa", &landing.code()).await.tokens()["scope"], format!("openid launch/patient patient/Patient.rs {lab}"));
}

/// The whole beside a part of it would make the part void.
#[tokio::test]
async fn the_whole_beside_a_category_is_no_decision() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let lab = format!("patient/Observation.rs?category={}", OBSERVATION[0]);
    let page = page_of(&mut browser, "openid patient/Observation.rs").await;
    let again = browser.approve_only(&page, &["patient/Observation.rs", &lab]).await;
    assert_eq!((again.reply.status.as_u16(), again.scopes()), (400, vec!["patient/Observation.rs".to_owned()]));
    for forged in [
        format!("patient/Observation.cruds?category={}", OBSERVATION[0]),
        "patient/Observation.rs?category=x".to_owned(),
        lab.replace("patient/", "user/"),
    ] {
        browser.approve_only(&page, &[&forged]).await.reply.assert_page(403, None);
    }
    assert!(app.audit("code.issued").await.is_empty());
}

/// What an app asks for in a category of its own is a box of its own, with nothing to choose in it.
#[tokio::test]
async fn a_category_that_is_asked_for_is_granted_as_it_is_spelt() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let lab = format!("patient/Observation.rs?category={}", OBSERVATION[0]);
    let page = page_of(&mut browser, &format!("openid {lab} patient/Patient.rs")).await;
    assert_eq!(page.boxes(), [(lab.clone(), true), ("patient/Patient.rs".to_owned(), true)]);
    let landing = browser.approve_only(&page, &[&lab]).await;
    assert_eq!(app.redeem("spa", &landing.code()).await.tokens()["scope"], format!("openid {lab}"));
}
