//! A code is worth nothing to whoever does not know the verifier.

use admit::client::{Client, ClientAuth};
use admit::pkce::{Challenge, Verifier};
use admit::store::NewClient;
use proptest::prelude::*;

use crate::support::ask::{Ask, client, redirect_uri_of};
use crate::support::{Reply, TestApp, VERIFIER, challenge};

const ATTACKERS: &str = "the-attackers-own-verifier-0123456789-0123456789";

async fn code(app: &TestApp, ask: &Ask) -> String {
    let mut browser = app.browser();
    let page = browser.ask(ask).await;
    browser.go_through(page, "dr.a", "p1").await.code()
}

async fn redeem(app: &TestApp, client: &str, code: &str, verifier: Option<&str>) -> Reply {
    let mut form = vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect_uri_of(client))];
    form.extend(verifier.map(|verifier| ("code_verifier", verifier)));
    app.token(client, &form).await
}

/// PK-01, PK-11: whoever strips the challenge from a victim's address gets no code at all.
#[tokio::test]
async fn a_request_without_a_challenge_is_refused_for_every_kind_of_client() {
    let app = TestApp::start().await;
    for client in ["spa", "pub", "webq", "post", "clinic"] {
        let bare = Ask::of(client).without("code_challenge").without("code_challenge_method");
        for ask in [bare, Ask::of(client).with("code_challenge", "").with("code_challenge_method", "")] {
            app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");
        }
    }
    assert!(app.audit("code.issued").await.is_empty());
}

/// PK-11: not even for somebody who is signed in and would not be asked for anything.
#[tokio::test]
async fn a_stripped_challenge_gets_no_code_out_of_a_session() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.sign_in("dr.a").await;
    let issued = app.audit("code.issued").await.len();
    let ask = Ask::of("clinic").without("code_challenge").without("code_challenge_method").with("prompt", "none");
    app.assert_app_is_told(&browser.ask(&ask).await.reply, &ask, "invalid_request");
    assert_eq!(app.audit("code.issued").await.len(), issued);
}

/// PK-02, PK-03
#[tokio::test]
async fn no_method_but_s256_is_known() {
    let app = TestApp::start().await;
    let ask = Ask::of("spa").without("code_challenge_method");
    app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");
    for method in ["plain", "S512", "s256", "none", "S256 ", "S256 plain"] {
        let ask = Ask::of("spa").with("code_challenge_method", method);
        app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");
    }
    for path in ["/.well-known/smart-configuration", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
        assert_eq!(app.get(path).await.json()["code_challenge_methods_supported"], serde_json::json!(["S256"]), "{path}");
    }
}

/// PK-04
#[tokio::test]
async fn a_method_without_a_challenge_is_refused() {
    let app = TestApp::start().await;
    let ask = Ask::of("spa").without("code_challenge");
    app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");
}

/// PK-05
#[tokio::test]
async fn a_challenge_that_is_no_sha_256_is_refused() {
    let app = TestApp::start().await;
    let good = challenge(VERIFIER);
    let bent = |end: &str| format!("{}{end}", &good[..43 - end.chars().count()]);
    for bad in [
        "a".repeat(42),
        "a".repeat(44),
        "a".repeat(128),
        "a".repeat(129),
        bent("="),
        bent("+"),
        bent("/"),
        bent(" "),
        bent("ä"),
        format!("{good}="),
    ] {
        let ask = Ask::of("spa").with("code_challenge", &bad);
        app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");
    }
}

/// PK-07
#[tokio::test]
async fn a_code_without_its_verifier_is_refused_and_not_used_up() {
    let app = TestApp::start().await;
    for client in ["spa", "webq"] {
        let code = code(&app, &Ask::of(client)).await;
        redeem(&app, client, &code, None).await.assert_token_error(400, "invalid_grant");
        redeem(&app, client, &code, Some("")).await.assert_token_error(400, "invalid_grant");
        assert_eq!(redeem(&app, client, &code, Some(VERIFIER)).await.status.as_u16(), 200, "{client}");
    }
}

/// PK-08
#[tokio::test]
async fn a_wrong_verifier_is_refused_and_the_right_one_still_works() {
    let app = TestApp::start().await;
    for client in ["spa", "webq"] {
        let code = code(&app, &Ask::of(client)).await;
        redeem(&app, client, &code, Some(ATTACKERS)).await.assert_token_error(400, "invalid_grant");
        assert_eq!(redeem(&app, client, &code, Some(VERIFIER)).await.status.as_u16(), 200, "{client}");
    }
}

/// PK-08: but not for ever; five wrong ones, and the code is dead.
#[tokio::test]
async fn a_code_does_not_outlive_five_wrong_verifiers() {
    let app = TestApp::start().await;
    let code = code(&app, &Ask::of("spa")).await;
    for _ in 0..5 {
        redeem(&app, "spa", &code, Some(ATTACKERS)).await.assert_token_error(400, "invalid_grant");
    }
    redeem(&app, "spa", &code, Some(VERIFIER)).await.assert_token_error(400, "invalid_grant");
}

/// PK-10
#[tokio::test]
async fn a_malformed_verifier_is_refused_and_not_counted() {
    let app = TestApp::start().await;
    let code = code(&app, &Ask::of("spa")).await;
    let malformed =
        ["a".repeat(42), "a".repeat(129), format!("{VERIFIER} "), format!("{VERIFIER}/"), format!("{VERIFIER}ä"), "=".repeat(43)];
    for bad in &malformed {
        redeem(&app, "spa", &code, Some(bad)).await.assert_token_error(400, "invalid_grant");
    }
    assert_eq!(redeem(&app, "spa", &code, Some(VERIFIER)).await.status.as_u16(), 200);
}

/// PK-10: the challenge was seen by everybody who saw the browser's address bar.
#[tokio::test]
async fn the_challenge_is_not_its_own_verifier() {
    let app = TestApp::start().await;
    let code = code(&app, &Ask::of("spa")).await;
    redeem(&app, "spa", &code, Some(&challenge(VERIFIER))).await.assert_token_error(400, "invalid_grant");
    assert_eq!(redeem(&app, "spa", &code, Some(VERIFIER)).await.status.as_u16(), 200);
}

/// PK-12
#[tokio::test]
async fn a_stolen_code_is_worth_nothing_in_the_thief_s_own_transaction() {
    let app = TestApp::start().await;
    let victims = code(&app, &Ask::of("spa")).await;
    // The thief runs the same app with a verifier of their own, and swaps the codes.
    let thiefs = code(&app, &Ask::of("spa").with("code_challenge", &challenge(ATTACKERS))).await;
    redeem(&app, "spa", &victims, Some(ATTACKERS)).await.assert_token_error(400, "invalid_grant");
    // The other way round: a code of the thief's, injected into the victim's app.
    redeem(&app, "spa", &thiefs, Some(VERIFIER)).await.assert_token_error(400, "invalid_grant");
    // And in a client of the thief's own.
    let form =
        [("grant_type", "authorization_code"), ("code", &victims), ("redirect_uri", "https://evil.test/cb"), ("code_verifier", ATTACKERS)];
    app.token("evil", &form).await.assert_token_error(400, "invalid_grant");
    assert_eq!(redeem(&app, "spa", &victims, Some(VERIFIER)).await.status.as_u16(), 200);
}

/// A client that may do without PKCE, as conformance suites need it.
async fn with_exempt_client() -> TestApp {
    let app = TestApp::start().await;
    let exempt = Client { is_pkce_exempt: true, ..client("exempt", ClientAuth::None, &["https://app.test/cb"]) };
    app.store().create_client(&app.origin(), NewClient { client: exempt, secret: None }).await.expect("a client");
    app
}

/// PK-13: the exemption is for requests without a challenge; those are told from stripped ones by
/// the verifier that comes later.
#[tokio::test]
async fn a_verifier_for_a_code_that_never_had_a_challenge_is_refused() {
    let app = with_exempt_client().await;
    let bare = Ask::of("exempt").without("code_challenge").without("code_challenge_method");
    let stripped = code(&app, &bare).await;
    let reply = redeem(&app, "exempt", &stripped, Some(VERIFIER)).await;
    assert!(reply.json().get("access_token").is_none());
    reply.assert_token_error(400, "invalid_grant");
    assert_eq!(redeem(&app, "exempt", &stripped, None).await.status.as_u16(), 200);
}

/// PK-13, PK-07
#[tokio::test]
async fn an_exempt_client_that_sends_a_challenge_is_held_to_it() {
    let app = with_exempt_client().await;
    let code = code(&app, &Ask::of("exempt")).await;
    redeem(&app, "exempt", &code, None).await.assert_token_error(400, "invalid_grant");
    redeem(&app, "exempt", &code, Some(ATTACKERS)).await.assert_token_error(400, "invalid_grant");
    assert_eq!(redeem(&app, "exempt", &code, Some(VERIFIER)).await.status.as_u16(), 200);
    // Half a challenge is none of the two.
    for ask in [Ask::of("exempt").without("code_challenge"), Ask::of("exempt").without("code_challenge_method")] {
        app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");
    }
}

proptest! {
    /// PK-05, PK-10
    #[test]
    fn a_challenge_is_met_by_its_own_verifier_alone(one in "[A-Za-z0-9._~-]{43,128}", other in "[A-Za-z0-9._~-]{43,128}") {
        let (verifier, wrong) = (Verifier::parse(&one).expect("a verifier"), Verifier::parse(&other).expect("a verifier"));
        let challenge = Challenge::parse(verifier.challenge().as_str()).expect("a challenge of our own making");
        prop_assert!(challenge.is_met_by(&verifier));
        prop_assert_eq!(challenge.is_met_by(&wrong), one == other);
    }

    #[test]
    fn what_is_not_43_characters_of_base64url_is_no_challenge(text in ".{0,60}") {
        let is_one = text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        prop_assert_eq!(Challenge::parse(&text).is_some(), is_one);
    }
}
