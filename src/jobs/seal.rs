//! Chains what was written to the audit trail, signs checkpoints, and lets go of what is old enough.
//!
//! Every instance looks; what only one may do is decided by the chain's own row.

use std::sync::Arc;

use time::Duration;

use crate::app::App;
use crate::audit::Origin;
use crate::audit::chain::{CHECKPOINT, Checkpoint};
use crate::key::Purpose;
use crate::keys::KeyError;
use crate::store::{AuditChain, Error};
use crate::token::Algorithm;

/// An entry is sealed within a second of its commit. A look that finds nothing writes nothing.
const LOOK: std::time::Duration = std::time::Duration::from_millis(500);
/// A checkpoint is signed when the last one is this old, or so many entries behind.
const CHECKPOINT_EVERY: Duration = Duration::days(1);
const CHECKPOINT_ENTRIES: i64 = 10_000;
/// How often an instance asks whether the trail is to be purged, and how often that is due.
const PURGE_LOOK: std::time::Duration = std::time::Duration::from_secs(60 * 60);
const PURGE_EVERY: Duration = Duration::days(1);

pub(super) async fn run(app: Arc<App>) {
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // While the database is away, it is said once.
    let mut is_failing = false;
    loop {
        looks.tick().await;
        let outcome = work(&app).await;
        match &outcome {
            Err(error) if !is_failing => tracing::warn!(%error, "the audit trail cannot be sealed; it is tried again"),
            _ => {}
        }
        is_failing = outcome.is_err();
    }
}

/// Seals everything that waits, and signs a checkpoint where one is due.
///
/// # Errors
/// [`KeyError`]
pub async fn work(app: &App) -> Result<(), KeyError> {
    let origin = Origin::command(app.tenant.id.clone(), app.clock.now());
    let chain = seal(app, &origin).await?;
    if is_due(&chain, origin.now.unix_timestamp()) {
        sign(app, &origin, &chain).await?;
        seal(app, &origin).await?;
    }
    Ok(())
}

async fn seal(app: &App, origin: &Origin) -> Result<AuditChain, Error> {
    let chain = app.store.audit_chain(&origin.tenant).await?;
    if chain.waiting == 0 {
        return Ok(chain);
    }
    while app.store.seal_audit(origin).await? > 0 {}
    app.store.audit_chain(&origin.tenant).await
}

/// The entry that says that a checkpoint was signed does not call for the next one.
fn is_due(chain: &AuditChain, now: i64) -> bool {
    let behind = chain.seq - chain.checkpoint_seq;
    behind >= CHECKPOINT_ENTRIES || (behind > 1 && now - chain.checkpoint_at >= CHECKPOINT_EVERY.whole_seconds())
}

async fn sign(app: &App, origin: &Origin, chain: &AuditChain) -> Result<(), KeyError> {
    let checkpoint =
        Checkpoint { tenant: origin.tenant.to_string(), seq: chain.seq, hash: chain.hash.clone(), iat: origin.now.unix_timestamp() };
    let keys = app.keys.current(&app.store, origin.now).await?;
    let jws = keys.sign(Purpose::Audit, Algorithm::Es256, CHECKPOINT, &checkpoint, origin.now)?;
    if app.store.add_audit_checkpoint(origin, chain.checkpoint_seq, checkpoint, jws.clone()).await? {
        // Whoever keeps the log elsewhere has a copy that nobody can change in the database.
        tracing::info!(seq = chain.seq, checkpoint = jws, "audit checkpoint");
    }
    Ok(())
}

/// Purges once a day what is older than it has to be kept.
pub(super) async fn purge(app: Arc<App>) {
    let mut looks = tokio::time::interval(PURGE_LOOK);
    loop {
        looks.tick().await;
        let origin = Origin::command(app.tenant.id.clone(), app.clock.now());
        let claimed = app.store.claim_job(&origin, "audit-purge", PURGE_EVERY).await;
        let purged = match claimed {
            Ok(true) => app.store.purge_audit(&origin, origin.now - app.audit.retention()).await,
            Ok(false) => Ok(0),
            Err(error) => Err(error),
        };
        match purged {
            Ok(0) => {}
            Ok(entries) => tracing::info!(entries, "old audit entries purged"),
            Err(error) => tracing::warn!(%error, "could not purge the audit trail"),
        }
    }
}
