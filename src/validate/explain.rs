//! A decision, step by step, for the administrator who wonders about it. It quotes the token's
//! claims: it is for their own terminal, never for a log.

use serde_json::{Map, Value};
use time::OffsetDateTime;
use tokio::time::Instant;

use super::check::{self, CHECKS, Case};
use super::claims::FhirScopes;
use super::introspection::agrees;
use super::proof::must_be_active;
use super::{ASKING, BearerToken, Context, Decision, Introspected, Introspector, KeySource, Profile, Proof, Refusal, Silence, Validator};
use crate::token::{Rejection, Unverified};

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name, such as `audience`.
    pub name: &'static str,
    /// Why it decides for a "no"; `None` where it is as it should be.
    pub refusal: Option<Refusal>,
    /// What was found.
    pub found: String,
}

impl Step {
    /// Whether it was as it should be.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.refusal.is_none()
    }
}

impl Validator {
    /// Everything that is looked at, up to the first thing without which nothing further can be, and the decision:
    /// a "no" is that of the first step that is not as it should be.
    pub async fn explain(&self, endpoint: &str, token: &BearerToken, now: OffsetDateTime) -> (Vec<Step>, Decision) {
        let mut steps = Steps::default();
        // What cannot be gone past ends the steps; the decision says it again.
        let _ = self.look(endpoint, token, now, &mut steps).await;
        (steps.0, self.decide_on(endpoint, token, now, None).await)
    }

    async fn look(&self, endpoint: &str, token: &BearerToken, now: OffsetDateTime, steps: &mut Steps) -> Result<(), Refusal> {
        let is_served = self.rules.iter().any(|rule| rule.trust.serves(endpoint));
        steps.note("data store", if is_served { Ok(()) } else { Err(Refusal::UnknownDatastore) }, || {
            match self.datastores().as_slice() {
                [] => format!("{endpoint}; any is served"),
                served => format!("the request is for {endpoint}; served: {}", served.join(", ")),
            }
        })?;
        let parsed = Unverified::parse(token.expose());
        let rule = self.rule_for(endpoint, &parsed);
        let has_form = match &parsed {
            Err(Rejection::Malformed) => rule.as_ref().map(|_| ()).map_err(|why| *why),
            parsed => parsed.as_ref().map(|_| ()).map_err(|why| (*why).into()),
        };
        steps.note("form", has_form, || form(token, parsed.is_ok(), rule.is_ok()))?;
        steps.note("trusted issuer", rule.as_ref().map(|_| ()).map_err(|why| *why), || {
            let trusted: Vec<&str> =
                self.rules.iter().filter(|rule| rule.trust.serves(endpoint)).map(|rule| rule.trust.issuer.as_str()).collect();
            let said = parsed.as_ref().map_or("nothing", |token| token.issuer().unwrap_or("nothing"));
            format!("the token says {said}; trusted here: {}", trusted.join(", "))
        })?;
        let rule = rule?;
        let profile = rule.trust.profile;
        if let Ok(token) = &parsed {
            steps.note("type", profile.check_type(token).map_err(Into::into), || {
                let typ = if token.typ().is_empty() { "missing" } else { token.typ() };
                let hint = if profile == Profile::Admit { "; an access token's is at+jwt, an ID token's is jwt" } else { "" };
                format!("typ is {typ}{hint}")
            })?;
        }
        let ask = async |introspector: &Introspector| {
            let word = introspector.ask(token.expose(), now, None, Instant::now() + ASKING).await;
            let found = format!("asked {}: {}", introspector.describe(), in_words(&word));
            (word, found)
        };
        let claims = match &rule.proof {
            Proof::Signature(keys) | Proof::Both { keys, .. } => profile.read(steps.signature(parsed?, keys, now).await?),
            Proof::Introspection(introspector) => {
                let (word, found) = ask(introspector).await;
                let active = must_be_active(word);
                steps.note("introspection", active.as_ref().map(|_| ()).map_err(|why| *why), || found)?;
                self.introspected(rule, endpoint, &*active?)
            }
        };
        steps.note("claims", claims.as_ref().map(|_| ()).map_err(|why| (*why).into()), || match &claims {
            Ok(_) => format!("as tokens of profile {profile} have them"),
            Err(why) => why.to_string(),
        })?;
        let claims = claims?;
        let context = self.context.of(&claims.all, profile);
        let case = Case {
            trust: &rule.trust,
            claims: &claims,
            scopes: FhirScopes::read(&claims.scope),
            has_patient: Context::has_patient(&context),
            endpoint,
            now: now.unix_timestamp(),
        };
        for check in CHECKS {
            // From here on nothing depends on what was before: all of it is shown.
            let _ = steps.note(check.name, (check.look)(&case).map_err(Into::into), || (check.compared)(&case));
        }
        if let Proof::Both { introspector, when_unreachable, .. } = &rule.proof {
            // Nobody is asked about a token that is refused anyway.
            check::all(&case)?;
            let (word, found) = ask(introspector).await;
            let weighed = when_unreachable.weigh(&word, &claims);
            steps.note("introspection", weighed, || match (&word, weighed) {
                (Ok(Introspected::Active(answer)), Err(Refusal::Contradicted)) => {
                    format!("{found}; but {} is not what the token says", agrees(answer, &claims).err().unwrap_or("something"))
                }
                (Err(_), Ok(())) => format!("{found}; the settings let the signature do"),
                _ => found,
            })?;
        }
        Ok(())
    }
}

fn form(token: &BearerToken, is_jwt: bool, is_to_be_asked_about: bool) -> String {
    let length = token.expose().len();
    if !is_jwt && is_to_be_asked_about {
        return format!("{length} bytes; no JWT, so that its issuer alone knows what it says");
    }
    format!("{length} bytes; a signed JWT has three parts, a plain header, and {} bytes at most", crate::token::MAX_TOKEN_BYTES)
}

/// What the issuer said, by the names of the members alone.
fn in_words(word: &Result<Introspected, Silence>) -> String {
    match word {
        Ok(Introspected::Inactive) => "not active".to_owned(),
        Ok(Introspected::Active(answer)) if answer.is_empty() => "active, and no more".to_owned(),
        Ok(Introspected::Active(answer)) => {
            let names: Vec<&str> = answer.keys().map(String::as_str).collect();
            format!("active, with {}", names.join(" "))
        }
        Err(silence) => silence.to_string(),
    }
}

#[derive(Default)]
struct Steps(Vec<Step>);

impl Steps {
    fn note(&mut self, name: &'static str, result: Result<(), Refusal>, found: impl FnOnce() -> String) -> Result<(), Refusal> {
        self.0.push(Step { name, refusal: result.err(), found: found() });
        result
    }

    /// The claims, once the signature is right.
    async fn signature(&mut self, token: Unverified<'_>, keys: &KeySource, now: OffsetDateTime) -> Result<Map<String, Value>, Refusal> {
        let keys = keys.for_kid(token.kid(), now).await;
        let known = keys.get(token.kid()).map(|_| ()).ok_or(if keys.is_empty() { Refusal::NoKeys } else { Rejection::UnknownKey.into() });
        self.note("key", known, || format!("kid is {}; the issuer's keys: {}", token.kid(), keys.kids().join(", ")))?;
        let algorithm = token.algorithm().to_owned();
        let verified = token.verify(&keys);
        self.note("signature", verified.as_ref().map(|_| ()).map_err(|why| (*why).into()), || format!("alg is {algorithm}"))?;
        Ok(verified?)
    }
}
