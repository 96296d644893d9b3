//! Which encounter a token is about (SMART App Launch 2.2, `launch/encounter`).

use serde_json::json;

use crate::support::ask::{Ask, claims};
use crate::support::{Browser, Landing, TestApp};

const ENCOUNTER: &str = "openid launch/encounter patient/Patient.rs";

/// The list of visits, with dr.a in front of it and p1 chosen.
async fn at_the_visits<'a>(app: &'a TestApp) -> (Browser<'a>, Landing) {
    let mut browser = app.browser();
    let page = browser.ask(&Ask::of("spa").with("scope", ENCOUNTER)).await;
    let page = browser.log_in(&page, "dr.a").await;
    let page = browser.pick(&page, "p1").await;
    assert_eq!(page.path(), "/encounter", "{}", page.reply.body);
    (browser, page)
}

/// A patient without visits: the page says so, and who goes on is not told of any; the answer says that too.
#[tokio::test]
async fn without_a_visit_the_scope_is_not_given() {
    let app = TestApp::start().await;
    let (mut browser, page) = at_the_visits(&app).await;
    assert!(page.reply.body.contains("There are no visits of this patient here") && page.reply.body.contains("Ada Test"));
    let page = browser.submit(&page.at, &[("csrf", &page.csrf()), ("none", "1")]).await;
    assert_eq!(page.path(), "/consent");
    let landing = browser.approve(&page).await;
    let tokens = app.tokens_of("spa", &landing).await;
    assert_eq!(tokens["scope"], "openid patient/Patient.rs");
    assert_eq!(tokens["patient"], "p1");
    assert!(tokens.get("encounter").is_none() && claims(&tokens["access_token"]).get("encounter").is_none());
}

/// SL-16 for encounters: there is no way round the page.
#[tokio::test]
async fn the_page_cannot_be_passed_by() {
    let app = TestApp::start().await;
    let (mut browser, page) = at_the_visits(&app).await;
    for path in ["/authorize", "/consent", "/login", "/patient"] {
        assert_eq!(browser.go(&format!("{path}?flow={}", page.flow())).await.path(), "/encounter", "{path}");
    }
    for encounter in ["e-of-another", "../e1", "Encounter/e1", "e1,e2"] {
        let told = browser.submit(&page.at, &[("csrf", &page.csrf()), ("encounter", encounter)]).await;
        told.reply.assert_page(403, None);
    }
    for form in [&[][..], &[("encounter", "e1"), ("none", "1")], &[("encounter", "")]] {
        let csrf = page.csrf();
        let form = [&[("csrf", csrf.as_str())], form].concat();
        browser.submit(&page.at, &form).await.reply.assert_page(403, None);
    }
    browser.submit(&page.at, &[("none", "1")]).await.reply.assert_page(403, None);
    assert!(app.audit("code.issued").await.is_empty());
}

/// A change of mind, and a silent request.
#[tokio::test]
async fn whoever_cancels_gives_nothing() {
    let app = TestApp::start().await;
    let (mut browser, page) = at_the_visits(&app).await;
    let told = browser.submit(&page.at, &[("csrf", &page.csrf()), ("cancel", "1")]).await;
    told.reply.assert_redirect_error("https://app.test/cb?", "access_denied");
    let (mut browser, page) = at_the_visits(&app).await;
    let page = browser.submit(&page.at, &[("csrf", &page.csrf()), ("switch_user", "1")]).await;
    assert_eq!(page.path(), "/login");
    // Another person begins anew.
    assert_eq!(browser.log_in(&page, "dr.b").await.path(), "/patient");
    let silent = browser.ask(&Ask::of("spa").with("scope", ENCOUNTER).with("prompt", "none")).await;
    assert_eq!(silent.reply.param("error").as_deref(), Some("interaction_required"));
    assert!(app.audit("code.issued").await.is_empty());
}

/// Who went on without a visit did so for one patient and as one person.
#[tokio::test]
async fn going_on_without_a_visit_is_one_person_s_word() {
    let app = TestApp::start().await;
    let (mut browser, page) = at_the_visits(&app).await;
    let consent = browser.submit(&page.at, &[("csrf", &page.csrf()), ("none", "1")]).await;
    let page = browser.submit(&consent.at, &[("csrf", &consent.csrf()), ("decision", "switch_user")]).await;
    let page = browser.log_in(&page, "dr.b").await;
    let page = browser.pick(&page, "p3").await;
    assert_eq!(page.path(), "/encounter");
    assert!(page.reply.body.contains("Cy Test"));
}

/// LCH-5: in an EHR launch the encounter is the EHR's; only where it has none open is one chosen.
#[tokio::test]
async fn the_encounter_of_an_ehr_is_nobody_s_to_choose() {
    let app = TestApp::with_ehr().await;
    let mut browser = app.browser();
    browser.sign_in("dr.a").await;
    let scope = "launch launch/encounter patient/Patient.rs";
    let wish = json!({ "client_id": "clinic", "username": "dr.a", "patient": "p1", "encounter": "e7" });
    let landing = browser.ask(&Ask::launched("clinic", &app.launch_of(&wish).await).with("scope", scope)).await;
    let tokens = app.tokens_of("clinic", &landing).await;
    assert_eq!((tokens["encounter"].as_str(), tokens["scope"].as_str()), (Some("e7"), Some(scope)));

    let page = browser.ask(&Ask::launched("clinic", &app.launch("clinic", "p1").await).with("scope", scope)).await;
    assert_eq!(page.path(), "/encounter");
    let landing = browser.submit(&page.at, &[("csrf", &page.csrf()), ("none", "1")]).await;
    let tokens = app.tokens_of("clinic", &landing).await;
    assert_eq!((tokens["patient"].as_str(), tokens["scope"].as_str()), (Some("p1"), Some("launch patient/Patient.rs")));
    assert!(tokens.get("encounter").is_none());
}
