//! SQLite: one file, and what has to be so for it to be safe.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use super::super::readers::Readers;
use super::super::writer::{Writer, busy_timeout};
use super::super::{Error, Pools, Store, journal, migrate};
use super::disk;

/// The first SQLite that cannot corrupt a WAL under several connections (fixed on 2026-03-13).
const MIN_SQLITE: (u32, u32, u32) = (3, 51, 3);
/// What the writing connection keeps of the database in memory, in KiB: a transaction that changes
/// more than that writes pages to the journal several times. Readers have SQLite's own 2 MB each.
const WRITER_CACHE: i64 = 8 << 10;
/// Connections that read. Each is a thread.
const READERS: usize = 4;

/// Opens the file, and makes it where it is not there.
pub(super) async fn open(path: &Path, patience: Duration, allow_network_disk: bool) -> Result<Store, Error> {
    let unusable = |error: sqlx::Error| Error::Unusable(format!("the database {} cannot be opened: {error}", path.display()));
    if let Some(disk) = disk::network(path).filter(|_| !allow_network_disk) {
        return Err(Error::Unusable(format!(
            "the database {} would be on {disk}: SQLite can lose or damage it there. Put it on a disk of this machine, use PostgreSQL, \
             or say that this disk locks and syncs as a local one does, with --allow-network-disk",
            path.display()
        )));
    }
    let _turn = turn(path).await;
    create_private(path).map_err(|error| Error::Unusable(format!("the database {} cannot be created: {error}", path.display())))?;
    let options = settings(path).busy_timeout(busy_timeout(patience)).pragma("cache_size", (-WRITER_CACHE).to_string());
    let mut connection = options.connect().await.map_err(unusable)?;
    let version: String = sqlx::query_scalar("select sqlite_version()").fetch_one(&mut connection).await.map_err(unusable)?;
    check_version(&version)?;
    migrate::back_up(&mut connection, path).await?;
    migrate::sqlite(&mut connection).await?;
    let reading = settings(path).busy_timeout(patience).pragma("query_only", "on");
    let readers = Readers::open(reading, READERS, patience).await.map_err(unusable)?;
    Ok(Store { pools: Pools::Sqlite { readers, writer: Writer::start(connection, options, patience) }, known_bases: Arc::default() })
}

/// How every connection is set. A commit is on the disk before anybody hears of it (`synchronous=FULL`; on
/// macOS that takes `fullfsync`); nothing that a damaged file says is believed or run.
fn settings(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("fullfsync", "on")
        .pragma("checkpoint_fullfsync", "on")
        .pragma("wal_autocheckpoint", "0") // whoever writes sees to it, at a better moment than the end of a commit
        .pragma("journal_size_limit", journal::LARGE.to_string())
        .foreign_keys(true)
        .pragma("trusted_schema", "off")
        .pragma("cell_size_check", "on")
        .pragma("mmap_size", "0")
        .pragma("secure_delete", "fast")
        .statement_cache_capacity(200)
        .disable_statement_logging()
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
    use sqlx::SqliteConnection;

    use super::super::super::{Conn, Location};
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

    /// Architecture §5 and the defaults of the threat catalogue, as the connections that are used have them.
    #[tokio::test]
    async fn every_connection_is_set_as_it_must_be() {
        let common = [
            ("journal_mode", "wal"),
            ("synchronous", "2"), // FULL
            ("fullfsync", "1"),
            ("checkpoint_fullfsync", "1"),
            ("foreign_keys", "1"),
            ("trusted_schema", "0"),
            ("cell_size_check", "1"),
            ("mmap_size", "0"),
            ("wal_autocheckpoint", "0"),
            ("journal_size_limit", "16777216"),
            ("secure_delete", "2"), // FAST
        ];
        let dir = tempfile::tempdir().expect("a temporary folder");
        let location = Location::Sqlite(dir.path().join("admit.db"));
        let store = Store::open(&location, time::OffsetDateTime::UNIX_EPOCH).await.expect("a database");
        let Pools::Sqlite { readers, writer } = &store.pools else { unreachable!("this is SQLite") };
        for (name, value) in common.into_iter().chain([("busy_timeout", "2000"), ("query_only", "1"), ("cache_size", "-2000")]) {
            assert_eq!(setting(&mut readers.take().await.expect("a reader"), name).await, value, "{name} of a reader");
        }
        for (name, value) in common.into_iter().chain([("busy_timeout", "1500"), ("query_only", "0"), ("cache_size", "-8192")]) {
            let found = writer.run(move |conn| {
                let Conn::Sqlite(connection) = conn else { unreachable!("this is SQLite") };
                Box::pin(async move { Ok(setting(connection, name).await) })
            });
            assert_eq!(found.await.expect("an answer"), value, "{name} of the writer");
        }
    }

    async fn setting(connection: &mut SqliteConnection, name: &str) -> String {
        use sqlx::{Row as _, ValueRef as _};
        let statement = sqlx::AssertSqlSafe(format!("pragma {name}"));
        let row = sqlx::raw_sql(statement).fetch_one(connection).await.expect("a setting");
        let is_text = row.try_get_raw(0).expect("a value").type_info().to_string() == "TEXT";
        if is_text { row.get(0) } else { row.get::<i64, _>(0).to_string() }
    }
}
