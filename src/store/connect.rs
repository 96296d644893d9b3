//! Opens a database: SQLite by a path, PostgreSQL by a URL.

mod disk;
mod postgres;
mod sqlite;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use time::OffsetDateTime;

use super::{Error, Store};

pub(super) use postgres::connect as connect_to_postgres;
pub(super) use sqlite::turn;

/// Where the data is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A file of ours.
    Sqlite(PathBuf),
    /// `postgres://…`; its text may hold a password.
    Postgres(String),
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => f.write_str("Postgres(…)"),
        }
    }
}

impl FromStr for Location {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.strip_prefix("sqlite:") {
            Some(path) => Self::Sqlite(PathBuf::from(path)),
            // A misspelt scheme as well: it must not become a file whose name has a password in it.
            None if text.contains("://") => Self::Postgres(text.to_owned()),
            None => Self::Sqlite(PathBuf::from(text)),
        })
    }
}

/// Where the data is, and how it is to be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Where it is.
    pub location: Location,
    /// The most connections to PostgreSQL that one instance holds.
    pub connections: u32,
    /// How long a write to SQLite waits for its turn and its commit before it is told to come back later.
    pub patience: Duration,
    /// Whether SQLite may be on a network file system.
    pub allow_network_disk: bool,
}

impl From<&Location> for Options {
    fn from(location: &Location) -> Self {
        Self { location: location.clone(), connections: CONNECTIONS, patience: PATIENCE, allow_network_disk: false }
    }
}

impl From<&Self> for Options {
    fn from(options: &Self) -> Self {
        options.clone()
    }
}

/// Connections to PostgreSQL, where nobody says otherwise.
const CONNECTIONS: u32 = 16;
/// How long a request waits for the database; then the answer is 503.
const PATIENCE: Duration = Duration::from_secs(2);

impl Store {
    /// Opens the database, makes it where it is not there, and brings its tables up to date.
    ///
    /// # Errors
    /// [`Error::Unusable`] says what to do; [`Error::Unavailable`], where it does not answer.
    pub async fn open(options: impl Into<Options>, now: OffsetDateTime) -> Result<Self, Error> {
        let Options { location, connections, patience, allow_network_disk } = options.into();
        let store = match &location {
            Location::Sqlite(path) => sqlite::open(path, patience, allow_network_disk).await?,
            Location::Postgres(url) => postgres::open(url, connections).await?,
        };
        store.ensure_default_tenant(now).await?;
        Ok(store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_never_taken_for_a_file() {
        for url in ["postgres://u:hunter2@h/d", "postgresql://h/d", "Postgres://u:hunter2@h/d", "postgre://u:hunter2@h/d"] {
            assert!(matches!(url.parse(), Ok(Location::Postgres(own)) if own == url), "{url}");
        }
        for (text, path) in [("admit.db", "admit.db"), ("sqlite:/var/a.db", "/var/a.db"), ("sqlite:///var/a.db", "///var/a.db")] {
            assert_eq!(text.parse(), Ok(Location::Sqlite(PathBuf::from(path))));
        }
    }
}
