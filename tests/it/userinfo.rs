//! Who the user is (OpenID Connect Core §5.3, RFC 6750).

use time::Duration;

use crate::support::visit::{form_with, plain, text, tokens};
use crate::support::{Reply, TestApp, encode};

const ALL: &str = "openid fhirUser profile launch/patient patient/Patient.rs";

async fn token(app: &TestApp, scope: &str) -> String {
    text(&tokens(app, scope, "dr.a", Some("p1")).await, "access_token").to_owned()
}

async fn with(app: &TestApp, authorization: &[&str]) -> Reply {
    let headers: Vec<(&str, &str)> = authorization.iter().map(|value| ("authorization", *value)).collect();
    app.call(plain("GET", "/userinfo", &headers)).await
}

/// `RS(status, error)` of the threat catalogue.
#[track_caller]
fn assert_refused(reply: &Reply, status: u16, error: Option<&str>) {
    assert_eq!(reply.status.as_u16(), status, "{}", reply.body);
    let challenge = reply.header("www-authenticate");
    assert!(challenge.starts_with("Bearer"), "{challenge}");
    match error {
        Some(error) => assert!(challenge.contains(&format!("error=\"{error}\"")), "{challenge}"),
        None => assert!(!challenge.contains("error"), "{challenge}"),
    }
    assert_eq!(reply.header("cache-control"), "no-store");
    assert!(!reply.body.contains("u-dr.a"));
}

/// IR-08: each way of presenting a token, and each mistake in it.
#[tokio::test]
async fn a_token_is_presented_in_one_way_and_properly() {
    let app = TestApp::start().await;
    let token = token(&app, ALL).await;
    let good = format!("Bearer {token}");
    for scheme in ["Bearer", "bearer", "BEARER"] {
        assert_eq!(with(&app, &[&format!("{scheme} {token}")]).await.json()["sub"], "u-dr.a");
    }
    assert_refused(&with(&app, &[]).await, 401, None);
    assert_refused(&app.get(&format!("/userinfo?{}", encode(&[("access_token", &token)]))).await, 401, None);
    assert_refused(&with(&app, &["Basic c3BhOg=="]).await, 401, None);
    for malformed in [
        format!("Bearer  {token}"),
        format!("Bearer {token} x"),
        "Bearer ".to_owned(),
        "Bearer".to_owned(),
        "Bearer a\"b".to_owned(),
        format!("Bearer {token},{token}"),
    ] {
        assert_refused(&with(&app, &[&malformed]).await, 400, Some("invalid_request"));
    }
    assert_refused(&with(&app, &[&good, &good]).await, 400, Some("invalid_request"));
    for bad in ["x", "a.b.c", &token[..token.len() - 3]] {
        assert_refused(&with(&app, &[&format!("Bearer {bad}")]).await, 401, Some("invalid_token"));
    }

    let form = [("access_token", token.as_str())];
    assert_eq!(app.call(form_with("/userinfo", &form, &[])).await.json()["sub"], "u-dr.a");
    assert_refused(&app.call(form_with("/userinfo", &form, &[("authorization", &good)])).await, 400, Some("invalid_request"));
    assert_refused(&app.call(form_with("/userinfo", &[], &[])).await, 401, None);
    assert_eq!(app.call(form_with("/userinfo", &[], &[("authorization", &good)])).await.status.as_u16(), 200);
    assert_eq!(app.call(plain("POST", "/userinfo", &[("authorization", &good)])).await.status.as_u16(), 200);
    app.call(form_with("/userinfo", &[form[0], form[0]], &[])).await.assert_token_error(400, "invalid_request");
    let in_query = format!("/userinfo?{}", encode(&form));
    assert_refused(&app.call(form_with(&in_query, &[], &[])).await, 401, None);

    app.advance(Duration::minutes(10));
    assert_refused(&with(&app, &[&good]).await, 401, Some("invalid_token"));
}

/// IR-08: a token that was not given with `openid` says nothing about its user.
#[tokio::test]
async fn without_openid_nobody_is_named() {
    let app = TestApp::start().await;
    let token = token(&app, "launch/patient patient/Patient.rs fhirUser").await;
    assert_refused(&with(&app, &[&format!("Bearer {token}")]).await, 403, Some("insufficient_scope"));
    let service = app.token("bsc", &[("grant_type", "client_credentials"), ("scope", "system/Patient.rs")]).await.json();
    let reply = with(&app, &[&format!("Bearer {}", text(&service, "access_token"))]).await;
    assert_refused(&reply, 403, Some("insufficient_scope"));
}

/// What is said follows from what was granted, and `sub` is the ID token's.
#[tokio::test]
async fn each_scope_adds_its_own_claims() {
    let app = TestApp::start().await;
    for (scope, members) in [
        ("openid", &["sub"][..]),
        ("openid profile", &["name", "sub"]),
        ("openid fhirUser launch/patient patient/Patient.rs", &["fhirUser", "sub"]),
        (ALL, &["fhirUser", "name", "profile", "sub"]),
    ] {
        let tokens = tokens(&app, scope, "dr.a", Some("p1")).await;
        let reply = with(&app, &[&format!("Bearer {}", text(&tokens, "access_token"))]).await;
        assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, "application/json"));
        let info = reply.json();
        let mut own: Vec<&str> = info.as_object().expect("an object").keys().map(String::as_str).collect();
        own.sort_unstable();
        assert_eq!(own, members, "{scope}");
        assert_eq!(info["sub"], crate::support::visit::claims(text(&tokens, "id_token"))["sub"]);
        if scope == ALL {
            assert_eq!(info["fhirUser"], "https://fhir.test/r4/Practitioner/a");
        }
    }
}
