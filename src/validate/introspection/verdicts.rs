//! What the issuer took back, and does not give again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest;
use time::OffsetDateTime;

use super::super::Refusal;

/// The most tokens that are remembered.
const MAX_ENTRIES: usize = 10_000;

/// Why the issuer does not stand by tokens whose signatures are right, until they end. Without it, whoever has a revoked token
/// could try until the issuer is out of breath, and get in where its silence is enough. Nobody but the issuer can make such
/// tokens, so no stranger fills it.
#[derive(Default)]
pub(super) struct Verdicts(Mutex<HashMap<Vec<u8>, Verdict>>);

struct Verdict {
    why: Refusal,
    /// In Unix seconds.
    until: i64,
}

impl Verdicts {
    pub(super) fn get(&self, token: &str, endpoint: &str, now: OffsetDateTime) -> Option<Refusal> {
        let names = [name(token, EVERYWHERE), name(token, endpoint)];
        let verdicts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = names.iter().filter_map(|name| verdicts.get(name));
        known.find(|verdict| now.unix_timestamp() < verdict.until).map(|verdict| verdict.why)
    }

    /// Remembers it until this second, Unix time. A token that is not active is not active anywhere; what else is wrong with it
    /// may be right at another data store. Where there is no room, the one that ends first is forgotten: it has the least left
    /// to lose.
    pub(super) fn put(&self, token: &str, endpoint: &str, why: Refusal, until: i64, now: OffsetDateTime) {
        let name = name(token, if why == Refusal::Inactive { EVERYWHERE } else { endpoint });
        let mut verdicts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        verdicts.insert(name, Verdict { why, until });
        if verdicts.len() > MAX_ENTRIES {
            verdicts.retain(|_, verdict| now.unix_timestamp() < verdict.until);
        }
        if verdicts.len() > MAX_ENTRIES
            && let Some(first) = verdicts.iter().min_by_key(|(_, verdict)| verdict.until).map(|(name, _)| name.clone())
        {
            verdicts.remove(&first);
        }
    }
}

/// In place of a data store.
const EVERYWHERE: &str = "";

/// The SHA-256 of what is signed, and of the data store. An ECDSA signature can be written in a second way by anybody: it is the
/// same token.
fn name(token: &str, endpoint: &str) -> Vec<u8> {
    let signed = token.rsplit_once('.').map_or(token, |(signed, _)| signed);
    digest::digest(&digest::SHA256, format!("{signed} {endpoint}").as_bytes()).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(seconds)
    }

    #[test]
    fn a_no_lasts_until_the_token_ends() {
        for (why, elsewhere) in [(Refusal::Inactive, Some(Refusal::Inactive)), (Refusal::Contradicted, None)] {
            let verdicts = Verdicts::default();
            verdicts.put("a.b.c", "one", why, 100, at(50));
            for (second, expected) in [(0, Some(why)), (50, Some(why)), (99, Some(why)), (100, None)] {
                assert_eq!(verdicts.get("a.b.c", "one", at(second)), expected, "at {second}");
            }
            assert_eq!(verdicts.get("a.b.another", "one", at(50)), Some(why), "the same token, signed again");
            assert_eq!(verdicts.get("a.another.c", "one", at(50)), None);
            assert_eq!(verdicts.get("a.b.c", "other", at(50)), elsewhere);
        }
    }

    #[test]
    fn it_holds_no_more_than_it_may_and_forgets_what_ends_first() {
        let verdicts = Verdicts::default();
        let name = |i: usize| format!("a.{i}.c");
        let end = |i: usize| 1_000 + i64::try_from(i).expect("a small number");
        for i in 0..MAX_ENTRIES + 10 {
            verdicts.put(&name(i), "", Refusal::Inactive, end(i), at(0));
        }
        let count = || verdicts.0.lock().expect("not poisoned").len();
        assert_eq!(count(), MAX_ENTRIES);
        assert_eq!(verdicts.get(&name(9), "", at(0)), None);
        assert_eq!(verdicts.get(&name(10), "", at(0)), Some(Refusal::Inactive));
        // Those that have ended make room for all that come.
        verdicts.put("late", "", Refusal::Inactive, 99_999, at(end(MAX_ENTRIES)));
        assert_eq!(count(), 10);
        assert_eq!(verdicts.get("late", "", at(50_000)), Some(Refusal::Inactive));
    }
}
