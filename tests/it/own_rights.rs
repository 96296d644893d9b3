//! Rights at this server, given to a client itself: `__introspect`, `__launch`. A token that holds one is for us and for nobody
//! else (SMART App Launch 2.2 "Token Introspection"; IN-9 to IN-11, IR-01, IR-02, SL-18 of the catalogue).

use admit::client::{Client, ClientAuth, GrantType};
use admit::id::ClientId;
use admit::scope::ScopeSet;
use admit::token::Algorithm;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use time::Duration;

use crate::support::asserting::{form, published};
use crate::support::visit::{SCOPE, text, tokens};
use crate::support::{FHIR1, Forge, ISSUER, Reply, SECRET, TestApp, claims, client, encode};

/// A resource server that proves itself by its key, and may have these scopes.
fn resource_server(id: &str, key: &Forge, scopes: &str) -> Client {
    Client {
        jwks: Some(key.jwks_text()),
        scopes: ScopeSet::parse(scopes).expect("scopes"),
        may_introspect: true,
        fhir_bases: vec![],
        ..published(id, "")
    }
}

async fn stage() -> (TestApp, Forge) {
    let (app, key) = (TestApp::start().await, Forge::new(Algorithm::Es384));
    app.register(resource_server("fhir", &key, "__introspect __launch system/Patient.rs")).await;
    (app, key)
}

/// Asks for a token of its own.
async fn ask(app: &TestApp, key: &Forge, id: &str, more: &[(&str, &str)]) -> Reply {
    let assertion = app.assertion(id, key);
    app.post("/token", None, &[&[("grant_type", "client_credentials")], &form(&assertion)[..], more].concat()).await
}

async fn right(app: &TestApp, key: &Forge, scope: &str) -> String {
    text(&ask(app, key, "fhir", &[("scope", scope)]).await.tokens(), "access_token").to_owned()
}

async fn introspect_as(app: &TestApp, authorization: &str, params: &[(&str, &str)]) -> Reply {
    let request =
        Request::post("/introspect").header("content-type", "application/x-www-form-urlencoded").header("authorization", authorization);
    app.call(request.body(Body::from(encode(params))).expect("a request")).await
}

/// The token names this server, needs no FHIR base, and ends like any other of a client.
#[tokio::test]
async fn a_right_at_this_server_comes_in_a_token_for_this_server() {
    let (app, key) = stage().await;
    for scope in ["__introspect", "__launch", "__launch __introspect"] {
        for resource in [None, Some(("resource", ISSUER))] {
            let more: Vec<_> = [("scope", scope)].into_iter().chain(resource).collect();
            let given = ask(&app, &key, "fhir", &more).await.tokens();
            let said = claims(&given["access_token"]);
            assert_eq!((&said["aud"], &given["scope"], &given["expires_in"]), (&json!(ISSUER), &json!(scope), &json!(300)));
        }
    }
    ask(&app, &key, "fhir", &[("scope", "__introspect"), ("resource", FHIR1)]).await.assert_token_error(400, "invalid_target");
}

/// A FHIR server that sees a token could use what is in it: no token is for both.
#[tokio::test]
async fn no_token_is_for_this_server_and_a_fhir_server() {
    let (app, key) = stage().await;
    let reply = ask(&app, &key, "fhir", &[("scope", "system/Patient.rs __introspect"), ("resource", FHIR1)]).await;
    reply.assert_token_error(400, "invalid_scope");
    assert!(reply.body.contains("two tokens"), "{}", reply.body);
    let data = ask(&app, &key, "fhir", &[("scope", "system/Patient.rs"), ("resource", FHIR1)]).await.tokens();
    assert_eq!(claims(&data["access_token"])["aud"], format!("{FHIR1}/"));
}

/// SC-08, SC-14: the right is registered, twice over for introspection, and is never a person's to give.
#[tokio::test]
async fn a_right_that_is_not_registered_is_not_given() {
    let (app, key) = stage().await;
    app.register(Client { may_introspect: false, ..resource_server("nosy", &key, "__introspect system/Patient.rs") }).await;
    ask(&app, &key, "nosy", &[("scope", "__introspect")]).await.assert_token_error(400, "invalid_scope");
    app.register(resource_server("plain", &key, "system/Patient.rs")).await;
    ask(&app, &key, "plain", &[("scope", "__introspect __launch")]).await.assert_token_error(400, "invalid_scope");
    let rights = ScopeSet::parse("openid patient/*.rs __introspect __launch").expect("scopes");
    let both = vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
    app.register(Client { scopes: rights, grant_types: both, ..client("app", ClientAuth::None, &["https://app.test/cb"]) }).await;
    let given = app.tokens("app", "openid patient/Patient.rs launch/patient __introspect __launch").await;
    assert!(!text(&given, "scope").contains("__"), "{given}");
}

/// IN-9, IN-10: who holds the right sees the tokens of every client, with their context.
#[tokio::test]
async fn a_bearer_of_introspect_sees_every_client_s_tokens() {
    let (app, key) = stage().await;
    let theirs = tokens(&app, SCOPE, "dr.a", Some("p1")).await;
    let token = text(&theirs, "access_token");
    let bearer = right(&app, &key, "__introspect").await;
    let seen = introspect_as(&app, &format!("Bearer {bearer}"), &[("token", token)]).await;
    assert_eq!((seen.status.as_u16(), seen.header("cache-control")), (200, "no-store"));
    assert_eq!(seen.json(), app.introspect(token).await);
    let seen = seen.json();
    let own = claims(&theirs["access_token"]);
    for member in ["iss", "sub", "aud", "exp", "iat", "nbf", "client_id", "scope", "patient", "fhirUser"] {
        assert_eq!(seen[member], own[member], "{member}");
        assert!(!seen[member].is_null(), "{member}");
    }
    // IN-14: nobody's refresh tokens.
    let refresh = introspect_as(&app, &format!("bearer {bearer}"), &[("token", text(&theirs, "refresh_token"))]).await;
    assert_eq!(refresh.json(), json!({ "active": false }));
    // Its own token as well, under its own name.
    let itself = introspect_as(&app, &format!("Bearer {bearer}"), &[("token", &bearer), ("client_id", "fhir")]).await;
    assert_eq!(itself.json()["scope"], "__introspect");
    // IR-02: what is not good is inactive and no more.
    for bad in ["garbage", "a.b.c", &token[..token.len() - 4]] {
        assert_eq!(introspect_as(&app, &format!("Bearer {bearer}"), &[("token", bad)]).await.json(), json!({ "active": false }));
    }
    app.as_client("/revoke", "spa", &[("token", token)]).await;
    assert_eq!(introspect_as(&app, &format!("Bearer {bearer}"), &[("token", token)]).await.json(), json!({ "active": false }));
}

/// SL-18: any other token opens nothing.
#[tokio::test]
async fn no_other_token_introspects() {
    let (app, key) = stage().await;
    let theirs = tokens(&app, SCOPE, "dr.a", Some("p1")).await;
    let token = text(&theirs, "access_token");
    let data = ask(&app, &key, "fhir", &[("scope", "system/Patient.rs"), ("resource", FHIR1)]).await.tokens();
    let launch = right(&app, &key, "__launch").await;
    for other in [token, text(&data, "access_token"), &launch] {
        let reply = introspect_as(&app, &format!("Bearer {other}"), &[("token", token)]).await;
        reply.assert_token_error(403, "insufficient_scope");
        assert_eq!(reply.header("www-authenticate"), "Bearer error=\"insufficient_scope\", scope=\"__introspect\"");
    }
    for bad in ["garbage", "a.b.c", text(&theirs, "id_token"), text(&theirs, "refresh_token")] {
        let reply = introspect_as(&app, &format!("Bearer {bad}"), &[("token", token)]).await;
        reply.assert_token_error(401, "invalid_token");
        assert_eq!(reply.header("www-authenticate"), "Bearer error=\"invalid_token\"");
    }
    let refused = app.audit("token.introspected").await;
    assert_eq!((refused.len(), refused.iter().all(|row| row.outcome == "refused")), (3, true));
}

/// The right is looked at as it is now: taken back, it is gone before the token ends.
#[tokio::test]
async fn a_right_that_was_taken_back_is_gone_at_once() {
    let (app, key) = stage().await;
    let bearer = right(&app, &key, "__introspect").await;
    let ask = [("token", "x")];
    let status = async |app: &TestApp| introspect_as(app, &format!("Bearer {bearer}"), &ask).await.status.as_u16();
    assert_eq!(status(&app).await, 200);
    app.sql("update client set may_introspect_at = null where client_id = 'fhir'").await;
    assert_eq!(status(&app).await, 403);
    app.sql("update client set may_introspect_at = 1 where client_id = 'fhir'").await;
    assert_eq!(status(&app).await, 200);
    app.store().disable_client(&app.origin(), &ClientId::new("fhir")).await.expect("switched off");
    assert_eq!(status(&app).await, 401);
    let (app, key) = stage().await;
    let bearer = right(&app, &key, "__introspect").await;
    app.advance(Duration::seconds(300));
    let reply = introspect_as(&app, &format!("Bearer {bearer}"), &ask).await;
    reply.assert_token_error(401, "invalid_token");
}

/// IR-01, CA-02: one way of saying who one is, and one name.
#[tokio::test]
async fn a_bearer_is_one_way_and_not_one_of_two() {
    let (app, key) = stage().await;
    let bearer = format!("Bearer {}", right(&app, &key, "__introspect").await);
    let assertion = app.assertion("fhir", &key);
    let [kind, presented] = form(&assertion);
    let token = ("token", "x");
    for more in [vec![("client_secret", SECRET)], vec![kind, presented], vec![kind], vec![("client_id", "rs")]] {
        introspect_as(&app, &bearer, &[&[token][..], &more].concat()).await.assert_token_error(400, "invalid_request");
    }
    for malformed in ["Bearer", "Bearer ", "Bearer  x", "Bearer x y", "Bearer \u{7f}"] {
        let request = Request::post("/introspect").header("content-type", "application/x-www-form-urlencoded");
        if let Ok(request) = request.header("authorization", malformed).body(Body::from("token=x")) {
            app.call(request).await.assert_token_error(400, "invalid_request");
        }
    }
    let twice = Request::post("/introspect").header("content-type", "application/x-www-form-urlencoded");
    let twice = twice.header("authorization", &bearer).header("authorization", &bearer).body(Body::from("token=x"));
    app.call(twice.expect("a request")).await.assert_token_error(400, "invalid_request");
    introspect_as(&app, &bearer, &[]).await.assert_token_error(400, "invalid_request");
    // By its key, it needs no such token.
    assert_eq!(app.post("/introspect", None, &[token, kind, presented]).await.json(), json!({ "active": false }));
}

/// Everybody else keeps out a token that is for us: FHIR servers by their audience, and our own pages for people.
#[tokio::test]
async fn a_token_for_this_server_opens_no_fhir_server() {
    let (app, key) = stage().await;
    let bearer = right(&app, &key, "__introspect").await;
    let event = json!({ "datastoreEndpoint": format!("{FHIR1}/"), "operationName": "ReadResource", "bearerToken": bearer });
    let request = Request::post("/validate").header("content-type", "application/json");
    let credentials = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("rs:{SECRET}"));
    let request = request.header("authorization", format!("Basic {credentials}")).body(Body::from(event.to_string()));
    let reply: Value = app.call(request.expect("a request")).await.json();
    assert_eq!(reply["authPayload"]["isAuthorized"], "false", "{reply}");
    assert_eq!(app.userinfo(&bearer).await.status.as_u16(), 403);
}
