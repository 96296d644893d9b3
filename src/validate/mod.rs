//! The validator that HealthLake calls: event in, decision out.
//!
//! A bad token is an answer ("no"), not an error. The decision itself is pure; the only I/O is the
//! key set, which is fetched when it is not there or does not know a key, and the issuer's word, where
//! it is to be asked for that.

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
mod introspection;
mod journal;
mod keys;
mod profile;
mod proof;
mod settings;
mod trust;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use time::OffsetDateTime;
use tokio::time::Instant;

pub use claims::Claims;
pub use context::{BadContext, Context};
pub use decision::{Allowed, Decision, Refusal, Refused};
pub use environment::Environment;
pub use event::{BearerToken, Event};
pub use explain::Step;
pub use function::{Call, Function};
pub use gateway::Failure;
pub use http::{Answer, Fault, Http, NoClient, may_ask};
pub use introspection::{ClientAuthentication, Introspected, Introspector, MAX_CACHE_SECONDS, Silence};
pub use journal::Sink;
pub use keys::{Fetches, KeySource, Keys, MAX_AGE, MIN_REFETCH, REFRESH_AGE};
pub use profile::{Profile, UnknownProfile};
pub use proof::{Proof, WhenUnreachable};
pub use settings::{BadSettings, is_role};
pub use trust::Trust;

use crate::token::{Rejection, Unverified};
use check::Case;
use claims::FhirScopes;
use introspection::is_of_access_token;

/// How far a clock may be off before a token counts as expired or not yet valid, in seconds.
pub const LEEWAY: i64 = 5;
/// How long after the question whoever is asked may answer, keys included. HealthLake hears nothing that comes after a
/// second, both ways and the function's start included.
const ASKING: Duration = Duration::from_millis(600);

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
    /// What makes its tokens believed.
    pub proof: Proof,
}

impl Validator {
    /// A validator of tokens by one issuer.
    #[must_use]
    pub fn new(trust: Trust, keys: KeySource) -> Self {
        Self::of(vec![Rule { trust, proof: Proof::Signature(Arc::new(keys)) }])
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
        for keys in self.rules.iter().filter_map(|rule| rule.proof.keys()) {
            let keys = Arc::clone(keys);
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

    async fn judge(&self, endpoint: &str, token: &BearerToken, now: OffsetDateTime, trace: Option<&str>) -> Result<Allowed, Refused> {
        let by = Instant::now() + ASKING;
        if !self.rules.iter().any(|rule| rule.trust.serves(endpoint)) {
            return Err(Refusal::UnknownDatastore.into());
        }
        let parsed = Unverified::parse(token.expose());
        let rule = self.rule_for(endpoint, &parsed)?;
        if let Ok(parsed) = &parsed {
            rule.trust.profile.check_type(parsed)?;
        }
        match &rule.proof {
            Proof::Signature(keys) => self.allow(rule, endpoint, signed(rule, keys, parsed?, now).await?, now),
            Proof::Introspection(introspector) => {
                let answer = proof::must_be_active(introspector.ask(token.expose(), now, trace, by).await)?;
                self.allow(rule, endpoint, self.introspected(rule, endpoint, &answer)?, now)
            }
            Proof::Both { keys, introspector, when_unreachable } => {
                let allowed = self.allow(rule, endpoint, signed(rule, keys, parsed?, now).await?, now)?;
                let word = introspector.ask(token.expose(), now, trace, by).await;
                match when_unreachable.weigh(&word, &allowed.claims) {
                    Ok(()) => Ok(allowed),
                    Err(why) => Err(Refused { why, claims: Some(Box::new(allowed.claims)) }),
                }
            }
        }
    }

    /// Whose token it claims to be decides how it is proved; nothing else is believed yet. One that is no JWT claims
    /// nothing: it is given to the one issuer who may know it, and not to several to see whose it is.
    fn rule_for(&self, endpoint: &str, token: &Result<Unverified<'_>, Rejection>) -> Result<&Rule, Refusal> {
        let token = match token {
            Ok(token) => token,
            Err(Rejection::Malformed) => return self.sole_introspection(endpoint).ok_or(Rejection::Malformed.into()),
            Err(why) => return Err((*why).into()),
        };
        let mut rules =
            self.rules.iter().filter(|rule| rule.trust.serves(endpoint) && token.issuer() == Some(&rule.trust.issuer)).peekable();
        let first = rules.peek().copied().ok_or(Rejection::Issuer)?;
        let tenant = token.tenant();
        Ok(rules.find(|rule| rule.trust.tenant.as_deref().is_none_or(|own| tenant == Some(own))).unwrap_or(first))
    }

    /// The one rule that proves by introspection alone at this data store; `None` where there is none, or another.
    fn sole_introspection(&self, endpoint: &str) -> Option<&Rule> {
        let mut rules = self.rules.iter().filter(|rule| rule.trust.serves(endpoint) && matches!(rule.proof, Proof::Introspection(_)));
        rules.next().filter(|_| rules.next().is_none())
    }

    /// The claims that the issuer's word vouches for. An answer need not name its issuer, who was asked: but where several
    /// are asked on behalf of one data store, each says who it is.
    fn introspected(&self, rule: &Rule, endpoint: &str, answer: &Map<String, Value>) -> Result<Claims, Rejection> {
        if !is_of_access_token(answer) {
            return Err(Rejection::Type);
        }
        let mut answer = answer.clone();
        if self.sole_introspection(endpoint).is_some() {
            answer.entry("iss").or_insert_with(|| rule.trust.issuer.as_str().into());
        }
        rule.trust.profile.read_answer(answer)
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

/// The claims that a signature vouches for.
async fn signed(rule: &Rule, keys: &KeySource, token: Unverified<'_>, now: OffsetDateTime) -> Result<Claims, Refusal> {
    let keys = keys.for_kid(token.kid(), now).await;
    if keys.is_empty() {
        return Err(Refusal::NoKeys);
    }
    Ok(rule.trust.profile.read(token.verify(&keys)?)?)
}
