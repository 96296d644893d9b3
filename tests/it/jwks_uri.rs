//! Keys that a client publishes: fetched safely, kept no longer than the client allows, and never after it has taken them
//! back (SMART App Launch 2.2 "Asymmetric"; CA-17 and CA-18 of docs/conformance.md; CA-20, CA-23, WB-04, WB-06 of the threat catalogue).

use std::sync::Arc;

use admit::app::KeyPolicy;
use admit::client::Client;
use admit::id::ClientId;
use admit::listener::RustlsConfig;
use admit::token::Algorithm;
use serde_json::json;
use time::Duration;

use crate::support::asserting::{claims, published};
use crate::support::certificate::self_signed;
use crate::support::{Authority, Forge, KeyServer, Mood, Saying, TestApp, at_once};

/// A server, and the service `far` that publishes its key like this.
async fn stage(mood: impl FnOnce(String) -> Mood) -> (TestApp, Forge, KeyServer) {
    let (app, key) = (TestApp::start().await, Forge::new(Algorithm::Es384));
    let server = KeyServer::start(mood(key.jwks_text())).await;
    app.register(published("far", &server.uri())).await;
    (app, key, server)
}

async fn is_let_in(app: &TestApp, key: &Forge) -> bool {
    let reply = app.assert(&app.assertion("far", key)).await;
    if reply.status.as_u16() != 200 {
        reply.assert_turned_away("the client is unknown, or no key that is registered for it");
    }
    reply.status.as_u16() == 200
}

/// CA-17: one GET, and then the keys are kept.
#[tokio::test]
async fn published_keys_are_fetched_once_and_kept_for_a_minute() {
    let (app, key, server) = stage(Mood::Publishes).await;
    for _ in 0..3 {
        assert!(is_let_in(&app, &key).await);
    }
    assert_eq!(server.asked(), 1);
    app.advance(Duration::seconds(59));
    assert!(is_let_in(&app, &key).await);
    assert_eq!(server.asked(), 1);
    app.advance(Duration::seconds(1));
    assert!(is_let_in(&app, &key).await);
    assert_eq!(server.asked(), 2);
}

/// CA-18: the client's `Cache-Control` is the most, and five minutes are the most of that.
#[tokio::test]
async fn keys_are_kept_no_longer_than_the_client_allows() {
    for (cache_control, life) in
        [("max-age=10", 10), ("private, max-age=120", 120), ("max-age=300", 300), ("max-age=86400, immutable", 300), ("public", 60)]
    {
        let (app, key, server) = stage(|keys| Mood::PublishesFor(cache_control, keys)).await;
        assert!(is_let_in(&app, &key).await);
        app.advance(Duration::seconds(life - 1));
        assert!(is_let_in(&app, &key).await);
        assert_eq!(server.asked(), 1, "{cache_control}");
        app.advance(Duration::seconds(1));
        assert!(is_let_in(&app, &key).await);
        assert_eq!(server.asked(), 2, "{cache_control}");
    }
    for cache_control in ["no-store", "no-cache", "max-age=0", "max-age=600, no-store"] {
        let (app, key, server) = stage(|keys| Mood::PublishesFor(cache_control, keys)).await;
        for times in 1..4 {
            assert!(is_let_in(&app, &key).await, "{cache_control}");
            assert_eq!(server.asked(), times, "{cache_control}");
        }
    }
}

/// CA-23: a new key is found when it is used; one that was taken back is refused at the end of its set's time.
#[tokio::test]
async fn keys_are_rotated() {
    let (app, old, server) = stage(|keys| Mood::PublishesFor("max-age=120", keys)).await;
    let new = Forge::new(Algorithm::Rs384);
    assert!(is_let_in(&app, &old).await);
    app.advance(Duration::seconds(30));
    let both = json!({ "keys": [old.public_jwk, new.public_jwk] }).to_string();
    server.turn(Mood::PublishesFor("max-age=120", both));
    assert!(is_let_in(&app, &new).await && is_let_in(&app, &old).await);
    assert_eq!(server.asked(), 2);
    server.turn(Mood::PublishesFor("max-age=120", new.jwks_text()));
    app.advance(Duration::seconds(120));
    assert!(!is_let_in(&app, &old).await);
    assert!(is_let_in(&app, &new).await);
    assert_eq!(server.asked(), 3);
}

/// CA-20: however many unknown names come by, the client is asked once in thirty seconds, and its known keys go on working.
#[tokio::test]
async fn unknown_names_ask_once_in_thirty_seconds() {
    for cache_control in ["max-age=300", "no-store"] {
        let (app, key, server) = stage(|keys| Mood::PublishesFor(cache_control, keys)).await;
        let stranger = Forge::new(Algorithm::Es384);
        for _ in 0..20 {
            assert!(!is_let_in(&app, &stranger).await);
        }
        assert_eq!(server.asked(), 1, "{cache_control}");
        app.advance(Duration::seconds(29));
        assert!(!is_let_in(&app, &stranger).await);
        assert_eq!(server.asked(), 1, "{cache_control}");
        app.advance(Duration::seconds(1));
        assert!(!is_let_in(&app, &stranger).await);
        assert_eq!(server.asked(), 2, "{cache_control}");
        assert!(is_let_in(&app, &key).await);
    }
}

/// Keys that could not be fetched anew serve to the end of their time, and not a second longer.
#[tokio::test]
async fn nobody_is_let_in_by_keys_whose_time_is_over() {
    let (app, key, server) = stage(|keys| Mood::PublishesFor("max-age=100", keys)).await;
    assert!(is_let_in(&app, &key).await);
    server.turn(Mood::Fails);
    app.advance(Duration::seconds(40));
    assert!(!is_let_in(&app, &Forge::new(Algorithm::Es384)).await);
    assert!(is_let_in(&app, &key).await, "a failed fetch takes nothing away");
    app.advance(Duration::seconds(60));
    assert!(!is_let_in(&app, &key).await);
    // While the client's server is down, it is asked every two seconds at most.
    let asked = server.asked();
    assert!(!is_let_in(&app, &key).await);
    assert_eq!(server.asked(), asked);
    server.turn(Mood::Publishes(key.jwks_text()));
    assert!(!is_let_in(&app, &key).await);
    app.advance(Duration::seconds(2));
    assert!(is_let_in(&app, &key).await);
}

/// WB-06: whatever the address answers instead of keys, nobody is let in, and it is not our failure.
#[tokio::test]
async fn what_is_no_key_set_lets_nobody_in() {
    let (app, key, server) = stage(|_| Mood::Fails).await;
    let elsewhere = KeyServer::start(Mood::Publishes(key.jwks_text())).await;
    let mut private = key.public_jwk.clone();
    private["d"] = json!("AAAA");
    let crowd: Vec<_> = (0..51).map(|_| key.public_jwk.clone()).collect();
    for mood in [
        Mood::Fails,
        Mood::Html,
        Mood::Endless,
        Mood::Redirects(elsewhere.uri()),
        Mood::Publishes(String::new()),
        Mood::Publishes("{\"keys\":{}}".to_owned()),
        Mood::Publishes("{\"keys\":[]}".to_owned()),
        Mood::Publishes(json!({ "keys": [private] }).to_string()),
        Mood::Publishes(json!({ "keys": [key.public_jwk, key.public_jwk] }).to_string()),
        Mood::Publishes(json!({ "keys": crowd }).to_string()),
    ] {
        server.turn(mood.clone());
        app.advance(Duration::seconds(60));
        let asked = server.asked();
        assert!(!is_let_in(&app, &key).await, "{mood:?}");
        assert_eq!(server.asked(), asked + 1, "{mood:?}");
    }
    assert_eq!(elsewhere.asked(), 0, "a redirect is not followed");
}

/// WB-06: a server that never answers costs three seconds, and everybody waits for the same ones.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_answers_lets_nobody_in() {
    let (app, key, server) = stage(|_| Mood::Hangs).await;
    let (app, key, begin) = (Arc::new(app), Arc::new(key), std::time::Instant::now());
    let let_in = at_once(8, |_| {
        let (app, key) = (Arc::clone(&app), Arc::clone(&key));
        async move { is_let_in(&app, &key).await }
    });
    assert!(let_in.await.iter().all(|is_in| !is_in));
    assert_eq!(server.asked(), 1);
    assert!((3..6).contains(&begin.elapsed().as_secs()));
}

/// Many who come at once are served by one fetch, even of keys that may not be kept.
#[tokio::test(flavor = "multi_thread")]
async fn those_who_come_at_once_share_a_fetch() {
    let (app, key, server) = stage(|keys| Mood::PublishesAfter(std::time::Duration::from_millis(300), keys)).await;
    let (app, key) = (Arc::new(app), Arc::new(key));
    let let_in = at_once(16, |_| {
        let (app, key) = (Arc::clone(&app), Arc::clone(&key));
        async move { is_let_in(&app, &key).await }
    });
    assert!(let_in.await.iter().all(|is_in| *is_in));
    assert_eq!(server.asked(), 1);
}

/// CA-6 of docs/conformance.md: `jku` is the registered address, or it is wrong; and it is never asked.
#[tokio::test]
async fn a_jku_is_the_registered_address() {
    let (app, key, server) = stage(Mood::Publishes).await;
    let trap = KeyServer::start(Mood::Publishes(key.jwks_text())).await;
    let with = |jku: String| {
        let mut header = key.header("JWT");
        header["jku"] = json!(jku);
        key.token(&header, &claims(&app, "far"))
    };
    app.assert(&with(server.uri())).await.tokens();
    for other in [trap.uri(), format!("{}#x", server.uri()), server.uri().to_uppercase()] {
        app.assert(&with(other)).await.assert_turned_away("jku");
    }
    assert_eq!(trap.asked(), 0);
}

/// Other keys are in force at once, on every instance.
#[tokio::test]
async fn other_keys_are_in_force_at_once() {
    let (app, old, server) = stage(Mood::Publishes).await;
    let (new, other, id) = (Forge::new(Algorithm::Es384), app.another().await, ClientId::new("far"));
    assert!(is_let_in(&app, &old).await && is_let_in(&other, &old).await);
    assert!(app.store().set_client_keys(&app.origin(), &id, Some(&new.jwks_text()), None).await.expect("changed"));
    for app in [&app, &other] {
        assert!(!is_let_in(app, &old).await && is_let_in(app, &new).await);
    }
    let second = KeyServer::start(Mood::Publishes(old.jwks_text())).await;
    assert!(app.store().set_client_keys(&app.origin(), &id, None, Some(&second.uri())).await.expect("changed"));
    assert!(is_let_in(&other, &old).await && !is_let_in(&other, &new).await);
    assert_eq!(server.asked(), 2);
    // Nobody else has keys to change.
    assert!(!app.store().set_client_keys(&app.origin(), &ClientId::new("bsc"), Some("{}"), None).await.expect("asked"));
    assert_eq!(app.audit("client.keys_changed").await.len(), 2);
}

/// WB-04: an address that nobody has looked at yet is not asked, whoever comes with its client's name.
#[tokio::test]
async fn an_app_that_waits_for_approval_has_nothing_fetched() {
    let (app, key, server) = stage(Mood::Publishes).await;
    app.register(Client { awaits_approval: true, ..published("new", &server.uri()) }).await;
    app.assert(&app.assertion("new", &key)).await.assert_turned_away("the client is unknown");
    assert_eq!(server.asked(), 0);
    app.store().approve_client(&app.origin(), &ClientId::new("new")).await.expect("approved");
    assert_eq!(app.assert(&app.assertion("new", &key)).await.tokens()["scope"], "system/Patient.rs");
}

/// TLS, with an authority that the hospital has named; and the request is what it should be.
#[tokio::test]
async fn keys_come_over_tls_from_whom_we_trust() {
    let (app, key) = (TestApp::start().await, Forge::new(Algorithm::Es384));
    let (certificate, private) = self_signed();
    let tls = RustlsConfig::from_pem(certificate.clone().into_bytes(), private.into_bytes()).await.expect("our own certificate");
    let server = Authority::start_on(Saying::Text(200, "application/json", key.jwks_text()), Some(tls)).await;
    app.register(published("far", &server.endpoint())).await;
    // Its certificate is by nobody whom we know.
    assert!(!is_let_in(&app, &key).await);
    let authorities = Some(certificate.into_bytes());
    let trusting = app.another_with(|setup| setup.client_keys = KeyPolicy { allow_private: true, authorities: authorities.clone() }).await;
    assert!(is_let_in(&trusting, &key).await);
    let questions = server.questions();
    assert_eq!(questions.len(), 1);
    assert_eq!((questions[0].method.as_str(), questions[0].header("accept")), ("GET", Some("application/json")));
    // WB-04: nor does the right certificate help, unless private addresses are allowed.
    let public = app.another_with(|setup| setup.client_keys = KeyPolicy { allow_private: false, authorities }).await;
    assert!(!is_let_in(&public, &key).await);
    assert_eq!(server.asked(), 0);
}

/// WB-04: unless that is allowed, no address that is not everybody's is asked; the answer does not say why.
#[tokio::test]
async fn private_addresses_are_not_asked() {
    let (app, key, server) = stage(Mood::Publishes).await;
    let app = app.another_with(|setup| setup.client_keys = KeyPolicy::default()).await;
    let port = server.uri().split(':').nth(2).expect("a port").to_owned();
    let mut bodies = Vec::new();
    for uri in [
        server.uri(),
        format!("https://127.0.0.1:{port}"),
        format!("https://localhost:{port}"),
        format!("https://[::ffff:127.0.0.1]:{port}"),
        format!("https://0.0.0.0:{port}"),
        format!("https://2130706433:{port}"),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "https://10.0.0.1/jwks".to_owned(),
        "https://nobody.invalid/jwks".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        let id = ClientId::new("far");
        app.store().set_client_keys(&app.origin(), &id, None, Some(&uri)).await.expect("changed");
        let reply = app.assert(&app.assertion("far", &key)).await;
        reply.assert_token_error(401, "invalid_client");
        bodies.push(reply.body);
    }
    assert!(bodies.iter().all(|body| body == &bodies[0]), "{bodies:?}");
    assert_eq!(server.asked(), 0);
}
