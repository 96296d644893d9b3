//! Finds the master key, or makes one for a database that has no keys yet.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::Failure;
use crate::audit::Origin;
use crate::config::Config;
use crate::id::TenantId;
use crate::key::{BadMasterKey, MasterKey};
use crate::kms::{Kms, KmsError};
use crate::store::{Location, Store};

/// The master key: from `ADMIT_MASTER_KEY`, or from its file. Several stand there while it is changed, with white space
/// between: the first one seals. `kms:` and the name of a key of AWS KMS stands for one that KMS keeps for us.
///
/// # Errors
/// [`Failure`], where it is missing although the database has keys that only it can open.
pub(super) async fn find(config: &Config, store: &Store, now: OffsetDateTime) -> Result<MasterKey, Failure> {
    if let Some(text) = std::env::var_os("ADMIT_MASTER_KEY") {
        return parse(&text.to_string_lossy(), "ADMIT_MASTER_KEY", store, now).await;
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
    let text = match read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if !store.published_keys(&TenantId::default_tenant(), now).await?.is_empty() {
                return Err(Failure::failed(&format!(
                    "the database has signing keys, but the master key that opens them is not in {}. Restore that file, or set ADMIT_MASTER_KEY",
                    path.display()
                )));
            }
            make(&path)?
        }
        Err(error) => return Err(Failure::failed(&format!("the master key in {} cannot be read: {error}", path.display()))),
    };
    parse(&text, &path.display().to_string(), store, now).await
}

async fn parse(text: &str, place: &str, store: &Store, now: OffsetDateTime) -> Result<MasterKey, Failure> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut found: Option<MasterKey> = None;
    for word in words.iter().copied().chain(words.is_empty().then_some("")) {
        let next = match word.strip_prefix("kms:") {
            Some(name) => kept_by_kms(name, words.len() == 1, store, now).await?,
            None => MasterKey::parse(word).map_err(|error| Failure::usage(format!("{place}: {error}")))?,
        };
        found = Some(match found {
            None => next,
            Some(first) => first.before(next),
        });
    }
    found.ok_or_else(|| Failure::usage(format!("{place}: {BadMasterKey}")))
}

/// The master key that this key of KMS has wrapped. The database has it, and KMS alone can open it. The first time, one is
/// made.
async fn kept_by_kms(name: &str, is_alone: bool, store: &Store, now: OffsetDateTime) -> Result<MasterKey, Failure> {
    let tenant = TenantId::default_tenant();
    let failed = |error: KmsError| Failure::failed(&format!("the key {name} of KMS: {error}"));
    let kms = Kms::connect().await.map_err(failed)?;
    if store.wrapped_master_key(&tenant, name).await?.is_none() {
        if is_alone && !store.published_keys(&tenant, now).await?.is_empty() {
            return Err(Failure::failed(&format!(
                "the database has signing keys under another master key: name that one as well, after kms:{name}, until `admit key reseal` has been run"
            )));
        }
        let wrapped = kms.make(name, &tenant).await.map_err(failed)?;
        // Of several instances that start at once, one makes the key of all.
        store.keep_wrapped_master_key(&Origin::command(tenant.clone(), now), name, wrapped).await?;
    }
    let wrapped = store.wrapped_master_key(&tenant, name).await?.ok_or_else(|| failed(KmsError::Malformed))?;
    Ok(MasterKey::from(kms.open(name, &tenant, &wrapped).await.map_err(failed)?))
}

fn read(path: &Path) -> std::io::Result<Zeroizing<String>> {
    let text = Zeroizing::new(std::fs::read_to_string(path)?);
    let mode = std::fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!(file = %path.display(), "others can read the master key; `chmod 600` keeps it to its owner");
    }
    Ok(text)
}

/// `admit.key` for `admit.db`.
fn beside(database: &Path) -> PathBuf {
    database.with_extension("key")
}

/// Puts the file there whole or not at all: of two commands that begin a database at once, the
/// second one must find the first one's key, and never half of it.
fn make(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = MasterKey::generate().expose();
    let cannot = |error: std::io::Error| Failure::failed(&format!("the master key cannot be written to {}: {error}", path.display()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Only its owner can read a temporary file, and so it stays.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(cannot)?;
    writeln!(file, "{}", text.as_str()).and_then(|()| file.as_file().sync_all()).map_err(cannot)?;
    match file.persist_noclobber(path) {
        Ok(_) => {}
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => return read(path).map_err(cannot),
        Err(error) => return Err(cannot(error.error)),
    }
    // Its name must outlive a power failure as well: the database will hold keys that only it opens.
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(cannot)?;
    tracing::warn!(file = %path.display(), "a master key was made; keep a copy of it apart from the database: without it, the signing keys are lost");
    Ok(text)
}
