//! Finds the master key, or makes one for a database that has no keys yet.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::Failure;
use crate::config::Config;
use crate::id::TenantId;
use crate::key::MasterKey;
use crate::store::{Location, Store};

/// The master key: from `ADMIT_MASTER_KEY`, or from its file.
///
/// # Errors
/// [`Failure`], where it is missing although the database has keys that only it can open.
pub(super) async fn find(config: &Config, store: &Store, now: OffsetDateTime) -> Result<MasterKey, Failure> {
    if let Some(text) = std::env::var_os("ADMIT_MASTER_KEY") {
        let text = text.to_string_lossy();
        return MasterKey::parse(&text).map_err(|error| Failure::usage(format!("ADMIT_MASTER_KEY: {error}")));
    }
    let path = match (&config.master_key_file, &config.database) {
        (Some(path), _) => path.clone(),
        (None, Location::Sqlite(database)) => beside(database),
        (None, Location::Postgres(_)) => {
            return Err(Failure::usage(
                "with PostgreSQL, say where the master key is: ADMIT_MASTER_KEY, or --master-key-file. Every instance needs the same one",
            ));
        }
    };
    match read(&path) {
        Ok(parsed) => parsed,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if store.published_keys(&TenantId::default_tenant(), now).await?.is_empty() {
                make(&path)
            } else {
                Err(Failure::failed(&format!(
                    "the database has signing keys, but the master key that opens them is not in {}. Restore that file, or set ADMIT_MASTER_KEY",
                    path.display()
                )))
            }
        }
        Err(error) => Err(Failure::failed(&format!("the master key in {} cannot be read: {error}", path.display()))),
    }
}

/// The outer error says why there is no text, the inner one what is wrong with it.
fn read(path: &Path) -> std::io::Result<Result<MasterKey, Failure>> {
    let text = std::fs::read_to_string(path)?;
    let mode = std::fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!(file = %path.display(), "others can read the master key; `chmod 600` keeps it to its owner");
    }
    Ok(MasterKey::parse(&text).map_err(|error| Failure::failed(&format!("{}: {error}", path.display()))))
}

/// `admit.key` for `admit.db`.
fn beside(database: &Path) -> PathBuf {
    database.with_extension("key")
}

/// Puts the file there whole or not at all: of two commands that begin a database at once, the
/// second one must find the first one's key, and never half of it.
fn make(path: &Path) -> Result<MasterKey, Failure> {
    let key = MasterKey::generate();
    let cannot = |error: std::io::Error| Failure::failed(&format!("the master key cannot be written to {}: {error}", path.display()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Only its owner can read a temporary file, and so it stays.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(cannot)?;
    writeln!(file, "{}", key.expose()).and_then(|()| file.as_file().sync_all()).map_err(cannot)?;
    match file.persist_noclobber(path) {
        Ok(_) => {}
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => return read(path).map_err(cannot)?,
        Err(error) => return Err(cannot(error.error)),
    }
    // Its name must outlive a power failure as well: the database will hold keys that only it opens.
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(cannot)?;
    tracing::warn!(file = %path.display(), "a master key was made; keep a copy of it apart from the database: without it, the signing keys are lost");
    Ok(key)
}
