//! Sealed entries on their way out: to a collector of ours that checks the form, and to standard output.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use admit::audit::{Entry, Keeping, Sink};
use admit::id::TenantId;
use admit::jobs::tail::{Stuck, Tail};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use time::Duration;

use crate::support::{ISSUER, TestApp};

/// A collector of logs by OTLP/HTTP, in the JSON form.
struct Collector {
    address: SocketAddr,
    state: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    /// The entries, in the order in which they came.
    entries: Vec<Value>,
    /// How often it will fail from now on.
    failures: usize,
}

impl Collector {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(Mutex::new(Taken::default()));
        let router = Router::new().route("/v1/logs", axum::routing::post(take)).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, state }
    }

    fn sink(&self) -> Sink {
        format!("http://{}/v1/logs", self.address).parse().expect("a sink")
    }

    fn fail(&self, times: usize) {
        self.state.lock().expect("the state").failures = times;
    }

    fn places(&self) -> Vec<i64> {
        self.state.lock().expect("the state").entries.iter().map(|entry| entry["seq"].as_i64().expect("a place")).collect()
    }
}

async fn take(State(state): State<Arc<Mutex<Taken>>>, headers: HeaderMap, body: String) -> (StatusCode, String) {
    let mut taken = state.lock().expect("the state");
    if taken.failures > 0 {
        taken.failures -= 1;
        return (StatusCode::SERVICE_UNAVAILABLE, String::new());
    }
    assert_eq!(headers["content-type"], "application/json");
    let request: Value = serde_json::from_str(&body).expect("JSON");
    taken.entries.extend(records(&request));
    (StatusCode::OK, r#"{"partialSuccess":{}}"#.to_owned())
}

/// The entries of an `ExportLogsServiceRequest`, whose every member is checked against opentelemetry-proto 1.
fn records(request: &Value) -> Vec<Value> {
    let keys = |value: &Value, allowed: &[&str]| {
        for name in value.as_object().expect("an object").keys() {
            assert!(allowed.contains(&name.as_str()), "{name} is no member of OTLP");
        }
    };
    let attributes = |list: &Value| {
        for attribute in list.as_array().expect("attributes") {
            keys(attribute, &["key", "value"]);
            assert!(attribute["key"].is_string());
            keys(&attribute["value"], &["stringValue", "intValue"]);
            assert!(attribute["value"].as_object().expect("a value").values().all(Value::is_string), "64 bits are a text");
        }
    };
    keys(request, &["resourceLogs"]);
    let mut entries = vec![];
    for resource in request["resourceLogs"].as_array().expect("resources") {
        keys(resource, &["resource", "scopeLogs"]);
        keys(&resource["resource"], &["attributes"]);
        attributes(&resource["resource"]["attributes"]);
        assert_eq!(resource["resource"]["attributes"][0], json!({ "key": "service.name", "value": { "stringValue": "admit" } }));
        for scope in resource["scopeLogs"].as_array().expect("scopes") {
            keys(scope, &["scope", "logRecords"]);
            keys(&scope["scope"], &["name", "version"]);
            for record in scope["logRecords"].as_array().expect("records") {
                keys(
                    record,
                    &["timeUnixNano", "observedTimeUnixNano", "severityNumber", "severityText", "eventName", "body", "attributes"],
                );
                for time in ["timeUnixNano", "observedTimeUnixNano"] {
                    assert!(record[time].as_str().is_some_and(|text| text.parse::<u64>().is_ok()), "{record}");
                }
                assert!([9, 13].contains(&record["severityNumber"].as_i64().expect("a number")));
                attributes(&record["attributes"]);
                keys(&record["body"], &["stringValue"]);
                let entry: Value = serde_json::from_str(record["body"]["stringValue"].as_str().expect("a text")).expect("the entry");
                assert_eq!(record["eventName"], format!("admit.audit.{}", entry["event"].as_str().expect("an event")));
                entries.push(entry);
            }
        }
    }
    entries
}

async fn write(app: &TestApp, count: usize) {
    for _ in 0..count {
        app.store().audit(&app.origin(), Entry::done("login")).await.expect("written");
    }
    while app.store().seal_audit(&app.origin()).await.expect("sealed") > 0 {}
}

async fn length(app: &TestApp) -> i64 {
    app.store().audit_chain(&TenantId::default_tenant()).await.expect("the chain").seq
}

#[tokio::test]
async fn a_collector_gets_every_entry_in_order() {
    let app = TestApp::start().await;
    let collector = Collector::start().await;
    let mut tail = Tail::new(Arc::clone(&app.app), collector.sink());
    assert_eq!(tail.work().await.expect("nothing is sealed"), 0);
    write(&app, 250).await;
    let length = length(&app).await;
    assert!(length > 250);
    assert_eq!(i64::try_from(tail.work().await.expect("written")), Ok(length));
    assert_eq!(collector.places(), (1..=length).collect::<Vec<_>>());
    assert_eq!(tail.work().await.expect("nothing new"), 0);
    // After a restart it goes on from where it was.
    drop(tail);
    write(&app, 1).await;
    app.advance(Duration::minutes(1));
    let mut tail = Tail::new(Arc::clone(&app.another().await.app), collector.sink());
    assert_eq!(tail.work().await.expect("written"), 1);
    assert_eq!(collector.places(), (1..=length + 1).collect::<Vec<_>>());
    assert_eq!(app.app.tenant.issuer, ISSUER);
}

/// What a collector does not take is sent again: at least once, and in order.
#[tokio::test]
async fn a_collector_that_fails_gets_it_again() {
    let app = TestApp::start().await;
    let collector = Collector::start().await;
    let mut tail = Tail::new(Arc::clone(&app.app), collector.sink());
    write(&app, 3).await;
    collector.fail(2);
    for _ in 0..2 {
        assert!(matches!(tail.work().await, Err(Stuck::Refused(503))));
    }
    write(&app, 3).await;
    tail.work().await.expect("written");
    assert_eq!(collector.places(), (1..=length(&app).await).collect::<Vec<_>>());
}

/// One of several instances writes; where it dies, another goes on.
#[tokio::test]
async fn of_several_instances_one_writes() {
    let app = TestApp::start().await;
    let other = app.another().await;
    let collector = Collector::start().await;
    let mut first = Tail::new(Arc::clone(&app.app), collector.sink());
    let mut second = Tail::new(Arc::clone(&other.app), collector.sink());
    write(&app, 5).await;
    let (one, two) = tokio::join!(first.work(), second.work());
    let (one, two) = (one.expect("looked"), two.expect("looked"));
    assert!((one == 0) != (two == 0), "{one} {two}");
    let (mut holder, mut idle) = if one > 0 { (first, second) } else { (second, first) };
    write(&app, 5).await;
    assert_eq!(idle.work().await.expect("looked"), 0, "the other holds it");
    assert_eq!(holder.work().await.expect("written"), 5);
    drop(holder);
    write(&app, 5).await;
    assert_eq!(idle.work().await.expect("looked"), 0, "it may only be slow");
    app.advance(Duration::seconds(31));
    assert_eq!(idle.work().await.expect("written"), 5);
    let places = collector.places();
    assert_eq!(places.iter().collect::<HashSet<_>>().len(), places.len());
    assert_eq!(places, (1..=length(&app).await).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_sink_is_this_machine_or_a_url_that_can_be_trusted() {
    assert_eq!("stdout".parse(), Ok(Sink::Stdout));
    assert!(matches!("https://collector.test/v1/logs".parse(), Ok(Sink::Collector(_))));
    for bad in ["", "stderr", "http://collector.test/v1/logs", "https://user:word@collector.test/", "off"] {
        assert!(bad.parse::<Sink>().is_err(), "{bad}");
    }
    assert_eq!(Keeping { years: 1, ..Keeping::default() }.retention(), Keeping::default().retention(), "never less than six years");
}

/// The server's standard output holds every entry, and when it was told to stop, nothing waits for the sealer.
#[tokio::test]
async fn a_server_writes_its_trail_to_standard_output_to_the_last_entry() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let admit = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_admit"));
        command.env_clear().current_dir(dir.path()).args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let mut server =
        admit(&["serve", "--listen", "127.0.0.1:0", "--issuer", "http://127.0.0.1", "--audit-log", "stdout"]).spawn().expect("the program");
    let mut said = BufReader::new(server.stderr.take().expect("its messages")).lines();
    assert!(said.any(|line| line.expect("text").contains("\"ready\"")), "it stopped");
    std::thread::spawn(move || said.for_each(drop));
    let made = admit(&["fhir-base", "add", "main", "--url", "https://fhir.test/r4"]).output().expect("the program");
    assert!(made.status.success());
    assert!(Command::new("kill").args(["-TERM", &server.id().to_string()]).status().expect("kill").success());
    let output = server.wait_with_output().expect("its end");
    assert!(output.status.success());
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    let entries: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let places: Vec<i64> = entries.iter().map(|entry| entry["seq"].as_i64().expect("a place")).collect();
    assert_eq!(places, (1..=i64::try_from(entries.len()).expect("few")).collect::<Vec<_>>());
    assert!(
        entries
            .iter()
            .any(|entry| entry["event"] == "fhir_base.added" && entry["agent"].as_str().is_some_and(|agent| agent.contains("uid ")))
    );
    let verified = admit(&["audit", "verify", "--json"]).output().expect("the program");
    assert!(verified.status.success());
    let found: Value = serde_json::from_slice(&verified.stdout).expect("JSON");
    assert_eq!((&found["last"], &found["broken"]), (&json!(entries.len()), &Value::Null));
}
