//! A database of the first version, brought up to date.

use std::borrow::Cow;

use admit::client::Asking;
use admit::id::{ClientId, PatientId, TenantId};
use admit::store::{Location, Store};
use sqlx::Connection as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr as _};

use crate::support::{Database, fresh};

/// The tables of the first version alone, as it made them.
async fn first_version(database: &Database) {
    let first = include_str!("../../migrations/0001_first.sql");
    let migrator = |other: &str| {
        let lines: Vec<&str> = first.lines().filter(|line| !line.trim_end().ends_with(other)).collect();
        let sql = AssertSqlSafe(lines.join("\n")).into_sql_str();
        Migrator::with_migrations(vec![Migration::new(1, Cow::Borrowed("first"), MigrationType::Simple, sql, false)])
    };
    match &database.location {
        Location::Sqlite(path) => {
            let url = format!("sqlite:{}?mode=rwc", path.display());
            let mut connection = sqlx::SqliteConnection::connect(&url).await.expect("a new database");
            migrator("--postgres").run(&mut connection).await.expect("its tables");
            connection.close().await.expect("closed");
        }
        Location::Postgres(url) => {
            let mut connection = sqlx::PgConnection::connect(url).await.expect("a new database");
            migrator("--sqlite").run(&mut connection).await.expect("its tables");
            connection.close().await.expect("closed");
        }
    }
}

#[tokio::test]
async fn what_the_first_version_wrote_is_kept_and_found() {
    let database = fresh().await;
    first_version(&database).await;
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
