//! `admit audit`, on the database of a test.

use std::process::Stdio;

use admit::audit::Entry;
use admit::id::{ClientId, PatientId, UserId};
use admit::store::Location;
use serde_json::Value;
use time::Duration;

use crate::support::TestApp;

/// What a command came to.
pub struct Done {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Runs the program on this server's database. Its clock is the machine's.
pub async fn admit(app: &TestApp, args: &[&str]) -> Done {
    let database = match app.location() {
        Location::Sqlite(path) => path.display().to_string(),
        Location::Postgres(url) => url.clone(),
    };
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_admit"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ADMIT_")) {
        command.env_remove(name);
    }
    command.env("USER", "synthetic").env_remove("SUDO_USER").args(["--database", &database]).args(args);
    let output = command.stdin(Stdio::null()).output().expect("the program");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Done { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// A command that has to succeed, and what it printed.
pub async fn ask(app: &TestApp, args: &[&str]) -> String {
    let done = admit(app, args).await;
    assert_eq!(done.code, Some(0), "{args:?}: {}", done.err);
    done.out
}

async fn list(app: &TestApp, args: &[&str]) -> Vec<Value> {
    let out = ask(app, &[&["audit", "list", "--json"], args].concat()).await;
    serde_json::from_str::<Vec<Value>>(&out).expect("JSON")
}

/// What they are, but for the looking itself, which the machine's clock has put somewhere among them.
fn events(entries: &[Value]) -> Vec<&str> {
    let events = entries.iter().map(|entry| entry["event"].as_str().expect("an event"));
    events.filter(|event| *event != "admin.read").collect()
}

#[tokio::test]
async fn entries_are_found_by_what_they_are_about() {
    let app = TestApp::start().await;
    let entry = |event| Entry::done(event).user(&UserId::new("u-dr.a"));
    for (event, client, patient) in [
        ("login", None, None),
        ("patient.selected", Some("spa"), Some("p1")),
        ("code.issued", Some("spa"), Some("p1")),
        ("logout", None, None),
    ] {
        let mut entry = entry(event);
        if let Some(client) = client {
            entry = entry.client(&ClientId::new(client));
        }
        if let Some(patient) = patient {
            entry = entry.patient(&PatientId::new(patient));
        }
        app.advance(Duration::hours(1));
        app.store().audit(&app.origin(), entry).await.expect("written");
    }
    let all = list(&app, &["--user", "dr.a"]).await;
    assert_eq!(events(&all), ["logout", "code.issued", "patient.selected", "login", "user.created"]);
    assert_eq!(list(&app, &["--user", "dr.a", "--limit", "2"]).await.len(), 2);
    assert_eq!(events(&list(&app, &["--patient", "p1"]).await), ["code.issued", "patient.selected"]);
    assert_eq!(events(&list(&app, &["--client", "spa", "--event", "code.issued"]).await), ["code.issued"]);
    assert_eq!(events(&list(&app, &["--event", "logout"]).await), ["logout"]);
    let between = ["--since", "2026-11-22T13:30:00Z", "--until", "2026-11-22T14:30:00Z", "--user", "u-dr.a", "--event", "patient.selected"];
    let found = list(&app, &between).await;
    assert_eq!(events(&found), ["patient.selected"]);
    assert_eq!(found[0]["at"], "2026-11-22T14:00:00.000000Z");
    assert!(found[0]["seq"].is_i64() && found[0]["hash"].as_str().is_some_and(|hash| hash.len() == 43));
    assert_eq!(list(&app, &["--user", "nobody"]).await.len(), 1, "the reading itself");
    assert_eq!(list(&app, &["--event", "no.such"]).await.len(), 0);
}

/// AU-01: what an administrator looks at is written down before it is shown, with who looked.
#[tokio::test]
async fn what_an_administrator_reads_leaves_an_entry() {
    let app = TestApp::start().await;
    let commands: [(&[&str], &str); 8] = [
        (&["user", "list"], "user list"),
        (&["user", "show", "dr.a"], "user show"),
        (&["client", "list"], "client list"),
        (&["client", "show", "spa"], "client show"),
        (&["patient", "list", "--fhir-base", "one"], "patient list"),
        (&["grant", "list", "--patient", "p1"], "grant list"),
        (&["audit", "list", "--limit", "1"], "audit list"),
        (&["audit", "export", "--format", "jsonl"], "audit export"),
    ];
    for (command, _) in commands {
        ask(&app, command).await;
    }
    let mut rows = app.audit("admin.read").await;
    rows.reverse();
    assert_eq!(rows.iter().map(|row| row.detail.as_deref().expect("what")).collect::<Vec<_>>(), commands.map(|(_, what)| what));
    assert!(rows.iter().all(|row| row.agent.as_deref().is_some_and(|agent| agent.starts_with("synthetic (uid "))), "{rows:?}");
    let about = |at: usize| (rows[at].user_id.as_deref(), rows[at].client_id.as_deref(), rows[at].patient_id.as_deref());
    assert_eq!([about(1), about(3), about(5)], [(Some("u-dr.a"), None, None), (None, Some("spa"), None), (None, None, Some("p1"))]);
}

#[tokio::test]
async fn an_export_begins_where_it_is_told_to() {
    let app = TestApp::start().await;
    app.advance(Duration::hours(2));
    app.store().audit(&app.origin(), Entry::done("logout")).await.expect("written");
    let lines = ask(&app, &["audit", "export", "--format", "jsonl", "--since", "2026-11-22T13:30:00Z"]).await;
    let first: Value = serde_json::from_str(lines.lines().next().expect("a line")).expect("JSON");
    assert_eq!(first["event"], "logout");
    assert!(first["previous"].as_str().is_some_and(|hash| hash.len() == 43));
    assert_eq!(ask(&app, &["audit", "export", "--format", "fhir", "--since", "2100-01-01"]).await, "");
}

/// AU-01: the table in the documents names every event that the program writes, and no other.
#[test]
fn every_event_is_in_the_documents() {
    let docs = include_str!("../../docs/audit.md");
    let table = docs.split("## Events").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("the table");
    let mut told: Vec<&str> = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let count = told.len();
    told.sort_unstable();
    told.dedup();
    assert_eq!(told.len(), count, "an event stands there twice");

    let mut written: Vec<String> = vec![];
    for (file, text) in crate::architecture::sources() {
        for call in ["Entry::done(", "Entry::refused(", "record_token(", "const EVENT: &str = ", "const FOUND: &str = "] {
            for (at, _) in text.match_indices(call) {
                let arguments = text[at + call.len()..].split([';', '{']).next().unwrap_or_default();
                match arguments.split('"').nth(1) {
                    Some(event) if call != "record_token(" || !arguments.contains("&'static") => written.push(event.to_owned()),
                    // What is named elsewhere: in the constants above, or by the caller of these functions.
                    _ => assert!(
                        ["audit/", "authorize/emergency.rs", "authorize/patient.rs", "store/grant.rs"]
                            .iter()
                            .any(|own| file.starts_with(own)),
                        "src/{file} names an event that this test cannot read: {call}{arguments}"
                    ),
                }
            }
        }
    }
    written.sort_unstable();
    written.dedup();
    assert_eq!(told, written);
}
