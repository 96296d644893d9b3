//! Sees to it in time that there is a signing key to come, and clears away those that have gone.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::audit::Origin;
use crate::keys::Schedule;

/// How often it is looked at, as often as the keys themselves. Every instance does: the store lets one of them win.
const LOOK: Duration = Duration::from_secs(1);

pub(super) async fn run(app: Arc<App>, schedule: Schedule) {
    let mut looks = tokio::time::interval(LOOK);
    loop {
        looks.tick().await;
        let origin = Origin::command(app.tenant.id.clone(), app.clock.now());
        if let Err(error) = app.keys.keep_up(&app.store, &origin, schedule).await {
            tracing::warn!(%error, "could not look after the signing keys; they serve on");
        }
    }
}
