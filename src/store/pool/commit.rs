//! Transactions on PostgreSQL, and what became of one whose connection was lost while it committed.
//!
//! Such a commit may have happened or not. Each transaction that matters writes an audit entry; if
//! that is seen on another connection, all of the transaction happened. Where it is not seen within
//! a moment, nobody knows, and the answer is 503. A transaction's number (`pg_xact_status`) would not
//! do: a server that crashed, or the one that took its place, gives the number of a lost transaction
//! to another one.

use std::time::Duration;

use super::super::{Conn, Error};
use super::{Held, Pool, is_lost, wait, within};
use futures_util::future::BoxFuture;

/// How long a commit may take before it counts as in doubt: with the search, no longer than any other wait.
const COMMIT: Duration = Duration::from_secs(1);
/// How long one looks for the traces of a commit in doubt.
const SEARCH: Duration = Duration::from_secs(1);
/// How long after the first look comes the second; each pause is twice the one before.
const PAUSE: Duration = Duration::from_millis(5);

/// The audit entry that a transaction wrote.
#[derive(Clone, Debug)]
pub(in super::super) struct Mark {
    /// Whose it is.
    pub(in super::super) tenant: String,
    /// Its place. A crash may give it to another entry, so the rest has to agree as well.
    pub(in super::super) audit_id: i64,
    /// When, in microseconds.
    pub(in super::super) at_us: i64,
    /// The request's random number.
    pub(in super::super) request_id: String,
}

/// How a transaction ended, as far as its own connection tells.
enum End<T> {
    /// It happened.
    Committed(T),
    /// It did not happen, and the connection is as good as before.
    Undone(Error),
    /// It did not happen, and the connection is gone or in disorder.
    Lost(Error),
    /// The connection was lost during the commit.
    InDoubt(T, sqlx::Error),
}

impl Pool {
    /// See [`super::super::Store::write`].
    pub(in super::super) async fn run<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(Conn<'c>) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
    {
        let mut connection = self.take().await?;
        let mut mark = None;
        let end = attempt(&mut connection, &mut mark, work).await;
        match &end {
            End::Committed(_) | End::Undone(_) => connection.keep(),
            End::Lost(_) | End::InDoubt(..) => connection.lose(),
        }
        match end {
            End::Committed(value) => Ok(value),
            End::Undone(error) | End::Lost(error) => Err(error),
            End::InDoubt(value, error) => match mark {
                Some(mark) if self.is_committed(&mark).await => Ok(value),
                _ => Err(Error::Unavailable(format!("whether a commit happened is not known: {error}"))),
            },
        }
    }

    /// Whether the transaction is seen to have happened.
    async fn is_committed(&self, mark: &Mark) -> bool {
        let search = async {
            let mut pause = PAUSE;
            while !self.is_seen(mark).await.unwrap_or(false) {
                tokio::time::sleep(pause).await; // it may still be under way
                pause *= 2;
            }
        };
        let is_seen = tokio::time::timeout(SEARCH, search).await.is_ok();
        tracing::warn!(is_seen, "a connection was lost during a commit");
        is_seen
    }

    async fn is_seen(&self, mark: &Mark) -> Result<bool, sqlx::Error> {
        let statement = "select count(*) from audit where tenant_id = $1 and audit_id = $2 and at_us = $3 and request_id = $4";
        let mut connection = self.take().await?;
        let look = sqlx::query_scalar(statement).bind(&mark.tenant).bind(mark.audit_id).bind(mark.at_us).bind(&mark.request_id);
        let seen: Result<i64, sqlx::Error> = within(look.fetch_one(&mut *connection)).await;
        connection.give_back(&seen);
        seen.map(|count| count > 0)
    }
}

async fn attempt<T, F>(connection: &mut Held, mark: &mut Option<Mark>, work: F) -> End<T>
where
    F: for<'c> FnOnce(Conn<'c>) -> BoxFuture<'c, Result<T, Error>>,
{
    let mut transaction = match connection.begin().await {
        Ok(transaction) => transaction,
        Err(error) => return End::Lost(error.into()),
    };
    match work(Conn::Postgres(&mut transaction, mark)).await {
        Ok(value) => match wait(COMMIT, transaction.commit()).await {
            Ok(()) => End::Committed(value),
            Err(error) if is_lost(&error) => End::InDoubt(value, error),
            Err(error) => End::Undone(error.into()),
        },
        // Who did not answer in time may still be at it: it is not asked to undo it, but left alone.
        Err(error @ Error::Unavailable(_)) => End::Lost(error),
        Err(error) => match within(transaction.rollback()).await {
            Ok(()) => End::Undone(error),
            Err(_) => End::Lost(error),
        },
    }
}
