//! The validator that HealthLake calls: event in, decision out.
//!
//! A bad token is an answer ("no"), not an error. The decision itself is pure; the only I/O is the
//! key set, which is fetched when it is not there or does not know a key.

mod check;
mod claims;
mod context;
mod decision;
mod environment;
mod event;
mod explain;
mod function;
mod gateway;
mod http;
mod journal;
mod keys;
mod profile;
mod settings;
mod trust;

use std::sync::Arc;

use serde_json::Value;
use time::OffsetDateTime;

pub use claims::Claims;
pub use context::{BadContext, Context};
pub use decision::{Allowed, Decision, Refusal, Refused};
pub use event::{BearerToken, Event};
pub use explain::Step;
pub use function::{Call, Function};
pub use gateway::Failure;
pub use http::{Answer, Fault, Http, NoClient, may_ask};
pub use journal::Sink;
pub use keys::{Fetches, KeySource, Keys, MAX_AGE, MIN_REFETCH, REFRESH_AGE};
pub use profile::{Profile, UnknownProfile};
pub use settings::{BadSettings, is_role};
pub use trust::Trust;

use crate::token::{Rejection, Unverified};
use check::Case;
use claims::FhirScopes;

/// How far a clock may be off before a token counts as expired or not yet valid, in seconds.
pub const LEEWAY: i64 = 5;

/// Decides on tokens for the data stores that it trusts issuers for.
pub struct Validator {
    rules: Vec<Rule>,
    context: Context,
    boolean_is_authorized: bool,
}

/// An issuer that is trusted, and how its tokens are proved.
pub struct Rule {
    /// Whom, and for what.
    pub trust: Trust,
    /// Its public keys.
    pub keys: Arc<KeySource>,
}

impl Validator {
    /// A validator of tokens by one issuer.
    #[must_use]
    pub fn new(trust: Trust, keys: KeySource) -> Self {
        Self::of(vec![Rule { trust, keys: Arc::new(keys) }])
    }

    /// A validator of tokens by several issuers. Where two rules fit a token, the first one decides.
    #[must_use]
    pub fn of(rules: Vec<Rule>) -> Self {
        Self { rules, context: Context::default(), boolean_is_authorized: false }
    }

    /// The same, with `isAuthorized` as a boolean or as a string.
    #[must_use]
    pub fn answering_with_boolean(self, boolean_is_authorized: bool) -> Self {
        Self { boolean_is_authorized, ..self }
    }

    /// The same, with this context passed on.
    #[must_use]
    pub fn passing_on(self, context: Context) -> Self {
        Self { context, ..self }
    }

    /// Whether `isAuthorized` is a boolean instead of a string.
    #[must_use]
    pub fn answers_with_boolean(&self) -> bool {
        self.boolean_is_authorized
    }

    /// The data stores that are served by name, each once.
    #[must_use]
    pub fn datastores(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.rules.iter().flat_map(|rule| &rule.trust.datastores).map(String::as_str).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Fetches the keys that are not there yet, so that the first token need not wait.
    pub async fn warm(&self, now: OffsetDateTime) {
        let mut fetching = tokio::task::JoinSet::new();
        for rule in &self.rules {
            let keys = Arc::clone(&rule.keys);
            fetching.spawn(async move { keys.warm(now).await });
        }
        while fetching.join_next().await.is_some() {}
    }

    /// The answer to one event of HealthLake's, as JSON. Whatever the event is, there is an answer.
    pub async fn answer(&self, event: &Value, now: OffsetDateTime) -> Value {
        self.decide(event, now).await.to_json(self.boolean_is_authorized)
    }

    /// Decides on one event of HealthLake's.
    pub async fn decide(&self, event: &Value, now: OffsetDateTime) -> Decision {
        match Event::read(event) {
            Ok(event) => self.decide_on(&event.datastore_endpoint, &event.bearer_token, now, None).await,
            Err(missing) => Decision::Refuse(missing.into()),
        }
    }

    /// Decides whether this token opens this data store. `trace` is the X-Ray trace that the question belongs to:
    /// whoever has to be asked besides is told it.
    pub async fn decide_on(&self, endpoint: &str, token: &BearerToken, now: OffsetDateTime, trace: Option<&str>) -> Decision {
        match self.judge(endpoint, token, now, trace).await {
            Ok(allowed) => Decision::Allow(Box::new(allowed)),
            Err(refused) => Decision::Refuse(refused),
        }
    }

    async fn judge(&self, endpoint: &str, token: &BearerToken, now: OffsetDateTime, _trace: Option<&str>) -> Result<Allowed, Refused> {
        if !self.rules.iter().any(|rule| rule.trust.serves(endpoint)) {
            return Err(Refusal::UnknownDatastore.into());
        }
        let token = Unverified::parse(token.expose())?;
        let rule = self.rule_for(endpoint, &token)?;
        rule.trust.profile.check_type(&token)?;
        let keys = rule.keys.for_kid(token.kid(), now).await;
        if keys.is_empty() {
            return Err(Refusal::NoKeys.into());
        }
        let claims = rule.trust.profile.read(token.verify(&keys)?)?;
        self.allow(rule, endpoint, claims, now)
    }

    /// Whose token it claims to be decides whose keys are tried; nothing else is believed yet.
    fn rule_for(&self, endpoint: &str, token: &Unverified<'_>) -> Result<&Rule, Refusal> {
        let mut rules =
            self.rules.iter().filter(|rule| rule.trust.serves(endpoint) && token.issuer() == Some(&rule.trust.issuer)).peekable();
        let first = rules.peek().copied().ok_or(Rejection::Issuer)?;
        let tenant = token.tenant();
        Ok(rules.find(|rule| rule.trust.tenant.as_deref().is_none_or(|own| tenant == Some(own))).unwrap_or(first))
    }

    /// Everything that can be said of proved claims without asking anybody.
    fn allow(&self, rule: &Rule, endpoint: &str, claims: Claims, now: OffsetDateTime) -> Result<Allowed, Refused> {
        let context = self.context.of(&claims.all, rule.trust.profile);
        let scopes = FhirScopes::read(&claims.scope);
        let has_patient = Context::has_patient(&context);
        let case = Case { trust: &rule.trust, claims: &claims, scopes, has_patient, endpoint, now: now.unix_timestamp() };
        if let Err(why) = check::all(&case) {
            return Err(Refused { why, claims: Some(Box::new(claims)) });
        }
        let role = rule.trust.role_for(&scopes).map(str::to_owned);
        Ok(Allowed { audience: endpoint.to_owned(), role, claims, context })
    }
}
