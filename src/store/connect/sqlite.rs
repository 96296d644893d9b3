//! SQLite: one file, and what has to be so for it to be safe.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use super::super::readers::Readers;
use super::super::writer::Writer;
use super::super::{Error, Pools, Store, migrate};

/// The first SQLite that cannot corrupt a WAL under several connections (fixed on 2026-03-13).
const MIN_SQLITE: (u32, u32, u32) = (3, 51, 3);
/// How long a statement waits for another process's lock; then the answer is 503.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// Connections that read. Each is a thread.
const READERS: usize = 4;

/// Opens the file, and makes it where it is not there.
pub(super) async fn open(path: &Path) -> Result<Store, Error> {
    let unusable = |error: sqlx::Error| Error::Unusable(format!("the database {} cannot be opened: {error}", path.display()));
    let _turn = turn(path).await;
    create_private(path).map_err(|error| Error::Unusable(format!("the database {} cannot be created: {error}", path.display())))?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("trusted_schema", "off")
        .pragma("cell_size_check", "on")
        .pragma("secure_delete", "fast")
        .statement_cache_capacity(200)
        .disable_statement_logging();
    let mut connection = options.connect().await.map_err(unusable)?;
    let version: String = sqlx::query_scalar("select sqlite_version()").fetch_one(&mut connection).await.map_err(unusable)?;
    check_version(&version)?;
    migrate::back_up(&mut connection, path).await?;
    migrate::sqlite(&mut connection).await?;
    let readers = Readers::open(options.pragma("query_only", "on"), READERS, BUSY_TIMEOUT).await.map_err(unusable)?;
    Ok(Store { pools: Pools::Sqlite { readers, writer: Writer::start(connection) }, known_bases: Arc::default() })
}

/// Waits for other processes that open a database in this folder. SQLite's own locks do not cover
/// the change to WAL and the first migrations: two commands that begin a database at once would
/// trip over each other. The lock is on the folder, since closing a second handle of the database
/// file would drop SQLite's locks on it. It ends with the handle.
pub(in crate::store) async fn turn(path: &Path) -> Option<std::fs::File> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
    let wait = move || {
        std::fs::create_dir_all(&folder).ok()?;
        let folder = std::fs::File::open(folder).ok()?;
        folder.lock().ok().map(|()| folder)
    };
    // Where a file system cannot lock folders, those who come second are told that it is locked.
    tokio::task::spawn_blocking(wait).await.ok().flatten()
}

/// The file belongs to us alone; the journal that SQLite puts beside it takes over its mode.
fn create_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent)?;
    }
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn check_version(version: &str) -> Result<(), Error> {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    if (next(), next(), next()) < MIN_SQLITE {
        return Err(Error::Unusable(format!(
            "SQLite {version} can corrupt its journal under several connections; 3.51.3 or later is needed"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_versions_of_sqlite_are_refused() {
        for old in ["3.46.0", "3.51.2", "3.7.0", "2.9.9", "garbage"] {
            assert!(check_version(old).is_err(), "{old}");
        }
        for new in ["3.51.3", "3.52.0", "4.0.0"] {
            assert!(check_version(new).is_ok(), "{new}");
        }
    }
}
