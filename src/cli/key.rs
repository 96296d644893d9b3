//! `admit key`: the keys that sign tokens.

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};
use time::{Duration, OffsetDateTime};

use super::Failure;
use super::desk::Desk;
use super::fhir_base::algorithm;
use super::output::{Output, Record, at, note};
use crate::clock::duration;
use crate::config::Config;
use crate::key::{MasterKey, Purpose};
use crate::keys::SHORTEST_NOTICE;
use crate::store::StoredKey;
use crate::token::Algorithm;

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Keys {
    #[command(flatten)]
    output: Output,
    #[command(subcommand)]
    action: Action,
}

const EXAMPLES: &str = "\
Examples:
  admit key list
  admit key rotate                              a new key of every kind, which signs from tomorrow on
  admit key rotate --purpose access --after 6m  as soon as verifiers can know of it
  admit key revoke KEY_ID                       a key has leaked: nothing that it signed is believed any more
  admit key reseal                              after a change of the master key";

#[derive(Subcommand)]
enum Action {
    /// Show every key that is published
    List,
    /// Make new keys that take over from those that sign now, beside the schedule of `admit serve`
    Rotate {
        /// Only keys for these tokens [default: all]
        #[arg(long, value_parser = purpose())]
        purpose: Option<Purpose>,
        /// Only keys of this algorithm [default: every one]
        #[arg(long, value_parser = algorithm(&["RS256", "RS384", "ES256", "ES384"]))]
        alg: Option<Algorithm>,
        /// How long the new keys are published before they sign, such as 24h; verifiers need six minutes
        #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = notice)]
        after: Duration,
    },
    /// Withdraw a key at once, and let another one sign in its place
    Revoke {
        /// As `admit key list` shows it: the `kid` of its tokens
        #[arg(allow_hyphen_values = true)] // one of 64 begins with one
        key_id: String,
    },
    /// Seal every private key under the first of the master keys that are given
    Reseal,
}

fn purpose() -> impl clap::builder::TypedValueParser<Value = Purpose> {
    PossibleValuesParser::new(Purpose::ALL.map(Purpose::as_str)).try_map(|text| Purpose::parse(&text).ok_or("unknown purpose"))
}

fn notice(text: &str) -> Result<Duration, &'static str> {
    let is_fair = |after: &Duration| (SHORTEST_NOTICE..=Duration::days(365)).contains(after);
    duration(text).filter(is_fair).ok_or("between 6m (verifiers keep the key set for five minutes) and 365d")
}

pub(super) async fn run(config: Config, Keys { output, action }: Keys) -> Result<(), Failure> {
    let desk = Desk::open(config).await?;
    let published = desk.store.published_keys(desk.tenant(), desk.origin.now).await?;
    match action {
        Action::List => {
            let now = desk.origin.now;
            let records: Vec<Record> = published.iter().map(|key| record(key, state(key, &published, now))).collect();
            output.many(&["key_id", "purpose", "algorithm", "state", "active_at", "removed_at", "master_key"], &records)
        }
        Action::Rotate { purpose, alg, after } => rotate(&desk, output, &published, (purpose, alg), after).await,
        Action::Revoke { key_id } => revoke(&desk, output, &published, &key_id).await,
        Action::Reseal => reseal(&desk, output).await,
    }
}

fn record(key: &StoredKey, state: &str) -> Record {
    // The first versions did not write down under which.
    let master_key = key.sealed.as_deref().map(|sealed| MasterKey::named_in(sealed).unwrap_or("not named"));
    Record::default()
        .with("key_id", key.id.as_str())
        .with("purpose", key.purpose.as_str())
        .with("algorithm", key.algorithm.as_str())
        .with("state", state)
        .with("created_at", at(key.created_at))
        .with("active_at", at(key.active_at))
        .with("retired_at", key.retired_at.map(at))
        .with("removed_at", key.removed_at.map(at))
        .with("master_key", master_key)
}

/// What a key does now. `published` has the last to sign first, as the signer looks at them.
fn state(key: &StoredKey, published: &[StoredKey], now: OffsetDateTime) -> &'static str {
    let mut kin = published.iter().filter(|other| other.kind() == key.kind() && other.is_in_service(now));
    let signing = kin.clone().find(|other| other.active_at <= now).or_else(|| kin.next_back());
    if signing.is_some_and(|signing| signing.id == key.id) {
        "signing"
    } else if key.is_in_service(now) && key.active_at > now {
        "next"
    } else {
        "retired"
    }
}

async fn rotate(
    desk: &Desk,
    output: Output,
    published: &[StoredKey],
    (purpose, alg): (Option<Purpose>, Option<Algorithm>),
    after: Duration,
) -> Result<(), Failure> {
    let now = desk.origin.now;
    let active_at = now + after;
    let is_wanted = |key: &&StoredKey| {
        purpose.is_none_or(|own| own == key.purpose) && alg.is_none_or(|own| own == key.algorithm) && key.is_in_service(now)
    };
    let mut kinds: Vec<(Purpose, Algorithm)> = published.iter().filter(is_wanted).map(StoredKey::kind).collect();
    kinds.sort_unstable_by_key(|(purpose, algorithm)| (purpose.as_str(), *algorithm));
    kinds.dedup();
    if kinds.is_empty() {
        return Err(Failure::not_found(
            "there is no such key to take over from: `admit key list` shows those there are. Keys are made by `admit serve`, and where a FHIR base or a client needs another algorithm",
        ));
    }
    let ring = desk.keys().await?;
    for (purpose, algorithm) in &kinds {
        let is_sooner = |key: &&StoredKey| key.kind() == (*purpose, *algorithm) && key.active_at > now && key.active_at <= active_at;
        if let Some(next) = published.iter().find(is_sooner) {
            return Err(Failure::conflict(format!(
                "another {algorithm} key for {} tokens takes over at {} already; a shorter --after makes one that is sooner",
                purpose.as_str(),
                at(next.active_at).as_str().unwrap_or_default()
            )));
        }
        ring.check_room(&desk.store, &desk.origin, *purpose).await.map_err(|error| Failure::conflict(error.to_string()))?;
    }
    let mut made = Vec::new();
    for kind in kinds {
        let key = ring.rotate(&desk.store, &desk.origin, kind, active_at).await?;
        made.push(record(&key, "next"));
    }
    note("The new keys are published now. A validator with an embedded key set (no JWKS URI) does not know them:");
    note(&format!("redeploy it with the new set before {}, or it will refuse every token.", at(active_at).as_str().unwrap_or_default()));
    output.many(&["key_id", "purpose", "algorithm", "active_at"], &made)
}

async fn revoke(desk: &Desk, output: Output, published: &[StoredKey], key_id: &str) -> Result<(), Failure> {
    let unknown = || Failure::not_found(format!("there is no published key {key_id:?}: `admit key list` shows those there are"));
    let key = published.iter().find(|key| key.id.as_str() == key_id).ok_or_else(unknown)?;
    let signing = desk.keys().await?.revoke(&desk.store, &desk.origin, key).await?.ok_or_else(unknown)?;
    if key.purpose.is_public() {
        note("Within a second, no server publishes this key or believes what it signed. A validator with a JWKS URI follows within");
        note("five minutes. One with an embedded key set believes it until it is redeployed with the new set: do that now.");
        note("Refresh tokens live on: apps get tokens by the other key as soon as they refresh.");
    }
    output.one(&record(key, "revoked").with("now_signing", signing.as_str()))
}

async fn reseal(desk: &Desk, output: Output) -> Result<(), Failure> {
    let done = desk.keys().await?.reseal(&desk.store, &desk.origin).await?;
    note("Once every server has been started with this master key in the first place, run this again. Then the others can go.");
    output.one(&Record::default().with("master_key", done.under).with("resealed", done.changed).with("sealed_in_all", done.all))
}
