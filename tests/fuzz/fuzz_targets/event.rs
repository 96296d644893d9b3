//! Whatever the function is sent, there is an answer of the contract's shape, and it is "no": nobody here can sign.
#![no_main]

use std::sync::LazyLock;

use admit::token::Jwks;
use admit::validate::{KeySource, Profile, Trust, Validator};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime"));
static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    // The example key of RFC 7517 A.1, whose private half is nobody's here.
    let keys = br#"{"keys":[{"kty":"EC","crv":"P-256","kid":"1","use":"sig",
        "x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#;
    let trust = Trust::new("https://idp.test", Profile::Generic, "arn:aws:iam::123456789012:role/smart");
    Validator::new(trust, KeySource::embedded(Jwks::parse(keys).expect("a key set")))
});

fuzz_target!(|bytes: &[u8]| {
    let event: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let now = time::OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_000);
    let answer = RUNTIME.block_on(VALIDATOR.answer(&event, now));
    let error = &answer["authPayload"]["error"];
    assert_eq!(answer, json!({ "authPayload": { "isAuthorized": "false", "error": error } }));
    assert!(error.as_str().is_some_and(|error| !error.is_empty() && error.len() < 100));
});
