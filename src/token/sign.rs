//! Signing with key pairs that are parsed once and kept: parsing the key anew for every token
//! would cost more than twice the signature.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RsaKeyPair,
};
use serde::Serialize;

use super::{Algorithm, base64url};

/// A private key that is ready to sign.
pub struct Signer {
    kid: String,
    algorithm: Algorithm,
    pair: Pair,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ec(EcdsaKeyPair),
}

/// The stored key cannot be used to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the private key cannot be used to sign")]
pub struct UnusableKey;

impl Signer {
    /// Parses a PKCS#8 private key.
    ///
    /// # Errors
    /// [`UnusableKey`], where the bytes are no key for `algorithm`.
    pub fn from_pkcs8(kid: &str, algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, UnusableKey> {
        let pair = match algorithm {
            Algorithm::Rs256 | Algorithm::Rs384 => RsaKeyPair::from_pkcs8(pkcs8).ok().map(|pair| Pair::Rsa(Box::new(pair))),
            Algorithm::Es256 => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).ok().map(Pair::Ec),
            Algorithm::Es384 => EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, pkcs8).ok().map(Pair::Ec),
            Algorithm::Rs512 | Algorithm::Ps256 => None,
        };
        Ok(Self { kid: kid.to_owned(), algorithm, pair: pair.ok_or(UnusableKey)? })
    }

    /// The `kid` that tokens of this key carry.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The algorithm of this key.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// A compact JWS (RFC 7515 §7.1) of these claims.
    ///
    /// # Errors
    /// [`UnusableKey`], where the library refuses to sign.
    pub fn sign<T: Serialize>(&self, typ: &str, claims: &T) -> Result<String, UnusableKey> {
        let header = format!(r#"{{"typ":"{typ}","alg":"{}","kid":"{}"}}"#, self.algorithm, self.kid);
        let payload = serde_json::to_vec(claims).map_err(|_| UnusableKey)?;
        let message = format!("{}.{}", base64url(header.as_bytes()), base64url(&payload));
        let random = SystemRandom::new();
        let signature = match &self.pair {
            Pair::Rsa(pair) => {
                let padding = if self.algorithm == Algorithm::Rs384 { &RSA_PKCS1_SHA384 } else { &RSA_PKCS1_SHA256 };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message.as_bytes(), &mut signature).map_err(|_| UnusableKey)?;
                base64url(&signature)
            }
            Pair::Ec(pair) => base64url(pair.sign(&random, message.as_bytes()).map_err(|_| UnusableKey)?.as_ref()),
        };
        Ok(format!("{message}.{signature}"))
    }
}
