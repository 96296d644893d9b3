//! Keys that take over from one another: by schedule, amid clocks that jump, and because one has leaked.

use std::collections::{BTreeMap, HashSet};

use admit::key::Purpose;
use admit::keys::{KeyError, MOST_PUBLISHED, Schedule};
use admit::store::StoredKey;
use admit::token::{Algorithm, Jwks};
use admit::validate::{KeySource, Profile, Trust, Validator};
use serde_json::json;
use time::{Duration, OffsetDateTime};

use crate::http_validator;
use crate::jose::assert_refused;
use crate::keys::{as_of, event, issue, kid};
use crate::support::visit::plain;
use crate::support::{ISSUER, KeyServer, Mood, SCOPE, TestApp, at_once};

const ACCESS: (Purpose, Algorithm) = (Purpose::Access, Algorithm::Es256);

fn every(period: Duration) -> Schedule {
    Schedule::every(period).expect("a schedule")
}

async fn keep_up(app: &TestApp, schedule: Schedule) {
    app.app.keys.keep_up(app.store(), &app.origin(), schedule).await.expect("what is due");
}

/// RSA keys take their time to make, and rotate like any other.
async fn without_other_keys(app: &TestApp) {
    app.sql("delete from signing_key where purpose <> 'access'").await;
    app.advance(Duration::seconds(1));
}

async fn published(app: &TestApp) -> Vec<StoredKey> {
    app.store().published_keys(&app.origin().tenant, app.clock.now()).await.expect("keys")
}

async fn key_set(app: &TestApp) -> String {
    app.get("/.well-known/jwks.json").await.body
}

async fn erased(app: &TestApp) -> usize {
    app.audit("key.erased").await.len()
}

/// KF-04: whoever cached the key set five minutes ago meets no token that it cannot verify, and every token is good to its
/// end, at the validator and at the server.
#[tokio::test]
async fn rotations_go_by_unnoticed() {
    let app = TestApp::start().await;
    without_other_keys(&app).await;
    let schedule = every(Duration::minutes(7));
    let mut key_sets: Vec<String> = vec![];
    let mut tokens: Vec<(usize, String)> = vec![];
    let mut first_use: BTreeMap<String, usize> = BTreeMap::new();
    for minute in 0..90_usize {
        keep_up(&app, schedule).await;
        key_sets.push(key_set(&app).await);
        let token = issue(&app).await;
        first_use.entry(kid(&token)).or_insert(minute);
        tokens.push((minute, token));
        let cached = as_of(&key_sets[minute.saturating_sub(5)]);
        for (issued, token) in tokens.iter().filter(|(issued, _)| minute - issued < 5) {
            let answer = cached.answer(&event(token), app.clock.now()).await;
            assert_eq!(answer["authPayload"]["isAuthorized"], "true", "minute {minute}, token of minute {issued}: {answer}");
            assert_eq!(app.introspect(token).await["active"], true, "minute {minute}, token of minute {issued}");
        }
        app.advance(Duration::minutes(1));
    }
    assert_eq!(first_use.len(), 13, "the first key, and one every seven minutes: {first_use:?}");
    for (kid, used) in first_use {
        let shown = key_sets.iter().position(|set| set.contains(&kid)).expect("it is published");
        assert!(used == 0 || used - shown >= 6, "{kid} was published at minute {shown} and used at minute {used}");
    }
    // What has gone is gone: those that sign, those that come, and those whose tokens may live.
    assert!(published(&app).await.len() <= 6, "{:?}", published(&app).await);
    assert!(erased(&app).await >= 9);
}

/// A year of the usual schedule, at two instances that take turns: there is always one that signs, and one that comes.
#[tokio::test]
async fn a_year_goes_by_on_schedule() {
    let app = TestApp::start().await;
    let apps = [app.another().await, app];
    without_other_keys(&apps[0]).await;
    let start = apps[0].clock.now();
    let mut first_seen: BTreeMap<String, OffsetDateTime> = BTreeMap::new();
    let mut took_over: Vec<(OffsetDateTime, String)> = vec![];
    for step in 0..(365 * 4) {
        let app = &apps[step % 2];
        keep_up(app, Schedule::default()).await;
        let now = app.clock.now();
        let keys = published(app).await;
        for key in &keys {
            first_seen.entry(key.id.to_string()).or_insert(now);
        }
        assert!(keys.iter().any(|key| key.active_at > now), "one comes");
        assert!(keys.len() <= 3, "{keys:?}");
        let signing = kid(&issue(app).await);
        assert!(key_set(app).await.contains(&signing));
        if took_over.last().is_none_or(|(_, last)| *last != signing) {
            if let Some((_, last)) = took_over.last() {
                assert!(now - first_seen[&signing] >= Duration::hours(24), "{signing} was published too late");
                assert!(key_set(app).await.contains(last), "the old one stays for a day");
            }
            took_over.push((now, signing));
        }
        app.advance(Duration::hours(6));
    }
    let days: Vec<i64> = took_over.iter().map(|(at, _)| (*at - start).whole_days()).collect();
    assert_eq!(days, [0, 90, 180, 270, 360], "to the day");
    assert_eq!(first_seen.len(), 6);
    // Private halves are erased, and the public ones stay for whoever looks into old tokens.
    let count = apps[0].count("select count(*) from signing_key where sealed = '' and public_jwk like '%\"kty\"%'").await;
    assert_eq!(count, 4);
}

#[tokio::test]
async fn without_a_schedule_keys_take_over_by_command_alone_and_are_cleared_away() {
    let app = TestApp::start().await;
    without_other_keys(&app).await;
    let old = kid(&issue(&app).await);
    app.advance(Duration::days(400));
    keep_up(&app, Schedule::NEVER).await;
    assert_eq!((kid(&issue(&app).await), published(&app).await.len()), (old.clone(), 1));
    let made = app.app.keys.rotate(app.store(), &app.origin(), ACCESS, app.clock.now() + Duration::minutes(6)).await.expect("a key");
    keep_up(&app, Schedule::NEVER).await;
    assert_eq!(kid(&issue(&app).await), old);
    app.advance(Duration::minutes(6));
    keep_up(&app, Schedule::NEVER).await;
    assert_eq!(kid(&issue(&app).await), made.id.as_str());
    app.advance(Duration::hours(24) + Duration::minutes(10) - Duration::seconds(1));
    assert!(key_set(&app).await.contains(&old));
    app.advance(Duration::seconds(2));
    assert!(!key_set(&app).await.contains(&old));
    keep_up(&app, Schedule::NEVER).await;
    assert_eq!(erased(&app).await, 1);
}

/// Instances that start at once make one next key between them, of every kind.
#[tokio::test(flavor = "multi_thread")]
async fn many_instances_make_one_next_key() {
    let app = std::sync::Arc::new(TestApp::start().await);
    let other = std::sync::Arc::new(app.another().await);
    at_once(4, |nth| {
        let app = std::sync::Arc::clone([&app, &other][nth % 2]);
        async move { keep_up(&app, Schedule::default()).await }
    })
    .await;
    let keys = published(&app).await;
    let kinds: HashSet<_> = keys.iter().map(StoredKey::kind).collect();
    assert_eq!((keys.len(), kinds.len()), (2 * Purpose::ALL.len(), Purpose::ALL.len()), "{keys:?}");
    assert_eq!(app.audit("key.created").await.len(), keys.len());
}

/// A clock that is put back or forward and put right again leaves somebody who signs, and no token without its key.
#[tokio::test]
async fn a_clock_that_jumps_leaves_no_gap() {
    let app = TestApp::start().await;
    without_other_keys(&app).await;
    keep_up(&app, Schedule::default()).await;
    for jump in [Duration::hours(-30), Duration::days(400), Duration::hours(1), Duration::days(-300), Duration::days(91)] {
        let before = issue(&app).await;
        app.advance(jump);
        let unseen = issue(&app).await;
        assert!(key_set(&app).await.contains(&kid(&unseen)), "{jump}");
        keep_up(&app, Schedule::default()).await;
        let during = issue(&app).await;
        assert_eq!(app.introspect(&during).await["active"], true, "{jump}");
        app.advance(-jump);
        keep_up(&app, Schedule::default()).await;
        let after = issue(&app).await;
        for token in [&before, &after] {
            assert_eq!(app.introspect(token).await["active"], true, "after {jump}");
            assert!(key_set(&app).await.contains(&kid(token)), "after {jump}");
        }
    }
}

/// Verifiers read key sets of fifty keys: rather than one too many, the old key signs on.
#[tokio::test]
async fn there_are_never_more_keys_than_verifiers_read() {
    let app = TestApp::start().await;
    without_other_keys(&app).await;
    for minute in 0..i64::try_from(MOST_PUBLISHED).expect("a small number") - 1 {
        let at = app.clock.now() + Duration::hours(48) + Duration::minutes(minute);
        app.app.keys.rotate(app.store(), &app.origin(), ACCESS, at).await.expect("a key");
    }
    let full = app.app.keys.check_room(app.store(), &app.origin(), Purpose::Access).await;
    assert!(matches!(full, Err(KeyError::TooMany(MOST_PUBLISHED))), "{full:?}");
    // All have had their turn but the last one, and none may go yet.
    app.advance(Duration::hours(49));
    let kept_up = app.app.keys.keep_up(app.store(), &app.origin(), Schedule::default()).await;
    assert!(matches!(kept_up, Err(KeyError::TooMany(MOST_PUBLISHED))), "{kept_up:?}");
    assert_eq!(published(&app).await.len(), MOST_PUBLISHED);
    assert_eq!(Jwks::parse(key_set(&app).await.as_bytes()).expect("a key set").kids().len(), MOST_PUBLISHED);
    assert_eq!(app.introspect(&issue(&app).await).await["active"], true);
    app.advance(Duration::hours(26));
    keep_up(&app, Schedule::default()).await;
    assert_eq!(published(&app).await.len(), 2);
}

/// KF-05: a key that has leaked. What it signed is refused everywhere at this server at once, at a validator that asks for
/// keys within five minutes; what people allowed lives on.
#[tokio::test]
async fn a_revoked_key_takes_its_tokens_with_it() {
    let app = TestApp::start().await;
    let other = app.another().await;
    keep_up(&app, Schedule::default()).await;
    let tokens = app.tokens("spa", SCOPE).await;
    let token = tokens["access_token"].as_str().expect("a token").to_owned();
    let before = key_set(&app).await;
    let published_at = KeyServer::start(Mood::Publishes(before.clone())).await;
    let trust = Trust::new(ISSUER, Profile::Admit, "arn:aws:iam::123456789012:role/smart");
    let validator = Validator::new(trust, KeySource::remote(&published_at.uri(), Jwks::default()).expect("a client"));
    let is_let_in = async |validator: &Validator, token: &str| {
        validator.answer(&event(token), app.clock.now()).await["authPayload"]["isAuthorized"] == "true"
    };
    assert!(is_let_in(&validator, &token).await && http_validator::is_let_in(&app, &token).await);

    let keys = published(&app).await;
    let leaked = keys.iter().find(|key| key.id.as_str() == kid(&token)).expect("it is published").clone();
    let next = keys.iter().find(|key| key.kind() == ACCESS && key.id != leaked.id).expect("one comes").id.clone();
    let signing = app.app.keys.revoke(app.store(), &app.origin(), &leaked).await.expect("revoked");
    assert_eq!(signing, Some(next.clone()), "the one that everybody knows already");
    app.advance(Duration::seconds(1)); // what the other instance knows is a second old at most
    for app in [&app, &other] {
        assert_eq!(app.introspect(&token).await, json!({ "active": false }));
        assert!(!http_validator::is_let_in(app, &token).await);
        assert!(!key_set(app).await.contains(leaked.id.as_str()));
        let bearer = format!("Bearer {token}");
        assert_eq!(app.call(plain("GET", "/userinfo", &[("authorization", &bearer)])).await.status.as_u16(), 401);
    }
    // New tokens are by a key that was in the set before anybody knew of the leak.
    let fresh = app.refresh("spa", &tokens["refresh_token"]).await.tokens();
    let fresh = fresh["access_token"].as_str().expect("a token");
    assert_eq!(kid(fresh), next.as_str());
    assert_eq!(as_of(&before).answer(&event(fresh), app.clock.now()).await["authPayload"]["isAuthorized"], "true");
    // The validator's copy of the set is five minutes old at most.
    published_at.turn(Mood::Publishes(key_set(&app).await));
    app.advance(Duration::minutes(5));
    assert_refused("its key is gone", &validator.answer(&event(&token), app.clock.now()).await);
    assert!(is_let_in(&validator, fresh).await);

    assert_eq!(app.audit("key.revoked").await[0].detail.as_deref(), Some(leaked.id.as_str()));
    assert_eq!(app.app.keys.revoke(app.store(), &app.origin(), &leaked).await.expect("an answer"), None);
    assert_eq!(app.count("select count(*) from signing_key where revoked_at is not null and sealed = ''").await, 1);
    keep_up(&app, Schedule::default()).await;
    assert_eq!(published(&app).await.iter().filter(|key| key.kind() == ACCESS).count(), 2, "and another one comes");
    // Nobody reads the keys for the audit trail's checkpoints, and nothing else believes them.
    let audit = published(&app).await.into_iter().filter(|key| key.purpose == Purpose::Audit);
    let keys = app.app.keys.current(app.store(), app.clock.now()).await.expect("keys");
    for key in audit {
        assert!(!key_set(&app).await.contains(key.id.as_str()));
        assert!(
            [Purpose::Access, Purpose::Id].iter().all(|other| keys.verifying(*other).is_some_and(|set| set.get(key.id.as_str()).is_none()))
        );
    }
}
