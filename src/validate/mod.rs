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
mod introspection;
mod journal;
mod keys;
mod profile;
mod proof;
mod settings;
mod trust;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use time::OffsetDateTime;
use tokio::time::Instant;

pub use crate::http::{Answer, Fault, Http, NoClient, is_url, may_ask};
pub use claims::Claims;
pub use context::{BadContext, Context};
pub use decision::{Allowed, Decision, Refusal, Refused};
pub use environment::Environment;
pub use event::{BearerToken, Event, after_bearer};
pub use explain::Step;
pub use function::{Call, Function};
pub use gateway::Failure;
pub use introspection::{ClientAuthentication, ClientProof, Introspected, Introspector, MAX_CACHE_SECONDS, Silence};
pub use journal::Sink;
pub use keys::{Fetches, KeySource, Keys, MAX_AGE, MIN_REFETCH, REFRESH_AGE};
pub use profile::{Profile, UnknownProfile};
pub use proof::{Proof, WhenUnreachable};
pub use settings::{BadSettings, is_role};
pub use trust::Trust;

use crate::token::{Rejection, Unverified};
use check::Case;
use claims::FhirScopes;
use introspection::Proved;
use proof::Standing;
use watch::{Nobody, Watch};

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
        self.judge(endpoint, token, now, trace, &mut Nobody).await.into()
    }

    /// The one way to a decision, whoever watches: what the token depends on, thing by thing, up to the first "no".
    async fn judge<W: Watch>(
        &self,
        endpoint: &str,
        token: &BearerToken,
        now: OffsetDateTime,
        trace: Option<&str>,
        watch: &mut W,
    ) -> Result<Allowed, Refused> {
        let by = Instant::now() + ASKING;
        watch.note("data store", self.must_serve(endpoint), |_| explain::datastore(self, endpoint))?;
        let jwt = watch.note("form", self.parse(endpoint, token), |jwt| explain::form(token, jwt))?;
        let rule =
            watch.note("trusted issuer", self.rule_for(endpoint, jwt.as_ref()), |_| explain::issuer(self, endpoint, jwt.as_ref()))?;
        let profile = rule.trust.profile;
        if let Some(jwt) = &jwt {
            watch.note("type", profile.check_type(jwt).map_err(Refusal::from), |_| explain::header_type(profile, jwt))?;
        }
        let claims = match &rule.proof {
            Proof::Signature(keys) | Proof::Both { keys, .. } => {
                profile.read(signed(jwt.ok_or(Rejection::Malformed)?, keys, now, watch).await?)
            }
            Proof::Introspection(introspector) => {
                let word = introspector.ask(token.expose(), now, trace, by).await;
                let answer = watch.note("introspection", proof::must_be_active(&word), |_| explain::word(introspector, &word))?;
                self.introspected(rule, endpoint, &answer)
            }
        };
        let claims = watch.note("claims", claims.map_err(Refusal::from), |claims| explain::claims(profile, claims))?;
        let allowed = self.allow(rule, endpoint, claims, now, watch)?;
        // Last: nobody is asked about a token that is refused anyway.
        let Proof::Both { introspector, when_unreachable, .. } = &rule.proof else { return Ok(allowed) };
        let proved = Proved { allowed: &allowed, trust: &rule.trust, context: &self.context };
        // Where silence lets nobody in, there is nothing to wait for; and a token that its issuer's other half has not heard
        // of yet is not shut out for its whole life.
        let remembers = *when_unreachable == WhenUnreachable::Allow;
        let verdict = if remembers { introspector.verdict(token.expose(), endpoint, now) } else { None };
        let weighed = match verdict {
            Some(why) => watch.note("introspection", Err(why), |_| explain::verdict(introspector)),
            None => {
                let word = introspector.ask(token.expose(), now, trace, by).await;
                let weighed = when_unreachable.weigh(&word, &proved);
                if remembers {
                    introspector.remember(token.expose(), endpoint, weighed, allowed.claims.expires_at + LEEWAY, now);
                }
                watch.note("introspection", weighed, |weighed| explain::weighed(introspector, &word, &proved, weighed))
            }
        };
        match weighed {
            Ok(Standing::Confirmed) => Ok(allowed),
            Ok(Standing::Unconfirmed) => Ok(Allowed { unconfirmed: true, ..allowed }),
            Err(why) => Err(Refused { why, claims: Some(Box::new(allowed.claims)) }),
        }
    }

    fn must_serve(&self, endpoint: &str) -> Result<(), Refusal> {
        if self.rules.iter().any(|rule| rule.trust.serves(endpoint)) { Ok(()) } else { Err(Refusal::UnknownDatastore) }
    }

    /// The token as a JWT that nobody has verified yet; `None` for one that is no JWT, where there is somebody who may know it
    /// all the same.
    fn parse<'t>(&self, endpoint: &str, token: &'t BearerToken) -> Result<Option<Unverified<'t>>, Refusal> {
        match Unverified::parse(token.expose()) {
            Ok(jwt) => Ok(Some(jwt)),
            Err(Rejection::Malformed) if self.sole_introspection(endpoint).is_some() => Ok(None),
            Err(why) => Err(why.into()),
        }
    }

    /// Whose token it claims to be decides how it is proved; nothing else is believed yet. One that is no JWT claims
    /// nothing: it is given to the one issuer who may know it, and not to several to see whose it is.
    fn rule_for(&self, endpoint: &str, jwt: Option<&Unverified<'_>>) -> Result<&Rule, Refusal> {
        let Some(jwt) = jwt else { return self.sole_introspection(endpoint).ok_or(Rejection::Malformed.into()) };
        let mut rules = self.rules.iter().filter(|rule| rule.trust.serves(endpoint) && jwt.issuer() == Some(&rule.trust.issuer)).peekable();
        let first = rules.peek().copied().ok_or(Rejection::Issuer)?;
        let tenant = jwt.tenant();
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
        let mut answer = answer.clone();
        if self.sole_introspection(endpoint).is_some() {
            answer.entry("iss").or_insert_with(|| rule.trust.issuer.as_str().into());
        }
        rule.trust.profile.read_answer(answer)
    }

    /// Everything that can be said of proved claims without asking anybody.
    fn allow<W: Watch>(&self, rule: &Rule, endpoint: &str, claims: Claims, now: OffsetDateTime, watch: &mut W) -> Result<Allowed, Refused> {
        let context = self.context.of(&claims.all, rule.trust.profile);
        let scopes = FhirScopes::read(&claims.scope);
        let patient = Context::patient(&context);
        let case = Case { trust: &rule.trust, claims: &claims, scopes, patient, endpoint, now: now.unix_timestamp() };
        if let Err(why) = check::all(&case, watch) {
            return Err(Refused { why, claims: Some(Box::new(claims)) });
        }
        let role = rule.trust.role_for(&scopes).map(str::to_owned);
        Ok(Allowed { audience: endpoint.to_owned(), role, claims, context, unconfirmed: false })
    }
}

/// The claims that a signature vouches for.
async fn signed<W: Watch>(
    jwt: Unverified<'_>,
    keys: &KeySource,
    now: OffsetDateTime,
    watch: &mut W,
) -> Result<Map<String, Value>, Refusal> {
    let keys = keys.for_kid(jwt.kid(), now).await;
    let is_known = match keys.get(jwt.kid()) {
        Some(_) => Ok(()),
        None if keys.is_empty() => Err(Refusal::NoKeys),
        None => Err(Rejection::UnknownKey.into()),
    };
    watch.note("key", is_known, |_| explain::key(&jwt, &keys))?;
    // Kept for whoever reads it: verifying takes the token apart.
    let algorithm = W::READS.then(|| jwt.algorithm().to_owned());
    watch.note("signature", jwt.verify(&keys).map_err(Refusal::from), |_| explain::signature(algorithm.as_deref()))
}
