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
    let mut was_well = true;
    loop {
        looks.tick().await;
        let origin = Origin::command(app.tenant.id.clone(), app.clock.now());
        match app.keys.keep_up(&app.store, &origin, schedule).await {
            Ok(()) => was_well = true,
            // Once, and not every second.
            Err(error) if was_well => {
                tracing::warn!(%error, "the signing keys cannot be looked after; those that sign now sign on");
                was_well = false;
            }
            Err(_) => {}
        }
    }
}
