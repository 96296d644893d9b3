//! Whatever the function is sent, by whomever, there is an answer of that asker's shape, and it is "no": nobody here can sign.
#![no_main]

use std::sync::LazyLock;

use admit::clock::Clock;
use admit::validate::{Call, Function};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime"));
static FUNCTION: LazyLock<Function> = LazyLock::new(|| {
    // A key that was made for this; its private half was thrown away.
    let keys = r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"1","use":"sig",
        "x":"jaxE3r2NHO2DbCviE3oVxuzjlJ-8EbpeueGnqDPUMZA","y":"C1D4ybHIwBXhd74u-EBWpzoGZQQkZX-1P76RjnUlHfI"}]}"#;
    let settings = [
        ("ADMIT_ISSUER", "https://idp.test"),
        ("ADMIT_PROFILE", "generic"),
        ("ADMIT_JWKS", keys),
        ("USER_ROLE_ARN", "arn:aws:iam::123456789012:role/smart"),
        ("ADMIT_FHIR_BASE", "https://fhir.test/r4/"),
    ];
    Function::from_environment(&settings.into_iter().collect(), Clock::System).writing_to(Box::new(|line| {
        assert!(serde_json::from_str::<Value>(line).is_ok_and(|line| line["decision"] == "refuse"));
    }))
});

fuzz_target!(|bytes: &[u8]| {
    let event: Value = serde_json::from_slice(bytes).unwrap_or_default();
    // A function error is a "no" as well: API Gateway makes a 401 or a 500 of it.
    let Ok(answer) = RUNTIME.block_on(FUNCTION.answer(&event, &Call::default())) else { return };
    let error = &answer["authPayload"]["error"];
    let healthlake = json!({ "authPayload": { "isAuthorized": "false", "error": error } });
    let is_policy = answer["policyDocument"]["Statement"][0]["Effect"] == "Deny";
    let is_no = answer == healthlake || is_policy || answer["isAuthorized"] == false || answer == json!({ "errorMessage": "Unauthorized" });
    assert!(is_no, "{answer}");
    assert!(answer != healthlake || error.as_str().is_some_and(|error| !error.is_empty() && error.len() < 100));
});
