//! `admit audit verify`: goes along the chain, and reads nothing else.

use std::path::PathBuf;

use clap::Args;

use super::super::Failure;
use super::super::desk::Desk;
use super::super::output::{Output, Record, note};
use super::key_set;
use crate::audit::Keeping;
use crate::audit::chain::{Break, Checkpoint, Walk};
use crate::store::{AuditChain, AuditKey, StoredCheckpoint};
use crate::token::{Jwks, MAX_KEYS};

/// How many entries are in memory at a time.
const PAGE: i64 = 1000;

#[derive(Args)]
pub(super) struct Verify {
    /// Checkpoints that were kept elsewhere, one per line: the chain has to agree with them as well
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Begin behind this entry, over which one of the database's checkpoints was signed
    #[arg(long, value_name = "SEQ")]
    from: Option<i64>,
}

pub(super) async fn run(desk: &Desk, output: Output, asked: &Verify) -> Result<(), Failure> {
    let kept = match &asked.checkpoint {
        None => vec![],
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| Failure::usage(format!("the checkpoints in {} cannot be read: {error}", path.display())))?;
            text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
        }
    };
    loop {
        let chain = desk.store.audit_chain(desk.tenant()).await?;
        let Look { walk, began, doubtful, told } = look(desk, &chain, &kept, asked.from).await?;
        // What was purged meanwhile is not missing.
        if told.is_err() && desk.store.audit_chain(desk.tenant()).await?.start_seq != chain.start_seq {
            continue;
        }
        let found = told.err();
        output.one(
            &Record::default()
                .with("entries", walk.seq - began)
                .with("first", began + 1)
                .with("last", walk.seq)
                .with("hash", walk.hash.as_str())
                .with("waiting", chain.waiting > 0)
                .with("checkpoints_by_revoked_keys", doubtful)
                .with("broken", found.map(Break::kind))
                .with("broken_at", found.map(Break::seq)),
        )?;
        if doubtful > 0 {
            note(
                "some checkpoints were signed by a key that was revoked since: whoever got hold of it could have signed them. Copies that were kept elsewhere, and later checkpoints by another key, still show something",
            );
        }
        return match found {
            None => {
                note("the chain is whole");
                Ok(())
            }
            Some(found) => Err(Failure::failed(&found)),
        };
    }
}

/// What was seen on the way along the chain.
struct Look {
    /// How far one came.
    walk: Walk,
    /// Behind which entry one began.
    began: i64,
    /// How many of the database's checkpoints were signed by keys that were revoked since.
    doubtful: usize,
    /// What stopped one.
    told: Result<(), Break>,
}

async fn look(desk: &Desk, chain: &AuditChain, kept: &[String], from: Option<i64>) -> Result<Look, Failure> {
    let (revoked, sound): (Vec<_>, Vec<_>) =
        desk.store.audit_keys(desk.tenant()).await?.into_iter().partition(|key| key.revoked_at.is_some());
    let (sound, revoked) = (key_sets(&sound)?, key_sets(&revoked)?);
    let by = |sets: &[Jwks], jws: &str| {
        let signed = sets.iter().find_map(|keys| Checkpoint::read(jws, keys).ok());
        signed.filter(|checkpoint| checkpoint.tenant == desk.tenant().as_str())
    };
    let read = |jws: &str| by(&sound, jws).or_else(|| by(&revoked, jws));
    let began = from.unwrap_or(0).max(chain.start_seq);
    let mut stored = desk.store.audit_checkpoints(desk.tenant(), chain.start_seq).await?;
    // What was there before may have gone once it was as old as it has to become, and a signature says how old it is.
    let oldest = desk.origin.now - Keeping::default().retention();
    let is_early = |first: &StoredCheckpoint| read(&first.jws).is_some_and(|signed| signed.iat >= oldest.unix_timestamp());
    let was_cut = chain.start_seq > 0 && stored.first().is_some_and(|first| first.seq == chain.start_seq && is_early(first));
    stored.retain(|own| own.seq >= began);
    let doubtful = stored.iter().filter(|own| by(&revoked, &own.jws).is_some()).count();
    if let Some(from) = from.filter(|from| *from > chain.start_seq && stored.first().is_none_or(|first| first.seq != *from)) {
        return Err(Failure::usage(format!("no checkpoint was signed over entry {from}: without --from, all of them are looked at")));
    }
    let hash = stored.first().filter(|first| first.seq == began).map_or("", |first| first.hash.as_str());
    let mut walk = Walk::after(began, hash);
    let told = async {
        if was_cut {
            return Ok(Err(Break::Missing(chain.start_seq)));
        }
        // A chain that does not begin with its first entry begins with what a checkpoint vouches for.
        if began > 0 && stored.first().is_none_or(|first| first.seq != began) {
            return Ok(Err(Break::Missing(began)));
        }
        for own in &stored {
            let pinned = match read(&own.jws).filter(|signed| (signed.seq, &signed.hash) == (own.seq, &own.hash)) {
                Some(checkpoint) => walk.pin(&checkpoint),
                None => Err(Break::Forged(own.seq)),
            };
            if let Err(found) = pinned {
                return Ok(Err(found));
            }
        }
        for (at, jws) in kept.iter().enumerate() {
            let Some(checkpoint) = read(jws) else {
                return Err(Failure::failed(&format!(
                    "line {} of the file is no checkpoint that an audit key of this server has signed",
                    at + 1
                )));
            };
            if let Err(found) = walk.pin(&checkpoint) {
                return Ok(Err(found));
            }
        }
        while walk.seq < chain.seq {
            let limit = PAGE.min(chain.seq - walk.seq);
            let page = desk.store.audit_page(desk.tenant(), (walk.seq, &walk.hash), limit).await?;
            if page.is_empty() {
                break;
            }
            for entry in &page {
                if let Err(found) = walk.step(entry) {
                    return Ok(Err(found));
                }
            }
        }
        Ok(walk.end(chain.seq, &chain.hash))
    }
    .await?;
    Ok(Look { walk, began, doubtful, told })
}

/// There are as many keys as there were rotations: more than one key set may have.
fn key_sets(keys: &[AuditKey]) -> Result<Vec<Jwks>, Failure> {
    let sets = keys.chunks(MAX_KEYS).map(|some| Jwks::parse(key_set(some).as_bytes()));
    sets.collect::<Result<_, _>>().map_err(|error| Failure::failed(&error))
}
