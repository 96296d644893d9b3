//! What the running function logs.

use admit::clock::Clock;
use admit::token::Algorithm;
use serde_json::{Value, json};

use super::service::Service;
use super::{ENDPOINT, ROLE, bytes, claims, event, good, refs, settings};
use crate::support::{Forge, ISSUER, KeyServer, Mood};
use crate::validator::journal::{TRACE_ROOT, metrics_of, reasons};

/// LM-17: the real program, at every level, with every kind of token; and one line per decision, whatever the level.
#[tokio::test]
async fn no_token_and_no_person_is_in_the_log_at_any_level() {
    let forge = Forge::new(Algorithm::Es256);
    let now = claims()["iat"].as_i64().expect("a time");
    let mut about = claims();
    about["sub"] = json!("u-secret.person");
    about["patient"] = json!("secret-patient");
    about["launch_response_patient"] = json!("Patient/secret-patient");
    about["fhirUser"] = json!("https://fhir.test/r4/Practitioner/secret-practitioner");
    let changed = |name: &str, value: Value| {
        let mut claims = about.clone();
        claims[name] = value;
        forge.access_token(&claims)
    };
    let tokens = [
        forge.access_token(&about),
        changed("exp", json!(now - 60)),
        changed("aud", json!("https://other.test/r4/")),
        changed("sub", json!({ "u-secret.person": ["u-secret.person"] })),
        Forge::new(Algorithm::Es256).token(&forge.header("at+jwt"), &about), // the wrong key
        forge.raw(b"{\"alg\":\"u-secret.person\"}", b"secret-patient"),
        "secret-opaque-token".to_owned(),
        "secret-and secret-more".to_owned(),
        "secret-opaque-token".repeat(1_000),
    ];
    let arn = "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/GET/Patient/secret-patient";
    let events: Vec<Value> = tokens
        .iter()
        .flat_map(|token| {
            let header = format!("Bearer {token}");
            [
                event(token),
                json!({ "datastoreEndpoint": ENDPOINT, "operationName": token, "bearerToken": [token] }),
                json!({ "type": "TOKEN", "methodArn": arn, "authorizationToken": header }),
                json!({ "type": "REQUEST", "version": "2.0", "routeArn": arn, "headers": { "authorization": header } }),
                json!([token]),
            ]
        })
        .collect();
    let cut = [b"{\"bearerToken\":\"".as_slice(), tokens[0].as_bytes()].concat(); // no JSON
    let events: Vec<Vec<u8>> = events.iter().map(bytes).chain([cut]).collect();
    let secrets: Vec<String> = tokens
        .iter()
        .flat_map(|token| token.split(['.', ' ']))
        .map(str::to_owned)
        .chain(["u-secret.person", "secret-patient", "secret-practitioner", "secret"].map(str::to_owned))
        .collect();

    let keys = KeyServer::start(Mood::Publishes(forge.jwks_text())).await;
    let uri = keys.uri();
    for level in ["off", "error", "info", "debug", "trace", "trace,lambda_runtime=trace,hyper=trace", "no level"] {
        let settings = [
            ("ADMIT_ISSUER", ISSUER),
            ("JWKS_URI", uri.as_str()),
            ("USER_ROLE_ARN", ROLE),
            ("ADMIT_DATASTORES", ENDPOINT),
            ("ADMIT_FHIR_BASE", ENDPOINT),
            ("ADMIT_LOG", level),
            ("RUST_BACKTRACE", "1"),
        ];
        let mut service = Service::start(events.clone()).await;
        let function = service.run(&settings);
        for _ in &events {
            service.next().await;
        }
        let lines = function.log();
        for secret in &secrets {
            let leak = lines.iter().find(|line| line.contains(secret));
            assert_eq!(leak, None, "{secret} is in the log at {level}");
        }
        let decisions: Vec<Value> = lines
            .iter()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
            .filter(|line: &Value| line["message"] == "decided")
            .collect();
        assert_eq!(decisions.len(), events.len(), "{level}");
        let reasons = reasons();
        for (i, line) in decisions.iter().enumerate() {
            assert_eq!((&line["request_id"], &line["xray_trace_id"]), (&json!(format!("request-{i}")), &json!(TRACE_ROOT)), "{line}");
            assert_eq!(line["cold_start"], i == 0, "{line}");
            assert!(line["duration_ms"].is_number() && reasons.iter().any(|reason| line["Reason"] == *reason), "{line}");
            metrics_of(line, Clock::System.now());
        }
    }
}

/// The settings of a function say enough of it, without its secrets.
#[tokio::test]
async fn a_function_in_good_order_says_nothing_but_its_decisions() {
    let forge = Forge::new(Algorithm::Es256);
    let settings = settings(&forge);
    let mut service = Service::start(vec![bytes(&event(&good(&forge))); 3]).await;
    let function = service.run(&refs(&settings));
    for _ in 0..3 {
        service.answer().await;
    }
    let lines = function.lines();
    assert!(lines.len() == 3 && lines.iter().all(|line| line["decision"] == "allow"), "{lines:?}");
}
