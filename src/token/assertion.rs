//! How a client proves who it is with a key of its own: a JWT about itself, signed by itself (RFC 7523 §2.2, §3).

use serde::Serialize;
use time::OffsetDateTime;

use super::{Signer, UnusableKey, base64url};

/// What `client_assertion_type` says of such a JWT (RFC 7523 §2.2).
pub const CLIENT_ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How long an assertion is good, in seconds. It is used at once, and once.
const LIFE: i64 = 60;

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
