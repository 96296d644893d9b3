//! What is explained is what is decided.

use std::cell::Cell;

use admit::token::Algorithm;
use admit::validate::{BearerToken, Decision, Event, KeySource, Refusal, Step, Trust, Validator};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};

use super::property::{CLAIMS, Change, change, token};
use super::{ENDPOINT, event, good, noon, stage, trust};
use crate::support::{Forge, genuine_claims};

/// What is looked at once the claims are known.
const CHECKS: [&str; 8] = ["issuer", "audience", "client", "tenant", "expiry", "not before", "scope", "patient"];

fn why(decision: &Decision) -> Option<Refusal> {
    match decision {
        Decision::Allow(_) => None,
        Decision::Refuse(refused) => Some(refused.why),
    }
}

fn failed(steps: &[Step]) -> Vec<&'static str> {
    steps.iter().filter(|step| !step.is_good()).map(|step| step.name).collect()
}

/// The explanation ends with what was decided without one, for the same reason and of the same claims; its first mark is that
/// reason; and after a mark comes no more than the rest of the checks.
pub fn explains(steps: &[Step], explained: &Decision, decided: &Decision) -> Result<(), TestCaseError> {
    let claims = |decision: &Decision| match decision {
        Decision::Allow(allowed) => Some(allowed.claims.all.clone()),
        Decision::Refuse(refused) => refused.claims.as_ref().map(|claims| claims.all.clone()),
    };
    prop_assert_eq!(explained.to_json(false), decided.to_json(false));
    prop_assert_eq!(why(explained), why(decided));
    prop_assert_eq!(claims(explained), claims(decided));
    prop_assert_eq!(steps.iter().find_map(|step| step.refusal), why(explained));
    prop_assert!(steps.iter().all(|step| !step.found.is_empty()), "{:?}", steps);
    let all_good = |steps: &[Step]| steps.iter().all(Step::is_good);
    let Some(start) = steps.iter().position(|step| step.name == CHECKS[0]) else {
        let (last, before) = steps.split_last().expect("a step");
        prop_assert!(!last.is_good() && all_good(before), "{:?}", steps);
        return Ok(());
    };
    let (before, rest) = steps.split_at(start);
    let (checks, asked) = rest.split_at(CHECKS.len().min(rest.len()));
    prop_assert_eq!(checks.iter().map(|step| step.name).collect::<Vec<_>>(), CHECKS);
    prop_assert!(all_good(before), "{:?}", steps);
    let is_asked_last = matches!(asked, [step] if step.name == "introspection") && all_good(checks);
    prop_assert!(asked.is_empty() || is_asked_last, "{:?}", steps);
    Ok(())
}

/// Claims that are read without trouble, and then each refused by a check of its own.
fn faults() -> impl Strategy<Value = Vec<Change>> {
    let now = noon().unix_timestamp();
    let wrong = vec![
        ("aud", json!("https://other.test/r4/")),
        ("tenant_id", json!("other")),
        ("exp", json!(now - 60)),
        ("nbf", json!(now + 60)),
        ("scope", json!("openid")),
    ];
    let set = |wrong: &[(&str, Value)], name| wrong.iter().find(|(claim, _)| *claim == name).map(|(_, value)| value.clone());
    prop::sample::subsequence(wrong, 0..=5)
        .prop_map(move |wrong| CLAIMS.iter().map(|name| set(&wrong, *name).map_or(Change::Leave, Change::Set)).collect())
}

/// For any token at all.
#[test]
fn an_explanation_decides_as_the_validator_does() {
    let (forge, stranger) = (Forge::new(Algorithm::Es256), Forge::new(Algorithm::Es256));
    let validator = Validator::new(trust(), KeySource::embedded(forge.jwks()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let mut runner = TestRunner::new(Config { cases: 5_000, failure_persistence: None, ..Config::default() });
    let (yes, no, several) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let endpoints = prop_oneof![9 => Just(ENDPOINT), 1 => prop::sample::select(vec!["https://fhir.test/r4", "https://other.test/r4/", ""])];
    let changes = prop_oneof![4 => prop::collection::vec(change(), CLAIMS.len()), 1 => faults()];
    let tokens = (changes, 0..20_u8, endpoints);
    let result = runner.run(&tokens, |(changes, fate, endpoint)| {
        let (_, token) = token(&forge, &stranger, &changes, fate);
        let mut event = event(&token);
        event["datastoreEndpoint"] = json!(endpoint);
        let decided = runtime.block_on(validator.decide(&event, noon()));
        let Ok(event) = Event::read(&event) else { return Ok(()) };
        let (steps, explained) = runtime.block_on(validator.explain(&event.datastore_endpoint, &event.bearer_token, noon()));
        explains(&steps, &explained, &decided)?;
        prop_assert!(steps.iter().all(|step| !step.found.contains(&token)), "{:?}", steps);
        let count = if decided.is_allowed() { &yes } else { &no };
        count.set(count.get() + 1);
        several.set(several.get() + usize::from(failed(&steps).len() > 1));
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    let counts = (yes.get(), no.get(), several.get());
    assert!(counts.0 > 400 && counts.1 > 400 && counts.2 > 200, "{counts:?}");
}

/// One thing wrong, one mark: at the check that is about it.
#[tokio::test]
async fn only_what_is_wrong_is_marked() {
    let (forge, _) = stage();
    let trust = Trust { clients: vec!["spa".to_owned()], ..trust() };
    let validator = Validator::new(trust, KeySource::embedded(forge.jwks()));
    let now = noon().unix_timestamp();
    let changed = |name: &str, value: Value| {
        let mut claims = genuine_claims(now);
        claims[name] = value;
        forge.access_token(&claims)
    };
    let explain =
        async |endpoint: &str, token: &str| validator.explain(endpoint, &BearerToken::read(token).expect("a token"), noon()).await;
    let honest = good(&forge);
    let mut critical = forge.header("at+jwt");
    critical["crit"] = json!(["exp"]);
    let mut other_algorithm = forge.header("at+jwt");
    other_algorithm["alg"] = json!("ES384");
    let spoilt = format!("{}AAAA", &honest[..honest.len() - 4]);
    for (step, token) in [
        ("form", "garbage".to_owned()),
        ("form", forge.token(&critical, &genuine_claims(now))),
        ("trusted issuer", changed("iss", json!("https://idp.test/"))),
        ("type", forge.token(&forge.header("JWT"), &genuine_claims(now))),
        ("key", Forge::new(Algorithm::Es256).access_token(&genuine_claims(now))),
        ("signature", forge.token(&other_algorithm, &genuine_claims(now))),
        ("signature", spoilt),
        ("claims", changed("jti", json!(7))),
        ("claims", changed("exp", json!(now + 100_000))),
        ("audience", changed("aud", json!("https://other.test/r4/"))),
        ("client", changed("client_id", json!("other"))),
        ("tenant", changed("tenant_id", json!("other"))),
        ("expiry", changed("exp", json!(now - 5))),
        ("not before", changed("nbf", json!(now + 6))),
        ("scope", changed("scope", json!("openid"))),
        ("patient", {
            let mut claims = genuine_claims(now);
            claims.as_object_mut().expect("an object").remove("patient");
            forge.access_token(&claims)
        }),
    ] {
        let (steps, decision) = explain(ENDPOINT, &token).await;
        assert_eq!((failed(&steps), decision.is_allowed()), (vec![step], false), "{steps:?}");
    }
    let (steps, decision) = explain("https://third.test/r4/", &honest).await;
    assert_eq!((failed(&steps), decision.is_allowed()), (vec!["data store"], false), "{steps:?}");
    assert!(steps[0].found.ends_with("served: https://fhir.test/r4/"), "{steps:?}");

    let (steps, decision) = explain(ENDPOINT, &honest).await;
    assert_eq!((failed(&steps), decision.is_allowed()), (vec![], true));
    let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
    let before = ["data store", "form", "trusted issuer", "type", "key", "signature", "claims"];
    assert_eq!(names, [&before[..], &CHECKS].concat());

    // Several things wrong: all of them are shown, and the first one decides.
    let mut claims = genuine_claims(now);
    (claims["aud"], claims["scope"]) = (json!("https://other.test/r4/"), json!("openid"));
    let (steps, decision) = explain(ENDPOINT, &forge.access_token(&claims)).await;
    assert_eq!(failed(&steps), ["audience", "scope"]);
    assert_eq!(why(&decision).map(Refusal::code), Some("audience"));
    let audience = steps.iter().find(|step| step.name == "audience").expect("a step");
    assert_eq!(audience.found, "the token is for https://other.test/r4/, the store is https://fhir.test/r4/");
}
