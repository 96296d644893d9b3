//! Writes down how many good tokens were introspected: one entry for each who asked.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::audit::{Entry, Origin};
use crate::store::Error;

/// How often; what a crash forgets is no more than this.
const EVERY: Duration = Duration::from_secs(10 * 60);

pub(super) async fn run(app: Arc<App>) {
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        ticks.tick().await;
        if let Err(error) = write_down(&app).await {
            tracing::warn!(%error, "introspections are not written down yet");
        }
    }
}

/// What could not be written is counted on.
///
/// # Errors
/// [`Error`]
pub async fn write_down(app: &App) -> Result<(), Error> {
    let origin = Origin::command(app.tenant.id.clone(), app.clock.now());
    let mut outcome = Ok(());
    for (client, count) in app.introspections.take() {
        let entry = Entry::done("token.introspected").client(&client).detail(&format!("{count} good tokens"));
        if let Err(error) = app.store.audit(&origin, entry).await {
            app.introspections.add(&client, count);
            outcome = Err(error);
        }
    }
    outcome
}
