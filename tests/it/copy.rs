//! A whole installation in another database: the same to the last row, and good to go on with.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use admit::audit::Entry;
use admit::client::ClientAuth;
use admit::store::{Copied, Error, Location, Store};
use sqlx::Connection as _;

use crate::support::visit::{SCOPE, login_page, tokens_in};
use crate::support::{Database, TestApp, client, fresh};

/// What no flow of these tests leaves behind, and texts that the databases could take for something else: keys that
/// they sort differently unless told otherwise, empty texts beside none, quotes, and the ends of the range of numbers.
const MORE: &str = "
    insert into job (tenant_id, name, due_at) values ('default', 'a', 1), ('default', 'B', 2), ('default', 'é', 3), ('default', '_', 4),
        ('default', '', 5), ('default', 'A b', 6), ('default', 'a-b', 7), ('default', 'ab', 8), ('default', '雪', 9), ('default', '😀', 10),
        ('default', 'O''Brien \"\\ %', -9223372036854775808), ('default', 'z' , 9223372036854775807);
    insert into client_secret (tenant_id, client_id, digest, created_at, expires_at) values ('default', 'ehr', 'd', 1, 2), ('default', 'rs', 'd', 1, null);
    insert into client_origin (tenant_id, origin, client_id) values ('default', 'https://more.test', 'spa');
    insert into client_assertion (tenant_id, client_id, jti, expires_at) values ('default', 'gone', 'j', 1);
    insert into client_logo (tenant_id, client_id, digest, kind, data, set_at) values ('default', 'spa', 'd', 'image/png', 'AAAA', 1);
    insert into registration_token (tenant_id, token_id, digest, label, uses_left, created_at, expires_at) values ('default', 't', 'd', 'x', 1, 1, 2);
    insert into client_registration (tenant_id, client_id, digest, token_id) values ('default', 'spa', 'd', 't');
    insert into encounter (tenant_id, fhir_base, encounter_id, patient_id, status, class, reason, started, ended)
        values ('default', 'one', 'e', 'p1', 'in-progress', 'AMB', '', '2026-11-22', '');
    insert into remembered_consent (tenant_id, client_id, user_id, fhir_base, patient_id, asked, approved, registered, decided_at, expires_at)
        values ('default', 'spa', 'u-dr.a', '', '', 'openid', 'openid', 'openid', 1, 2);
    insert into revoked_token (tenant_id, jti, expires_at) values ('default', 'j', 1);
    insert into login_throttle (tenant_id, account, attempts, failures, first_at, locked_until) values ('default', 'd', 1, 1, 1, 1);
    insert into login_failure (tenant_id, address, account, at_us) values ('default', '192.0.2.0/24', 'd', 1);
    insert into tenant (tenant_id, created_at) values ('another', 1);
    insert into client (tenant_id, client_id, name, auth_method, grant_types, scopes, redirect_uris, post_logout_redirect_uris,
                        fhir_bases, id_token_alg, refresh_grace, created_at)
        values ('another', 'spa', 'The other tenant''s', 'none', '', '', '[]', '[]', '[]', 'RS256', 60, 1);
    insert into wrapped_master_key (tenant_id, kms_key, wrapped, created_at) values ('another', 'k', 'w', 1);
    insert into audit_chain (tenant_id, seq, hash, start_seq, start_hash, checkpoint_seq, checkpoint_at) values ('another', 2, 'h', 1, 'g', 1, 1);
    insert into audit_checkpoint (tenant_id, seq, hash, at, jws) values ('another', 1, 'h', 1, 'a.b.c');
    insert into audit_tail (tenant_id, sink, seq, holder, held_until) values ('another', 'stdout', 1, 'nobody', 1);";

/// A server with a row of every kind, on this database.
async fn everything(database: Database) -> TestApp {
    let app = TestApp::with_ehr_on(database).await;
    app.launch("spa", "p1").await;
    app.sql(MORE).await;
    // More than one batch, and a number that was given to a row which is gone.
    let origin = app.origin();
    for _ in 0..600 {
        app.store().audit(&origin, Entry::done("test")).await.expect("an entry");
    }
    leave_a_gap(&app).await;
    app
}

/// A number of the audit trail that was given to an entry which is not there.
async fn leave_a_gap(app: &TestApp) {
    match app.location() {
        Location::Sqlite(_) => app.sql("update sqlite_sequence set seq = seq + 1 where name = 'audit'").await,
        Location::Postgres(_) => app.sql("select nextval(pg_get_serial_sequence('audit', 'audit_id'))").await,
    }
}

/// Every row of every table of a file, as SQLite itself writes it down.
async fn contents(database: &Database) -> BTreeMap<String, Vec<String>> {
    let Location::Sqlite(path) = &database.location else { panic!("this is a file") };
    let mut file = sqlx::SqliteConnection::connect(&path.to_string_lossy()).await.expect("the file");
    let names = "select name from sqlite_master where type = 'table' and name <> '_sqlx_migrations'";
    let tables: Vec<String> = sqlx::query_scalar(names).fetch_all(&mut file).await.expect("tables");
    let mut contents = BTreeMap::new();
    for table in tables {
        let columns = format!("select group_concat('quote(' || name || ')', ' || '','' || ') from pragma_table_info('{table}')");
        let columns: String = sqlx::query_scalar(sqlx::AssertSqlSafe(columns)).fetch_one(&mut file).await.expect("columns");
        let rows = format!("select {columns} as line from {table} order by line");
        let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(rows)).fetch_all(&mut file).await.expect("rows");
        contents.insert(table, rows);
    }
    file.close().await.expect("closed");
    contents
}

fn file() -> Database {
    Database::sqlite_in(tempfile::tempdir().expect("a temporary folder"))
}

async fn copy(from: &Store, to: &Database, app: &TestApp) -> (Store, Vec<Copied>) {
    let target = to.open(app.clock.now()).await;
    let copied = from.copy_to(&target).await.expect("a copy");
    (target, copied)
}

/// From a file into the database of this run and back into a file.
#[tokio::test]
async fn a_copy_of_a_copy_has_every_row_of_the_original() {
    let [first, last] = [file(), file()];
    let app = everything(Database::borrowed(&first)).await;
    app.tokens("spa", SCOPE).await;
    let middle = fresh().await;
    let (there, over) = copy(app.store(), &middle, &app).await;
    let (back, again) = copy(&there, &last, &app).await;
    assert_eq!(over, again);

    let original = contents(&first).await;
    for (table, rows) in &original {
        assert!(!rows.is_empty(), "{table} has no row in this test: give it one in MORE");
    }
    assert_eq!(contents(&last).await, original);
    // What is said of it is so, and each table was there by the time that another one referred to it.
    let said: BTreeMap<&str, u64> = over.iter().map(|copied| (copied.table.as_str(), copied.rows)).collect();
    for (table, rows) in original.iter().filter(|(table, _)| *table != "sqlite_sequence") {
        assert_eq!(said.get(table.as_str()), Some(&(rows.len() as u64)), "{table}");
    }
    assert_eq!(said.len(), original.len() - 1);
    there.close().await;
    back.close().await;
}

/// A server on the copy knows everybody: tokens, sessions, keys, and the place in the audit trail.
#[tokio::test]
async fn life_goes_on_in_the_copy() {
    for (from, to) in [(file(), fresh().await), (fresh().await, file())] {
        let app = everything(from).await;
        let mut browser = app.browser();
        let tokens = tokens_in(&app, &mut browser, SCOPE, "dr.a", Some("p1")).await;
        let last = app.store().audit_tail(&app.origin(), 1).await.expect("the audit trail")[0].audit_id;
        leave_a_gap(&app).await;

        let (store, _) = copy(app.store(), &to, &app).await;
        let moved = app.another_with(|setup| setup.store = store).await;
        moved.store().audit(&moved.origin(), Entry::done("moved")).await.expect("an entry");
        let next = moved.store().audit_tail(&moved.origin(), 1).await.expect("the audit trail")[0].audit_id;
        assert_eq!(next, last + 2, "no number is given twice, and none is left out");

        assert!(moved.is_active(&tokens["access_token"]).await);
        let refreshed = moved.refresh("spa", &tokens["refresh_token"]).await.tokens();
        assert!(moved.is_active(&refreshed["access_token"]).await);
        let mut same = moved.browser();
        for pair in browser.cookies().split("; ") {
            let (name, value) = pair.split_once('=').expect("a cookie");
            same.set_cookie(name, value);
        }
        // Whoever is signed in is not asked who they are.
        assert_eq!(login_page(&mut same).await.path(), "/patient");
        // The original has not seen any of it.
        assert!(app.audit("moved").await.is_empty());
        moved.store().close().await;
    }
}

/// What is there is never mixed with what comes.
#[tokio::test]
async fn only_an_empty_database_is_filled() {
    let app = TestApp::start().await;
    for (table, statement) in [
        ("tenant", "insert into tenant (tenant_id, created_at) values ('another', 1)"),
        ("job", "insert into job (tenant_id, name, due_at) values ('default', 'purge', 1)"),
        ("revoked_token", "insert into revoked_token (tenant_id, jti, expires_at) values ('another', 'j', 1)"),
    ] {
        for database in [fresh().await, file()] {
            let target = database.open(app.clock.now()).await;
            database.sql(statement).await;
            let refused = app.store().copy_to(&target).await.expect_err("it is refused");
            assert!(matches!(&refused, Error::NotEmpty { table: named } if named == table), "{refused}");
            // As it was: what the first one to open it put there is there still.
            database.sql("insert into client_assertion (tenant_id, client_id, jti, expires_at) values ('default', 'c', 'j', 1)").await;
            let again = database.open(app.clock.now()).await;
            assert!(app.store().copy_to(&again).await.is_err());
            target.close().await;
            again.close().await;
        }
    }
    // Nor is a database copied into itself.
    assert!(matches!(app.store().copy_to(app.store()).await, Err(Error::NotEmpty { .. })));
}

/// Of two copies into one database, one is made.
#[tokio::test(flavor = "multi_thread")]
async fn two_copies_at_once_are_one_copy() {
    let app = TestApp::start().await;
    for database in [fresh().await, file()] {
        let targets = [database.open(app.clock.now()).await, database.open(app.clock.now()).await];
        let (one, other) = tokio::join!(app.store().copy_to(&targets[0]), app.store().copy_to(&targets[1]));
        let (made, refused) = if one.is_ok() { (one, other) } else { (other, one) };
        assert!(made.expect("a copy").iter().any(|copied| copied.table == "client" && copied.rows == 9));
        assert!(matches!(refused, Err(Error::NotEmpty { .. } | Error::Unavailable(_))), "{refused:?}");
    }
}

/// The copy is as things were at one moment, whatever happens meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_busy_database_is_of_one_moment() {
    let app = TestApp::start().await;
    let target = file();
    let stop = AtomicBool::new(false);
    // Each registration is two rows in one transaction: the client's, and the one in the audit trail.
    let busy = async {
        let mut nth = 0;
        while !stop.load(Ordering::Relaxed) {
            nth += 1;
            app.register(client(&format!("busy-{nth}"), ClientAuth::None, &["https://busy.test/cb"])).await;
        }
        nth
    };
    let copying = async {
        let (store, copied) = copy(app.store(), &target, &app).await;
        stop.store(true, Ordering::Relaxed);
        (store, copied)
    };
    let (registered, (store, copied)) = tokio::join!(busy, copying);
    assert!(registered > 0);
    let clients = copied.iter().find(|copied| copied.table == "client").expect("clients").rows;
    let trail = store.audit_tail(&app.origin(), 10_000).await.expect("the audit trail");
    assert_eq!(trail.iter().filter(|row| row.event == "client.created").count() as u64, clients);
    store.close().await;
}

/// What one database takes and the other does not is named, and nothing is kept.
#[tokio::test]
async fn what_cannot_be_copied_is_named() {
    let app = TestApp::start_on(file()).await;
    app.sql("update user_account set display_name = 'A' || char(0) || 'B' where username = 'dr.a'").await;
    let database = fresh().await;
    let target = database.open(app.clock.now()).await;
    let copied = app.store().copy_to(&target).await;
    match database.location {
        Location::Sqlite(_) => assert!(copied.is_ok(), "{copied:?}"),
        Location::Postgres(_) => {
            let refused = copied.expect_err("it is refused").to_string();
            assert!(refused.contains("user_account.display_name") && refused.contains("NUL"), "{refused}");
            app.sql("update user_account set display_name = 'A' where username = 'dr.a'").await;
            app.store().copy_to(&target).await.expect("nothing is in the way");
        }
    }
    // SQLite keeps a text where a number belongs.
    app.sql("update user_account set display_name = 'A', created_at = 'long ago' where username = 'dr.a'").await;
    let other = file();
    let refused = app.store().copy_to(&other.open(app.clock.now()).await).await.expect_err("it is refused").to_string();
    assert!(refused.contains("user_account.created_at"), "{refused}");
}

#[tokio::test]
async fn tables_that_are_not_ours_are_not_lost_in_silence() {
    let app = TestApp::start().await;
    app.sql("create table notes (note text primary key)").await;
    let refused = app.store().copy_to(&file().open(app.clock.now()).await).await.expect_err("it is refused").to_string();
    assert!(refused.contains("the same tables"), "{refused}");
}
