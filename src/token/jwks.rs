//! Sets of public keys (RFC 7517), and what makes one unusable.

use std::collections::HashMap;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, EcdsaVerificationAlgorithm, ParsedPublicKey};
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value};

use super::{Algorithm, base64url, from_base64url, json};

/// The largest key set that is read, in bytes.
pub const MAX_JWKS_BYTES: usize = 64 * 1024;
/// The most keys in a set.
pub const MAX_KEYS: usize = 50;

/// A public key, parsed once and pinned to one algorithm.
#[derive(Clone)]
pub struct PublicKey {
    pub(super) algorithms: Vec<Algorithm>,
    key: Key,
}

/// An elliptic-curve key is kept as aws-lc-rs parses it: to find out anew whether a point is on its curve would cost more
/// than the signature (P-384: 100 of 180 µs). RSA keys have nothing to find out.
#[derive(Clone)]
enum Key {
    Rsa(DecodingKey),
    Ec(ParsedPublicKey),
}

/// Keys by `kid`.
#[derive(Clone, Default)]
pub struct Jwks(HashMap<String, PublicKey>);

/// Why a whole set is refused. A key that merely is of no use to us is left out instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKeySet {
    /// Not a JSON object with an array `keys`.
    #[error("not a JSON Web Key Set")]
    Malformed,
    /// More than [`MAX_JWKS_BYTES`] or [`MAX_KEYS`].
    #[error("the key set is too large")]
    TooLarge,
    /// A private key is in it: whoever published it has lost it.
    #[error("the key set holds a private key")]
    Private,
    /// Two keys have the same `kid`.
    #[error("two keys have the same kid")]
    DuplicateKid,
}

impl Jwks {
    /// Reads a key set. Keys that are too weak, not for signatures, or of a kind that we do not
    /// know are left out (RFC 8725 §3.5).
    ///
    /// # Errors
    /// [`BadKeySet`], where none of it may be believed.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadKeySet> {
        if bytes.len() > MAX_JWKS_BYTES {
            return Err(BadKeySet::TooLarge);
        }
        let set = json::object(bytes).ok_or(BadKeySet::Malformed)?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or(BadKeySet::Malformed)?;
        if keys.len() > MAX_KEYS {
            return Err(BadKeySet::TooLarge);
        }
        let mut known = HashMap::new();
        let mut kids = std::collections::HashSet::new();
        for key in keys {
            let Value::Object(key) = key else { return Err(BadKeySet::Malformed) };
            if ["d", "p", "q", "k"].iter().any(|member| key.contains_key(*member)) && key.get("kty") != Some(&Value::from("oct")) {
                return Err(BadKeySet::Private);
            }
            let Some(kid) = key.get("kid").and_then(Value::as_str).filter(|kid| !kid.is_empty()) else { continue };
            if !kids.insert(kid) {
                return Err(BadKeySet::DuplicateKid);
            }
            if let Some(usable) = PublicKey::parse(key) {
                known.insert(kid.to_owned(), usable);
            }
        }
        Ok(Self(known))
    }

    /// The key of this name.
    #[must_use]
    pub fn get(&self, kid: &str) -> Option<&PublicKey> {
        self.0.get(kid)
    }

    /// The names of the keys, in order.
    #[must_use]
    pub fn kids(&self) -> Vec<&str> {
        let mut kids: Vec<&str> = self.0.keys().map(String::as_str).collect();
        kids.sort_unstable();
        kids
    }

    /// Whether there is no usable key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PublicKey {
    fn parse(jwk: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let is_for_signatures = jwk.get("use").is_none_or(|usage| usage == "sig")
            && jwk.get("key_ops").is_none_or(|ops| ops.as_array().is_some_and(|ops| ops.iter().any(|op| op == "verify")));
        if !is_for_signatures {
            return None;
        }
        let (possible, key): (&[Algorithm], _) = match (text("kty")?, text("crv")) {
            ("RSA", _) => {
                let (n, e) = (text("n")?, text("e")?);
                let modulus = from_base64url(n)?;
                let bits = modulus
                    .iter()
                    .position(|byte| *byte != 0)
                    .map_or(0, |zeros| (modulus.len() - zeros) * 8 - modulus[zeros].leading_zeros() as usize);
                // RFC 7518 §3.3: 2048 bits or more; the upper bound keeps a verification cheap.
                if !(2048..=8192).contains(&bits) || !matches!(from_base64url(e)?.as_slice(), [0x03] | [0x01, 0x00, 0x01]) {
                    return None;
                }
                (
                    &[Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512, Algorithm::Ps256, Algorithm::Ps384],
                    Key::Rsa(DecodingKey::from_rsa_components(n, e).ok()?),
                )
            }
            ("EC", Some(curve)) => {
                let (x, y) = (text("x")?, text("y")?);
                let (algorithm, size, curve): (&[Algorithm], _, &'static EcdsaVerificationAlgorithm) = match curve {
                    "P-256" => (&[Algorithm::Es256], 32, &ECDSA_P256_SHA256_FIXED),
                    "P-384" => (&[Algorithm::Es384], 48, &ECDSA_P384_SHA384_FIXED),
                    _ => return None,
                };
                let (left, right) = (from_base64url(x)?, from_base64url(y)?);
                if left.len() != size || right.len() != size {
                    return None;
                }
                // SEC 1 §3.2.2.1: a point that is not on the curve is no key.
                let key = ParsedPublicKey::new(curve, [[0x04].as_slice(), &left, &right].concat()).ok()?;
                (algorithm, Key::Ec(key))
            }
            _ => return None,
        };
        let algorithms = match jwk.get("alg") {
            None => possible.to_vec(),
            Some(pinned) => {
                let pinned = pinned.as_str()?.parse().ok()?;
                possible.contains(&pinned).then(|| vec![pinned])?
            }
        };
        Some(Self { algorithms, key })
    }

    /// Whether this key made this signature (base64url, as it stands in a JWS) of the message.
    pub(super) fn verifies(&self, message: &str, signature: &str, algorithm: Algorithm) -> bool {
        match &self.key {
            Key::Rsa(key) => jsonwebtoken::crypto::verify(signature, message.as_bytes(), key, algorithm.jsonwebtoken()).unwrap_or(false),
            // RFC 7518 §3.4: the curve decides the hash, and `algorithms` holds the one that belongs to it.
            Key::Ec(key) => from_base64url(signature).is_some_and(|raw| key.verify_sig(message.as_bytes(), &raw).is_ok()),
        }
    }
}

/// RFC 7638 thumbprint of an RSA key, from its base64url members.
#[must_use]
pub fn rsa_thumbprint(e: &str, n: &str) -> String {
    thumbprint(&format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#))
}

/// RFC 7638 thumbprint of an elliptic-curve key, from its base64url members.
#[must_use]
pub fn ec_thumbprint(crv: &str, x: &str, y: &str) -> String {
    thumbprint(&format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#))
}

fn thumbprint(canonical: &str) -> String {
    base64url(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref())
}
