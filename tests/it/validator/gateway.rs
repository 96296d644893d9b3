//! The authorizers of API Gateway: each kind of event, and every answer that it can get.

use admit::token::Algorithm;
use admit::validate::{Call, Function};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::journal::{but, function, settings, without};
use super::{ENDPOINT, event, good, noon, scoped};
use crate::support::{Forge, ISSUER, genuine_claims};

/// What is called, and what a policy for it covers.
pub const ARN: &str = "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/GET/Patient/1";
pub const STAGE: &str = "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/*";

/// The kinds of event, as AWS's developer guide shows them.
pub const KINDS: [&str; 4] = ["rest-token", "rest-request", "http-1.0", "http-2.0"];

pub fn ask(kind: &str, header: &str) -> Value {
    let request = json!({
        "resource": "/Patient/{id}", "path": "/Patient/1", "httpMethod": "GET",
        "headers": { "Accept": "application/fhir+json", "Authorization": header },
        "queryStringParameters": { "_format": "json" }, "pathParameters": { "id": "1" }, "stageVariables": null,
        "requestContext": { "path": "/prod/Patient/1", "accountId": "123456789012", "stage": "prod", "apiId": "abc123" },
    });
    let with = |more: Value| {
        let mut event = request.clone();
        event.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        event
    };
    match kind {
        "rest-token" => json!({ "type": "TOKEN", "authorizationToken": header, "methodArn": ARN }),
        "rest-request" => with(json!({ "type": "REQUEST", "methodArn": ARN, "multiValueHeaders": { "Authorization": [header] } })),
        "http-1.0" => with(json!({
            "version": "1.0", "type": "REQUEST", "methodArn": ARN, "identitySource": header, "authorizationToken": header,
        })),
        "http-2.0" => json!({
            "version": "2.0", "type": "REQUEST", "routeArn": ARN, "identitySource": [header], "routeKey": "GET /Patient/{id}",
            "rawPath": "/Patient/1", "rawQueryString": "", "cookies": [], "headers": { "authorization": header },
            "requestContext": { "http": { "method": "GET", "path": "/Patient/1", "protocol": "HTTP/1.1" }, "stage": "prod" },
            "pathParameters": { "id": "1" }, "stageVariables": {},
        }),
        other => panic!("{other} is no kind of event"),
    }
}

/// A policy, as API Gateway wants it.
pub fn policy(effect: &str, principal: &str, context: &Value) -> Value {
    json!({
        "principalId": principal,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{ "Action": "execute-api:Invoke", "Effect": effect, "Resource": STAGE }],
        },
        "context": context,
    })
}

/// The answers of a function: a JSON value, or the message of a failure.
async fn tell(function: &Function, event: &Value) -> Result<Value, String> {
    function.answer(event, &Call::default()).await.map_err(|failure| failure.to_string())
}

fn with_base(forge: &Forge, more: &[(&str, &str)]) -> Function {
    function(&settings(forge, &[&[("ADMIT_FHIR_BASE", ENDPOINT), ("USER_ROLE_ARN", "")], more].concat())).0
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// The server behind is told what the token says; no role is needed.
#[tokio::test]
async fn a_good_token_opens_the_whole_stage() {
    let forge = Forge::new(Algorithm::Es256);
    let header = bearer(&good(&forge));
    let context = json!({
        "iss": ISSUER, "sub": "u-dr.a", "scope": "openid launch/patient patient/*.rs", "exp": (noon().unix_timestamp() + 600).to_string(),
        "client_id": "spa", "tenant": "default", "jti": "synthetic-jti", "patient": "p1", "launch_response_patient": "Patient/p1",
    });
    let (simple, policies) = (with_base(&forge, &[]), with_base(&forge, &[("ADMIT_GATEWAY_ANSWER", "policy")]));
    for kind in KINDS {
        let event = ask(kind, &header);
        assert_eq!(tell(&policies, &event).await, Ok(policy("Allow", "u-dr.a", &context)), "{kind}");
        let expected =
            if kind == "http-2.0" { json!({ "isAuthorized": true, "context": context }) } else { policy("Allow", "u-dr.a", &context) };
        assert_eq!(tell(&simple, &event).await, Ok(expected), "{kind}");
    }
}

/// A context beside a policy holds scalars only.
#[tokio::test]
async fn lists_in_the_context_become_text_beside_a_policy() {
    let forge = Forge::new(Algorithm::Es256);
    let token = but(&forge, "groups", json!(["a", { "b": 1 }]));
    for (kind, answer, expected) in [
        ("rest-token", "simple", json!("[\"a\",{\"b\":1}]")),
        ("http-2.0", "policy", json!("[\"a\",{\"b\":1}]")),
        ("http-2.0", "simple", json!(["a", { "b": 1 }])),
    ] {
        let function = with_base(&forge, &[("ADMIT_CONTEXT_CLAIMS", "groups"), ("ADMIT_GATEWAY_ANSWER", answer)]);
        let answer = tell(&function, &ask(kind, &bearer(&token))).await.expect("an answer");
        assert_eq!(answer["context"]["groups"], expected, "{kind}");
        let is_scalar = |value: &Value| value.is_string() || value.is_number() || value.is_boolean();
        let all = answer["context"].as_object().expect("an object").values().all(is_scalar);
        assert_eq!(all, expected.is_string(), "{answer}");
    }
}

/// RFC 6750 §3.1: 401 where another token may do, 403 where this one will never do.
#[tokio::test]
async fn a_bad_token_is_unauthorized_and_one_that_is_not_enough_is_forbidden() {
    let forge = Forge::new(Algorithm::Es256);
    let now = noon().unix_timestamp();
    let forged = Forge::new(Algorithm::Es256).token(&forge.header("at+jwt"), &genuine_claims(noon().unix_timestamp()));
    let functions = [
        (false, with_base(&forge, &[("ADMIT_TENANT", "default")])),
        (true, with_base(&forge, &[("ADMIT_TENANT", "default"), ("ADMIT_GATEWAY_ANSWER", "policy")])),
    ];
    for (why, header) in [
        ("no header", String::new()),
        ("no token", "Bearer ".to_owned()),
        ("another scheme", format!("Basic {}", good(&forge))),
        ("no scheme", good(&forge)),
        ("two tokens", format!("{0},{0}", bearer(&good(&forge)))),
        ("no JWT", bearer("x")),
        ("too long", bearer(&"x".repeat(10_000))),
        ("the wrong key", bearer(&forged)),
        ("expired", bearer(&but(&forge, "exp", json!(now - 60)))),
        ("not yet good", bearer(&but(&forge, "nbf", json!(now + 60)))),
        ("another audience", bearer(&but(&forge, "aud", json!("https://other.test/r4/")))),
        ("another issuer", bearer(&but(&forge, "iss", json!("https://evil.test")))),
        ("another tenant", bearer(&but(&forge, "tenant_id", json!("other")))),
        ("no scope", bearer(&but(&forge, "scope", json!("")))),
    ] {
        for (_, function) in &functions {
            for kind in KINDS {
                let expected =
                    if kind.starts_with("http") { Ok(json!({ "errorMessage": "Unauthorized" })) } else { Err("Unauthorized".to_owned()) };
                assert_eq!(tell(function, &ask(kind, &header)).await, expected, "{why}: {kind}");
            }
        }
    }
    let no_patient = without(&forge, "patient");
    for (reason, token) in [("scope", scoped(&forge, "openid fhirUser")), ("no_patient", no_patient)] {
        let context = json!({ "reason": reason });
        for (wants_policy, function) in &functions {
            for kind in KINDS {
                let expected = if kind == "http-2.0" && !wants_policy {
                    json!({ "isAuthorized": false, "context": context })
                } else {
                    policy("Deny", "u-dr.a", &context)
                };
                assert_eq!(tell(function, &ask(kind, &bearer(&token))).await, Ok(expected), "{reason}: {kind}");
            }
        }
    }
}

/// A fault of ours says nothing of the token, and is not to be remembered.
#[tokio::test]
async fn a_fault_of_ours_is_neither_unauthorized_nor_forbidden() {
    let forge = Forge::new(Algorithm::Es256);
    let header = bearer(&good(&forge));
    let without_keys = with_base(&forge, &[("ADMIT_JWKS", ""), ("JWKS_URI", "http://127.0.0.1:1/jwks")]);
    let (without_base, lines) = function(&settings(&forge, &[]));
    let without_issuer = with_base(&forge, &[("ADMIT_ISSUER", "")]);
    for kind in KINDS {
        for (function, words) in [
            (&without_keys, "no signing keys can be had from the issuer at the moment"),
            (&without_base, "the validator is not configured"),
            (&without_issuer, "the validator is not configured"),
        ] {
            assert_eq!(tell(function, &ask(kind, &header)).await, Err(words.to_owned()), "{kind}");
        }
        // Nobody looks at a token then.
        for function in [&without_base, &without_issuer] {
            assert!(tell(function, &ask(kind, "")).await.is_err_and(|message| message != "Unauthorized"), "{kind}");
        }
    }
    let lines = lines.lock().expect("the lines");
    assert!(lines.iter().all(|line| line["reason"] == "not_configured" && line["level"] == "ERROR"), "{lines:?}");
}

/// A policy names what it is for; an event that does not say so gets none.
#[tokio::test]
async fn without_the_arn_of_an_api_there_is_no_policy() {
    let forge = Forge::new(Algorithm::Es256);
    let header = bearer(&good(&forge));
    let (simple, policies) = (with_base(&forge, &[]), with_base(&forge, &[("ADMIT_GATEWAY_ANSWER", "policy")]));
    for arn in [json!("*"), json!("arn:aws:execute-api:*:*:*"), json!(ARN.replace("prod", "*")), json!(null), json!([ARN])] {
        for kind in KINDS {
            let mut event = ask(kind, &header);
            event[if kind == "http-2.0" { "routeArn" } else { "methodArn" }] = arn.clone();
            let refused = Err("methodArn or routeArn is not the ARN of an API".to_owned());
            assert_eq!(tell(&policies, &event).await, refused, "{kind} {arn}");
            match kind {
                "http-2.0" => assert_eq!(tell(&simple, &event).await.expect("an answer")["isAuthorized"], true, "{arn}"),
                _ => assert_eq!(tell(&simple, &event).await, refused, "{kind} {arn}"),
            }
        }
    }
}

/// The answer is remembered under the header: it must not depend on what else the request was.
#[tokio::test]
async fn the_answer_is_the_same_for_every_route_of_the_stage() {
    let forge = Forge::new(Algorithm::Es256);
    let function = with_base(&forge, &[]);
    for token in [good(&forge), scoped(&forge, "openid")] {
        for kind in KINDS {
            let member = if kind == "http-2.0" { "routeArn" } else { "methodArn" };
            let mut answers = vec![];
            for route in ["GET/Patient/1", "DELETE/Patient/1", "POST/", "GET/a/b:c/*/$everything", "$default"] {
                let mut event = ask(kind, &bearer(&token));
                event[member] = json!(ARN.replace("GET/Patient/1", route));
                event["path"] = json!(route);
                event["httpMethod"] = json!("DELETE");
                answers.push(tell(&function, &event).await.expect("an answer"));
            }
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{kind}: {answers:?}");
        }
    }
}

/// One function may do both; a "yes" without a role would be none to HealthLake.
#[tokio::test]
async fn healthlake_is_answered_beside_api_gateway_where_there_is_a_role() {
    let forge = Forge::new(Algorithm::Es256);
    let token = good(&forge);
    let roleless = with_base(&forge, &[]);
    let refusal = json!({ "authPayload": { "isAuthorized": "false", "error": "the validator is not configured" } });
    assert_eq!(tell(&roleless, &event(&token)).await, Ok(refusal));
    let (both, lines) = function(&settings(&forge, &[("ADMIT_FHIR_BASE", ENDPOINT)]));
    assert_eq!(tell(&both, &event(&token)).await.expect("an answer")["authPayload"]["isAuthorized"], "true");
    assert!(tell(&both, &ask("rest-token", &bearer(&token))).await.is_ok());
    // HealthLake's own event stays HealthLake's, whatever stands in it besides.
    let mut mixed = event(&token);
    mixed.as_object_mut().expect("an object").extend(ask("rest-token", "Bearer x").as_object().expect("an object").clone());
    assert_eq!(tell(&both, &mixed).await.expect("an answer")["authPayload"]["isAuthorized"], "true");
    let askers: Vec<Value> = lines.lock().expect("the lines").iter().map(|line| json!([line["asker"], line["operation"]])).collect();
    let expected = [json!(["healthlake", "ReadResource"]), json!(["rest-token", "GET"]), json!(["healthlake", "ReadResource"])];
    assert_eq!(askers, expected);
}

/// Whatever API Gateway, or somebody in its place, sends: an answer of a known shape, and never a "yes" to a token that is not good.
#[test]
fn no_event_opens_anything_without_a_good_token() {
    let forge = Forge::new(Algorithm::Es256);
    let bad = bearer(&but(&forge, "exp", json!(noon().unix_timestamp() - 60)));
    let functions = [with_base(&forge, &[]), with_base(&forge, &[("ADMIT_GATEWAY_ANSWER", "policy")]), function(&settings(&forge, &[])).0];
    let members = ["type", "version", "methodArn", "routeArn", "authorizationToken", "identitySource", "headers", "multiValueHeaders"];
    let text =
        prop::sample::select(vec!["TOKEN", "REQUEST", "1.0", "2.0", ARN, STAGE, "*", "", "Bearer", "true"]).prop_map(str::to_owned).boxed();
    let text = prop_oneof![text, Just(bad), "\\PC{0,20}"];
    let leaf = prop_oneof![8 => text.prop_map(Value::from), 1 => Just(json!(null)), 1 => Just(json!(true)), 1 => Just(json!(2.0))];
    let value = leaf.prop_recursive(2, 8, 3, |inner| {
        let name = prop::sample::select(vec!["authorization", "Authorization", "AUTHORIZATION", "x"]).prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..3).prop_map(|map| json!(map)),
        ]
    });
    let changes = prop::collection::vec((prop::sample::select(members.to_vec()), value), 0..8);
    let events = (prop::sample::select(KINDS.to_vec()), changes).prop_map(|(kind, changes)| {
        let mut event = ask(kind, "Bearer x");
        for (name, value) in changes {
            event[name] = value;
        }
        event
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let config = Config { cases: 2_000, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&events, |event| {
        for function in &functions {
            match runtime.block_on(tell(function, &event)) {
                Ok(answer) => {
                    let is_no = answer["errorMessage"] == "Unauthorized"
                        || answer["authPayload"]["isAuthorized"] == "false"
                        || answer["isAuthorized"] == false
                        || answer["policyDocument"]["Statement"][0]["Effect"] == "Deny";
                    prop_assert!(is_no, "{} for {}", answer, event);
                    prop_assert!(!answer.to_string().contains("Allow"), "{} for {}", answer, event);
                }
                Err(message) => prop_assert!(!message.is_empty() && message.len() < 100, "{}", message),
            }
        }
        Ok(())
    });
    outcome.expect("every event is refused");
}
