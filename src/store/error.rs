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
    /// Only an empty database will do, and this one is not.
    #[error("the database is not empty: there is something in {table} already")]
    NotEmpty {
        /// The first table that has rows.
        table: String,
    },
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
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => unavailable(&error),
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => unavailable(&error),
            sqlx::Error::Database(inner) if inner.is_unique_violation() => Self::Exists,
            sqlx::Error::Database(inner) if inner.is_foreign_key_violation() => Self::InUse,
            sqlx::Error::Database(inner) if inner.code().is_some_and(|code| is_passing(&code)) => unavailable(&error),
            _ => Self::Database(error),
        }
    }
}

/// Whether it may go well in a moment. SQLite: busy, locked, read-only, I/O error, full, cannot open
/// (the primary code is the low byte).
///
/// PostgreSQL: connection faults (08), a server that only reads (25006) or ended a session that waited
/// too long (25P03), a refused log-in (28), no such database (3D), deadlock and serialization (40), a
/// lock that was not to be had in time (55P03), resources (53), shutdown and a statement that took too
/// long (57), and I/O errors (58). Nothing of the transaction has happened then, and whoever asked may
/// ask again: a transaction begins with the statement that claims what it needs.
fn is_passing(code: &str) -> bool {
    let sqlite = code.parse::<i32>().is_ok_and(|code| code.to_string().len() <= 4 && matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14));
    let postgres = ["08", "25006", "25P03", "28", "3D", "40", "53", "55P03", "57", "58"];
    sqlite || (code.len() == 5 && postgres.iter().any(|class| code.starts_with(class)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_from_what_stays() {
        for passing in ["40001", "40P01", "55P03", "57014", "57P01", "25006", "53300", "53100", "08006", "28P01", "5", "13", "2570"] {
            assert!(is_passing(passing), "{passing}");
        }
        for lasting in ["23505", "42601", "42P01", "22021", "25P02", "1", "11", "19", "2067", "40", "garbage"] {
            assert!(!is_passing(lasting), "{lasting}");
        }
    }
}
