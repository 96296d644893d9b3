//! Signing keys: rotation that nobody notices, and master keys that do not fit.

use std::sync::Arc;

use admit::key::{MasterKey, Purpose};
use admit::keys::{KeyError, KeyRing};
use admit::token::{Algorithm, Jwks, Unverified};
use admit::validate::{KeySource, Profile, Trust, Validator};
use futures_util::FutureExt as _;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::support::{FHIR1, Forge, ISSUER, Log, TestApp};

/// The kid of a token's header.
pub fn kid(token: &str) -> String {
    Unverified::parse(token).expect("a token").kid().to_owned()
}

/// A validator that fetched the key set some time ago, and has not asked since.
pub fn as_of(jwks: &str) -> Validator {
    let trust = Trust::new(ISSUER, Profile::Admit, "arn:aws:iam::123456789012:role/smart");
    Validator::new(trust, KeySource::embedded(Jwks::parse(jwks.as_bytes()).expect("a key set")))
}

pub fn event(token: &str) -> Value {
    json!({ "datastoreEndpoint": format!("{FHIR1}/"), "operationName": "ReadResource", "bearerToken": token })
}

pub async fn issue(app: &TestApp) -> String {
    let reply = app.token("bsc", &[("grant_type", "client_credentials"), ("scope", "system/Patient.rs")]).await;
    reply.json()["access_token"].as_str().expect("a token").to_owned()
}

/// Another instance, or the command line, rotates: this one follows within a second.
#[tokio::test]
async fn a_rotation_elsewhere_is_seen_within_a_second() {
    let app = TestApp::start().await;
    let other = app.another().await;
    let before = kid(&issue(&app).await);
    app.advance(Duration::seconds(1));
    let now = app.clock.now();
    let made = other.app.keys.rotate(other.store(), &other.origin(), (Purpose::Access, Algorithm::Es256), now).await;
    let made = made.expect("a new key").id.to_string();
    app.advance(Duration::seconds(1));
    assert_eq!(kid(&issue(&app).await), made);
    assert_eq!(kid(&issue(&other).await), made);
    assert_ne!(made, before);
}

/// Both kinds of key may be in the published set, and each verifies its own kind alone.
#[tokio::test]
async fn keys_for_access_tokens_and_id_tokens_are_different_keys() {
    let app = TestApp::start().await;
    let (access, id) = (Forge::of(&app, Purpose::Access).await, Forge::of(&app, Purpose::Id).await);
    assert_ne!(access.kid, id.kid);
    let keys = app.app.keys.current(app.store(), app.clock.now()).await.expect("keys");
    for (purpose, own, other) in [(Purpose::Access, &access, &id), (Purpose::Id, &id, &access)] {
        let set = keys.verifying(purpose).expect("a set");
        assert!(set.get(&own.kid).is_some() && set.get(&other.kid).is_none());
    }
}

/// A wrong master key stops the start, says why, and makes nothing anew.
#[tokio::test]
async fn a_wrong_master_key_is_refused_and_makes_no_new_keys() {
    let app = TestApp::start().await;
    let origin = app.origin();
    let before = app.store().published_keys(&origin.tenant, origin.now).await.expect("keys");
    let ring = KeyRing::new(origin.tenant.clone(), MasterKey::generate());
    for (purpose, algorithm) in [(Purpose::Access, Algorithm::Es256), (Purpose::Id, Algorithm::Rs256), (Purpose::Access, Algorithm::Es384)]
    {
        let refused = ring.ensure(app.store(), &origin, purpose, algorithm).await.expect_err("another master key");
        let text = refused.to_string();
        assert!(matches!(refused, KeyError::Sealed(..)) && text.contains("Give the master key that this database was made with"), "{text}");
    }
    let now = origin.now;
    let refused = ring.rotate(app.store(), &origin, (Purpose::Access, Algorithm::Es256), now).await;
    assert!(matches!(refused.expect_err("another master key"), KeyError::Sealed(..)));
    let after = app.store().published_keys(&origin.tenant, origin.now).await.expect("keys");
    let ids = |keys: &[admit::store::StoredKey]| keys.iter().map(|key| key.id.to_string()).collect::<Vec<_>>();
    assert_eq!(ids(&before), ids(&after));
}

/// A sealed key that was moved to another purpose, tenant or name does not open.
#[tokio::test]
async fn a_sealed_key_opens_only_where_it_was_put() {
    let app = TestApp::start().await;
    app.sql("update signing_key set purpose = 'access' where purpose = 'id'").await;
    let origin = app.origin();
    let ring = KeyRing::new(origin.tenant.clone(), app.master());
    let refused = ring.current(app.store(), origin.now).await.err().expect("it was moved");
    assert!(matches!(refused, KeyError::Sealed(..)), "{refused}");
}

/// A damaged key does not stop a server that knows the good one; a new server says what is wrong.
#[tokio::test]
async fn a_damaged_key_is_named_in_the_log_and_known_keys_serve_on() {
    let app = TestApp::start().await;
    issue(&app).await;
    for (column, damaged) in [("algorithm", "'XS256'"), ("purpose", "'other'"), ("active_at", "9223372036854775807"), ("public_jwk", "'{'")]
    {
        app.sql("alter table signing_key add column kept text").await;
        app.sql(&format!("update signing_key set kept = cast({column} as text)")).await;
        app.sql(&format!("update signing_key set {column} = {damaged}")).await;
        app.advance(Duration::seconds(2));
        let log = Log::listen();
        issue(&app).await;
        assert_eq!(app.get("/.well-known/jwks.json").await.status.as_u16(), 200);
        assert!(!log.lines_with(&format!("signing_key.{column}")).is_empty(), "{column}: {}", log.text());
        drop(log);
        let origin = app.origin();
        let fresh = Arc::new(KeyRing::new(origin.tenant.clone(), app.master()));
        let refused = fresh.current(app.store(), origin.now).await.err().expect("a damaged key").to_string();
        assert!(refused.contains(&format!("signing_key.{column}")), "{refused}");
        let cast = if column == "active_at" { "cast(kept as bigint)" } else { "kept" };
        app.sql(&format!("update signing_key set {column} = {cast}")).await;
        app.sql("alter table signing_key drop column kept").await;
    }
}

/// A ring that knows the keys as they were, and what it has to find out: another instance has rotated them meanwhile.
async fn behind(app: &TestApp) -> (KeyRing, String, OffsetDateTime) {
    let origin = app.origin();
    let ring = KeyRing::new(origin.tenant.clone(), app.master());
    let before = ring.current(app.store(), origin.now).await.expect("keys").document.to_string();
    app.app.keys.rotate(app.store(), &origin, (Purpose::Access, Algorithm::Es256), origin.now).await.expect("rotated");
    (ring, before, origin.now + Duration::minutes(10))
}

/// SS-40: after a rest, nobody goes by keys that may have been revoked since, also where somebody else looks already.
#[tokio::test]
async fn whoever_comes_while_another_one_looks_waits_for_what_is_seen() {
    let app = TestApp::start().await;
    let (ring, before, later) = behind(&app).await;
    let (one, two) = tokio::join!(ring.current(app.store(), later), ring.current(app.store(), later));
    let (one, two) = (one.expect("keys"), two.expect("keys"));
    assert_ne!(*one.document, *before);
    assert!(Arc::ptr_eq(&one, &two), "they looked once");
}

/// F-11: who cannot wait for the database has what was known, and the look goes on without them.
#[tokio::test]
async fn a_look_goes_on_where_nobody_waits_for_it() {
    let app = TestApp::start().await;
    let (ring, before, later) = behind(&app).await;
    assert!(ring.current(app.store(), later).now_or_never().is_none());
    assert_eq!(*ring.last().expect("known").document, *before);
    let seen = async {
        while *ring.last().expect("known").document == *before {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), seen).await.expect("it went on");
}
