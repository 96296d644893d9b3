//! What a token is good for (RFC 7662).

use admit::key::Purpose;
use admit::store::NewClient;
use admit::token::{AccessClaims, Algorithm, Unverified};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use time::Duration;

use crate::support::visit::{SCOPE, claims, plain, refresh, text, tokens};
use crate::support::{SECRET, TestApp};

fn inactive() -> Value {
    json!({ "active": false })
}

/// IR-01: the caller says who it is; a public client may, but learns nothing of others' tokens.
#[tokio::test]
async fn nobody_in_particular_learns_nothing() {
    let app = TestApp::start().await;
    let tokens = tokens(&app, SCOPE, "dr.a", Some("p1")).await;
    let token = text(&tokens, "access_token");
    app.post("/introspect", None, &[("token", token)]).await.assert_token_error(401, "invalid_client");
    let wrong = app.post("/introspect", Some(("rs", "wrong")), &[("token", token)]).await;
    wrong.assert_token_error(401, "invalid_client");
    assert!(wrong.header("www-authenticate").starts_with("Basic realm="));
    app.post("/introspect", None, &[("token", token), ("client_id", "rs")]).await.assert_token_error(401, "invalid_client");
    let bearer = format!("Bearer {token}");
    let request = Request::post("/introspect").header("authorization", &bearer).header("content-type", "application/x-www-form-urlencoded");
    app.call(request.body(Body::from("token=x")).expect("a request")).await.assert_token_error(403, "insufficient_scope");
    app.as_client("/introspect", "rs", &[]).await.assert_token_error(400, "invalid_request");
    app.as_client("/introspect", "rs", &[("token", token), ("token", token)]).await.assert_token_error(400, "invalid_request");

    for (client, own) in [("strict", false), ("evil", false), ("post", false), ("spa", true)] {
        let reply = app.as_client("/introspect", client, &[("token", token)]).await;
        assert_eq!(reply.json()["active"], own, "{client}");
        if !own {
            assert_eq!(reply.json(), inactive());
        }
        let reply = app.as_client("/introspect", client, &[("token", text(&tokens, "refresh_token"))]).await;
        assert_eq!(reply.json()["active"], own, "{client}");
    }
    // A resource server sees access tokens, and nobody's refresh tokens.
    assert_eq!(app.introspect(text(&tokens, "refresh_token")).await, inactive());
    // AU-01: who asked for what was not theirs stands in the books.
    let refused = app.audit("token.introspected").await;
    assert_eq!(refused.len(), 4);
    assert!(refused.iter().all(|row| row.outcome == "refused" && row.jti.as_deref() == claims(token)["jti"].as_str()));
}

/// What an active token is said to be: the SMART members as they stand in the token.
#[tokio::test]
async fn an_active_token_is_described_as_it_was_issued() {
    let app = TestApp::start().await;
    let tokens = tokens(&app, SCOPE, "dr.a", Some("p1")).await;
    let reply = app.as_client("/introspect", "rs", &[("token", text(&tokens, "access_token"))]).await;
    assert_eq!(
        (reply.header("content-type"), reply.header("cache-control"), reply.header("pragma")),
        ("application/json", "no-store", "no-cache")
    );
    let (seen, own) = (reply.json(), claims(text(&tokens, "access_token")));
    assert_eq!((seen["active"].clone(), seen["token_type"].clone()), (json!(true), json!("Bearer")));
    for member in ["iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope", "patient", "fhirUser"] {
        assert_eq!(seen[member], own[member], "{member}");
        assert!(!seen[member].is_null(), "{member}");
    }
}

/// A token that our own key signed, with claims that differ from a good one's.
async fn signed(app: &TestApp, good: &str, typ: &str, purpose: Purpose, change: impl Fn(&mut AccessClaims)) -> String {
    let keys = app.app.keys.current(app.store(), app.clock.now()).await.expect("keys");
    let verified = Unverified::parse(good).expect("a token").verify(keys.verifying(Purpose::Access).expect("keys")).expect("good");
    let mut claims = AccessClaims::read(&verified).expect("claims");
    change(&mut claims);
    let algorithm = if purpose == Purpose::Access { Algorithm::Es256 } else { Algorithm::Rs256 };
    keys.sign(purpose, algorithm, typ, &claims, app.clock.now()).expect("a token")
}

/// IR-02: whatever is wrong with a token, the answer is `{"active":false}` and nothing else.
#[tokio::test]
async fn whatever_is_not_good_is_inactive_and_no_more() {
    let app = TestApp::start().await;
    let tokens = tokens(&app, SCOPE, "dr.a", Some("p1")).await;
    let good = text(&tokens, "access_token").to_owned();
    let consumed = text(&tokens, "refresh_token").to_owned();
    refresh(&app, &consumed).await;
    let own = |_: &mut AccessClaims| {};
    let mut bad = vec![
        ("unknown", "sr_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned()),
        ("truncated", good[..good.len() - 10].to_owned()),
        ("without signature", good[..=good.rfind('.').expect("a dot")].to_owned()),
        ("garbage", "garbage".to_owned()),
        ("dots", "..".to_owned()),
        ("an ID token", text(&tokens, "id_token").to_owned()),
        ("of another tenant", signed(&app, &good, "at+jwt", Purpose::Access, |claims| claims.tenant_id = "other".to_owned()).await),
        ("of another issuer", signed(&app, &good, "at+jwt", Purpose::Access, |claims| claims.iss = "https://evil.test".to_owned()).await),
        ("of another client", signed(&app, &good, "at+jwt", Purpose::Access, |claims| claims.client_id = "evil".to_owned()).await),
        ("of a grant that is not there", signed(&app, &good, "at+jwt", Purpose::Access, |claims| claims.jti = "none.x".to_owned()).await),
        ("from the future", signed(&app, &good, "at+jwt", Purpose::Access, |claims| claims.iat += 31).await),
        ("not valid yet", signed(&app, &good, "at+jwt", Purpose::Access, |claims| claims.nbf += 31).await),
        ("ending now", signed(&app, &good, "at+jwt", Purpose::Access, |claims| claims.exp = claims.iat).await),
        ("of another type", signed(&app, &good, "JWT", Purpose::Access, own).await),
        ("by the key for ID tokens", signed(&app, &good, "at+jwt", Purpose::Id, own).await),
        ("long", "x".repeat(60_000)),
    ];
    assert_eq!(app.introspect(&signed(&app, &good, "at+jwt", Purpose::Access, own).await).await["active"], true, "the forge works");
    bad.push(("consumed", consumed.clone()));
    for (what, token) in &bad {
        for client in ["rs", "spa"] {
            let reply = app.as_client("/introspect", client, &[("token", token)]).await;
            assert_eq!((reply.status.as_u16(), reply.json()), (200, inactive()), "{what} {client}");
        }
    }
    app.as_client("/introspect", "rs", &[("token", &"x".repeat(1 << 20))]).await.assert_token_error(413, "invalid_request");
    app.advance(Duration::minutes(10) - Duration::seconds(1));
    assert_eq!(app.introspect(&good).await["active"], true);
    app.advance(Duration::seconds(1));
    assert_eq!(app.introspect(&good).await, inactive(), "at its end it is over");
}

/// IR-02: a client that was switched off takes its tokens along.
#[tokio::test]
async fn the_tokens_of_a_switched_off_client_are_inactive() {
    let app = TestApp::start().await;
    let tokens = tokens(&app, SCOPE, "dr.a", Some("p1")).await;
    let service = app.token("bsc", &[("grant_type", "client_credentials"), ("scope", "system/Patient.rs")]).await.json();
    assert_eq!(app.introspect(text(&service, "access_token")).await["active"], true);
    for (client, token) in [("spa", text(&tokens, "access_token")), ("bsc", text(&service, "access_token"))] {
        app.store().disable_client(&app.origin(), &admit::id::ClientId::new(client)).await.expect("switched off");
        assert_eq!(app.introspect(token).await, inactive(), "{client}");
    }
}

/// IR-03: a hint helps to find the token and cannot hide it.
#[tokio::test]
async fn a_wrong_hint_changes_nothing() {
    let app = TestApp::start().await;
    let tokens = tokens(&app, SCOPE, "dr.a", Some("p1")).await;
    for hint in ["access_token", "refresh_token", "id_token", "nonsense", ""] {
        for member in ["access_token", "refresh_token"] {
            let reply = app.as_client("/introspect", "spa", &[("token", text(&tokens, member)), ("token_type_hint", hint)]).await;
            assert_eq!(reply.json()["active"], true, "{member} as {hint}");
        }
    }
}

/// IR-04: a token does not belong in an address, nor in JSON.
#[tokio::test]
async fn only_a_posted_form_is_introspected() {
    let app = TestApp::start().await;
    app.get("/introspect?token=x&client_id=spa").await.assert_token_error(405, "invalid_request");
    let body = json!({ "token": "x", "client_id": "spa" }).to_string();
    let request = Request::post("/introspect").header("content-type", "application/json").body(Body::from(body)).expect("a request");
    app.call(request).await.assert_token_error(400, "invalid_request");
    // In the query of a POST it is not looked at.
    let reply =
        app.call(plain("POST", "/introspect?token=x&client_id=spa", &[("content-type", "application/x-www-form-urlencoded")])).await;
    reply.assert_token_error(401, "invalid_client");
}

/// A resource server's right to see all tokens is registered, not asked for.
#[tokio::test]
async fn only_a_registered_resource_server_sees_others_tokens() {
    let app = TestApp::start().await;
    let tokens = tokens(&app, SCOPE, "dr.a", Some("p1")).await;
    let auth = admit::client::ClientAuth::ClientSecretBasic;
    let other = crate::support::client("rs2", auth, &[]);
    let secret = Some(admit::secret::ClientSecret::presented(SECRET).digest());
    app.store().create_client(&app.origin(), NewClient { client: other, secret }).await.expect("a client");
    let form = [("token", text(&tokens, "access_token")), ("client_id", "rs2")];
    let reply = app.post("/introspect", Some(("rs2", SECRET)), &form).await;
    assert_eq!(reply.json(), inactive());
}
