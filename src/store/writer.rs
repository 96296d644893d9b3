//! The one connection that writes to SQLite. It commits everybody who is waiting together, so that
//! one sync of the disk serves them all; nobody is answered before it.
//!
//! Each piece of work has its own savepoint and can fail alone. Where the disk is full or fails,
//! the whole batch fails.

mod writing;

use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::{Conn, Error};
use writing::Writing;

/// How many may wait; one more is told to come back later.
const QUEUE: usize = 1024;
/// The most that share one commit.
const BATCH: usize = 64;
/// What is left of everybody's patience for the work and its commit: who has not had a turn by then
/// is refused, so that hardly ever somebody gives up whose work is done all the same.
const RESERVE: Duration = Duration::from_millis(500);
/// Those who were answered together come again together: a batch waits so long for the next one of
/// those who are about (see [`Waiting::end`]). Otherwise the first who comes would have a sync alone,
/// and all the others would wait for it.
const GAP: Duration = Duration::from_millis(1);
/// A batch does not wait for others after this; and after a pause like this, nobody waits at all.
const LINGER: Duration = Duration::from_millis(25);
/// After so long without a write the journal is brought into the database.
const IDLE: Duration = Duration::from_secs(5);

/// The way to the writing connection.
#[derive(Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
    patience: Duration,
}

enum Message {
    Work(Job),
    /// Finish what was asked for before, close the connection, and say so.
    Close(oneshot::Sender<()>),
}

/// Somebody's work.
struct Job {
    asked: Instant,
    work: Work,
}

type Work = Box<dyn for<'c> FnOnce(Conn<'c>) -> BoxFuture<'c, Option<Outcome>> + Send>;

/// Says, once the outcome of the commit is known, what came of the work.
type Announce = Box<dyn FnOnce(Result<(), String>) + Send>;
/// Whether the work's changes are to be kept, and whom to tell.
type Outcome = (bool, Announce);

/// The longest that a statement of the writer may wait for another process's lock, where callers
/// wait for `patience`.
pub(super) fn busy_timeout(patience: Duration) -> Duration {
    patience.saturating_sub(RESERVE)
}

impl Writer {
    /// Starts the task that owns the connection; it ends with [`Writer::close`] or the last `Writer`.
    /// A connection that fails is replaced by a new one like it. Nobody waits longer than `patience`.
    pub(super) fn start(connection: SqliteConnection, options: SqliteConnectOptions, patience: Duration) -> Self {
        let (queue, messages) = mpsc::channel(QUEUE);
        let waiting = Waiting { messages, turn: busy_timeout(patience), company: 1, closing: None };
        tokio::spawn(serve(Writing::new(connection, options, busy_timeout(patience)), waiting));
        Self { queue, patience }
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
        let work: Work = Box::new(move |conn| {
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
        self.queue.try_send(Message::Work(Job { asked: Instant::now(), work })).map_err(|error| {
            let why = if matches!(error, TrySendError::Full(_)) { "too many writes are waiting" } else { "the database is closed" };
            Error::Unavailable(why.to_owned())
        })?;
        match timeout(self.patience, wait).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Error::Unavailable("the database cannot be written to".to_owned())),
            // It may yet be committed: whoever asked is told neither that it is nor that it is not.
            Err(_) => Err(Error::Unavailable("the write took too long".to_owned())),
        }
    }
}

/// Those who wait, and what is known about how they come.
struct Waiting {
    messages: mpsc::Receiver<Message>,
    /// How long one waits for a turn.
    turn: Duration,
    /// For how many a batch waits.
    company: usize,
    closing: Option<oneshot::Sender<()>>,
}

/// What comes first after a batch.
enum Next {
    Work(Job),
    /// Nothing for a while.
    Nothing,
    End,
}

impl Waiting {
    /// The first one of a batch.
    async fn first(&mut self, wait: Duration) -> Next {
        while self.closing.is_none() {
            let begin = Instant::now();
            let Ok(message) = timeout(wait, self.messages.recv()).await else { return Next::Nothing };
            if begin.elapsed() > LINGER {
                self.company = 1;
            }
            let Some(message) = message else { break };
            if let Some(job) = self.open(message) {
                return Next::Work(job);
            }
        }
        Next::End
    }

    /// Another one for a batch that has `count` already and began then.
    async fn another(&mut self, count: usize, began: Instant) -> Option<Job> {
        while self.closing.is_none() && count < BATCH {
            let message = match self.messages.try_recv() {
                Ok(message) => message,
                Err(_) if count < self.company && began.elapsed() < LINGER => timeout(GAP, self.messages.recv()).await.ok()??,
                Err(_) => return None,
            };
            if let Some(job) = self.open(message) {
                return Some(job);
            }
        }
        None
    }

    /// A batch of so many has ended. The next one waits for three quarters of as many, and for all
    /// that came during the commit: clients who ask again once they are answered stay together, and
    /// where others come by chance, a batch does not grow by waiting beyond what some commits let come.
    fn end(&mut self, count: usize) {
        self.company = count - count / 4 + self.messages.len();
    }

    /// The work in it; none where it is the word to close, or comes too late. Who waits for what
    /// is dropped here learns that at once.
    fn open(&mut self, message: Message) -> Option<Job> {
        match message {
            Message::Work(job) => Some(job).filter(|job| job.asked.elapsed() < self.turn),
            Message::Close(done) => {
                self.closing = Some(done);
                None
            }
        }
    }
}

async fn serve(mut writing: Writing, mut waiting: Waiting) {
    let mut is_tidy = false;
    loop {
        let wait = if is_tidy { Duration::MAX } else { IDLE };
        let first = match waiting.first(wait).await {
            Next::Work(first) => first,
            Next::Nothing => {
                writing.bring_in().await;
                is_tidy = true;
                continue;
            }
            Next::End => break,
        };
        let mut announcements = Vec::new();
        let committed = writing.batch(first, &mut waiting, &mut announcements).await;
        if let Err(why) = &committed {
            tracing::warn!(why, "a batch of writes failed");
        }
        for announce in announcements {
            announce(committed.clone());
        }
        writing.care().await;
        is_tidy = false;
    }
    // Who still waits behind the end learns at once that nothing comes of it.
    let Waiting { messages, closing, .. } = waiting;
    drop(messages);
    writing.close().await;
    if let Some(done) = closing {
        let _ = done.send(()); // whoever asked may have gone
    }
}

#[cfg(test)]
mod tests;
