//! Where the validator's keys come from, and what happens when they do not come.

use std::time::{Duration, Instant};

use admit::token::{Algorithm, Jwks};
use admit::validate::{KeySource, MAX_AGE, MIN_REFETCH, REFRESH_AGE, Validator};
use futures_util::future::join_all;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{event, good, noon, trust};
use crate::jose::assert_refused;
use crate::support::{Forge, KeyServer, Mood, genuine_claims};

fn asking(server: &KeyServer, seed: Jwks) -> Validator {
    Validator::new(trust(), KeySource::remote(&server.uri(), seed).expect("a client"))
}

fn at(seconds: i64) -> OffsetDateTime {
    noon() + time::Duration::seconds(seconds)
}

/// A good token of that second.
fn fresh(forge: &Forge, now: OffsetDateTime) -> Value {
    event(&forge.access_token(&genuine_claims(now.unix_timestamp())))
}

async fn is_allowed(validator: &Validator, event: &Value, now: OffsetDateTime) -> bool {
    validator.decide(event, now).await.is_allowed()
}

/// KF-01: unknown keys are what anybody can send.
#[tokio::test]
async fn ten_thousand_unknown_keys_in_a_minute_are_two_fetches() {
    let (ours, theirs) = (Forge::new(Algorithm::Es256), Forge::new(Algorithm::Es256));
    let server = KeyServer::start(Mood::Publishes(ours.jwks_text())).await;
    let validator = asking(&server, Jwks::default());
    let claims = genuine_claims(noon().unix_timestamp());
    for i in 0..10_000_i64 {
        let mut header = theirs.header("at+jwt");
        header["kid"] = json!(format!("unknown-{i}"));
        let hostile = event(&crate::support::compact(&header, &claims, &[7; 64]));
        let now = at(i * 60 / 10_000);
        assert!(!is_allowed(&validator, &hostile, now).await);
        if i % 500 == 0 {
            assert!(is_allowed(&validator, &fresh(&ours, now), now).await);
        }
    }
    assert_eq!(server.asked(), 2);
}

/// LM-13: everybody is cold, and one asks.
#[tokio::test]
async fn a_crowd_that_knows_no_key_asks_once() {
    let forge = Forge::new(Algorithm::Es256);
    let server = KeyServer::start(Mood::Publishes(forge.jwks_text())).await;
    let validator = asking(&server, Jwks::default());
    let event = event(&good(&forge));
    let answers = join_all((0..200).map(|_| is_allowed(&validator, &event, noon()))).await;
    assert!(answers.into_iter().all(|allowed| allowed));
    assert_eq!(server.asked(), 1);
}

/// LM-11: HealthLake waits for one second.
#[tokio::test]
async fn an_issuer_that_does_not_answer_costs_less_than_the_second_that_there_is() {
    let (known, unknown) = (Forge::new(Algorithm::Es256), Forge::new(Algorithm::Es256));
    let server = KeyServer::start(Mood::Hangs).await;
    let cold = asking(&server, Jwks::default());
    let hostile = event(&good(&unknown));
    let begin = Instant::now();
    let answers = join_all((0..50).map(|i| cold.answer(&hostile, at(i / 25)))).await;
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    for answer in answers {
        assert_eq!(answer["authPayload"]["error"], "no signing keys can be had from the issuer at the moment");
    }
    // With keys at hand nobody waits for more than one fetch, and most for none.
    let seeded = asking(&server, known.jwks());
    let event = event(&good(&known));
    let begin = Instant::now();
    let answers = join_all((0..50).map(|_| is_allowed(&seeded, &event, noon()))).await;
    assert!(answers.into_iter().all(|allowed| allowed));
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
}

/// LM-12
#[tokio::test]
async fn a_new_key_is_fetched_when_its_first_token_comes() {
    let (old, new) = (Forge::new(Algorithm::Es256), Forge::new(Algorithm::Es256));
    let server = KeyServer::start(Mood::Publishes(old.jwks_text())).await;
    let validator = asking(&server, Jwks::default());
    assert!(is_allowed(&validator, &fresh(&old, at(0)), at(0)).await);
    server.turn(Mood::Publishes(json!({ "keys": [new.public_jwk, old.public_jwk] }).to_string()));
    let later = at(MIN_REFETCH);
    assert!(is_allowed(&validator, &fresh(&new, later), later).await);
    assert!(is_allowed(&validator, &fresh(&old, later), later).await);
    assert_eq!(server.asked(), 2);
}

/// KF-05: a key that its issuer has withdrawn is believed for five minutes at most, also where it came
/// with the configuration.
#[tokio::test]
async fn a_withdrawn_key_is_forgotten_within_five_minutes() {
    let (stolen, new) = (Forge::new(Algorithm::Es256), Forge::new(Algorithm::Es256));
    let server = KeyServer::start(Mood::Publishes(json!({ "keys": [stolen.public_jwk] }).to_string())).await;
    let validator = asking(&server, Jwks::default());
    assert!(is_allowed(&validator, &fresh(&stolen, at(0)), at(0)).await);
    server.turn(Mood::Publishes(new.jwks_text()));
    let almost = at(REFRESH_AGE - 1);
    assert!(is_allowed(&validator, &fresh(&stolen, almost), almost).await);
    let later = at(MAX_AGE);
    assert!(!is_allowed(&validator, &fresh(&stolen, later), later).await);
    assert!(is_allowed(&validator, &fresh(&new, later), later).await);
    let seeded = asking(&server, stolen.jwks());
    assert!(is_allowed(&seeded, &fresh(&stolen, at(0)), at(0)).await);
    assert!(!is_allowed(&seeded, &fresh(&stolen, later), later).await);
}

/// KF-03: the last good set serves on, for as long as it takes; and a cold start has the set that
/// came with it.
#[tokio::test]
async fn known_keys_outlive_the_issuers_silence() {
    let forge = Forge::new(Algorithm::Es256);
    let server = KeyServer::start(Mood::Publishes(forge.jwks_text())).await;
    let warm = asking(&server, Jwks::default());
    assert!(is_allowed(&warm, &fresh(&forge, at(0)), at(0)).await);
    server.turn(Mood::Fails);
    let cold = asking(&server, forge.jwks());
    let empty = asking(&server, Jwks::default());
    for minutes in 1..=30 {
        let now = at(minutes * 60);
        assert!(is_allowed(&warm, &fresh(&forge, now), now).await);
        assert!(is_allowed(&cold, &fresh(&forge, now), now).await);
        assert_refused("no keys", &empty.answer(&fresh(&forge, now), now).await);
    }
    server.turn(Mood::Publishes(forge.jwks_text()));
    assert!(is_allowed(&empty, &fresh(&forge, at(1802)), at(1802)).await);
}

/// LM-11: whatever else answers there is no key set.
#[tokio::test]
async fn an_answer_that_is_no_key_set_is_not_taken_for_one() {
    let (known, theirs) = (Forge::new(Algorithm::Es256), Forge::new(Algorithm::Es256));
    let elsewhere = KeyServer::start(Mood::Publishes(theirs.jwks_text())).await;
    for mood in [
        Mood::Fails,
        Mood::Html,
        Mood::Endless,
        Mood::Redirects(elsewhere.uri()),
        Mood::Publishes(format!("{}x", theirs.jwks_text())),
        Mood::Publishes(String::new()),
    ] {
        let server = KeyServer::start(mood.clone()).await;
        let seeded = asking(&server, known.jwks());
        assert!(!is_allowed(&seeded, &event(&good(&theirs)), noon()).await, "{mood:?}");
        assert!(is_allowed(&seeded, &event(&good(&known)), noon()).await, "{mood:?}");
        assert_eq!(server.asked(), 1, "{mood:?}");
        let cold = asking(&server, Jwks::default());
        assert_refused(&format!("{mood:?}"), &cold.answer(&event(&good(&theirs)), noon()).await);
    }
    assert_eq!(elsewhere.asked(), 0);
}

/// KF-05: an issuer that publishes no usable key any more, or a private one, has taken back all that it published.
#[tokio::test]
async fn keys_that_their_issuer_takes_back_or_gives_away_are_forgotten() {
    let forge = Forge::new(Algorithm::Es256);
    let mut private = forge.public_jwk.clone();
    private["d"] = json!("AAAA");
    let unusable = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "e", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    for published in [json!({ "keys": [] }), json!({ "keys": [private] }), json!({ "keys": [unusable] })] {
        let server = KeyServer::start(Mood::Publishes(forge.jwks_text())).await;
        let validator = asking(&server, Jwks::default());
        assert!(is_allowed(&validator, &fresh(&forge, at(0)), at(0)).await);
        server.turn(Mood::Publishes(published.to_string()));
        let later = at(MAX_AGE);
        assert!(!is_allowed(&validator, &fresh(&forge, later), later).await, "{published}");
        server.turn(Mood::Publishes(forge.jwks_text()));
        let back = at(MAX_AGE + 2);
        assert!(is_allowed(&validator, &fresh(&forge, back), back).await, "{published}");
    }
}

/// Keys that came with the configuration serve the first event at once; the second one finds out whether they still stand.
#[tokio::test]
async fn an_embedded_key_that_was_withdrawn_serves_once() {
    let (stolen, new) = (Forge::new(Algorithm::Es256), Forge::new(Algorithm::Es256));
    let server = KeyServer::start(Mood::Publishes(new.jwks_text())).await;
    let validator = asking(&server, stolen.jwks());
    assert!(is_allowed(&validator, &fresh(&stolen, at(0)), at(0)).await);
    assert_eq!(server.asked(), 0);
    assert!(!is_allowed(&validator, &fresh(&stolen, at(0)), at(0)).await);
    assert!(is_allowed(&validator, &fresh(&new, at(0)), at(0)).await);
    assert_eq!(server.asked(), 1);
}

/// KF-06: a clock that was set back neither panics nor keeps anybody from asking.
#[tokio::test]
async fn a_clock_that_was_set_back_does_not_stop_the_fetch() {
    let (old, new) = (Forge::new(Algorithm::Es256), Forge::new(Algorithm::Es256));
    let server = KeyServer::start(Mood::Publishes(old.jwks_text())).await;
    let validator = asking(&server, Jwks::default());
    assert!(is_allowed(&validator, &fresh(&old, at(3600)), at(3600)).await);
    server.turn(Mood::Publishes(new.jwks_text()));
    assert!(is_allowed(&validator, &fresh(&new, at(0)), at(0)).await);
}
