//! What the tokens of each kind of issuer look like.
//!
//! A profile relaxes exactly what its issuer's tokens need: [`Shape`] is the whole list. The
//! signature, the algorithm by key, the header's allow-list, the times and the scopes are checked
//! the same way for everybody.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

use super::Claims;
use super::introspection::is_of_access_token;
use crate::token::claims::{optional, seconds, text};
use crate::token::{AccessClaims, Rejection, Unverified};

/// A kind of issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Admit itself: RFC 9068 to the letter.
    Admit,
    /// Amazon Cognito user pools.
    Cognito,
    /// Keycloak.
    Keycloak,
    /// Okta's custom authorization servers.
    Okta,
    /// Any other issuer of signed access tokens.
    Generic,
}

/// What an issuer's access tokens look like, where RFC 9068 is not what it follows.
struct Shape {
    name: &'static str,
    /// The header's `typ`; `""`: there is none.
    typ: &'static [&'static str],
    /// A claim that marks access tokens, and its value.
    mark: Option<(&'static str, &'static str)>,
    /// Claims that need not be there, and have this value where they are: another one marks another kind of token.
    kind: &'static [(&'static str, &'static str)],
    /// Where the client stands; the first that is there counts.
    client: &'static [&'static str],
    /// Where the scopes stand; the first that is there counts. Text or a list of texts.
    scope: &'static [&'static str],
    /// Whether a token without `aud` is good, because its client is on a list.
    client_for_audience: bool,
}

/// What the access tokens of every issuer that we know say, where they say what they are.
const ACCESS: &[(&str, &str)] = &[("token_use", "access"), ("typ", "Bearer")];

const COGNITO: Shape = Shape {
    name: "cognito",
    typ: &["", "jwt"],
    mark: Some(("token_use", "access")),
    kind: ACCESS,
    client: &["client_id"],
    scope: &["scope"],
    client_for_audience: true,
};
const KEYCLOAK: Shape = Shape {
    name: "keycloak",
    typ: &["jwt", "at+jwt"],
    mark: Some(("typ", "Bearer")),
    kind: ACCESS,
    client: &["azp", "client_id"],
    scope: &["scope"],
    client_for_audience: false,
};
const OKTA: Shape = Shape {
    name: "okta",
    typ: &["", "jwt", "at+jwt", "okta-internal-at+jwt"],
    mark: None,
    kind: ACCESS,
    client: &["cid"],
    scope: &["scp"],
    client_for_audience: false,
};
const GENERIC: Shape = Shape {
    name: "generic",
    typ: &["", "jwt", "at+jwt"],
    mark: None,
    kind: ACCESS,
    client: &["client_id", "azp", "cid"],
    scope: &["scope", "scp"],
    client_for_audience: false,
};

/// What introspection answers look like, whoever else's they are (RFC 7662 §2.2).
const ANSWER: Shape = Shape {
    name: "introspected",
    typ: &[],
    mark: None,
    kind: &[], // answers have more words for it: `is_of_access_token`
    client: &["client_id", "azp"],
    scope: &["scope", "scp"],
    client_for_audience: false,
};

/// How long any token of another issuer may live, in seconds: a day, which is the most that Cognito
/// and Okta can be set to, and a minute.
const MAX_LIFE: i64 = 86_400 + 60;
/// The most audiences in one token.
const MAX_AUDIENCES: usize = 20;

impl Profile {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Admit, Self::Cognito, Self::Keycloak, Self::Okta, Self::Generic];

    /// `None` for Admit, which relaxes nothing.
    fn shape(self) -> Option<&'static Shape> {
        match self {
            Self::Admit => None,
            Self::Cognito => Some(&COGNITO),
            Self::Keycloak => Some(&KEYCLOAK),
            Self::Okta => Some(&OKTA),
            Self::Generic => Some(&GENERIC),
        }
    }

    /// The name in settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.shape().map_or("admit", |shape| shape.name)
    }

    /// Whether tokens without `aud` are good, because their client is on a list. There has to be one.
    #[must_use]
    pub fn takes_client_for_audience(self) -> bool {
        self.shape().is_some_and(|shape| shape.client_for_audience)
    }

    /// Refuses tokens whose header says that they are of another type (RFC 8725 §3.11).
    ///
    /// # Errors
    /// [`Rejection::Type`]
    pub(super) fn check_type(self, token: &Unverified<'_>) -> Result<(), Rejection> {
        match self.shape() {
            None => token.must_be("at+jwt"),
            Some(shape) if shape.typ.contains(&token.typ()) => Ok(()),
            Some(_) => Err(Rejection::Type),
        }
    }

    /// Reads the claims by their types.
    ///
    /// # Errors
    /// [`Rejection`] names the first claim that is missing or mistyped, or says that this is a
    /// token of another kind.
    pub(super) fn read(self, claims: Map<String, Value>) -> Result<Claims, Rejection> {
        match self.shape() {
            None => AccessClaims::read(&claims).map(|own| Claims::of_admit(own, claims)),
            Some(shape) => shape.read(claims),
        }
    }

    /// Reads an introspection answer likewise. Ours has the claims of the token; others have the names of RFC 7662 for
    /// them, whatever they call them in tokens.
    ///
    /// # Errors
    /// [`Rejection`], likewise.
    pub(super) fn read_answer(self, answer: Map<String, Value>) -> Result<Claims, Rejection> {
        if !is_of_access_token(&answer) {
            return Err(Rejection::Type);
        }
        if self == Self::Admit { self.read(answer) } else { ANSWER.read(answer) }
    }
}

impl Shape {
    fn read(&self, all: Map<String, Value>) -> Result<Claims, Rejection> {
        let claims = &all;
        let is_marked = self.mark.is_none_or(|(name, value)| claims.get(name).is_some_and(|own| own == value));
        let is_of_kind = self.kind.iter().all(|(name, value)| claims.get(*name).is_none_or(|own| own == value));
        if has_foreign_claim(claims) || has_foreign_type(claims) || !is_marked || !is_of_kind {
            return Err(Rejection::Type);
        }
        let client = self
            .client
            .iter()
            .find(|name| claims.contains_key(**name))
            .map_or(Err(Rejection::Claim(self.client[0])), |name| text(claims, name, 255))?;
        let (issued_at, expires_at) = (seconds(claims, "iat")?, seconds(claims, "exp")?);
        if expires_at - issued_at > MAX_LIFE {
            return Err(Rejection::LivesTooLong);
        }
        Ok(Claims {
            issuer: text(claims, "iss", 2048)?,
            // A token of the client's own has no `sub` at some issuers.
            subject: optional(claims, "sub", 255)?.unwrap_or_else(|| client.clone()),
            client: Some(client),
            audience: audience(claims)?,
            scope: self.scope(claims)?,
            issued_at,
            not_before: if claims.contains_key("nbf") { seconds(claims, "nbf")? } else { issued_at },
            expires_at,
            id: optional(claims, "jti", 255)?,
            tenant: optional(claims, "tenant_id", 255)?,
            all,
        })
    }

    /// The scopes as one text. One that stands there as text stays as it is, byte for byte.
    fn scope(&self, claims: &Map<String, Value>) -> Result<String, Rejection> {
        let name = self.scope.iter().find(|name| claims.contains_key(**name)).copied().unwrap_or(self.scope[0]);
        match claims.get(name) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
            Some(Value::Array(list)) if !list.is_empty() => {
                let words: Option<Vec<&str>> =
                    list.iter().map(|word| word.as_str().filter(|word| !word.is_empty() && !word.contains(' '))).collect();
                words.map(|words| words.join(" ")).ok_or(Rejection::Claim(name))
            }
            _ => Err(Rejection::Claim(name)),
        }
    }
}

/// The first four belong to ID tokens and events, whoever issues them. A token that is bound to a key (`cnf`, RFC 7800) is
/// good only together with a proof of that key, which nobody hands to us.
fn has_foreign_claim(claims: &Map<String, Value>) -> bool {
    ["at_hash", "c_hash", "s_hash", "events", "cnf"].iter().any(|name| claims.contains_key(*name))
}

/// Whether a `token_type` says that this is no access token, or that holding it is not enough. It is no registered claim:
/// those are the words of issuers that have it.
fn has_foreign_type(claims: &Map<String, Value>) -> bool {
    let is_right = |text: &str| ["bearer", "access", "access_token"].iter().any(|word| word.eq_ignore_ascii_case(text));
    claims.get("token_type").is_some_and(|own| !own.as_str().is_some_and(is_right))
}

/// One text or a list of texts (RFC 7519 §4.1.3); empty where there is none.
pub(super) fn audience(claims: &Map<String, Value>) -> Result<Vec<String>, Rejection> {
    let one = |value: &Value| value.as_str().filter(|text| !text.is_empty() && text.len() <= 2048).map(str::to_owned);
    match claims.get("aud") {
        None => Some(vec![]),
        Some(Value::Array(list)) if !list.is_empty() && list.len() <= MAX_AUDIENCES => list.iter().map(one).collect::<Option<_>>(),
        Some(value) => one(value).map(|text| vec![text]),
    }
    .ok_or(Rejection::Claim("aud"))
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not the name of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown profile (known: admit cognito keycloak okta generic)")]
pub struct UnknownProfile;

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, UnknownProfile> {
        Self::ALL.into_iter().find(|profile| profile.as_str() == text).ok_or(UnknownProfile)
    }
}
