//! Where a database comes back to. At every moment, the old one is there or the new one, and never a half.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::{beside, elsewhere};
use crate::cli::Failure;
use crate::cli::backup::stamp;
use crate::cli::output::note;
use crate::store::{Error, Location, Schema, Settled, Store, settle};

/// What SQLite puts beside a database, and belongs to it: changes that are not in the file, or are to be taken back.
const JOURNALS: [&str; 2] = ["-wal", "-journal"];

/// What to do where PostgreSQL has something in it.
const EMPTY: &str = "restore into an empty database or schema, and let the servers use that one";

/// A place that may be taken.
pub(super) enum Place {
    /// A file, and whether there is one that it takes the place of.
    File { path: PathBuf, replaces: bool },
    /// An empty database.
    Server(Location),
}

impl Place {
    /// Refuses a place that is taken, before anything is read.
    pub(super) async fn look(database: &Location, may_replace: bool) -> Result<Self, Failure> {
        let Location::Sqlite(path) = database else {
            // To open it would bring its tables up to date; whether those of today are empty is seen in the transaction that fills them.
            let schema = Schema::of(database).await?;
            if schema.version > 0 && (!schema.pending.is_empty() || !schema.unknown.is_empty()) {
                return Err(Failure::conflict(format!("the database has tables of another version of Admit in it already; {EMPTY}")));
            }
            return Ok(Self::Server(database.clone()));
        };
        // Not the link to it, which would be replaced by the file.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        let replaces = fs::metadata(&path).is_ok_and(|file| file.len() > 0);
        if replaces && !may_replace {
            return Err(Failure::conflict(format!(
                "{} is there already. With --replace the restored one takes its place, and the old one is kept beside",
                path.display()
            )));
        }
        if !replaces && fs::metadata(journal_of(&path, "-wal")).is_ok_and(|journal| journal.len() > 0) {
            return Err(Failure::conflict(format!(
                "{} is there without its database, and would become part of the restored one: move it away first",
                journal_of(&path, "-wal").display()
            )));
        }
        Ok(Self::File { path, replaces })
    }

    /// Where the new one is prepared.
    pub(super) fn folder(&self) -> PathBuf {
        match self {
            Self::File { path, .. } => beside(path),
            Self::Server(_) => elsewhere(),
        }
    }

    /// Puts the restored database there. What it took the place of is kept, and named.
    pub(super) async fn put(self, restored: &Path, now: OffsetDateTime) -> Result<Option<PathBuf>, Failure> {
        match self {
            Self::File { path, replaces } => put_file(restored, &path, replaces, now).await,
            Self::Server(location) => {
                let (from, to) = (Store::open(&Location::Sqlite(restored.to_owned()), now).await?, Store::open(&location, now).await?);
                let copied = from.copy_to(&to).await;
                from.close().await;
                to.close().await;
                copied.map_err(|error| match error {
                    Error::NotEmpty { .. } => Failure::from(error).or_else(EMPTY),
                    other => other.into(),
                })?;
                Ok(None)
            }
        }
    }
}

async fn put_file(restored: &Path, path: &Path, replaces: bool, now: OffsetDateTime) -> Result<Option<PathBuf>, Failure> {
    let cannot = |error: io::Error| Failure::failed(&format!("the restored database cannot be put in place: {error}"));
    let folder = beside(path);
    let file = File::open(restored).map_err(cannot)?;
    take_over_owner(restored, if replaces { path } else { &folder }, replaces)?;
    file.sync_all().map_err(cannot)?;
    let mut kept = None;
    let mut _settled = None; // until the new one is there
    if replaces {
        let name = format!("{}.before-{}", path.file_name().unwrap_or_default().to_string_lossy(), stamp(now));
        let old = path.with_file_name(name);
        _settled = Some(keep(path, &old).await?);
        kept = Some(old);
    }
    fs::rename(restored, path).map_err(cannot)?;
    File::open(&folder).and_then(|folder| folder.sync_all()).map_err(cannot)?;
    Ok(kept)
}

/// Gives the old database a second name. Its journal must not stay: the restored one would take it for its own.
async fn keep(path: &Path, old: &Path) -> Result<Settled, Failure> {
    let cannot = |error: io::Error| {
        Failure::failed(&format!("{} cannot be kept as {}: {error}. Move it away, and try again", path.display(), old.display()))
    };
    // SQLite may throw away the journal of a database that it cannot read.
    for end in JOURNALS {
        absent_is_well(fs::hard_link(journal_of(path, end), journal_of(old, end))).map_err(cannot)?;
    }
    let settled = settle(path).await;
    let is_damaged = settled.outcome.as_ref().is_err_and(|error| !matches!(error, Error::Unavailable(_)));
    for end in JOURNALS {
        // All of it is in the one file now; or the file is damaged, and the journal is kept with it.
        absent_is_well(fs::remove_file(journal_of(if is_damaged { path } else { old }, end))).map_err(cannot)?;
    }
    if let Err(Error::Unavailable(why)) = &settled.outcome {
        return Err(Failure::unavailable(format!("{} is in use: {why}. Nothing was changed", path.display())));
    }
    absent_is_well(fs::remove_file(journal_of(path, "-shm"))).map_err(cannot)?;
    fs::hard_link(path, old).map_err(cannot)?;
    Ok(settled)
}

fn absent_is_well(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// The server may run as somebody else than who restores.
fn take_over_owner(restored: &Path, like: &Path, and_mode: bool) -> Result<(), Failure> {
    let cannot = |error: io::Error| Failure::failed(&format!("the restored database cannot be put in place: {error}"));
    let (ours, theirs) = (fs::metadata(restored).map_err(cannot)?, fs::metadata(like).map_err(cannot)?);
    if (ours.uid(), ours.gid()) != (theirs.uid(), theirs.gid()) && chown(restored, Some(theirs.uid()), Some(theirs.gid())).is_err() {
        note(
            "The restored database belongs to you, and not to the owner of the one before, or of its folder: see to it that the server can read and write it.",
        );
    }
    if and_mode {
        fs::set_permissions(restored, theirs.permissions()).map_err(cannot)?;
    }
    Ok(())
}

fn journal_of(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}
