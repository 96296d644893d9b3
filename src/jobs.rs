//! What the server does of its own accord. Of several instances, one does what has to be done once.

mod clock;
mod purge;
mod rotation;

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::app::App;
use crate::keys::Schedule;

/// They run as long as this is kept.
pub struct Jobs {
    tasks: JoinSet<()>,
}

impl Jobs {
    /// Ends them. What one of them has asked the store for already is done or not done, as a whole.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

/// Starts them; signing keys take over from one another by this schedule.
#[must_use]
pub fn start(app: &Arc<App>, key_rotation: Schedule) -> Jobs {
    let mut tasks = JoinSet::new();
    tasks.spawn(clock::run(Arc::clone(app)));
    tasks.spawn(purge::run(Arc::clone(app)));
    tasks.spawn(rotation::run(Arc::clone(app), key_rotation));
    Jobs { tasks }
}
