//! What browser apps may read of this server, and from where.

use admit::tenant::{AssociatedEndpoint, Brand, FhirBase, Identifier, Strategy};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use time::Duration;

use crate::support::ask::{Ask, encode};
use crate::support::{ISSUER, Reply, TestApp, VERIFIER};

async fn document_of(app: &TestApp, base: &str) -> Value {
    let reply = app.get(&format!("/fhir-bases/{base}/.well-known/smart-configuration")).await;
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.body);
    reply.json()
}

fn words<'d>(document: &'d Value, list: &str) -> Vec<&'d str> {
    document[list].as_array().expect("a list").iter().map(|word| word.as_str().expect("a word")).collect()
}

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

/// SMART App Launch 2.2, "Conformance": the document follows from what its FHIR base is.
#[tokio::test]
async fn each_fhir_base_claims_what_its_version_and_its_strategy_allow() {
    let app = TestApp::start().await;
    let old =
        FhirBase { strategy: Strategy::SmartOnFhirV1, smart_version: "1.0".to_owned(), ..FhirBase::new("old", "https://old.test/r4") };
    let v1_only = FhirBase { strategy: Strategy::SmartOnFhirV1, ..FhirBase::new("v1-only", "https://v1.test/r4") };
    let first = FhirBase { smart_version: "2.0".to_owned(), ..FhirBase::new("first", "https://first.test/r4") };
    for base in [old, v1_only, first] {
        app.store().add_fhir_base(&app.origin(), &base).await.expect("a FHIR base");
    }
    let newest = document_of(&app, "one").await;
    let has = |document: &Value, word: &str| words(document, "capabilities").contains(&word);
    assert!(has(&newest, "authorize-post") && has(&newest, "permission-v1"));
    assert!(words(&newest, "scopes_supported").contains(&"patient/*.cruds"));
    assert!(has(&newest, "permission-v2") && has(&newest, "permission-v2.2"));

    let first = document_of(&app, "first").await;
    assert!(has(&first, "authorize-post") && has(&first, "permission-v2") && !has(&first, "permission-v2.2"));

    for name in ["old", "v1-only"] {
        let document = document_of(&app, name).await;
        assert!(!words(&document, "capabilities").iter().any(|word| word.starts_with("permission-v2")), "{document}");
        let scopes = words(&document, "scopes_supported");
        assert!(scopes.contains(&"patient/*.read") && scopes.contains(&"system/*.*"), "{document}");
        assert!(!scopes.iter().any(|scope| scope.ends_with(".rs") || scope.ends_with(".cruds")), "{document}");
    }
    let old = document_of(&app, "old").await;
    let known_to_stu1 = [
        "launch-ehr",
        "launch-standalone",
        "client-public",
        "client-confidential-symmetric",
        "sso-openid-connect",
        "context-banner",
        "context-style",
        "context-ehr-patient",
        "context-ehr-encounter",
        "context-standalone-patient",
        "context-standalone-encounter",
        "permission-offline",
        "permission-patient",
        "permission-user",
    ];
    assert!(words(&old, "capabilities").iter().all(|word| known_to_stu1.contains(word)), "{old}");

    // The issuer's own document promises of no base what it does not have.
    let all = app.get("/.well-known/smart-configuration").await.json();
    assert_eq!(all, old);
}

/// SMART App Launch 2.2, "Capability Sets": whoever claims a set has all of it.
#[tokio::test]
async fn no_capability_is_claimed_twice_and_each_set_is_whole() {
    let app = TestApp::start().await;
    let document = document_of(&app, "one").await;
    let claimed = words(&document, "capabilities");
    assert_eq!(claimed.len(), claimed.iter().collect::<std::collections::BTreeSet<_>>().len());
    let standalone = [
        "launch-standalone",
        "client-public",
        "client-confidential-symmetric",
        "context-standalone-patient",
        "permission-patient",
        "permission-user",
    ];
    for word in standalone {
        assert!(claimed.contains(&word), "{word}");
    }
}

/// SMART App Launch 2.2, "User-access Brands", "associated_endpoints": said of the base that they belong to,
/// and as soon as they are known.
#[tokio::test]
async fn what_a_base_publishes_stands_in_its_document_at_once() {
    let app = TestApp::start().await;
    let other = app.another().await;
    let before = app.get("/fhir-bases/one/.well-known/smart-configuration").await;
    for absent in ["user_access_brand_bundle", "user_access_brand_identifier", "associated_endpoints"] {
        assert!(before.json().get(absent).is_none(), "{absent}");
    }
    assert_eq!(document_of(&other, "one").await, before.json());

    let identifier = Identifier { system: Some("urn:ietf:rfc:3986".to_owned()), value: "https://hospital.test".to_owned() };
    let brand = Brand { bundle: "https://hospital.test/brands.json".to_owned(), identifier: Some(identifier) };
    let state = AssociatedEndpoint { url: "https://state.test/r4".to_owned(), capabilities: vec!["smart-app-state".to_owned()] };
    let done = app.store().publish_fhir_base(&app.origin(), "one", Some(brand), vec![state]).await;
    assert!(done.expect("the database answers"));
    assert!(!app.store().publish_fhir_base(&app.origin(), "none", None, vec![]).await.expect("the database answers"));
    assert_eq!(app.audit("fhir_base.changed").await.len(), 1);

    let after = app.get("/fhir-bases/one/.well-known/smart-configuration").await;
    assert_ne!(after.header("etag"), before.header("etag"));
    assert_eq!(after.json()["user_access_brand_bundle"], "https://hospital.test/brands.json");
    assert_eq!(after.json()["user_access_brand_identifier"], json!({ "system": "urn:ietf:rfc:3986", "value": "https://hospital.test" }));
    assert_eq!(after.json()["associated_endpoints"], json!([{ "url": "https://state.test/r4", "capabilities": ["smart-app-state"] }]));
    for path in ["/fhir-bases/two/.well-known/smart-configuration", "/.well-known/smart-configuration"] {
        assert!(app.get(path).await.json().get("user_access_brand_bundle").is_none(), "{path}");
    }
    // Another process learns of it within the second.
    app.advance(Duration::seconds(1));
    assert_eq!(document_of(&other, "one").await, after.json());

    let gone = app.get("/fhir-bases/none/.well-known/smart-configuration").await;
    assert_eq!((gone.status.as_u16(), gone.json()["error"].as_str()), (404, Some("not_found")));
    assert_eq!(gone.header("access-control-allow-origin"), "*");
}

/// SMART App Launch 2.2, "Considerations for Cross-Origin Resource Sharing": everybody may read what is no secret.
#[tokio::test]
async fn any_origin_may_read_the_documents() {
    let app = TestApp::start().await;
    for path in [
        "/.well-known/smart-configuration",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/.well-known/jwks.json",
        "/fhir-bases/one/.well-known/smart-configuration",
    ] {
        for origin in ["https://app.test", "https://any.test", "null"] {
            for method in ["GET", "OPTIONS"] {
                let request = Request::builder().method(method).uri(path).header("origin", origin);
                let request = request.header("access-control-request-method", "GET").header("access-control-request-headers", "accept");
                let reply = app.call(request.body(Body::empty()).expect("a request")).await;
                assert_eq!(reply.status.as_u16(), if method == "GET" { 200 } else { 204 }, "{method} {path}");
                assert_eq!(reply.header("access-control-allow-origin"), "*", "{method} {path}");
                assert_eq!(reply.header("access-control-allow-methods"), if method == "GET" { "" } else { "GET" }, "{path}");
                assert!(reply.headers.get("access-control-allow-credentials").is_none(), "{method} {path}");
            }
        }
    }
}

/// The same chapter: pages are for navigation, and no script of another origin reads them.
#[tokio::test]
async fn no_origin_may_read_a_page() {
    let app = TestApp::start().await;
    for path in [
        "/authorize",
        "/login",
        "/patient",
        "/consent",
        "/logout",
        "/launch-pad",
        "/account/apps",
        "/account",
        "/launch",
        "/validate",
        "/nowhere",
    ] {
        for origin in ["https://app.test", "https://any.test", ISSUER] {
            for method in ["GET", "POST", "OPTIONS"] {
                let request = Request::builder().method(method).uri(path).header("origin", origin);
                let request = request.header("access-control-request-method", "POST").body(Body::empty());
                let reply = app.call(request.expect("a request")).await;
                let about_cors = reply.headers.keys().filter(|name| name.as_str().starts_with("access-control-"));
                assert_eq!(about_cors.count(), 0, "{method} {path} from {origin}: {:?}", reply.headers);
            }
        }
    }
}
