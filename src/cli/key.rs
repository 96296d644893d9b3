//! `admit key`: the keys that sign tokens.

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};
use time::{Duration, OffsetDateTime};

use super::Failure;
use super::desk::Desk;
use super::fhir_base::algorithm;
use super::output::{Output, Record, at, note};
use crate::config::Config;
use crate::key::Purpose;
use crate::store::StoredKey;
use crate::token::Algorithm;

/// How long a new key is published before it signs: a day for everybody who keeps a copy of the
/// key set to come by.
const NOTICE: Duration = Duration::hours(24);
/// The same in a hurry: twice as long as verifiers may cache the key set.
const SHORT_NOTICE: Duration = Duration::minutes(10);
/// How long an old key stays published once it signs no more, beside the life of its tokens.
const AFTERLIFE: Duration = Duration::hours(24);
/// No token of ours lives longer (SMART App Launch: an hour at most).
const LONGEST_TOKEN: Duration = Duration::hours(1);
/// Verifiers read key sets of 50 keys at most; far below that, something is wrong.
const MOST_PUBLISHED: usize = 8;

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
  admit key rotate                            every key; the new ones sign from tomorrow on
  admit key rotate --purpose access --now     the new key signs in ten minutes";

#[derive(Subcommand)]
enum Action {
    /// Show every key that is published
    List,
    /// Make new keys that take over from those that sign now
    Rotate {
        /// Only keys for these tokens [default: both]
        #[arg(long, value_parser = purpose())]
        purpose: Option<Purpose>,
        /// Only keys of this algorithm [default: every one]
        #[arg(long, value_parser = algorithm(&["RS256", "RS384", "ES256", "ES384"]))]
        alg: Option<Algorithm>,
        /// Let the new keys sign after ten minutes instead of a day, and forget the old ones an hour later
        #[arg(long)]
        now: bool,
    },
}

fn purpose() -> impl clap::builder::TypedValueParser<Value = Purpose> {
    PossibleValuesParser::new(["access", "id"]).try_map(|text| Purpose::parse(&text).ok_or("unknown purpose"))
}

pub(super) async fn run(config: Config, Keys { output, action }: Keys) -> Result<(), Failure> {
    let desk = Desk::open(config).await?;
    let published = desk.store.published_keys(desk.tenant(), desk.origin.now).await?;
    match action {
        Action::List => {
            let now = desk.origin.now;
            let records: Vec<Record> = published.iter().map(|key| record(key, state(key, &published, now))).collect();
            output.many(&["key_id", "purpose", "algorithm", "state", "active_at", "retired_at"], &records)
        }
        Action::Rotate { purpose, alg, now } => rotate(&desk, output, &published, (purpose, alg), now).await,
    }
}

fn record(key: &StoredKey, state: &str) -> Record {
    Record::default()
        .with("key_id", key.id.as_str())
        .with("purpose", key.purpose.as_str())
        .with("algorithm", key.algorithm.as_str())
        .with("state", state)
        .with("created_at", at(key.created_at))
        .with("active_at", at(key.active_at))
        .with("retired_at", key.retired_at.map(at))
}

/// What a key does now. `published` has the youngest first, as the signer looks at them.
fn state(key: &StoredKey, published: &[StoredKey], now: OffsetDateTime) -> &'static str {
    let is_kin = |other: &&StoredKey| other.purpose == key.purpose && other.algorithm == key.algorithm;
    let signs = |other: &&StoredKey| other.active_at <= now && other.retired_at.is_none_or(|end| now < end);
    if key.active_at > now && key.retired_at.is_none() {
        "next"
    } else if published.iter().filter(is_kin).find(signs).is_some_and(|signer| signer.id == key.id) {
        "signing"
    } else {
        "retired"
    }
}

async fn rotate(
    desk: &Desk,
    output: Output,
    published: &[StoredKey],
    (purpose, alg): (Option<Purpose>, Option<Algorithm>),
    in_a_hurry: bool,
) -> Result<(), Failure> {
    let now = desk.origin.now;
    let is_wanted = |key: &&StoredKey| purpose.is_none_or(|own| own == key.purpose) && alg.is_none_or(|own| own == key.algorithm);
    let mut kinds: Vec<(Purpose, Algorithm)> =
        published.iter().filter(is_wanted).filter(|key| key.retired_at.is_none()).map(|key| (key.purpose, key.algorithm)).collect();
    kinds.sort_unstable_by_key(|(purpose, algorithm)| (purpose.as_str(), *algorithm));
    kinds.dedup();
    if kinds.is_empty() {
        return Err(Failure::not_found(
            "there is no such key to take over from: `admit key list` shows those there are. Keys are made by `admit serve`, and where a FHIR base or a client needs another algorithm",
        ));
    }
    for (purpose, algorithm) in &kinds {
        let kin: Vec<&StoredKey> = published.iter().filter(|key| (key.purpose, key.algorithm) == (*purpose, *algorithm)).collect();
        if let Some(next) = kin.iter().find(|key| key.active_at > now && key.retired_at.is_none()).filter(|_| !in_a_hurry) {
            return Err(Failure::conflict(format!(
                "a new {algorithm} key for {} tokens takes over at {} already; --now makes another one that takes over in ten minutes",
                purpose.as_str(),
                at(next.active_at).as_str().unwrap_or_default()
            )));
        }
        if kin.len() >= MOST_PUBLISHED {
            return Err(Failure::conflict(format!(
                "{} {algorithm} keys for {} tokens are published, and more would be too many for verifiers: wait until old ones are gone",
                kin.len(),
                purpose.as_str()
            )));
        }
    }
    let (active_at, old_until) = match in_a_hurry {
        false => (now + NOTICE, now + NOTICE + AFTERLIFE + LONGEST_TOKEN),
        true => (now + SHORT_NOTICE, now + SHORT_NOTICE + LONGEST_TOKEN),
    };
    let ring = desk.keys().await?;
    let mut made = Vec::new();
    for kind in kinds {
        let key = ring.rotate(&desk.store, &desk.origin, kind, active_at, old_until).await?;
        made.push(record(&key, "next").with("old_published_until", at(old_until)));
    }
    note("The new keys are published now. A validator with an embedded key set (no JWKS URI) does not know them:");
    note(&format!("redeploy it with the new set before {}, or it will refuse every token.", at(active_at).as_str().unwrap_or_default()));
    output.many(&["key_id", "purpose", "algorithm", "active_at", "old_published_until"], &made)
}
