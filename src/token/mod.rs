//! JSON Web Tokens: what they say, who signed them, and whether they may be believed.
//!
//! `jsonwebtoken` verifies RSA signatures, aws-lc-rs those of elliptic curves; everything that they leave open (unknown
//! `crit`, absent or mistyped claims, `typ`, `exp == now`, the system clock) is decided here.

mod algorithm;
mod assertion;
pub(crate) mod claims;
pub mod json;
mod jwks;
mod sign;
mod verify;

pub use algorithm::Algorithm;
pub use assertion::{
    ASSERTION_ALGORITHMS, BadAssertion, CLIENT_ASSERTION_TYPE, ClientAssertion, MAX_ASSERTION_BYTES, MAX_ASSERTION_LIFE, Proof, Registered,
    client_assertion,
};
pub use claims::{AccessClaims, IdClaims};
pub use jwks::{BadKeySet, Jwks, MAX_JWKS_BYTES, MAX_KEYS, PublicKey, ec_thumbprint, rsa_thumbprint};
pub use sign::{Signer, UnusableKey};
pub use verify::{HEADER_MEMBERS, MAX_TOKEN_BYTES, Rejection, Unverified};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Base64url without padding (RFC 7515 §2).
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The inverse of [`base64url`]; `None` where the text is anything else.
#[must_use]
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
