//! The writing connection: a batch at a time, and what it takes to keep it.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection};
use tokio::task::JoinSet;

use super::super::Conn;
use super::super::journal::{Journal, Lost};
use super::{Announce, Job, Waiting};

/// How long a large journal may hold up the writer for readers who are about to end.
const INSIST: Duration = Duration::from_millis(100);
/// So many pages of a large journal are left to the writer.
const REST: i64 = 1000;
/// Where more than that has come meanwhile, it is tried again so often: on a disk that is too slow for
/// both, writers have to wait in the end.
const ROUNDS: usize = 8;
/// How often one looks whether those who keep a large journal have ended.
const LOOK: Duration = Duration::from_secs(1);

pub(super) struct Writing {
    connection: SqliteConnection,
    options: SqliteConnectOptions,
    busy_timeout: Duration,
    journal: Journal,
    /// Its journal is large.
    is_due: bool,
    /// What brings a large journal in, beside the writer.
    relief: JoinSet<()>,
    /// Why nothing may be written any more.
    lost: Option<Lost>,
}

impl Writing {
    /// By a connection that was opened with these options.
    pub(super) fn new(connection: SqliteConnection, options: SqliteConnectOptions, busy_timeout: Duration) -> Self {
        let journal = Journal::of(options.get_filename());
        Self { connection, options, busy_timeout, journal, is_due: false, relief: JoinSet::new(), lost: None }
    }

    /// One transaction with `first` and everything that waits. `Err` says why nothing of it may be
    /// acknowledged. Who has no announcement then learns that there will be none.
    pub(super) async fn batch(&mut self, first: Job, waiting: &mut Waiting, announcements: &mut Vec<Announce>) -> Result<(), String> {
        if let Some(lost) = &self.lost {
            return Err(lost.to_string());
        }
        if let Err(error) = transaction(&mut self.connection, first, waiting, announcements).await {
            // SQLite may have rolled back by itself; then this fails, and that is as well.
            let _ = say(&mut self.connection, "rollback").await;
            if !is_locked(&error) {
                self.reopen().await;
            }
            return Err(error.to_string());
        }
        match self.journal.size() {
            Ok(size) => {
                self.is_due = self.journal.is_due(size);
                Ok(())
            }
            Err(lost) => Err(self.lose(lost).await),
        }
    }

    /// What can be done once everybody has been answered. A large journal is brought in by another
    /// connection, while the writer goes on; the writer does what has come meanwhile, and begins the
    /// journal anew. (Left to itself, SQLite does all of it at the end of a commit, and everybody waits.)
    pub(super) async fn care(&mut self) {
        let is_due = std::mem::take(&mut self.is_due);
        if self.relief.try_join_next().is_some() {
            self.checkpoint("restart", INSIST).await;
        } else if is_due && self.relief.is_empty() {
            self.relief.spawn(bring_in_beside(self.options.clone()));
        }
    }

    /// Nobody writes: the journal is brought into the database, unless somebody reads an older state.
    pub(super) async fn bring_in(&mut self) {
        let _ = self.relief.try_join_next(); // if it has ended
        if self.lost.is_none() && self.relief.is_empty() && self.journal.size().is_ok_and(|size| size > 0) {
            self.checkpoint("truncate", Duration::ZERO).await;
        }
    }

    pub(super) async fn close(self) {
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the writing connection did not close in good order");
        }
    }

    /// Brings the journal in and begins it anew, if those who read end within `wait`. `mode`: `restart`
    /// leaves the file as long as it is allowed to be, `truncate` leaves it empty.
    async fn checkpoint(&mut self, mode: &str, wait: Duration) {
        let statements = format!(
            "pragma busy_timeout = {}; pragma wal_checkpoint({mode}); pragma busy_timeout = {}",
            wait.as_millis(),
            self.busy_timeout.as_millis()
        );
        if let Err(error) = sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut self.connection).await {
            tracing::warn!(%error, "the journal could not be brought into the database");
            self.reopen().await; // its timeout is unknown now
        }
    }

    /// Whatever is wrong with the connection is not wrong with a new one. Where none is to be had,
    /// the old one may still recover.
    async fn reopen(&mut self) {
        match self.options.connect().await {
            Ok(connection) => {
                let old = std::mem::replace(&mut self.connection, connection);
                let _ = old.close().await; // it failed before
            }
            Err(error) => tracing::warn!(%error, "the database could not be opened anew"),
        }
    }

    /// What was acknowledged before is in a journal that nobody will find: while nobody has made
    /// another, it can still be brought in.
    async fn lose(&mut self, lost: Lost) -> String {
        if lost.is_removed() {
            self.checkpoint("truncate", INSIST).await;
        }
        tracing::error!(%lost, "nothing is written any more: start the server again, and look at the database with `admit db check`");
        let why = lost.to_string();
        self.lost = Some(lost);
        why
    }
}

/// Brings the journal in until little is left, as far as nobody reads an older state. Holds nobody up.
async fn bring_in_beside(options: SqliteConnectOptions) {
    let outcome = async {
        let mut connection = options.connect().await?;
        let (mut before, mut rounds) = (0, 0);
        while rounds < ROUNDS {
            let (_, pages, done): (i64, i64, i64) = sqlx::query_as("pragma wal_checkpoint(passive)").fetch_one(&mut connection).await?;
            if pages - done < REST {
                break;
            }
            if done == before {
                tokio::time::sleep(LOOK).await;
            } else {
                (before, rounds) = (done, rounds + 1);
            }
        }
        connection.close().await
    };
    if let Err(error) = outcome.await {
        tracing::warn!(%error, "a large journal could not be brought into the database beside the writer");
    }
}

/// Everything that waits, each in its own savepoint, and one commit.
async fn transaction(
    connection: &mut SqliteConnection,
    first: Job,
    waiting: &mut Waiting,
    announcements: &mut Vec<Announce>,
) -> Result<(), sqlx::Error> {
    // Where this fails, the database is locked by another process, or gone. The job is dropped, and
    // with it the way to answer: whoever waits learns that at once. Those behind get their own try.
    say(connection, "begin immediate; savepoint work").await?;
    let began = Instant::now();
    let mut next = Some(first);
    let mut count = 0;
    let mut kept = false;
    while let Some(job) = next.take() {
        count += 1;
        let outcome = AssertUnwindSafe((job.work)(Conn::Sqlite(connection))).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!("a write panicked and was undone");
            None
        });
        let keep = outcome.as_ref().is_some_and(|(keep, _)| *keep);
        announcements.extend(outcome.map(|(_, announce)| announce));
        kept |= keep;
        next = waiting.another(count, began).await;
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
    waiting.end(count);
    Ok(())
}

/// Several statements in one go: every word to the connection is two changes of thread, which
/// cost more than the statements.
async fn say(connection: &mut SqliteConnection, statements: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(statements).execute(connection).await.map(|_| ())
}

/// Whether it was only another process that wrote.
fn is_locked(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
    code.is_some_and(|code| code & 0xff == 5) // SQLITE_BUSY
}
