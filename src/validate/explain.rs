//! A decision, step by step, for the administrator who wonders about it. It quotes the token's
//! claims: it is for their own terminal, never for a log.

use time::OffsetDateTime;

use super::check::{CHECKS, Case};
use super::claims::FhirScopes;
use super::{BearerToken, Context, Decision, Profile, Refusal, Validator};
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
        steps.note("form", parsed.as_ref().map(|_| ()).map_err(|why| (*why).into()), || {
            format!(
                "{} bytes; a signed JWT has three parts, a plain header, and {} bytes at most",
                token.expose().len(),
                crate::token::MAX_TOKEN_BYTES
            )
        })?;
        let token = parsed?;
        let rule = self.rule_for(endpoint, &token);
        steps.note("trusted issuer", rule.as_ref().map(|_| ()).map_err(|why| *why), || {
            let trusted: Vec<&str> =
                self.rules.iter().filter(|rule| rule.trust.serves(endpoint)).map(|rule| rule.trust.issuer.as_str()).collect();
            format!("the token says {}; trusted here: {}", token.issuer().unwrap_or("nothing"), trusted.join(", "))
        })?;
        let rule = rule?;
        let profile = rule.trust.profile;
        steps.note("type", profile.check_type(&token).map_err(Into::into), || {
            let typ = if token.typ().is_empty() { "missing" } else { token.typ() };
            let hint = if profile == Profile::Admit { "; an access token's is at+jwt, an ID token's is jwt" } else { "" };
            format!("typ is {typ}{hint}")
        })?;
        let keys = rule.keys.for_kid(token.kid(), now).await;
        let known = keys.get(token.kid()).map(|_| ()).ok_or(if keys.is_empty() { Refusal::NoKeys } else { Rejection::UnknownKey.into() });
        steps.note("key", known, || format!("kid is {}; the issuer's keys: {}", token.kid(), keys.kids().join(", ")))?;
        let algorithm = token.algorithm().to_owned();
        let verified = token.verify(&keys);
        steps.note("signature", verified.as_ref().map(|_| ()).map_err(|why| (*why).into()), || format!("alg is {algorithm}"))?;
        let claims = profile.read(verified?);
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
        Ok(())
    }
}

#[derive(Default)]
struct Steps(Vec<Step>);

impl Steps {
    fn note(&mut self, name: &'static str, result: Result<(), Refusal>, found: impl FnOnce() -> String) -> Result<(), Refusal> {
        self.0.push(Step { name, refusal: result.err(), found: found() });
        result
    }
}
