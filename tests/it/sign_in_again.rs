//! Sign-ins at the edge: a password that changes meanwhile, a lock that is lifted, apps that show no page.

use admit::id::{PatientId, SessionId, UserId};
use admit::person::{Patient, canonical_username};
use admit::secret::{Digest, SessionSecret};
use admit::store::{Attempt, ImportedPatient, NewSession};
use time::Duration;

use crate::support::visit::form_with;
use crate::support::{PASSWORD, SCOPE, TestApp, VERIFIER, challenge, request};

const CLINIC: &str = "https://clinic.test/cb";

async fn new_session(app: &TestApp, password_hash: String) -> NewSession {
    let (user, _) = app.store().user_by_name(&app.origin().tenant, "dr.a").await.expect("the store").expect("dr.a");
    NewSession {
        id: SessionId::new("a-session"),
        digest: SessionSecret::generate().digest(),
        attempt: Attempt { account: Digest::of("dr.a"), network: "unknown".to_owned() },
        flow: None,
        replaces: None,
        user,
        password_hash,
    }
}

/// A password is compared, then it is changed, then the session would start: it does not.
#[tokio::test]
async fn a_password_that_was_changed_meanwhile_starts_no_session() {
    let app = TestApp::start().await;
    let (user, compared) = app.store().user_by_name(&app.origin().tenant, "dr.a").await.expect("the store").expect("dr.a");
    let hash = app.app.passwords.hash("another four words").await.expect("a hash");
    assert!(app.store().set_password(&app.origin(), &user.id, &hash).await.expect("the store"));
    assert!(!app.store().start_session(&app.origin(), new_session(&app, compared).await).await.expect("the store"));
    assert_eq!(app.count("select count(*) from session where tenant_id = 'default'").await, 0);
    assert!(app.store().start_session(&app.origin(), new_session(&app, hash).await).await.expect("the store"));
}

/// The same for an account that is switched off meanwhile.
#[tokio::test]
async fn an_account_that_was_switched_off_meanwhile_starts_no_session() {
    let app = TestApp::start().await;
    let (user, compared) = app.store().user_by_name(&app.origin().tenant, "dr.a").await.expect("the store").expect("dr.a");
    assert!(app.store().disable_user(&app.origin(), &user.id).await.expect("the store"));
    assert!(!app.store().start_session(&app.origin(), new_session(&app, compared).await).await.expect("the store"));
}

#[tokio::test]
async fn a_new_password_is_not_made_to_wait_for_tries_at_the_old_one() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let challenge = challenge(VERIFIER);
    let mut page = browser.authorize(&request("clinic", CLINIC, "openid", &challenge)).await;
    for _ in 0..6 {
        page = browser.log_in_with(&page, "dr.a", "not the password at all").await;
    }
    assert_eq!(browser.log_in(&page, "dr.a").await.path(), "/login", "the account waits");

    let hash = app.app.passwords.hash(PASSWORD).await.expect("a hash");
    app.store().set_password(&app.origin(), &UserId::new("u-dr.a"), &hash).await.expect("the store");
    assert_eq!(app.store().attempts(&app.origin(), &Digest::of(&canonical_username("dr.a"))).await.expect("the store"), 0);
    browser.log_in(&page, "dr.a").await.code();
}

/// An administrator has decided for clinicians: no page is shown, and yet they are there.
#[tokio::test]
async fn opening_a_pre_approved_app_keeps_a_clinician_s_session_awake() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let challenge = challenge(VERIFIER);
    let page = browser.authorize(&request("clinic", CLINIC, "openid", &challenge)).await;
    browser.log_in(&page, "dr.a").await.code();
    for _ in 0..4 {
        app.advance(Duration::minutes(10));
        browser.authorize(&request("clinic", CLINIC, "openid", &challenge)).await.code();
    }
    app.advance(Duration::minutes(16));
    assert_eq!(browser.authorize(&request("clinic", CLINIC, "openid", &challenge)).await.path(), "/login");
}

/// RFC 6749 §6 does not ask a public client to say who it is when it refreshes, and fhirclient does not.
#[tokio::test]
async fn a_public_app_refreshes_without_saying_who_it_is() {
    let app = TestApp::start().await;
    let tokens = app.tokens("spa", SCOPE).await;
    let refresh = tokens["refresh_token"].as_str().expect("a token").to_owned();
    let form = |token: &str| vec![("grant_type".to_owned(), "refresh_token".to_owned()), ("refresh_token".to_owned(), token.to_owned())];
    let send = async |token: &str| {
        let form = form(token);
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        app.post("/token", None, &form).await
    };
    let reply = send(&refresh).await;
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.body);
    assert_ne!(reply.json()["refresh_token"].as_str(), Some(refresh.as_str()));

    // A token that nobody was given says nothing; and a confidential client's never does.
    send("sr_nobody-was-given-this").await.assert_token_error(401, "invalid_client");
    let confidential = app.tokens("webq", SCOPE).await;
    let token = confidential["refresh_token"].as_str().expect("a token");
    send(token).await.assert_token_error(401, "invalid_client");
    assert_eq!(app.refresh("webq", &confidential["refresh_token"]).await.status.as_u16(), 200);
}

/// Claim first, for a network as well: a burst of names at once is charged before any password is looked at.
#[tokio::test]
async fn a_burst_of_names_from_one_network_is_stopped_at_the_limit() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let challenge = challenge(VERIFIER);
    let page = browser.authorize(&request("clinic", CLINIC, "openid", &challenge)).await;
    let cookie = format!("__Host-tx-{0}={1}", page.flow(), browser.cookie(&format!("__Host-tx-{}", page.flow())).expect("a cookie"));
    let csrf = page.csrf();
    let names: Vec<String> = (0..60).map(|n| format!("somebody{n}")).collect();
    let tries = names.iter().map(|name| {
        let form = [("csrf", csrf.as_str()), ("username", name.as_str()), ("password", "wrong")];
        app.call(form_with(&page.at, &form, &[("cookie", &cookie)]))
    });
    let replies: Vec<u16> = futures_util::future::join_all(tries).await.iter().map(|reply| reply.status.as_u16()).collect();
    let looked_at = replies.iter().filter(|status| **status != 429).count();
    assert!(looked_at <= 16, "{replies:?}");
    assert_eq!(app.audit("login").await.len(), 60);
}

/// Whoever may no longer open a patient takes the app's access along at the next refresh.
#[tokio::test]
async fn a_refresh_ends_with_the_right_to_open_the_patient() {
    let app = TestApp::start().await;
    let tokens = app.tokens("spa", SCOPE).await;
    let refreshed = app.refresh("spa", &tokens["refresh_token"]).await.json();
    app.sql("delete from panel where fhir_user = 'Practitioner/a'").await;
    app.refresh("spa", &refreshed["refresh_token"]).await.assert_token_error(400, "invalid_grant");
    assert!(!app.is_active(&refreshed["access_token"]).await);
}

/// A record that is closed, or merged into another, takes every app's access along at the next refresh.
#[tokio::test]
async fn a_refresh_ends_with_the_patient_s_record() {
    let app = TestApp::start().await;
    let tokens = app.tokens("spa", SCOPE).await;
    let refreshed = app.refresh("spa", &tokens["refresh_token"]).await.json();
    let patient = Patient {
        id: PatientId::new(tokens["patient"].as_str().expect("a patient")),
        name: "Bo Test".to_owned(),
        birth_date: "2019-12-01".to_owned(),
        sex: "female".to_owned(),
        mrn: "MRN-p2".to_owned(),
    };
    let closed = ImportedPatient { patient, is_inactive: true, opened_by: vec![] };
    app.store().import_patients(&app.origin(), "one", vec![closed], false).await.expect("an import");
    app.refresh("spa", &refreshed["refresh_token"]).await.assert_token_error(400, "invalid_grant");
    assert!(!app.is_active(&refreshed["access_token"]).await);
    assert_eq!(app.audit("grant.revoked").await[0].detail.as_deref(), Some("the patient's record was closed or merged into another"));
}

/// Two tabs, one flow: the page in the first is about somebody else by now.
#[tokio::test]
async fn a_consent_page_answers_for_the_person_and_patient_that_it_showed() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let challenge = challenge(VERIFIER);
    let page = browser.authorize(&request("spa", "https://app.test/cb", "launch/patient patient/*.rs", &challenge)).await;
    let page = browser.log_in(&page, "dr.a").await;
    let shown_to_a = browser.pick(&page, "p1").await;
    let login = browser.submit(&shown_to_a.at, &[("csrf", &shown_to_a.csrf()), ("decision", "switch_user")]).await;
    let page = browser.log_in(&login, "dr.b").await;
    let shown_to_b = browser.pick(&page, "p3").await;

    let answered = browser.approve(&shown_to_a).await;
    assert_eq!((answered.path(), answered.reply.status.as_u16()), ("/consent", 200), "asked anew");
    browser.approve(&shown_to_b).await.code();
}

/// Two tabs, two flows: the same person signs in again in the second, and the page in the first still counts.
#[tokio::test]
async fn a_consent_page_outlives_another_sign_in_of_the_same_person() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let challenge = challenge(VERIFIER);
    let ask = request("spa", "https://app.test/cb", "launch/patient patient/*.rs", &challenge);
    let page = browser.authorize(&ask).await;
    let page = browser.log_in(&page, "dr.a").await;
    let consent = browser.pick(&page, "p1").await;
    let second = browser.authorize(&[&ask[..], &[("prompt", "login")]].concat()).await;
    assert_eq!(browser.log_in(&second, "dr.a").await.path(), "/patient");
    browser.approve(&consent).await.code();
}
