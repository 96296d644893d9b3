//! The issuer in trouble, and the real function before it: LM-11, LM-12, KF-01, KF-03. Each answer comes within 700 ms, and
//! none is a wrong "yes".

use std::time::Duration;

use admit::token::Algorithm;
use serde_json::{Value, json};

use super::service::{Function, Service};
use super::{ENDPOINT, ROLE, bytes, claims, event, good, is_allowed};
use crate::jose::assert_refused;
use crate::support::{Forge, ISSUER, KeyServer, Mood, compact};

/// HealthLake hears no answer after a second; this leaves the rest to the way there and back.
const IN_TIME: Duration = Duration::from_millis(700);

/// A function that gets its keys from this address, and from the settings where there are any.
fn run(service: &Service, uri: &str, embedded: Option<&Forge>) -> Function {
    let embedded = embedded.map(Forge::jwks_text).unwrap_or_default();
    service.run(&[
        ("ADMIT_ISSUER", ISSUER),
        ("JWKS_URI", uri),
        ("ADMIT_JWKS", &embedded),
        ("USER_ROLE_ARN", ROLE),
        ("ADMIT_DATASTORES", ENDPOINT),
        ("ADMIT_TENANT", "default"),
    ])
}

/// The next answer, which is in time.
async fn answer(service: &mut Service) -> Value {
    let outcome = service.next().await;
    assert!(outcome.is_answer && outcome.took < IN_TIME, "{outcome:?}");
    outcome.body
}

fn of(forge: &Forge) -> Vec<u8> {
    bytes(&event(&good(forge)))
}

/// A token that says it is of a key that nobody has seen.
fn of_unknown_key(forge: &Forge, number: usize) -> Vec<u8> {
    let mut header = forge.header("at+jwt");
    header["kid"] = json!(format!("unknown-{number}"));
    bytes(&event(&compact(&header, &claims(), &[7; 64])))
}

/// Every way in which an address can fail to give keys.
async fn troubles(thieves: &KeyServer) -> Vec<KeyServer> {
    let moods = [Mood::Hangs, Mood::Fails, Mood::Html, Mood::Endless, Mood::Redirects(thieves.uri())];
    futures_util::future::join_all(moods.map(KeyServer::start)).await
}

#[tokio::test]
async fn without_keys_nobody_is_let_in_and_everybody_gets_an_answer() {
    let (forge, thief) = (Forge::new(Algorithm::Es256), Forge::new(Algorithm::Es256));
    let thieves = KeyServer::start(Mood::Publishes(thief.jwks_text())).await;
    let servers = troubles(&thieves).await;
    let nobody = "http://127.0.0.1:1/jwks.json".to_owned();
    for uri in servers.iter().map(KeyServer::uri).chain([nobody]) {
        let mut service = Service::start(vec![of(&forge), of(&thief), of(&forge), of(&thief)]).await;
        let function = run(&service, &uri, None);
        for _ in 0..4 {
            assert_refused(&uri, &answer(&mut service).await);
        }
        let lines = function.lines();
        assert!(lines.iter().filter(|line| line["message"] == "decided").all(|line| line["reason"] == "no_keys"), "{lines:?}");
    }
    assert_eq!(thieves.asked(), 0);
}

#[tokio::test]
async fn embedded_keys_serve_whatever_the_address_does() {
    let (forge, thief) = (Forge::new(Algorithm::Es256), Forge::new(Algorithm::Es256));
    let thieves = KeyServer::start(Mood::Publishes(thief.jwks_text())).await;
    for server in troubles(&thieves).await {
        let mut service = Service::start(vec![of(&forge), of(&thief), of(&forge), of(&thief), of(&forge)]).await;
        let function = run(&service, &server.uri(), Some(&forge));
        for i in 0..5 {
            let answer = answer(&mut service).await;
            assert_eq!(is_allowed(&answer), i % 2 == 0, "event {i}: {answer}");
        }
        drop(function.lines());
    }
    assert_eq!(thieves.asked(), 0);
}

/// The keys that it has fetched serve on, and it asks no more than it may.
#[tokio::test]
async fn fetched_keys_serve_on_when_the_address_goes_down() {
    let (forge, thief) = (Forge::new(Algorithm::Es256), Forge::new(Algorithm::Es256));
    for down in [Mood::Hangs, Mood::Fails, Mood::Publishes(thief.jwks_text())] {
        let server = KeyServer::start(Mood::Publishes(forge.jwks_text())).await;
        let mut service = Service::start(vec![of(&forge)]).await;
        let function = run(&service, &server.uri(), None);
        assert!(is_allowed(&answer(&mut service).await));
        server.turn(down);
        for i in 0..10 {
            service.send(if i % 2 == 0 { of(&thief) } else { of(&forge) });
            let answer = answer(&mut service).await;
            assert_eq!(is_allowed(&answer), i % 2 == 1, "event {i}: {answer}");
        }
        assert_eq!(server.asked(), 1, "less than 30 seconds have passed");
        drop(function.lines());
    }
}

#[tokio::test]
async fn an_address_that_comes_back_is_asked_again() {
    let forge = Forge::new(Algorithm::Es256);
    let server = KeyServer::start(Mood::Fails).await;
    let mut service = Service::start(vec![of(&forge)]).await;
    let function = run(&service, &server.uri(), None);
    assert_refused("no keys", &answer(&mut service).await);
    server.turn(Mood::Publishes(forge.jwks_text()));
    // Without any keys it asks once a second.
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    service.send(of(&forge));
    assert!(is_allowed(&answer(&mut service).await));
    drop(function.lines());
}

#[tokio::test]
async fn a_key_that_is_newer_than_the_zip_is_fetched_with_its_first_token() {
    let (old, new) = (Forge::new(Algorithm::Es256), Forge::new(Algorithm::Es256));
    let server = KeyServer::start(Mood::Publishes(json!({ "keys": [old.public_jwk, new.public_jwk] }).to_string())).await;
    let mut service = Service::start(vec![of(&new), of(&old), of(&new)]).await;
    let function = run(&service, &server.uri(), Some(&old));
    for _ in 0..3 {
        assert!(is_allowed(&answer(&mut service).await));
    }
    assert_eq!(server.asked(), 1);
    drop(function.lines());
}

#[tokio::test]
async fn a_flood_of_invented_keys_is_one_question() {
    let forge = Forge::new(Algorithm::Es256);
    for mood in [Mood::Publishes(forge.jwks_text()), Mood::Hangs] {
        let server = KeyServer::start(mood).await;
        let flood = (0..600).map(|i| if i % 3 == 2 { of(&forge) } else { of_unknown_key(&forge, i) }).collect();
        let mut service = Service::start(flood).await;
        let function = run(&service, &server.uri(), Some(&forge));
        for i in 0..600 {
            let answer = answer(&mut service).await;
            assert_eq!(is_allowed(&answer), i % 3 == 2, "event {i}: {answer}");
        }
        assert_eq!(server.asked(), 1);
        assert_eq!(function.lines().iter().filter(|line| line["message"] == "decided").count(), 600);
    }
}

/// Lambda stops the function between events, also in the middle of a fetch. That is neither the address's fault nor a reason
/// to refuse the tokens of a new key for the next 30 seconds.
#[tokio::test]
async fn a_function_that_is_stopped_in_a_fetch_fetches_again() {
    let (old, new) = (Forge::new(Algorithm::Es256), Forge::new(Algorithm::Es256));
    let both = json!({ "keys": [old.public_jwk, new.public_jwk] }).to_string();
    let server = KeyServer::start(Mood::PublishesAfter(Duration::from_millis(300), both.clone())).await;
    let mut service = Service::start(vec![of(&old), of(&old)]).await;
    let function = run(&service, &server.uri(), Some(&old));
    for _ in 0..2 {
        assert!(is_allowed(&answer(&mut service).await));
    }
    function.signal("-STOP");
    assert_eq!(server.asked(), 1, "the second event began to ask, and did not wait for the end");
    server.turn(Mood::Publishes(both));
    tokio::time::sleep(Duration::from_secs(2)).await;
    service.send(of(&new));
    function.signal("-CONT");
    assert!(is_allowed(&answer(&mut service).await));
    let lines = function.lines();
    assert!(
        lines.iter().all(|line| line["message"] == "decided" && line.get("KeyFetchFailures").is_none_or(|failed| failed == 0)),
        "{lines:?}"
    );
}
