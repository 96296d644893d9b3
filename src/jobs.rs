//! What the server does of its own accord. Of several instances, one does what has to be done once.

mod purge;

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::app::App;

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

/// Starts them.
#[must_use]
pub fn start(app: &Arc<App>) -> Jobs {
    let mut tasks = JoinSet::new();
    tasks.spawn(purge::run(Arc::clone(app)));
    Jobs { tasks }
}
