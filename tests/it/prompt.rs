//! What an app may want of the person (`prompt`, `max_age`, `id_token_hint`, `login_hint`).

use admit::key::{NewKey, Purpose};
use admit::token::{Algorithm, Signer, base64url};
use serde_json::{Value, json};
use time::Duration;

use crate::support::ask::{Ask, claims};
use crate::support::{Browser, TestApp};

/// An ID token of ours for this person, who stays signed in.
async fn id_token(app: &TestApp, browser: &mut Browser<'_>, username: &str) -> String {
    let landing = browser.sign_in(username).await;
    app.exchange("clinic", &landing).await["id_token"].as_str().expect("an ID token").to_owned()
}

/// An app that needs no consent, and asks for no patient.
fn clinic() -> Ask {
    Ask::of("clinic")
}

/// AR-13
#[tokio::test]
async fn without_a_session_silence_ends_in_login_required() {
    let app = TestApp::start().await;
    let ask = clinic().with("prompt", "none");
    app.browser().ask(&ask).await.reply.assert_redirect_error("https://clinic.test/cb?", "login_required");
    // The same for a request that is posted: the browser comes back with a GET.
    let mut browser = app.browser();
    let landing = browser.submit("/authorize", &ask.pairs()).await;
    landing.reply.assert_redirect_error("https://clinic.test/cb?", "login_required");
    assert_eq!(landing.reply.param("state").as_deref(), Some("a-state"));
}

/// AR-13
#[tokio::test]
async fn a_session_without_consent_ends_in_consent_required() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.sign_in("dr.a").await;
    let issued = app.audit("code.issued").await.len();
    browser.ask(&Ask::of("spa").with("prompt", "none")).await.reply.assert_redirect_error("https://app.test/cb?", "consent_required");
    // A patient always decides, whatever the administrator has approved for clinicians.
    let mut patient = app.browser();
    let page = patient.ask(&clinic()).await;
    assert_eq!(patient.log_in(&page, "pat1").await.path(), "/consent");
    patient.ask(&clinic().with("prompt", "none")).await.reply.assert_redirect_error("https://clinic.test/cb?", "consent_required");
    assert_eq!(app.audit("code.issued").await.len(), issued);
}

/// AR-13: what was approved once is not remembered as approved for the next request.
#[tokio::test]
async fn a_consent_is_for_one_request() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = browser.ask(&Ask::of("spa")).await;
    browser.go_through(page, "dr.a", "p1").await.assert_code_at("https://app.test/cb");
    browser.ask(&Ask::of("spa").with("prompt", "none")).await.reply.assert_redirect_error("https://app.test/cb?", "consent_required");
    assert_eq!(browser.ask(&Ask::of("spa")).await.path(), "/consent");
}

/// AR-13, SL-16
#[tokio::test]
async fn no_patient_is_chosen_in_silence() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.sign_in("dr.a").await;
    let ask = clinic().with("scope", "openid launch/patient patient/*.rs").with("prompt", "none");
    browser.ask(&ask).await.reply.assert_redirect_error("https://clinic.test/cb?", "interaction_required");
}

/// AR-13
#[tokio::test]
async fn where_nothing_is_left_to_ask_silence_gets_a_code() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.sign_in("dr.a").await;
    browser.ask(&clinic().with("prompt", "none")).await.assert_code_at("https://clinic.test/cb");
}

/// AR-13
#[tokio::test]
async fn a_prompt_that_is_unknown_or_contradicts_itself_is_refused() {
    let app = TestApp::start().await;
    for prompt in ["none login", "login none", "none consent", "none select_account", "bogus", "login bogus", "None", "create"] {
        let ask = clinic().with("prompt", prompt);
        app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");
    }
}

/// The person is there, and proves it again.
#[tokio::test]
async fn a_prompt_for_login_is_not_answered_from_a_session() {
    let app = TestApp::start().await;
    for prompt in ["login", "select_account", "login consent"] {
        let mut browser = app.browser();
        browser.sign_in("dr.a").await;
        app.advance(Duration::seconds(30));
        let page = browser.ask(&clinic().with("prompt", prompt)).await;
        assert_eq!(page.path(), "/login", "{prompt}");
        // The other pages do not lead past it.
        for path in ["/authorize", "/consent", "/patient"] {
            let there = browser.go(&format!("{path}?flow={}", page.flow())).await;
            assert_eq!(there.path(), "/login", "{prompt} at {path}");
        }
        let again = app.clock.now().unix_timestamp();
        let landing = browser.go_through(page, "dr.a", "p1").await;
        let token = app.exchange("clinic", &landing).await;
        assert_eq!(claims(&token["id_token"])["auth_time"], again, "{prompt}");
    }
}

/// AR-14: times are kept in seconds; a request of the same second is a new request all the same.
#[tokio::test]
async fn a_sign_in_of_the_same_second_is_not_the_one_that_is_asked_for() {
    let app = TestApp::start().await;
    for (name, value) in [("prompt", "login"), ("max_age", "0")] {
        let mut browser = app.browser();
        browser.sign_in("dr.a").await;
        let page = browser.ask(&clinic().with(name, value)).await;
        assert_eq!(page.path(), "/login", "{name}");
        browser.log_in(&page, "dr.a").await.assert_code_at("https://clinic.test/cb");
    }
}

#[tokio::test]
async fn a_prompt_for_consent_is_not_answered_by_the_administrator() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.sign_in("dr.a").await;
    let page = browser.ask(&clinic().with("prompt", "consent")).await;
    assert_eq!(page.path(), "/consent");
    browser.approve(&page).await.assert_code_at("https://clinic.test/cb");
}

/// AR-14
#[tokio::test]
async fn a_sign_in_that_is_too_old_is_done_again() {
    let app = TestApp::start().await;
    for max_age in ["0", "1"] {
        let mut browser = app.browser();
        browser.sign_in("dr.a").await;
        app.advance(Duration::seconds(2));
        let page = browser.ask(&clinic().with("max_age", max_age)).await;
        assert_eq!(page.path(), "/login", "max_age={max_age}");
        let again = app.clock.now().unix_timestamp();
        let landing = browser.log_in(&page, "dr.a").await;
        let token = app.exchange("clinic", &landing).await;
        assert_eq!(claims(&token["id_token"])["auth_time"], again, "max_age={max_age}");
        // In silence, there is nobody to do it.
        app.advance(Duration::seconds(2));
        let ask = clinic().with("max_age", max_age).with("prompt", "none");
        browser.ask(&ask).await.reply.assert_redirect_error("https://clinic.test/cb?", "login_required");
    }
}

/// AR-14
#[tokio::test]
async fn a_sign_in_that_is_young_enough_is_good_and_its_age_is_told() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let signed_in = app.clock.now().unix_timestamp();
    browser.sign_in("dr.a").await;
    app.advance(Duration::seconds(60));
    let landing = browser.ask(&clinic().with("max_age", "10000").with("prompt", "none")).await;
    let token = app.exchange("clinic", &landing).await;
    assert_eq!(claims(&token["id_token"])["auth_time"], signed_in);
}

/// AR-14
#[tokio::test]
async fn a_max_age_that_is_no_number_of_seconds_is_refused() {
    let app = TestApp::start().await;
    for max_age in ["-1", "abc", "9007199254740993", "1e3", "+1", "1.5", " 1", "0x10", "٣"] {
        let ask = clinic().with("max_age", max_age);
        app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");
    }
}

fn with_payload(token: &str, change: impl Fn(&mut Value)) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let mut payload = claims(&token.into());
    change(&mut payload);
    format!("{}.{}.{}", parts[0], base64url(payload.to_string().as_bytes()), parts[2])
}

/// AR-15
#[tokio::test]
async fn a_hint_that_is_no_id_token_of_ours_is_refused() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let landing = browser.sign_in("dr.a").await;
    let ours = app.exchange("clinic", &landing).await;
    let id_token = ours["id_token"].as_str().expect("a token").to_owned();
    let kid = {
        let header = admit::token::from_base64url(id_token.split('.').next().expect("a header")).expect("base64url");
        serde_json::from_slice::<Value>(&header).expect("JSON")["kid"].as_str().expect("a kid").to_owned()
    };
    let body = id_token.split('.').nth(1).expect("a payload");
    let none = format!("{}.{body}.", base64url(json!({ "alg": "none", "kid": kid, "typ": "JWT" }).to_string().as_bytes()));
    let none_signed = format!("{none}{}", id_token.rsplit('.').next().expect("a signature"));
    let foreign = NewKey::generate(Algorithm::Es256).expect("a key");
    let foreign = |kid: &str| {
        let signer = Signer::from_pkcs8(kid, Algorithm::Es256, &foreign.pkcs8).expect("a key of its own");
        signer.sign("JWT", &claims(&ours["id_token"])).expect("a token")
    };
    for (hint, what) in [
        ("garbage".to_owned(), "garbage"),
        ("a.b.c".to_owned(), "three parts of nothing"),
        (none, "alg none"),
        (none_signed, "alg none with a signature"),
        (foreign("another-key"), "a foreign key"),
        (foreign(&kid), "a foreign key under the name of ours"),
        (with_payload(&id_token, |claims| claims["sub"] = "u-dr.b".into()), "another subject"),
        (ours["access_token"].as_str().expect("a token").to_owned(), "an access token"),
    ] {
        let ask = clinic().with("id_token_hint", &hint);
        app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");
        let silent = ask.with("prompt", "none");
        let told = browser.ask(&silent).await;
        app.assert_app_is_told(&told.reply, &silent, "invalid_request");
        assert!(!told.reply.header("location").contains(&hint), "{what}");
    }
}

/// KF-05: nothing that a revoked key signed is believed, and another one signs.
#[tokio::test]
async fn an_id_token_by_a_revoked_key_is_no_hint() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let hint = id_token(&app, &mut browser, "dr.a").await;
    let ask = clinic().with("id_token_hint", &hint).with("prompt", "none");
    let published = app.store().published_keys(&app.origin().tenant, app.clock.now()).await.expect("keys");
    let leaked = published.into_iter().find(|key| key.purpose == Purpose::Id).expect("one for ID tokens");
    let signing = app.app.keys.revoke(app.store(), &app.origin(), &leaked).await.expect("revoked").expect("one signs");
    app.assert_app_is_told(&browser.ask(&ask).await.reply, &ask, "invalid_request");
    let fresh = id_token(&app, &mut app.browser(), "dr.a").await;
    assert_eq!(crate::keys::kid(&fresh), signing.as_str());
}

/// AR-15
#[tokio::test]
async fn an_id_token_that_has_expired_is_a_good_hint() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let hint = id_token(&app, &mut browser, "dr.a").await;
    app.advance(Duration::minutes(6));
    assert!(claims(&hint.as_str().into())["exp"].as_i64().expect("a time") < app.clock.now().unix_timestamp());
    let ask = clinic().with("id_token_hint", &hint).with("prompt", "none");
    browser.ask(&ask).await.assert_code_at("https://clinic.test/cb");
}

/// AR-15
#[tokio::test]
async fn a_hint_at_somebody_else_is_not_answered_with_who_happens_to_be_signed_in() {
    let app = TestApp::start().await;
    let hint = id_token(&app, &mut app.browser(), "dr.a").await;
    let mut browser = app.browser();
    browser.sign_in("dr.b").await;
    let issued = app.audit("code.issued").await.len();
    let ask = clinic().with("id_token_hint", &hint);
    let silent = ask.clone().with("prompt", "none");
    browser.ask(&silent).await.reply.assert_redirect_error("https://clinic.test/cb?", "login_required");
    // With a page to show, the person whom the app means may sign in.
    let page = browser.ask(&ask).await;
    assert_eq!(page.path(), "/login");
    assert_eq!(app.audit("code.issued").await.len(), issued);
    let landing = browser.log_in(&page, "dr.a").await;
    let token = app.exchange("clinic", &landing).await;
    assert_eq!(claims(&token["id_token"])["sub"], "u-dr.a");
}

/// AR-15: OpenID Connect Core §3.1.2.1, "id_token_hint": an error such as `login_required` where
/// somebody else signs in, and not the same page again without a word.
#[tokio::test]
async fn somebody_else_who_signs_in_after_a_hint_ends_the_request() {
    let app = TestApp::start().await;
    let hint = id_token(&app, &mut app.browser(), "dr.a").await;
    let issued = app.audit("code.issued").await.len();
    let mut browser = app.browser();
    let ask = clinic().with("id_token_hint", &hint);
    let page = browser.ask(&ask).await;
    let told = browser.log_in(&page, "dr.b").await;
    told.reply.assert_redirect_error("https://clinic.test/cb?", "login_required");
    assert_eq!(told.reply.param("state").as_deref(), Some("a-state"));
    assert_eq!(app.audit("code.issued").await.len(), issued);
    // They are signed in all the same, for whatever asks next.
    browser.ask(&clinic().with("prompt", "none")).await.assert_code_at("https://clinic.test/cb");
}

/// WB-08, WB-09 at this place
#[tokio::test]
async fn a_login_hint_is_filled_in_as_text() {
    let app = TestApp::start().await;
    let page = app.browser().ask(&clinic().with("login_hint", "dr.a")).await;
    assert!(page.reply.body.contains("name=\"username\" type=\"text\" value=\"dr.a\""), "{}", page.reply.body);
    for hint in ["\"><script>alert(1)</script>", "' onfocus=alert(1) x='", "{{7*7}}", "\u{202e}txet\r\nSet-Cookie: a=b"] {
        let page = app.browser().ask(&clinic().with("login_hint", hint)).await;
        assert_eq!((page.path(), page.reply.status.as_u16()), ("/login", 200));
        let value = page.reply.body.split("name=\"username\" type=\"text\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let value = value.expect("a value").replace("&#34;", "\"").replace("&#39;", "'").replace("&#60;", "<").replace("&#62;", ">");
        assert_eq!(value, hint);
        assert!(!page.reply.body.contains("<script") && page.reply.headers.get("set-cookie").is_none());
    }
}

/// A hint names nobody: whoever signs in is the one who is signed in.
#[tokio::test]
async fn a_login_hint_is_no_proof_of_anything() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.sign_in("dr.b").await;
    let landing = browser.ask(&clinic().with("login_hint", "dr.a").with("prompt", "none")).await;
    let token = app.exchange("clinic", &landing).await;
    assert_eq!(claims(&token["id_token"])["sub"], "u-dr.b");
}
