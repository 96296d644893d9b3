//! Answers that are believed for a moment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};
use time::OffsetDateTime;

/// The longest that an answer may be believed, in seconds: so long does a revoked token still open doors.
pub const MAX_CACHE_SECONDS: u32 = 60;
/// The most answers that are kept.
const MAX_ENTRIES: usize = 1_000;

/// Answers that a token stands, by the token's SHA-256: no token is kept. That one does not stand is never kept here. Whoever
/// makes tokens up could fill the cache with it; and a token that its issuer's other half has not heard of yet
/// would go on being refused. Of tokens whose signature is right, [`super::verdicts`] remembers it.
pub(super) struct Cache {
    seconds: i64,
    entries: Mutex<HashMap<Vec<u8>, Entry>>,
}

struct Entry {
    answer: Arc<Map<String, Value>>,
    asked_at: i64,
    until: i64,
}

impl Entry {
    /// A clock that was set back makes it "no".
    fn is_good(&self, now: i64) -> bool {
        (self.asked_at..self.until).contains(&now)
    }
}

impl Cache {
    /// One that keeps answers for this long, in seconds; 0: not at all.
    pub(super) fn new(seconds: u32) -> Self {
        Self { seconds: seconds.min(MAX_CACHE_SECONDS).into(), entries: Mutex::default() }
    }

    pub(super) fn get(&self, name: &[u8], now: OffsetDateTime) -> Option<Arc<Map<String, Value>>> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(name).filter(|entry| entry.is_good(now.unix_timestamp())).map(|entry| Arc::clone(&entry.answer))
    }

    /// Keeps an answer, but never beyond the end that it names. Where there is no room, it is not kept.
    pub(super) fn put(&self, name: &[u8], answer: &Arc<Map<String, Value>>, now: OffsetDateTime) {
        let now = now.unix_timestamp();
        let end = answer.get("exp").and_then(Value::as_i64).unwrap_or(i64::MAX);
        let entry = Entry { answer: Arc::clone(answer), asked_at: now, until: end.min(now + self.seconds) };
        if !entry.is_good(now) {
            return;
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MAX_ENTRIES {
            entries.retain(|_, entry| entry.is_good(now));
        }
        if entries.len() < MAX_ENTRIES {
            entries.insert(name.to_vec(), entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(1_000 + seconds)
    }

    fn ending(exp: &Value) -> Arc<Map<String, Value>> {
        Arc::new(Map::from_iter([("exp".to_owned(), exp.clone())]))
    }

    #[test]
    fn an_answer_is_kept_for_its_time_and_never_beyond_the_tokens() {
        for (seconds, exp, kept_for) in [
            (0, json!(9_999), 0),
            (30, json!(9_999), 30),
            (30, json!(1_010), 10),
            (30, json!(1_000), 0),
            (30, json!(0), 0),
            (30, json!("9999"), 30),
            (30, json!(i64::MIN), 0),
            (u32::MAX, json!(i64::MAX), i64::from(MAX_CACHE_SECONDS)),
        ] {
            let cache = Cache::new(seconds);
            cache.put(b"a", &ending(&exp), at(0));
            for second in 0..100 {
                assert_eq!(cache.get(b"a", at(second)).is_some(), second < kept_for, "{seconds} s, until {exp}, after {second} s");
            }
            assert!(cache.get(b"a", at(-1)).is_none(), "a clock that was set back");
            assert!(cache.get(b"b", at(0)).is_none());
        }
    }

    #[test]
    fn it_holds_no_more_than_it_may_and_room_comes_back() {
        let cache = Cache::new(10);
        let answer = ending(&json!(9_999));
        for i in 0..2 * MAX_ENTRIES {
            cache.put(&i.to_be_bytes(), &answer, at(0));
        }
        assert!(cache.get(&(MAX_ENTRIES - 1).to_be_bytes(), at(9)).is_some());
        assert!(cache.get(&MAX_ENTRIES.to_be_bytes(), at(9)).is_none());
        cache.put(b"late", &answer, at(10));
        assert!(cache.get(b"late", at(10)).is_some());
        assert_eq!(cache.entries.lock().expect("not poisoned").len(), 1);
    }
}
