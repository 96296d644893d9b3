//! Databases of earlier versions, brought up to date.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use admit::client::Asking;
use admit::id::{ClientId, PatientId, TenantId};
use admit::secret::{RefreshToken, SessionSecret};
use admit::store::{Error, Location, Schema, Store};

use crate::support::visit::{SCOPE, login_page};
use crate::support::{Database, TestApp, fresh};

#[tokio::test]
async fn what_the_first_version_wrote_is_kept_and_found() {
    let database = fresh().await;
    database.begin_at(1).await;
    // Letters that differ, so that PostgreSQL cannot pack them into an index.
    let long: String = (0..2000_u32).filter_map(|n| char::from_u32(0x4e00 + n * 7919 % 20_000)).collect();
    assert_eq!(long.len(), 6000);
    database
        .sql(&format!(
            "insert into tenant (tenant_id, created_at) values ('default', 1);
             insert into fhir_base (tenant_id, name, audience, public_urls, strategy, smart_version, access_token_alg, created_at)
             values ('default', 'main', 'https://fhir.test/r4', '[\"https://fhir.test/r4\"]', 'SMART_ON_FHIR', '2.2.0', 'RS256', 1);
             insert into client (tenant_id, client_id, name, auth_method, grant_types, scopes, redirect_uris, post_logout_redirect_uris,
                                 fhir_bases, id_token_alg, refresh_grace, created_at, pre_approved_at)
             values ('default', 'known', 'Known', 'none', 'authorization_code', 'openid', '[]', '[]', '[]', 'RS256', 60, 1, 1),
                    ('default', 'other', 'Other', 'none', 'authorization_code', 'openid', '[]', '[]', '[]', 'RS256', 60, 1, null);
             insert into user_account (tenant_id, user_id, username, display_name, password_hash, password_set_at, created_at)
             values ('default', 'u', 'u', 'U', '', 1, 1);
             insert into patient (tenant_id, fhir_base, patient_id, name, search_name, birth_date, sex, mrn, imported_at)
             values ('default', 'main', 'p1', 'Ängla Özil-Test', 'ängla özil-test', '1984-03-09', 'female', ' MRN-1', 1800000000),
                    ('default', 'main', 'p2', '{long}', '{long}', '', 'male', 'M{long}', 1800000000);
             insert into panel (tenant_id, fhir_base, fhir_user, patient_id)
             values ('default', 'main', 'Practitioner/a', 'p1'), ('default', 'main', 'Practitioner/a', 'p2'),
                    ('default', 'main', 'RelatedPerson/b', 'p1');
             insert into access_grant (tenant_id, grant_id, client_id, user_id, fhir_base, audience, scopes, patient_id, auth_time, created_at,
                                       code_digest, code_expires_at, code_failures, redirect_uri)
             values ('default', 'g', 'known', 'u', 'main', 'https://fhir.test/r4', 'openid', 'p1', 1, 1, 'd', 1, 0, 'https://app.test/cb')"
        ))
        .await;

    let store = Store::open(&database.location, time::macros::datetime!(2026-11-22 12:00 UTC)).await.expect("it is brought up to date");
    let tenant = TenantId::default_tenant();
    for (who, typed, ids) in [
        ("Practitioner/a", "", &["p1", "p2"][..]),
        ("Practitioner/a", "ÖZIL", &["p1"]),
        ("Practitioner/a", "mrn-1", &["p1"]),
        ("Practitioner/a", "1984", &["p1"]),
        ("Practitioner/a", &long, &["p2"]),
        ("Practitioner/a", &format!("m{long}"), &["p2"]),
        ("RelatedPerson/b", "test", &["p1"]),
        ("RelatedPerson/c", "", &[]),
    ] {
        let found = store.patients_open_to(&tenant, "main", &who.parse().expect("a person"), typed, 9).await.expect("an answer");
        let mut found_ids: Vec<&str> = found.iter().map(|opened| opened.patient.id.as_str()).collect();
        found_ids.sort_unstable();
        assert_eq!(found_ids, ids, "{who} {typed:.20}");
        assert!(found.iter().all(|opened| opened.since.is_none()), "nobody knows since when");
    }
    for mrn in ["MRN-1".to_owned(), format!("M{long}")] {
        assert_eq!(store.patients_by_mrn(&tenant, "main", &mrn, 9).await.expect("an answer").len(), 1);
    }
    for (id, asks) in [("known", Asking::PreApproved), ("other", Asking::Always)] {
        let client = store.client(&tenant, &ClientId::new(id)).await.expect("an answer").expect("it is there");
        assert_eq!(client.asks_clinicians, asks, "{id}");
    }
    let user = admit::id::UserId::new("u");
    assert_eq!(store.recent_patients(&tenant, "main", &user, 9).await.expect("an answer"), [PatientId::new("p1")]);
    store.close().await;
}

/// What a server of any version has in its tables: columns that no version has taken away. The secrets are those that
/// the app and the browser of this test hold.
fn rows(refresh: &RefreshToken, session: &SessionSecret) -> String {
    format!(
        "insert into tenant (tenant_id, created_at) values ('default', 1);
         insert into fhir_base (tenant_id, name, audience, public_urls, strategy, smart_version, access_token_alg, created_at)
         values ('default', 'old', 'https://old.test/r4', '[\"https://old.test/r4\"]', 'SMART_ON_FHIR', '2.2.0', 'ES256', 1);
         insert into client (tenant_id, client_id, name, auth_method, grant_types, scopes, redirect_uris, post_logout_redirect_uris,
                             fhir_bases, id_token_alg, refresh_grace, created_at)
         values ('default', 'known', 'Known', 'none', 'authorization_code refresh_token', 'openid offline_access patient/Patient.rs',
                 '[\"https://known.test/cb\"]', '[]', '[]', 'RS256', 10, 1);
         insert into client_origin (tenant_id, origin, client_id) values ('default', 'https://known.test', 'known');
         insert into user_account (tenant_id, user_id, username, display_name, fhir_user, password_hash, password_set_at, created_at)
         values ('default', 'u', 'u', 'U', 'Practitioner/u', '', 1, 1);
         insert into patient (tenant_id, fhir_base, patient_id, name, search_name, birth_date, sex, mrn, imported_at)
         values ('default', 'old', 'p', 'P', 'p', '1984-03-09', 'female', 'M', 1);
         insert into panel (tenant_id, fhir_base, fhir_user, patient_id) values ('default', 'old', 'Practitioner/u', 'p');
         insert into session (tenant_id, session_id, digest, user_id, auth_time, seen_at, idle_life, expires_at)
         values ('default', 's', '{session}', 'u', {NOON} - 60, {NOON} - 60, 3600, {NOON} + 3600);
         insert into access_grant (tenant_id, grant_id, client_id, user_id, session_id, fhir_base, audience, scopes, patient_id, auth_time,
                                   created_at, code_digest, code_expires_at, code_failures, code_used_at, redirect_uri, refresh)
         values ('default', 'g', 'known', 'u', 's', 'old', 'https://old.test/r4', 'openid offline_access patient/Patient.rs', 'p', {NOON} - 60,
                 {NOON} - 60, 'c', {NOON}, 0, {NOON} - 50, 'https://known.test/cb', 'offline');
         insert into refresh_token (tenant_id, digest, grant_id, issued_at, expires_at)
         values ('default', '{refresh}', 'g', {NOON} - 50, {NOON} + 9000000);
         insert into audit (tenant_id, at_us, event, outcome) values ('default', 1, 'test', 'success')",
        refresh = refresh.digest().as_str(),
        session = session.digest().as_str(),
    )
}

/// When the tests' clock begins.
const NOON: i64 = time::macros::datetime!(2026-11-22 12:00 UTC).unix_timestamp();

/// Upgrades may skip versions: from each of them, in one step, and nobody is signed out.
#[tokio::test]
async fn from_every_earlier_version_it_is_one_step() {
    for version in 1..Schema::newest() {
        let database = fresh().await;
        database.begin_at(version).await;
        let (refresh, session) = (RefreshToken::generate(), SessionSecret::generate());
        database.sql(&rows(&refresh, &session)).await;

        let app = TestApp::start_on(database).await;
        if let Location::Sqlite(_) = app.location() {
            assert_eq!(app.count("select count(*) from pragma_foreign_key_check").await, 0, "version {version}");
        }
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose())];
        assert_eq!(app.token("known", &form).await.tokens()["patient"], "p", "version {version}");
        let mut browser = app.browser();
        browser.set_cookie("__Host-sid", session.expose());
        assert_eq!(login_page(&mut browser).await.path(), "/patient", "version {version}");
        assert!(app.tokens("spa", SCOPE).await["refresh_token"].is_string(), "version {version}");
        app.store().close().await;
    }
}

fn backups(database: &Database) -> Vec<PathBuf> {
    let Location::Sqlite(path) = &database.location else { panic!("this is a file") };
    let folder = std::fs::read_dir(path.parent().expect("a folder")).expect("read");
    let mut found: Vec<PathBuf> = folder.map(|entry| entry.expect("a file").path()).collect();
    found.retain(|path| path.to_string_lossy().contains(".before-"));
    found.sort();
    found
}

fn file() -> Database {
    Database::sqlite_in(tempfile::tempdir().expect("a temporary folder"))
}

fn now() -> time::OffsetDateTime {
    time::macros::datetime!(2026-11-22 12:00 UTC)
}

/// The way back: a whole database of the version before, for its owner alone.
#[tokio::test]
async fn a_file_is_copied_before_it_is_changed() {
    let database = file();
    database.begin_at(7).await;
    database.sql(&rows(&RefreshToken::generate(), &SessionSecret::generate())).await;
    database.open(now()).await.close().await;

    let newest = Schema::newest();
    let found = backups(&database);
    let [backup] = found.as_slice() else { panic!("one backup, not {found:?}") };
    assert_eq!(backup.file_name().and_then(|name| name.to_str()), Some(format!("test.db.before-7-to-{newest}").as_str()));
    assert_eq!(std::fs::metadata(backup).expect("a file").permissions().mode() & 0o777, 0o600);
    let kept = Database::at(Location::Sqlite(backup.clone()), &database);
    assert_eq!(kept.number("select max(version) from _sqlx_migrations").await, 7);
    assert_eq!(kept.number("select count(*) from access_grant").await, 1);

    // Nothing is copied where nothing changes, nor where there is nothing yet.
    database.open(now()).await.close().await;
    assert_eq!(backups(&database).len(), 1);
    let new = file();
    new.open(now()).await.close().await;
    assert!(backups(&new).is_empty());

    // Going back is putting the copy in its place.
    let Location::Sqlite(path) = &database.location else { panic!("this is a file") };
    std::fs::rename(backup, path).expect("restored");
    assert_eq!(database.number("select max(version) from _sqlx_migrations").await, 7);
    database.open(now()).await.close().await;
    assert_eq!(backups(&database).len(), 1);
}

#[tokio::test]
async fn two_copies_are_kept_and_nothing_else_is_touched() {
    let database = file();
    let Location::Sqlite(path) = &database.location else { panic!("this is a file") };
    let beside = |end: &str| PathBuf::from(format!("{}{end}", path.display()));
    for (age, end) in [(3, ".before-1-to-2"), (2, ".before-2-to-5"), (1, ".before-5-to-7"), (9, ".before-the-holidays"), (9, ".bak")] {
        std::fs::write(beside(end), "").expect("written");
        let file = std::fs::File::options().write(true).open(beside(end)).expect("a file");
        let then = file.metadata().and_then(|data| data.modified()).expect("a time") - std::time::Duration::from_secs(age * 3600);
        file.set_modified(then).expect("older");
    }
    // What a crash left behind.
    std::fs::write(beside(&format!(".before-7-to-{}.part", Schema::newest())), "half").expect("written");
    database.begin_at(7).await;
    database.open(now()).await.close().await;
    let names: Vec<String> = backups(&database).iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let ends: Vec<&str> = names.iter().filter_map(|name| name.split_once("test.db").map(|(_, end)| end)).collect();
    assert_eq!(ends, [".before-5-to-7", &format!(".before-7-to-{}", Schema::newest()), ".before-the-holidays"]);
    assert!(beside(".bak").exists());
}

/// Without the way back, there is no way forward.
#[tokio::test]
async fn what_cannot_be_copied_is_not_changed() {
    let database = file();
    database.begin_at(7).await;
    let Location::Sqlite(path) = &database.location else { panic!("this is a file") };
    let in_the_way = PathBuf::from(format!("{}.before-7-to-{}.part", path.display(), Schema::newest()));
    std::fs::create_dir(&in_the_way).expect("a folder");
    let refused = Store::open(&database.location, now()).await.err().expect("it is refused");
    assert!(matches!(&refused, Error::Unusable(why) if why.contains("backup")), "{refused}");
    assert_eq!(database.number("select max(version) from _sqlx_migrations").await, 7);
    std::fs::remove_dir(&in_the_way).expect("out of the way");
    database.open(now()).await.close().await;
}

/// A migration that would leave something behind that points nowhere is not kept.
#[tokio::test]
async fn an_inconsistent_file_is_not_brought_up_to_date() {
    let database = file();
    database.begin_at(7).await;
    database
        .sql("pragma foreign_keys = off; insert into client_origin (tenant_id, origin, client_id) values ('default', 'https://x.test', 'gone')")
        .await;
    let refused = Store::open(&database.location, now()).await.err().expect("it is refused").to_string();
    assert!(refused.contains("inconsistent"), "{refused}");
    assert_eq!(database.number("select max(version) from _sqlx_migrations").await, 7);
}
