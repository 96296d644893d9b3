//! What an administrator's command works with: the database, and the moment at which it was given.

use std::time::Duration;

use time::OffsetDateTime;

use super::{Failure, master_key};
use crate::audit::{Entry, Origin};
use crate::clock::Clock;
use crate::config::Config;
use crate::id::TenantId;
use crate::key::Purpose;
use crate::keys::{KeyError, KeyRing};
use crate::label::is_deceptive;
use crate::store::{Location, Options, Store};
use crate::tenant::FhirBase;
use crate::token::Algorithm;

/// How long a command waits for its turn at SQLite, and for its work to be written: nobody is held up
/// by one that waits, and an import's transactions are long.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Desk {
    config: Config,
    pub(super) store: Store,
    pub(super) origin: Origin,
}

impl Desk {
    /// At a database that is there: a misspelt `--database` must not make an empty one.
    pub(super) async fn open(config: Config) -> Result<Self, Failure> {
        refuse_missing(&config.database)?;
        Self::open_or_make(config).await
    }

    /// At a database that may have to be made: the first commands of a new installation.
    pub(super) async fn open_or_make(config: Config) -> Result<Self, Failure> {
        let now = Clock::System.now();
        let options = Options { patience: PATIENCE, ..config.database_options() };
        let store = Store::open(options, now).await?;
        Ok(Self { config, store, origin: command(now) })
    }

    /// Writes down that the command reads what is about people, before it shows it.
    pub(super) async fn reads(&self, what: &str) -> Result<(), Failure> {
        self.reads_about(what, |entry| entry).await
    }

    /// The same, of somebody or something in particular.
    pub(super) async fn reads_about(&self, what: &str, whom: impl FnOnce(Entry) -> Entry) -> Result<(), Failure> {
        Ok(self.store.audit(&self.origin, whom(Entry::done("admin.read").detail(what))).await?)
    }

    pub(super) fn tenant(&self) -> &TenantId {
        &self.origin.tenant
    }

    /// The keys. Those that are there were opened, so that nothing is ever sealed under a wrong
    /// master key: the server could not open it, and would stop signing.
    pub(super) async fn keys(&self) -> Result<KeyRing, Failure> {
        Ok(self.opened_keys().await??)
    }

    /// The same. The outer failure says why there is no master key, the inner one what is wrong with the keys.
    pub(super) async fn opened_keys(&self) -> Result<Result<KeyRing, KeyError>, Failure> {
        let master = master_key::find(&self.config, &self.store, self.origin.now).await?;
        let keys = KeyRing::new(self.tenant().clone(), master);
        Ok(keys.current(&self.store, self.origin.now).await.map(|_| keys))
    }

    /// Makes the key that is needed, unless it is there. Only where it is not, the master key is
    /// asked for.
    pub(super) async fn ensure_key(&self, purpose: Purpose, algorithm: Algorithm) -> Result<(), Failure> {
        let published = self.store.published_keys(self.tenant(), self.origin.now).await?;
        if published.iter().any(|key| key.purpose == purpose && key.algorithm == algorithm && key.retired_at.is_none()) {
            return Ok(());
        }
        Ok(self.keys().await?.ensure(&self.store, &self.origin, purpose, algorithm).await?)
    }

    /// The FHIR base of this name, or the only one there is.
    pub(super) async fn fhir_base(&self, named: Option<&str>) -> Result<FhirBase, Failure> {
        let mut bases = self.store.fhir_bases(self.tenant()).await?;
        match (named, bases.len()) {
            (_, 0) => Err(Failure::not_found("there is no FHIR base yet: add one with `admit fhir-base add NAME --url URL`")),
            (Some(name), _) => match bases.into_iter().find(|base| base.name == name) {
                Some(base) => Ok(base),
                None => Err(Failure::not_found(format!("there is no FHIR base {name:?}: `admit fhir-base list` shows those there are"))),
            },
            (None, 1) => Ok(bases.remove(0)),
            (None, _) => {
                let names: Vec<&str> = bases.iter().map(|base| base.name.as_str()).collect();
                Err(Failure::usage(format!("there are several FHIR bases ({}): say which with --fhir-base", names.join(", "))))
            }
        }
    }
}

/// A command that somebody gives at this moment.
pub(super) fn command(now: OffsetDateTime) -> Origin {
    Origin::command(TenantId::default_tenant(), now).by(operator())
}

/// A misspelt name must not make an empty database.
pub(super) fn refuse_missing(database: &Location) -> Result<(), Failure> {
    match database {
        Location::Sqlite(path) if !path.exists() => Err(Failure::unavailable(format!(
            "there is no database {}: name the right one with --database, or make it with `admit serve` or `admit fhir-base add`",
            path.display()
        ))),
        _ => Ok(()),
    }
}

/// Who gives the command, as the operating system knows them: the effective user, and who became that user by sudo.
/// The number is the system's word; names come from the environment, and are as good as whoever set it.
fn operator() -> String {
    let uid = rustix::process::geteuid().as_raw();
    let name =
        |variable| std::env::var(variable).ok().filter(|name: &String| !name.is_empty() && name.len() <= 64 && !is_deceptive_text(name));
    match (name("SUDO_USER"), name("USER").or_else(|| name("LOGNAME"))) {
        (Some(person), _) => format!("{person} by sudo (uid {uid})"),
        (None, Some(person)) => format!("{person} (uid {uid})"),
        (None, None) => format!("uid {uid}"),
    }
}

/// Whether a name could steer a terminal, or look like another one.
fn is_deceptive_text(name: &str) -> bool {
    name.chars().any(|c| is_deceptive(c) || c.is_whitespace())
}
