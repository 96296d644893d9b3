//! What our tokens say.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{MAX_TOKEN_BYTES, Rejection};

/// The claims of an access token (RFC 9068 §2.2, and the SMART context).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// Who issued it.
    pub iss: String,
    /// Who it speaks for: the user, or the client itself.
    pub sub: String,
    /// The FHIR base, or the issuer for a token that reads no FHIR.
    pub aud: String,
    /// End, in Unix seconds: from this second on it is no longer good.
    pub exp: i64,
    /// When it was issued.
    pub iat: i64,
    /// From when on it is good.
    pub nbf: i64,
    /// Its own name.
    pub jti: String,
    /// The app.
    pub client_id: String,
    /// The scopes, as granted.
    pub scope: String,
    /// The tenant.
    pub tenant_id: String,
    /// The patient in context: the bare id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient: Option<String>,
    /// The encounter in context: the bare id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encounter: Option<String>,
    /// The user's own resource: an absolute URL.
    #[serde(rename = "fhirUser", skip_serializing_if = "Option::is_none")]
    pub fhir_user: Option<String>,
    /// The patient again, as `Patient/ID`, which is how some FHIR servers read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_response_patient: Option<String>,
}

/// The claims of an ID token (OpenID Connect Core §2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IdClaims {
    /// Who issued it.
    pub iss: String,
    /// The user.
    pub sub: String,
    /// The client.
    pub aud: String,
    /// End, in Unix seconds.
    pub exp: i64,
    /// When it was issued.
    pub iat: i64,
    /// When the user last proved who they are.
    pub auth_time: i64,
    /// What the request sent, to be found again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// Half of the access token's hash (OpenID Connect Core §3.1.3.6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    /// The browser session it came of (OpenID Connect Front-Channel Logout §3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// How the user proved it (RFC 8176).
    pub amr: Vec<&'static str>,
    /// The user's own resource: an absolute URL.
    #[serde(rename = "fhirUser", skip_serializing_if = "Option::is_none")]
    pub fhir_user: Option<String>,
    /// The same under its STU1 name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The user's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl AccessClaims {
    /// Reads the claims by their types. Extra claims are ignored.
    ///
    /// # Errors
    /// [`Rejection::Claim`] names the first claim that is missing or mistyped;
    /// [`Rejection::LivesTooLong`], where more time was given than anybody of ours gives.
    pub fn read(claims: &Map<String, Value>) -> Result<Self, Rejection> {
        let read = Self {
            iss: text(claims, "iss", 2048)?,
            sub: text(claims, "sub", 255)?,
            aud: text(claims, "aud", 2048)?,
            exp: seconds(claims, "exp")?,
            iat: seconds(claims, "iat")?,
            nbf: seconds(claims, "nbf")?,
            jti: text(claims, "jti", 255)?,
            client_id: text(claims, "client_id", 255)?,
            scope: text(claims, "scope", MAX_TOKEN_BYTES)?,
            tenant_id: text(claims, "tenant_id", 255)?,
            patient: optional(claims, "patient", 2048)?,
            encounter: optional(claims, "encounter", 2048)?,
            fhir_user: optional(claims, "fhirUser", 2048)?,
            launch_response_patient: optional(claims, "launch_response_patient", 2048)?,
        };
        if read.exp - read.iat > MAX_LIFE { Err(Rejection::LivesTooLong) } else { Ok(read) }
    }
}

/// The longest life of an access token that is believed, in seconds (SMART: at most an hour), plus a minute.
const MAX_LIFE: i64 = 3600 + 60;
/// The last second that the calendar of the `time` crate knows: 9999-12-31T23:59:59Z.
const MAX_SECONDS: i64 = 253_402_300_799;

/// A claim that has to be there: text, not empty, of `most` bytes at most.
///
/// # Errors
/// [`Rejection::Claim`]
pub(crate) fn text(claims: &Map<String, Value>, name: &'static str, most: usize) -> Result<String, Rejection> {
    match claims.get(name) {
        Some(Value::String(text)) if !text.is_empty() && text.len() <= most => Ok(text.clone()),
        _ => Err(Rejection::Claim(name)),
    }
}

/// The same of a claim that may be missing, but not wrong.
///
/// # Errors
/// [`Rejection::Claim`]
pub(crate) fn optional(claims: &Map<String, Value>, name: &'static str, most: usize) -> Result<Option<String>, Rejection> {
    if claims.contains_key(name) { text(claims, name, most).map(Some) } else { Ok(None) }
}

/// A time, in whole Unix seconds.
///
/// # Errors
/// [`Rejection::Claim`]
pub(crate) fn seconds(claims: &Map<String, Value>, name: &'static str) -> Result<i64, Rejection> {
    claims.get(name).and_then(Value::as_i64).filter(|at| (0..=MAX_SECONDS).contains(at)).ok_or(Rejection::Claim(name))
}
