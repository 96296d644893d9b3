//! Whatever the issuer says, beside a signature it makes no "yes" of a "no"; and alone it is held to all that a token is.

use std::cell::Cell;

use admit::validate::BearerToken;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::validator::ENDPOINT;
use crate::validator::explanation::explains;

/// Members that matter in a token, in an answer, or in both.
const NAMES: [&str; 13] =
    ["iss", "sub", "aud", "exp", "iat", "nbf", "jti", "client_id", "scope", "tenant_id", "patient", "token_type", "active"];

fn value() -> impl Strategy<Value = Value> {
    let words = [
        "",
        "default",
        "https://idp.test",
        "https://fhir.test/r4/",
        "patient/*.rs",
        "system/*.cruds",
        "openid",
        "spa",
        "evil",
        "p1",
        "Bearer",
        "u-dr.a",
        "synthetic-jti",
    ];
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-700_i64..4000).prop_map(|around| json!(noon().unix_timestamp() + around)),
        prop::sample::select(words.to_vec()).prop_map(Value::from),
        prop::sample::select(words.to_vec()).prop_map(|word| json!([word])),
    ]
}

/// Some members, and what they become; `None`: they go.
fn changes() -> impl Strategy<Value = Vec<(&'static str, Option<Value>)>> {
    prop::collection::vec((prop::sample::select(NAMES.to_vec()), prop::option::weighted(0.8, value())), 0..4)
}

fn changed(mut claims: Value, changes: &[(&str, Option<Value>)]) -> Value {
    let members = claims.as_object_mut().expect("an object");
    for (name, value) in changes {
        match value {
            Some(value) => drop(members.insert((*name).to_owned(), value.clone())),
            None => drop(members.remove(*name)),
        }
    }
    claims
}

#[test]
fn a_combined_decision_allows_nothing_that_the_signature_alone_would_not() {
    let forge = Forge::new(Algorithm::Es256);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let genuine = genuine_claims(noon().unix_timestamp());
    let authority = runtime.block_on(Authority::vouching(&genuine));
    let local = Validator::new(trust(), KeySource::embedded(forge.jwks()));
    let (both, local_only, neither) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let count = |cell: &Cell<u32>| cell.set(cell.get() + 1);
    let mut runner = TestRunner::new(Config { cases: 1_000, failure_persistence: None, ..Config::default() });
    let cases = (changes(), changes(), prop::sample::select(vec![200_u16, 200, 200, 200, 401, 503]));
    let result = runner.run(&cases, |(in_token, in_answer, status)| {
        let token = event(&forge.access_token(&changed(genuine.clone(), &in_token)));
        let mut answer = genuine.clone();
        answer["active"] = json!(true);
        let answer = changed(answer, &in_answer);
        authority.turn(Saying::Text(status, "application/json", answer.to_string()));
        let by_signature = runtime.block_on(local.answer(&token, noon()));
        let is_allowed = |answer: &Value| answer["authPayload"]["isAuthorized"] == "true";
        for when_unreachable in [WhenUnreachable::Refuse, WhenUnreachable::Allow] {
            // One that remembers nothing of the cases before.
            let validator = combined(&forge, &authority.endpoint(), 0, when_unreachable);
            authority.questions();
            let together = runtime.block_on(validator.answer(&token, noon()));
            prop_assert_eq!(authority.asked(), usize::from(is_allowed(&by_signature)), "asked only where there is something to lose");
            if is_allowed(&together) {
                // The very same answer: no scope, no end, no role that the token itself does not have.
                prop_assert_eq!(&together, &by_signature);
                prop_assert!(status == 503 && when_unreachable == WhenUnreachable::Allow || status == 200 && answer["active"] == true);
                count(&both);
            } else if is_allowed(&by_signature) {
                count(&local_only);
            } else {
                prop_assert_eq!(&together, &by_signature);
                count(&neither);
            }
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    let counts = (both.get(), local_only.get(), neither.get());
    assert!(counts.0 > 100 && counts.1 > 100 && counts.2 > 100, "{counts:?}");
}

#[test]
fn the_issuers_word_alone_allows_what_it_says_and_no_more() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let genuine = genuine_claims(noon().unix_timestamp());
    let authority = runtime.block_on(Authority::vouching(&genuine));
    let admit = only(trust(), &authority.endpoint());
    let generic = only(Trust { profile: Profile::Generic, ..trust() }, &authority.endpoint());
    let (yes, no) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(Config { cases: 1_000, failure_persistence: None, ..Config::default() });
    let result = runner.run(&changes(), |changes| {
        let mut answer = genuine.clone();
        answer["active"] = json!(true);
        let answer = changed(answer, &changes);
        authority.turn(Saying::Json(answer.clone()));
        for validator in [&admit, &generic] {
            let decided = runtime.block_on(validator.answer(&event("opaque"), noon()));
            let payload = &decided["authPayload"];
            if payload["isAuthorized"] == "true" {
                yes.set(yes.get() + 1);
                prop_assert_eq!(&answer["active"], true);
                prop_assert!(answer["scope"] == payload["scope"] || answer["scope"] == json!([payload["scope"]]));
                for name in ["sub", "exp", "iat", "client_id"] {
                    prop_assert!(payload[name] == answer[name] || name == "sub" && answer[name].is_null());
                }
                prop_assert_eq!(&payload["iss"], crate::support::ISSUER);
                prop_assert_eq!(&payload["tenant"], "default");
                prop_assert!(answer["iss"].is_null() || answer["iss"] == crate::support::ISSUER);
                prop_assert!(answer["aud"].to_string().contains("https://fhir.test/r4/"));
                prop_assert!(payload["exp"].as_i64() > Some(noon().unix_timestamp() - 5));
                prop_assert!(decided["iamRoleARN"].is_string());
            } else {
                no.set(no.get() + 1);
                prop_assert!(payload["error"].is_string() && decided.get("iamRoleARN").is_none());
                prop_assert!(!changes.is_empty(), "a genuine answer was refused: {}", payload);
            }
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(yes.get() > 100 && no.get() > 100, "{} yes, {} no", yes.get(), no.get());
}

/// The issuer is asked as often as for the decision: what is shown and what is decided come of one answer.
#[test]
fn an_explanation_shows_the_answer_that_it_decides_by() {
    let forge = Forge::new(Algorithm::Es256);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let genuine = genuine_claims(noon().unix_timestamp());
    let authority = runtime.block_on(Authority::vouching(&genuine));
    // Fresh for each question: a "no" is remembered.
    let together = || combined(&forge, &authority.endpoint(), 0, WhenUnreachable::Allow);
    let alone = || only(trust(), &authority.endpoint());
    let validators: [&dyn Fn() -> Validator; 2] = [&together, &alone];
    let (asked, unasked, refused) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(Config { cases: 500, failure_persistence: None, ..Config::default() });
    let cases = (changes(), changes(), prop::sample::select(vec![200_u16, 200, 200, 200, 401, 503]), any::<bool>());
    let result = runner.run(&cases, |(in_token, in_answer, status, is_opaque)| {
        let token = if is_opaque { "opaque".to_owned() } else { forge.access_token(&changed(genuine.clone(), &in_token)) };
        let token = BearerToken::read(&token).expect("a token");
        let mut answer = genuine.clone();
        answer["active"] = json!(true);
        authority.turn(Saying::Text(status, "application/json", changed(answer, &in_answer).to_string()));
        for validator in validators {
            authority.questions();
            let decided = runtime.block_on(validator().decide_on(ENDPOINT, &token, noon(), None));
            let questions = authority.asked();
            let (steps, explained) = runtime.block_on(validator().explain(ENDPOINT, &token, noon()));
            explains(&steps, &explained, &decided)?;
            prop_assert_eq!(authority.asked(), questions);
            prop_assert_eq!(steps.iter().filter(|step| step.name == "introspection").count(), questions);
            let count = if questions == 0 { &unasked } else { &asked };
            count.set(count.get() + 1);
            refused.set(refused.get() + u32::from(questions > 0 && !decided.is_allowed()));
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    let counts = (asked.get(), unasked.get(), refused.get());
    assert!(counts.0 > 100 && counts.1 > 100 && counts.2 > 100, "{counts:?}");
}
