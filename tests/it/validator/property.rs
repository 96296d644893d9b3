//! LM-18: ten thousand random tokens, each with an answer of the contract's shape.

use std::cell::Cell;

use admit::token::Algorithm;
use admit::validate::{KeySource, Validator};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::{ENDPOINT, READER, ROLE, event, noon, trust};
use crate::support::{Forge, genuine_claims};

pub const CLAIMS: [&str; 14] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "nbf",
    "jti",
    "client_id",
    "scope",
    "tenant_id",
    "patient",
    "encounter",
    "fhirUser",
    "launch_response_patient",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        prop::sample::select(vec!["", "default", "https://idp.test", ENDPOINT, "patient/*.rs", "system/*.cruds", "openid", "user/*.*"])
            .prop_map(Value::from),
        (-700_i64..4000).prop_map(|around| json!(noon().unix_timestamp() + around)),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| prop::collection::vec(inner, 0..3).prop_map(Value::from))
}

/// What is done to one claim.
#[derive(Clone, Debug)]
pub enum Change {
    Leave,
    Remove,
    Set(Value),
}

pub fn change() -> impl Strategy<Value = Change> {
    prop_oneof![20 => Just(Change::Leave), 1 => Just(Change::Remove), 2 => any_json().prop_map(Change::Set)]
}

/// A token whose claims are changed, and which is genuine itself unless `fate` is 0 to 3.
pub fn token(forge: &Forge, stranger: &Forge, changes: &[Change], fate: u8) -> (Value, String) {
    let mut claims = genuine_claims(noon().unix_timestamp());
    for (name, change) in CLAIMS.iter().zip(changes) {
        match change {
            Change::Leave => {}
            Change::Remove => drop(claims.as_object_mut().map(|claims| claims.remove(*name))),
            Change::Set(value) => claims[*name] = value.clone(),
        }
    }
    let token = match fate {
        0 => stranger.access_token(&claims),
        1 => forge.token(&forge.header("JWT"), &claims),
        2 => forge.access_token(&claims).replacen('e', "f", 1),
        3 => claims.to_string(),
        _ => forge.access_token(&claims),
    };
    (claims, token)
}

#[test]
fn every_answer_has_the_contracts_shape_and_yes_says_only_what_was_signed() {
    let (forge, stranger) = (Forge::new(Algorithm::Es256), Forge::new(Algorithm::Es256));
    let validator = Validator::new(trust(), KeySource::embedded(forge.jwks()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let mut runner = TestRunner::new(Config { cases: 10_000, failure_persistence: None, ..Config::default() });
    let (yes, no) = (Cell::new(0), Cell::new(0));
    let tokens = (prop::collection::vec(change(), CLAIMS.len()), 0..20_u8);
    let result = runner.run(&tokens, |(changes, fate)| {
        let (claims, token) = token(&forge, &stranger, &changes, fate);
        let answer = runtime.block_on(validator.answer(&event(&token), noon()));
        let payload = &answer["authPayload"];
        if payload["isAuthorized"] == "true" {
            yes.set(yes.get() + 1);
            prop_assert!(fate > 3);
            prop_assert!(payload["exp"].is_i64() && payload["nbf"].is_i64() && payload["iat"].is_i64());
            for name in ["iss", "sub", "exp", "nbf", "iat", "scope", "client_id", "jti"] {
                prop_assert_eq!(&payload[name], &claims[name]);
            }
            for name in ["patient", "encounter", "fhirUser", "launch_response_patient"] {
                prop_assert_eq!(payload.get(name), claims.get(name));
            }
            prop_assert_eq!(&payload["aud"], ENDPOINT);
            prop_assert!(payload["exp"].as_i64() > Some(noon().unix_timestamp() - 5));
            prop_assert!(!payload["scope"].as_str().unwrap_or_default().is_empty());
            prop_assert!(answer["iamRoleARN"] == ROLE || answer["iamRoleARN"] == READER);
        } else {
            no.set(no.get() + 1);
            let error = payload["error"].as_str().unwrap_or_default();
            prop_assert!(!error.is_empty() && error.len() < 100);
            prop_assert_eq!(&answer, &json!({ "authPayload": { "isAuthorized": "false", "error": error } }));
            let is_genuine = fate > 3 && changes.iter().all(|change| matches!(change, Change::Leave));
            prop_assert!(!is_genuine, "a genuine token was refused: {}", error);
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    let (yes, no) = (yes.get(), no.get());
    assert!(yes > 1000 && no > 1000, "{yes} yes, {no} no");
}
