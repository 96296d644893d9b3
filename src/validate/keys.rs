//! Where the issuer's public keys come from: a set that is given, a URI that is asked, or both.

use std::sync::{Arc, RwLock};
use std::time::Duration;

use time::OffsetDateTime;

use crate::token::{Jwks, MAX_JWKS_BYTES};

/// A key set is asked for again at most this often, in seconds, however many unknown keys come by.
pub const MIN_REFETCH: i64 = 30;
/// With no keys at all, try again after this many seconds.
const MIN_RETRY_WITHOUT_KEYS: i64 = 1;
/// How long a fetch may take; HealthLake waits a second for the whole answer.
const DEADLINE: Duration = Duration::from_millis(400);

/// The keys at hand.
pub type Keys = Arc<Jwks>;

/// A cache of one issuer's keys.
pub struct KeySource {
    keys: RwLock<Keys>,
    remote: Option<Remote>,
}

struct Remote {
    uri: String,
    client: reqwest::Client,
    /// When the URI was last asked, in Unix seconds. Held while asking: who comes second waits for
    /// the first one's answer.
    asked_at: tokio::sync::Mutex<Option<i64>>,
}

/// The HTTP client could not be built.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for the key set cannot be set up")]
pub struct NoClient(#[from] reqwest::Error);

impl KeySource {
    /// Keys that are given once.
    #[must_use]
    pub fn embedded(keys: Jwks) -> Self {
        Self { keys: RwLock::new(Arc::new(keys)), remote: None }
    }

    /// Keys from a URI, beginning with those in `seed`.
    ///
    /// # Errors
    /// [`NoClient`], where TLS cannot be set up.
    pub fn remote(uri: &str, seed: Jwks) -> Result<Self, NoClient> {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(DEADLINE).build()?;
        let remote = Remote { uri: uri.to_owned(), client, asked_at: tokio::sync::Mutex::new(None) };
        Ok(Self { keys: RwLock::new(Arc::new(seed)), remote: Some(remote) })
    }

    /// The keys, asked for anew where `kid` is not among them. Stale keys serve while the URI does
    /// not answer.
    pub async fn for_kid(&self, kid: &str, now: OffsetDateTime) -> Keys {
        let keys = self.current();
        let Some(remote) = self.remote.as_ref().filter(|_| keys.get(kid).is_none()) else { return keys };
        let mut asked_at = remote.asked_at.lock().await;
        let keys = self.current();
        let wait = if keys.is_empty() { MIN_RETRY_WITHOUT_KEYS } else { MIN_REFETCH };
        let now = now.unix_timestamp();
        if keys.get(kid).is_some() || asked_at.is_some_and(|at| now < at + wait) {
            return keys;
        }
        *asked_at = Some(now);
        match remote.fetch().await {
            Ok(fresh) => {
                let fresh = Arc::new(fresh);
                if let Ok(mut keys) = self.keys.write() {
                    *keys = Arc::clone(&fresh);
                }
                fresh
            }
            Err(reason) => {
                tracing::warn!(uri = remote.uri, reason, "the issuer's keys could not be fetched");
                keys
            }
        }
    }

    fn current(&self) -> Keys {
        // A poisoned lock still holds a whole key set: the writer only swaps a pointer.
        Arc::clone(&self.keys.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

impl Remote {
    async fn fetch(&self) -> Result<Jwks, &'static str> {
        let request = self.client.get(&self.uri).header("accept", "application/json");
        let mut response = request.send().await.map_err(|error| if error.is_timeout() { "timeout" } else { "no answer" })?;
        if response.status() != 200 {
            return Err("the answer is not 200");
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| "the answer broke off")? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_JWKS_BYTES {
                return Err("the answer is too large");
            }
        }
        let keys = Jwks::parse(&body).map_err(|_| "the answer is not a usable key set")?;
        if keys.is_empty() { Err("the key set has no usable key") } else { Ok(keys) }
    }
}
