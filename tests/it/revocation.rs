//! Taking a token back (RFC 7009).

use crate::support::visit::{SCOPE, plain, refresh, text, tokens};
use crate::support::{Reply, TestApp};

async fn revoke(app: &TestApp, client: &str, token: &str) -> Reply {
    let reply = app.as_client("/revoke", client, &[("token", token)]).await;
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, "{}"), "{client}");
    assert_eq!((reply.header("content-type"), reply.header("cache-control")), ("application/json", "no-store"));
    reply
}

/// IR-05: with a refresh token go the access tokens of the same grant, at once; doing it twice is no
/// different, and is written down once.
#[tokio::test]
async fn revoking_a_refresh_token_ends_the_grant() {
    let app = TestApp::start().await;
    let first = tokens(&app, SCOPE, "dr.a", Some("p1")).await;
    let second = refresh(&app, text(&first, "refresh_token")).await.json();
    let other_grant = tokens(&app, SCOPE, "dr.a", Some("p1")).await;
    for _ in 0..3 {
        revoke(&app, "spa", text(&second, "refresh_token")).await;
    }
    for token in [text(&first, "access_token"), text(&second, "access_token")] {
        assert_eq!(app.introspect(token).await, serde_json::json!({ "active": false }));
        let bearer = format!("Bearer {token}");
        assert_eq!(app.call(plain("GET", "/userinfo", &[("authorization", &bearer)])).await.status.as_u16(), 401);
    }
    refresh(&app, text(&second, "refresh_token")).await.assert_token_error(400, "invalid_grant");
    assert_eq!(app.introspect(text(&other_grant, "access_token")).await["active"], true);
    assert_eq!(app.audit("grant.revoked").await.len(), 1);
}

/// IR-05: with an access token goes its grant as well (RFC 7009 §2.1 allows it): who signs out of an app is signed out of it.
#[tokio::test]
async fn revoking_an_access_token_ends_the_grant() {
    let app = TestApp::start().await;
    let first = tokens(&app, SCOPE, "dr.a", Some("p1")).await;
    let second = refresh(&app, text(&first, "refresh_token")).await.json();
    let other_grant = tokens(&app, SCOPE, "dr.a", Some("p1")).await;
    for _ in 0..2 {
        revoke(&app, "spa", text(&second, "access_token")).await;
    }
    for token in [text(&first, "access_token"), text(&second, "access_token")] {
        assert_eq!(app.introspect(token).await, serde_json::json!({ "active": false }));
    }
    refresh(&app, text(&second, "refresh_token")).await.assert_token_error(400, "invalid_grant");
    assert_eq!(app.introspect(text(&other_grant, "access_token")).await["active"], true);
    let rows = app.audit("grant.revoked").await;
    assert_eq!((rows.len(), rows[0].outcome.as_str()), (1, "success"));
}

/// IR-05: a service's token goes alone: nothing else hangs on it.
#[tokio::test]
async fn a_service_takes_one_token_back() {
    let app = TestApp::start().await;
    let ask = [("grant_type", "client_credentials"), ("scope", "system/Patient.rs")];
    let (first, second) = (app.token("bsc", &ask).await.json(), app.token("bsc", &ask).await.json());
    for _ in 0..2 {
        revoke(&app, "bsc", text(&first, "access_token")).await;
    }
    assert_eq!(app.introspect(text(&first, "access_token")).await, serde_json::json!({ "active": false }));
    assert_eq!(app.introspect(text(&second, "access_token")).await["active"], true);
    let rows = app.audit("token.revoked").await;
    assert_eq!((rows.len(), rows[0].outcome.as_str()), (1, "success"));
}

/// IR-05: what nobody issued is as revoked as can be.
#[tokio::test]
async fn revoking_what_is_not_there_succeeds() {
    let app = TestApp::start().await;
    let spent = tokens(&app, SCOPE, "dr.a", Some("p1")).await;
    let before = app.state().await;
    for token in ["garbage", "sr_unknown", "a.b.c", text(&spent, "id_token"), &"x".repeat(10_000)] {
        revoke(&app, "spa", token).await;
    }
    for hint in ["access_token", "refresh_token", "nonsense"] {
        let reply = app.as_client("/revoke", "spa", &[("token", "garbage"), ("token_type_hint", hint)]).await;
        assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, "{}"));
    }
    assert_eq!(app.state().await, before);
    assert!(app.audit("token.revoked").await.is_empty());
}

/// IR-06: another client's token stays, the answer does not say that there is one, the books do.
#[tokio::test]
async fn another_client_s_token_is_not_touched() {
    let app = TestApp::start().await;
    let theirs = tokens(&app, SCOPE, "dr.a", Some("p1")).await;
    let before = app.state().await;
    for client in ["evil", "strict", "rs"] {
        for member in ["access_token", "refresh_token"] {
            let reply = revoke(&app, client, text(&theirs, member)).await;
            let unknown = revoke(&app, client, "sr_nobody").await;
            assert_eq!(reply.headers.len(), unknown.headers.len());
        }
    }
    assert_eq!(app.state().await, before);
    assert_eq!(app.introspect(text(&theirs, "access_token")).await["active"], true);
    assert_eq!(refresh(&app, text(&theirs, "refresh_token")).await.status.as_u16(), 200);
    let rows = app.audit("token.revoked").await;
    assert_eq!(rows.len(), 6);
    assert!(rows.iter().all(|row| row.outcome == "refused" && row.client_id.as_deref() != Some("spa")));
}

/// RFC 7009 §2.1: the client says who it is, as at the token endpoint.
#[tokio::test]
async fn only_a_client_revokes() {
    let app = TestApp::start().await;
    let theirs = tokens(&app, SCOPE, "dr.a", Some("p1")).await;
    let token = text(&theirs, "refresh_token");
    app.post("/revoke", None, &[("token", token)]).await.assert_token_error(401, "invalid_client");
    app.post("/revoke", Some(("evil", "wrong")), &[("token", token)]).await.assert_token_error(401, "invalid_client");
    app.as_client("/revoke", "spa", &[]).await.assert_token_error(400, "invalid_request");
    app.get(&format!("/revoke?token={token}&client_id=spa")).await.assert_token_error(405, "invalid_request");
    assert_eq!(refresh(&app, token).await.status.as_u16(), 200);
}
