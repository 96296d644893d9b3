//! Signing out (OpenID Connect RP-Initiated Logout).

use crate::support::visit::{SCOPE, form_with, plain, silently, text, tokens_in};
use crate::support::{Browser, Landing, TestApp, encode};
use serde_json::Value;

const BYE: &str = "https://app.test/bye";

async fn signed_in<'a>(app: &'a TestApp) -> (Browser<'a>, Value) {
    let mut browser = app.browser();
    let tokens = tokens_in(app, &mut browser, SCOPE, "dr.a", Some("p1")).await;
    (browser, tokens)
}

async fn is_signed_in(browser: &mut Browser<'_>) -> bool {
    silently(browser).await.reply.param("error").as_deref() != Some("login_required")
}

async fn wish(browser: &mut Browser<'_>, params: &[(&str, &str)]) -> Landing {
    browser.go(&format!("/logout?{}", encode(params))).await
}

/// Presses the button of the question.
async fn confirm(browser: &mut Browser<'_>, page: &Landing) -> Landing {
    let mut form = vec![("csrf".to_owned(), page.csrf())];
    for part in page.reply.body.split("<input type=\"hidden\" name=\"").skip(1) {
        let (name, rest) = part.split_once("\" value=\"").expect("a value");
        let value = rest.split('"').next().unwrap_or_default();
        if name != "csrf" {
            form.push((name.to_owned(), value.replace("&#38;", "&")));
        }
    }
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.submit("/logout", &form).await
}

/// A registered address, the app's state, and the token of the person who signs out.
#[tokio::test]
async fn an_app_signs_its_user_out_and_gets_the_browser_back() {
    let app = TestApp::start().await;
    let (mut browser, tokens) = signed_in(&app).await;
    let hint = text(&tokens, "id_token");
    let page = wish(&mut browser, &[("id_token_hint", hint), ("post_logout_redirect_uri", BYE), ("state", "a&b c")]).await;
    assert_eq!(page.reply.status.as_u16(), 200);
    assert!(page.reply.body.contains("Sign out?") && is_signed_in(&mut browser).await);
    assert!(page.reply.header("content-security-policy").contains("form-action 'self' https://app.test;"));
    let landing = confirm(&mut browser, &page).await;
    assert_eq!(landing.reply.header("location"), "https://app.test/bye?state=a%26b%20c");
    assert!(!is_signed_in(&mut browser).await);
    assert_eq!(app.audit("logout").await.len(), 1);
}

/// RU-24: an address that is not registered, byte for byte, is not gone to.
#[tokio::test]
async fn an_unregistered_address_is_not_gone_to() {
    for uri in [
        "https://evil.test/bye",
        "https://app.test/bye?foo=bar",
        "https://app.test:443/bye",
        "https://APP.test/bye",
        "https://app.test/bye/",
        "https://app.test/bye#x",
        "https://app.test/cb",
        "https://app.test/bye/../x",
        "https://app.test@evil.test/bye",
        "//evil.test",
        "javascript:alert(1)",
        "https://app.test/bye\r\nSet-Cookie: a=b",
    ] {
        let app = TestApp::start().await;
        let (mut browser, tokens) = signed_in(&app).await;
        let params = [("id_token_hint", text(&tokens, "id_token")), ("post_logout_redirect_uri", uri), ("state", "s")];
        let page = wish(&mut browser, &params).await;
        assert_eq!((page.reply.status.as_u16(), page.reply.header("location")), (200, ""), "{uri}");
        assert!(!page.reply.header("content-security-policy").contains("evil"));
        let landing = confirm(&mut browser, &page).await;
        assert_eq!((landing.reply.status.as_u16(), landing.reply.header("location")), (200, ""), "{uri}");
        assert!(landing.reply.body.contains("You are signed out"));
        assert!(!is_signed_in(&mut browser).await);
        // And once nobody is signed in, neither.
        let page = wish(&mut browser, &params).await;
        assert_eq!((page.reply.status.as_u16(), page.reply.header("location")), (200, ""), "{uri}");
    }
}

/// RU-24: another client's address, though registered, is not this one's.
#[tokio::test]
async fn another_client_s_address_is_not_gone_to() {
    let app = TestApp::start().await;
    let (mut browser, tokens) = signed_in(&app).await;
    for params in [
        vec![("client_id", "evil"), ("post_logout_redirect_uri", BYE)],
        vec![("client_id", "no-such-client"), ("post_logout_redirect_uri", BYE)],
        vec![("post_logout_redirect_uri", BYE)],
        // The hint and the parameter name two clients.
        vec![("client_id", "strict"), ("id_token_hint", text(&tokens, "id_token")), ("post_logout_redirect_uri", BYE)],
    ] {
        let page = wish(&mut browser, &params).await;
        assert!(!page.reply.header("content-security-policy").contains("app.test"), "{params:?}");
    }
    assert!(is_signed_in(&mut browser).await);
}

/// SS-39: a link or an image signs nobody out; the form of another site does not either.
#[tokio::test]
async fn nobody_is_signed_out_without_being_asked() {
    let app = TestApp::start().await;
    let (mut browser, tokens) = signed_in(&app).await;
    let hint = text(&tokens, "id_token");
    let before = app.state().await;
    for params in [&[][..], &[("client_id", "spa"), ("post_logout_redirect_uri", BYE)], &[("id_token_hint", hint)]] {
        let page = wish(&mut browser, params).await;
        assert_eq!((page.reply.status.as_u16(), page.reply.header("location")), (200, ""));
        assert!(page.reply.body.contains("Sign out?"));
    }
    let image = browser.send(plain("GET", "/logout", &[("sec-fetch-dest", "image"), ("sec-fetch-site", "cross-site")])).await;
    assert!(image.headers.get("set-cookie").is_none());
    // With the cookie, but without the token of the page: an app of the same site may post, and gets the question.
    let asked = browser.send(form_with("/logout", &[("post_logout_redirect_uri", BYE), ("client_id", "spa")], &[])).await;
    assert!(asked.status.as_u16() == 200 && asked.body.contains("Sign out?"), "{}", asked.body);
    assert!(asked.headers.get("set-cookie").is_none());
    assert_eq!(app.state().await, before);
}

/// SS-39: a hint that is forged, unsigned, or somebody else's buys no redirect.
#[tokio::test]
async fn a_forged_hint_is_no_hint() {
    let app = TestApp::start().await;
    let (mut browser, tokens) = signed_in(&app).await;
    let hint = text(&tokens, "id_token");
    let (_, rest) = hint.split_once('.').expect("a JWT");
    let (payload, _) = rest.split_once('.').expect("a JWT");
    let header = admit::token::base64url(br#"{"alg":"none","typ":"JWT"}"#);
    let flipped = if hint.ends_with('A') { "B" } else { "A" };
    for forged in [
        format!("{header}.{payload}."),
        format!("{header}.{payload}.x"),
        format!("{}{flipped}", &hint[..hint.len() - 4]),
        text(&tokens, "access_token").to_owned(),
        "garbage".to_owned(),
        "eyJhbGciOiJSUzI1NiIsImtpZCI6Im90aGVyIn0.e30.c2ln".to_owned(),
    ] {
        // Even where the client is named beside it.
        let page = wish(&mut browser, &[("id_token_hint", &forged), ("client_id", "spa"), ("post_logout_redirect_uri", BYE)]).await;
        assert_eq!((page.reply.status.as_u16(), page.reply.header("location")), (200, ""), "{forged}");
        assert!(!page.reply.header("content-security-policy").contains("app.test"), "{forged}");
    }
    assert!(is_signed_in(&mut browser).await);
    let forged = format!("{header}.{payload}.x");
    let page = wish(&mut browser, &[("id_token_hint", &forged), ("client_id", "spa"), ("post_logout_redirect_uri", BYE)]).await;
    let landing = confirm(&mut browser, &page).await;
    assert_eq!((landing.reply.status.as_u16(), landing.reply.header("location")), (200, ""));
}

/// The endpoint takes POST as well (RP-Initiated Logout §2): an app's form comes without our cookie,
/// because it is cross-site, and ends at the question all the same.
#[tokio::test]
async fn an_app_may_send_its_wish_as_a_form() {
    let app = TestApp::start().await;
    let (mut browser, tokens) = signed_in(&app).await;
    let params = [("id_token_hint", text(&tokens, "id_token")), ("post_logout_redirect_uri", BYE), ("state", "s")];
    let cross_site = [("origin", "https://app.test"), ("sec-fetch-site", "cross-site")];
    let reply = app.call(form_with("/logout", &params, &cross_site)).await;
    assert_eq!(reply.status.as_u16(), 303);
    // The browser follows by GET, and then its cookie goes along.
    let page = browser.go(reply.header("location")).await;
    assert!(page.reply.body.contains("Sign out?") && is_signed_in(&mut browser).await);
    let landing = confirm(&mut browser, &page).await;
    assert_eq!(landing.reply.header("location"), "https://app.test/bye?state=s");
}

/// Signing out ends `online_access`, and leaves `offline_access` to go on.
#[tokio::test]
async fn signing_out_ends_online_access_alone() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let online = tokens_in(&app, &mut browser, "openid launch/patient online_access patient/Patient.rs", "dr.a", Some("p1")).await;
    let offline = tokens_in(&app, &mut browser, SCOPE, "dr.a", Some("p1")).await;
    let page = browser.go("/logout").await;
    browser.submit("/logout", &[("csrf", &page.csrf())]).await;
    let refresh = |tokens: &Value| {
        let token = text(tokens, "refresh_token").to_owned();
        let app = &app;
        async move { crate::support::visit::refresh(app, &token).await }
    };
    refresh(&online).await.assert_token_error(400, "invalid_grant");
    assert_eq!(app.introspect(text(&online, "access_token")).await["active"], false);
    assert_eq!(refresh(&offline).await.status.as_u16(), 200);
}
