//! The one connection that writes to SQLite. It commits everybody who is waiting together, so that
//! one sync of the disk serves them all; nobody is answered before it.
//!
//! Each piece of work has its own savepoint and can fail alone. Where the disk is full or fails,
//! the whole batch fails.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use super::{Conn, Error};

/// How many may wait; one more is told to come back later.
const QUEUE: usize = 1024;
/// The most that share one commit.
const BATCH: usize = 64;
/// How long one waits for its turn and its commit.
const PATIENCE: Duration = Duration::from_secs(5);

/// The way to the writing connection.
#[derive(Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
}

enum Message {
    Work(Job),
    /// Finish what was asked for before, close the connection, and say so.
    Close(oneshot::Sender<()>),
}

/// Says, once the outcome of the commit is known, what came of the work.
type Announce = Box<dyn FnOnce(Result<(), String>) + Send>;
/// Whether the work's changes are to be kept, and whom to tell.
type Outcome = (bool, Announce);
type Job = Box<dyn for<'c> FnOnce(Conn<'c>) -> BoxFuture<'c, Option<Outcome>> + Send>;

impl Writer {
    /// Starts the task that owns the connection; it ends with [`Writer::close`] or the last `Writer`.
    pub(super) fn start(connection: SqliteConnection) -> Self {
        let (queue, messages) = mpsc::channel(QUEUE);
        tokio::spawn(serve(connection, messages));
        Self { queue }
    }

    /// Closes the connection once everything that waits is written. What comes later is refused.
    pub(super) async fn close(&self) {
        let (done, wait) = oneshot::channel();
        if self.queue.send(Message::Close(done)).await.is_ok() {
            let _ = wait.await; // dropped unanswered, it is closed all the same
        }
    }

    /// See [`super::Store::write`].
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(Conn<'c>) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
    {
        let (answer, wait) = oneshot::channel::<Result<T, Error>>();
        let job: Job = Box::new(move |conn| {
            Box::pin(async move {
                if answer.is_closed() {
                    return None; // whoever asked has given up, and was told so
                }
                let result = work(conn).await;
                let keep = result.is_ok();
                let announce: Announce = Box::new(move |committed| {
                    let result = result.and_then(|value| committed.map(|()| value).map_err(Error::Unavailable));
                    let _ = answer.send(result); // nobody may be waiting any more
                });
                Some((keep, announce))
            })
        });
        self.queue.try_send(Message::Work(job)).map_err(|error| {
            let why = if matches!(error, TrySendError::Full(_)) { "too many writes are waiting" } else { "the database is closed" };
            Error::Unavailable(why.to_owned())
        })?;
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Error::Unavailable("the database cannot be written to".to_owned())),
            Err(_) => Err(Error::Unavailable("the write took too long".to_owned())),
        }
    }
}

async fn serve(mut connection: SqliteConnection, mut queue: mpsc::Receiver<Message>) {
    let mut closing = None;
    while closing.is_none() {
        let first = match queue.recv().await {
            Some(Message::Work(first)) => first,
            Some(Message::Close(done)) => {
                closing = Some(done);
                break;
            }
            None => break,
        };
        let mut announcements = Vec::new();
        let next = || match queue.try_recv().ok()? {
            Message::Work(job) => Some(job),
            Message::Close(done) => {
                closing = Some(done);
                None
            }
        };
        let committed = batch(&mut connection, first, next, &mut announcements).await;
        if let Err(why) = &committed {
            tracing::warn!(why, "a batch of writes was not kept");
            // SQLite may have rolled back by itself; then this fails, and that is as well.
            let _ = sqlx::query("rollback").execute(&mut connection).await;
        }
        for announce in announcements {
            announce(committed.clone());
        }
    }
    // Who still waits behind the end learns at once that nothing comes of it.
    drop(queue);
    if let Err(error) = connection.close().await {
        tracing::warn!(%error, "the writing connection did not close in good order");
    }
    if let Some(done) = closing {
        let _ = done.send(()); // whoever asked may have gone
    }
}

/// One transaction with everything that waits. `Err` says why nothing of it was kept.
async fn batch(
    connection: &mut SqliteConnection,
    first: Job,
    mut more: impl FnMut() -> Option<Job>,
    announcements: &mut Vec<Announce>,
) -> Result<(), String> {
    // Where this fails, the database is locked by another process, or gone. The job is dropped, and
    // with it the way to answer: whoever waits learns that at once. Those behind get their own try.
    say(connection, "begin immediate; savepoint work").await?;
    let mut next = Some(first);
    let mut count = 0;
    let mut kept = false;
    while let Some(job) = next.take() {
        count += 1;
        let outcome = AssertUnwindSafe(job(Conn::Sqlite(connection))).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!("a write panicked and was undone");
            None
        });
        let keep = outcome.as_ref().is_some_and(|(keep, _)| *keep);
        announcements.extend(outcome.map(|(_, announce)| announce));
        kept |= keep;
        if count < BATCH {
            next = more();
        }
        let end = match (keep, next.is_some()) {
            (true, true) => "release work; savepoint work",
            (true, false) => "release work; commit",
            // The savepoint stands again, for the next one.
            (false, true) => "rollback to work",
            (false, false) if kept => "rollback to work; release work; commit",
            (false, false) => "rollback",
        };
        say(connection, end).await?;
    }
    Ok(())
}

/// Several statements in one go: every word to the connection is two changes of thread, which
/// cost more than the statements.
async fn say(connection: &mut SqliteConnection, statements: &'static str) -> Result<(), String> {
    sqlx::query(statements).execute(connection).await.map(|_| ()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
