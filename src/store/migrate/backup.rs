//! The copy of an SQLite database that is made before its tables are changed: the way back.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sqlx::SqliteConnection;

use super::Schema;
use crate::store::Error;
use crate::store::catalogue::Line;

/// So many are kept; older ones go.
const KEPT: usize = 2;

/// Copies a database that is about to be changed to `admit.db.before-7-to-12`. One that is new, or up to date, is not
/// copied. Where there is no copy, nothing is changed.
pub(in crate::store) async fn back_up(connection: &mut SqliteConnection, database: &Path) -> Result<(), Error> {
    let schema = Schema::read(&mut Line::Sqlite(&mut *connection)).await?;
    let Some(newest) = schema.pending.last().filter(|_| schema.version > 0 && schema.unknown.is_empty()) else { return Ok(()) };
    let unusable = |error: &dyn std::fmt::Display| {
        Error::Unusable(format!(
            "the database {} has to be brought up to date, and the backup that is made of it before cannot be written: {error}",
            database.display()
        ))
    };
    let folder = folder_of(database);
    let size: i64 =
        sqlx::query_scalar("select page_count * page_size from pragma_page_count, pragma_page_size").fetch_one(&mut *connection).await?;
    let free = rustix::fs::statvfs(folder).map_err(|error| unusable(&error))?;
    refuse_without_room(u64::try_from(size).unwrap_or_default(), free.f_bavail.saturating_mul(free.f_frsize))
        .map_err(|why| unusable(&why))?;

    let backup = beside(database, &format!(".before-{}-to-{newest}", schema.version));
    let part = beside(&backup, ".part");
    create_private(&part).map_err(|error| unusable(&error))?;
    let copied = sqlx::query("vacuum into $1").bind(part.to_string_lossy()).execute(&mut *connection).await;
    let kept = copied.map_err(|error| unusable(&error)).and_then(|_| keep(&part, &backup, folder).map_err(|error| unusable(&error)));
    if let Err(error) = kept {
        let _ = fs::remove_file(&part); // what went wrong is said already
        return Err(error);
    }
    // A warning, because every command says those: whoever gave this one may not expect that it changes the tables.
    tracing::warn!(file = %backup.display(), from = schema.version, to = newest, "the database was copied before its tables are brought up to date");
    if let Err(error) = forget_old(database, folder) {
        tracing::warn!(%error, "old backups beside the database could not be removed");
    }
    Ok(())
}

fn refuse_without_room(needed: u64, free: u64) -> Result<(), String> {
    match needed <= free {
        true => Ok(()),
        false => Err(format!("it needs up to {needed} bytes, and the disk has {free} left")),
    }
}

/// `admit.db` and an end. A path need not be UTF-8.
pub(in crate::store) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}

/// SQLite writes into an empty file, and leaves its mode alone.
fn create_private(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map(|_| ())
}

/// Under its own name, it is whole and outlives a power failure.
fn keep(part: &Path, backup: &Path, folder: &Path) -> io::Result<()> {
    File::open(part)?.sync_all()?;
    fs::rename(part, backup)?;
    File::open(folder)?.sync_all()
}

fn forget_old(database: &Path, folder: &Path) -> io::Result<()> {
    by_age(database, folder)?.iter().skip(KEPT).try_for_each(fs::remove_file)
}

/// The newest copy that was made of this database before an upgrade.
pub(in crate::store) fn newest_backup(database: &Path) -> Option<PathBuf> {
    by_age(database, folder_of(database)).ok()?.into_iter().next()
}

/// Its copies, the newest first.
fn by_age(database: &Path, folder: &Path) -> io::Result<Vec<PathBuf>> {
    let name = database.file_name().unwrap_or_default().to_string_lossy();
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if is_backup_of(&name, &entry.file_name().to_string_lossy()) {
            found.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    found.sort();
    Ok(found.into_iter().rev().map(|(_, path)| path).collect())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn is_backup_of(database: &str, file: &str) -> bool {
    let versions = file.strip_prefix(database).and_then(|rest| rest.strip_prefix(".before-")).and_then(|rest| rest.split_once("-to-"));
    versions.is_some_and(|(from, to)| from.parse::<i64>().is_ok() && to.parse::<i64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_as_we_name_it_is_taken_for_ours() {
        assert!(is_backup_of("admit.db", "admit.db.before-7-to-12"));
        for other in ["admit.db", "admit.db-wal", "admit.db.before-7-to-12.part", "admit.db.before-upgrade", "other.db.before-7-to-12"] {
            assert!(!is_backup_of("admit.db", other), "{other}");
        }
    }

    #[test]
    fn a_disk_without_room_is_said_before_anything_is_written() {
        assert!(refuse_without_room(4096, 4096).is_ok());
        let refused = refuse_without_room(4097, 4096).expect_err("too little");
        assert!(refused.contains("4097") && refused.contains("4096"), "{refused}");
    }
}
