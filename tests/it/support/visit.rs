//! Short ways through the pages, for tests that are about what comes after, or about one page.

use axum::body::Body;
use axum::extract::connect_info::ConnectInfo;
use axum::http::Request;
use serde_json::Value;
use std::net::SocketAddr;

use super::app::encode;
use super::browser::request;
use super::{Browser, Landing, Reply, TestApp, VERIFIER, challenge};

/// Where the client `spa` lives.
pub const SPA: &str = "https://app.test/cb";
/// Scopes for which a clinician passes every page.
pub const SCOPE: &str = "openid fhirUser launch/patient offline_access patient/Patient.rs";

/// The sign-in page of a new flow of `spa`.
pub async fn login_page(browser: &mut Browser<'_>) -> Landing {
    browser.authorize(&request("spa", SPA, SCOPE, &challenge(VERIFIER))).await
}

/// The picker, with dr.a in front of it.
pub async fn patient_page(browser: &mut Browser<'_>) -> Landing {
    let page = login_page(browser).await;
    if page.path() == "/login" { browser.log_in(&page, "dr.a").await } else { page }
}

/// The question, with dr.a in front of it and p1 chosen.
pub async fn consent_page(browser: &mut Browser<'_>) -> Landing {
    let page = patient_page(browser).await;
    browser.pick(&page, "p1").await
}

/// A silent request of `spa`: no page may be shown.
pub async fn silently(browser: &mut Browser<'_>) -> Landing {
    let challenge = challenge(VERIFIER);
    let mut params = request("spa", SPA, "openid", &challenge);
    params.push(("prompt", "none"));
    browser.authorize(&params).await
}

/// The token response for a whole launch of `spa`.
pub async fn tokens(app: &TestApp, scope: &str, user: &str, patient: Option<&str>) -> Value {
    tokens_in(app, &mut app.browser(), scope, user, patient).await
}

/// The same in a browser that lives on.
pub async fn tokens_in(app: &TestApp, browser: &mut Browser<'_>, scope: &str, user: &str, patient: Option<&str>) -> Value {
    let landing = browser.launch("spa", SPA, scope, user, patient).await;
    let reply = redeem(app, &landing.code()).await;
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.body);
    reply.json()
}

/// The exchange of a code of `spa`.
pub async fn redeem(app: &TestApp, code: &str) -> Reply {
    let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", SPA), ("code_verifier", VERIFIER)];
    app.token("spa", &form).await
}

/// The use of a refresh token of `spa`.
pub async fn refresh(app: &TestApp, token: &str) -> Reply {
    app.token("spa", &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
}

/// A member of a token response.
pub fn text<'v>(tokens: &'v Value, member: &str) -> &'v str {
    tokens[member].as_str().unwrap_or_else(|| panic!("no {member} in {tokens}"))
}

/// The claims of a token, unverified.
pub fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("a JWT");
    serde_json::from_slice(&admit::token::from_base64url(payload).expect("base64url")).expect("JSON")
}

/// A form with these headers, and none that a browser would add to them.
pub fn form_with(path: &str, form: &[(&str, &str)], headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(encode(form))).expect("a request")
}

/// A request without a body.
pub fn plain(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).expect("a request")
}

/// The same request as it comes in from this address.
pub fn from_peer(mut request: Request<Body>, peer: &str) -> Request<Body> {
    let peer = SocketAddr::new(peer.parse().expect("an address"), 50_000);
    request.extensions_mut().insert(ConnectInfo(peer));
    request
}
