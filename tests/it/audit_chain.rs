//! The chain of the audit trail: sealed once and in order, whatever happens at the same time, and
//! broken by every change.

use admit::audit::chain::{Checkpoint, Sealed};
use admit::audit::{Entry, Origin};
use admit::clock::micros;
use admit::id::{TenantId, UserId};
use admit::jobs::seal;
use admit::key::Purpose;
use admit::keys::Schedule;
use admit::store::Location;
use admit::token::{Algorithm, Jwks, MAX_KEYS};
use serde_json::Value;
use time::Duration;

use crate::audit_command::{admit, ask};
use crate::support::TestApp;

/// Everything that waits, sealed.
async fn seal_all(app: &TestApp) {
    while app.store().seal_audit(&app.origin()).await.expect("sealed") > 0 {}
}

async fn chain(app: &TestApp) -> Vec<Sealed> {
    app.store().audit_page(&TenantId::default_tenant(), (0, ""), 100_000).await.expect("the chain")
}

async fn log_in(app: &TestApp, who: &str) {
    app.store().audit(&app.origin(), Entry::done("login").user(&UserId::new(who))).await.expect("written");
}

/// What `admit audit verify` finds: nothing, or the kind of break and its place.
async fn verdict(app: &TestApp, more: &[&str]) -> Option<(String, i64)> {
    let done = admit(app, &[&["audit", "verify", "--json"], more].concat()).await;
    let found: Value = serde_json::from_str(&done.out).unwrap_or_else(|error| panic!("{error}: {} {}", done.out, done.err));
    let broken = found["broken"].as_str().map(|kind| (kind.to_owned(), found["broken_at"].as_i64().expect("a place")));
    assert_eq!(done.code, Some(i32::from(broken.is_some())), "{} {}", done.out, done.err);
    broken
}

/// Whoever may change the tables of the database can also take its guards away.
async fn disarm(app: &TestApp) {
    let table = if matches!(app.location(), Location::Postgres(_)) { " on audit" } else { "" };
    for guard in ["audit_as_written", "audit_sealed_once", "audit_kept"] {
        app.sql(&format!("drop trigger {guard}{table}")).await;
    }
}

/// A chain of known length, with what broke it done to it.
async fn tampered(statements: &[&str]) -> TestApp {
    let app = TestApp::start().await;
    for number in 0..12 {
        log_in(&app, &format!("u{number}")).await;
    }
    seal_all(&app).await;
    assert_eq!(verdict(&app, &[]).await, None);
    disarm(&app).await;
    for statement in statements {
        app.sql(statement).await;
    }
    app
}

#[tokio::test]
async fn every_entry_is_sealed_once_and_an_idle_server_has_nothing_to_write() {
    let app = TestApp::start().await;
    log_in(&app, "u1").await;
    assert_eq!(app.store().audit_chain(&app.origin().tenant).await.expect("the chain").waiting, 1);
    seal_all(&app).await;
    let entries = chain(&app).await;
    assert!(entries.len() > 20, "the seed is in it");
    assert!(entries.iter().zip(1..).all(|(entry, seq)| entry.seq == seq));
    assert!(entries.windows(2).all(|pair| Some(&pair[1].previous) == pair[0].hash.as_ref()));
    let stands = app.store().audit_chain(&app.origin().tenant).await.expect("the chain");
    assert_eq!((stands.waiting, Some(&stands.hash)), (0, entries[entries.len() - 1].hash.as_ref()));
    assert_eq!(app.store().seal_audit(&app.origin()).await.expect("looked"), 0);
    assert_eq!(verdict(&app, &[]).await, None);
}

/// Two instances that seal and write at once: one chain, no place twice, nothing left out.
#[tokio::test]
async fn several_sealers_make_one_chain() {
    let app = TestApp::start().await;
    let other = app.another().await;
    for _ in 0..25 {
        let (here, there) = (app.origin(), other.origin());
        tokio::join!(
            log_in(&app, "here"),
            async {
                app.store().seal_audit(&here).await.expect("sealed");
            },
            log_in(&other, "there"),
            async {
                other.store().seal_audit(&there).await.expect("sealed");
            },
        );
    }
    seal_all(&app).await;
    let entries = chain(&app).await;
    for who in ["here", "there"] {
        assert_eq!(entries.iter().filter(|entry| entry.user.as_deref() == Some(who)).count(), 25);
    }
    assert_eq!(verdict(&app, &[]).await, None);
}

/// On PostgreSQL the order of ids is not that of commits: what comes late with a lower id is sealed when it is seen.
#[tokio::test]
async fn an_entry_that_comes_late_is_sealed_behind_those_before() {
    let app = TestApp::start().await;
    seal_all(&app).await;
    let before = chain(&app).await.len();
    let system = if matches!(app.location(), Location::Postgres(_)) { "overriding system value" } else { "" };
    app.sql(&format!(
        "insert into audit (audit_id, tenant_id, at_us, event, outcome) {system} values (-5, 'default', 1, 'login', 'success')"
    ))
    .await;
    log_in(&app, "later").await;
    seal_all(&app).await;
    let entries = chain(&app).await;
    assert_eq!(entries.len(), before + 2);
    assert_eq!((entries[before].at_us, entries[before].event.as_str()), (1, "login"));
    assert_eq!(verdict(&app, &[]).await, None);
}

/// AU-07: when the clock is put back, the chain says in which order things happened.
#[tokio::test]
async fn the_order_survives_a_step_of_the_clock() {
    let app = TestApp::start().await;
    app.advance(Duration::hours(3));
    log_in(&app, "first").await;
    app.advance(-Duration::hours(1));
    log_in(&app, "second").await;
    seal_all(&app).await;
    let entries = chain(&app).await;
    let last: Vec<(Option<&str>, i64)> = entries.iter().rev().take(2).map(|entry| (entry.user.as_deref(), entry.at_us)).collect();
    assert_eq!(last[0], (Some("second"), micros(app.clock.now())));
    assert_eq!(last[1], (Some("first"), micros(app.clock.now() + Duration::hours(1))));
    // Asked for by time, both are found: what lies within a day of the step is not passed over.
    let since = micros(app.clock.now() - Duration::hours(1));
    let (place, hash) = app.store().audit_place(&app.origin().tenant, since).await.expect("a place");
    assert_eq!((place, hash.len()), (last_seq(&entries) - 2, 43));
    assert_eq!(verdict(&app, &[]).await, None);
}

fn last_seq(entries: &[Sealed]) -> i64 {
    entries.last().expect("an entry").seq
}

/// AU-05: the application's own connection can neither change nor take away an entry.
#[tokio::test]
async fn the_database_refuses_to_change_or_delete_entries() {
    let app = TestApp::start().await;
    log_in(&app, "waits").await;
    for statement in ["update audit set outcome = 'refused' where seq is null", "delete from audit where seq is null"] {
        assert!(!tries(&app, statement).await, "{statement}");
    }
    seal_all(&app).await;
    for statement in [
        "update audit set detail = 'x' where seq = 3",
        "update audit set at_us = 0 where seq = 3",
        "update audit set seq = 4000 where seq = 3",
        "update audit set hash = 'x' where seq = 3",
        "update audit set seq = null, hash = null where seq = 3",
        "delete from audit where seq = 3",
        "delete from audit",
    ] {
        assert!(!tries(&app, statement).await, "{statement}");
    }
    if matches!(app.location(), Location::Postgres(_)) {
        assert!(!tries(&app, "truncate audit").await);
    }
    assert_eq!(verdict(&app, &[]).await, None);
}

/// Whether the database does this.
async fn tries(app: &TestApp, statement: &str) -> bool {
    use sqlx::Connection as _;
    let statement = sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned()));
    match app.location() {
        Location::Sqlite(path) => {
            let mut connection = sqlx::SqliteConnection::connect(&path.to_string_lossy()).await.expect("the database");
            statement.execute(&mut connection).await.is_ok()
        }
        Location::Postgres(url) => {
            let mut connection = sqlx::PgConnection::connect(url).await.expect("the database");
            statement.execute(&mut connection).await.is_ok()
        }
    }
}

#[tokio::test]
async fn a_changed_entry_is_found() {
    let app = tampered(&["update audit set detail = 'something else' where seq = 7"]).await;
    assert_eq!(verdict(&app, &[]).await, Some(("changed".to_owned(), 7)));
    let app = tampered(&["update audit set at_us = at_us + 1 where seq = 7"]).await;
    assert_eq!(verdict(&app, &[]).await, Some(("changed".to_owned(), 7)));
    let app = tampered(&["update audit set hash = 'x' where seq = 7"]).await;
    assert_eq!(verdict(&app, &[]).await, Some(("changed".to_owned(), 7)));
}

#[tokio::test]
async fn a_missing_entry_is_found() {
    let app = tampered(&["delete from audit where seq = 7"]).await;
    assert_eq!(verdict(&app, &[]).await, Some(("missing".to_owned(), 7)));
    let app = tampered(&["delete from audit where seq = 1"]).await;
    assert_eq!(verdict(&app, &[]).await, Some(("missing".to_owned(), 1)));
}

#[tokio::test]
async fn an_entry_that_was_put_in_is_found() {
    let app = tampered(&[
        "update audit set seq = -seq where seq >= 7",
        "update audit set seq = 1 - seq where seq < 0",
        "insert into audit (tenant_id, at_us, event, outcome, seq, hash) values ('default', 1, 'login', 'success', 7, 'x')",
        "update audit_chain set seq = seq + 1",
    ])
    .await;
    assert_eq!(verdict(&app, &[]).await, Some(("changed".to_owned(), 7)));
}

#[tokio::test]
async fn entries_that_changed_places_are_found() {
    let app = tampered(&[
        "update audit set seq = -8 where seq = 7",
        "update audit set seq = 7 where seq = 8",
        "update audit set seq = 8 where seq = -8",
    ])
    .await;
    assert_eq!(verdict(&app, &[]).await, Some(("changed".to_owned(), 7)));
}

/// A tail that is cut off shows by the chain's own row, and where that was set back as well, by a
/// checkpoint that was kept elsewhere.
#[tokio::test]
async fn a_tail_that_was_cut_off_is_found() {
    let app = TestApp::start().await;
    log_in(&app, "u").await;
    seal::work(&app.app).await.expect("sealed, and a checkpoint");
    let checkpoint = app.audit("audit.checkpoint").await[0].detail.clone().expect("the checkpoint");
    let signed = app.store().audit_chain(&app.origin().tenant).await.expect("the chain").checkpoint_seq;
    disarm(&app).await;
    let dir = tempfile::tempdir().expect("a temporary folder");
    let file = dir.path().join("checkpoints.txt");
    std::fs::write(&file, format!("{checkpoint}\n")).expect("written");
    let kept = ["--checkpoint", file.to_str().expect("a path")];
    assert_eq!(verdict(&app, &kept).await, None);

    app.sql(&format!("delete from audit where seq >= {}", signed - 1)).await;
    assert_eq!(verdict(&app, &[]).await, Some(("cut_off".to_owned(), signed - 1)));
    app.sql(&format!(
        "update audit_chain set seq = {0}, hash = (select hash from audit where seq = {0}), checkpoint_seq = 0, checkpoint_at = 0",
        signed - 2
    ))
    .await;
    assert_eq!(verdict(&app, &[]).await, Some(("cut_off".to_owned(), signed - 1)), "the database's own checkpoint");
    app.sql("delete from audit_checkpoint").await;
    assert_eq!(verdict(&app, &[]).await, None, "nothing in the database knows any more");
    assert_eq!(verdict(&app, &kept).await, Some(("cut_off".to_owned(), signed - 1)));
}

/// Who can write to the database can make all hashes anew, but sign nothing.
#[tokio::test]
async fn a_chain_that_was_written_anew_meets_its_checkpoint() {
    let app = TestApp::start().await;
    seal::work(&app.app).await.expect("sealed, and a checkpoint");
    disarm(&app).await;
    let mut previous = String::new();
    for mut entry in chain(&app).await {
        if entry.seq == 5 {
            entry.detail = Some("forged".to_owned());
        }
        entry.previous = previous;
        entry.hash = None;
        previous = entry.digest();
        let detail = if entry.seq == 5 { ", detail = 'forged'" } else { "" };
        app.sql(&format!("update audit set hash = '{previous}'{detail} where seq = {}", entry.seq)).await;
    }
    app.sql(&format!("update audit_chain set hash = '{previous}'")).await;
    let signed = app.store().audit_chain(&TenantId::default_tenant()).await.expect("the chain").checkpoint_seq;
    assert_eq!(verdict(&app, &[]).await, Some(("rewritten".to_owned(), signed)));
    app.sql(&format!("update audit_checkpoint set hash = '{previous}'")).await;
    assert_eq!(verdict(&app, &[]).await, Some(("forged_checkpoint".to_owned(), signed)));
}

/// Once a day and every 10,000 entries; the checkpoint's own entry does not call for the next one.
#[tokio::test]
async fn checkpoints_are_signed_when_they_are_due() {
    let app = TestApp::start().await;
    let count = async || app.store().audit_checkpoints(&TenantId::default_tenant(), 0).await.expect("checkpoints").len();
    let work = async || seal::work(&app.app).await.expect("worked");
    work().await;
    assert_eq!(count().await, 1);
    work().await;
    log_in(&app, "u").await;
    app.advance(Duration::hours(23));
    work().await;
    assert_eq!(count().await, 1, "not yet");
    app.advance(Duration::hours(1));
    work().await;
    assert_eq!(count().await, 2, "a day later");
    app.advance(Duration::days(30));
    work().await;
    work().await;
    assert_eq!(count().await, 2, "nothing but the last checkpoint's entry is new");
    app.sql(
        "insert into audit (tenant_id, at_us, event, outcome)
         with recursive n (i) as (select 1 union all select i + 1 from n where i < 10000)
         select 'default', i, 'login', 'success' from n",
    )
    .await;
    log_in(&app, "u").await;
    app.advance(-Duration::days(30));
    work().await;
    assert_eq!(count().await, 3, "10,000 entries later");
    let latest = &app.store().audit_checkpoints(&TenantId::default_tenant(), 0).await.expect("checkpoints")[2];
    let keys = app.store().audit_keys(&TenantId::default_tenant()).await.expect("keys");
    let keys: Vec<&str> = keys.iter().map(|key| key.public_jwk.as_str()).collect();
    let keys = Jwks::parse(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes()).expect("a key set");
    let told = Checkpoint::read(&latest.jws, &keys).expect("signed by an audit key");
    assert_eq!((told.seq, &told.hash, told.iat), (latest.seq, &latest.hash, app.clock.now().unix_timestamp()));
    // Whoever verifies tokens knows nothing of this key.
    let published = app.get("/.well-known/jwks.json").await.body;
    for kid in keys.kids() {
        assert!(!published.contains(kid));
    }
    assert_eq!(verdict(&app, &[]).await, None);
    let from = told.seq.to_string();
    assert_eq!(verdict(&app, &["--from", &from]).await, None, "from a checkpoint on");
}

/// What is older than the retention goes, up to a checkpoint; what is left is verified from there.
#[tokio::test]
async fn a_purged_trail_begins_at_a_checkpoint() {
    let app = TestApp::start().await;
    app.advance(-Duration::days(20 * 365)); // the command goes by the machine's clock
    let purge = async |app: &TestApp| {
        let before = app.clock.now() - app.app.audit.retention();
        app.store().purge_audit(&app.origin(), before).await.expect("purged")
    };
    seal::work(&app.app).await.expect("sealed");
    let signed = app.store().audit_chain(&TenantId::default_tenant()).await.expect("the chain").checkpoint_seq;
    assert_eq!(purge(&app).await, 0, "nothing is old");
    app.advance(Duration::days(6 * 365));
    log_in(&app, "young").await;
    seal::work(&app.app).await.expect("sealed");
    assert_eq!(purge(&app).await, 0, "not quite six years");
    app.advance(Duration::days(7));
    let gone = purge(&app).await;
    assert_eq!(i64::try_from(gone), Ok(signed));
    seal_all(&app).await;
    let stands = app.store().audit_chain(&TenantId::default_tenant()).await.expect("the chain");
    assert_eq!(stands.start_seq, signed);
    let entries =
        app.store().audit_page(&TenantId::default_tenant(), (stands.start_seq, &stands.start_hash), 1000).await.expect("the chain");
    assert_eq!(entries[0].seq, signed + 1);
    assert!(entries.iter().any(|entry| entry.event == "audit.purged"));
    assert_eq!(verdict(&app, &[]).await, None);
    assert_eq!(purge(&app).await, 0);
    // The new beginning is vouched for by a signature.
    disarm(&app).await;
    app.sql("update audit_chain set start_hash = 'x'").await;
    app.sql("update audit_checkpoint set hash = 'x' where seq = (select start_seq from audit_chain)").await;
    assert_eq!(verdict(&app, &[]).await, Some(("forged_checkpoint".to_owned(), signed)));
}

/// Whoever cuts the beginning off at a checkpoint makes it look as the purge leaves it, but for the time.
#[tokio::test]
async fn a_beginning_that_went_before_its_time_is_missed() {
    let app = tampered(&[]).await;
    seal::work(&app.app).await.expect("sealed");
    let signed = app.store().audit_chain(&TenantId::default_tenant()).await.expect("the chain").checkpoint_seq;
    app.sql("update audit_chain set start_seq = checkpoint_seq, start_hash = (select hash from audit where seq = checkpoint_seq)").await;
    app.sql("delete from audit where seq <= (select start_seq from audit_chain)").await;
    assert_eq!(verdict(&app, &[]).await, Some(("missing".to_owned(), signed)));
    assert_eq!(verdict(&app, &["--from", &signed.to_string()]).await, Some(("missing".to_owned(), signed)));
}

/// The keys of checkpoints are kept for good, and may be more than one key set can have.
#[tokio::test]
async fn a_chain_is_verified_however_many_keys_have_signed() {
    let app = TestApp::start().await;
    seal::work(&app.app).await.expect("sealed");
    for _ in 0..MAX_KEYS {
        app.app.keys.rotate(app.store(), &app.origin(), (Purpose::Audit, Algorithm::Es256), app.clock.now()).await.expect("a key");
        app.advance(Duration::days(2));
        app.app.keys.keep_up(app.store(), &app.origin(), Schedule::NEVER).await.expect("the one before is retired");
    }
    seal::work(&app.app).await.expect("sealed");
    let tenant = TenantId::default_tenant();
    assert!(app.store().audit_keys(&tenant).await.expect("keys").len() > MAX_KEYS);
    assert_eq!(app.store().audit_checkpoints(&tenant, 0).await.expect("checkpoints").len(), 2);
    assert_eq!(verdict(&app, &[]).await, None);
}

/// Whoever got hold of an audit key can sign checkpoints: what it signed is no proof any more, and the reader is told.
#[tokio::test]
async fn checkpoints_of_a_revoked_key_are_told_apart() {
    let app = TestApp::start().await;
    let doubtful = async || {
        let done = admit(&app, &["audit", "verify", "--json"]).await;
        let found: Value = serde_json::from_str(&done.out).expect("JSON");
        (found["checkpoints_by_revoked_keys"].as_u64(), done.err.contains("was revoked since"))
    };
    seal::work(&app.app).await.expect("sealed");
    assert_eq!(doubtful().await, (Some(0), false));
    let keys = app.store().published_keys(&TenantId::default_tenant(), app.clock.now()).await.expect("keys");
    let leaked = keys.into_iter().find(|key| key.purpose == Purpose::Audit).expect("an audit key");
    app.app.keys.revoke(app.store(), &app.origin(), &leaked).await.expect("revoked");
    assert_eq!(doubtful().await, (Some(1), true));
    // A checkpoint by the next key is as good as ever, and the chain is whole.
    log_in(&app, "u").await;
    app.advance(Duration::days(2));
    seal::work(&app.app).await.expect("sealed");
    assert_eq!(app.store().audit_checkpoints(&TenantId::default_tenant(), 0).await.expect("checkpoints").len(), 2);
    assert_eq!(doubtful().await, (Some(1), true));
    assert_eq!(verdict(&app, &[]).await, None);
}

/// AU-05: no setting keeps less than six years, and none switches the trail off.
#[tokio::test]
async fn no_setting_shortens_the_trail() {
    let app = TestApp::start().await;
    for years in ["0", "5", "-1", "101"] {
        let done = admit(&app, &["serve", "--audit-retention-years", years]).await;
        assert_eq!(done.code, Some(2), "{years}: {}", done.err);
    }
    for sink in ["none", "off", "http://collector.test/v1/logs", "stdout,stdout"] {
        let done = admit(&app, &["serve", "--audit-log", sink]).await;
        assert_eq!(done.code, Some(2), "{sink}: {}", done.err);
    }
}

/// AU-01: how many good tokens were introspected is written down, by who asked; what was refused has its entry anyway.
#[tokio::test]
async fn introspections_are_counted() {
    let app = TestApp::start().await;
    let reply = app.token("bsc", &[("grant_type", "client_credentials"), ("scope", "system/Patient.rs")]).await.json();
    for _ in 0..3 {
        assert_eq!(app.introspect(reply["access_token"].as_str().expect("a token")).await["active"], true);
    }
    app.introspect("nonsense").await;
    assert_eq!(app.audit("token.introspected").await.len(), 0);
    for _ in 0..2 {
        admit::jobs::tally::write_down(&app.app).await.expect("written");
    }
    let rows = app.audit("token.introspected").await;
    assert_eq!(rows.len(), 1, "once");
    assert_eq!((rows[0].client_id.as_deref(), rows[0].detail.as_deref()), (Some("rs"), Some("3 good tokens")));
}

/// An export can be verified by whoever knows the form: here by the words of the documents alone.
#[tokio::test]
async fn an_export_is_verified_without_us() {
    let app = TestApp::start().await;
    let tricky = "Ängla \"x\" \\ \u{7f}\u{9b} \u{1f600} \n\t\u{1}";
    app.store().audit(&app.origin(), Entry::done("login").detail(tricky)).await.expect("written");
    let export = ask(&app, &["audit", "export", "--format", "jsonl"]).await;
    let verify = |export: &str| {
        let mut previous = String::new();
        for (line, number) in export.lines().zip(1..) {
            let Ok(Value::Object(mut entry)) = serde_json::from_str(line) else { return Err(number) };
            let hash = entry.remove("hash").and_then(|hash| hash.as_str().map(str::to_owned));
            // `serde_json` sorts the names of a map, as RFC 8785 does.
            let canonical = Value::Object(entry.clone()).to_string();
            let digest = admit::secret::Digest::of(&canonical).as_str().to_owned();
            if entry["seq"] != number || entry["previous"] != previous.as_str() || hash.as_ref() != Some(&digest) {
                return Err(number);
            }
            previous = digest;
        }
        Ok(export.lines().count())
    };
    let length = chain(&app).await.len();
    assert_eq!(verify(&export), Ok(length));
    assert_eq!(verify(&export.replacen("u-dr.a", "u-dr.b", 1)).map_err(|at: i64| at > 1), Err(true));
    let told: Value = serde_json::from_str(export.lines().rfind(|line| line.contains("Ängla")).expect("its line")).expect("JSON");
    assert_eq!(told["detail"], tricky);

    // The script of the documents, where there is a Python.
    let docs = include_str!("../../docs/audit.md");
    let script = docs.split("```python\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the script");
    let dir = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(dir.path().join("verify.py"), script).expect("written");
    for (text, is_whole) in [(export.clone(), true), (export.replacen("u-dr.a", "u-dr.b", 1), false)] {
        std::fs::write(dir.path().join("audit.jsonl"), text).expect("written");
        let run = std::process::Command::new("python3").args(["verify.py", "audit.jsonl"]).current_dir(dir.path()).output();
        let Ok(run) = run else { return };
        assert_eq!(run.status.success(), is_whole, "{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    }
}

/// AU-01: who at the terminal gave a command.
#[tokio::test]
async fn an_entry_names_who_gave_the_command() {
    let app = TestApp::start().await;
    app.store().audit(&Origin::by(app.origin(), "alice (uid 1000)".to_owned()), Entry::done("user.disabled")).await.expect("written");
    let row = &app.audit("user.disabled").await[0];
    assert_eq!(row.agent.as_deref(), Some("alice (uid 1000)"));
}
