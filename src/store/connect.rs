//! Opens a database: SQLite by a path, PostgreSQL by a URL.

mod postgres;
mod sqlite;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

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
        Ok(if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Self::Postgres(text.to_owned())
        } else {
            Self::Sqlite(PathBuf::from(text.strip_prefix("sqlite:").unwrap_or(text)))
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
}

impl From<&Location> for Options {
    fn from(location: &Location) -> Self {
        Self { location: location.clone(), connections: CONNECTIONS }
    }
}

impl From<&Self> for Options {
    fn from(options: &Self) -> Self {
        options.clone()
    }
}

/// Connections to PostgreSQL, where nobody says otherwise.
const CONNECTIONS: u32 = 16;

impl Store {
    /// Opens the database, makes it where it is not there, and brings its tables up to date.
    ///
    /// # Errors
    /// [`Error::Unusable`] says what to do; [`Error::Unavailable`], where it does not answer.
    pub async fn open(options: impl Into<Options>, now: OffsetDateTime) -> Result<Self, Error> {
        let Options { location, connections } = options.into();
        let store = match &location {
            Location::Sqlite(path) => sqlite::open(path).await?,
            Location::Postgres(url) => postgres::open(url, connections).await?,
        };
        store.ensure_default_tenant(now).await?;
        Ok(store)
    }
}
