//! The connections to PostgreSQL.
//!
//! A pool that asks its connections for a sign of life before and after each use doubles the round
//! trips of a short transaction. Here nobody asks while a connection is in constant use and nothing
//! has failed; a failure puts all of them in doubt at once. No wait is without end: a network that
//! swallows everything says nothing, so whoever waits for an answer gives up by the clock.

mod commit;

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgTransaction};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(super) use commit::Mark;

/// How long one waits for a connection, and then for the answer to each statement; then the answer is 503.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a sign of life may take.
const PING: Duration = Duration::from_millis(500);
/// How long after a connection was not to be had it is tried again: twice as long each time, up to a limit.
const PAUSE: Duration = Duration::from_millis(10);
const MAX_PAUSE: Duration = Duration::from_millis(250);
/// A connection that rested for longer is asked for a sign of life before it is used.
const FRESH: Duration = Duration::from_secs(1);
/// A connection that nobody needed for so long is closed.
const IDLE: Duration = Duration::from_secs(10 * 60);

/// What every new connection says first: whether its server takes writes. A server that may lose
/// what it has acknowledged (`off`) is told not to; the administrator's other levels stand.
const GREETING: &str =
    "select (case when pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' then 1 else 0 end)::bigint,
                               set_config('synchronous_commit', replace(current_setting('synchronous_commit'), 'off', 'on'), false)";

/// At most so many connections, opened when they are first needed.
#[derive(Clone)]
pub(super) struct Pool(Arc<Shared>);

struct Shared {
    /// One per host; the primary is one of them.
    hosts: Vec<PgConnectOptions>,
    /// Where it was last found.
    primary: AtomicUsize,
    slots: Arc<Semaphore>,
    count: u32,
    rest: Mutex<Rest>,
}

#[derive(Default)]
struct Rest {
    /// The one that was used last is used next, so that those that are too many grow old.
    idle: VecDeque<(PgConnection, Instant)>,
    /// When something last failed: connections that rested then are in doubt.
    failed_at: Option<Instant>,
}

/// A connection while somebody uses it. Unless it is given back, it is in doubt: somebody gave up
/// in the middle of a statement or a transaction.
pub(super) struct Held {
    connection: Option<PgConnection>,
    slot: Option<OwnedSemaphorePermit>,
    shared: Arc<Shared>,
    /// Whether a transaction was asked for, and there is no answer yet.
    is_beginning: bool,
}

impl Pool {
    /// At most `count` connections to the primary among `hosts`.
    pub(super) fn new(hosts: Vec<PgConnectOptions>, count: u32) -> Self {
        let slots = usize::try_from(count).unwrap_or(Semaphore::MAX_PERMITS);
        Self(Arc::new(Shared {
            hosts,
            primary: AtomicUsize::default(),
            slots: Arc::new(Semaphore::new(slots)),
            count,
            rest: Mutex::default(),
        }))
    }

    /// A connection that nobody else has, and that was well a moment ago. Where no new one is to be
    /// had (too many are open, a server starts or takes over), it is tried again, and one that was
    /// given back meanwhile will do.
    pub(super) async fn take(&self) -> Result<Held, sqlx::Error> {
        let mut why = sqlx::Error::PoolTimedOut;
        let take = async {
            let slot = Arc::clone(&self.0.slots).acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)?;
            let mut pause = PAUSE;
            loop {
                while let Some((mut connection, is_trusted)) = self.0.next() {
                    if is_trusted || matches!(tokio::time::timeout(PING, connection.ping()).await, Ok(Ok(()))) {
                        return Ok(self.held(connection, slot));
                    }
                    self.0.failed();
                }
                match self.connect().await {
                    Ok(connection) => return Ok(self.held(connection, slot)),
                    Err(error) if stays(&error) => return Err(error),
                    Err(error) => why = error,
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(MAX_PAUSE);
            }
        };
        match tokio::time::timeout(PATIENCE, take).await {
            Ok(taken) => taken,
            Err(_) => Err(why),
        }
    }

    fn held(&self, connection: PgConnection, slot: OwnedSemaphorePermit) -> Held {
        Held { connection: Some(connection), slot: Some(slot), shared: Arc::clone(&self.0), is_beginning: false }
    }

    /// A new connection to the primary, beside those that are counted. Each host has its share of the time.
    pub(super) async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        let Shared { hosts, primary, .. } = &*self.0;
        let share = PATIENCE / u32::try_from(hosts.len()).unwrap_or(u32::MAX);
        let first = primary.load(Ordering::Relaxed);
        let mut last = sqlx::Error::PoolTimedOut;
        for at in (first..hosts.len()).chain(0..first) {
            match tokio::time::timeout(share, greet(&hosts[at])).await {
                Ok(Ok(connection)) => {
                    primary.store(at, Ordering::Relaxed);
                    return Ok(connection);
                }
                Ok(Err(error)) => last = error,
                Err(_) => last = silence(),
            }
        }
        Err(last)
    }

    /// Nobody uses the database any more; who still does comes to the end first.
    pub(super) async fn close(&self) {
        let _all = self.0.slots.acquire_many(self.0.count).await;
        self.0.slots.close();
        let idle = std::mem::take(&mut self.0.rest().idle);
        for (connection, _) in idle {
            let _ = tokio::time::timeout(PING, connection.close()).await; // it is let go of either way
        }
    }
}

impl Shared {
    fn rest(&self) -> MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection at rest, and whether it can be used without a sign of life.
    fn next(&self) -> Option<(PgConnection, bool)> {
        let mut rest = self.rest();
        let (connection, since) = rest.idle.pop_back()?;
        let is_trusted = since.elapsed() < FRESH && rest.failed_at.is_none_or(|failed| failed < since);
        Some((connection, is_trusted))
    }

    fn keep(&self, connection: PgConnection) {
        let mut rest = self.rest();
        rest.idle.push_back((connection, Instant::now()));
        if rest.idle.front().is_some_and(|(_, since)| since.elapsed() > IDLE) {
            rest.idle.pop_front();
        }
    }

    fn failed(&self) {
        self.rest().failed_at = Some(Instant::now());
    }
}

impl Held {
    /// Somebody else may have it, if its last statement did not show that it is lost.
    pub(super) fn give_back<T>(self, answer: &Result<T, sqlx::Error>) {
        if answer.as_ref().err().is_some_and(is_lost) { self.lose() } else { self.keep() }
    }

    /// Begins a transaction. Until the answer is there, sqlx knows nothing of it, and nobody would end it for whoever
    /// gives up meanwhile.
    async fn begin(&mut self) -> Result<PgTransaction<'_>, sqlx::Error> {
        self.is_beginning = true;
        let connection = self.connection.as_mut().expect("it is there until it is given back, which consumes it");
        let begun = within(connection.begin()).await;
        self.is_beginning = false;
        begun
    }

    fn keep(mut self) {
        if let Some(connection) = self.connection.take() {
            // Before the slot is free again: the next one finds it.
            self.shared.keep(connection);
        }
    }

    /// It is of no use any more: its server is gone, or has not answered in time.
    fn lose(mut self) {
        self.connection = None;
        self.shared.failed();
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let (Some(mut connection), Some(slot)) = (self.connection.take(), self.slot.take()) else { return };
        if self.is_beginning {
            return; // closed: it may be in a transaction that nobody knows of
        }
        let shared = Arc::clone(&self.shared);
        // Reads what is left of the answer, and undoes what was begun.
        let settle = async move {
            if matches!(tokio::time::timeout(PING, connection.ping()).await, Ok(Ok(()))) {
                shared.keep(connection);
            }
            drop(slot);
        };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(settle);
        }
    }
}

impl Deref for Held {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.connection.as_ref().expect("it is there until it is given back, which consumes it")
    }
}

impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.connection.as_mut().expect("it is there until it is given back, which consumes it")
    }
}

/// Waits for the answer to one statement, as long as anybody waits.
pub(super) async fn within<T>(statement: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    wait(PATIENCE, statement).await
}

async fn wait<T>(patience: Duration, statement: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    tokio::time::timeout(patience, statement).await.unwrap_or_else(|_| Err(silence()))
}

fn silence() -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "PostgreSQL does not answer"))
}

async fn greet(host: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let mut connection = host.connect().await?;
    let (is_read_only, _): (i64, String) = sqlx::query_as(GREETING).fetch_one(&mut connection).await?;
    if is_read_only > 0 {
        return Err(sqlx::Error::Io(std::io::Error::other(
            "this server only reads (a standby, or a read-only database): Admit needs the primary",
        )));
    }
    Ok(connection)
}

/// Whether a connection will not be had in a moment either: a certificate or a password is wrong.
fn stays(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Tls(_) | sqlx::Error::Configuration(_) => true,
        sqlx::Error::Io(inner) => inner.kind() == std::io::ErrorKind::InvalidData, // what rustls makes of a bad certificate
        sqlx::Error::Database(inner) => inner.code().is_some_and(|code| ["28", "3D"].iter().any(|class| code.starts_with(class))),
        _ => false,
    }
}

/// Whether a connection is of no use after this: its server went away, ended it, or only reads since a failover.
fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(inner) => {
            inner.code().is_some_and(|code| ["08", "25006", "25P03", "57P"].iter().any(|class| code.starts_with(class)))
        }
        _ => false,
    }
}
