//! The public keys of clients that prove themselves by a key: those that are registered, or those that they publish.
//!
//! Published keys are kept no longer than the client's `Cache-Control` allows (SMART App Launch 2.2, "Asymmetric"), and five
//! minutes at most: a key that it takes back is refused from then on, whether its server can be reached or not.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use time::OffsetDateTime;

use crate::client::Client;
use crate::http::{Http, NoClient};
use crate::id::ClientId;
use crate::token::{Jwks, MAX_JWKS_BYTES};

/// How long published keys are kept where the client does not say, in seconds.
const USUAL_LIFE: i64 = 60;
/// The longest that they are kept, in seconds.
const MAX_LIFE: i64 = 300;
/// They are asked for again for the sake of an unknown `kid` at most this often, in seconds.
const MIN_REFETCH: i64 = 30;
/// Where they could not be fetched, they are asked for again after so many seconds.
const MIN_RETRY: i64 = 2;
/// How long a fetch may take.
const DEADLINE: Duration = Duration::from_secs(3);
/// The most clients whose keys are kept parsed.
const MAX_CLIENTS: usize = 10_000;

/// Where clients may publish their keys.
#[derive(Clone, Debug, Default)]
pub struct KeyPolicy {
    /// At private addresses as well, and on this very machine without TLS. For hospitals whose apps are inside, and tests.
    pub allow_private: bool,
    /// Who may have signed their certificates, besides the public authorities: certificates in PEM.
    pub authorities: Option<Vec<u8>>,
}

/// The keys of every client that has some, parsed once and kept.
pub struct ClientKeys {
    http: Http,
    known: RwLock<HashMap<ClientId, Arc<Source>>>,
}

/// Where a client's keys come from.
enum Source {
    Registered { text: String, keys: Arc<Jwks> },
    Published(Publisher),
}

struct Publisher {
    uri: String,
    seen: Mutex<Seen>,
    /// Held while asking: who comes second waits for the first one's answer.
    asking: tokio::sync::Mutex<()>,
}

/// What was fetched last.
#[derive(Clone, Default)]
struct Seen {
    keys: Arc<Jwks>,
    /// When the keys came, in Unix seconds, and for how many seconds they are good.
    fetched_at: i64,
    life: i64,
    /// When they were last asked for, and whether there was no good answer.
    asked_at: Option<i64>,
    failed: bool,
    /// How often they were asked for.
    count: u64,
}

impl ClientKeys {
    /// Knows no keys yet.
    ///
    /// # Errors
    /// [`NoClient`], where TLS cannot be set up, or the authorities cannot be read.
    pub fn new(policy: &KeyPolicy) -> Result<Self, NoClient> {
        let make = if policy.allow_private { Http::new } else { Http::to_the_public };
        Ok(Self { http: make(policy.authorities.as_deref(), DEADLINE, MAX_JWKS_BYTES)?, known: RwLock::default() })
    }

    /// The keys of this client, among which the one of this name should be: where it publishes them and it is not there, they
    /// are asked for again. Without keys that may be believed, an empty set.
    pub async fn of(&self, client: &Client, kid: &str, now: OffsetDateTime) -> Arc<Jwks> {
        match &*self.source(client) {
            Source::Registered { keys, .. } => Arc::clone(keys),
            Source::Published(publisher) => publisher.keys(&self.http, client, kid, now.unix_timestamp()).await,
        }
    }

    fn source(&self, client: &Client) -> Arc<Source> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&client.id).cloned();
        if let Some(source) = known.filter(|source| source.is_of(client)) {
            return source;
        }
        let source = Arc::new(Source::new(client));
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_CLIENTS {
            known.clear(); // they are read again when they are needed
        }
        // Somebody else may have been faster: then theirs is the one that is asked, once for all who wait.
        let entry = known.entry(client.id.clone()).or_insert_with(|| Arc::clone(&source));
        if !entry.is_of(client) {
            *entry = source;
        }
        Arc::clone(entry)
    }
}

impl Source {
    fn new(client: &Client) -> Self {
        if let Some(uri) = client.jwks_uri.clone().filter(|_| client.jwks.is_none()) {
            return Self::Published(Publisher { uri, seen: Mutex::default(), asking: tokio::sync::Mutex::default() });
        }
        let text = client.jwks.clone().unwrap_or_default();
        let keys = Jwks::parse(text.as_bytes()).unwrap_or_else(|reason| {
            tracing::warn!(client = %client.id, %reason, "the registered keys of a client cannot be used");
            Jwks::default()
        });
        Self::Registered { text, keys: Arc::new(keys) }
    }

    /// Whether it is what the client is registered with now.
    fn is_of(&self, client: &Client) -> bool {
        match self {
            Self::Registered { text, .. } => client.jwks.as_deref().or(client.jwks_uri.is_none().then_some("")) == Some(text),
            Self::Published(publisher) => client.jwks.is_none() && client.jwks_uri.as_deref() == Some(publisher.uri.as_str()),
        }
    }
}

impl Publisher {
    async fn keys(&self, http: &Http, client: &Client, kid: &str, now: i64) -> Arc<Jwks> {
        let before = self.seen();
        if let Some(answer) = before.answer(kid, now) {
            return answer;
        }
        let _asking = self.asking.lock().await;
        let seen = self.seen();
        if let Some(answer) = seen.answer(kid, now) {
            return answer;
        }
        // What was fetched while we waited was fetched for us as well, even if it may not be kept.
        if seen.count == before.count {
            self.fetch(http, client, now).await;
        }
        let seen = self.seen();
        if seen.failed { Arc::default() } else { seen.keys }
    }

    /// What is known now. A poisoned lock still holds something whole: it is only ever swapped.
    fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn fetch(&self, http: &Http, client: &Client, now: i64) {
        let fetched = match http.fetch(&self.uri, &[("accept", "application/json")]).await {
            Ok(answer) => match Jwks::parse(&answer.body) {
                Ok(keys) => Ok((keys, answer.max_age)),
                Err(reason) => Err(reason.to_string()),
            },
            Err(fault) => Err(fault.to_string()),
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        (seen.asked_at, seen.failed) = (Some(now), fetched.is_err());
        seen.count += 1;
        match fetched {
            Ok((keys, max_age)) => {
                let life = max_age.map_or(USUAL_LIFE, |seconds| i64::try_from(seconds).unwrap_or(MAX_LIFE).min(MAX_LIFE));
                (seen.keys, seen.fetched_at, seen.life) = (Arc::new(keys), now, life);
            }
            Err(reason) => tracing::warn!(client = %client.id, reason, "the keys that a client publishes could not be fetched"),
        }
    }
}

impl Seen {
    /// What can be said without asking: the keys, where the right one is among them or it is too early to ask again.
    fn answer(&self, kid: &str, now: i64) -> Option<Arc<Jwks>> {
        let is_fresh = is_within(0..self.life, self.fetched_at, now);
        let has_key = self.keys.get(kid).is_some();
        if is_fresh && has_key {
            return Some(Arc::clone(&self.keys));
        }
        let wait = match (is_fresh, self.failed, has_key) {
            (false, true, _) => MIN_RETRY,
            (false, false, true) => 0,
            _ => MIN_REFETCH,
        };
        let is_early = self.asked_at.is_some_and(|at| is_within(0..wait, at, now));
        is_early.then(|| if is_fresh { Arc::clone(&self.keys) } else { Arc::default() })
    }
}

/// Whether `then` is so many seconds ago. A clock that was set back makes it "no".
fn is_within(seconds: Range<i64>, then: i64, now: i64) -> bool {
    seconds.contains(&now.saturating_sub(then))
}
