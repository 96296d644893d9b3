//! The whole database as one file: what a backup is made of.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use time::OffsetDateTime;

use super::{Error, Location, Options, Schema, Status, Store};

/// What a snapshot has in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The last migration that its tables have seen.
    pub schema: i64,
    /// How many rows each table has.
    pub rows: BTreeMap<String, i64>,
}

/// Copies the database as it is at this moment into the empty file `to`, an SQLite database, while servers go on reading and
/// writing. Nothing is changed in it: tables of another version stay as they are.
///
/// # Errors
/// [`Error`]
pub async fn snapshot(options: impl Into<Options>, to: &Path, now: OffsetDateTime) -> Result<Snapshot, Error> {
    let options = options.into();
    match &options.location {
        Location::Sqlite(from) => sqlite(from, to).await?,
        Location::Postgres(_) => {
            refuse_other_version(&options.location).await?;
            postgres(options, to, now).await?;
        }
    }
    let Status { schema, rows, .. } = Status::of(&Location::Sqlite(to.to_owned())).await?;
    Ok(Snapshot { schema: schema.version, rows: rows.into_iter().collect() })
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

async fn postgres(options: Options, to: &Path, now: OffsetDateTime) -> Result<(), Error> {
    let (from, to) = (Store::open(options, now).await?, Store::open(&Location::Sqlite(to.to_owned()), now).await?);
    let copied = from.copy_to(&to).await;
    from.close().await;
    to.close().await; // its journal is in the file then
    copied.map(|_| ())
}

/// To open a database brings its tables up to date, which is not for a backup to do.
async fn refuse_other_version(location: &Location) -> Result<(), Error> {
    let schema = Schema::of(location).await?;
    if schema.pending.is_empty() && schema.unknown.is_empty() {
        return Ok(());
    }
    Err(Error::Unusable(format!(
        "the tables are of another version of Admit (migration {}, and this one is at {}): make the backup with that version",
        schema.version,
        Schema::newest()
    )))
}
