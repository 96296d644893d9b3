//! Writes sealed audit entries to where they are collected: standard output, or an OpenTelemetry
//! collector. At least once, in the chain's order: how far it came is kept in the database.

use std::io::Write as _;
use std::sync::Arc;

use time::Duration;
use tokio::sync::watch;

use crate::app::App;
use crate::audit::chain::Sealed;
use crate::audit::{Origin, Sink, otlp};
use crate::secret::nonce;
use crate::store::{Error, Store};

/// How often an instance looks whether there is something to write.
const LOOK: std::time::Duration = std::time::Duration::from_millis(500);
/// For so long a sink is an instance's own; one that dies is followed by another so much later.
const LEASE: Duration = Duration::seconds(30);
/// How many entries are written at once.
const BATCH: i64 = 200;
/// How long a sink that fails is left alone, at most.
const LONGEST_PAUSE: u32 = 60;

/// Entries on their way to one sink.
pub struct Tail {
    app: Arc<App>,
    sink: Sink,
    /// Who holds the sink, if it is this instance.
    holder: String,
    /// How far this instance has come, while it holds the sink.
    held: Option<Held>,
}

struct Held {
    seq: i64,
    hash: String,
    until: time::OffsetDateTime,
}

/// Why entries could not be written out. They are tried again.
#[derive(Debug, thiserror::Error)]
pub enum Stuck {
    /// The database.
    #[error(transparent)]
    Store(#[from] Error),
    /// Standard output.
    #[error("standard output cannot be written to: {0}")]
    Output(#[from] std::io::Error),
    /// The collector cannot be reached.
    #[error("the collector cannot be reached: {0}")]
    Fault(#[from] crate::http::Fault),
    /// The collector does not take them.
    #[error("the collector answered with status {0}")]
    Refused(u16),
}

/// Until `stop` says so; then what is left is written out.
pub(super) async fn run(app: Arc<App>, sink: Sink, mut stop: watch::Receiver<bool>) {
    let mut tail = Tail::new(app, sink);
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut failures = 0;
    while !*stop.borrow() {
        tokio::select! {
            _ = looks.tick() => {}
            _ = stop.changed() => {}
        }
        match tail.work().await {
            Ok(_) => failures = 0,
            Err(error) => {
                if failures == 0 {
                    tracing::warn!(sink = tail.sink.name(), %error, "audit entries cannot be written out; they are tried again");
                }
                failures += 1;
                let pause = LOOK * LONGEST_PAUSE.min(1 << failures.min(8));
                let _ = tokio::time::timeout(pause, stop.changed()).await;
            }
        }
    }
    // What was sealed last, while this was at work.
    if let Err(error) = tail.work().await {
        tracing::warn!(sink = tail.sink.name(), %error, "the last audit entries are not written out; the next start does it");
    }
}

impl Tail {
    /// Nothing is written yet.
    #[must_use]
    pub fn new(app: Arc<App>, sink: Sink) -> Self {
        Self { app, sink, holder: nonce(), held: None }
    }

    /// Writes out everything that the sink does not have, unless another instance does. Returns how
    /// many entries it were.
    ///
    /// # Errors
    /// [`Stuck`]
    pub async fn work(&mut self) -> Result<usize, Stuck> {
        let mut written = 0;
        while self.app.store.has_audit_tail(&self.app.tenant.id, self.sink.name()).await? {
            match self.batch().await {
                Ok(0) => break,
                Ok(count) => written += count,
                Err(stuck) => {
                    self.held = None;
                    return Err(stuck);
                }
            }
        }
        Ok(written)
    }

    async fn batch(&mut self) -> Result<usize, Stuck> {
        let (app, name) = (Arc::clone(&self.app), self.sink.name());
        let (store, tenant): (&Store, _) = (&app.store, &app.tenant.id);
        let origin = Origin::command(tenant.clone(), app.clock.now());
        let (seq, hash) = match self.held.take().filter(|held| origin.now < held.until) {
            Some(held) => (held.seq, held.hash),
            None => match store.take_audit_tail(&origin, name, &self.holder, LEASE).await? {
                Some(seq) => (seq, store.audit_hash(tenant, seq).await?),
                None => return Ok(0),
            },
        };
        let entries = store.audit_page(tenant, (seq, &hash), BATCH).await?;
        let Some(last) = entries.last() else { return Ok(0) };
        let (to, hash) = (last.seq, last.hash.clone().unwrap_or_default());
        let count = entries.len();
        self.write(entries).await?;
        // The lease runs from before the writing: nobody else began meanwhile, or this one ends here.
        if origin.now + LEASE > app.clock.now() && store.move_audit_tail(&origin, name, &self.holder, to, origin.now + LEASE).await? {
            self.held = Some(Held { seq: to, hash, until: origin.now + LEASE });
        }
        Ok(count)
    }

    async fn write(&self, entries: Vec<Sealed>) -> Result<(), Stuck> {
        match &self.sink {
            Sink::Stdout => {
                let lines: String = entries.iter().map(|entry| entry.line() + "\n").collect();
                // Whoever reads it may be slow.
                let written = tokio::task::spawn_blocking(move || {
                    let mut stdout = std::io::stdout().lock();
                    stdout.write_all(lines.as_bytes()).and_then(|()| stdout.flush())
                });
                Ok(written.await.map_err(std::io::Error::other)??)
            }
            Sink::Collector(url) => {
                let body = otlp::logs(&self.app.tenant.issuer, &entries).to_string();
                let answer = self.app.collector.post_json(url, body).await?;
                if answer.status != 200 {
                    return Err(Stuck::Refused(answer.status));
                }
                // The protocol says not to send again what a collector took and then refused.
                if let Some(rejected) = otlp::rejected(&answer.body) {
                    tracing::error!(rejected, "the collector has refused audit entries");
                }
                Ok(())
            }
        }
    }
}
