//! Clients that go through whole authorizations, many at once, and write down what they were told.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::task::{JoinError, JoinSet};

use super::client::tokens_of;
use super::ledger::Spent;
use super::{AppOfOurs, Family, Ledger, Lost};

/// How much traffic.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Clients at a time.
    pub clients: u64,
    /// Authorizations in all; `u64::MAX`: until it is stopped.
    pub flows: u64,
    /// What a client does nothing for, after each, in milliseconds.
    pub pause: u64,
}

impl Load {
    /// As fast as it goes, until it is stopped.
    pub fn without_end(clients: u64) -> Self {
        Self::of(clients, u64::MAX)
    }

    /// As fast as it goes.
    pub fn of(clients: u64, flows: u64) -> Self {
        Self { clients, flows, pause: 0 }
    }
}

/// Traffic that runs.
pub struct Traffic {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
}

struct Shared {
    app: AppOfOurs,
    load: Load,
    begun: AtomicU64,
    done: AtomicU64,
    is_stopped: AtomicBool,
    ledger: Mutex<Ledger>,
}

impl Traffic {
    /// Starts it.
    pub fn start(app: &AppOfOurs, load: Load) -> Self {
        let shared = Arc::new(Shared {
            app: app.clone(),
            load,
            begun: AtomicU64::new(0),
            done: AtomicU64::new(0),
            is_stopped: AtomicBool::new(false),
            ledger: Mutex::default(),
        });
        let mut tasks = JoinSet::new();
        for _ in 0..load.clients {
            tasks.spawn(go_on(Arc::clone(&shared)));
        }
        Self { shared, tasks }
    }

    /// How many authorizations have come to their end, good or bad.
    pub fn done(&self) -> u64 {
        self.shared.done.load(Ordering::Relaxed)
    }

    /// Whether all that was asked for is done.
    ///
    /// # Panics
    /// Where a client was told something wrong.
    pub fn is_over(&mut self) -> bool {
        while let Some(joined) = self.tasks.try_join_next() {
            unharmed(joined);
        }
        self.tasks.is_empty()
    }

    /// Looks at the record while it is being written.
    pub fn look<T>(&self, look: impl FnOnce(&Ledger) -> T) -> T {
        look(&self.shared.ledger.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets everybody finish what they are at, and gives the record.
    ///
    /// # Panics
    /// Where a client was told something wrong.
    pub async fn stop(self) -> Ledger {
        self.shared.is_stopped.store(true, Ordering::Relaxed);
        self.finish().await
    }

    /// Waits until all is done, and gives the record.
    ///
    /// # Panics
    /// Where a client was told something wrong.
    pub async fn finish(mut self) -> Ledger {
        while let Some(joined) = self.tasks.join_next().await {
            unharmed(joined);
        }
        std::mem::take(&mut *self.shared.ledger.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a client found wrong is the fault's outcome, word by word.
fn unharmed(joined: Result<(), JoinError>) {
    if let Err(error) = joined {
        std::panic::resume_unwind(error.into_panic());
    }
}

async fn go_on(shared: Arc<Shared>) {
    while !shared.is_stopped.load(Ordering::Relaxed) {
        let nth = shared.begun.fetch_add(1, Ordering::Relaxed);
        if nth >= shared.load.flows {
            return;
        }
        let visit = Visit { shared: &shared, app: &shared.app };
        if let Err(why) = visit.make(nth).await {
            visit.note(|ledger| ledger.abandon(format!("given up: {why:?}")));
        }
        shared.done.fetch_add(1, Ordering::Relaxed);
        if shared.load.pause > 0 {
            super::pause(shared.load.pause).await;
        }
    }
}

/// One authorization from its beginning to whatever end.
struct Visit<'a> {
    shared: &'a Shared,
    app: &'a AppOfOurs,
}

impl Visit<'_> {
    /// By its number: some are launched by an EHR, some are revoked, some have a service beside them.
    async fn make(&self, nth: u64) -> Result<(), Lost> {
        let mut family = self.begin(nth).await?;
        // A code that went without an answer is tried again. If it was used, that ends the family,
        // as a replay has to, and the app begins anew.
        let reply = self.surely(|| self.app.redeem(&family)).await?;
        if reply.status == 400 {
            self.note(|ledger| ledger.abandon("the code was used, and the answer lost".to_owned()));
            return Ok(());
        }
        family.tokens.push(tokens_of(&reply, &family));
        for _ in 0..1 + nth % 3 {
            let reply = self.surely(|| self.app.refresh(family.client, &family.latest().refresh)).await?;
            let tokens = tokens_of(&reply, &family);
            assert_ne!(tokens.refresh, family.latest().refresh, "a refresh gives another token");
            family.tokens.push(tokens);
        }
        let reply = self.surely(|| self.app.introspect(&family.latest().access)).await?;
        assert_eq!(reply.json()["active"], true, "{}", reply.brief());
        if nth.is_multiple_of(4) {
            self.serve_itself().await?;
        }
        if nth % 5 == 1 {
            let reply = self.surely(|| self.app.revoke(family.client, &family.latest().refresh)).await?;
            assert_eq!(reply.status, 200, "{}", reply.brief());
            family.is_revoked = true;
        }
        self.note(|ledger| ledger.families.push(family));
        Ok(())
    }

    /// The steps in the browser. A person whose page does not come begins again; what may have
    /// been done of it hurts nobody.
    async fn begin(&self, nth: u64) -> Result<Family, Lost> {
        let begin = Instant::now();
        loop {
            let asked = Instant::now();
            match self.app.authorize(nth, nth % 3 == 2).await {
                Ok(family) => return Ok(family),
                // The answer was lost, and with it this authorization.
                Err(Lost::NoAnswer) => {
                    self.lost(Lost::NoAnswer, asked);
                    return Err(Lost::NoAnswer);
                }
                Err(why) if begin.elapsed() > self.app.patience => return Err(why),
                Err(why) => self.lost(why, asked),
            }
            super::pause(5).await;
        }
    }

    /// A service gets a token by an assertion. Where the answer is lost, nobody knows whether the
    /// assertion is spent: it makes another.
    async fn serve_itself(&self) -> Result<(), Lost> {
        let begin = Instant::now();
        loop {
            let (assertion, asked) = (self.app.assertion(), Instant::now());
            match self.app.assert(&assertion).await {
                Ok(reply) => {
                    assert_eq!(reply.status, 200, "{}", reply.brief());
                    let access = reply.text("access_token");
                    self.note(|ledger| ledger.assertions.push(Spent { assertion, access, at: Instant::now() }));
                    return Ok(());
                }
                Err(why) if begin.elapsed() > self.app.patience => return Err(why),
                Err(why) => self.lost(why, asked),
            }
            super::pause(5).await;
        }
    }

    /// Asks again until there is an answer.
    async fn surely<F: Future<Output = Result<super::Reply, Lost>>>(&self, once: impl FnMut() -> F) -> Result<super::Reply, Lost> {
        let reply = self.app.until_answered(|why, asked| self.lost(why, asked), once).await?;
        self.note(|ledger| ledger.answered += 1);
        Ok(reply)
    }

    fn lost(&self, why: Lost, asked: Instant) {
        self.note(|ledger| match why {
            Lost::NotSent => {}
            Lost::NoAnswer => {
                ledger.unanswered += 1;
                ledger.unanswered_at.push((asked, Instant::now()));
            }
            Lost::TurnedAway => ledger.turned_away += 1,
        });
    }

    fn note(&self, write: impl FnOnce(&mut Ledger)) {
        write(&mut self.shared.ledger.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
