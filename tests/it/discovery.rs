//! What is said of the server, and whether it is true.

use admit::token::base64url;
use aws_lc_rs::digest;
use serde_json::Value;

use crate::support::visit::{SCOPE, SPA, claims, plain, redeem, text, tokens};
use crate::support::{ISSUER, TestApp, VERIFIER, challenge, request};

fn strings(document: &Value, member: &str) -> Vec<String> {
    let list = document[member].as_array().unwrap_or_else(|| panic!("no {member}"));
    list.iter().map(|value| value.as_str().expect("text").to_owned()).collect()
}

/// IR-09: one issuer, byte for byte; every endpoint on it, by https; every endpoint there.
#[tokio::test]
async fn the_documents_name_the_issuer_and_endpoints_that_are_there() {
    let app = TestApp::start().await;
    for path in [
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/.well-known/smart-configuration",
        "/fhir-bases/one/.well-known/smart-configuration",
    ] {
        let reply = app.call(plain("GET", path, &[("accept", "application/fhir+json")])).await;
        assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, "application/json"), "{path}");
        assert!(reply.header("cache-control").contains("max-age=300"));
        let document = reply.json();
        assert_eq!(document["issuer"], ISSUER);
        for (name, value) in document.as_object().expect("an object") {
            if name.ends_with("_endpoint") || name == "jwks_uri" {
                let local = value.as_str().expect("text").strip_prefix(ISSUER).unwrap_or_else(|| panic!("{name} is elsewhere"));
                assert_ne!(app.get(local).await.status.as_u16(), 404, "{name}");
                assert_ne!(app.call(plain("POST", local, &[])).await.status.as_u16(), 404, "{name}");
            }
        }
        let again = app.call(plain("GET", path, &[("if-none-match", reply.header("etag"))])).await;
        assert_eq!((again.status.as_u16(), again.body.as_str()), (304, ""));
    }
}

/// IR-09: what is advertised works, and what is not is refused.
#[tokio::test]
async fn what_is_advertised_is_what_works() {
    let app = TestApp::start().await;
    let document = app.get("/.well-known/openid-configuration").await.json();
    assert_eq!(strings(&document, "grant_types_supported"), ["authorization_code", "refresh_token", "client_credentials"]);
    for grant in ["password", "implicit", "urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:token-exchange"]
    {
        app.token("webq", &[("grant_type", grant)]).await.assert_token_error(400, "unsupported_grant_type");
    }
    for grant in strings(&document, "grant_types_supported") {
        assert_ne!(app.token("webq", &[("grant_type", &grant)]).await.json()["error"], "unsupported_grant_type", "{grant}");
    }
    assert_eq!(
        strings(&document, "token_endpoint_auth_methods_supported"),
        ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]
    );
    assert_eq!(strings(&document, "token_endpoint_auth_signing_alg_values_supported"), ["RS384", "ES384", "ES256", "PS384"]);
    for client in ["spa", "webq", "post"] {
        app.token(client, &[("grant_type", "refresh_token"), ("refresh_token", "x")]).await.assert_token_error(400, "invalid_grant");
    }
    let challenge = challenge(VERIFIER);
    for (name, value, error) in [
        ("response_type", "code", None),
        ("response_type", "token", Some("unsupported_response_type")),
        ("response_type", "code id_token", Some("unsupported_response_type")),
        ("code_challenge_method", "S256", None),
        ("code_challenge_method", "plain", Some("invalid_request")),
        ("request", "x", Some("request_not_supported")),
        ("request_uri", "https://app.test/r", Some("request_uri_not_supported")),
        ("response_mode", "query", None),
        ("response_mode", "query.jwt", Some("invalid_request")),
        ("prompt", "login", None),
        ("prompt", "create", Some("invalid_request")),
    ] {
        let mut params = request("spa", SPA, SCOPE, &challenge);
        params.retain(|(own, _)| *own != name);
        params.push((name, value));
        let landing = app.browser().authorize(&params).await;
        assert_eq!(landing.reply.param("error").as_deref(), error, "{name}={value}");
        assert_eq!(landing.path() == "/login", error.is_none(), "{name}={value}");
    }
    for prompt in strings(&document, "prompt_values_supported") {
        let mut params = request("spa", SPA, SCOPE, &challenge);
        params.push(("prompt", &prompt));
        let landing = app.browser().authorize(&params).await;
        assert_ne!(landing.reply.param("error").as_deref(), Some("invalid_request"), "{prompt}");
    }
    // Scopes: each that is advertised can be had by somebody.
    let smart = app.get("/.well-known/smart-configuration").await.json();
    for scope in strings(&smart, "scopes_supported") {
        assert!(admit::scope::ScopeSet::parse(&scope).is_ok_and(|set| !set.is_empty()), "{scope}");
    }
    let capabilities = strings(&smart, "capabilities");
    for present in [
        "launch-ehr",
        "launch-standalone",
        "client-public",
        "client-confidential-asymmetric",
        "sso-openid-connect",
        "context-standalone-patient",
        "permission-offline",
        "permission-v1",
        "permission-v2",
    ] {
        assert!(capabilities.iter().any(|own| own == present), "{present}");
    }
}

/// IR-09: a server that is not open to registration names no endpoint for it.
#[tokio::test]
async fn registration_is_advertised_where_it_is_open() {
    let app = TestApp::start().await;
    let closed = app.another_with(|setup| setup.is_open_to_registration = false).await;
    for path in ["/.well-known/openid-configuration", "/fhir-bases/one/.well-known/smart-configuration"] {
        assert_eq!(app.get(path).await.json()["registration_endpoint"], format!("{ISSUER}/register"), "{path}");
        assert!(closed.get(path).await.json().get("registration_endpoint").is_none(), "{path}");
    }
    assert_eq!(closed.call(plain("POST", "/register", &[])).await.status.as_u16(), 404);
}

/// IR-11: what an ID token says, and that it belongs to its access token.
#[tokio::test]
async fn an_id_token_is_bound_to_client_request_and_access_token() {
    let app = TestApp::start().await;
    let challenge = challenge(VERIFIER);
    let mut params = request("spa", SPA, SCOPE, &challenge);
    params.extend([("nonce", "n-0S6_WzA2Mj é"), ("max_age", "60")]);
    let mut browser = app.browser();
    let page = browser.authorize(&params).await;
    let page = browser.log_in(&page, "dr.a").await;
    let signed_in_at = app.clock.now().unix_timestamp();
    app.advance(time::Duration::seconds(7));
    let page = browser.pick(&page, "p1").await;
    let code = browser.approve(&page).await.code();
    let tokens = redeem(&app, &code).await.json();
    let (id, access) = (text(&tokens, "id_token"), text(&tokens, "access_token"));
    let header: Value =
        serde_json::from_slice(&admit::token::from_base64url(id.split('.').next().expect("a header")).expect("base64url")).expect("JSON");
    assert_eq!((header["alg"].as_str(), header["typ"].as_str()), (Some("RS256"), Some("JWT")));
    let keys = app.get("/.well-known/jwks.json").await.json();
    let key = keys["keys"].as_array().expect("keys").iter().find(|key| key["kid"] == header["kid"]).expect("a published key").clone();
    assert_eq!((key["kty"].as_str(), key["use"].as_str()), (Some("RSA"), Some("sig")));
    assert!(!keys.to_string().contains("\"d\""), "no private key is published");

    let own = claims(id);
    let half = &digest::digest(&digest::SHA256, access.as_bytes()).as_ref()[..16].to_vec();
    assert_eq!(own["iss"], ISSUER);
    assert_eq!(own["aud"], "spa");
    assert_eq!(own["nonce"], "n-0S6_WzA2Mj é");
    assert_eq!(own["at_hash"], base64url(half));
    assert_eq!(own["auth_time"], signed_in_at);
    assert_eq!(own["amr"], serde_json::json!(["pwd"]));
    assert_eq!(own["sub"], claims(access)["sub"]);
    assert!(own.get("azp").is_none_or(|azp| azp == "spa"));
    assert_eq!(own["exp"].as_i64().expect("a number") - own["iat"].as_i64().expect("a number"), 300);
}

/// IR-11: without a nonce none is made up, and without `openid` there is no ID token.
#[tokio::test]
async fn an_id_token_has_no_nonce_that_was_not_sent() {
    let app = TestApp::start().await;
    let with = tokens(&app, SCOPE, "dr.a", Some("p1")).await;
    assert!(claims(text(&with, "id_token")).get("nonce").is_none());
    let without = tokens(&app, "launch/patient patient/Patient.rs", "dr.a", Some("p1")).await;
    assert!(without.get("id_token").is_none());
}
