//! Closes the books on what has timed out, and forgets what can no longer matter.

use std::sync::Arc;

use time::Duration;

use crate::app::App;
use crate::audit::Origin;
use crate::store::Error;

/// How often it is done.
const EVERY: Duration = Duration::hours(1);
/// How often an instance looks whether it is due: a job that its instance did not live to do is not late by much more.
const LOOK: std::time::Duration = std::time::Duration::from_secs(10 * 60);

pub(super) async fn run(app: Arc<App>) {
    let mut looks = tokio::time::interval(LOOK);
    loop {
        looks.tick().await;
        match purge(&app).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "purged"),
            Err(error) => tracing::warn!(%error, "could not purge"),
        }
    }
}

async fn purge(app: &App) -> Result<u64, Error> {
    let origin = Origin::command(app.tenant.id.clone(), app.clock.now());
    if !app.store.claim_job(&origin, "purge", EVERY).await? {
        return Ok(0);
    }
    app.store.end_dead_sessions(&origin).await?;
    app.store.purge(&origin).await
}
