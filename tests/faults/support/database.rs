//! A look into the database from outside, while a server has it open.

use admit::store::Location;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

/// A connection that only reads.
pub enum Database {
    Sqlite(Box<SqliteConnection>),
    Postgres(Box<PgConnection>),
}

impl Database {
    pub async fn open(location: &Location) -> Self {
        match location {
            // A connection that may write would bring the journal in when it is the last to close.
            Location::Sqlite(path) => {
                let options = SqliteConnectOptions::new().filename(path).read_only(true);
                Self::Sqlite(Box::new(options.connect().await.expect("the database")))
            }
            Location::Postgres(url) => Self::Postgres(Box::new(primary(url).await)),
        }
    }

    /// The one number that a statement gives.
    pub async fn count(&mut self, statement: &str) -> i64 {
        let count: Result<i64, _> = match self {
            Self::Sqlite(connection) => sqlx::query_scalar(AssertSqlSafe(statement.to_owned())).fetch_one(&mut **connection).await,
            Self::Postgres(connection) => sqlx::query_scalar(AssertSqlSafe(statement.to_owned())).fetch_one(&mut **connection).await,
        };
        count.unwrap_or_else(|error| panic!("{statement}: {error}"))
    }

    /// The one column of text that a statement gives.
    pub async fn texts(&mut self, statement: &str) -> Vec<String> {
        let texts: Result<Vec<String>, _> = match self {
            Self::Sqlite(connection) => sqlx::query_scalar(AssertSqlSafe(statement.to_owned())).fetch_all(&mut **connection).await,
            Self::Postgres(connection) => sqlx::query_scalar(AssertSqlSafe(statement.to_owned())).fetch_all(&mut **connection).await,
        };
        texts.unwrap_or_else(|error| panic!("{statement}: {error}"))
    }
}

/// Of several hosts, the one that takes writes.
async fn primary(url: &str) -> PgConnection {
    let (before, rest) = url.split_once('@').expect("a user");
    let (hosts, after) = rest.split_once('/').expect("a database");
    for host in hosts.split(',') {
        let Ok(mut connection) = PgConnection::connect(&format!("{before}@{host}/{after}")).await else { continue };
        if sqlx::query_scalar("select not pg_is_in_recovery()").fetch_one(&mut connection).await.expect("its state") {
            return connection;
        }
    }
    panic!("none of {hosts} takes writes");
}
