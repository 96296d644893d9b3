//! `admit backup` and `admit restore`: what comes back, and what is refused with nothing touched.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use admit::store::{InstanceLock, Location};
use age::secrecy::ExposeSecret as _;
use age::x25519;
use serde_json::{Value, json};
use sqlx::Connection as _;

use super::{Admin, Done, PASSWORD, names};
use crate::support::{TestApp, fresh};

/// An installation with an app and a person.
fn installation() -> Admin {
    let admin = Admin::with_base();
    admin.create_app("growth");
    admin.create_user("dr.synthetic", &[]);
    admin
}

/// The recipient; the identity is in `key.txt`.
fn recipient(admin: &Admin) -> String {
    let identity = x25519::Identity::generate();
    admin.write("key.txt", &format!("# of this test\n{}\n", identity.to_string().expose_secret()));
    identity.to_public().to_string()
}

/// A backup that `key.txt` opens.
fn backup(admin: &Admin) -> PathBuf {
    let recipient = recipient(admin);
    admin.json(&["backup", "--recipient", &recipient, "--to", "backup.age"]);
    admin.0.path().join("backup.age")
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> = entries.map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// A command whose input and output are no text.
fn pipe(admin: &Admin, args: &[&str], input: &[u8]) -> (Done, Vec<u8>) {
    let mut child = admin.command(args).stdin(Stdio::piped()).spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("its input is ours");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, &input));
    let mut output = child.wait_with_output().expect("the program ends");
    let _ = writer.join().expect("no panic"); // a command that refuses before it reads closes its end
    let data = std::mem::take(&mut output.stdout);
    (output.into(), data)
}

/// Runs a statement on a file.
fn sql(file: &Path, statement: &'static str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut connection = sqlx::SqliteConnection::connect(&format!("sqlite:{}?mode=rwc", file.display())).await.expect("a database");
        sqlx::raw_sql(statement).execute(&mut connection).await.expect("the statement");
        connection.close().await.expect("closed");
    });
}

#[test]
fn a_backup_comes_back_on_another_machine() {
    let admin = installation();
    let recipient = recipient(&admin);
    let made = admin.json(&["backup", "--recipient", &recipient, "--to", "backup.age"]);
    assert_eq!((&made["file"], &made["opened_by"]), (&json!("backup.age"), &json!("1 identity")));
    assert!(made["rows"].as_i64().is_some_and(|rows| rows > 5) && made["taken_at"].is_string(), "{made}");
    let file = admin.0.path().join("backup.age");
    let bytes = std::fs::read(&file).expect("the backup");
    assert!(bytes.starts_with(b"age-encryption.org/v1\n") && !bytes.windows(7).any(|window| window == b"SQLite "));
    assert_eq!(std::fs::metadata(&file).expect("the backup").permissions().mode() & 0o777, 0o600);

    let other = Admin::new();
    std::fs::copy(admin.0.path().join("test.key"), other.0.path().join("test.key")).expect("the master key, which is kept apart");
    let key = admin.0.path().join("key.txt");
    let args = ["restore", "--from", &file.to_string_lossy(), "--identity-file", &key.to_string_lossy()];
    let done = other.run(&[&args[..], &["--json"]].concat());
    assert_eq!(done.code, Some(0), "{}", done.err);
    let restored: Value = serde_json::from_str(&done.out).expect("JSON");
    assert_eq!((&restored["taken_at"], &restored["kept"]), (&made["taken_at"], &Value::Null));
    assert!(done.err.contains("user.disabled") && !done.err.contains("cannot be opened"), "{}", done.err);
    assert_eq!(names(&other.json(&["client", "list"]), "client_id"), ["growth"]);
    assert_eq!(other.json(&["user", "show", "dr.synthetic"]), admin.json(&["user", "show", "dr.synthetic"]));
    assert_eq!(other.json(&["key", "list"]), admin.json(&["key", "list"]));
    let mode = std::fs::metadata(other.0.path().join("test.db")).expect("the database").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for folder in [&admin, &other] {
        assert!(!files(folder.0.path()).iter().any(|name| name.starts_with('.')), "{:?}", files(folder.0.path()));
    }
}

/// Without its master key a database comes back all the same, and somebody is told at once.
#[test]
fn a_missing_master_key_is_noticed_before_a_server_is_started() {
    let (admin, other) = (installation(), Admin::new());
    let file = backup(&admin);
    let key = admin.0.path().join("key.txt");
    let args = ["restore", "--from", &file.to_string_lossy(), "--identity-file", &key.to_string_lossy()];
    let done = other.run(&args);
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert!(done.err.contains("No server can start yet") && done.err.contains("test.key"), "{}", done.err);
    assert!(!other.0.path().join("test.key").exists(), "a new one would open nothing");
}

#[test]
fn a_backup_in_clear_has_to_be_asked_for() {
    let admin = installation();
    let told = admin.fails(2, &["backup", "--to", "b"]);
    assert!(told.contains("--recipient") && told.contains("--unencrypted"), "{told}");
    admin.write("recipients.txt", "# nobody yet\n");
    admin.fails(2, &["backup", "--to", "b", "--recipient-file", "recipients.txt"]);
    let secret = x25519::Identity::generate().to_string();
    let told = admin.fails(2, &["backup", "--to", "b", "--recipient", secret.expose_secret()]);
    assert!(told.contains("begins with age1") && !told.contains(secret.expose_secret()), "{told}");
    admin.fails(2, &["backup", "--to", "b", "--unencrypted", "--recipient", "age1x"]);
    admin.write("weak.txt", "aaaa\n");
    admin.fails(2, &["backup", "--to", "b", "--passphrase-file", "weak.txt"]);
    assert!(!admin.0.path().join("b").exists());
    assert_eq!(admin.json(&["backup", "--to", "b", "--unencrypted"])["opened_by"], "anybody");
    assert!(std::fs::read(admin.0.path().join("b")).expect("a backup").starts_with(&[0x1f, 0x8b]), "gunzip reads it");
}

/// AU-01: whoever takes a backup has read everything. Where that cannot be written down there is a backup all the same.
#[test]
fn a_backup_leaves_an_entry() {
    let admin = installation();
    let backups = || {
        let read = admin.json(&["audit", "list", "--event", "admin.read"]);
        read.as_array().expect("entries").iter().filter(|entry| entry["detail"] == "backup" && entry["agent"].is_string()).count()
    };
    let done = admin.run(&["backup", "--to", "one", "--unencrypted"]);
    assert!(done.code == Some(0) && !done.err.contains("audit trail"), "{}", done.err);
    assert_eq!(backups(), 1);
    sql(&admin.0.path().join("test.db"), "drop table job; delete from _sqlx_migrations where version = 8");
    let done = admin.run(&["backup", "--to", "two", "--unencrypted"]);
    assert!(done.code == Some(0) && done.err.contains("the audit trail does not say"), "{}", done.err);
    assert!(admin.0.path().join("two").exists());
    assert_eq!(backups(), 1, "the tables were brought up to date by this command, not by the backup");
}

#[test]
fn a_backup_takes_the_place_of_nothing() {
    let admin = installation();
    admin.write("precious", "something else");
    admin.fails(4, &["backup", "--to", "precious", "--unencrypted"]);
    assert_eq!(std::fs::read_to_string(admin.0.path().join("precious")).expect("a file"), "something else");
    let nowhere = Admin::new();
    nowhere.fails(5, &["backup", "--to", "b", "--unencrypted"]);
    assert_eq!(files(nowhere.0.path()), Vec::<String>::new());
}

#[test]
fn a_passphrase_opens_what_it_closed_and_no_other_does() {
    let admin = installation();
    admin.write("phrase.txt", &format!("{PASSWORD}\n"));
    admin.write("other.txt", &format!("{PASSWORD}s\n"));
    assert_eq!(admin.json(&["backup", "--to", "b.age", "--passphrase-file", "phrase.txt"])["opened_by"], "the passphrase");
    let before = std::fs::read(admin.0.path().join("test.db")).expect("the database");
    let told = admin.fails(1, &["restore", "--replace", "--from", "b.age", "--passphrase-file", "other.txt"]);
    assert!(told.contains("not its passphrase") && !told.contains(PASSWORD), "{told}");
    assert!(admin.fails(1, &["restore", "--replace", "--from", "b.age"]).contains("--passphrase-file"));
    assert_eq!(std::fs::read(admin.0.path().join("test.db")).expect("the database"), before);
    admin.json(&["restore", "--replace", "--from", "b.age", "--passphrase-file", "phrase.txt"]);
    assert_eq!(names(&admin.json(&["user", "list"]), "username"), ["dr.synthetic"]);
}

#[test]
fn a_backup_goes_through_pipes() {
    let (admin, other) = (installation(), Admin::new());
    let recipient = recipient(&admin);
    let (done, data) = pipe(&admin, &["backup", "--recipient", &recipient, "--to", "-"], b"");
    assert_eq!(done.code, Some(0), "{}", done.err);
    let key = admin.0.path().join("key.txt");
    let (done, _) = pipe(&other, &["restore", "--from", "-", "--identity-file", &key.to_string_lossy()], &data);
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert_eq!(names(&other.json(&["client", "list"]), "client_id"), ["growth"]);
    let (done, _) = pipe(&other, &["restore", "--replace", "--from", "-", "--identity-file", "-"], &data);
    assert_eq!(done.code, Some(2), "{}", done.err);
}

/// What is there stays unless somebody says otherwise, and then it stays beside.
#[test]
fn a_database_is_replaced_only_where_that_is_said_and_is_kept() {
    let admin = installation();
    let file = backup(&admin);
    admin.create_app("later");
    let args = ["restore", "--from", &file.to_string_lossy(), "--identity-file", "key.txt"];
    assert!(admin.fails(4, &args).contains("--replace"));
    assert_eq!(names(&admin.json(&["client", "list"]), "client_id"), ["growth", "later"]);

    let restored = admin.json(&[&args[..], &["--replace"]].concat());
    assert_eq!(names(&admin.json(&["client", "list"]), "client_id"), ["growth"]);
    let kept = restored["kept"].as_str().expect("a name");
    assert!(kept.contains("test.db.before-20"), "{kept}");
    // A command may leave its journal behind, which is the restored one's.
    sql(&admin.0.path().join("test.db"), "pragma wal_checkpoint(truncate)");
    std::fs::rename(kept, admin.0.path().join("test.db")).expect("the old one again");
    assert_eq!(names(&admin.json(&["client", "list"]), "client_id"), ["growth", "later"]);
}

/// A database that is beyond reading is what backups are for. Its journal goes with it: the restored one must not take it for its own.
#[test]
fn a_damaged_database_is_replaced_as_well_and_its_journal_with_it() {
    let admin = installation();
    let file = backup(&admin);
    admin.write("test.db", &"not a database ".repeat(1000));
    admin.write("test.db-wal", "nor a journal");
    let args = ["restore", "--replace", "--from", &file.to_string_lossy(), "--identity-file", "key.txt"];
    let kept = admin.json(&args)["kept"].as_str().expect("a name").to_owned();
    assert_eq!(names(&admin.json(&["client", "list"]), "client_id"), ["growth"]);
    let journal = std::fs::read_to_string(admin.0.path().join(format!("{kept}-wal"))).expect("its journal");
    assert_eq!(journal, "nor a journal");

    let other = Admin::new();
    other.write("test.db-wal", "whose?");
    let key = admin.0.path().join("key.txt");
    let told = other.fails(4, &["restore", "--from", &file.to_string_lossy(), "--identity-file", &key.to_string_lossy()]);
    assert!(told.contains("test.db-wal"), "{told}");
}

#[test]
fn nothing_is_restored_under_a_server_s_feet() {
    let admin = installation();
    let file = backup(&admin);
    let _server = InstanceLock::take(&Location::Sqlite(admin.0.path().join("test.db"))).expect("nobody has it");
    let args = ["restore", "--replace", "--from", &file.to_string_lossy(), "--identity-file", "key.txt"];
    assert!(admin.fails(5, &args).contains("in use by another admit"));
    // A backup is made beside it.
    admin.json(&["backup", "--to", "b", "--unencrypted"]);
}

/// KF-11: truncated, bent, foreign, newer, half, not ours: each has its sentence, and nothing is touched.
#[test]
fn what_cannot_be_restored_changes_nothing() {
    let admin = installation();
    let whole = std::fs::read(backup(&admin)).expect("the backup");
    let path = |name: &str| admin.0.path().join(name);
    std::fs::write(path("cut.age"), &whole[..whole.len() / 2]).expect("a file");
    let mut bent = whole.clone();
    let middle = bent.len() / 2;
    bent[middle] ^= 1;
    std::fs::write(path("bent.age"), bent).expect("a file");
    let stranger = x25519::Identity::generate();
    admin.write("stranger.txt", stranger.to_string().expose_secret());
    admin.write("foreign", "PK\u{3}\u{4} something else");
    admin.write("empty", "");
    sql(&path("stranger.db"), "create table client (x)");
    std::fs::copy(path("test.db"), path("newer.db")).expect("a copy");
    sql(
        &path("newer.db"),
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time) values (9999, 'x', 1, x'00', 0)",
    );
    std::fs::copy(path("test.db"), path("loose.db")).expect("a copy");
    sql(
        &path("loose.db"),
        "pragma foreign_keys = off; insert into client_secret (tenant_id, client_id, digest, created_at) values ('default', 'nobody', 'd', 1)",
    );
    std::fs::copy(path("test.db"), path("holes.db")).expect("a copy");
    let mut holes = std::fs::read(path("holes.db")).expect("a copy");
    let end = holes.len();
    holes[end / 4..end / 2].fill(0xaa);
    std::fs::write(path("holes.db"), holes).expect("a file");
    std::fs::copy(path("test.db"), path("half.db")).expect("a copy");
    admin.write("half.db-wal", "the last changes");
    let before = std::fs::read(path("test.db")).expect("the database");

    for (code, from, key, why) in [
        (1, "cut.age", "key.txt", "damaged or incomplete"),
        (1, "bent.age", "key.txt", "damaged or incomplete"),
        (1, "backup.age", "stranger.txt", "other recipients"),
        (2, "backup.age", "foreign", "line 1"),
        (1, "foreign", "key.txt", "neither a backup"),
        (1, "empty", "key.txt", "neither a backup"),
        (1, "stranger.db", "key.txt", "not one of Admit"),
        (1, "newer.db", "key.txt", "newer version of Admit"),
        (1, "loose.db", "key.txt", "foreign key"),
        (1, "holes.db", "key.txt", "damaged"),
        (4, "half.db", "key.txt", "half.db-wal"),
        (3, "nowhere.age", "key.txt", "there is no file"),
    ] {
        let told = admin.fails(code, &["restore", "--replace", "--from", from, "--identity-file", key]);
        assert!(told.contains(why), "{from}: {told}");
    }
    assert!(admin.fails(1, &["restore", "--replace", "--from", "backup.age"]).contains("--identity-file"));
    assert_eq!(std::fs::read(path("test.db")).expect("the database"), before);
    let left = files(admin.0.path()).into_iter().filter(|name| name.starts_with('.') || name.contains("before"));
    assert_eq!(left.collect::<Vec<_>>(), Vec::<String>::new());
}

/// What `litestream restore` writes, or a copy that was made with the server stopped.
#[test]
fn a_database_as_it_is_comes_back_as_well() {
    let (admin, other) = (installation(), Admin::new());
    let file = admin.0.path().join("test.db");
    sql(&file, "create table _litestream_seq (id integer primary key, seq integer); create table _litestream_lock (id integer)");
    admin.json(&["backup", "--to", "b", "--unencrypted"]);
    let restored = other.json(&["restore", "--from", &file.to_string_lossy()]);
    assert!(restored["taken_at"].is_null() && restored["known_until"].is_string(), "{restored}");
    assert_eq!(names(&other.json(&["client", "list"]), "client_id"), ["growth"]);
    assert_eq!(names(&admin.json(&["client", "list"]), "client_id"), ["growth"], "what it was restored from is as it was");
}

/// A backup of either database comes back in either, and on PostgreSQL only where nothing is.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_server_that_runs_comes_back_in_an_empty_database_only() {
    let (app, admin, empty) = (TestApp::start().await, Admin::new(), fresh().await);
    let text = |location: &Location| match location {
        Location::Sqlite(path) => path.to_string_lossy().into_owned(),
        Location::Postgres(url) => url.clone(),
    };
    let run = |location: &Location, args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_admit"));
        command.env_clear().env("ADMIT_MASTER_KEY", app.master().expose()).current_dir(&admin.0);
        Done::from(command.args(["--database", &text(location)]).args(args).output().expect("the program"))
    };
    let done = run(app.location(), &["backup", "--unencrypted", "--to", "b"]);
    assert_eq!(done.code, Some(0), "{}", done.err);
    let before = app.state().await;
    let done = run(app.location(), &["restore", "--from", "b"]);
    assert_eq!(done.code, Some(4), "{}", done.err);
    assert_eq!(app.state().await, before);

    let file = Location::Sqlite(admin.0.path().join("elsewhere.db"));
    for location in [&empty.location, &file] {
        let done = run(location, &["restore", "--from", "b"]);
        assert!(done.code == Some(0) && !done.err.contains("cannot be opened"), "{}", done.err);
        let listed = run(location, &["client", "list", "--json"]);
        let listed: Value = serde_json::from_str(&listed.out).unwrap_or_else(|error| panic!("{error}: {}", listed.err));
        assert!(names(&listed, "client_id").contains(&"spa".to_owned()), "{listed}");
    }
}
