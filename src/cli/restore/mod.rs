//! `admit restore`: a backup comes back, and nothing that was good once with it.

mod place;
mod source;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use time::OffsetDateTime;

use super::backup::{folder_of, private_folder};
use super::output::{Output, Record, at, note};
use super::{Failure, master_key};
use crate::audit::Origin;
use crate::clock::Clock;
use crate::config::Config;
use crate::id::TenantId;
use crate::keys::KeyRing;
use crate::store::{Error, InstanceLock, Location, Restored, Store, revive};
use place::Place;

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Restore {
    #[command(flatten)]
    output: Output,
    /// The backup, or an SQLite database such as `litestream restore` writes; - for standard input
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// A file with the age identity that opens it
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_file")]
    identity_file: Option<PathBuf>,
    /// A file with the passphrase that opens it, or - for standard input [default: asked for, on a terminal]
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Take the place of the SQLite database that is there; it is kept beside, under another name
    #[arg(long)]
    replace: bool,
    /// Revoke every key that signs tokens: the next server makes new ones, and validators with embedded keys need them
    #[arg(long)]
    revoke_keys: bool,
}

const EXAMPLES: &str = "\
Examples:
  admit restore --from admit-20261122T030000Z.backup.age              asks for the passphrase
  admit restore --from monday.age --identity-file key.txt --replace
  aws s3 cp s3://backups/admit.age - | admit restore --from - --identity-file key.txt
  admit --database postgres://db.example/admit restore --from monday.age --identity-file key.txt

Every session, code, launch, grant and token of before ends: everybody signs in again, and allows their apps again.";

/// What happened after the backup was made is not in it, and has to be done again by whoever knows of it.
const TO_BE_DONE_AGAIN: &str = "user.disabled user.password_set client.disabled client.deleted client.secret_rotated client.keys_changed \
     client.changed client.updated key.revoked key.rotated patient.closed_to fhir_base.changed fhir_base.updated fhir_base.removed \
     registration_token.deleted";

pub(super) async fn run(config: Config, asked: Restore) -> Result<(), Failure> {
    let _alone = InstanceLock::take(&config.database)?;
    let place = Place::look(&config.database, asked.replace).await?;
    let work = private_folder(&place.folder())?;
    let file = work.path().join("restored.db");
    let from = asked.from.clone();
    let unpacked = {
        let (file, identities, passphrase) = (file.clone(), asked.identity_file.clone(), asked.passphrase_file.clone());
        tokio::task::spawn_blocking(move || source::unpack(&from, identities.as_deref(), passphrase.as_deref(), &file))
    };
    let taken_at = unpacked.await.map_err(|error| Failure::failed(&error))??;

    let origin = Origin::command(TenantId::default_tenant(), Clock::System.now());
    let source = match taken_at {
        Some(taken_at) => format!("backup of {}", at(taken_at).as_str().unwrap_or_default()),
        None => "SQLite database".to_owned(),
    };
    let restored = revive(&file, &origin, &source, asked.revoke_keys).await.map_err(|error| match error {
        Error::Unusable(why) => Failure::failed(&format!("{} cannot be restored: {why}", asked.from.display())),
        other => other.into(),
    })?;
    let sealed = check_keys(&config, &file, &origin).await?;
    let kept = place.put(&file, origin.now).await?;
    tell(&restored, taken_at, sealed.as_deref(), kept.as_deref());
    wait_for(restored.valid_from).await;
    asked.output.one(&describe(&config.database, &restored, taken_at, kept.as_deref()))
}

/// Why the signing keys cannot be opened here, if they cannot.
async fn check_keys(config: &Config, file: &Path, origin: &Origin) -> Result<Option<String>, Failure> {
    let store = Store::open(&Location::Sqlite(file.to_owned()), origin.now).await?;
    let found = match store.published_keys(&origin.tenant, origin.now).await?.is_empty() {
        true => Ok(()),
        false => match master_key::find(config, &store, origin.now).await {
            Ok(master) => {
                KeyRing::new(origin.tenant.clone(), master).current(&store, origin.now).await.map(|_| ()).map_err(|why| why.to_string())
            }
            Err(failure) => Err(failure.to_string()),
        },
    };
    store.close().await;
    Ok(found.err())
}

fn tell(restored: &Restored, taken_at: Option<OffsetDateTime>, sealed: Option<&str>, kept: Option<&Path>) {
    let said = |time: OffsetDateTime| at(time).as_str().unwrap_or_default().to_owned();
    note(&format!("Everything that was given before has ended: {}.", restored.ended));
    if let Some(since) = taken_at.or(restored.known_until) {
        note(&format!(
            "What happened after {} is not in it. Look in the log store for these events of the audit trail since then,",
            said(since)
        ));
        note(&format!("and do again what has to be: {TO_BE_DONE_AGAIN}."));
    }
    if restored.ended.keys == 0 {
        note("A key that was revoked since signs again: revoke it before you start a server, or restore with --revoke-keys.");
        note("Validators that look at signatures alone let access tokens of before in until they expire, within ten minutes.");
    } else {
        note(
            "The keys that signed tokens are revoked, and the next server makes new ones: give them to validators that have keys embedded.",
        );
    }
    if let Some(why) = sealed {
        note(&format!("No server can start yet, for the signing keys cannot be opened: {why}."));
    }
    if let Some(kept) = kept {
        note(&format!("The database of before is {}; delete it when you need it no more.", kept.display()));
    }
}

/// What is issued before this second is refused: a server that starts at once would refuse its own tokens.
async fn wait_for(valid_from: OffsetDateTime) {
    let ahead = valid_from - Clock::System.now();
    match Duration::try_from(ahead) {
        Ok(wait) if wait <= Duration::from_secs(1) => tokio::time::sleep(wait).await,
        Ok(_) => note(&format!(
            "The clock of this machine is behind: until {} a server refuses the tokens that it issues. Set the clock first.",
            at(valid_from).as_str().unwrap_or_default()
        )),
        Err(_) => {} // it has come
    }
}

fn describe(database: &Location, restored: &Restored, taken_at: Option<OffsetDateTime>, kept: Option<&Path>) -> Record {
    let ended = restored.ended;
    let database = match database {
        Location::Sqlite(path) => path.to_string_lossy().into_owned(),
        Location::Postgres(_) => "PostgreSQL".to_owned(), // the URL may hold a password
    };
    Record::default()
        .with("database", database)
        .with("taken_at", taken_at.map(at))
        .with("known_until", restored.known_until.map(at))
        .with("valid_from", at(restored.valid_from))
        .with("ended_sessions", ended.sessions)
        .with("ended_flows", ended.flows)
        .with("ended_launches", ended.launches)
        .with("ended_grants", ended.grants)
        .with("forgotten_decisions", ended.decisions)
        .with("ended_registration_tokens", ended.registration_tokens)
        .with("revoked_keys", ended.keys)
        .with("kept", kept.map(|path| path.to_string_lossy().into_owned()))
}

/// Where temporary files of a restore to PostgreSQL lie.
fn elsewhere() -> PathBuf {
    std::env::temp_dir()
}

/// See [`folder_of`].
fn beside(path: &Path) -> PathBuf {
    folder_of(path).to_owned()
}
