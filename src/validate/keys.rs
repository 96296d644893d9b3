//! Where the issuer's public keys come from: a set that is given, a URI that is asked, or both.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use time::OffsetDateTime;

use super::{Http, NoClient};
use crate::token::{BadKeySet, Jwks, MAX_JWKS_BYTES};

/// A key set is asked for again at most this often, in seconds, however many unknown keys come by.
pub const MIN_REFETCH: i64 = 30;
/// After so many seconds a fetched set is fetched again, while it still serves.
pub const REFRESH_AGE: i64 = 150;
/// How long a set is believed without the issuer's word, in seconds: a key that it withdraws is
/// refused from then on. Older sets serve only while the issuer cannot be asked.
pub const MAX_AGE: i64 = 300;
/// With no keys at all, try again after this many seconds: more than one, so that two tries never fall into one answer's time.
const MIN_RETRY_WITHOUT_KEYS: i64 = 2;
/// How long a fetch may take; HealthLake waits a second for the whole answer.
const DEADLINE: Duration = Duration::from_millis(400);
/// How long one waits for the answer to somebody else's fetch, before its own.
const PATIENCE: Duration = Duration::from_millis(200);
/// How long an event waits for ageing keys to be fetched anew. What has not come by then goes on meanwhile; but Lambda stops
/// us between events, so that "meanwhile" may be never.
const REFRESH_PATIENCE: Duration = Duration::from_millis(100);
/// A fetch that ended so long after its deadline was not slow: we were stopped.
const STOPPED: Duration = Duration::from_secs(1);

/// The keys at hand.
pub type Keys = Arc<Jwks>;

/// A cache of one issuer's keys.
pub struct KeySource(Arc<Cache>);

struct Cache {
    known: RwLock<Known>,
    remote: Option<Remote>,
    fetched: AtomicU64,
    failed: AtomicU64,
}

#[derive(Clone, Default)]
struct Known {
    keys: Keys,
    /// Since when they are believed, in Unix seconds: when the URI gave them, or when keys that came with the
    /// configuration were first used.
    since: Option<i64>,
    /// Whether the URI gave them.
    is_fetched: bool,
}

struct Remote {
    uri: String,
    http: Http,
    /// When the URI was last asked, in Unix seconds. Held while asking: who comes second waits for
    /// the first one's answer.
    asked_at: tokio::sync::Mutex<Option<i64>>,
}

/// How often the key set was asked for since somebody last wanted to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fetches {
    /// With a key set for an answer.
    pub good: u64,
    /// With anything else.
    pub failed: u64,
}

impl KeySource {
    /// Keys that are given once.
    #[must_use]
    pub fn embedded(keys: Jwks) -> Self {
        Self::with(keys, None)
    }

    /// Keys from a URI. Those in `seed` serve from the start, and until it has answered once.
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
        Ok(Self::with(seed, Some(Remote { uri: uri.to_owned(), http, asked_at: tokio::sync::Mutex::new(None) })))
    }

    fn with(keys: Jwks, remote: Option<Remote>) -> Self {
        let known = Known { keys: Arc::new(keys), since: None, is_fetched: false };
        Self(Arc::new(Cache { known: RwLock::new(known), remote, fetched: AtomicU64::new(0), failed: AtomicU64::new(0) }))
    }

    /// The keys. They are asked for anew where `kid` is not among them or they are too old to be
    /// believed; where they are merely ageing, that happens in the background, and is waited for a moment. Keys that
    /// came with the configuration serve the first event at once. Old keys serve on while the URI does not answer.
    pub async fn for_kid(&self, kid: &str, now: OffsetDateTime) -> Keys {
        let now = now.unix_timestamp();
        let is_first_use = self.0.begin(now);
        let known = self.0.known();
        match known.state(kid, now) {
            _ if self.0.remote.is_none() => known.keys,
            State::Good => known.keys,
            State::Ageing if is_first_use => known.keys,
            State::Ageing => {
                let cache = Arc::clone(&self.0);
                let refreshing = tokio::spawn(async move { cache.refresh(now).await });
                let _ = tokio::time::timeout(REFRESH_PATIENCE, refreshing).await;
                self.0.known().keys
            }
            State::Wanting => self.0.ask(kid, now).await,
        }
    }

    /// Fetches the keys where there is none yet, so that the first token need not wait.
    pub async fn warm(&self, now: OffsetDateTime) {
        if self.0.known().keys.is_empty() {
            self.for_kid("", now).await;
        }
    }

    /// How often the URI was asked since this was last asked.
    #[must_use]
    pub fn take_fetches(&self) -> Fetches {
        Fetches { good: self.0.fetched.swap(0, Ordering::Relaxed), failed: self.0.failed.swap(0, Ordering::Relaxed) }
    }
}

impl Cache {
    /// What is known now. A poisoned lock still holds a whole key set: the writer only swaps it.
    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on the keys that came with the configuration are in use; whether that is new.
    fn begin(&self, now: i64) -> bool {
        let known = self.known();
        if known.since.is_some() || known.keys.is_empty() {
            return false;
        }
        self.known.write().unwrap_or_else(PoisonError::into_inner).since.get_or_insert(now);
        true
    }

    /// Waits for the keys: its own fetch, or somebody else's.
    async fn ask(&self, kid: &str, now: i64) -> Keys {
        let Some(remote) = &self.remote else { return self.known().keys };
        let asking = if self.known().keys.get(kid).is_some() {
            remote.asked_at.try_lock().ok() // the key is there: no need to wait while somebody asks
        } else {
            tokio::time::timeout(PATIENCE, remote.asked_at.lock()).await.ok()
        };
        // Who held the lock may have brought what is wanted.
        let known = self.known();
        let Some(asked_at) = asking.filter(|_| matches!(known.state(kid, now), State::Wanting)) else { return known.keys };
        self.fetch(remote, asked_at, now).await;
        self.known().keys
    }

    /// Fetches keys that are ageing, unless somebody has done so meanwhile.
    async fn refresh(&self, now: i64) {
        let Some(remote) = &self.remote else { return };
        let asked_at = remote.asked_at.lock().await;
        if matches!(self.known().state_of_age(now), State::Ageing) {
            self.fetch(remote, asked_at, now).await;
        }
    }

    /// Asks the URI, unless that was done a moment ago.
    async fn fetch(&self, remote: &Remote, mut asked_at: tokio::sync::MutexGuard<'_, Option<i64>>, now: i64) {
        let wait = if self.known().keys.is_empty() { MIN_RETRY_WITHOUT_KEYS } else { MIN_REFETCH };
        if asked_at.is_some_and(|at| is_within(0..wait, at, now)) {
            return;
        }
        *asked_at = Some(now);
        let began = Instant::now();
        match remote.fetch().await {
            Ok(fresh) => {
                self.fetched.fetch_add(1, Ordering::Relaxed);
                let fresh = Known { keys: Arc::new(fresh), since: Some(now), is_fetched: true };
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = fresh;
            }
            // Nobody's fault, and no reason to wait with the next try.
            Err(_) if began.elapsed() > DEADLINE + STOPPED => *asked_at = None,
            Err(reason) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(uri = remote.uri, reason, "the issuer's keys could not be fetched");
            }
        }
    }
}

/// What a key set is good for at a moment.
enum State {
    /// It will do.
    Good,
    /// It will do, and is to be fetched again soon.
    Ageing,
    /// The key is not in it, or it is too old to be believed if there is another.
    Wanting,
}

impl Known {
    fn state(&self, kid: &str, now: i64) -> State {
        if self.keys.get(kid).is_none() { State::Wanting } else { self.state_of_age(now) }
    }

    fn state_of_age(&self, now: i64) -> State {
        match self.since {
            Some(since) if self.is_fetched && is_within(0..REFRESH_AGE, since, now) => State::Good,
            Some(since) if is_within(0..MAX_AGE, since, now) => State::Ageing,
            _ => State::Wanting,
        }
    }
}

/// Whether `then` is so many seconds ago. A clock that was set back makes it "no".
fn is_within(seconds: Range<i64>, then: i64, now: i64) -> bool {
    seconds.contains(&now.saturating_sub(then))
}

impl Remote {
    async fn fetch(&self) -> Result<Jwks, String> {
        let body = self.http.get(&self.uri, &[("accept", "application/json")]).await.map_err(|fault| fault.to_string())?;
        match Jwks::parse(&body) {
            Ok(keys) => {
                if keys.is_empty() {
                    tracing::error!(uri = self.uri, "the issuer publishes no usable key: none of its tokens is believed");
                }
                Ok(keys)
            }
            // Whoever has read it can sign as the issuer: nothing that this address has given is worth anything now.
            Err(BadKeySet::Private) => {
                tracing::error!(uri = self.uri, "the issuer publishes a private key: none of its tokens is believed");
                Ok(Jwks::default())
            }
            Err(_) => Err("the answer is not a usable key set".to_owned()),
        }
    }
}
