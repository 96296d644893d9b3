//! Where a browser may be sent back to, and where never.

use admit::client::{Client, ClientAuth};
use admit::redirect::{RedirectUri, ReturnTo};
use admit::store::NewClient;
use proptest::prelude::*;

use crate::support::ask::{Ask, client, encode};
use crate::support::{Landing, Reply, TestApp, VERIFIER};

const SPA: &str = "https://app.test/cb";
const WEBQ: &str = "https://web.test/cb?tenant=1";

/// A code for `client`, approved by dr.a.
async fn landing(app: &TestApp, ask: &Ask) -> Landing {
    let mut browser = app.browser();
    let page = browser.ask(ask).await;
    browser.go_through(page, "dr.a", "p1").await
}

/// None of these addresses gets anything: neither a code nor an error.
async fn assert_refused(app: &TestApp, client: &str, uris: &[&str]) {
    for uri in uris {
        let ask = Ask::of(client).with("redirect_uri", uri);
        app.assert_person_is_told(&app.ask(&ask).await, "invalid_request", uri);
        // Nor where the request has another fault that an app would be told of.
        let ask = ask.without("code_challenge");
        app.assert_person_is_told(&app.ask(&ask).await, "invalid_request", uri);
    }
    assert!(app.audit("code.issued").await.is_empty());
}

/// RU-01
#[tokio::test]
async fn the_registered_redirect_uri_gets_a_code_and_nothing_else() {
    let app = TestApp::start().await;
    landing(&app, &Ask::of("spa")).await.assert_code_at(SPA);
}

/// RU-02
#[tokio::test]
async fn a_request_without_a_redirect_uri_is_refused_although_only_one_is_registered() {
    let app = TestApp::start().await;
    for ask in [Ask::of("spa").without("redirect_uri"), Ask::of("spa").with("redirect_uri", "")] {
        app.assert_person_is_told(&app.ask(&ask).await, "invalid_request", "no redirect_uri");
    }
}

/// RU-03
#[tokio::test]
async fn an_address_that_only_begins_like_the_registered_one_gets_nothing() {
    let app = TestApp::start().await;
    let near = ["https://app.test/cb/", "https://app.test/cbx", "https://app.test/cb/x", "https://app.test/c", "https://app.test/cb."];
    assert_refused(&app, "spa", &near).await;
    assert_refused(&app, "spa", &["https://app.test/cb/../cb", "https://app.test/cb#", "https://app.test/cb#x", "https://app.test:443/cb"])
        .await;
    assert_refused(&app, "spa", &[" https://app.test/cb", "https://app.test/cb\t", "https://app.test/cb\n", "HTTPS://APP.TEST/cb"]).await;
}

/// RU-04
#[tokio::test]
async fn a_query_is_part_of_the_registered_address() {
    let app = TestApp::start().await;
    assert_refused(&app, "spa", &["https://app.test/cb?foo=bar", "https://app.test/cb?"]).await;
    let others =
        ["https://web.test/cb?tenant=2", "https://web.test/cb?tenant=1&x=2", "https://web.test/cb", "https://web.test/cb?tenant=1%20"];
    assert_refused(&app, "webq", &others).await;
}

/// RU-08
#[tokio::test]
async fn a_foreign_host_dressed_up_as_the_registered_one_gets_nothing() {
    let app = TestApp::start().await;
    let dressed = [
        "https://app.test@evil.test/cb",
        "https://app.test:x@evil.test/cb",
        "https://evil.test\\@app.test/cb",
        "https://app.test.evil.test/cb",
        "https://app.test%2eevil.test/cb",
        "https://ａpp.test/cb",
        "//app.test/cb",
        "javascript:alert(1)",
        "https://evil.test/\"><script>alert(1)</script>",
    ];
    assert_refused(&app, "spa", &dressed).await;
}

/// RU-13
#[tokio::test]
async fn an_app_on_the_person_s_own_machine_may_listen_on_any_port() {
    let app = TestApp::start().await;
    for uri in ["http://127.0.0.1:51004/cb", "http://[::1]:61023/cb", "http://127.0.0.1/cb"] {
        landing(&app, &Ask::of("pub").with("redirect_uri", uri)).await.assert_code_at(uri);
    }
}

/// RU-13, RU-19: the port belongs to the code.
#[tokio::test]
async fn a_code_for_one_port_is_not_redeemed_with_another() {
    let app = TestApp::start().await;
    let code = landing(&app, &Ask::of("pub").with("redirect_uri", "http://127.0.0.1:51004/cb")).await.code();
    redeem(&app, "pub", &code, Some("http://127.0.0.1:51005/cb")).await.assert_token_error(400, "invalid_grant");
    redeem(&app, "pub", &code, Some("http://127.0.0.1/cb")).await.assert_token_error(400, "invalid_grant");
    assert_eq!(redeem(&app, "pub", &code, Some("http://127.0.0.1:51004/cb")).await.status.as_u16(), 200);
}

/// RU-14
#[tokio::test]
async fn a_loopback_address_may_differ_by_its_port_and_by_nothing_else() {
    let app = TestApp::start().await;
    let others = [
        "http://127.0.0.1:51004/CB",
        "http://127.0.0.1:51004/cb?x=1",
        "http://localhost:51004/cb",
        "http://127.0.0.2:1/cb",
        "http://127.000.000.001:1/cb",
        "http://0x7f.1:1/cb",
        "http://[::ffff:127.0.0.1]:1/cb",
        "https://127.0.0.1:1/cb",
        "http://127.0.0.1:80@evil.test/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:1e3/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:+80/cb",
        "http://127.0.0.1:80#@evil.test/cb",
    ];
    assert_refused(&app, "pub", &others).await;
}

/// RU-16
#[tokio::test]
async fn an_app_s_own_scheme_is_compared_byte_for_byte() {
    let app = TestApp::start().await;
    let uri = "com.example.app:/cb";
    let mut browser = app.browser();
    let page = browser.ask(&Ask::of("pub").with("redirect_uri", uri)).await;
    assert!(page.reply.header("content-security-policy").contains("form-action 'self' com.example.app:;"), "{:?}", page.reply.headers);
    browser.go_through(page, "dr.a", "p1").await.assert_code_at(uri);

    let others = ["com.example.app://cb", "COM.EXAMPLE.APP:/cb", "com.example.app:/cb#", "com.example.app:cb", "com.example.app:51004/cb"];
    for other in others {
        app.assert_person_is_told(&app.ask(&Ask::of("pub").with("redirect_uri", other)).await, "invalid_request", other);
    }
}

/// RU-17
#[tokio::test]
async fn another_client_s_redirect_uri_gets_nothing_and_leaves_a_trace() {
    let app = TestApp::start().await;
    let ask = Ask::of("spa").with("redirect_uri", "https://evil.test/cb");
    app.assert_person_is_told(&app.ask(&ask).await, "invalid_request", "evil's address");
    let trace = app.audit("authorize.redirect_mismatch").await;
    assert_eq!(trace.len(), 1);
    assert_eq!((trace[0].outcome.as_str(), trace[0].client_id.as_deref()), ("refused", Some("spa")));
}

async fn redeem(app: &TestApp, client: &str, code: &str, redirect_uri: Option<&str>) -> Reply {
    let mut form = vec![("grant_type", "authorization_code"), ("code", code), ("code_verifier", VERIFIER)];
    form.extend(redirect_uri.map(|uri| ("redirect_uri", uri)));
    app.token(client, &form).await
}

/// RU-19
#[tokio::test]
async fn a_code_presented_with_another_redirect_uri_is_refused_and_not_used_up() {
    let app = TestApp::start().await;
    let code = landing(&app, &Ask::of("webq")).await.code();
    for other in ["https://web.test/cb?tenant=2", "https://web.test/cb", "https://evil.test/cb"] {
        redeem(&app, "webq", &code, Some(other)).await.assert_token_error(400, "invalid_grant");
    }
    assert_eq!(redeem(&app, "webq", &code, Some(WEBQ)).await.status.as_u16(), 200);
}

/// RU-20
#[tokio::test]
async fn a_code_presented_without_a_redirect_uri_is_refused_and_not_used_up() {
    let app = TestApp::start().await;
    let code = landing(&app, &Ask::of("spa")).await.code();
    redeem(&app, "spa", &code, None).await.assert_token_error(400, "invalid_grant");
    redeem(&app, "spa", &code, Some("")).await.assert_token_error(400, "invalid_grant");
    assert_eq!(redeem(&app, "spa", &code, Some(SPA)).await.status.as_u16(), 200);
}

/// RU-21
#[tokio::test]
async fn the_query_of_the_registered_address_is_kept_once() {
    let app = TestApp::start().await;
    let landing = landing(&app, &Ask::of("webq")).await;
    landing.assert_code_at(WEBQ);
    assert_eq!(landing.reply.header("location").matches("tenant=1").count(), 1);

    let ask = Ask::of("webq").without("code_challenge");
    let reply = app.ask(&ask).await;
    app.assert_app_is_told(&reply, &ask, "invalid_request");
    assert_eq!(reply.header("location").matches("tenant=1").count(), 1);
}

/// RU-24
#[tokio::test]
async fn after_signing_out_only_a_registered_address_is_gone_to() {
    let app = TestApp::start().await;
    let out = |to: &str| format!("/logout?{}", encode(&[("client_id", "spa"), ("post_logout_redirect_uri", to), ("state", "s")]));
    for other in [
        "https://app.test/cb",
        "https://app.test/bye?foo=bar",
        "https://app.test:443/bye",
        "https://APP.test/bye",
        "https://evil.test/bye",
        "https://app.test/bye/",
        "javascript:alert(1)",
    ] {
        let mut browser = app.browser();
        browser.sign_in("dr.a").await;
        let page = browser.go(&out(other)).await;
        assert_eq!(page.reply.status.as_u16(), 200, "{other}");
        let done = browser.submit("/logout", &[("csrf", &page.csrf()), ("client_id", "spa"), ("post_logout_redirect_uri", other)]).await;
        assert_eq!(done.reply.status.as_u16(), 200, "{other}");
        assert!(done.reply.headers.get("location").is_none() && done.reply.body.contains("You are signed out"), "{other}");
        assert!(browser.cookie("__Host-sid").is_none());
    }
    let mut browser = app.browser();
    browser.sign_in("dr.a").await;
    let page = browser.go(&out("https://app.test/bye")).await;
    let form = [
        ("csrf", page.csrf()),
        ("client_id", "spa".into()),
        ("post_logout_redirect_uri", "https://app.test/bye".into()),
        ("state", "s".into()),
    ];
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let done = browser.submit("/logout", &form).await;
    assert_eq!((done.reply.status.as_u16(), done.reply.header("location")), (303, "https://app.test/bye?state=s"));
}

/// RU-10, RU-12
#[test]
fn what_could_run_as_a_script_or_be_read_on_the_way_cannot_be_registered() {
    for bad in [
        "javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "java%0ascript:alert(1)",
        "java\nscript:alert(1)",
        "//evil",
        "cb",
        "/cb",
        "",
        "http://app.test/cb",
        "http://127.0.0.1.evil.test/cb",
        "http://localhost.evil.test/cb",
        "https://*.app.test/cb",
        "https://*/cb",
        "blob:https://app.test/x",
        "about:blank",
    ] {
        assert!(RedirectUri::register(bad).is_err(), "{bad:?}");
    }
}

/// RU-17: a client that is switched off sends nobody anywhere, not even to its own address.
#[tokio::test]
async fn a_client_that_was_switched_off_gets_no_redirect() {
    let app = TestApp::start().await;
    let gone = Client { name: "Gone".to_owned(), ..client("gone", ClientAuth::None, &[SPA]) };
    app.store().create_client(&app.origin(), NewClient { client: gone, secret: None }).await.expect("a client");
    assert_eq!(app.ask(&Ask::of("gone")).await.header("location").split('?').next(), Some("/login"));
    app.store().disable_client(&app.origin(), &admit::id::ClientId::new("gone")).await.expect("switched off");
    app.assert_person_is_told(&app.ask(&Ask::of("gone")).await, "invalid_client", "switched off");
}

proptest! {
    /// RU-03, RU-08: whatever is done to the registered address, only the address itself is admitted.
    #[test]
    fn nothing_but_the_same_bytes_is_admitted(at in 0usize..19, cut in 0usize..4, put in "[a-z/:@#?%.\\\\\t A-Z0-9]{0,6}") {
        let registered = RedirectUri::register(SPA).expect("a good address");
        let end = (at + cut).min(SPA.len());
        let bent = format!("{}{put}{}", &SPA[..at.min(end)], &SPA[end..]);
        prop_assert_eq!(registered.admits(&bent), bent == SPA, "{}", bent);
    }

    /// RU-13, RU-14
    #[test]
    fn a_loopback_address_admits_its_ports_alone(between in "(:[0-9]{1,6}|[:@#?/.0-9a-z]{0,8})") {
        let registered = RedirectUri::register("http://127.0.0.1/cb").expect("a good address");
        let asked = format!("http://127.0.0.1{between}/cb");
        let port = between.strip_prefix(':').filter(|port| !port.starts_with('0')).and_then(|port| port.parse::<u16>().ok());
        prop_assert_eq!(registered.admits(&asked), between.is_empty() || port.is_some(), "{}", asked);
    }

    /// AR-16: whatever a state holds comes back as it was, and nothing of it becomes a header or a
    /// parameter of its own.
    #[test]
    fn every_state_comes_back_and_stays_a_value(state in "[^\0]{1,60}") {
        let mut to = ReturnTo::new(&[RedirectUri::register(SPA).expect("a good address")], SPA).expect("registered");
        to.state = Some(state.clone());
        let location = to.location(&to.members(&[("error", "invalid_scope")], "https://idp.test"));
        prop_assert!(location.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'<'), "{}", location);
        let back: Vec<(String, String)> = url::Url::parse(&location).expect("a URL").query_pairs().into_owned().collect();
        prop_assert_eq!(back, vec![
            ("error".to_owned(), "invalid_scope".to_owned()),
            ("state".to_owned(), state),
            ("iss".to_owned(), "https://idp.test".to_owned()),
        ]);
    }

    #[test]
    fn no_text_makes_registration_panic(text in ".{0,80}") {
        let _ = RedirectUri::register(&text).map(|uri| (uri.origin(), uri.form_action(), uri.host()));
    }
}
