//! Decisions that are remembered: they answer for what was asked then, and never for more.

use admit::client::{Asking, Client, ClientAuth};
use time::Duration;

use crate::support::ask::Ask;
use crate::support::{Browser, Landing, TestApp, client};

const CB: &str = "https://keeps.test/cb";

fn ask(scope: &str) -> Ask {
    Ask::of("keeps").with("redirect_uri", CB).with("scope", scope)
}

/// A server with an app that remembers what people decided.
async fn start() -> TestApp {
    let app = TestApp::start().await;
    let keeps = client("keeps", ClientAuth::None, &[CB]);
    app.register(Client { asks_clinicians: Asking::Remembered, asks_patients: Asking::Remembered, fhir_bases: vec![], ..keeps }).await;
    app
}

/// As far as the consent page, or past it.
async fn open(browser: &mut Browser<'_>, ask: &Ask, username: &str, patient: &str) -> Landing {
    let page = browser.ask(ask).await;
    let page = if page.path() == "/login" { browser.log_in(&page, username).await } else { page };
    if page.path() == "/patient" { browser.pick(&page, patient).await } else { page }
}

async fn granted(app: &TestApp, landing: &Landing) -> String {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &landing.code()),
        ("redirect_uri", CB),
        ("code_verifier", crate::support::VERIFIER),
    ];
    app.token("keeps", &form).await.tokens()["scope"].as_str().expect("a scope").to_owned()
}

#[tokio::test]
async fn a_decision_is_asked_for_once() {
    let app = start().await;
    let mut browser = app.browser();
    let asked = ask("openid patient/Patient.rs patient/Goal.rs");
    let page = open(&mut browser, &asked, "pat1", "").await;
    assert!(page.path() == "/consent" && page.reply.body.contains("kept for 365 days"), "{}", page.reply.body);
    assert_eq!(granted(&app, &browser.approve(&page).await).await, "openid patient/Patient.rs patient/Goal.rs");
    // No page at all, also where none may be shown; and less may be asked for.
    for again in [asked.clone(), asked.clone().with("prompt", "none"), ask("openid patient/Goal.r")] {
        let landing = browser.ask(&again).await;
        landing.assert_code_at(CB);
    }
    assert_eq!((app.audit("consent.granted").await.len(), app.audit("consent.recalled").await.len()), (1, 3));
    // The app, or the person through it, can have the page back.
    assert_eq!(browser.ask(&asked.with("prompt", "consent")).await.path(), "/consent");
}

/// SC-12
#[tokio::test]
async fn what_is_new_is_asked_and_nothing_is_given_silently() {
    let app = start().await;
    let mut browser = app.browser();
    let page = open(&mut browser, &ask("openid patient/Patient.rs patient/Goal.rs"), "pat1", "").await;
    browser.approve_only(&page, &["patient/Patient.rs"]).await.code();

    let more = ask("openid patient/Patient.rs patient/Goal.rs patient/Condition.rs");
    browser.ask(&more.clone().with("prompt", "none")).await.reply.assert_redirect_error(CB, "consent_required");
    let page = browser.ask(&more).await;
    // As it was decided the last time, and what is new is marked.
    assert_eq!(page.scopes(), ["patient/Patient.rs", "patient/Condition.rs"]);
    assert_eq!(page.reply.body.matches(">New<").count(), 1, "{}", page.reply.body);
    for wider in ["openid fhirUser patient/Patient.rs", "openid patient/Patient.cruds", "openid patient/*.rs", "openid offline_access"] {
        assert_eq!(browser.ask(&ask(wider)).await.path(), "/consent", "{wider}");
        browser.ask(&ask(wider).with("prompt", "none")).await.reply.assert_redirect_error(CB, "consent_required");
    }
    // Who denies the new page has not taken the old decision back.
    let denied = browser.submit(&page.at, &[("csrf", &page.csrf()), ("decision", "deny")]).await;
    denied.reply.assert_redirect_error(CB, "access_denied");
    let landing = browser.ask(&ask("openid patient/Patient.rs").with("prompt", "none")).await;
    assert_eq!(granted(&app, &landing).await, "openid patient/Patient.rs");
}

/// What was denied is not given because it is asked for again.
#[tokio::test]
async fn a_narrow_decision_is_not_widened() {
    let app = start().await;
    let mut browser = app.browser();
    let asked = ask("openid offline_access patient/*.rs");
    let page = open(&mut browser, &asked, "pat1", "").await;
    browser.approve_only(&page, &["patient/Goal.rs", "patient/Patient.rs"]).await.code();
    let landing = browser.ask(&asked).await;
    assert_eq!(granted(&app, &landing).await, "openid patient/Patient.rs patient/Goal.rs");
    let landing = browser.ask(&ask("openid patient/Goal.rs patient/Condition.rs")).await;
    assert_eq!(granted(&app, &landing).await, "openid patient/Goal.rs");
    // Where nothing of it would be left, the person is asked.
    assert_eq!(browser.ask(&ask("patient/Condition.rs")).await.path(), "/consent");
}

#[tokio::test]
async fn a_decision_grows_old() {
    let app = start().await;
    let asked = ask("openid patient/Patient.rs");
    let page = open(&mut app.browser(), &asked, "pat1", "").await;
    assert_eq!(page.path(), "/consent");
    let mut browser = app.browser();
    let page = open(&mut browser, &asked, "pat1", "").await;
    browser.approve(&page).await.code();
    app.advance(Duration::days(365) - Duration::seconds(1));
    open(&mut app.browser(), &asked, "pat1", "").await.assert_code_at(CB);
    app.advance(Duration::seconds(1));
    assert_eq!(open(&mut app.browser(), &asked, "pat1", "").await.path(), "/consent");
    app.advance(Duration::seconds(1));
    app.store().purge(&app.origin()).await.expect("the store");
    assert_eq!(app.count("select count(*) from remembered_consent").await, 0);
}

/// One person, one app, one patient, one FHIR base: each has a decision of its own.
#[tokio::test]
async fn a_decision_is_about_one_person_one_patient_and_one_base() {
    let app = start().await;
    let asked = ask("openid launch/patient user/Patient.rs");
    let mut browser = app.browser();
    let page = open(&mut browser, &asked, "dr.a", "p1").await;
    browser.approve(&page).await.code();
    open(&mut browser, &asked, "dr.a", "p1").await.assert_code_at(CB);
    assert_eq!(open(&mut browser, &asked, "dr.a", "p2").await.path(), "/consent");
    assert_eq!(open(&mut browser, &ask("openid user/Patient.rs"), "dr.a", "").await.path(), "/consent");
    assert_eq!(open(&mut app.browser(), &asked, "dr.b", "p3").await.path(), "/consent");
    assert_eq!(open(&mut app.browser(), &asked, "proxy", "p1").await.path(), "/consent");
    let elsewhere = ask("openid user/Patient.rs").with("aud", crate::support::FHIR2);
    assert_eq!(open(&mut browser, &elsewhere, "dr.a", "").await.path(), "/consent");
}

/// SC-15: a registration that changed was not what the person saw.
#[tokio::test]
async fn a_changed_registration_is_asked_about() {
    let app = start().await;
    let mut browser = app.browser();
    let asked = ask("openid patient/Patient.rs");
    let page = open(&mut browser, &asked, "pat1", "").await;
    browser.approve(&page).await.code();
    app.sql("update client set scopes = 'openid patient/*.rs' where client_id = 'keeps'").await;
    assert_eq!(browser.ask(&asked).await.path(), "/consent");
}

/// What is remembered counts only while the administrator lets it.
#[tokio::test]
async fn who_is_asked_always_is_asked_again() {
    let app = start().await;
    let mut browser = app.browser();
    let asked = ask("openid patient/Patient.rs");
    let page = open(&mut browser, &asked, "pat1", "").await;
    browser.approve(&page).await.code();
    app.sql("update client set asks_patients = 'always' where client_id = 'keeps'").await;
    assert_eq!(browser.ask(&asked).await.path(), "/consent");
    browser.ask(&asked.with("prompt", "none")).await.reply.assert_redirect_error(CB, "consent_required");
}

/// RFC 8252 §8.6: any program on a device can answer for a scheme or a port; nothing goes there unasked.
#[tokio::test]
async fn nothing_is_remembered_for_an_address_that_others_could_answer_for() {
    let app = TestApp::start().await;
    let local =
        |id: &str, auth| Client { asks_patients: Asking::Remembered, ..client(id, auth, &["http://127.0.0.1/cb", "com.example.app:/cb"]) };
    app.register(local("native", ClientAuth::None)).await;
    app.register(local("desktop", ClientAuth::ClientSecretPost)).await;
    for (id, uri, next) in [
        ("native", "http://127.0.0.1:4711/cb", "/consent"),
        ("native", "com.example.app:/cb", "/consent"),
        ("desktop", "http://127.0.0.1:4711/cb", "/authorize"),
    ] {
        let asked = Ask::of(id).with("redirect_uri", uri).with("scope", "openid");
        let mut browser = app.browser();
        let page = open(&mut browser, &asked, "pat1", "").await;
        browser.approve(&page).await.code();
        assert_eq!(browser.ask(&asked).await.path(), next, "{id} {uri}");
    }
}

/// Signing in again decides nothing anew: a decision stands however the person proves who they are.
#[tokio::test]
async fn a_decision_outlives_the_session() {
    let app = start().await;
    let asked = ask("openid patient/Patient.rs");
    let mut browser = app.browser();
    let page = open(&mut browser, &asked, "pat1", "").await;
    browser.approve(&page).await.code();
    let mut another = app.browser();
    let page = another.ask(&asked).await;
    assert_eq!(page.path(), "/login");
    another.log_in(&page, "pat1").await.assert_code_at(CB);
}

/// Two tabs, one taken back: of a decision that is gone nothing comes any more.
#[tokio::test]
async fn a_decision_that_was_taken_back_answers_nothing() {
    let app = start().await;
    let asked = ask("openid patient/Patient.rs");
    let mut browser = app.browser();
    let page = open(&mut browser, &asked, "pat1", "").await;
    browser.approve(&page).await.code();
    let which = admit::store::Selection { user: Some(admit::id::UserId::new("u-pat1")), ..Default::default() };
    let revoked = app.store().revoke_standing(&app.origin(), which, "a test").await.expect("the store");
    assert_eq!((revoked.grants, revoked.decisions), (1, 1));
    browser.ask(&asked.clone().with("prompt", "none")).await.reply.assert_redirect_error(CB, "consent_required");
    assert_eq!(browser.ask(&asked).await.path(), "/consent");
    let forgotten = app.audit("consent.forgotten").await;
    assert_eq!((forgotten.len(), forgotten[0].detail.as_deref(), forgotten[0].patient_id.as_deref()), (1, Some("a test"), Some("p1")));
}
