//! What can go wrong with the database.

/// A fault of the store. It is ours to log and nobody else's to read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is there, but cannot take this now: locked, full, unreachable, or too much at once.
    #[error("the database cannot take this at the moment: {0}")]
    Unavailable(String),
    /// A stored value is not what we write.
    #[error("the database holds an invalid value in {table}.{column}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// A thing of this name is there already.
    #[error("it exists already")]
    Exists,
    /// Something else still hangs on it.
    #[error("it is still in use")]
    InUse,
    /// The database cannot be used at all, and why.
    #[error("{0}")]
    Unusable(String),
    /// Anything else.
    #[error("the database refused a statement")]
    Database(#[source] sqlx::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let unavailable = |error: &sqlx::Error| Self::Unavailable(error.to_string());
        match &error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed | sqlx::Error::Io(_) => unavailable(&error),
            sqlx::Error::Database(inner) if inner.is_unique_violation() => Self::Exists,
            sqlx::Error::Database(inner) if inner.is_foreign_key_violation() => Self::InUse,
            sqlx::Error::Database(inner) if inner.code().is_some_and(|code| is_passing(&code)) => unavailable(&error),
            _ => Self::Database(error),
        }
    }
}

/// SQLite: busy, locked, read-only, I/O error, full, cannot open (the primary code is the low byte).
/// PostgreSQL: connection faults, resources, shutdown, a statement that took too long, a read-only server.
fn is_passing(code: &str) -> bool {
    let sqlite = code.parse::<i32>().is_ok_and(|code| code.to_string().len() <= 4 && matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14));
    sqlite
        || (code.len() == 5
            && (["08", "53", "57"].iter().any(|class| code.starts_with(class)) || code == "25006" || code.starts_with("40")))
}
