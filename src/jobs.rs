//! What the server does of its own accord. Of several instances, one does what has to be done once.

mod clock;
mod purge;
mod rotation;
pub mod seal;
pub mod tail;
pub mod tally;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::App;
use crate::keys::Schedule;

/// How long the last audit entries may take to be written out when the server stops.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// They run as long as this is kept.
pub struct Jobs {
    app: Arc<App>,
    tasks: JoinSet<()>,
    tails: JoinSet<()>,
    stop: watch::Sender<bool>,
}

/// Starts them; signing keys take over from one another by this schedule.
#[must_use]
pub fn start(app: &Arc<App>, key_rotation: Schedule) -> Jobs {
    let (mut tasks, mut tails) = (JoinSet::new(), JoinSet::new());
    let (stop, stopped) = watch::channel(false);
    tasks.spawn(clock::run(Arc::clone(app)));
    tasks.spawn(purge::run(Arc::clone(app)));
    tasks.spawn(rotation::run(Arc::clone(app), key_rotation));
    tasks.spawn(seal::run(Arc::clone(app)));
    tasks.spawn(seal::purge(Arc::clone(app)));
    tasks.spawn(tally::run(Arc::clone(app)));
    for sink in &app.audit.sinks {
        tails.spawn(tail::run(Arc::clone(app), sink.clone(), stopped.clone()));
    }
    Jobs { app: Arc::clone(app), tasks, tails, stop }
}

impl Jobs {
    /// Ends them. What one of them has asked the store for already is done or not done, as a whole.
    /// The last audit entries are sealed and written out.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
        if let Err(error) = tally::write_down(&self.app).await {
            tracing::warn!(%error, "the last introspections are not written down");
        }
        if let Err(error) = seal::work(&self.app).await {
            tracing::warn!(%error, "the last audit entries are not sealed yet; the next start does it");
        }
        let _ = self.stop.send(true); // nobody may be listening
        let _ = tokio::time::timeout(LAST_WORDS, async { while self.tails.join_next().await.is_some() {} }).await;
    }
}
