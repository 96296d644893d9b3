//! A validator that asks the issuer (RFC 7662): alone, or to hear of revocations.

mod client;
mod combined;
mod only;
mod property;
mod server;

use std::sync::Arc;
use std::time::Duration;

use admit::token::Algorithm;
use admit::validate::{ClientAuthentication, Introspector, KeySource, Profile, Proof, Rule, Trust, Validator, WhenUnreachable};
use serde_json::{Value, json};

use super::{event, noon, trust};
use crate::support::{Authority, Forge, Saying, genuine_claims};

const SECRET: &str = "synthetic-secret";

fn introspector(endpoint: &str, cache_seconds: u32) -> Arc<Introspector> {
    let client = ClientAuthentication::secret("rs", SECRET);
    Arc::new(Introspector::new(endpoint, client, cache_seconds, None).expect("a client"))
}

/// Trusts the word of this endpoint alone.
fn only(trust: Trust, endpoint: &str) -> Validator {
    Validator::of(vec![Rule { trust, proof: Proof::Introspection(introspector(endpoint, 0)) }])
}

/// Trusts the forge's signature, and asks the endpoint besides.
fn combined(forge: &Forge, endpoint: &str, cache_seconds: u32, when_unreachable: WhenUnreachable) -> Validator {
    let keys = Arc::new(KeySource::embedded(forge.jwks()));
    let introspector = introspector(endpoint, cache_seconds);
    Validator::of(vec![Rule { trust: trust(), proof: Proof::Both { keys, introspector, when_unreachable } }])
}

async fn error(validator: &Validator, token: &str) -> Value {
    validator.answer(&event(token), noon()).await["authPayload"]["error"].clone()
}

async fn is_allowed(validator: &Validator, token: &str) -> bool {
    validator.decide(&event(token), noon()).await.is_allowed()
}

/// LM-15: everything that is no answer, and whether it may pass by itself.
fn troubles() -> Vec<(Saying, bool)> {
    let json = |body: &str| Saying::Text(200, "application/json", body.to_owned());
    let status = |status| Saying::Text(status, "application/json", r#"{"active":true}"#.to_owned());
    vec![
        (Saying::Nothing, true),
        (Saying::After(Duration::from_secs(5), json!({ "active": true })), true),
        (status(500), true),
        (status(503), true),
        (status(429), false),
        (status(400), false),
        (status(401), false),
        (status(403), false),
        (status(404), false),
        (status(201), false),
        (Saying::Text(200, "text/html", "<!doctype html><p>Sign in to the wireless network".to_owned()), false),
        (Saying::Text(200, "text/plain", r#"{"active":true}"#.to_owned()), false),
        (Saying::Text(200, "", r#"{"active":true}"#.to_owned()), false),
        (Saying::Text(200, "application/token-introspection+jwt", r#"{"active":true}"#.to_owned()), false),
        (Saying::Endless, false),
        (json(""), false),
        (json("{}"), false),
        (json("[true]"), false),
        (json("true"), false),
        (json("null"), false),
        (json(r#"{"active":"true"}"#), false),
        (json(r#"{"active":1}"#), false),
        (json(r#"{"active":null}"#), false),
        (json(r#"{"Active":true}"#), false),
        (json(r#"{"active":true,"active":true}"#), false),
        (json(r#"{"active":false,"active":true}"#), false),
        (json(r#"{"active":true} "#.repeat(2).as_str()), false),
        (json(r#"{"active":true"#), false),
    ]
}

const UNKNOWN: &str = "the issuer cannot be asked about the token at the moment";
const INACTIVE: &str = "the token is not active";
