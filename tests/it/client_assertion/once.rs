//! Each assertion is good once: at one endpoint, on one instance, before and after a restart.

use admit::id::ClientId;
use admit::token::Algorithm;
use serde_json::json;
use time::Duration;

use super::stage;
use crate::support::asserting::{bent, form, service};
use crate::support::{Forge, at_once, rounds};

/// CA-14
#[tokio::test]
async fn an_assertion_is_good_once() {
    let (app, key) = stage().await;
    let assertion = app.assertion("pkj", &key);
    app.assert(&assertion).await.tokens();
    app.assert(&assertion).await.assert_turned_away("was used before");
    // At the siblings, on another instance, after a restart.
    for path in ["/introspect", "/revoke"] {
        let ask = [&[("token", "x")][..], &form(&assertion)].concat();
        app.post(path, None, &ask).await.assert_turned_away("was used before");
    }
    app.another().await.assert(&assertion).await.assert_turned_away("was used before");
    // The other way round.
    let other = app.assertion("pkj", &key);
    let ask = [&[("token", "x")][..], &form(&other)].concat();
    assert_eq!(app.post("/introspect", None, &ask).await.json(), json!({ "active": false }));
    app.assert(&other).await.assert_turned_away("was used before");
    assert_eq!(app.audit("token.issued").await.len(), 1);
}

/// CA-14: whatever else was wrong with the request, its assertion is gone.
#[tokio::test]
async fn a_request_that_is_refused_takes_its_assertion_along() {
    let (app, key) = stage().await;
    let code = [("grant_type", "authorization_code"), ("code", "sc_x"), ("redirect_uri", "https://x.test/")];
    for ask in [
        &[("grant_type", "client_credentials"), ("scope", "system/Device.rs")][..],
        &[("grant_type", "client_credentials"), ("scope", "system/Patient.rs"), ("resource", "https://evil.test")],
        &[("grant_type", "client_credentials")],
        &[("scope", "system/Patient.rs")],
        &code,
    ] {
        let assertion = app.assertion("pkj", &key);
        let reply = app.post("/token", None, &[ask, &form(&assertion)].concat()).await;
        assert_eq!(reply.status.as_u16(), 400, "{}", reply.body);
        app.assert(&assertion).await.assert_turned_away("was used before");
    }
}

/// CA-14: of any number at once, one wins.
#[tokio::test(flavor = "multi_thread")]
async fn of_concurrent_replays_exactly_one_is_let_in() {
    let (app, key) = stage().await;
    let app = std::sync::Arc::new(app);
    let other = std::sync::Arc::new(app.another().await);
    for _ in rounds(&app) {
        let assertion = app.assertion("pkj", &key);
        let replies = at_once(16, |nth| {
            let (app, assertion) = (std::sync::Arc::clone(if nth % 2 == 0 { &app } else { &other }), assertion.clone());
            async move { app.assert(&assertion).await }
        })
        .await;
        let (let_in, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status.as_u16() == 200);
        assert_eq!(let_in.len(), 1);
        for reply in refused {
            reply.assert_turned_away("was used before");
        }
    }
}

/// CA-14: it is remembered for as long as it would be believed, leeway and all.
#[tokio::test]
async fn a_spent_assertion_is_remembered_until_nobody_believes_it() {
    let (app, key) = stage().await;
    let assertion = app.assertion("pkj", &key);
    app.assert(&assertion).await.tokens();
    app.advance(Duration::seconds(310));
    app.store().purge(&app.origin()).await.expect("purged");
    app.assert(&assertion).await.assert_turned_away("was used before");
    app.advance(Duration::seconds(1));
    app.assert(&assertion).await.assert_turned_away("has passed");
    app.advance(Duration::days(1));
    assert_eq!(app.count("select count(*) from client_assertion").await, 1);
    app.store().purge(&app.origin()).await.expect("purged");
    assert_eq!(app.count("select count(*) from client_assertion").await, 0);
}

/// A client that is deleted and registered again, with the same key, does not make old assertions new.
#[tokio::test]
async fn a_client_that_comes_back_does_not_bring_its_assertions_back() {
    let (app, key) = stage().await;
    let assertion = app.assertion("pkj", &key);
    app.assert(&assertion).await.tokens();
    app.store().delete_client(&app.origin(), &ClientId::new("pkj")).await.expect("deleted");
    app.register(service("pkj", &key.jwks_text())).await;
    app.assert(&assertion).await.assert_turned_away("was used before");
}

/// CA-16: names are each client's own.
#[tokio::test]
async fn two_clients_may_use_the_same_name() {
    let (app, key) = stage().await;
    let second = Forge::new(Algorithm::Es384);
    app.register(service("second", &second.jwks_text())).await;
    let jti = json!({ "jti": "the same" });
    app.assert(&key.token(&key.header("JWT"), &bent(&app, "pkj", &jti))).await.tokens();
    app.assert(&second.token(&second.header("JWT"), &bent(&app, "second", &jti))).await.tokens();
    app.assert(&key.token(&key.header("JWT"), &bent(&app, "pkj", &jti))).await.assert_turned_away("was used before");
}

/// An assertion by somebody else's key spends nothing: whoever sees a name cannot use it up.
#[tokio::test]
async fn only_a_verified_assertion_is_spent() {
    let (app, key) = stage().await;
    let evil = Forge::new(Algorithm::Es384);
    let jti = json!({ "jti": "taken" });
    app.assert(&evil.token(&key.header("JWT"), &bent(&app, "pkj", &jti))).await.assert_turned_away("no key");
    app.assert(&key.token(&key.header("JWT"), &bent(&app, "pkj", &jti))).await.tokens();
}

/// JW-23: another signature of the same claims is the same assertion.
#[tokio::test]
async fn a_second_signature_makes_no_second_assertion() {
    let (app, key) = stage().await;
    let claims = bent(&app, "pkj", &json!({}));
    let (first, second) = (key.token(&key.header("JWT"), &claims), key.token(&key.header("JWT"), &claims));
    assert_ne!(first, second, "ECDSA signs differently each time");
    app.assert(&first).await.tokens();
    app.assert(&second).await.assert_turned_away("was used before");
}

/// CA-17
#[tokio::test]
async fn a_name_is_short_text() {
    let (app, key) = stage().await;
    for jti in [json!(""), json!(7), json!(["a"]), json!("a\u{0}b"), json!("a\nb"), json!("x".repeat(256)), json!("x".repeat(10_000))] {
        let assertion = key.token(&key.header("JWT"), &bent(&app, "pkj", &json!({ "jti": jti })));
        app.assert(&assertion).await.assert_turned_away("the claim jti");
    }
    let huge = key.token(&key.header("JWT"), &bent(&app, "pkj", &json!({ "jti": "x".repeat(40_000) })));
    app.assert(&huge).await.assert_turned_away("longer than 16 KiB");
    for jti in ["x".repeat(255), "'; drop table client_assertion; --".to_owned(), "\u{1f9d1}".to_owned()] {
        app.assert(&key.token(&key.header("JWT"), &bent(&app, "pkj", &json!({ "jti": jti })))).await.tokens();
    }
}
