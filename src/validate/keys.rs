//! Where the issuer's public keys come from: a set that is given, a URI that is asked, or both.

use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use time::OffsetDateTime;

use super::{Http, NoClient};
use crate::token::{Jwks, MAX_JWKS_BYTES};

/// A key set is asked for again at most this often, in seconds, however many unknown keys come by.
pub const MIN_REFETCH: i64 = 30;
/// How long a fetched set is believed, in seconds: a key that its issuer withdraws is refused
/// from then on.
pub const MAX_AGE: i64 = 300;
/// With no keys at all, try again after this many seconds.
const MIN_RETRY_WITHOUT_KEYS: i64 = 1;
/// How long a fetch may take; HealthLake waits a second for the whole answer.
const DEADLINE: Duration = Duration::from_millis(400);
/// How long one waits for the answer to somebody else's fetch, before its own.
const PATIENCE: Duration = Duration::from_millis(300);

/// The keys at hand.
pub type Keys = Arc<Jwks>;

/// A cache of one issuer's keys.
pub struct KeySource {
    known: RwLock<Known>,
    remote: Option<Remote>,
}

#[derive(Clone, Default)]
struct Known {
    keys: Keys,
    /// When the URI gave them, in Unix seconds; `None` for keys that came with the configuration.
    fetched_at: Option<i64>,
}

struct Remote {
    uri: String,
    http: Http,
    /// When the URI was last asked, in Unix seconds. Held while asking: who comes second waits for
    /// the first one's answer.
    asked_at: tokio::sync::Mutex<Option<i64>>,
}

impl KeySource {
    /// Keys that are given once.
    #[must_use]
    pub fn embedded(keys: Jwks) -> Self {
        Self { known: RwLock::new(Known { keys: Arc::new(keys), fetched_at: None }), remote: None }
    }

    /// Keys from a URI. Those in `seed` serve until it has answered once.
    ///
    /// # Errors
    /// [`NoClient`], where TLS cannot be set up.
    pub fn remote(uri: &str, seed: Jwks) -> Result<Self, NoClient> {
        Self::remote_with_authorities(uri, seed, None)
    }

    /// Likewise, where the URI's certificate may also be of one of these `authorities` (certificates in PEM).
    ///
    /// # Errors
    /// [`NoClient`], where TLS cannot be set up, or the authorities cannot be read.
    pub fn remote_with_authorities(uri: &str, seed: Jwks, authorities: Option<&[u8]>) -> Result<Self, NoClient> {
        let http = Http::new(authorities, DEADLINE, MAX_JWKS_BYTES)?;
        let remote = Remote { uri: uri.to_owned(), http, asked_at: tokio::sync::Mutex::new(None) };
        Ok(Self { remote: Some(remote), ..Self::embedded(seed) })
    }

    /// The keys, asked for anew where they are old or `kid` is not among them. Old keys serve on
    /// while the URI does not answer.
    pub async fn for_kid(&self, kid: &str, now: OffsetDateTime) -> Keys {
        let now = now.unix_timestamp();
        let known = self.known();
        let Some(remote) = self.remote.as_ref().filter(|_| !known.will_do(kid, now)) else { return known.keys };
        let asking = if known.keys.get(kid).is_some() {
            remote.asked_at.try_lock().ok() // the key is there: no need to wait while somebody asks
        } else {
            tokio::time::timeout(PATIENCE, remote.asked_at.lock()).await.ok()
        };
        let known = self.known();
        let Some(mut asked_at) = asking.filter(|_| !known.will_do(kid, now)) else { return known.keys };
        let wait = if known.keys.is_empty() { MIN_RETRY_WITHOUT_KEYS } else { MIN_REFETCH };
        if asked_at.is_some_and(|at| is_within(0..wait, at, now)) {
            return known.keys;
        }
        *asked_at = Some(now);
        match remote.fetch().await {
            Ok(fresh) => {
                let fresh = Arc::new(fresh);
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Known { keys: Arc::clone(&fresh), fetched_at: Some(now) };
                fresh
            }
            Err(reason) => {
                tracing::warn!(uri = remote.uri, reason, "the issuer's keys could not be fetched");
                known.keys
            }
        }
    }

    fn known(&self) -> Known {
        // A poisoned lock still holds a whole key set: the writer only swaps it.
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Known {
    /// Whether this key is there and need not be asked for again.
    fn will_do(&self, kid: &str, now: i64) -> bool {
        self.keys.get(kid).is_some() && self.fetched_at.is_some_and(|at| is_within(0..MAX_AGE, at, now))
    }
}

/// Whether `then` is so many seconds ago. A clock that was set back makes it "no".
fn is_within(seconds: Range<i64>, then: i64, now: i64) -> bool {
    seconds.contains(&now.saturating_sub(then))
}

impl Remote {
    async fn fetch(&self) -> Result<Jwks, String> {
        let body = self.http.get(&self.uri, &[("accept", "application/json")]).await.map_err(|fault| fault.to_string())?;
        let keys = Jwks::parse(&body).map_err(|_| "the answer is not a usable key set")?;
        if keys.is_empty() { Err("the key set has no usable key".to_owned()) } else { Ok(keys) }
    }
}
