//! SQLite's journal (the WAL) and its size, and whether it is still the one that others see.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A journal that grows beyond this is brought into the database, and again each time it has grown by
/// as much. Begun anew, the file stays as long as this: what is written over costs a disk less than
/// what makes a file longer.
pub(super) const LARGE: u64 = 16 << 20;
/// From here on somebody is told: a reader that stays keeps the journal from being brought in.
const ALARMING: u64 = 64 << 20;

/// A file by what it is, and not by what it is called.
type Identity = (u64, u64);

/// The database's files, and what has been noticed about them.
pub(super) struct Journal {
    /// The database, the journal's index, and the journal.
    files: [(PathBuf, Option<Identity>); 3],
    /// The size at which the journal is brought in next.
    due: u64,
    is_alarmed: bool,
}

/// What is written now is in a file that nobody finds.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Lost {
    /// There is no such file any more.
    #[error("{0} was removed while the database was open")]
    Removed(String),
    /// Somebody has put another one in its place.
    #[error("{0} was replaced while the database was open")]
    Replaced(String),
}

impl Lost {
    /// Whether nobody has put anything in the place of what is gone, or in place of the database.
    pub(super) fn is_removed(&self) -> bool {
        matches!(self, Self::Removed(_))
    }
}

impl Journal {
    /// Of a database that is open, so that all of its files are there.
    pub(super) fn of(database: &Path) -> Self {
        let file = |end: &str| {
            let mut path = database.as_os_str().to_owned();
            path.push(end);
            let path = PathBuf::from(path);
            let identity = std::fs::metadata(&path).ok().map(|data| (data.dev(), data.ino()));
            (path, identity)
        };
        Self { files: ["", "-shm", "-wal"].map(file), due: LARGE, is_alarmed: false }
    }

    /// The journal's size in bytes.
    ///
    /// # Errors
    /// [`Lost`]: nothing that was just committed may be acknowledged.
    pub(super) fn size(&self) -> Result<u64, Lost> {
        let (mut size, mut removed) = (0, None);
        for (path, identity) in &self.files {
            let data = std::fs::metadata(path).ok();
            match data.as_ref().map(|data| (data.dev(), data.ino())) {
                None => removed = removed.or(Some(path)),
                found if found != *identity => return Err(Lost::Replaced(path.display().to_string())),
                _ => {}
            }
            size = data.map_or(0, |data| data.len()); // the journal is the last one
        }
        removed.map_or(Ok(size), |path| Err(Lost::Removed(path.display().to_string())))
    }

    /// Whether a journal of this size is to be brought in. Says so, once each time that it becomes
    /// alarming.
    pub(super) fn is_due(&mut self, size: u64) -> bool {
        if size < ALARMING {
            self.is_alarmed = false;
        } else if !std::mem::replace(&mut self.is_alarmed, true) {
            tracing::warn!(
                mebibytes = size >> 20,
                "the database's journal grows: some other program has been reading the database for long, and must end"
            );
        }
        if size <= LARGE {
            self.due = LARGE;
        }
        let is_due = size > self.due;
        if is_due {
            self.due = size + LARGE;
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_journal_is_brought_in_each_time_that_it_has_grown_and_told_of_once() {
        let mut journal = Journal { files: ["a", "b", "c"].map(|name| (name.into(), None)), due: LARGE, is_alarmed: false };
        let mib = |count: u64| count << 20;
        let due: Vec<u64> = (1..=100).filter(|size| journal.is_due(mib(*size))).collect();
        assert_eq!(due, [17, 34, 51, 68, 85]);
        assert!(journal.is_alarmed);
        assert!(!journal.is_due(mib(1)) && !journal.is_alarmed);
        assert!(!journal.is_due(mib(16)) && journal.is_due(mib(17)));
    }
}
