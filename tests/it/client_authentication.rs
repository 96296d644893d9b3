//! Who calls the token endpoint: by the registered method and no other, and never in two ways.

use admit::id::ClientId;
use admit::secret::ClientSecret;
use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use time::Duration;

use crate::support::{Reply, SCOPE, SECRET, TestApp, VERIFIER, redirect_uri};

/// Any assertion: none is looked at yet.
const ASSERTION: &str = "eyJhbGciOiJFUzM4NCJ9.eyJpc3MiOiJ3ZWJxIn0.AAAA";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A request that would be good if whoever sends it were let in.
const GOOD: [(&str, &str); 2] = [("grant_type", "refresh_token"), ("refresh_token", "sr_unknown")];

/// Posts to the token endpoint with this `Authorization`.
async fn with_header(app: &TestApp, authorization: &str, more: &[(&str, &str)]) -> Reply {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs([&GOOD, more].concat()).finish();
    let request = Request::post("/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", authorization)
        .body(Body::from(body));
    app.call(request.expect("a request")).await
}

fn basic(text: &str) -> String {
    format!("Basic {}", STANDARD.encode(text))
}

/// The request was let in: what is wrong with it is only its token.
#[track_caller]
fn assert_let_in(reply: &Reply) {
    reply.assert_invalid_grant();
}

/// CA-01
#[tokio::test]
async fn whoever_does_not_prove_who_they_are_is_turned_away() {
    let app = TestApp::start().await;
    let in_body = |id, secret| [&GOOD[..], &[("client_id", id), ("client_secret", secret)]].concat();

    let nothing = app.post("/token", None, &GOOD).await;
    let no_secret = app.post("/token", None, &[&GOOD[..], &[("client_id", "webq")]].concat()).await;
    let wrong_in_body = app.post("/token", None, &in_body("post", "cs_wrong")).await;
    let unknown_in_body = app.post("/token", None, &in_body("nobody", "cs_wrong")).await;
    let unknown_public = app.post("/token", None, &[&GOOD[..], &[("client_id", "nobody")]].concat()).await;
    for reply in [&nothing, &no_secret, &wrong_in_body, &unknown_in_body, &unknown_public] {
        reply.assert_token_error(401, "invalid_client");
        assert!(reply.headers.get("www-authenticate").is_none(), "the Authorization header was not used");
        assert_eq!(reply.body, nothing.body, "every reason looks the same");
    }

    let wrong = app.post("/token", Some(("webq", "cs_wrong")), &GOOD).await;
    let unknown = app.post("/token", Some(("nobody", "cs_wrong")), &GOOD).await;
    app.store().disable_client(&app.origin(), &ClientId::new("evil")).await.expect("switched off");
    let disabled = app.post("/token", Some(("evil", SECRET)), &GOOD).await;
    for reply in [&wrong, &unknown, &disabled] {
        reply.assert_token_error(401, "invalid_client");
        assert!(reply.header("www-authenticate").starts_with("Basic realm=\""), "{:?}", reply.headers);
        assert_eq!(reply.body, nothing.body);
    }

    let entries = app.audit("client.authenticated").await;
    assert!(entries.iter().all(|entry| entry.outcome == "refused"));
    // The id of a client that does not exist is whatever somebody typed; it could be a password.
    assert!(entries.iter().all(|entry| entry.client_id.as_deref() != Some("nobody")));
    assert_eq!(entries.iter().filter(|entry| entry.client_id.as_deref() == Some("webq")).count(), 2);
}

/// CA-01: the same at the endpoint's siblings.
#[tokio::test]
async fn introspection_and_revocation_want_the_same_proof() {
    let app = TestApp::start().await;
    for path in ["/introspect", "/revoke"] {
        let form = [("token", "a-token")];
        app.post(path, None, &form).await.assert_token_error(401, "invalid_client");
        app.post(path, Some(("rs", "cs_wrong")), &form).await.assert_token_error(401, "invalid_client");
        app.post(path, None, &[form[0], ("client_id", "rs")]).await.assert_token_error(401, "invalid_client");
        let twice = [form[0], ("client_id", "rs"), ("client_secret", SECRET)];
        app.post(path, Some(("rs", SECRET)), &twice).await.assert_token_error(400, "invalid_request");
    }
}

/// CA-02
#[tokio::test]
async fn two_ways_at_once_are_one_too_many() {
    let app = TestApp::start().await;
    let secret = ("client_secret", SECRET);
    let assertion = [("client_assertion", ASSERTION), ("client_assertion_type", ASSERTION_TYPE)];
    for (header, more) in [
        (Some(("webq", SECRET)), vec![secret]),
        (Some(("webq", SECRET)), vec![("client_id", "webq"), secret]),
        (Some(("webq", SECRET)), assertion.to_vec()),
        (Some(("webq", SECRET)), vec![assertion[1]]),
        (None, vec![("client_id", "post"), secret, assertion[0], assertion[1]]),
        (None, vec![secret, assertion[0]]),
    ] {
        app.post("/token", header, &[&GOOD[..], &more].concat()).await.assert_token_error(400, "invalid_request");
    }
}

/// CA-03
#[tokio::test]
async fn a_client_id_in_the_body_has_to_be_the_one_that_authenticates() {
    let app = TestApp::start().await;
    for other in ["evil", "spa", "nobody", "WEBQ"] {
        let form = [&GOOD[..], &[("client_id", other)]].concat();
        app.post("/token", Some(("webq", SECRET)), &form).await.assert_token_error(400, "invalid_request");
    }
    assert_let_in(&app.post("/token", Some(("webq", SECRET)), &[&GOOD[..], &[("client_id", "webq")]].concat()).await);
}

/// CA-04
#[tokio::test]
async fn malformed_basic_is_a_malformed_request() {
    let app = TestApp::start().await;
    let good = STANDARD.encode(format!("webq:{SECRET}"));
    for bad in [
        "Basic".to_owned(),
        "Basic ".to_owned(),
        "Basic !!!".to_owned(),
        format!("Basic  {good}"),
        format!("Basic {good} "),
        format!("Basic {good} x"),
        format!("Basic {}", good.trim_end_matches('=').replace('=', "") + "A"),
        basic("webq"),
        basic("webq:se\ncret"),
        basic("we\0bq:secret"),
        basic("we%00bq:secret"),
        basic("webq:%0d%0asecret"),
        format!("Basic {}", STANDARD.encode(b"webq:\xff\xfe")),
        format!("Bearer {good}"),
        good.clone(),
    ] {
        with_header(&app, &bad, &[]).await.assert_token_error(400, "invalid_request");
    }
    for scheme in ["basic", "BASIC", "bAsIc"] {
        assert_let_in(&with_header(&app, &format!("{scheme} {good}"), &[]).await);
    }
    // No id, no secret, an id that is too odd for any client: well-formed, and nobody's.
    for nobody in [":", "webq:", &format!(":{SECRET}"), "💉:x", &format!("{}:x", "a".repeat(10_000))] {
        with_header(&app, &basic(nobody), &[]).await.assert_token_error(401, "invalid_client");
    }
    // RFC 6749 §2.3.1: form-encoded before they are joined; most clients send them raw.
    assert_let_in(&with_header(&app, &basic(&format!("w%65bq:{}", SECRET.replace('-', "%2D"))), &[]).await);
}

/// CA-04: two headers are two ways, even if they say the same.
#[tokio::test]
async fn two_authorization_headers_are_refused() {
    let app = TestApp::start().await;
    let header = basic(&format!("webq:{SECRET}"));
    let request = Request::post("/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", &header)
        .header("authorization", &header)
        .body(Body::from("grant_type=refresh_token&refresh_token=sr_unknown"));
    app.call(request.expect("a request")).await.assert_token_error(400, "invalid_request");
}

/// CA-06
#[tokio::test]
async fn only_the_registered_method_is_good() {
    let app = TestApp::start().await;
    let assertion = [("client_assertion", ASSERTION), ("client_assertion_type", ASSERTION_TYPE)];
    let with = |more: &[(&'static str, &'static str)]| [&GOOD[..], more].concat();
    for reply in [
        // Registered for Basic: in the body, or by an assertion.
        app.post("/token", None, &with(&[("client_id", "webq"), ("client_secret", SECRET)])).await,
        app.post("/token", None, &with(&[("client_id", "webq"), assertion[0], assertion[1]])).await,
        app.post("/token", None, &with(&assertion)).await,
        // Registered for the body: by Basic.
        app.post("/token", Some(("post", SECRET)), &GOOD).await,
        // Public: any secret, the empty one in Basic as well, or an assertion.
        app.post("/token", None, &with(&[("client_id", "spa"), ("client_secret", SECRET)])).await,
        app.post("/token", None, &with(&[("client_id", "spa"), ("client_secret", "x")])).await,
        app.post("/token", Some(("spa", SECRET)), &GOOD).await,
        app.post("/token", Some(("spa", "")), &GOOD).await,
        app.post("/token", None, &with(&[("client_id", "spa"), assertion[0], assertion[1]])).await,
        // Half an assertion is an assertion.
        app.post("/token", None, &with(&[("client_id", "spa"), assertion[0]])).await,
        app.post("/token", None, &with(&[("client_id", "spa"), assertion[1]])).await,
    ] {
        reply.assert_token_error(401, "invalid_client");
    }
    // An empty parameter counts as absent (RFC 6749 §3.1): this is a public client as it should be.
    assert_let_in(&app.post("/token", None, &with(&[("client_id", "spa"), ("client_secret", "")])).await);
}

/// CA-06: a code is not redeemed for a client that only says its name.
#[tokio::test]
async fn a_confidential_client_is_never_taken_at_its_word() {
    let app = TestApp::start().await;
    let code = app.code("webq", SCOPE).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", redirect_uri("webq")),
        ("code_verifier", VERIFIER),
        ("client_id", "webq"),
    ];
    app.post("/token", None, &form).await.assert_token_error(401, "invalid_client");
    app.redeem("webq", &code).await.tokens();
}

/// CA-25
#[tokio::test]
async fn a_grant_type_is_one_of_three() {
    let app = TestApp::start().await;
    for missing in [&[][..], &[("grant_type", "")]] {
        app.token("spa", missing).await.assert_token_error(400, "invalid_request");
    }
    for other in ["password", "implicit", "not_a_grant_type", "AUTHORIZATION_CODE", "urn:ietf:params:oauth:grant-type:device_code"] {
        let form = [("grant_type", other), ("username", "dr.a"), ("password", "four words in a row")];
        app.token("spa", &form).await.assert_token_error(400, "unsupported_grant_type");
        app.token("webq", &form).await.assert_token_error(400, "unsupported_grant_type");
    }
}

/// CA-26, the other way round: a backend service takes part in no sign-in.
#[tokio::test]
async fn a_grant_has_to_be_registered() {
    let app = TestApp::start().await;
    let code = [("grant_type", "authorization_code"), ("code", "sc_x"), ("redirect_uri", "https://x.test/"), ("code_verifier", VERIFIER)];
    app.token("bsc", &code).await.assert_token_error(400, "unauthorized_client");
    app.token("bsc", &GOOD).await.assert_token_error(400, "unauthorized_client");
    app.token("rs", &GOOD).await.assert_token_error(400, "unauthorized_client");
}

/// CA-27
#[tokio::test]
async fn the_token_endpoint_reads_one_form_and_each_parameter_once() {
    let app = TestApp::start().await;
    let send = |content_type: Option<&'static str>, path: &'static str, body: &'static str| {
        let request = Request::post(path);
        let request = content_type.into_iter().fold(request, |request, kind| request.header("content-type", kind));
        app.call(request.body(Body::from(body)).expect("a request"))
    };
    const FORM: &str = "application/x-www-form-urlencoded";
    const OK: &str = "grant_type=refresh_token&refresh_token=sr_unknown&client_id=spa";
    assert_let_in(&send(Some(FORM), "/token", OK).await);
    assert_let_in(&send(Some("application/x-www-form-urlencoded; charset=UTF-8"), "/token", OK).await);

    let json = r#"{"grant_type":"refresh_token","refresh_token":"sr_unknown","client_id":"spa"}"#;
    for reply in [
        send(Some("application/json"), "/token", json).await,
        send(None, "/token", OK).await,
        send(Some("multipart/form-data; boundary=x"), "/token", OK).await,
        send(Some("text/plain"), "/token", OK).await,
        // Parameters in the query are not looked at.
        send(Some(FORM), "/token?grant_type=refresh_token&refresh_token=sr_unknown", "client_id=spa").await,
        // Twice, whether or not they agree.
        send(Some(FORM), "/token", "grant_type=refresh_token&grant_type=refresh_token&refresh_token=sr_unknown&client_id=spa").await,
        send(Some(FORM), "/token", "grant_type=refresh_token&refresh_token=sr_unknown&refresh_token=sr_other&client_id=spa").await,
        send(Some(FORM), "/token", "grant_type=refresh_token&refresh_token=sr_unknown&client_id=spa&client_id=spa").await,
        send(Some(FORM), "/token", "grant_type=refresh_token&refresh_token=sr_unknown&client_id=spa&scope=openid&scope=openid").await,
        send(Some(FORM), "/token", "grant_type=refresh_token&refresh_token=sr_unknown&client_id=spa&client_secret=a&client_secret=b").await,
        send(Some(FORM), "/token", "grant_type=authorization_code&code=a&code=b&redirect_uri=https://app.test/cb&client_id=spa").await,
        send(Some(FORM), "/token", "grant_type=authorization_code&code=a&redirect_uri=x&redirect_uri=y&client_id=spa").await,
        send(Some(FORM), "/token", "grant_type=authorization_code&code=a&redirect_uri=x&code_verifier=y&code_verifier=z&client_id=spa")
            .await,
    ] {
        reply.assert_token_error(400, "invalid_request");
    }
    // Nor is a client let in by the query.
    send(Some(FORM), "/token?client_id=spa", "grant_type=refresh_token&refresh_token=sr_unknown")
        .await
        .assert_token_error(401, "invalid_client");
}

/// CA-27
#[tokio::test]
async fn the_token_endpoint_answers_post_alone() {
    let app = TestApp::start().await;
    for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH"] {
        for path in ["/token", "/introspect", "/revoke"] {
            let request = Request::builder().method(method).uri(path).body(Body::empty());
            let reply = app.call(request.expect("a request")).await;
            assert_eq!(reply.status.as_u16(), 405, "{method} {path}");
            assert!(reply.header("allow").contains("POST"), "{method} {path}: {:?}", reply.headers);
        }
    }
    app.get("/token").await.assert_token_error(405, "invalid_request");
}

/// CA-28
#[tokio::test]
async fn during_a_rotation_both_secrets_are_good_and_then_the_new_one_alone() {
    let app = TestApp::start().await;
    let new = ClientSecret::generate();
    let old_until = app.clock.now() + Duration::hours(1);
    let id = ClientId::new("webq");
    assert!(app.store().rotate_client_secret(&app.origin(), &id, new.digest(), old_until).await.expect("rotated"));
    assert_let_in(&app.post("/token", Some(("webq", SECRET)), &GOOD).await);
    assert_let_in(&app.post("/token", Some(("webq", new.expose())), &GOOD).await);
    app.post("/token", Some(("evil", new.expose())), &GOOD).await.assert_token_error(401, "invalid_client");

    app.advance(Duration::hours(1));
    app.post("/token", Some(("webq", SECRET)), &GOOD).await.assert_token_error(401, "invalid_client");
    assert_let_in(&app.post("/token", Some(("webq", new.expose())), &GOOD).await);
}

/// CA-28: a secret that has leaked can be ended at once, and a later rotation does not revive it.
#[tokio::test]
async fn a_retired_secret_stays_retired() {
    let app = TestApp::start().await;
    let id = ClientId::new("webq");
    let (second, third) = (ClientSecret::generate(), ClientSecret::generate());
    assert!(app.store().rotate_client_secret(&app.origin(), &id, second.digest(), app.clock.now()).await.expect("rotated"));
    app.post("/token", Some(("webq", SECRET)), &GOOD).await.assert_token_error(401, "invalid_client");
    let later = app.clock.now() + Duration::days(1);
    assert!(app.store().rotate_client_secret(&app.origin(), &id, third.digest(), later).await.expect("rotated"));
    app.post("/token", Some(("webq", SECRET)), &GOOD).await.assert_token_error(401, "invalid_client");
    for good in [&second, &third] {
        assert_let_in(&app.post("/token", Some(("webq", good.expose())), &GOOD).await);
    }
}
