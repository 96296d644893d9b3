//! The whole database as one file: what a backup is made of.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use super::{Error, Location, Options};

/// What a snapshot has in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The last migration that its tables have seen.
    pub schema: i64,
    /// How many rows each table has.
    pub rows: BTreeMap<String, i64>,
}

/// Copies the database as it is at this moment into the empty SQLite file `to`, while servers go on
/// reading and writing. Nothing is changed: tables of another version stay as they are.
///
/// # Errors
/// [`Error`]
pub async fn snapshot(options: impl Into<Options>, to: &Path) -> Result<Snapshot, Error> {
    match options.into().location {
        Location::Sqlite(from) => sqlite(&from, to).await?,
        Location::Postgres(_) => return Err(Error::Unusable("a backup of PostgreSQL is made with pg_dump".to_owned())),
    }
    look(to).await
}

/// A read transaction: in WAL mode it holds up nobody, and nobody holds it up.
async fn sqlite(from: &Path, to: &Path) -> Result<(), Error> {
    let unusable = |error: sqlx::Error| Error::Unusable(format!("the database {} cannot be opened: {error}", from.display()));
    // Not `read_only`: that could not read a journal that no server has open.
    let options = SqliteConnectOptions::new().filename(from).create_if_missing(false).busy_timeout(Duration::from_secs(2));
    let mut connection = options.disable_statement_logging().connect().await.map_err(unusable)?;
    sqlx::query("vacuum into $1").bind(to.to_string_lossy()).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

async fn look(file: &Path) -> Result<Snapshot, Error> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true).disable_statement_logging();
    let mut connection = options.connect().await?;
    let schema = sqlx::query_scalar("select coalesce(max(version), 0) from _sqlx_migrations").fetch_one(&mut connection).await?;
    let tables = "select name from sqlite_master where type = 'table' and name not like 'sqlite\\_%' escape '\\' order by name";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut connection).await?;
    let mut rows = BTreeMap::new();
    for table in tables {
        let statement = format!("select count(*) from \"{}\"", table.replace('"', "\"\""));
        let count = sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(&mut connection).await?;
        rows.insert(table, count);
    }
    connection.close().await?;
    Ok(Snapshot { schema, rows })
}
