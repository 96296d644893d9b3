//! The store: SQL lives here and nowhere else. Its methods are use cases, its answers enums.
//!
//! The house rules of SQL:
//! 1. Columns are `text` or `bigint`; digests and sealed keys are base64url text. Times are Unix
//!    seconds (microseconds where the name ends in `_us`). Lists are JSON, or space-separated text as on the wire.
//! 2. No booleans: a nullable time says whether and when. No `exists(…)`, `x is null` or `sum()` among the
//!    result columns, whose types differ between databases; `count(*)` does not.
//! 3. SQL is a static string beside its function, in lower case, with `$1` placeholders. One text for both databases.
//!    What walks over every table is made from the database's own catalogue, in [`catalogue`] alone.
//! 4. Rows are private structs of primitives; `TryFrom<Row>` parses them or says [`Error::Corrupt`].
//! 5. Time comes in as `now`; there is no `now()` in SQL.
//! 6. **Claim first.** One guarded `update … returning`, or an insert into a unique index, decides every
//!    one-time thing, and a transaction begins with the write that takes what it needs.
//! 7. A time that lies ahead or behind is compared as `+expires_at`, wherever something better finds the row: SQLite knows
//!    nothing of how the values lie, and would read all that is not over by the index that the purge needs.
//! 8. Every table carries the tenant, and every statement names it.
//! 9. All writes to SQLite go through one connection that commits the waiting ones together ([`writer`]).

mod assertion;
mod audit;
mod audit_chain;
mod audit_tail;
mod catalogue;
mod check;
mod client;
mod client_page;
mod client_survey;
mod clock;
mod connect;
mod consent;
mod copy;
mod encounter;
mod error;
mod fhir_base;
mod flow;
mod grant;
mod import;
mod instance_lock;
mod job;
mod journal;
mod key;
mod known;
mod launch;
mod master_key;
mod migrate;
mod panel;
mod patient;
mod pool;
mod purge;
mod readers;
mod refresh;
mod registration;
mod reseal;
mod restore;
mod session;
mod snapshot;
mod standing;
mod status;
mod term;
mod throttle;
mod token;
mod user;
mod writer;

use futures_util::future::BoxFuture;
use sqlx::{PgConnection, SqliteConnection};
use time::OffsetDateTime;

pub use audit::{AuditRow, AuditSelection};
pub use audit_chain::{AuditChain, AuditKey, StoredCheckpoint};
pub use check::{Checked, Finding};
pub use client::NewClient;
pub use client_page::{ClientPage, Logo};
pub use connect::{Location, Options};
pub use copy::Copied;
pub use error::Error;
pub use flow::{Fact, NewFlow};
pub use grant::{Finished, Issued, NewGrant, Redemption};
pub use instance_lock::InstanceLock;
pub use key::StoredKey;
pub use known::Known;
pub use launch::NewLaunch;
pub use migrate::Schema;
pub use panel::Opened;
pub use patient::{ImportedPatient, Opener};
pub use refresh::{Rotation, RotationRequest};
pub use registration::{RegistrationToken, SelfRegistered};
pub use reseal::Resealed;
pub use restore::{Ended, Restored, Settled, revive, settle};
pub use session::NewSession;
pub use snapshot::{Snapshot, snapshot};
pub use standing::{Revoked, Selection, Standing};
pub use status::{FileStatus, Status, others_at};
pub use throttle::{Allowance, Attempt};
pub use user::NewUser;

/// The database, whichever it is.
#[derive(Clone)]
pub struct Store {
    pools: Pools,
    known_bases: std::sync::Arc<fhir_base::KnownBases>,
}

#[derive(Clone)]
enum Pools {
    Sqlite { readers: readers::Readers, writer: writer::Writer },
    Postgres(pool::Pool),
}

/// A connection inside a transaction.
enum Conn<'c> {
    Sqlite(&'c mut SqliteConnection),
    /// With the audit entry by which its transaction is found again, once there is one.
    Postgres(&'c mut PgConnection, &'c mut Option<pool::Mark>),
}

/// Fetches by a statement on whichever connection is there: `on!(conn, c => query.fetch_one(c))`.
macro_rules! on {
    ($conn:expr, $c:ident => $statement:expr) => {
        match $conn {
            $crate::store::Conn::Sqlite(connection) => {
                let $c = &mut **connection;
                $statement.await
            }
            $crate::store::Conn::Postgres(connection, _) => {
                let $c = &mut **connection;
                $crate::store::pool::within($statement).await
            }
        }
    };
}

/// Executes a statement on whichever connection is there, and says how many rows it changed.
macro_rules! change {
    ($conn:expr, $statement:expr) => {
        match $conn {
            $crate::store::Conn::Sqlite(connection) => $statement.execute(&mut **connection).await.map(|done| done.rows_affected()),
            $crate::store::Conn::Postgres(connection, _) => {
                $crate::store::pool::within($statement.execute(&mut **connection)).await.map(|done| done.rows_affected())
            }
        }
    };
}

/// Runs a statement that only reads, on whichever connections are there.
macro_rules! read {
    ($store:expr, $c:ident => $statement:expr) => {
        match &$store.pools {
            $crate::store::Pools::Sqlite { readers, .. } => match readers.take().await {
                Ok(mut reader) => {
                    let answer = {
                        let $c = &mut *reader;
                        $statement.await
                    };
                    readers.give_back(reader, &answer);
                    answer
                }
                Err(error) => Err(error),
            },
            $crate::store::Pools::Postgres(pool) => match pool.take().await {
                Ok(mut connection) => {
                    let answer = {
                        let $c = &mut *connection;
                        $crate::store::pool::within($statement).await
                    };
                    connection.give_back(&answer);
                    answer
                }
                Err(error) => Err(error),
            },
        }
    };
}

use {change, on, read};

impl Store {
    /// Does `work` in a transaction: all of it or nothing. It runs once, and its answer comes
    /// after the commit.
    async fn write<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(Conn<'c>) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
    {
        match &self.pools {
            Pools::Sqlite { writer, .. } => writer.run(work).await,
            Pools::Postgres(pool) => pool.run(work).await,
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`Error`], where it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        let one: Result<i64, sqlx::Error> = read!(self, c => sqlx::query_scalar("select count(*) from tenant").fetch_one(c));
        one.map(|_| ()).map_err(Error::from)
    }

    /// Lets go of every connection, once what is asked for already is done. SQLite's journal is
    /// then back in the database, which is one file again.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { readers, writer } => {
                readers.close().await;
                writer.close().await; // last: the last connection to close brings the journal in
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

fn seconds(at: OffsetDateTime) -> i64 {
    at.unix_timestamp()
}

/// A stored time; `None` where the number is outside of the calendar.
fn time(table: &'static str, column: &'static str, seconds: i64) -> Result<OffsetDateTime, Error> {
    OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| Error::Corrupt { table, column })
}

/// A stored list in JSON.
fn list(table: &'static str, column: &'static str, json: &str) -> Result<Vec<String>, Error> {
    serde_json::from_str(json).map_err(|_| Error::Corrupt { table, column })
}

fn json(list: &[impl AsRef<str>]) -> String {
    serde_json::Value::from(list.iter().map(AsRef::as_ref).collect::<Vec<&str>>()).to_string()
}
