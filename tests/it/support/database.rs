//! A fresh database per test, on whichever kind the run is for.

use std::sync::Arc;

use admit::store::{Location, Store};
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
            let mut connection =
                <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.expect("the PostgreSQL of TEST_DATABASE_URL");
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
        use sqlx::Connection as _;
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
}
