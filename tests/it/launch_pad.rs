//! The launch pad: a clinician opens an app for a patient, with no EHR about.

use admit::client::{Client, ClientAuth};
use axum::body::Body;
use axum::http::Request;

use crate::support::ask::{Ask, claims};
use crate::support::visit::form_with;
use crate::support::{Browser, FHIR1, ISSUER, Landing, Reply, TestApp, client, encode};

/// The launch pad, with this person in front of it.
async fn pad<'a>(app: &'a TestApp, username: &str) -> (Browser<'a>, Landing) {
    let mut browser = app.browser();
    let page = browser.go("/launch-pad").await;
    assert_eq!(page.at, "/login?to=launch-pad");
    let page = browser.log_in(&page, username).await;
    assert_eq!(page.path(), "/launch-pad");
    (browser, page)
}

/// The page that offers apps for this patient.
async fn apps(browser: &mut Browser<'_>, patient: &str) -> Landing {
    browser.go(&format!("/launch-pad?{}", encode(&[("base", "one"), ("patient", patient)]))).await
}

async fn open(browser: &mut Browser<'_>, page: &Landing, fields: &[(&str, &str)]) -> Landing {
    let csrf = page.csrf();
    browser.submit("/launch-pad", &[&[("csrf", csrf.as_str()), ("base", "one")], fields].concat()).await
}

/// What the app finds in the address at which it is opened.
#[track_caller]
fn opened(landing: &Landing, at: &str) -> String {
    let location = landing.reply.header("location");
    assert_eq!(landing.reply.status.as_u16(), 303, "{}", landing.reply.body);
    assert!(location.starts_with(at), "{location}");
    assert_eq!(landing.reply.param("iss").as_deref(), Some(FHIR1));
    landing.reply.param("launch").expect("a launch")
}

async fn launches(app: &TestApp) -> i64 {
    app.count("select count(*) from launch").await
}

/// From the sign-in to the tokens: an EHR launch without an EHR.
#[tokio::test]
async fn a_clinician_opens_an_app_for_a_patient() {
    let app = TestApp::start().await;
    let (mut browser, page) = pad(&app, "dr.a").await;
    assert!(page.reply.body.contains("Ada Test") && page.reply.body.contains("Bo Test") && !page.reply.body.contains("Cy Test"));
    let page = apps(&mut browser, "p2").await;
    assert!(page.reply.body.contains("Bo Test") && !page.reply.body.contains("Ada Test"));
    assert!(page.reply.body.contains("App clinic"));
    let landing = open(&mut browser, &page, &[("patient", "p2"), ("app", "clinic")]).await;
    let launch = opened(&landing, "https://clinic.test/launch?iss=https%3A%2F%2Ffhir.test%2Fr4&launch=sl_");

    // The app goes on from there: no page, because it is pre-approved.
    let landing = browser.ask(&Ask::launched("clinic", &launch)).await;
    let tokens = app.tokens_of("clinic", &landing).await;
    assert_eq!((tokens["patient"].as_str(), tokens["need_patient_banner"].as_bool()), (Some("p2"), Some(true)));
    assert_eq!(claims(&tokens["access_token"])["sub"], "u-dr.a");
    let entry = &app.audit("launch.begun").await[0];
    assert_eq!(
        (entry.user_id.as_deref(), entry.patient_id.as_deref(), entry.client_id.as_deref()),
        (Some("u-dr.a"), Some("p2"), Some("clinic"))
    );
    assert!(entry.session_id.is_some());
}

/// The page's own policy lets the browser follow the redirect to each app, and to nobody else.
#[tokio::test]
async fn the_page_lets_the_browser_go_to_the_apps_that_it_shows() {
    let app = TestApp::start().await;
    let (mut browser, page) = pad(&app, "dr.a").await;
    assert!(page.reply.header("content-security-policy").contains("form-action 'self';"));
    let page = apps(&mut browser, "p1").await;
    let policy = page.reply.header("content-security-policy");
    assert!(policy.contains("form-action 'self' https://app.test https://clinic.test https://evil.test https://web.test;"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'") && page.reply.header("cache-control") == "no-store");
}

/// Only apps that can be launched on this FHIR base are shown.
#[tokio::test]
async fn an_app_that_cannot_be_launched_is_not_offered() {
    let app = TestApp::start().await;
    let uri = || Some("https://x.test/launch".to_owned());
    let of = |id: &str| client(id, ClientAuth::None, &["https://x.test/cb"]);
    app.register(Client { launch_uri: uri(), awaits_approval: true, ..of("newcomer") }).await;
    app.register(Client { launch_uri: uri(), fhir_bases: vec!["two".to_owned()], ..of("elsewhere") }).await;
    app.register(Client {
        launch_uri: uri(),
        scopes: admit::scope::ScopeSet::parse("openid patient/*.rs").expect("scopes"),
        ..of("scopeless")
    })
    .await;
    let (mut browser, _) = pad(&app, "dr.a").await;
    let page = apps(&mut browser, "p1").await;
    for hidden in ["newcomer", "elsewhere", "scopeless", "pub", "bsc"] {
        assert!(!page.reply.body.contains(&format!("value=\"{hidden}\"")), "{hidden}");
        open(&mut browser, &page, &[("patient", "p1"), ("app", hidden)]).await.reply.assert_page(404, None);
    }
    assert_eq!(launches(&app).await, 0);
}

/// SL-11 at the launch pad: nobody opens a patient who is not theirs, whatever is typed or sent.
#[tokio::test]
async fn a_patient_of_somebody_else_s_cannot_be_opened() {
    let app = TestApp::start().await;
    let (mut browser, _) = pad(&app, "dr.a").await;
    let page = apps(&mut browser, "p1").await;
    let huge = "p".repeat(5000);
    for patient in ["p3", "p4", "p1,p3", "../p3", "Patient/p1", "nobody", &huge] {
        apps(&mut browser, patient).await.reply.assert_page(403, None);
        let told = open(&mut browser, &page, &[("patient", patient), ("app", "clinic")]).await;
        told.reply.assert_page(403, None);
        assert!(!told.reply.body.contains("Cy Test"));
    }
    for typed in ["Cy", "MRN-p3", "%", "_", "' or 1=1 --"] {
        let found = browser.go(&format!("/launch-pad?{}", encode(&[("base", "one"), ("q", typed)]))).await;
        assert!(!found.reply.body.contains("Cy Test") && !found.reply.body.contains("Di Test"), "{typed}");
    }
    let found = browser.go(&format!("/launch-pad?{}", encode(&[("q", "bo")]))).await;
    assert!(found.reply.body.contains("Bo Test") && !found.reply.body.contains("Ada Test"));
    assert_eq!(launches(&app).await, 0);
    let refused = app.audit("launch.begun").await;
    assert!(refused.len() == 14 && refused.iter().all(|row| row.outcome == "refused" && row.user_id.as_deref() == Some("u-dr.a")));
}

/// A patient who left the list while the page was open.
#[tokio::test]
async fn a_patient_who_was_taken_off_the_list_is_not_opened() {
    let app = TestApp::start().await;
    let (mut browser, _) = pad(&app, "dr.a").await;
    let page = apps(&mut browser, "p1").await;
    app.sql("delete from panel where patient_id = 'p1'").await;
    open(&mut browser, &page, &[("patient", "p1"), ("app", "clinic")]).await.reply.assert_page(403, None);
    assert_eq!(launches(&app).await, 0);
}

/// Patients, carers and clerks have no business here.
#[tokio::test]
async fn only_clinicians_may_open_apps() {
    let app = TestApp::start().await;
    for username in ["pat1", "proxy", "clerk"] {
        let mut browser = app.browser();
        let page = browser.go("/launch-pad").await;
        browser.log_in(&page, username).await.reply.assert_page(403, None);
        apps(&mut browser, "p1").await.reply.assert_page(403, None);
    }
    assert_eq!(launches(&app).await, 0);
}

/// CSRF: a form from elsewhere, with a wrong token, or with another session's, opens nothing.
#[tokio::test]
async fn a_form_that_is_not_this_session_s_opens_nothing() {
    let app = TestApp::start().await;
    let (mut browser, page) = pad(&app, "dr.a").await;
    let csrf = page.csrf();
    let good = [("csrf", csrf.as_str()), ("base", "one"), ("patient", "p1"), ("app", "clinic")];
    let post = async |form: &[(&str, &str)], headers: &[(&str, &str)], browser: &mut Browser<'_>| -> Reply {
        browser.send(form_with("/launch-pad", form, headers)).await
    };
    post(&good, &[("origin", "https://evil.test")], &mut browser).await.assert_page(403, None);
    post(&good, &[("origin", ISSUER), ("sec-fetch-site", "cross-site")], &mut browser).await.assert_page(403, None);
    post(&good[1..], &[("origin", ISSUER)], &mut browser).await.assert_page(403, None);
    let wrong = [&[("csrf", "x")], &good[1..]].concat();
    post(&wrong, &[("origin", ISSUER)], &mut browser).await.assert_page(403, None);

    // Somebody else has signed in in the same browser: the page that was left open is theirs no more.
    let login = browser.submit("/launch-pad", &[("csrf", &csrf), ("switch_user", "1")]).await;
    assert_eq!(login.at, "/login?to=launch-pad");
    browser.log_in(&login, "dr.b").await;
    post(&good, &[("origin", ISSUER)], &mut browser).await.assert_page(403, None);
    assert_eq!(launches(&app).await, 0);

    // And of the same person a session later.
    let (mut browser, page) = pad(&app, "dr.a").await;
    let again = page.csrf();
    assert_ne!(again, csrf);
    post(&good, &[("origin", ISSUER)], &mut browser).await.assert_page(403, None);
    let fresh = [&[("csrf", again.as_str())], &good[1..]].concat();
    assert_eq!(post(&fresh, &[("origin", ISSUER)], &mut browser).await.status.as_u16(), 303);
    assert_eq!(launches(&app).await, 1);
}

/// A form that says half of what is needed, or something twice.
#[tokio::test]
async fn an_incomplete_form_opens_nothing() {
    let app = TestApp::start().await;
    let (mut browser, _) = pad(&app, "dr.a").await;
    let page = apps(&mut browser, "p1").await;
    let csrf = page.csrf();
    let all = [("csrf", csrf.as_str()), ("base", "one"), ("patient", "p1"), ("app", "clinic")];
    for missing in 1..all.len() {
        let form: Vec<_> = all.iter().enumerate().filter(|(place, _)| *place != missing).map(|(_, field)| *field).collect();
        browser.submit("/launch-pad", &form).await.reply.assert_page(403, None);
    }
    let twice = [&all[..], &[("patient", "p2")]].concat();
    browser.submit("/launch-pad", &twice).await.reply.assert_page(400, Some("invalid_request"));
    let elsewhere = [("csrf", csrf.as_str()), ("base", "nowhere"), ("patient", "p1"), ("app", "clinic")];
    browser.submit("/launch-pad", &elsewhere).await.reply.assert_page(404, None);
    // An encounter that is nobody's.
    open(&mut browser, &page, &[("patient", "p1"), ("app", "clinic"), ("encounter", "e-of-another")]).await.reply.assert_page(403, None);
    assert_eq!(launches(&app).await, 0);
    // "No particular visit" is none.
    let landing = open(&mut browser, &page, &[("patient", "p1"), ("app", "clinic"), ("encounter", "")]).await;
    opened(&landing, "https://clinic.test/launch?");
}

/// A sign-in for a page of ours leads to that page and nowhere else.
#[tokio::test]
async fn a_sign_in_leads_to_pages_of_ours_only() {
    let app = TestApp::start().await;
    for to in ["https://evil.test/", "//evil.test", "/launch-pad", "launch-pad/../x", "LAUNCH-PAD", ""] {
        let reply = app.get(&format!("/login?{}", encode(&[("to", to)]))).await;
        assert_eq!(reply.status.as_u16(), 200, "{to}");
        assert!(!reply.body.contains("<form") && !reply.body.contains("evil"), "{to}");
        let form = [("csrf", "x"), ("username", "dr.a"), ("password", "four words in a row")];
        app.post(&format!("/login?{}", encode(&[("to", to)])), None, &form).await.assert_page(400, None);
    }
}

/// Login CSRF: the form needs the cookie that was set with it.
#[tokio::test]
async fn the_sign_in_form_is_bound_to_its_browser() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = browser.go("/login?to=launch-pad").await;
    let mut stranger = app.browser();
    let form = [("csrf", page.csrf()), ("username", "dr.a".to_owned()), ("password", "four words in a row".to_owned())];
    let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    stranger.submit(&page.at, &form).await.reply.assert_page(403, None);
    assert!(stranger.cookie("__Host-sid").is_none());
    // A wrong password: the same page again, and the right one still works. A second tab changes nothing.
    let again = browser.log_in_with(&page, "dr.a", "not the password at all").await;
    assert_eq!((again.reply.status.as_u16(), again.path()), (403, "/login"));
    let second = browser.go("/login?to=launch-pad").await;
    assert_eq!(second.csrf(), page.csrf());
    assert_eq!(browser.log_in(&again, "dr.a").await.path(), "/launch-pad");
    // Who is signed in is not asked again.
    assert_eq!(browser.go("/login?to=launch-pad").await.path(), "/launch-pad");
}

/// Without a session nothing is shown and nothing is opened.
#[tokio::test]
async fn whoever_is_not_signed_in_is_sent_to_the_sign_in() {
    let app = TestApp::start().await;
    for path in ["/launch-pad", "/launch-pad?base=one&patient=p1", "/launch-pad?q=Ada"] {
        let reply = app.get(path).await;
        assert_eq!((reply.status.as_u16(), reply.header("location")), (303, "/login?to=launch-pad"));
    }
    let form = [("csrf", "x"), ("base", "one"), ("patient", "p1"), ("app", "clinic")];
    let reply = app.post("/launch-pad", None, &form).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, "/login?to=launch-pad"));
    let put = app.call(Request::put("/launch-pad").body(Body::empty()).expect("a request")).await;
    assert_eq!(put.status.as_u16(), 405);
    assert_eq!(launches(&app).await, 0);
}

/// Several FHIR bases: the page shows which one it is about, and its own patients.
#[tokio::test]
async fn each_fhir_base_has_its_own_patients() {
    let app = TestApp::start().await;
    let (mut browser, page) = pad(&app, "dr.a").await;
    assert!(page.reply.body.contains("https://fhir.test/r4") && page.reply.body.contains("https://other.test/r4"));
    let other = browser.go("/launch-pad?base=two").await;
    assert!(!other.reply.body.contains("Ada Test") && other.reply.body.contains("There are no patients that you may open here"));
    browser.go("/launch-pad?base=two&patient=p1").await.reply.assert_page(403, None);
    browser.go("/launch-pad?base=nowhere").await.reply.assert_page(404, None);
    let csrf = page.csrf();
    let crossed = [("csrf", csrf.as_str()), ("base", "two"), ("patient", "p1"), ("app", "clinic")];
    browser.submit("/launch-pad", &crossed).await.reply.assert_page(403, None);
    assert_eq!(launches(&app).await, 0);
}
