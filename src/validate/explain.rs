//! A decision, step by step, for the administrator who wonders about it. It quotes the token's
//! claims: it is for their own terminal, never for a log.

use time::OffsetDateTime;

use super::introspection::{Proved, agrees};
use super::proof::Standing;
use super::watch::Watch;
use super::{BearerToken, Claims, Decision, Introspected, Introspector, Profile, Refusal, Silence, Validator};
use crate::token::{Jwks, MAX_TOKEN_BYTES, Unverified};

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
        let judged = self.judge(endpoint, token, now, None, &mut steps).await;
        (steps.0, judged.into())
    }
}

#[derive(Default)]
struct Steps(Vec<Step>);

impl Watch for Steps {
    const READS: bool = true;

    fn note<T>(
        &mut self,
        name: &'static str,
        result: Result<T, Refusal>,
        found: impl FnOnce(&Result<T, Refusal>) -> String,
    ) -> Result<T, Refusal> {
        self.0.push(Step { name, refusal: result.as_ref().err().copied(), found: found(&result) });
        result
    }
}

pub(super) fn datastore(validator: &Validator, endpoint: &str) -> String {
    match validator.datastores().as_slice() {
        [] => format!("{endpoint}; any is served"),
        served => format!("the request is for {endpoint}; served: {}", served.join(", ")),
    }
}

pub(super) fn form(token: &BearerToken, jwt: &Result<Option<Unverified<'_>>, Refusal>) -> String {
    let length = token.expose().len();
    if matches!(jwt, Ok(None)) {
        return format!("{length} bytes; no JWT, so that its issuer alone knows what it says");
    }
    format!("{length} bytes; a signed JWT has three parts, a plain header, and {MAX_TOKEN_BYTES} bytes at most")
}

pub(super) fn issuer(validator: &Validator, endpoint: &str, jwt: Option<&Unverified<'_>>) -> String {
    let trusted: Vec<&str> =
        validator.rules.iter().filter(|rule| rule.trust.serves(endpoint)).map(|rule| rule.trust.issuer.as_str()).collect();
    let said = jwt.and_then(Unverified::issuer).unwrap_or("nothing");
    format!("the token says {said}; trusted here: {}", trusted.join(", "))
}

pub(super) fn header_type(profile: Profile, jwt: &Unverified<'_>) -> String {
    let typ = if jwt.typ().is_empty() { "missing" } else { jwt.typ() };
    let hint = if profile == Profile::Admit { "; an access token's is at+jwt, an ID token's is jwt" } else { "" };
    format!("typ is {typ}{hint}")
}

pub(super) fn key(jwt: &Unverified<'_>, keys: &Jwks) -> String {
    match keys.kids().as_slice() {
        [] => format!("kid is {}; there are no keys of the issuer's", jwt.kid()),
        kids => format!("kid is {}; the issuer's keys: {}", jwt.kid(), kids.join(", ")),
    }
}

pub(super) fn signature(algorithm: Option<&str>) -> String {
    format!("alg is {}", algorithm.unwrap_or_default())
}

pub(super) fn claims(profile: Profile, claims: &Result<Claims, Refusal>) -> String {
    match claims {
        Ok(_) => format!("as tokens of profile {profile} have them"),
        Err(why) => why.to_string(),
    }
}

/// Who was asked, and what they said, by the names of the members alone.
pub(super) fn word(introspector: &Introspector, word: &Result<Introspected, Silence>) -> String {
    let said = match word {
        Ok(Introspected::Inactive) => "not active".to_owned(),
        Ok(Introspected::Active(answer)) if answer.is_empty() => "active, and no more".to_owned(),
        Ok(Introspected::Active(answer)) => {
            let names: Vec<&str> = answer.keys().map(String::as_str).collect();
            format!("active, with {}", names.join(" "))
        }
        Err(silence) => silence.to_string(),
    };
    format!("asked {}: {said}", introspector.describe())
}

/// The same of a token whose claims were proved by signature, and what it makes of them.
pub(super) fn weighed(
    introspector: &Introspector,
    said: &Result<Introspected, Silence>,
    proved: &Proved<'_>,
    weighed: &Result<Standing, Refusal>,
) -> String {
    let found = word(introspector, said);
    match (said, weighed) {
        (Ok(Introspected::Active(answer)), Err(Refusal::Contradicted)) => {
            format!("{found}; but {} is not what the token says", agrees(answer, proved).err().unwrap_or("something"))
        }
        (Err(_), Ok(_)) => format!("{found}; the settings let the signature do"),
        _ => found,
    }
}

/// Of a token whose verdict is known.
pub(super) fn verdict(introspector: &Introspector) -> String {
    format!("asked {} before, and the answer was a no: it lasts until the token ends", introspector.describe())
}
