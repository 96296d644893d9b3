//! The validator that HealthLake calls: event in, decision out.
//!
//! A bad token is an answer ("no"), not an error. The decision itself is pure; the only I/O is the
//! key set, which is fetched when it is not there or does not know a key.

mod decision;
mod environment;
mod event;
mod function;
mod http;
mod keys;
mod trust;

use serde_json::Value;
use time::OffsetDateTime;

pub use decision::{Allowed, Decision, Refusal};
pub use environment::BadSettings;
pub use event::{BearerToken, Event};
pub use function::Function;
pub use http::{Answer, Fault, Http, NoClient, may_ask};
pub use keys::{KeySource, Keys, MAX_AGE, MIN_REFETCH};
pub use trust::Trust;

use crate::scope::{Level, ScopeSet};
use crate::token::{AccessClaims, Jwks, Rejection, Unverified};

/// How far a clock may be off before a token counts as expired or not yet valid, in seconds.
pub const LEEWAY: i64 = 5;

/// Decides on tokens for the data stores that it trusts an issuer for.
pub struct Validator {
    trust: Trust,
    keys: KeySource,
}

impl Validator {
    /// A validator of tokens by one issuer.
    #[must_use]
    pub fn new(trust: Trust, keys: KeySource) -> Self {
        Self { trust, keys }
    }

    /// The answer to one Lambda event, as JSON. Whatever the event is, there is an answer.
    pub async fn answer(&self, event: &Value, now: OffsetDateTime) -> Value {
        self.decide(event, now).await.to_json(self.trust.boolean_is_authorized)
    }

    /// Decides on one Lambda event.
    pub async fn decide(&self, event: &Value, now: OffsetDateTime) -> Decision {
        let decision = match Event::read(event) {
            Ok(event) => self.judge(&event, now).await,
            Err(missing) => Err(missing),
        };
        match decision {
            Ok(allowed) => Decision::Allow(Box::new(allowed)),
            Err(refusal) => Decision::Refuse(refusal),
        }
    }

    async fn judge(&self, event: &Event, now: OffsetDateTime) -> Result<Allowed, Refusal> {
        if !self.trust.serves(&event.datastore_endpoint) {
            return Err(Refusal::UnknownDatastore);
        }
        let token = Unverified::parse(event.bearer_token.expose())?;
        token.must_be("at+jwt")?;
        let keys = self.keys.for_kid(token.kid(), now).await;
        if keys.is_empty() {
            return Err(Refusal::NoKeys);
        }
        let claims = check(&token, &keys, &self.trust, event, now)?;
        let scopes = ScopeSet::parse(&claims.scope).map_err(|_| Rejection::Scope)?;
        Ok(Allowed { audience: event.datastore_endpoint.clone(), role: self.trust.role_for(&scopes).to_owned(), claims })
    }
}

/// Everything that can be said of a token without asking anybody.
fn check(token: &Unverified<'_>, keys: &Jwks, trust: &Trust, event: &Event, now: OffsetDateTime) -> Result<AccessClaims, Rejection> {
    let claims = AccessClaims::read(&token.verify(keys)?)?;
    let now = now.unix_timestamp();
    if claims.iss != trust.issuer {
        return Err(Rejection::Issuer);
    }
    if !same_but_for_a_slash(&claims.aud, &event.datastore_endpoint) {
        return Err(Rejection::Audience);
    }
    if trust.tenant.as_ref().is_some_and(|tenant| *tenant != claims.tenant_id) {
        return Err(Rejection::Tenant);
    }
    // RFC 7519 §4.1.4: "on or after" the expiration time it must not be accepted.
    if claims.exp + LEEWAY <= now {
        return Err(Rejection::Expired);
    }
    if claims.nbf > now + LEEWAY || claims.iat > now + LEEWAY {
        return Err(Rejection::NotYet);
    }
    let scopes = ScopeSet::parse(&claims.scope).map_err(|_| Rejection::Scope)?;
    if scopes.resources().next().is_none() {
        return Err(Rejection::Scope);
    }
    if claims.patient.is_none() && scopes.resources().any(|scope| scope.level == Level::Patient) {
        return Err(Rejection::NoPatient);
    }
    Ok(claims)
}

/// HealthLake prints its endpoints with a trailing slash; people register them with and without.
fn same_but_for_a_slash(a: &str, b: &str) -> bool {
    let bare = |url| str::strip_suffix(url, "/").unwrap_or(url);
    bare(a) == bare(b)
}
