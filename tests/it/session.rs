//! Browser sessions: how they begin, rest, and end.

use admit::id::UserId;
use time::Duration;

use crate::support::visit::{SCOPE, consent_page, login_page, patient_page, plain, redeem, refresh, silently, text, tokens_in};
use crate::support::{Browser, TestApp};

const SID: &str = "__Host-sid";

async fn signed_in<'a>(app: &'a TestApp, user: &str) -> Browser<'a> {
    let mut browser = app.browser();
    let page = login_page(&mut browser).await;
    assert_ne!(browser.log_in(&page, user).await.path(), "/login");
    browser
}

/// Whether a silent request knows somebody: consent is wanted, but no sign-in.
async fn is_alive(browser: &mut Browser<'_>) -> bool {
    let landing = silently(browser).await;
    match landing.reply.param("error").as_deref() {
        Some("login_required") => false,
        Some("consent_required") => true,
        other => panic!("{other:?}: {}", landing.reply.header("location")),
    }
}

/// SS-01: an id that was there before the sign-in is not the session's.
#[tokio::test]
async fn a_session_id_cannot_be_fixed_beforehand() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let planted = "ss_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    browser.set_cookie(SID, planted);
    let page = login_page(&mut browser).await;
    browser.log_in(&page, "dr.a").await;
    let own = browser.cookie(SID).expect("a session");
    assert_ne!(own, planted);
    assert!(own.starts_with("ss_") && own.len() == 46, "{own}");
    assert_eq!(app.live_sessions().await, 1);

    let mut attacker = app.browser();
    attacker.set_cookie(SID, planted);
    assert!(!is_alive(&mut attacker).await);

    // An attacker's own live session, planted in the victim's browser, ends at the victim's sign-in.
    let other = signed_in(&app, "dr.b").await.cookie(SID).expect("a session");
    let mut victim = app.browser();
    victim.set_cookie(SID, &other);
    let page = login_page(&mut victim).await;
    let page = if page.path() == "/login" { page } else { victim.submit(&page.at, &[("csrf", &page.csrf()), ("switch_user", "1")]).await };
    victim.log_in(&page, "dr.a").await;
    assert_ne!(victim.cookie(SID).as_deref(), Some(other.as_str()));
    attacker.set_cookie(SID, &other);
    assert!(!is_alive(&mut attacker).await);
}

/// SS-01: signing in again in the same browser gives a new id, and the old one is dead.
#[tokio::test]
async fn a_second_sign_in_replaces_the_first() {
    let app = TestApp::start().await;
    let mut browser = signed_in(&app, "dr.a").await;
    let first = browser.cookie(SID).expect("a session");
    let challenge = crate::support::challenge(crate::support::VERIFIER);
    let mut params = crate::support::request("spa", crate::support::visit::SPA, SCOPE, &challenge);
    params.push(("prompt", "login"));
    app.advance(Duration::seconds(1));
    let page = browser.authorize(&params).await;
    browser.log_in(&page, "dr.a").await;
    assert_ne!(browser.cookie(SID), Some(first.clone()));
    assert_eq!(app.live_sessions().await, 1);
    let mut thief = app.browser();
    thief.set_cookie(SID, &first);
    assert!(!is_alive(&mut thief).await);
    let ended = app.audit("session.ended").await;
    assert_eq!((ended.len(), ended[0].detail.as_deref()), (1, Some("replaced by another sign-in")));
}

/// SS-10: every cookie is bound to the host and hidden from scripts, and small.
#[tokio::test]
async fn every_cookie_is_host_bound_secure_and_out_of_reach_of_scripts() {
    let app = TestApp::start().await;
    let mut cookies = Vec::new();
    let mut browser = app.browser();
    let page = login_page(&mut browser).await;
    let challenge = crate::support::challenge(crate::support::VERIFIER);
    let query = crate::support::request("spa", crate::support::visit::SPA, SCOPE, &challenge);
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    let form = [("csrf", page.csrf()), ("username", "dr.a".to_owned()), ("password", crate::support::PASSWORD.to_owned())];
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut replies = vec![browser.send(plain("GET", &format!("/authorize?{query}"), &[])).await];
    replies.push(browser.send(crate::support::visit::form_with(&page.at, &form, &[])).await);
    let sign_out = browser.go("/logout").await;
    replies.push(browser.submit("/logout", &[("csrf", &sign_out.csrf())]).await.reply);
    for reply in &replies {
        cookies.extend(reply.headers.get_all("set-cookie").iter().map(|line| line.to_str().expect("text").to_owned()));
    }
    assert_eq!(cookies.len(), 3, "{cookies:?}");
    for cookie in &cookies {
        let lower = cookie.to_lowercase();
        assert!(cookie.starts_with("__Host-"), "{cookie}");
        for attribute in ["; path=/;", "; secure;", "; httponly;", "; samesite=lax"] {
            assert!(lower.contains(attribute), "{attribute} in {cookie}");
        }
        assert!(!lower.contains("domain") && cookie.len() <= 4096, "{cookie}");
    }
    assert!(cookies[0].starts_with("__Host-tx-") && cookies[0].ends_with("; Max-Age=600"));
    // The session's cookie lasts as long as the browser: no Max-Age, no Expires.
    assert!(cookies[1].starts_with("__Host-sid=ss_") && !cookies[1].contains("Max-Age") && !cookies[1].contains("Expires"));
    assert!(cookies[2].starts_with("__Host-sid=;") && cookies[2].ends_with("Max-Age=0"));
}

/// SS-12: cookies without end are refused, not parsed.
#[tokio::test]
async fn too_many_cookies_are_refused() {
    let app = TestApp::start().await;
    let many = (0..200).map(|n| format!("c{n}={}", "x".repeat(160))).collect::<Vec<_>>().join("; ");
    app.call(plain("GET", "/login", &[("cookie", &many)])).await.assert_page(431, None);
    app.call(plain("POST", "/token", &[("cookie", &many)])).await.assert_token_error(431, "invalid_request");
    // Two hundred small ones are no harm.
    let small = (0..200).map(|n| format!("c{n}=x")).collect::<Vec<_>>().join("; ");
    assert_eq!(app.call(plain("GET", "/login", &[("cookie", &small)])).await.status.as_u16(), 200);
    // Not even one that is no text.
    let mut request = plain("GET", "/login", &[]);
    request.headers_mut().insert("cookie", axum::http::HeaderValue::from_bytes(b"odd=\xff\xfe; __Host-sid=\xc3\x28").expect("bytes"));
    assert_eq!(app.call(request).await.status.as_u16(), 200);
}

/// SS-36: a clinician's session ends after fifteen minutes of rest and after twelve hours.
#[tokio::test]
async fn a_clinician_s_session_ends_by_rest_and_by_age() {
    let app = TestApp::start().await;
    let mut browser = signed_in(&app, "dr.a").await;
    app.advance(Duration::minutes(15) - Duration::seconds(1));
    assert!(is_alive(&mut browser).await);
    app.advance(Duration::seconds(2));
    assert!(!is_alive(&mut browser).await);
    assert_eq!(login_page(&mut browser).await.path(), "/login");

    let mut browser = signed_in(&app, "dr.a").await;
    for _ in 0..72 {
        // Somebody who is there: they look at the picker every ten minutes.
        assert_eq!(patient_page(&mut browser).await.path(), "/patient");
        app.advance(Duration::minutes(10) - Duration::milliseconds(1));
    }
    assert!(is_alive(&mut browser).await, "just before twelve hours");
    app.advance(Duration::seconds(2));
    assert!(!is_alive(&mut browser).await);
}

/// SS-36: a patient's lasts thirty minutes of rest.
#[tokio::test]
async fn a_patient_s_session_rests_for_thirty_minutes() {
    let app = TestApp::start().await;
    let mut browser = signed_in(&app, "pat1").await;
    app.advance(Duration::minutes(30) - Duration::seconds(1));
    assert!(is_alive(&mut browser).await);
    app.advance(Duration::seconds(1));
    assert!(!is_alive(&mut browser).await);
}

/// SS-37: an app that asks every minute does not keep a session awake whose person has gone.
#[tokio::test]
async fn polling_does_not_keep_a_session_awake() {
    let app = TestApp::start().await;
    let mut browser = signed_in(&app, "dr.a").await;
    for _ in 0..14 {
        app.advance(Duration::minutes(1));
        assert!(is_alive(&mut browser).await);
    }
    app.advance(Duration::minutes(1));
    assert!(!is_alive(&mut browser).await);
}

/// SS-38: after signing out, neither the old cookie nor an open page is worth anything.
#[tokio::test]
async fn signing_out_ends_what_was_open() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let open = consent_page(&mut browser).await;
    let sid = browser.cookie(SID).expect("a session");
    let page = browser.go("/logout").await;
    browser.submit("/logout", &[("csrf", &page.csrf())]).await;
    assert!(browser.cookie(SID).is_none());

    browser.set_cookie(SID, &sid);
    let landing = browser.approve(&open).await;
    assert_eq!(landing.path(), "/login", "{}", landing.reply.header("location"));
    assert_eq!(browser.go(&open.at).await.path(), "/login");
    assert!(!is_alive(&mut browser).await);
    assert!(app.audit("code.issued").await.is_empty());
}

/// SS-40: switching a user off ends sessions, codes and tokens at once, at every instance.
#[tokio::test]
async fn a_user_who_is_switched_off_is_out_everywhere_at_once() {
    let app = TestApp::start().await;
    let other_instance = app.another().await;
    let mut browser = app.browser();
    let tokens = tokens_in(&app, &mut browser, SCOPE, "dr.a", Some("p1")).await;
    let open = consent_page(&mut browser).await;
    let mut second = app.browser();
    let code = second.launch("spa", crate::support::visit::SPA, SCOPE, "dr.a", Some("p1")).await.code();

    app.store().disable_user(&app.origin(), &UserId::new("u-dr.a")).await.expect("switched off");
    for instance in [&app, &other_instance] {
        redeem(instance, &code).await.assert_token_error(400, "invalid_grant");
        refresh(instance, text(&tokens, "refresh_token")).await.assert_token_error(400, "invalid_grant");
        assert_eq!(instance.introspect(text(&tokens, "access_token")).await, serde_json::json!({ "active": false }));
        let bearer = format!("Bearer {}", text(&tokens, "access_token"));
        assert_eq!(instance.call(plain("GET", "/userinfo", &[("authorization", &bearer)])).await.status.as_u16(), 401);
    }
    assert_eq!(browser.approve(&open).await.path(), "/login");
    assert!(!is_alive(&mut browser).await && !is_alive(&mut second).await);
}

/// SS-40: a new password does the same, short of switching the account off.
#[tokio::test]
async fn a_new_password_ends_every_session_and_every_app_s_access() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let tokens = tokens_in(&app, &mut browser, SCOPE, "dr.a", Some("p1")).await;
    let hash = app.app.passwords.hash("quite another password").await.expect("a hash");
    app.store().set_password(&app.origin(), &UserId::new("u-dr.a"), &hash).await.expect("set");
    assert!(!is_alive(&mut browser).await);
    refresh(&app, text(&tokens, "refresh_token")).await.assert_token_error(400, "invalid_grant");
    assert_eq!(app.introspect(text(&tokens, "access_token")).await["active"], false);
    let page = login_page(&mut browser).await;
    assert_eq!(browser.log_in(&page, "dr.a").await.reply.status.as_u16(), 403);
    assert_eq!(browser.log_in_with(&page, "dr.a", "quite another password").await.path(), "/patient");
}

/// Ten sessions a person: the eleventh sign-in ends the oldest, with what hung on it.
#[tokio::test]
async fn a_person_has_at_most_ten_sessions() {
    let app = TestApp::start().await;
    let mut oldest = app.browser();
    let online = "openid launch/patient online_access patient/Patient.rs";
    let tokens = tokens_in(&app, &mut oldest, online, "dr.a", Some("p1")).await;
    let mut browsers = Vec::new();
    for _ in 0..9 {
        app.advance(Duration::seconds(1));
        browsers.push(signed_in(&app, "dr.a").await);
    }
    assert!(is_alive(&mut oldest).await);
    // Somebody else's do not count, and signing in again where one was signed in takes no new place.
    signed_in(&app, "dr.b").await;
    let challenge = crate::support::challenge(crate::support::VERIFIER);
    let mut again = crate::support::request("spa", crate::support::visit::SPA, SCOPE, &challenge);
    again.push(("prompt", "login"));
    app.advance(Duration::seconds(1));
    let page = browsers[0].authorize(&again).await;
    browsers[0].log_in(&page, "dr.a").await;
    assert!(is_alive(&mut oldest).await);
    assert_eq!(app.live_sessions().await, 11);

    app.advance(Duration::seconds(1));
    let mut newest = signed_in(&app, "dr.a").await;
    assert!(!is_alive(&mut oldest).await);
    assert_eq!(app.live_sessions().await, 11);
    refresh(&app, text(&tokens, "refresh_token")).await.assert_token_error(400, "invalid_grant");
    assert_eq!(app.introspect(text(&tokens, "access_token")).await["active"], false);
    assert!(is_alive(&mut newest).await && is_alive(&mut browsers[8]).await);
    let ended = app.audit("session.ended").await;
    assert_eq!(ended.iter().filter(|row| row.detail.as_deref() == Some("too many sessions")).count(), 1);
}

/// Sessions that died of themselves take no place from the living.
#[tokio::test]
async fn dead_sessions_do_not_push_out_a_living_one() {
    let app = TestApp::start().await;
    let mut first = signed_in(&app, "dr.a").await;
    for _ in 0..10 {
        signed_in(&app, "dr.a").await;
        app.advance(Duration::minutes(16) / 10 * 3);
        assert_eq!(patient_page(&mut first).await.path(), "/patient");
    }
    assert!(is_alive(&mut first).await);
}

/// AU-01: what timed out is written down once, and ends the access that hung on it.
#[tokio::test]
async fn a_timeout_is_written_down_once() {
    let app = TestApp::start().await;
    let online = "openid launch/patient online_access patient/Patient.rs";
    let tokens = tokens_in(&app, &mut app.browser(), online, "dr.a", Some("p1")).await;
    assert_eq!(app.store().end_dead_sessions(&app.origin()).await.expect("a number"), 0);
    app.advance(Duration::minutes(15));
    // The person is away: the app's access sleeps with the session, and dies with it.
    let answer = app.as_client("/introspect", "spa", &[("token", text(&tokens, "refresh_token"))]).await;
    assert_eq!(answer.json(), serde_json::json!({ "active": false }));
    for expected in [1, 0] {
        assert_eq!(app.store().end_dead_sessions(&app.origin()).await.expect("a number"), expected);
    }
    let ended = app.audit("session.ended").await;
    assert_eq!(ended.len(), 1);
    assert_eq!((ended[0].user_id.as_deref(), ended[0].detail.as_deref()), (Some("u-dr.a"), Some("timeout")));
    refresh(&app, text(&tokens, "refresh_token")).await.assert_token_error(400, "invalid_grant");
}
