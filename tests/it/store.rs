//! The database from the outside: opening, closing, what it forgets, what it does not accept.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use admit::audit::Origin;
use admit::id::TenantId;
use admit::store::{Error, Location, Store};
use futures_util::future::join_all;
use time::Duration;

use crate::support::{Database, Log, TestApp, VERIFIER, fresh};

const SPA: &str = "https://app.test/cb";

fn sqlite() -> Database {
    Database::sqlite_in(tempfile::tempdir().expect("a temporary folder"))
}

fn now() -> time::OffsetDateTime {
    time::macros::datetime!(2026-11-22 12:00 UTC)
}

/// KF-12: several instances start at once on an empty database.
#[tokio::test]
async fn many_may_open_a_new_database_at_once() {
    for database in [fresh().await, sqlite()] {
        let opened = join_all((0..12).map(|_| Store::open(&database.location, now()))).await;
        for store in opened {
            let store = store.expect("it opens");
            store.ping().await.expect("its tables are there");
            store.close().await;
        }
        // Once more, and nothing is done twice.
        database.open(now()).await.close().await;
    }
}

/// KF-12
#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_and_left_alone() {
    for database in [fresh().await, sqlite()] {
        database.open(now()).await.close().await;
        database
            .sql(
                "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
                 select 9999, 'from the future', success, checksum, execution_time from _sqlx_migrations where version = 1",
            )
            .await;
        let refused = Store::open(&database.location, now()).await.err().expect("it is refused").to_string();
        assert!(refused.contains("newer version of Admit") && refused.contains("9999"), "{refused}");
        database.sql("delete from _sqlx_migrations where version = 9999").await;
        database.open(now()).await.close().await;
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("letter.txt");
    let text = "Dear colleague, this is not a database.\n".repeat(100);
    std::fs::write(&path, &text).expect("written");
    let refused = Store::open(&Location::Sqlite(path.clone()), now()).await.err().expect("it is refused").to_string();
    assert!(refused.contains("letter.txt") && refused.contains("not a database"), "{refused}");
    assert_eq!(std::fs::read_to_string(&path).expect("read"), text);

    let nowhere = Location::Sqlite(path.join("below/a/file.db"));
    let refused = Store::open(&nowhere, now()).await.err().expect("it is refused").to_string();
    assert!(refused.contains("cannot be created"), "{refused}");
}

#[tokio::test]
async fn an_error_about_postgres_never_repeats_the_url() {
    for url in
        ["postgres://admit:secret-word@127.0.0.1:1/x", "postgres://admit:secret-word@/x?sslmode=nonsense", "postgres://:secret-word@:x"]
    {
        let refused = Store::open(&url.parse::<Location>().expect("a location"), now()).await.err().expect("it is refused");
        assert!(!format!("{refused} {refused:?}").contains("secret-word"), "{refused}");
    }
}

#[tokio::test]
async fn the_files_belong_to_their_owner_alone() {
    let database = sqlite();
    let store = database.open(now()).await;
    let Location::Sqlite(path) = &database.location else { unreachable!("this is SQLite") };
    let mode = |path: &Path| std::fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    for end in ["", "-wal", "-shm"] {
        assert_eq!(mode(Path::new(&format!("{}{end}", path.display()))), 0o600, "{end}");
    }
    store.close().await;
}

/// An orderly stop leaves one file, which can be copied; nothing that was acknowledged is missing.
#[tokio::test]
async fn a_closed_database_is_one_file() {
    let database = sqlite();
    let Location::Sqlite(path) = &database.location else { unreachable!("this is SQLite") };
    let store = database.open(now()).await;
    let origin = Origin::command(TenantId::default_tenant(), now());
    let entries = join_all((0..50).map(|_| store.audit(&origin, admit::audit::Entry::done("test")))).await;
    assert!(entries.iter().all(Result::is_ok));
    store.close().await;
    let left: Vec<_> =
        std::fs::read_dir(path.parent().expect("a folder")).expect("read").map(|entry| entry.expect("a file").path()).collect();
    assert_eq!(left, std::slice::from_ref(path));
    assert!(matches!(store.audit(&origin, admit::audit::Entry::done("late")).await, Err(Error::Unavailable(_))));
    store.close().await;

    let again = database.open(now()).await;
    assert_eq!(again.audit_tail(&origin, 100).await.expect("the audit trail").len(), 50);
    again.close().await;
}

/// A row that we did not write like that: the log says which, the caller learns nothing.
#[tokio::test]
async fn a_corrupt_row_is_named_in_the_log_and_told_to_nobody() {
    let app = TestApp::start().await;
    let landing = app.browser().launch("spa", SPA, "openid launch/patient offline_access patient/*.rs", "dr.a", Some("p2")).await;
    let code = [("grant_type", "authorization_code"), ("code", &landing.code()), ("redirect_uri", SPA), ("code_verifier", VERIFIER)];
    let tokens = app.token("spa", &code).await.json();
    let refresh = tokens["refresh_token"].as_str().expect("a token").to_owned();
    let marker = "hand-made-nonsense";
    for (table, column, id, key) in [
        ("client", "redirect_uris", "client_id", "spa"),
        ("client", "grant_types", "client_id", "spa"),
        ("client", "auth_method", "client_id", "spa"),
        ("client", "id_token_alg", "client_id", "spa"),
        ("fhir_base", "strategy", "name", "one"),
        ("fhir_base", "public_urls", "name", "one"),
        ("fhir_base", "access_token_alg", "name", "one"),
        ("access_grant", "refresh", "client_id", "spa"),
    ] {
        app.sql(&format!("alter table {table} add column kept text")).await;
        app.sql(&format!("update {table} set kept = {column}, {column} = '{marker}' where {id} = '{key}'")).await;
        // FHIR bases are looked at once a second.
        app.advance(Duration::seconds(1));
        let log = Log::listen();
        let reply = app.token("spa", &[("grant_type", "refresh_token"), ("refresh_token", &refresh)]).await;
        reply.assert_token_error(500, "server_error");
        let errors = log.lines_with("\"level\":\"ERROR\"");
        assert_eq!(errors.len(), 1, "{column}: {}", log.text());
        assert!(errors[0].contains(&format!("{table}.{column}")), "{}", errors[0]);
        for inside in [marker, table, column] {
            assert!(!reply.body.contains(inside), "{}", reply.body);
        }
        drop(log);
        app.sql(&format!("update {table} set {column} = kept where {id} = '{key}'")).await;
        app.sql(&format!("alter table {table} drop column kept")).await;
    }
    app.advance(Duration::seconds(1));
    // Everything as before: nothing was changed by the failures.
    let reply = app.token("spa", &[("grant_type", "refresh_token"), ("refresh_token", &refresh)]).await;
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.body);
}

/// The same for a person's browser.
#[tokio::test]
async fn a_corrupt_row_is_a_page_without_particulars() {
    let app = TestApp::start().await;
    app.sql("update user_account set fhir_user = 'hand-made-nonsense' where username = 'dr.a'").await;
    let mut browser = app.browser();
    let challenge = crate::support::challenge(VERIFIER);
    let page = browser.authorize(&crate::support::request("spa", SPA, "openid", &challenge)).await;
    let log = Log::listen();
    let landing = browser.log_in(&page, "dr.a").await;
    landing.reply.assert_page(500, None);
    for inside in ["hand-made-nonsense", "user_account", "fhir_user"] {
        assert!(!landing.reply.body.contains(inside), "{}", landing.reply.body);
    }
    assert_eq!(log.lines_with("user_account.fhir_user").len(), 1, "{}", log.text());
}

#[tokio::test]
async fn of_all_instances_one_does_a_job_each_time_it_is_due() {
    let database = fresh().await;
    let stores = [database.open(now()).await, database.open(now()).await];
    for (minutes, due) in [(0, 1), (59, 0), (60, 1), (61, 0)] {
        let origin = Origin::command(TenantId::default_tenant(), now() + Duration::minutes(minutes));
        let claims = stores.iter().cycle().take(32).map(|store| store.claim_job(&origin, "purge", Duration::hours(1)));
        let claimed = join_all(claims).await.into_iter().filter(|claimed| *claimed.as_ref().expect("an answer")).count();
        assert_eq!(claimed, due, "{minutes} minutes later");
    }
}
