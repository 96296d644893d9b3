//! What there is to know of a database without opening it as a server does: nothing is made, changed or waited for.

use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::catalogue::{self, Line, on};
use super::connect::connect_to_postgres;
use super::migrate::{beside, newest_backup};
use super::{Error, Location, Schema};

/// A database as it is.
#[derive(Clone, Debug)]
pub struct Status {
    /// The engine and its version.
    pub engine: String,
    /// How far its tables have come.
    pub schema: Schema,
    /// The size of the file, or on PostgreSQL of the tables and their indexes, in bytes.
    pub bytes: u64,
    /// What is SQLite's alone.
    pub file: Option<FileStatus>,
    /// How many rows each table has; on PostgreSQL, about how many.
    pub rows: Vec<(String, i64)>,
}

/// What only a file has.
#[derive(Clone, Debug)]
pub struct FileStatus {
    /// `wal`, unless somebody changed it.
    pub journal_mode: String,
    /// The size of the journal beside the file, in bytes.
    pub wal_bytes: u64,
    /// The newest copy that was made before an upgrade.
    pub backup: Option<PathBuf>,
}

enum Connection {
    Sqlite(SqliteConnection),
    Postgres(sqlx::PgConnection),
}

impl Connection {
    async fn to(location: &Location) -> Result<Self, Error> {
        match location {
            Location::Sqlite(path) => Ok(Self::Sqlite(to_file(path).await?)),
            Location::Postgres(url) => Ok(Self::Postgres(connect_to_postgres(url).await?)),
        }
    }

    fn line(&mut self) -> Line<'_> {
        match self {
            Self::Sqlite(connection) => Line::Sqlite(connection),
            Self::Postgres(connection) => Line::Postgres(connection),
        }
    }

    async fn close(self) -> Result<(), Error> {
        Ok(match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        }?)
    }
}

/// Not read-only, which could not read a journal that nobody has open; but nothing is written.
async fn to_file(path: &Path) -> Result<SqliteConnection, Error> {
    let options =
        SqliteConnectOptions::new().filename(path).create_if_missing(false).pragma("query_only", "on").disable_statement_logging();
    options.connect().await.map_err(|error| Error::Unusable(format!("the database {} cannot be opened: {error}", path.display())))
}

impl Schema {
    /// How far the tables of this database have come.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn of(location: &Location) -> Result<Self, Error> {
        let mut connection = Connection::to(location).await?;
        let schema = Self::read(&mut connection.line()).await?;
        connection.close().await?;
        Ok(schema)
    }
}

/// How many others are connected to a PostgreSQL database as Admit. A server that has been idle for long may not be among them.
/// 0 for a file, which has a lock for that.
///
/// # Errors
/// [`Error`]
pub async fn others_at(location: &Location) -> Result<u64, Error> {
    let Location::Postgres(url) = location else { return Ok(0) };
    let mut connection = connect_to_postgres(url).await?;
    let others = "select count(*) from pg_stat_activity
                   where datname = current_database() and application_name = 'admit' and pid <> pg_backend_pid()";
    let others: i64 = sqlx::query_scalar(others).fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(others.unsigned_abs())
}

impl Status {
    /// Looks at a database.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn of(location: &Location) -> Result<Self, Error> {
        let mut connection = Connection::to(location).await?;
        let mut line = connection.line();
        let schema = Schema::read(&mut line).await?;
        let (engine, bytes, rows) = match &mut line {
            Line::Sqlite(c) => {
                let engine: String = sqlx::query_scalar("select 'SQLite ' || sqlite_version()").fetch_one(&mut **c).await?;
                (engine, 0, count(&mut line).await?)
            }
            Line::Postgres(c) => {
                let engine: String =
                    sqlx::query_scalar("select 'PostgreSQL ' || current_setting('server_version')").fetch_one(&mut **c).await?;
                let bytes = "select coalesce(sum(pg_total_relation_size(relid)), 0)::bigint from pg_stat_user_tables where schemaname = current_schema()";
                let bytes: i64 = sqlx::query_scalar(bytes).fetch_one(&mut **c).await?;
                let rows = "select relname::text, n_live_tup from pg_stat_user_tables
                             where schemaname = current_schema() and relname <> '_sqlx_migrations'
                             order by 1";
                (engine, bytes.unsigned_abs(), sqlx::query_as(rows).fetch_all(&mut **c).await?)
            }
        };
        let mut status = Self { engine, schema, bytes, file: None, rows };
        if let Location::Sqlite(path) = location {
            let journal_mode: String =
                on!(&mut line, c => sqlx::query_scalar("select journal_mode from pragma_journal_mode").fetch_one(c))?;
            let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
            status.bytes = size(path);
            status.file = Some(FileStatus { journal_mode, wal_bytes: size(&beside(path, "-wal")), backup: newest_backup(path) });
        }
        connection.close().await?;
        Ok(status)
    }
}

async fn count(line: &mut Line<'_>) -> Result<Vec<(String, i64)>, Error> {
    let mut rows = Vec::new();
    for table in catalogue::tables(line).await? {
        let count = table.count(line).await?;
        rows.push((table.name, count));
    }
    rows.sort();
    Ok(rows)
}
