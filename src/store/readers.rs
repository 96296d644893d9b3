//! The connections that read from SQLite.
//!
//! Each is a thread, and every word to it is two changes of thread. A pool that asks its
//! connections for a sign of life before and after each statement triples that; these connections
//! cannot be lost on a network, so nobody asks.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tokio::sync::{Semaphore, SemaphorePermit};

/// A few connections that are opened when they are first needed.
#[derive(Clone)]
pub(super) struct Readers(Arc<Shared>);

struct Shared {
    options: SqliteConnectOptions,
    patience: Duration,
    slots: Semaphore,
    idle: Mutex<Vec<SqliteConnection>>,
}

/// A connection while somebody reads by it.
pub(super) struct Reader<'r> {
    connection: SqliteConnection,
    _slot: SemaphorePermit<'r>,
}

impl Readers {
    /// At most `count` of them; the first one is opened now, so that what is wrong shows.
    pub(super) async fn open(options: SqliteConnectOptions, count: usize, patience: Duration) -> Result<Self, sqlx::Error> {
        let idle = Mutex::new(vec![options.connect().await?]);
        Ok(Self(Arc::new(Shared { options, patience, slots: Semaphore::new(count), idle })))
    }

    /// A connection that nobody else has. One that is not given back (see [`Readers::give_back`])
    /// is closed, and a new one takes its place.
    pub(super) async fn take(&self) -> Result<Reader<'_>, sqlx::Error> {
        let shared = &*self.0;
        let slot = tokio::time::timeout(shared.patience, shared.slots.acquire()).await;
        let slot = slot.map_err(|_| sqlx::Error::PoolTimedOut)?.map_err(|_| sqlx::Error::PoolClosed)?;
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => shared.options.connect().await?,
        };
        Ok(Reader { connection, _slot: slot })
    }

    /// A connection that may write, for what takes longer than anybody may wait for the writer.
    pub(super) async fn connect_to_write(&self) -> Result<SqliteConnection, sqlx::Error> {
        self.0.options.clone().pragma("query_only", "off").connect().await
    }

    /// Only a statement that came to its end leaves a connection as it was: whoever gave up in the
    /// middle of one never comes here, and a thread that died is not kept.
    pub(super) fn give_back<T>(&self, reader: Reader<'_>, answer: &Result<T, sqlx::Error>) {
        let is_dead = matches!(answer, Err(sqlx::Error::WorkerCrashed | sqlx::Error::Io(_)));
        if !is_dead && !self.0.slots.is_closed() {
            // Before the slot is free again: the next one finds it.
            self.idle().push(reader.connection);
        }
    }

    /// Nobody reads any more.
    pub(super) async fn close(&self) {
        self.0.slots.close();
        let idle = std::mem::take(&mut *self.idle());
        for connection in idle {
            let _ = connection.close().await;
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<SqliteConnection>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for Reader<'_> {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.connection
    }
}

impl DerefMut for Reader<'_> {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}
