//! `admit db`.

use serde_json::json;
use sqlx::Connection as _;

use super::{Admin, names};

/// A folder with an installation that has something in every corner a command line can fill.
fn furnished() -> Admin {
    let admin = Admin::with_base();
    admin.create_app("app");
    admin.create_user("dr", &["--fhir-user", "Practitioner/example"]);
    admin
}

fn sql(admin: &Admin, file: &str, statement: &'static str) {
    let path = admin.0.path().join(file);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut connection = sqlx::SqliteConnection::connect(&path.to_string_lossy()).await.expect("the file");
        sqlx::raw_sql(statement).execute(&mut connection).await.expect("the statement");
        connection.close().await.expect("closed");
    });
}

/// A database of its own in the PostgreSQL of this run; with SQLite alone, another file.
fn elsewhere() -> String {
    let Some(url) = std::env::var("TEST_DATABASE_URL").ok().filter(|url| !url.is_empty()) else { return "elsewhere.db".to_owned() };
    let name = format!("copy{}", admit::secret::unique_id(time::OffsetDateTime::UNIX_EPOCH).replace('-', ""));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut connection = sqlx::PgConnection::connect(&url).await.expect("PostgreSQL");
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("create database {name}"))).execute(&mut connection).await.expect("a database");
    });
    let (server, _) = url.rsplit_once('/').expect("a database in the URL");
    format!("{server}/{name}")
}

#[test]
fn an_installation_moves_to_another_database_and_back() {
    let admin = furnished();
    let there = elsewhere();
    let over = admin.json(&["db", "copy", "--to", &there]);
    let counted =
        |table: &str| over.as_array().expect("tables").iter().find(|copied| copied["table"] == table).map(|copied| &copied["rows"]);
    assert_eq!((counted("client"), counted("user_account"), counted("job")), (Some(&json!(1)), Some(&json!(1)), Some(&json!(0))));
    let back = admin.json(&["db", "copy", "--from", &there, "--to", "back.db"]);
    // Each copy is in the trail of what it was taken from, and so in the copy as well.
    let apart = |copied: &serde_json::Value| {
        copied.as_array().expect("tables").iter().filter(|of| of["table"] != "audit").cloned().collect::<Vec<_>>()
    };
    assert_eq!(apart(&over), apart(&back), "the same rows, and the same digests");
    let copies = |database: &str| {
        let read = admin.json(&["--database", database, "audit", "list", "--event", "admin.read"]);
        read.as_array().expect("entries").iter().filter(|entry| entry["detail"] == "db copy").count()
    };
    assert_eq!((copies("test.db"), copies(&there), copies("back.db")), (1, 2, 2));

    for database in [there.as_str(), "back.db"] {
        assert_eq!(names(&admin.json(&["--database", database, "client", "list"]), "client_id"), ["app"]);
        // Its keys open with the master key of before, and with no other.
        let keys = ["--database", database, "--master-key-file", "test.key", "key", "rotate", "--after", "6m"];
        assert!(admin.json(&keys).as_array().is_some_and(|made| !made.is_empty()));
        // A second copy would mix two installations.
        assert!(admin.fails(4, &["db", "copy", "--to", database]).contains("not empty"));
    }
}

#[test]
fn a_copy_says_what_is_in_its_way() {
    let admin = furnished();
    assert!(admin.fails(5, &["db", "copy", "--from", "nowhere.db", "--to", "new.db"]).contains("nowhere.db"));
    assert!(admin.fails(4, &["db", "copy", "--to", "test.db", "--while-running"]).contains("not empty"));
    let lock = admit::store::InstanceLock::take(&admit::store::Location::Sqlite(admin.0.path().join("test.db"))).expect("a server");
    let refused = admin.fails(5, &["db", "copy", "--to", "new.db"]);
    assert!(refused.contains("in use") && refused.contains("--while-running"), "{refused}");
    assert!(!admin.0.path().join("new.db").exists());
    assert!(admin.json(&["db", "copy", "--to", "new.db", "--while-running"]).is_array());
    drop(lock);
    let _lock = admit::store::InstanceLock::take(&admit::store::Location::Sqlite(admin.0.path().join("other.db"))).expect("a server");
    assert!(admin.fails(5, &["db", "copy", "--to", "other.db", "--while-running"]).contains("in use"));
    sql(&admin, "test.db", "delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)");
    assert!(admin.fails(5, &["db", "copy", "--to", "late.db"]).contains("admit db migrate"));
}

#[test]
fn the_status_says_what_there_is_and_changes_nothing() {
    let admin = furnished();
    let status = admin.json(&["db", "status"]);
    assert!(status["engine"].as_str().is_some_and(|engine| engine.starts_with("SQLite 3.")), "{status}");
    let newest = admit::store::Schema::newest();
    assert_eq!((&status["schema_version"], &status["newest_version"], &status["pending"]), (&json!(newest), &json!(newest), &json!([])));
    assert_eq!((&status["journal_mode"], &status["in_use"], &status["rows"]["client"]), (&json!("wal"), &json!(null), &json!(1)));
    // What was written last is still in the journal.
    assert!(status["bytes"].as_u64().zip(status["wal_bytes"].as_u64()).is_some_and(|(file, wal)| file + wal > 100_000), "{status}");
    let _lock = admit::store::InstanceLock::take(&admit::store::Location::Sqlite(admin.0.path().join("test.db"))).expect("a server");
    let in_use = admin.json(&["db", "status"])["in_use"].to_string();
    assert!(in_use.contains(&format!("process {}", std::process::id())), "{in_use}");
    assert!(admin.fails(5, &["--database", "nowhere.db", "db", "status"]).contains("nowhere.db"));
    assert!(!admin.0.path().join("nowhere.db").exists());

    let there = elsewhere();
    if there.starts_with("postgres") {
        let new = admin.json(&["--database", &there, "db", "status"]);
        assert_eq!((&new["schema_version"], &new["rows"]), (&json!(0), &json!({})));
        admin.json(&["--database", &there, "fhir-base", "add", "main", "--url", "https://fhir.test/r4", "--master-key-file", "test.key"]);
        let status = admin.json(&["--database", &there, "db", "status"]);
        assert_eq!((&status["schema_version"], &status["connections_of_others"]), (&json!(newest), &json!(0)));
        assert!(status["rows"].as_object().is_some_and(|rows| rows.contains_key("client")), "{status}");
    }
}

#[test]
fn an_upgrade_is_shown_before_it_is_done() {
    let admin = furnished();
    let newest = admit::store::Schema::newest();
    // The job table is the eighth migration, and nothing was in it.
    sql(&admin, "test.db", "drop table job; delete from _sqlx_migrations where version = 8");
    let shown = admin.json(&["db", "migrate", "--dry-run"]);
    assert_eq!(shown, json!({ "from": newest, "to": newest, "pending": [8] }));
    assert_eq!(admin.json(&["db", "status"])["pending"], json!([8]));
    let lock = admit::store::InstanceLock::take(&admit::store::Location::Sqlite(admin.0.path().join("test.db"))).expect("a server");
    assert!(admin.fails(5, &["db", "migrate"]).contains("in use"));
    drop(lock);
    assert_eq!(admin.json(&["db", "migrate"])["applied"], json!([8]));
    assert_eq!(admin.json(&["db", "migrate"])["applied"], json!([]));
    let backup = admin.json(&["db", "status"])["last_upgrade_backup"].to_string();
    assert!(backup.contains("test.db.before-"), "{backup}");

    sql(
        &admin,
        "test.db",
        "insert into _sqlx_migrations select 9999, 'future', installed_on, success, checksum, 0 from _sqlx_migrations where version = 1",
    );
    for command in [&["db", "migrate"][..], &["db", "migrate", "--dry-run"], &["db", "check"], &["db", "copy", "--to", "new.db"]] {
        assert!(admin.fails(5, command).contains("newer version of Admit"), "{command:?}");
    }
    assert_eq!(admin.json(&["db", "status"])["unknown"], json!([9999]));
}

#[test]
fn a_check_finds_what_is_wrong() {
    let admin = furnished();
    assert_eq!(admin.json(&["db", "check"]), json!([]));
    let quiet = admin.run(&["db", "check"]);
    assert_eq!((quiet.code, quiet.out.as_str()), (Some(0), ""), "{}", quiet.err);
    sql(
        &admin,
        "test.db",
        "pragma foreign_keys = off;
         insert into client_origin (tenant_id, origin, client_id) values ('default', 'https://x.test', 'gone');
         update client set redirect_uris = 'nonsense', verified_at = 9999999999999;
         update user_account set display_name = 'A' || char(0), created_at = 'long ago';
         update fhir_base set strategy = 'GUESSING';
         update signing_key set sealed = 'v1.AAAA'",
    );
    let done = admin.run(&["db", "check", "--json"]);
    assert_eq!(done.code, Some(1), "{}", done.err);
    let found: serde_json::Value = serde_json::from_str(&done.out).expect("JSON");
    let mut places = names(&found, "place");
    places.sort();
    let expected = [
        "client.redirect_uris",
        "client.verified_at",
        "client_origin",
        "fhir_base.strategy",
        "signing_key.sealed",
        "user_account.created_at",
        "user_account.display_name",
    ];
    assert_eq!(places, expected, "{found}");
    // Without the key, the rest is still looked at.
    std::fs::remove_file(admin.0.path().join("test.key")).expect("the master key");
    let done = admin.run(&["db", "check", "--json"]);
    assert!(done.code == Some(1) && done.err.contains("not looked at: the signing keys"), "{}", done.err);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&done.out).expect("JSON").as_array().map(Vec::len), Some(6));
}

/// Pages that were overwritten.
#[test]
fn a_check_finds_what_the_disk_has_done() {
    use std::os::unix::fs::FileExt as _;
    let admin = furnished();
    sql(&admin, "test.db", "pragma wal_checkpoint(truncate)");
    let file = std::fs::File::options().write(true).open(admin.0.path().join("test.db")).expect("the file");
    // In the middle, where tables and indexes are.
    let middle = file.metadata().expect("a size").len() / 8192 * 4096;
    file.write_all_at(&[0x5a; 4 * 4096], middle).expect("overwritten");
    let done = admin.run(&["db", "check"]);
    assert_ne!(done.code, Some(0), "{}{}", done.out, done.err);
}

#[test]
fn a_check_of_postgres_finds_the_same() {
    let there = elsewhere();
    if !there.starts_with("postgres") {
        return; // the others are about files
    }
    let admin = furnished();
    admin.json(&["db", "copy", "--to", &there]);
    let key = ["--database", &there, "--master-key-file", "test.key"];
    assert_eq!(admin.json(&[&key[..], &["db", "check"]].concat()), json!([]));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut connection = sqlx::PgConnection::connect(&there).await.expect("PostgreSQL");
        let damage = "set session_replication_role = replica;
             insert into client_origin (tenant_id, origin, client_id) values ('default', 'https://x.test', 'gone');
             update client set redirect_uris = 'nonsense', verified_at = 9999999999999;
             alter table session add constraint odd foreign key (tenant_id) references tenant (tenant_id) not valid";
        sqlx::raw_sql(damage).execute(&mut connection).await.expect("damage");
    });
    let done = admin.run(&[&key[..], &["db", "check", "--json"]].concat());
    let mut places = names(&serde_json::from_str(&done.out).expect("JSON"), "place");
    places.sort();
    assert_eq!(
        (done.code, places),
        (Some(1), ["client.redirect_uris", "client.verified_at", "client_origin", "session"].map(str::to_owned).to_vec())
    );
}
