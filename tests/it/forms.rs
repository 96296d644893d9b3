//! Forms of ours, sent by somebody else: cross-site request forgery.

use axum::body::Body;
use axum::http::Request;

use crate::support::visit::{consent_page, form_with, login_page, patient_page, plain};
use crate::support::{Browser, ISSUER, Landing, PASSWORD, TestApp};

const OURS: [(&str, &str); 2] = [("origin", ISSUER), ("sec-fetch-site", "same-origin")];

/// A page with a form, and what a person would fill in.
struct FormPage {
    page: Landing,
    filled: Vec<(&'static str, &'static str)>,
}

const PAGES: [&str; 4] = ["/login", "/patient", "/consent", "/logout"];

async fn form_page(browser: &mut Browser<'_>, path: &str) -> FormPage {
    let (page, filled) = match path {
        "/login" => (login_page(browser).await, vec![("username", "dr.a"), ("password", PASSWORD)]),
        "/patient" => (patient_page(browser).await, vec![("patient", "p1")]),
        "/consent" => (consent_page(browser).await, vec![("decision", "approve"), ("scope", "patient/Patient.rs")]),
        _ => {
            consent_page(browser).await;
            (browser.go("/logout").await, vec![])
        }
    };
    assert_eq!(page.path(), path, "{}", page.reply.body);
    FormPage { page, filled }
}

/// SS-04: login, picker, consent and logout want the token of their own page, in the body, once.
#[tokio::test]
async fn a_form_without_its_own_token_changes_nothing() {
    for path in PAGES {
        let app = TestApp::start().await;
        let mut browser = app.browser();
        let FormPage { page, filled } = form_page(&mut browser, path).await;
        let token = page.csrf();
        let other_flow = match path {
            "/logout" => consent_page(&mut browser).await.csrf(),
            _ => login_or_any(&mut browser).await.csrf(),
        };
        let mut elsewhere = app.browser();
        let other_browser = form_page(&mut elsewhere, path).await.page.csrf();
        let before = app.state().await;

        let mut attempts: Vec<(String, Vec<(&str, &str)>)> = vec![(page.at.clone(), filled.clone())];
        for wrong in [other_flow.as_str(), other_browser.as_str(), "x", &token[1..]] {
            attempts.push((page.at.clone(), [&[("csrf", wrong)][..], &filled].concat()));
        }
        // In the query it would stand in logs and histories.
        let mark = if page.at.contains('?') { '&' } else { '?' };
        attempts.push((format!("{}{mark}csrf={token}", page.at), filled.clone()));
        for (at, form) in attempts {
            let has_token = form.iter().any(|(name, _)| *name == "csrf");
            let reply = browser.send(form_with(&at, &form, &OURS)).await;
            if path == "/logout" && !has_token {
                // An app may ask for a sign-out by a form: the answer is the question.
                assert!(reply.status.as_u16() == 200 && reply.body.contains("Sign out?"), "{}", reply.body);
            } else {
                reply.assert_page(403, None);
            }
            assert!(reply.headers.get("set-cookie").is_none(), "{path}");
        }
        let twice = [&[("csrf", token.as_str()), ("csrf", token.as_str())][..], &filled].concat();
        browser.send(form_with(&page.at, &twice, &OURS)).await.assert_page(400, Some("invalid_request"));
        assert_eq!(app.state().await, before, "{path}");

        // And with its own token the same form is taken.
        let form = [&[("csrf", token.as_str())][..], &filled].concat();
        let reply = browser.send(form_with(&page.at, &form, &OURS)).await;
        assert!(matches!(reply.status.as_u16(), 200 | 303), "{path}: {}", reply.body);
        assert_ne!(app.state().await, before, "{path}");
    }
}

/// Another flow in the same browser: wherever it stands, its page has a form.
async fn login_or_any(browser: &mut Browser<'_>) -> Landing {
    login_page(browser).await
}

/// SS-04: the token of a flow that is over opens nothing.
#[tokio::test]
async fn the_token_of_a_finished_flow_is_stale() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let first = consent_page(&mut browser).await;
    browser.approve(&first).await.code();
    let second = consent_page(&mut browser).await;
    let before = app.state().await;
    let reply = browser.send(form_with(&second.at, &[("csrf", &first.csrf()), ("decision", "approve")], &OURS)).await;
    reply.assert_page(403, None);
    assert_eq!(app.state().await, before);
}

/// SS-05: even with the right token, a form that says it comes from elsewhere is refused.
#[tokio::test]
async fn a_form_from_another_site_is_refused_whatever_it_holds() {
    for path in PAGES {
        let app = TestApp::start().await;
        let mut browser = app.browser();
        let FormPage { page, filled } = form_page(&mut browser, path).await;
        let token = page.csrf();
        let form = [&[("csrf", token.as_str())][..], &filled].concat();
        let before = app.state().await;
        for elsewhere in [
            &[("origin", "https://evil.test")][..],
            &[("origin", "null")],
            &[("origin", "https://idp.test.evil.test")],
            &[("origin", "http://idp.test")],
            &[("origin", "https://idp.test:8443")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("origin", ISSUER), ("sec-fetch-site", "cross-site")],
            &[("origin", "https://evil.test"), ("sec-fetch-site", "same-origin")],
        ] {
            let reply = browser.send(form_with(&page.at, &form, elsewhere)).await;
            reply.assert_page(403, None);
            assert!(reply.headers.get("set-cookie").is_none(), "{path} {elsewhere:?}");
        }
        assert_eq!(app.state().await, before, "{path}");
    }
}

/// SS-06: an attacker cannot sign a victim's browser in to the attacker's account.
#[tokio::test]
async fn a_victim_s_browser_cannot_be_signed_in_by_another_site() {
    let app = TestApp::start().await;
    let mut attacker = app.browser();
    let own = login_page(&mut attacker).await;
    let token = own.csrf();
    let form = [("csrf", token.as_str()), ("username", "dr.b"), ("password", PASSWORD)];

    // The attacker's own flow, token and all, in a browser that has not its cookie.
    let mut victim = app.browser();
    let reply = victim.send(form_with(&own.at, &form, &[("origin", "https://evil.test"), ("sec-fetch-site", "cross-site")])).await;
    reply.assert_page(400, None);
    let reply = victim.send(form_with(&own.at, &form, &[])).await;
    reply.assert_page(400, None);
    // The victim's own flow, whose token the attacker cannot know.
    let theirs = login_page(&mut victim).await;
    let reply = victim.send(form_with(&theirs.at, &form, &[("origin", "https://evil.test")])).await;
    reply.assert_page(403, None);
    // As JSON or text, which a page may send across sites without asking first.
    for kind in ["application/json", "text/plain"] {
        let body = r#"{"username":"dr.b","password":"four words in a row"}"#;
        let request = Request::post(theirs.at.as_str()).header("content-type", kind).body(Body::from(body)).expect("a request");
        victim.send(request).await.assert_page(400, Some("invalid_request"));
    }
    assert!(victim.cookie("__Host-sid").is_none());
    assert_eq!(app.live_sessions().await, 0);
}

/// SS-07: a link cannot allow, choose, sign in or sign out.
#[tokio::test]
async fn nothing_is_decided_by_get() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let consent = consent_page(&mut browser).await;
    let csrf = consent.csrf();
    let before = app.state().await;
    for query in [
        "approve=1".to_owned(),
        "decision=approve".to_owned(),
        format!("decision=approve&csrf={csrf}&scope=patient%2FPatient.rs"),
        format!("csrf={csrf}&decision=deny"),
        format!("csrf={csrf}&switch_user=1&cancel=1"),
    ] {
        for path in ["/consent", "/patient", "/login"] {
            let landing = browser.go(&format!("{path}?flow={}&{query}", consent.flow())).await;
            assert_eq!((landing.path(), landing.reply.status.as_u16()), ("/consent", 200), "{query}");
        }
    }
    assert_eq!(browser.go(&format!("/logout?csrf={csrf}&confirm=1")).await.reply.status.as_u16(), 200);
    assert_eq!(app.state().await, before);
}

/// What GET does on these pages, HEAD must not.
#[tokio::test]
async fn a_head_request_begins_and_changes_nothing() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = consent_page(&mut browser).await;
    app.advance(time::Duration::minutes(2));
    let before = app.state().await;
    let authorize = "/authorize?response_type=code&client_id=spa&redirect_uri=https%3A%2F%2Fapp.test%2Fcb&scope=openid&state=s\
                     &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    for path in [authorize, "/login", &page.at, &page.at.replace("/consent", "/patient"), "/logout"] {
        let reply = browser.send(plain("HEAD", path, &[])).await;
        assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, "GET,POST"), "{path}");
        assert!(reply.body.is_empty() && reply.headers.get("set-cookie").is_none());
    }
    assert_eq!(app.state().await, before);
    for path in ["/.well-known/openid-configuration", "/.well-known/jwks.json", "/livez", "/static/admit.css"] {
        let reply = app.call(plain("HEAD", path, &[])).await;
        assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, ""), "{path}");
    }
}
