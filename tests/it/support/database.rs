//! A fresh database per test, on whichever kind the run is for.

use std::sync::Arc;

use admit::store::{Location, Store};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{Connection as _, SqlSafeStr as _};
use tempfile::TempDir;
use time::OffsetDateTime;

/// Keeps what the database lives in.
pub struct Database {
    pub location: Location,
    dir: Arc<TempDir>,
}

/// The PostgreSQL server of this run, if it is for PostgreSQL.
pub fn postgres_url() -> Option<String> {
    std::env::var("TEST_DATABASE_URL").ok().filter(|url| !url.is_empty())
}

pub async fn fresh() -> Database {
    // In memory where that can be had: nothing here tests the disk.
    let dir =
        tempfile::Builder::new().prefix("admit").tempdir_in(if std::path::Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "/tmp" });
    let dir = dir.expect("a temporary folder");
    let location = match postgres_url() {
        None => Location::Sqlite(dir.path().join("test.db")),
        Some(url) => {
            let schema = format!("t{}", admit::secret::unique_id(OffsetDateTime::UNIX_EPOCH).replace('-', ""));
            let mut connection = sqlx::PgConnection::connect(&url).await.expect("the PostgreSQL of TEST_DATABASE_URL");
            let statement = format!("create schema {schema}");
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.expect("a schema of our own");
            let mark = if url.contains('?') { '&' } else { '?' };
            Location::Postgres(format!("{url}{mark}options=-csearch_path%3D{schema}"))
        }
    };
    Database { location, dir: Arc::new(dir) }
}

impl Database {
    /// The same database, for a second server on it.
    pub fn borrowed(other: &Self) -> Self {
        Self { location: other.location.clone(), dir: Arc::clone(&other.dir) }
    }

    /// A fresh SQLite database in this folder.
    pub fn sqlite_in(dir: TempDir) -> Self {
        Self { location: Location::Sqlite(dir.path().join("test.db")), dir: Arc::new(dir) }
    }

    /// Runs a statement on a connection of its own.
    pub async fn sql(&self, statement: &str) {
        let statement = sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned()));
        match &self.location {
            Location::Sqlite(path) => {
                let mut connection = sqlx::SqliteConnection::connect(&path.to_string_lossy()).await.expect("the database");
                statement.execute(&mut connection).await.expect("the statement");
                connection.close().await.expect("closed");
            }
            Location::Postgres(url) => {
                let mut connection = sqlx::PgConnection::connect(url).await.expect("the database");
                statement.execute(&mut connection).await.expect("the statement");
                connection.close().await.expect("closed");
            }
        }
    }

    pub async fn open(&self, now: OffsetDateTime) -> Store {
        Store::open(&self.location, now).await.expect("a fresh database opens")
    }

    /// Another file beside one of ours.
    pub fn at(location: Location, beside: &Self) -> Self {
        Self { location, dir: Arc::clone(&beside.dir) }
    }

    /// Makes the tables as they were at this version, by the migrations that there were then.
    pub async fn begin_at(&self, version: i64) {
        match &self.location {
            Location::Sqlite(path) => {
                let url = format!("sqlite:{}?mode=rwc", path.display());
                let mut connection = sqlx::SqliteConnection::connect(&url).await.expect("a new database");
                migrations("--postgres").run_to(version, &mut connection).await.expect("its tables");
                connection.close().await.expect("closed");
            }
            Location::Postgres(url) => {
                let mut connection = sqlx::PgConnection::connect(url).await.expect("a new database");
                migrations("--sqlite").run_to(version, &mut connection).await.expect("its tables");
                connection.close().await.expect("closed");
            }
        }
    }

    /// The number that a statement says.
    pub async fn number(&self, statement: &'static str) -> i64 {
        let number = match &self.location {
            Location::Sqlite(path) => {
                let mut connection = sqlx::SqliteConnection::connect(&path.to_string_lossy()).await.expect("the database");
                sqlx::query_scalar(statement).fetch_one(&mut connection).await
            }
            Location::Postgres(url) => {
                let mut connection = sqlx::PgConnection::connect(url).await.expect("the database");
                sqlx::query_scalar(statement).fetch_one(&mut connection).await
            }
        };
        number.expect("a statement of this test")
    }
}

/// The migrations of the product, without the lines that are for the other database.
fn migrations(other: &str) -> Migrator {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut files: Vec<_> = std::fs::read_dir(folder).expect("migrations").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    let migration = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).expect("a migration");
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim_end().ends_with(other)).collect();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
        let (number, name) = stem.split_once('_').expect("a number and a name");
        let sql = sqlx::AssertSqlSafe(lines.join("\n")).into_sql_str();
        Migration::new(number.parse().expect("a number"), name.to_owned().into(), MigrationType::Simple, sql, false)
    };
    Migrator::with_migrations(files.iter().map(migration).collect())
}
