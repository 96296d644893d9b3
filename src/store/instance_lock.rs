//! One server per SQLite database: what a running server keeps in memory about its file (who waits
//! to write, which FHIR bases there are) is right only while nobody else serves it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::{Error, Location};

/// Held by the one process that serves an SQLite database, or replaces it as a whole. It ends with
/// this value, or with the process, however that ends. PostgreSQL has any number of instances, and
/// nothing is locked there.
///
/// The lock is an advisory one (`flock`) on a file beside the database, which stays when it is
/// free: who deletes a lock file lets two in, one by the old file and one by the new.
#[derive(Debug)]
#[must_use = "it ends when it is dropped"]
pub struct InstanceLock {
    _file: Option<File>,
}

impl InstanceLock {
    /// Takes it, or says at once who has it.
    ///
    /// # Errors
    /// [`Error::Unusable`], where another process has it, or the file cannot be made or locked.
    pub fn take(location: &Location) -> Result<Self, Error> {
        let Location::Sqlite(database) = location else { return Ok(Self { _file: None }) };
        let path = path_beside(database);
        let unusable = |error: io::Error| Error::Unusable(format!("{} cannot be locked: {error}", path.display()));
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(unusable)?;
        }
        let mut file = open(&path, database).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Unusable(in_use(database, &mut file))),
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        // Only for the message above: the lock holds without it, on a full disk as well.
        let _ = file.set_len(0).and_then(|()| file.write_all(format!("{}\n", std::process::id()).as_bytes()));
        Ok(Self { _file: Some(file) })
    }
}

/// A command of root's must not leave a lock behind that the server may not open. Nor must it follow a link of
/// somebody who may write beside the database to a file that is root's.
fn open(path: &Path, database: &Path) -> io::Result<File> {
    #[expect(clippy::cast_possible_wrap, reason = "flags are bits, and the system's own type for them has a sign")]
    let no_link = OFlags::NOFOLLOW.bits() as i32;
    let options = OpenOptions::new().read(true).write(true).mode(0o600).custom_flags(no_link).to_owned();
    match options.clone().create_new(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.open(path),
        made => made.inspect(|lock| {
            if let Ok(like) = std::fs::metadata(database) {
                let _ = fchown(lock, Some(like.uid()), Some(like.gid())); // only root may give files away, and only root has to
            }
        }),
    }
}

/// Beside the file itself, not beside a link to it: one database has one lock.
fn path_beside(database: &Path) -> PathBuf {
    let mut path = std::fs::canonicalize(database).unwrap_or_else(|_| database.to_owned()).into_os_string();
    path.push(".lock");
    path.into()
}

fn in_use(database: &Path, lock: &mut File) -> String {
    let mut text = String::new();
    let holder = lock.take(32).read_to_string(&mut text).ok().and_then(|_| text.trim().parse::<u32>().ok());
    let holder = holder.map_or_else(String::new, |process| format!(" (process {process})"));
    format!(
        "the database {} is in use by another admit{holder}: stop that one first; several instances at once need PostgreSQL",
        database.display()
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn database(dir: &tempfile::TempDir) -> Location {
        Location::Sqlite(dir.path().join("new").join("admit.db"))
    }

    #[test]
    fn one_process_at_a_time_has_the_lock_and_the_others_learn_who() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let first = InstanceLock::take(&database(&dir)).expect("nobody has it");
        let refused = InstanceLock::take(&database(&dir)).expect_err("somebody has it").to_string();
        assert!(refused.contains(&format!("in use by another admit (process {})", std::process::id())), "{refused}");
        drop(first);
        drop(InstanceLock::take(&database(&dir)).expect("it is free again"));
        let file = std::fs::metadata(dir.path().join("new/admit.db.lock")).expect("the file stays");
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_link_to_the_database_leads_to_the_same_lock() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (real, link) = (dir.path().join("real.db"), dir.path().join("link.db"));
        std::fs::write(&real, "").expect("a file");
        std::os::unix::fs::symlink(&real, &link).expect("a link");
        let _first = InstanceLock::take(&Location::Sqlite(real)).expect("nobody has it");
        assert!(InstanceLock::take(&Location::Sqlite(link)).is_err());
    }

    #[test]
    fn a_lock_file_without_a_number_in_it_names_nobody() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let location = Location::Sqlite(dir.path().join("admit.db"));
        let _first = InstanceLock::take(&location).expect("nobody has it");
        for odd in ["", "garbage", "-1"] {
            std::fs::write(dir.path().join("admit.db.lock"), odd).expect("written");
            let refused = InstanceLock::take(&location).expect_err("somebody has it").to_string();
            assert!(refused.contains("in use by another admit: stop"), "{refused}");
        }
    }

    /// Where the tests run as root, who alone can give files away.
    #[test]
    fn the_lock_belongs_to_whom_the_database_belongs() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let database = dir.path().join("admit.db");
        std::fs::write(&database, "").expect("a file");
        let is_root = std::os::unix::fs::chown(&database, Some(65_534), Some(65_534)).is_ok();
        let _lock = InstanceLock::take(&Location::Sqlite(database.clone())).expect("nobody has it");
        let owner = |path: &Path| std::fs::metadata(path).map(|data| (data.uid(), data.gid())).expect("a file");
        assert_eq!(owner(&dir.path().join("admit.db.lock")), owner(&database));
        assert!(!is_root || owner(&database) == (65_534, 65_534));
    }

    #[test]
    fn a_link_in_the_place_of_the_lock_is_not_followed() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (database, other) = (dir.path().join("admit.db"), dir.path().join("other"));
        std::fs::write(&other, "somebody's").expect("a file");
        std::os::unix::fs::symlink(&other, dir.path().join("admit.db.lock")).expect("a link");
        assert!(InstanceLock::take(&Location::Sqlite(database)).is_err());
        assert_eq!(std::fs::read_to_string(&other).ok().as_deref(), Some("somebody's"));
    }

    #[test]
    fn on_postgresql_nothing_is_locked() {
        let location: Location = "postgres://db.test/admit".parse().expect("a location");
        let _first = InstanceLock::take(&location).expect("no lock");
        let _second = InstanceLock::take(&location).expect("no lock");
    }
}
