//! The line about each decision: what stands in it, what never does, and that CloudWatch can make metrics of it.

use std::sync::{Arc, Mutex};

use admit::clock::Clock;
use admit::token::{Algorithm, Rejection};
use admit::validate::{Call, Function, Refusal};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::{ENDPOINT, ROLE, event, good, noon, scoped};
use crate::support::{Forge, ISSUER, KeyServer, Mood, genuine_claims};

/// An X-Ray header, and the trace in it.
pub const TRACE: &str = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1";
pub const TRACE_ROOT: &str = "1-5bef4de7-ad49b0e87f6ef6c87fc2e700";

/// Settings for one issuer with this key, and these besides.
pub fn settings(forge: &Forge, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let jwks = forge.jwks_text();
    let usual = [("ADMIT_ISSUER", ISSUER), ("ADMIT_JWKS", &jwks), ("USER_ROLE_ARN", ROLE), ("ADMIT_DATASTORES", ENDPOINT)];
    usual.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A good token but for one claim.
pub fn but(forge: &Forge, claim: &str, value: Value) -> String {
    let mut claims = genuine_claims(noon().unix_timestamp());
    claims[claim] = value;
    forge.access_token(&claims)
}

/// A good token but for one claim that it lacks.
pub fn without(forge: &Forge, claim: &str) -> String {
    let mut claims = genuine_claims(noon().unix_timestamp());
    claims.as_object_mut().expect("an object").remove(claim);
    forge.access_token(&claims)
}

/// A function of these settings in this process, and the lines that it writes.
pub fn function(settings: &[(String, String)]) -> (Function, Arc<Mutex<Vec<Value>>>) {
    function_at(Clock::manual(noon()), settings)
}

fn function_at(clock: Clock, settings: &[(String, String)]) -> (Function, Arc<Mutex<Vec<Value>>>) {
    let lines = Arc::new(Mutex::new(vec![]));
    let sink = Arc::clone(&lines);
    let function = Function::from_environment(&settings.iter().cloned().collect(), clock)
        .writing_to(Box::new(move |line| sink.lock().expect("the lines").push(serde_json::from_str(line).expect("JSON"))));
    (function, lines)
}

pub fn call() -> Call {
    Call { request_id: "request-0".to_owned(), trace_id: Some(TRACE.to_owned()) }
}

/// Every reason that a decision can have: a dimension of a metric has to have few values.
pub fn reasons() -> Vec<&'static str> {
    use Refusal as R;
    let ours = [
        R::MissingFields,
        R::NoToken,
        R::BadArn,
        R::UnknownDatastore,
        R::NoKeys,
        R::Inactive,
        R::NoIntrospection,
        R::Contradicted,
        R::NotConfigured,
        R::TooSlow,
        R::Failed,
    ];
    use Rejection as T;
    let tokens = [
        T::TooLong,
        T::Malformed,
        T::Header,
        T::Type,
        T::UnknownKey,
        T::Algorithm,
        T::Signature,
        T::Claim("iat"),
        T::Issuer,
        T::Audience,
        T::Client,
        T::Tenant,
        T::Expired,
        T::NotYet,
        T::LivesTooLong,
        T::Scope,
        T::NoPatient,
    ];
    let all = ours.into_iter().chain(tokens.map(R::Token)).map(R::code).chain(["none"]);
    all.collect()
}

/// Amazon CloudWatch User Guide, "Specification: Embedded metric format": the metrics that CloudWatch makes of a line,
/// each with its values by dimension.
#[track_caller]
pub fn metrics_of(line: &Value, now: OffsetDateTime) -> Map<String, Value> {
    let object = |value: &Value, members: &[&str]| -> Map<String, Value> {
        let object = value.as_object().expect("an object").clone();
        assert!(object.keys().map(String::as_str).eq(members.iter().copied()), "{object:?} has other members than {members:?}");
        object
    };
    assert!(line.to_string().len() < 256 * 1024);
    let aws = object(&line["_aws"], &["CloudWatchMetrics", "Timestamp"]);
    let timestamp = aws["Timestamp"].as_i64().expect("whole milliseconds");
    assert!((now.unix_timestamp() * 1_000 - timestamp).abs() < 60_000, "{timestamp}");
    let mut found = Map::new();
    for directive in aws["CloudWatchMetrics"].as_array().expect("a list") {
        let directive = object(directive, &["Dimensions", "Metrics", "Namespace"]);
        let namespace = directive["Namespace"].as_str().expect("text");
        assert!((1..=255).contains(&namespace.len()) && !namespace.starts_with("AWS/"), "{namespace}");
        let mut dimensions = Map::new();
        let sets = directive["Dimensions"].as_array().expect("a list");
        assert_eq!(sets.len(), 1);
        let names = sets[0].as_array().expect("a list");
        assert!(names.len() <= 30);
        for name in names.iter().map(|name| name.as_str().expect("text")) {
            let value = line[name].as_str().unwrap_or_else(|| panic!("{name} is no text: {line}"));
            assert!((1..=1024).contains(&value.len()) && value.is_ascii() && !value.starts_with(':'), "{value}");
            dimensions.insert(name.to_owned(), value.into());
        }
        let metrics = directive["Metrics"].as_array().expect("a list");
        assert!((1..=100).contains(&metrics.len()));
        for metric in metrics {
            let metric = object(metric, &["Name", "Unit"]);
            assert!(["Count", "Milliseconds"].iter().any(|unit| metric["Unit"] == *unit), "{metric:?}");
            let name = metric["Name"].as_str().expect("text");
            assert!(line[name].as_f64().is_some_and(|value| value.is_finite() && value >= 0.0), "{name}: {line}");
            assert!(found.insert(format!("{namespace} {name}"), Value::Object(dimensions.clone())).is_none(), "{name} twice");
        }
    }
    found
}

fn names(line: &Value) -> Vec<&str> {
    line.as_object().expect("an object").keys().map(String::as_str).collect()
}

/// What people search for; the rest is CloudWatch's.
const ALLOWED: &[&str] = &[
    "Decision",
    "Decisions",
    "Duration",
    "FunctionName",
    "Reason",
    "_aws",
    "asker",
    "client_id",
    "cold_start",
    "decision",
    "duration_ms",
    "issuer",
    "jti",
    "level",
    "message",
    "operation",
    "request_id",
    "sub_sha256",
    "tenant",
    "timestamp",
    "xray_trace_id",
];

#[tokio::test]
async fn a_line_says_who_was_allowed_what_and_in_what_time() {
    let forge = Forge::new(Algorithm::Es256);
    let (function, lines) = function(&settings(&forge, &[]));
    for _ in 0..2 {
        function.answer(&event(&good(&forge)), &call()).await.expect("an answer");
    }
    let lines = lines.lock().expect("the lines");
    let mut first = lines[0].clone();
    assert_eq!(names(&first), ALLOWED);
    for (member, expected) in [
        ("asker", json!("healthlake")),
        ("client_id", json!("spa")),
        ("cold_start", json!(true)),
        ("decision", json!("allow")),
        ("issuer", json!(ISSUER)),
        ("jti", json!("synthetic-jti")),
        ("level", json!("INFO")),
        ("message", json!("decided")),
        ("operation", json!("ReadResource")),
        ("request_id", json!("request-0")),
        ("tenant", json!("default")),
        ("xray_trace_id", json!(TRACE_ROOT)),
        ("Decision", json!("allow")),
        ("Decisions", json!(1)),
        ("FunctionName", json!("admit")),
        ("Reason", json!("none")),
    ] {
        assert_eq!(first[member].take(), expected, "{member}");
    }
    let duration = first["duration_ms"].as_f64().expect("a number");
    assert!(duration > 0.0 && duration < 700.0 && first["Duration"] == duration, "{first}");
    assert!(first["timestamp"].as_str().is_some_and(|text| text.ends_with('Z')), "{first}");
    // The subject can be found again by who knows it, and by nobody else.
    let digest = admit::token::base64url(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"u-dr.a").as_ref());
    let hex: String = admit::token::from_base64url(&digest).expect("its own").iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(first["sub_sha256"], hex);
    assert_eq!(lines[1]["cold_start"], false);
}

/// What a token says of itself counts once its signature was found right.
#[tokio::test]
async fn a_refusal_names_its_reason_and_whom_the_issuer_vouches_for() {
    let forge = Forge::new(Algorithm::Es256);
    let (function, lines) = function(&settings(&forge, &[]));
    let forged = Forge::new(Algorithm::Es256).token(&forge.header("at+jwt"), &genuine_claims(noon().unix_timestamp()));
    let now = noon().unix_timestamp();
    let vouched = ["client_id", "issuer", "jti", "sub_sha256", "tenant"];
    for (token, reason, is_vouched) in [
        (but(&forge, "exp", json!(now - 60)), "expired", true),
        (but(&forge, "aud", json!("https://other.test/r4/")), "audience", true),
        (scoped(&forge, "openid"), "scope", true),
        (without(&forge, "patient"), "no_patient", true),
        (but(&forge, "iat", json!("today")), "claim", false),
        (but(&forge, "iss", json!("https://evil.test")), "issuer", false),
        (forged, "signature", false),
        ("x".to_owned(), "malformed", false),
        ("x".repeat(10_000), "too_long", false),
        (String::new(), "no_token", false),
    ] {
        function.answer(&event(&token), &call()).await.expect("an answer");
        let line = lines.lock().expect("the lines").pop().expect("a line");
        assert_eq!((&line["decision"], &line["reason"], &line["level"]), (&json!("refuse"), &json!(reason), &json!("INFO")), "{line}");
        assert!(line["detail"].as_str().is_some_and(|text| !text.is_empty()), "{line}");
        for member in vouched {
            assert_eq!(line.get(member).is_some(), is_vouched, "{member}: {line}");
        }
        let metrics = metrics_of(&line, noon());
        assert_eq!(metrics["Admit Decisions"], json!({ "FunctionName": "admit", "Decision": "refuse", "Reason": reason }));
    }
    for odd in ["drop table", "a\nb", &"x".repeat(65), "é", ""] {
        let mut event = event(&good(&forge));
        event["operationName"] = json!(odd);
        function.answer(&event, &call()).await.expect("an answer");
        let line = lines.lock().expect("the lines").pop().expect("a line");
        assert!(line["decision"] == "allow" && line.get("operation").is_none(), "{line}");
    }
}

#[tokio::test]
async fn every_line_is_a_document_of_the_embedded_metric_format() {
    let forge = Forge::new(Algorithm::Es256);
    let keys = KeyServer::start(Mood::Fails).await;
    let uri = keys.uri();
    let mut settings = settings(&forge, &[]);
    settings.extend([("ADMIT_JWKS".to_owned(), String::new()), ("JWKS_URI".to_owned(), uri)]);
    let clock = Clock::manual(noon());
    let (fetching, lines) = function_at(clock.clone(), &settings);
    let last = || lines.lock().expect("the lines").pop().expect("a line");

    fetching.answer(&event(&good(&forge)), &call()).await.expect("an answer");
    let line = last();
    let of_function = json!({ "FunctionName": "admit" });
    let refused = json!({ "FunctionName": "admit", "Decision": "refuse" });
    let expected = json!({
        "Admit Decisions": { "FunctionName": "admit", "Decision": "refuse", "Reason": "no_keys" }, "Admit Duration": refused,
        "Admit KeyFetches": of_function, "Admit KeyFetchFailures": of_function,
    });
    assert_eq!(Value::Object(metrics_of(&line, noon())), expected);
    assert_eq!((&line["KeyFetches"], &line["KeyFetchFailures"], &line["level"]), (&json!(1), &json!(1), &json!("ERROR")));

    keys.turn(Mood::Publishes(forge.jwks_text()));
    clock.advance(time::Duration::seconds(2)); // nobody is asked again within a second
    fetching.answer(&event(&good(&forge)), &call()).await.expect("an answer");
    let line = last();
    assert_eq!((&line["decision"], &line["KeyFetches"], &line["KeyFetchFailures"]), (&json!("allow"), &json!(1), &json!(0)), "{line}");
    metrics_of(&line, noon());

    // Nothing was fetched: there is nothing to count.
    fetching.answer(&event(&good(&forge)), &call()).await.expect("an answer");
    let line = last();
    let expected = ["Admit Decisions", "Admit Duration"];
    assert!(metrics_of(&line, noon()).keys().eq(expected), "{line}");

    for (namespace, expected) in [("my-team/validator", Some("my-team/validator Decisions")), ("off", None)] {
        settings.push(("ADMIT_METRICS_NAMESPACE".to_owned(), namespace.to_owned()));
        let (function, lines) = function(&settings);
        function.answer(&event("x"), &call()).await.expect("an answer");
        let line = lines.lock().expect("the lines").pop().expect("a line");
        assert_eq!((&line["decision"], &line["reason"]), (&json!("refuse"), &json!("malformed")));
        match expected {
            Some(name) => assert!(metrics_of(&line, noon()).contains_key(name), "{line}"),
            None => assert!(["_aws", "Decisions", "FunctionName", "Reason"].iter().all(|name| line.get(name).is_none()), "{line}"),
        }
    }
}

/// Each combination of dimensions is a metric that somebody pays for.
#[test]
fn a_reason_is_one_short_word_of_a_short_list() {
    let mut reasons = reasons();
    assert!(reasons.iter().all(|reason| reason.len() <= 20 && reason.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
    let count = reasons.len();
    reasons.sort_unstable();
    reasons.dedup();
    assert_eq!(reasons.len(), count, "two reasons have one name");
    assert!(count <= 40);
}

/// LM-13: a thousand events at once, before there is any key. One of them asks for the keys, and every one has its line.
#[tokio::test]
async fn a_thousand_events_side_by_side_have_a_line_each_and_share_one_fetch() {
    let forge = Forge::new(Algorithm::Es256);
    let keys = KeyServer::start(Mood::Publishes(forge.jwks_text())).await;
    let settings = settings(&forge, &[("ADMIT_JWKS", ""), ("JWKS_URI", &keys.uri())]);
    let (function, lines) = function(&settings);
    let function = Arc::new(function);
    let tokens = [good(&forge), scoped(&forge, "openid")];
    let mut answers = tokio::task::JoinSet::new();
    for i in 0..1_000_usize {
        let (function, event) = (Arc::clone(&function), event(&tokens[i % 2]));
        answers.spawn(async move {
            let call = Call { request_id: format!("request-{i}"), trace_id: None };
            (i, function.answer(&event, &call).await.expect("an answer"))
        });
    }
    while let Some(answer) = answers.join_next().await {
        let (i, answer) = answer.expect("no panic");
        assert_eq!(answer["authPayload"]["isAuthorized"], if i.is_multiple_of(2) { "true" } else { "false" }, "{answer}");
    }
    let lines = lines.lock().expect("the lines");
    let mut ids: Vec<&str> = lines.iter().map(|line| line["request_id"].as_str().expect("text")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), lines.len(), keys.asked()), (1_000, 1_000, 1));
    assert_eq!(lines.iter().filter(|line| line["cold_start"] == true).count(), 1);
    let fetches: u64 = lines.iter().filter_map(|line| line["KeyFetches"].as_u64()).sum();
    assert_eq!(fetches, 1);
}
