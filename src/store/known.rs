//! What every request asks for and hardly ever changes: looked at once a second, by one of those who ask.

use std::fmt::Display;
use std::sync::{Arc, PoisonError, RwLock};

use time::{Duration, OffsetDateTime};
use tokio::sync::Mutex;

/// How old what is known may be.
const MAX_AGE: Duration = Duration::seconds(1);

/// Something as it was when it was last looked at.
#[derive(Clone)]
pub struct Known<T>(Arc<Looks<T>>);

struct Looks<T> {
    last: RwLock<Option<(OffsetDateTime, T)>>,
    /// Held while somebody looks, so that a burst of requests looks once.
    looking: Arc<Mutex<()>>,
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self(Arc::new(Looks { last: RwLock::default(), looking: Arc::default() }))
    }
}

impl<T: Clone + Send + Sync + 'static> Known<T> {
    /// What was seen last, however long ago.
    #[must_use]
    pub fn last(&self) -> Option<T> {
        self.seen(|_| true)
    }

    fn seen(&self, is_good: impl FnOnce(OffsetDateTime) -> bool) -> Option<T> {
        let last = self.0.last.read().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|(at, _)| is_good(*at)).map(|(_, seen)| seen.clone())
    }

    /// What is known, at most a second old; else what `look` sees. The look goes on where nobody waits for it any more, and
    /// where it fails, what was known before serves those who waited for it. An error is for the one who looked.
    ///
    /// # Errors
    /// Those of `look`.
    pub async fn current<E, F>(&self, now: OffsetDateTime, look: impl FnOnce() -> F) -> Result<T, E>
    where
        E: Display + Send + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        // A clock that was put back makes everything old.
        let fresh = || self.seen(|at| now >= at && now - at < MAX_AGE);
        if let Some(known) = fresh() {
            return Ok(known);
        }
        let looking = Arc::clone(&self.0.looking);
        let turn = match Arc::clone(&looking).try_lock_owned() {
            Ok(turn) => turn,
            Err(_) => {
                let turn = looking.lock_owned().await;
                if let Some(known) = self.last() {
                    return Ok(known);
                }
                turn
            }
        };
        if let Some(known) = fresh() {
            return Ok(known);
        }
        let (looks, look) = (Arc::clone(&self.0), look());
        let task = tokio::spawn(async move {
            let _turn = turn;
            let seen = look.await;
            match &seen {
                Ok(seen) => *looks.last.write().unwrap_or_else(PoisonError::into_inner) = Some((now, seen.clone())),
                Err(error) => tracing::warn!(%error, "the database cannot be looked at; what is known serves on"),
            }
            seen
        });
        match task.await {
            Ok(seen) => seen,
            Err(lost) => match lost.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => std::future::pending().await, // the runtime ends, and everybody who waits with it
            },
        }
    }
}
