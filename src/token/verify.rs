//! Whether a token may be believed: size, header, type, algorithm by key, signature, times.

use serde_json::{Map, Value};

use super::{Jwks, from_base64url, json};

/// The longest token that is looked at, in bytes; longer ones are refused before any decoding.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// The members that a header may have. Any other could change how the token is to be read, or name the key that it
/// wants to be checked with (RFC 7515 §4.1, RFC 8725 §3.10).
pub const HEADER_MEMBERS: &[&str] = &["alg", "kid", "typ", "x5t", "x5t#S256"];

/// Why a token is not believed. The text holds nothing of the token itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// More than [`MAX_TOKEN_BYTES`].
    #[error("the token is too long")]
    TooLong,
    /// Not three parts of base64url, or not JSON objects.
    #[error("the token is malformed")]
    Malformed,
    /// A header that changes how a token is to be read (RFC 7515 §4.1.11, RFC 8725 §3.10).
    #[error("the token's header has a member that is not allowed")]
    Header,
    /// `typ` is not the kind of token that is wanted here (RFC 8725 §3.11).
    #[error("the token is of another type")]
    Type,
    /// No `kid`, or none that names a key of this issuer.
    #[error("the token's key is unknown")]
    UnknownKey,
    /// The key is not for this algorithm.
    #[error("the token's algorithm does not belong to its key")]
    Algorithm,
    /// The signature is wrong.
    #[error("the token's signature is wrong")]
    Signature,
    /// A claim is missing or has the wrong type.
    #[error("the claim {0} is missing or has the wrong type")]
    Claim(&'static str),
    /// Another issuer.
    #[error("the token comes from another issuer")]
    Issuer,
    /// For somebody else.
    #[error("the token is for another audience")]
    Audience,
    /// For a client that is not among those allowed.
    #[error("the token belongs to a client that is not allowed")]
    Client,
    /// For another tenant.
    #[error("the token belongs to another tenant")]
    Tenant,
    /// `exp` has come.
    #[error("the token has expired")]
    Expired,
    /// `nbf` or `iat` lies ahead.
    #[error("the token is not valid yet")]
    NotYet,
    /// It lives longer than any that we issue.
    #[error("the token lives too long")]
    LivesTooLong,
    /// No FHIR scope in it.
    #[error("the token has no FHIR scope")]
    Scope,
    /// A `patient/` scope without a patient.
    #[error("the token has a patient scope and no patient")]
    NoPatient,
}

impl Rejection {
    /// One word for it, for logs and metrics.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Malformed => "malformed",
            Self::Header => "header",
            Self::Type => "type",
            Self::UnknownKey => "unknown_key",
            Self::Algorithm => "algorithm",
            Self::Signature => "signature",
            Self::Claim(_) => "claim",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Client => "client",
            Self::Tenant => "tenant",
            Self::Expired => "expired",
            Self::NotYet => "not_yet",
            Self::LivesTooLong => "lives_too_long",
            Self::Scope => "scope",
            Self::NoPatient => "no_patient",
        }
    }
}

/// A token whose form is right and whose signature nobody has looked at yet.
pub struct Unverified<'t> {
    message: &'t str,
    signature: &'t str,
    claims: Map<String, Value>,
    alg: String,
    kid: String,
    typ: String,
    jku: Option<Value>,
}

/// What a kind of token may look like before anything is believed.
pub(super) struct Form {
    pub(super) max_bytes: usize,
    /// The members that its header may have.
    pub(super) header: &'static [&'static str],
}

impl<'t> Unverified<'t> {
    /// Takes a compact JWS apart.
    ///
    /// # Errors
    /// [`Rejection`]: too long, malformed, or a header that we do not accept.
    pub fn parse(token: &'t str) -> Result<Self, Rejection> {
        Self::parse_as(token, &Form { max_bytes: MAX_TOKEN_BYTES, header: HEADER_MEMBERS })
    }

    pub(super) fn parse_as(token: &'t str, form: &Form) -> Result<Self, Rejection> {
        if token.len() > form.max_bytes {
            return Err(Rejection::TooLong);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Rejection::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(Rejection::Malformed)?;
        if payload.contains('.') || signature.is_empty() {
            return Err(Rejection::Malformed);
        }
        let mut header = json::object(&from_base64url(header).ok_or(Rejection::Malformed)?).ok_or(Rejection::Malformed)?;
        if header.keys().any(|name| !form.header.contains(&name.as_str())) {
            return Err(Rejection::Header);
        }
        let text = |name: &str| header.get(name).and_then(Value::as_str).map(str::to_owned);
        Ok(Self {
            message,
            signature,
            claims: json::object(&from_base64url(payload).ok_or(Rejection::Malformed)?).ok_or(Rejection::Malformed)?,
            alg: text("alg").ok_or(Rejection::Algorithm)?,
            kid: text("kid").filter(|kid| !kid.is_empty() && kid.len() <= 255).ok_or(Rejection::UnknownKey)?,
            typ: match header.get("typ") {
                None => String::new(),
                Some(Value::String(typ)) => typ.to_ascii_lowercase(),
                Some(_) => return Err(Rejection::Type),
            },
            jku: header.remove("jku"),
        })
    }

    /// The name of the key that is said to have signed.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Who is said to have issued it: good for choosing whose keys to try, and for nothing else.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }

    /// Which of that issuer's tenants it is said to be of: likewise.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.claims.get("tenant_id").and_then(Value::as_str)
    }

    /// `alg` as the token has it.
    #[must_use]
    pub fn algorithm(&self) -> &str {
        &self.alg
    }

    /// `typ` as it is compared: in lower case, without an `application/` before it (RFC 7515 §4.1.9);
    /// empty where there is none.
    #[must_use]
    pub fn typ(&self) -> &str {
        self.typ.strip_prefix("application/").unwrap_or(&self.typ)
    }

    /// `jku` as the token has it: an address that somebody wrote down, and that is never asked.
    pub(super) fn jku(&self) -> Option<&Value> {
        self.jku.as_ref()
    }

    /// A claim that nobody has vouched for yet.
    pub(super) fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.get(name)
    }

    /// Refuses every `typ` but this one.
    ///
    /// # Errors
    /// [`Rejection::Type`]
    pub fn must_be(&self, typ: &str) -> Result<(), Rejection> {
        if self.typ().eq_ignore_ascii_case(typ) { Ok(()) } else { Err(Rejection::Type) }
    }

    /// Checks the signature; only then are there claims to read. The key decides which algorithm
    /// is right, never the token.
    ///
    /// # Errors
    /// [`Rejection`]: unknown key, wrong algorithm, wrong signature.
    pub fn verify(self, keys: &Jwks) -> Result<Map<String, Value>, Rejection> {
        let key = keys.get(&self.kid).ok_or(Rejection::UnknownKey)?;
        let algorithm = *key.algorithms.iter().find(|known| known.as_str() == self.alg).ok_or(Rejection::Algorithm)?;
        if key.verifies(self.message, self.signature, algorithm) { Ok(self.claims) } else { Err(Rejection::Signature) }
    }
}
