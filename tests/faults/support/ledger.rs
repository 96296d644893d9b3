//! What the clients were told, written down on their side: the server's own tables do not count.

use std::collections::BTreeMap;
use std::time::Instant;

/// A token response.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

impl Tokens {
    /// The access token's own name.
    pub fn jti(&self) -> String {
        jti(&self.access)
    }
}

/// The name of an access token, unverified.
pub fn jti(token: &str) -> String {
    let payload = token.split('.').nth(1).and_then(admit::token::from_base64url).expect("a JWT");
    let claims: serde_json::Value = serde_json::from_slice(&payload).expect("claims");
    claims["jti"].as_str().expect("a jti").to_owned()
}

/// What one app knows of one authorization.
#[derive(Clone, Debug)]
pub struct Family {
    pub client: &'static str,
    /// The one that the person chose, or that the EHR had open.
    pub patient: String,
    /// The launch that it came of.
    pub launch: Option<String>,
    pub code: String,
    /// Every answer that came with a new refresh token, the oldest first.
    pub tokens: Vec<Tokens>,
    /// The revocation was acknowledged.
    pub is_revoked: bool,
}

impl Family {
    pub fn latest(&self) -> &Tokens {
        self.tokens.last().expect("at least the first tokens")
    }
}

/// A client assertion that was accepted: it is good once.
#[derive(Clone, Debug)]
pub struct Spent {
    pub assertion: String,
    pub access: String,
    pub at: Instant,
}

/// The record.
#[derive(Debug, Default)]
pub struct Ledger {
    pub families: Vec<Family>,
    pub assertions: Vec<Spent>,
    /// Authorizations that ended because an answer did not come, or came as 503.
    pub abandoned: u64,
    /// What each of them ended with.
    pub abandoned_because: BTreeMap<String, u64>,
    /// Requests without an answer.
    pub unanswered: u64,
    /// When each of them began, and when its client knew.
    pub unanswered_at: Vec<(Instant, Instant)>,
    /// Requests that were answered 503.
    pub turned_away: u64,
    /// Requests that got their answer at the first try.
    pub answered: u64,
}

impl Ledger {
    /// An authorization came to nothing.
    pub fn abandon(&mut self, because: String) {
        self.abandoned += 1;
        *self.abandoned_because.entry(because).or_default() += 1;
    }
}
