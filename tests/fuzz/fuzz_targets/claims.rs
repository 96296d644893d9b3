//! What a trusted issuer signs may still be anything: a "yes" has a role, an audience, a scope and an end in the future.
#![no_main]

use std::sync::LazyLock;

use admit::token::{Jwks, base64url};
use admit::validate::{KeySource, Profile, Trust, Validator};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use libfuzzer_sys::fuzz_target;
use serde_json::json;
use tokio::runtime::Runtime;

const ENDPOINT: &str = "https://fhir.test/r4/";
const NOW: i64 = 1_800_000_000;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime"));
static PAIR: LazyLock<EcdsaKeyPair> = LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"));
static VALIDATORS: LazyLock<Vec<Validator>> = LazyLock::new(|| {
    let (x, y) = PAIR.public_key().as_ref()[1..].split_at(32);
    let jwk = json!({ "kty": "EC", "crv": "P-256", "kid": "1", "x": base64url(x), "y": base64url(y) });
    let keys = json!({ "keys": [jwk] }).to_string();
    let of = |profile| {
        let trust =
            Trust { clients: vec!["app".to_owned()], ..Trust::new("https://idp.test", profile, "arn:aws:iam::123456789012:role/smart") };
        Validator::new(trust, KeySource::embedded(Jwks::parse(keys.as_bytes()).expect("a key set")))
    };
    Profile::ALL.into_iter().map(of).collect()
});

fuzz_target!(|claims: &[u8]| {
    let now = time::OffsetDateTime::from_unix_timestamp(NOW).expect("a time");
    for typ in ["at+jwt", "JWT"] {
        let header = json!({ "alg": "ES256", "kid": "1", "typ": typ }).to_string();
        let message = format!("{}.{}", base64url(header.as_bytes()), base64url(claims));
        let signature = PAIR.sign(&SystemRandom::new(), message.as_bytes()).expect("a signature");
        let token = format!("{message}.{}", base64url(signature.as_ref()));
        let event = json!({ "datastoreEndpoint": ENDPOINT, "operationName": "ReadResource", "bearerToken": token });
        for validator in VALIDATORS.iter() {
            let answer = RUNTIME.block_on(validator.answer(&event, now));
            let payload = &answer["authPayload"];
            if payload["isAuthorized"] == "true" {
                assert!(answer["iamRoleARN"].is_string() && payload["aud"] == ENDPOINT && payload["iss"] == "https://idp.test");
                assert!(payload["exp"].as_i64().is_some_and(|exp| exp > NOW - 6));
                assert!(payload["nbf"].as_i64().is_some_and(|nbf| nbf < NOW + 6));
                assert!(payload["scope"].as_str().is_some_and(|scope| scope.contains('/')));
            } else {
                assert!(answer.get("iamRoleARN").is_none() && payload["error"].is_string());
            }
        }
    }
});
