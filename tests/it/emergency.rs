//! Emergency access: a clinician opens one patient outside of their panel, for a reason, and it is remembered.

use admit::client::{Asking, Client, ClientAuth};
use admit::store::AuditRow;
use admit::tenant::Patients;
use time::Duration;

use crate::support::ask::Ask;
use crate::support::{Browser, Landing, TestApp, client};

const REASON: &str = "Unconscious in the emergency room";
const SCOPE: &str = "openid fhirUser launch/patient patient/*.rs offline_access online_access";

async fn allow(app: &TestApp) {
    let patients = Patients { has_emergency_access: true, ..Patients::default() };
    assert!(app.store().update_patients(&app.origin(), "one", &patients).await.expect("a FHIR base"));
}

/// The form, with dr.a in front of it.
async fn form<'a>(app: &'a TestApp, client: &str) -> (Browser<'a>, Landing) {
    let mut browser = app.browser();
    let page = browser.ask(&Ask::of(client).with("scope", SCOPE)).await;
    let page = browser.log_in(&page, "dr.a").await;
    assert!(page.reply.body.contains("/patient/emergency?flow="), "{}", page.reply.body);
    let page = browser.go(&page.at.replace("/patient?", "/patient/emergency?")).await;
    assert_eq!(page.reply.status.as_u16(), 200);
    (browser, page)
}

async fn fill(browser: &mut Browser<'_>, page: &Landing, fields: &[(&str, &str)]) -> Landing {
    let csrf = page.csrf();
    browser.submit(&page.at, &[&[("csrf", csrf.as_str())], fields].concat()).await
}

fn shows(page: &Landing, name: &str) -> bool {
    page.reply.body.contains(name)
}

/// SL-11: without a word of the administrator's, the panel is the end of it.
#[tokio::test]
async fn where_nobody_allowed_it_there_is_no_emergency_access() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = browser.ask(&Ask::of("spa").with("scope", SCOPE)).await;
    let page = browser.log_in(&page, "dr.a").await;
    assert!(!shows(&page, "emergency"));
    let there = page.at.replace("/patient?", "/patient/emergency?");
    browser.go(&there).await.reply.assert_page(403, None);
    let fields = [("csrf", page.csrf()), ("mrn", "MRN-p3".to_owned()), ("reason", REASON.to_owned()), ("patient", "p3".to_owned())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.submit(&there, &fields).await.reply.assert_page(403, None);
    assert_eq!(app.audit("patient.emergency_access").await.iter().filter(|row| row.outcome == "refused").count(), 2);
    assert!(app.audit("code.issued").await.is_empty());
}

/// It is for clinicians.
#[tokio::test]
async fn patients_and_carers_have_no_emergency_access() {
    let app = TestApp::start().await;
    allow(&app).await;
    for username in ["proxy", "clerk"] {
        let mut browser = app.browser();
        let page = browser.ask(&Ask::of("spa").with("scope", SCOPE)).await;
        let page = browser.log_in(&page, username).await;
        assert!(page.path() == "/patient" && !shows(&page, "emergency"), "{username}");
        browser.go(&page.at.replace("/patient?", "/patient/emergency?")).await.reply.assert_page(403, None);
    }
}

/// No list: who is meant is known already, and is named exactly, with a reason.
#[tokio::test]
async fn only_who_is_named_exactly_is_found_and_only_for_a_reason() {
    let app = TestApp::start().await;
    allow(&app).await;
    let (mut browser, page) = form(&app, "spa").await;
    let reason = ("reason", REASON);
    let (long, short) = ("x".repeat(301), " too   bad ");
    for fields in [
        &[reason][..],
        &[reason, ("mrn", "")],
        &[reason, ("mrn", "MRN-p")],
        &[reason, ("mrn", "%")],
        &[reason, ("mrn", "MRN-p_")],
        &[reason, ("name", "Cy Test")],
        &[reason, ("birth_date", "1950-01-31")],
        &[reason, ("name", "Cy"), ("birth_date", "1950-01-31")],
        &[reason, ("name", "C T"), ("birth_date", "1950-01-31")],
        &[reason, ("name", "Test, test"), ("birth_date", "1950-01-31")],
        &[reason, ("name", "Cy Test"), ("birth_date", "1950")],
        &[reason, ("name", "Cy Test"), ("birth_date", "1950-01-30")],
        &[reason, ("name", "%"), ("birth_date", "1950-01-31")],
        &[("mrn", "MRN-p3")],
        &[("mrn", "MRN-p3"), ("reason", "")],
        &[("mrn", "MRN-p3"), ("reason", short)],
        &[("mrn", "MRN-p3"), ("reason", &long)],
        &[("mrn", "MRN-p3"), ("reason", "\u{202e}\u{202e}\u{202e}\u{202e}\u{202e}\u{202e}\u{202e}\u{202e}\u{202e}\u{202e}\u{202e}")],
    ] {
        let told = fill(&mut browser, &page, fields).await;
        assert_eq!(told.reply.status.as_u16(), 400, "{fields:?}: {}", told.reply.body);
        assert!(!shows(&told, "value=\"p3\""), "{fields:?}");
    }
    for fields in [
        &[reason, ("mrn", " mrn-P3 ")][..],
        &[reason, ("name", "test, CY"), ("birth_date", "1950-01-31")],
        &[reason, ("name", "Cy Test"), ("birth_date", "1950-01-31")],
    ] {
        let found = fill(&mut browser, &page, fields).await;
        assert!(shows(&found, "value=\"p3\"") && shows(&found, REASON), "{fields:?}: {}", found.reply.body);
        assert!(!shows(&found, "value=\"p4\""));
    }
    // Whoever was looked for, and nobody else, can be chosen.
    for patient in ["p4", "p1,p3", "nobody"] {
        let fields = [reason, ("mrn", "MRN-p3"), ("patient", patient)];
        fill(&mut browser, &page, &fields).await.reply.assert_page(403, None);
    }
    browser.submit(&page.at, &[reason, ("mrn", "MRN-p3"), ("patient", "p3")]).await.reply.assert_page(403, None);
    // By the ordinary way, they are as far away as before.
    let list = page.at.replace("/patient/emergency?", "/patient?");
    browser.submit(&list, &[("csrf", &page.csrf()), ("patient", "p3")]).await.reply.assert_page(403, None);
    // Every search that found nobody is in the books.
    let tries = app.audit("patient.emergency_access").await;
    assert!(
        tries.iter().all(|row| row.outcome == "refused" && row.user_id.as_deref() == Some("u-dr.a")) && tries.len() == 12,
        "{tries:#?}"
    );
    assert!(tries.iter().all(|row| row.detail.as_deref().is_some_and(|detail| detail.ends_with(REASON))));
    // So is everybody who was shown, though nobody was opened.
    let found = app.audit("patient.emergency_found").await;
    let of_p3 = |row: &AuditRow| row.patient_id.as_deref() == Some("p3") && row.user_id.as_deref() == Some("u-dr.a");
    assert!(found.len() == 3 && found.iter().all(|row| of_p3(row) && row.detail.as_deref() == Some(REASON)), "{found:#?}");
}

/// The reason is asked, shown, and kept; what it buys ends with the session, and after a shift.
#[tokio::test]
async fn what_an_emergency_opens_is_remembered_and_does_not_last() {
    let app = TestApp::start().await;
    allow(&app).await;
    let trusted = Client { asks_clinicians: Asking::PreApproved, ..client("ward", ClientAuth::None, &["https://app.test/cb"]) };
    app.register(trusted).await;
    let (mut browser, page) = form(&app, "ward").await;
    let found = fill(&mut browser, &page, &[("mrn", "MRN-p3"), ("reason", REASON)]).await;
    let page = fill(&mut browser, &found, &[("mrn", "MRN-p3"), ("reason", REASON), ("patient", "p3")]).await;
    // Even an app that asks nobody asks here.
    assert_eq!(page.path(), "/consent");
    assert!(shows(&page, REASON) && shows(&page, "Cy Test"), "{}", page.reply.body);
    let landing = browser.approve(&page).await;
    let tokens = app.exchange("ward", &landing).await;
    assert_eq!(
        (&tokens["patient"], tokens["scope"].as_str()),
        (&"p3".into(), Some("openid fhirUser launch/patient patient/*.rs online_access"))
    );
    let opened = app.audit("patient.emergency_access").await;
    assert_eq!(
        (opened[0].outcome.as_str(), opened[0].patient_id.as_deref(), opened[0].detail.as_deref()),
        ("success", Some("p3"), Some(REASON))
    );
    assert_eq!(app.count("select count(*) from access_grant where emergency_reason is not null and patient_id = 'p3'").await, 1);

    // They are not on the panel now, and not among those opened last.
    let mut again = app.browser();
    let page = again.ask(&Ask::of("spa").with("scope", SCOPE)).await;
    let page = again.log_in(&page, "dr.a").await;
    assert!(!shows(&page, "Cy Test"));

    // The session is kept alive; after twelve hours it is over all the same.
    app.sql("update session set seen_at = seen_at + 100000, expires_at = expires_at + 100000").await;
    let mut tokens = tokens;
    for _ in 0..3 {
        app.advance(Duration::minutes(10));
        tokens = app.refresh("ward", &tokens["refresh_token"]).await.tokens();
    }
    app.advance(Duration::hours(11) + Duration::minutes(29));
    tokens = app.refresh("ward", &tokens["refresh_token"]).await.tokens();
    app.advance(Duration::minutes(2));
    app.refresh("ward", &tokens["refresh_token"]).await.assert_invalid_grant();
}

/// What was allowed in an emergency ends when the administrator says that there are none.
#[tokio::test]
async fn switching_emergency_access_off_ends_what_it_opened() {
    let app = TestApp::start().await;
    allow(&app).await;
    let (mut browser, page) = form(&app, "spa").await;
    let page = fill(&mut browser, &page, &[("mrn", "MRN-p3"), ("reason", REASON), ("patient", "p3")]).await;
    let landing = browser.approve(&page).await;
    let tokens = app.exchange("spa", &landing).await;
    app.store().update_patients(&app.origin(), "one", &Patients::default()).await.expect("a FHIR base");
    app.refresh("spa", &tokens["refresh_token"]).await.assert_invalid_grant();
    assert_eq!(app.audit("grant.revoked").await[0].detail.as_deref(), Some("the user may not open the patient"));
}

/// Another person who goes on with the flow does not inherit the emergency.
#[tokio::test]
async fn an_emergency_does_not_pass_to_whoever_signs_in_next() {
    let app = TestApp::start().await;
    allow(&app).await;
    let (mut browser, page) = form(&app, "spa").await;
    let page = fill(&mut browser, &page, &[("mrn", "MRN-p4"), ("reason", REASON), ("patient", "p4")]).await;
    let page = browser.submit(&page.at, &[("csrf", &page.csrf()), ("decision", "switch_user")]).await;
    let page = browser.log_in(&page, "dr.b").await;
    let page = browser.pick(&page, "p3").await;
    assert!(page.path() == "/consent" && !shows(&page, REASON));
    assert_eq!(app.count("select count(*) from flow where emergency_reason is not null").await, 0);
}
