//! The `bootstrap` binary, fed by a Lambda service of our own.

mod contract;
mod faults;
mod gateway;
mod introspection;
mod log;
mod service;

use admit::clock::Clock;
use admit::token::Algorithm;
use serde_json::{Value, json};

use crate::jose::assert_refused;
use crate::support::{Forge, ISSUER, KeyServer, Mood, genuine_claims};
use service::Service;

const ENDPOINT: &str = "https://fhir.test/r4/";
const ROLE: &str = "arn:aws:iam::123456789012:role/smart";

fn event(token: &str) -> Value {
    json!({ "datastoreEndpoint": ENDPOINT, "operationName": "ReadResource", "bearerToken": token })
}

fn bytes(event: &Value) -> Vec<u8> {
    event.to_string().into_bytes()
}

/// The claims of a good token, good now.
fn claims() -> Value {
    genuine_claims(Clock::System.now().unix_timestamp())
}

fn good(forge: &Forge) -> String {
    forge.access_token(&claims())
}

/// A good token but for one claim.
fn but(forge: &Forge, claim: &str, value: Value) -> String {
    let mut claims = claims();
    claims[claim] = value;
    forge.access_token(&claims)
}

fn is_allowed(answer: &Value) -> bool {
    answer["authPayload"]["isAuthorized"] == "true" && answer["iamRoleARN"] == ROLE && answer["authPayload"]["aud"] == ENDPOINT
}

/// Settings for one issuer with this key.
fn settings(forge: &Forge) -> Vec<(String, String)> {
    [("ADMIT_ISSUER", ISSUER), ("ADMIT_JWKS", &forge.jwks_text()), ("USER_ROLE_ARN", ROLE), ("ADMIT_DATASTORES", ENDPOINT)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

fn refs(settings: &[(String, String)]) -> Vec<(&str, &str)> {
    settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// LM-01, LM-03, LM-04: the real program, its keys fetched before the first event. Between two good events comes everything
/// that is none.
#[tokio::test]
async fn the_function_answers_whatever_it_is_sent() {
    let forge = Forge::new(Algorithm::Es256);
    let keys = KeyServer::start(Mood::Publishes(forge.jwks_text())).await;
    let token = good(&forge);
    let mut odd: Vec<Vec<u8>> = vec![
        b"{}".to_vec(),
        b"[1]".to_vec(),
        b"null".to_vec(),
        b"\"text\"".to_vec(),
        b"not JSON".to_vec(),
        b"{\"bearerToken\":".to_vec(),
        b"".to_vec(),
        b"\xff\xfe".to_vec(),
        b"{\"bearerToken\":\"\xff\"}".to_vec(),
        b"{\"bearerToken\":\"\\ud800\"}".to_vec(),
        format!("{{\"bearerToken\":{}1{}}}", "[".repeat(1000), "]".repeat(1000)).into_bytes(),
        bytes(&event(&"x".repeat(1 << 20))),
        bytes(&event(&format!("{token}{}", " ".repeat(1 << 20)))),
        bytes(&event(&format!("Bearer Bearer {token}"))),
        bytes(&event(&format!("{token}\n"))),
        bytes(&event(&forge.token(&json!({ "alg": "none", "kid": forge.kid, "typ": "at+jwt" }), &claims()))),
        bytes(&event(&but(&forge, "aud", json!("https://fhir.test/r4-other/")))),
        bytes(&event(&but(&forge, "exp", json!(claims()["iat"].as_i64().expect("a time") - 60)))),
    ];
    for field in ["datastoreEndpoint", "operationName", "bearerToken"] {
        for value in [None, Some(json!(null)), Some(json!(5)), Some(json!([token])), Some(json!({ field: token }))] {
            let mut event = event(&token);
            match value {
                None => drop(event.as_object_mut().expect("an object").remove(field)),
                Some(value) => event[field] = value,
            }
            odd.push(bytes(&event));
        }
    }
    let six = json!({
        "datastoreEndpoint": ENDPOINT, "operationName": "AnOperationOfTomorrow", "bearerToken": format!("Bearer {token}"),
        "datastoreId": "7b4ecba72dc7fef0b302931ab19d5f32", "datastoreTypeVersion": "R4", "datastoreName": "my-store",
        "somethingNew": { "padding": "x".repeat(1 << 20) },
    });
    let count = odd.len() + 2;
    let mut service = Service::start([vec![bytes(&event(&token))], odd, vec![bytes(&six)]].concat()).await;
    let function = service.run(&[
        ("ADMIT_ISSUER", ISSUER),
        ("JWKS_URI", &keys.uri()),
        ("USER_ROLE_ARN", ROLE),
        ("ADMIT_DATASTORES", ENDPOINT),
        ("ADMIT_TENANT", "default"),
    ]);
    for i in 0..count {
        let answer = service.answer().await;
        if i == 0 || i == count - 1 {
            assert!(is_allowed(&answer), "event {i}: {answer}");
        } else {
            assert_refused(&format!("event {i}"), &answer);
        }
    }
    assert_eq!(keys.asked(), 1);
    assert_eq!(function.lines().iter().filter(|line| line["message"] == "decided").count(), count);
}

/// LM-20: the process lives, and says once what it lacks.
#[tokio::test]
async fn without_a_setting_the_function_refuses_everything_and_says_why_once() {
    let forge = Forge::new(Algorithm::Es256);
    for (name, value, why) in [
        ("ADMIT_ISSUER", "", "ADMIT_ISSUER is missing"),
        ("USER_ROLE_ARN", "", "USER_ROLE_ARN is missing"),
        ("ADMIT_JWKS", "", "JWKS_URI is missing, and so is ADMIT_JWKS"),
        ("ADMIT_JWKS", "{", "ADMIT_JWKS cannot be used"),
        ("ADMIT_TRUST", "not JSON", "ADMIT_TRUST cannot be read at line 1, column 2: it is not JSON"),
        ("ADMIT_METRICS_NAMESPACE", "AWS/Lambda", "ADMIT_METRICS_NAMESPACE is no namespace"),
        ("ADMIT_GATEWAY_ANSWER", "json", "ADMIT_GATEWAY_ANSWER is neither simple nor policy"),
        ("ADMIT_FHIR_BASE", "fhir.test", "ADMIT_FHIR_BASE is no URL"),
        ("ADMIT_FHIR_BASE", "https://other.test/r4/", "ADMIT_FHIR_BASE is none of the data stores that are served"),
    ] {
        let mut settings = settings(&forge);
        settings.push((name.to_owned(), value.to_owned()));
        let mut service = Service::start(vec![bytes(&event(&good(&forge))); 3]).await;
        let function = service.run(&refs(&settings));
        for _ in 0..3 {
            let answer = service.answer().await;
            assert_refused(why, &answer);
            assert_eq!(answer["authPayload"]["error"], "the validator is not configured", "{why}");
        }
        let lines = function.lines();
        let complaints: Vec<_> = lines.iter().filter(|line| line["settings"].as_str().is_some_and(|text| text.contains(why))).collect();
        assert_eq!((complaints.len(), lines.len()), (1, 4), "{why}: {lines:?}");
        assert_eq!(complaints[0]["level"], "ERROR");
    }
}

/// The variables of the usual Python function, and nothing else.
#[tokio::test]
async fn the_five_variables_that_people_have_are_enough() {
    let forge = Forge::new(Algorithm::Rs256);
    let keys = KeyServer::start(Mood::Publishes(forge.jwks_text())).await;
    let now = Clock::System.now().unix_timestamp();
    let mut claims = json!({
        "iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEfGhI", "sub": "5e6b7c8d", "client_id": "app-one",
        "token_use": "access", "scope": "system/*.*", "iat": now, "exp": now + 3600, "jti": "synthetic-jti", "username": "u-dr.a",
    });
    let header = json!({ "alg": "RS256", "kid": forge.kid });
    let token = forge.token(&header, &claims);
    claims["client_id"] = json!("app-two");
    let of_another_client = forge.token(&header, &claims);
    let mut service = Service::start(vec![bytes(&event(&token)), bytes(&event(&of_another_client))]).await;
    let function = service.run(&[
        ("CLIENT_ID", "app-one"),
        ("CLIENT_SECRET", "a-secret-that-is-not-used"),
        ("JWKS_URI", &keys.uri()),
        ("USER_ROLE_ARN", ROLE),
        ("USER_POOL_ID", "us-east-1_AbCdEfGhI"),
        ("ADMIT_LOG", "trace"),
    ]);
    let answer = service.answer().await;
    let expected = json!({
        "authPayload": {
            "iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEfGhI", "aud": ENDPOINT, "iat": now, "nbf": now,
            "exp": now + 3600, "isAuthorized": "true", "uid": "5e6b7c8d", "sub": "5e6b7c8d", "client_id": "app-one",
            "scope": "system/*.*", "jti": "synthetic-jti",
        },
        "iamRoleARN": ROLE,
    });
    assert_eq!(answer, expected);
    assert_refused("another client", &service.answer().await);
    assert!(!function.log().concat().contains("a-secret-that-is-not-used"));
}

/// LM-13, as far as one machine goes: a thousand events, one after another to one function, and side by side to
/// four of them.
#[tokio::test]
async fn a_thousand_events_get_a_thousand_answers() {
    let forge = Forge::new(Algorithm::Es256);
    let (yes, no) = (bytes(&event(&good(&forge))), bytes(&event(&but(&forge, "tenant_id", json!("other")))));
    for functions in [1, 4] {
        let keys = KeyServer::start(Mood::Publishes(forge.jwks_text())).await;
        let events = (0..1_000).map(|i| if usize::is_multiple_of(i, 2) { yes.clone() } else { no.clone() }).collect();
        let mut service = Service::start(events).await;
        let uri = keys.uri();
        let settings = [("ADMIT_ISSUER", ISSUER), ("JWKS_URI", uri.as_str()), ("USER_ROLE_ARN", ROLE), ("ADMIT_TENANT", "default")];
        let running: Vec<_> = (0..functions).map(|_| service.run(&settings)).collect();
        let mut answered = vec![0; 1_000];
        for _ in 0..1_000 {
            let outcome = service.next().await;
            let i: usize = outcome.id.trim_start_matches("request-").parse().expect("a number");
            answered[i] += 1;
            assert_eq!((outcome.is_answer, is_allowed(&outcome.body)), (true, i.is_multiple_of(2)), "{outcome:?}");
        }
        assert!(answered.iter().all(|times| *times == 1));
        let lines: usize = running.into_iter().map(|function| function.lines().len()).sum();
        assert_eq!((lines, keys.asked()), (1_000, functions));
    }
}
