//! What browser apps may read of this server, and from where.

use axum::body::Body;
use axum::http::Request;

use crate::support::ask::{Ask, encode};
use crate::support::{Reply, TestApp, VERIFIER};

/// SL-19
#[tokio::test]
async fn the_smart_configuration_is_json_for_everybody_whatever_they_accept() {
    let app = TestApp::start().await;
    for path in ["/.well-known/smart-configuration", "/fhir-bases/one/.well-known/smart-configuration"] {
        for (accept, origin) in [("text/html", "https://any.test"), ("application/fhir+json", "null"), ("*/*", "https://app.test")] {
            let request = Request::get(path).header("accept", accept).header("origin", origin).body(Body::empty());
            let reply = app.call(request.expect("a request")).await;
            assert_eq!(reply.status.as_u16(), 200, "{path}");
            assert_eq!(reply.header("content-type"), "application/json");
            assert_eq!(reply.header("access-control-allow-origin"), "*");
            assert!(reply.headers.get("access-control-allow-credentials").is_none());
            let document = reply.json();
            assert_eq!(document["code_challenge_methods_supported"], serde_json::json!(["S256"]));
            let members = document.as_object().expect("an object");
            for (name, value) in members.iter().filter(|(name, _)| name.ends_with("_endpoint") || *name == "jwks_uri") {
                assert!(value.as_str().is_some_and(|url| url.starts_with("https://idp.test/")), "{name}: {value}");
            }
        }
    }
}

/// SL-19: what is claimed is there.
#[tokio::test]
async fn no_ehr_launch_is_claimed_while_there_is_none() {
    let app = TestApp::start().await;
    let document = app.get("/.well-known/smart-configuration").await.json();
    let has = |list: &str, word: &str| document[list].as_array().expect("a list").iter().any(|own| own == word);
    assert!(has("capabilities", "launch-standalone") && has("capabilities", "context-standalone-patient"));
    assert!(!has("capabilities", "launch-ehr") && !has("scopes_supported", "launch"));
}

async fn token(app: &TestApp, method: &str, origin: Option<&str>) -> Reply {
    let form =
        [("grant_type", "authorization_code"), ("client_id", "spa"), ("code", "sc_x"), ("code_verifier", VERIFIER), ("redirect_uri", "x")];
    let mut request = Request::builder().method(method).uri("/token").header("content-type", "application/x-www-form-urlencoded");
    if let Some(origin) = origin {
        request = request.header("origin", origin).header("access-control-request-method", "POST");
    }
    app.call(request.body(Body::from(encode(&form))).expect("a request")).await
}

/// SL-20
#[tokio::test]
async fn the_token_endpoint_answers_the_origins_of_registered_apps_alone() {
    let app = TestApp::start().await;
    for method in ["POST", "OPTIONS"] {
        let reply = token(&app, method, Some("https://app.test")).await;
        assert_eq!(reply.header("access-control-allow-origin"), "https://app.test", "{method}");
        assert!(reply.header("vary").to_ascii_lowercase().contains("origin"), "{method}");
        assert!(reply.headers.get("access-control-allow-credentials").is_none(), "{method}");
        for other in
            ["https://evil.example", "null", "https://app.test.evil.test", "http://app.test", "https://app.test:8443", "https://APP.test"]
        {
            let reply = token(&app, method, Some(other)).await;
            assert!(reply.headers.get("access-control-allow-origin").is_none(), "{method} {other}");
            assert!(reply.header("vary").to_ascii_lowercase().contains("origin"), "{method} {other}");
        }
        assert!(token(&app, method, None).await.headers.get("access-control-allow-origin").is_none());
    }
}

/// SL-20: the app reads its tokens from its own page, and the page of nobody else does.
#[tokio::test]
async fn a_browser_app_can_read_its_tokens() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = browser.ask(&Ask::of("spa")).await;
    let code = browser.go_through(page, "dr.a", "p1").await.code();
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "spa"),
        ("code", &code),
        ("code_verifier", VERIFIER),
        ("redirect_uri", "https://app.test/cb"),
    ];
    let request = Request::post("/token").header("content-type", "application/x-www-form-urlencoded").header("origin", "https://app.test");
    let reply = app.call(request.body(Body::from(encode(&form))).expect("a request")).await;
    assert_eq!((reply.status.as_u16(), reply.header("access-control-allow-origin")), (200, "https://app.test"));
}

/// SL-20: a browser asks before it sends a token along, and is told that it may.
#[tokio::test]
async fn a_browser_app_may_send_its_credentials_in_a_header() {
    let app = TestApp::start().await;
    for (path, method) in [("/token", "POST"), ("/userinfo", "GET"), ("/userinfo", "POST"), ("/introspect", "POST"), ("/revoke", "POST")] {
        let request = Request::options(path)
            .header("origin", "https://app.test")
            .header("access-control-request-method", method)
            .header("access-control-request-headers", "authorization");
        let reply = app.call(request.body(Body::empty()).expect("a request")).await;
        assert_eq!((reply.status.as_u16(), reply.header("access-control-allow-origin")), (204, "https://app.test"), "{path}");
        assert!(reply.header("access-control-allow-methods").contains(method), "{path}");
        assert!(reply.header("access-control-allow-headers").contains("authorization"), "{path}");
    }
}
