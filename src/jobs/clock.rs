//! Warns where this instance's clock and the database's differ (KF-06 of the threat catalogue): of
//! several instances, one that is late believes in tokens that are over everywhere else.

use std::sync::Arc;

use time::{Duration, OffsetDateTime};

use crate::app::App;
use crate::store::Error;

/// How often it is looked at.
const EVERY: std::time::Duration = std::time::Duration::from_secs(60);
/// How far they may be apart.
const TOLERANCE: Duration = Duration::SECOND;

pub(super) async fn run(app: Arc<App>) {
    let mut looks = tokio::time::interval(EVERY);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        match difference(&app).await {
            Ok(Some(apart)) if apart.abs() > TOLERANCE => {
                tracing::warn!(seconds = apart.as_seconds_f64(), "this machine's clock is not the database's: set both by NTP");
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the database's clock could not be looked at"),
        }
    }
}

/// How far this machine's clock is ahead of PostgreSQL's; none on SQLite.
async fn difference(app: &App) -> Result<Option<Duration>, Error> {
    let before = app.clock.now();
    let there = app.store.database_time().await?;
    Ok(there.map(|there| ahead(before, there, app.clock.now())))
}

/// By how much the nearer end of the question and its answer is ahead of what was answered in
/// between: as far as nobody can know, they agree.
fn ahead(before: OffsetDateTime, there: OffsetDateTime, after: OffsetDateTime) -> Duration {
    if there < before { before - there } else { (after - there).min(Duration::ZERO) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_round_trip_does_not_explain_counts() {
        let at = |millis| OffsetDateTime::UNIX_EPOCH + Duration::milliseconds(millis);
        assert_eq!(ahead(at(1000), at(1200), at(1400)), Duration::ZERO);
        assert_eq!(ahead(at(1000), at(1000), at(9000)), Duration::ZERO);
        assert_eq!(ahead(at(5000), at(3500), at(5100)), Duration::milliseconds(1500));
        assert_eq!(ahead(at(5000), at(7100), at(5100)), Duration::milliseconds(-2000));
    }
}
