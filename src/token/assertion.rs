//! How a client proves who it is with a key of its own: a JWT about itself, signed by itself (RFC 7523 §2.2, §3; SMART App
//! Launch 2.2 "Client Authentication: Asymmetric").
//!
//! [`client_assertion`] makes one. [`ClientAssertion`] reads one that was presented, in two steps: what is wrong with the
//! assertion whoever sent it is found before any key is looked at, and said. What depends on the client is looked at
//! once its key has verified the assertion, so that nobody else learns of it.

use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use super::verify::Form;
use super::{Algorithm, Jwks, Rejection, Signer, UnusableKey, Unverified, base64url};

/// What `client_assertion_type` says of such a JWT (RFC 7523 §2.2).
pub const CLIENT_ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The longest assertion that is looked at, in bytes; longer ones are refused before any decoding.
pub const MAX_ASSERTION_BYTES: usize = 16 * 1024;
/// What an assertion can be signed with. A client may use RS384 and ES384 (SMART), and the others where it is registered so.
pub const ASSERTION_ALGORITHMS: [Algorithm; 4] = [Algorithm::Rs384, Algorithm::Es384, Algorithm::Es256, Algorithm::Ps384];
/// How far ahead `exp` may lie, in seconds (SMART: five minutes).
pub const MAX_ASSERTION_LIFE: i64 = 300;

/// How long an assertion of ours is good, in seconds. It is used at once, and once.
const LIFE: i64 = 60;
/// By how much the client's clock may be behind or ahead of ours when it comes to `exp`, in seconds.
const EXP_LEEWAY: i64 = 10;
/// By how much it may be ahead when it comes to `nbf` and `iat`, in seconds.
const START_LEEWAY: i64 = 30;
/// The longest `jti`, in bytes.
const MAX_JTI: usize = 255;
/// The latest time that a claim may name: 9999-12-31T23:59:59Z.
const MAX_SECONDS: i64 = 253_402_300_799;

/// `jku` is compared with what is registered. A key or a certificate that comes along is not looked at: only registered
/// keys verify. Anything else could change how the assertion is to be read (RFC 7515 §4.1.11).
const FORM: Form =
    Form { max_bytes: MAX_ASSERTION_BYTES, header: &["alg", "kid", "typ", "jku", "jwk", "x5c", "x5t", "x5t#S256", "x5u", "cty"] };

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    jti: String,
    iat: i64,
    exp: i64,
}

/// A new assertion by this client for `audience`, which names whoever is to believe it.
///
/// # Errors
/// [`UnusableKey`], where the library refuses to sign.
pub fn client_assertion(signer: &Signer, client_id: &str, audience: &str, now: OffsetDateTime) -> Result<String, UnusableKey> {
    let iat = now.unix_timestamp();
    let claims = Claims { iss: client_id, sub: client_id, aud: audience, jti: unique_id()?, iat, exp: iat + LIFE };
    signer.sign("JWT", &claims)
}

/// 128 random bits.
#[expect(clippy::disallowed_methods, reason = "`secret` is the server's; the Lambda needs nothing random but this")]
fn unique_id() -> Result<String, UnusableKey> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| UnusableKey)?;
    Ok(base64url(&bytes))
}

/// What is wrong with an assertion: a sentence for the client's developer, with nothing of the assertion in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAssertion {
    /// More than [`MAX_ASSERTION_BYTES`].
    #[error("the client assertion is longer than 16 KiB")]
    TooLong,
    /// Not a signed JWT in compact form (RFC 7515 §3.1) whose header and claims are JSON objects.
    #[error("the client assertion is not a signed JWT of three parts")]
    Malformed,
    /// `crit`, or another member that changes how it is to be read.
    #[error("the header of the client assertion has a member that is not understood here")]
    Header,
    /// `typ` is there and something else.
    #[error("typ of the client assertion is not JWT")]
    Type,
    /// `alg` is none of [`ASSERTION_ALGORITHMS`], or none of the client's.
    #[error("alg of the client assertion must be RS384 or ES384, or another that this client is registered with")]
    Algorithm,
    /// No `kid`.
    #[error("kid of the client assertion is missing: it names the key in the client's key set")]
    NoKid,
    /// A claim is missing, or of the wrong type.
    #[error("the claim {0} of the client assertion is missing or has the wrong type")]
    Claim(&'static str),
    /// `iss` is not `sub`.
    #[error("iss and sub of the client assertion must both be the client_id")]
    Subject,
    /// `aud` is not exactly one of those that we go by.
    #[error("aud of the client assertion must be exactly one value: the issuer, or the URL of the token endpoint")]
    Audience,
    /// The client is registered so.
    #[error("aud of the client assertion must be the issuer: this client is registered so")]
    IssuerOnly,
    /// `exp` has come.
    #[error("exp of the client assertion has passed")]
    Expired,
    /// `exp` is more than [`MAX_ASSERTION_LIFE`] ahead.
    #[error("exp of the client assertion is more than 5 minutes ahead")]
    LivesTooLong,
    /// `nbf` or `iat` lies ahead.
    #[error("{0} of the client assertion lies in the future")]
    NotYet(&'static str),
    /// No key of the client of this name and kind, or the signature is not by it.
    #[error("the client is unknown, or no key that is registered for it verifies the client assertion")]
    Signature,
    /// `jku` is not the registered `jwks_uri`.
    #[error("jku of the client assertion is not the registered jwks_uri")]
    Jku,
}

impl From<Rejection> for BadAssertion {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::TooLong => Self::TooLong,
            Rejection::Header => Self::Header,
            Rejection::Type => Self::Type,
            Rejection::UnknownKey => Self::NoKid,
            Rejection::Algorithm => Self::Algorithm,
            Rejection::Claim(name) => Self::Claim(name),
            _ => Self::Malformed,
        }
    }
}

/// An assertion that says the right things, whoever wrote it.
pub struct ClientAssertion<'t> {
    token: Unverified<'t>,
    client_id: String,
    jti: String,
    since: i64,
    exp: i64,
    algorithm: Algorithm,
    is_for_issuer: bool,
}

/// What a client's registration says of its assertions.
pub struct Registered<'a> {
    /// What they may be signed with.
    pub algorithms: &'a [Algorithm],
    /// Whether `aud` has to be the issuer.
    pub is_issuer_only: bool,
    /// The only `jku` that they may have.
    pub jwks_uri: Option<&'a str>,
}

/// A believed assertion, which is good once: whoever takes it has to remember its `jti`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Its own name.
    pub jti: String,
    /// The first second in which it would have been believed, in Unix seconds.
    pub since: i64,
    /// The last second in which it would be believed, in Unix seconds.
    pub until: i64,
}

impl<'t> ClientAssertion<'t> {
    /// Reads an assertion that is to say: issuer or token endpoint, a client, a short life, a name of its own.
    ///
    /// # Errors
    /// [`BadAssertion`] names the first rule that is broken.
    pub fn read(assertion: &'t str, issuer: &str, token_endpoint: &str, now: OffsetDateTime) -> Result<Self, BadAssertion> {
        let token = Unverified::parse_as(assertion, &FORM)?;
        if !["", "jwt", "client-authentication+jwt"].contains(&token.typ()) {
            return Err(BadAssertion::Type);
        }
        let algorithm = ASSERTION_ALGORITHMS.into_iter().find(|known| known.as_str() == token.algorithm());
        let algorithm = algorithm.ok_or(BadAssertion::Algorithm)?;
        let client_id = text(&token, "iss", 255)?;
        if text(&token, "sub", 255)? != client_id {
            return Err(BadAssertion::Subject);
        }
        let audience = match token.claim("aud") {
            Some(Value::String(one)) => one.as_str(),
            Some(Value::Array(list)) => match list.as_slice() {
                [Value::String(one)] => one,
                _ => return Err(BadAssertion::Audience),
            },
            _ => return Err(BadAssertion::Claim("aud")),
        };
        if audience != issuer && audience != token_endpoint {
            return Err(BadAssertion::Audience);
        }
        let now = now.unix_timestamp();
        let exp = seconds(&token, "exp")?.ok_or(BadAssertion::Claim("exp"))?;
        if exp + EXP_LEEWAY < now {
            return Err(BadAssertion::Expired);
        }
        if exp > now + MAX_ASSERTION_LIFE + EXP_LEEWAY {
            return Err(BadAssertion::LivesTooLong);
        }
        let mut since = exp - MAX_ASSERTION_LIFE - EXP_LEEWAY;
        for name in ["nbf", "iat"] {
            let Some(from) = seconds(&token, name)? else { continue };
            if from > now + START_LEEWAY {
                return Err(BadAssertion::NotYet(name));
            }
            since = since.max(from - START_LEEWAY);
        }
        let (jti, is_for_issuer) = (text(&token, "jti", MAX_JTI)?, audience == issuer);
        Ok(Self { client_id, jti, since, exp, algorithm, is_for_issuer, token })
    }

    /// Whom it claims to be from: good for choosing whose keys to try, and for nothing else.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The name of the key that is said to have signed it.
    #[must_use]
    pub fn kid(&self) -> &str {
        self.token.kid()
    }

    /// Checks the signature by the client's keys, and then what the client is registered with.
    ///
    /// # Errors
    /// [`BadAssertion`]
    pub fn verify(self, keys: &Jwks, registered: &Registered<'_>) -> Result<Proof, BadAssertion> {
        let Self { token, jti, since, exp, algorithm, is_for_issuer, .. } = self;
        let jku = token.jku().cloned();
        token.verify(keys).map_err(|_| BadAssertion::Signature)?;
        if !registered.algorithms.contains(&algorithm) {
            return Err(BadAssertion::Algorithm);
        }
        if registered.is_issuer_only && !is_for_issuer {
            return Err(BadAssertion::IssuerOnly);
        }
        if jku.is_some_and(|jku| jku.as_str().is_none_or(|jku| registered.jwks_uri != Some(jku))) {
            return Err(BadAssertion::Jku);
        }
        Ok(Proof { jti, since, until: exp + EXP_LEEWAY })
    }
}

/// A claim that has to be there: text without control characters, not empty, of `most` bytes at most.
fn text(token: &Unverified<'_>, name: &'static str, most: usize) -> Result<String, BadAssertion> {
    match token.claim(name) {
        Some(Value::String(text)) if !text.is_empty() && text.len() <= most && !text.contains(char::is_control) => Ok(text.clone()),
        _ => Err(BadAssertion::Claim(name)),
    }
}

/// A time in whole Unix seconds; some libraries write it with a fraction of nought.
fn seconds(token: &Unverified<'_>, name: &'static str) -> Result<Option<i64>, BadAssertion> {
    let Some(value) = token.claim(name) else { return Ok(None) };
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53 is the same in both")]
    let whole = |float: f64| (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64);
    let at = value.as_i64().or_else(|| value.as_f64().filter(|_| value.is_f64()).and_then(whole));
    at.filter(|at| (0..=MAX_SECONDS).contains(at)).map(Some).ok_or(BadAssertion::Claim(name))
}
