//! Signing with key pairs that are parsed once and kept: parsing the key anew for every token
//! would cost more than twice the signature.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, RSA_PKCS1_SHA256,
    RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RsaKeyPair, RsaSignatureEncoding,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Algorithm, base64url, from_base64url};

/// A private key that is ready to sign.
pub struct Signer {
    kid: String,
    algorithm: Algorithm,
    pair: Pair,
}

enum Pair {
    Rsa(Box<RsaKeyPair>, &'static RsaSignatureEncoding),
    Ec(EcdsaKeyPair),
}

/// The private key cannot be used to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the private key cannot be used to sign")]
pub struct UnusableKey;

/// How an algorithm signs.
enum Scheme {
    Rsa(&'static RsaSignatureEncoding),
    Ec(&'static EcdsaSigningAlgorithm, &'static str),
}

impl Scheme {
    fn of(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Rs256 => Self::Rsa(&RSA_PKCS1_SHA256),
            Algorithm::Rs384 => Self::Rsa(&RSA_PKCS1_SHA384),
            Algorithm::Rs512 => Self::Rsa(&RSA_PKCS1_SHA512),
            Algorithm::Ps256 => Self::Rsa(&RSA_PSS_SHA256),
            Algorithm::Ps384 => Self::Rsa(&RSA_PSS_SHA384),
            Algorithm::Es256 => Self::Ec(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
            Algorithm::Es384 => Self::Ec(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
        }
    }
}

impl Signer {
    /// Parses a PKCS#8 private key.
    ///
    /// # Errors
    /// [`UnusableKey`], where the bytes are no key for `algorithm`.
    pub fn from_pkcs8(kid: &str, algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, UnusableKey> {
        let pair = match Scheme::of(algorithm) {
            Scheme::Rsa(encoding) => Pair::Rsa(Box::new(RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| UnusableKey)?), encoding),
            Scheme::Ec(curve, _) => Pair::Ec(EcdsaKeyPair::from_pkcs8(curve, pkcs8).map_err(|_| UnusableKey)?),
        };
        Ok(Self { kid: kid.to_owned(), algorithm, pair })
    }

    /// Parses a PKCS#8 private key in PEM (RFC 7468 §10), for the first of these algorithms that it fits.
    ///
    /// # Errors
    /// [`UnusableKey`], where it fits none.
    pub fn from_pem(kid: &str, algorithms: &[Algorithm], pem: &[u8]) -> Result<Self, UnusableKey> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| UnusableKey)?;
        let fitting = algorithms.iter().find_map(|algorithm| Self::from_pkcs8(kid, *algorithm, der.secret_pkcs8_der()).ok());
        fitting.ok_or(UnusableKey)
    }

    /// Parses a private JWK (RFC 7518 §6.2.2, §6.3.2). Where it does not name its algorithm, an RSA key is one for RS256.
    ///
    /// # Errors
    /// [`UnusableKey`], where it is no such key, or one for another algorithm than it says.
    pub fn from_jwk(kid: &str, jwk: &Map<String, Value>) -> Result<Self, UnusableKey> {
        Self::read_jwk(kid, jwk).ok_or(UnusableKey)
    }

    fn read_jwk(kid: &str, jwk: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| text(name).and_then(from_base64url);
        let algorithm = match (text("alg"), text("kty")?, text("crv")) {
            (Some(named), ..) => named.parse().ok()?,
            (None, "EC", Some("P-256")) => Algorithm::Es256,
            (None, "EC", Some("P-384")) => Algorithm::Es384,
            (None, "RSA", _) => Algorithm::Rs256,
            _ => return None,
        };
        let pair = match (Scheme::of(algorithm), text("kty")?) {
            (Scheme::Ec(algorithm, curve), "EC") if text("crv")? == curve => {
                let point = [vec![0x04], bytes("x")?, bytes("y")?].concat();
                Pair::Ec(EcdsaKeyPair::from_private_key_and_public_key(algorithm, &bytes("d")?, &point).ok()?)
            }
            (Scheme::Rsa(encoding), "RSA") => {
                let components = KeyPairComponents {
                    public_key: PublicKeyComponents { n: bytes("n")?, e: bytes("e")? },
                    d: bytes("d")?,
                    p: bytes("p")?,
                    q: bytes("q")?,
                    dP: bytes("dp")?,
                    dQ: bytes("dq")?,
                    qInv: bytes("qi")?,
                };
                Pair::Rsa(Box::new(RsaKeyPair::from_components(&components).ok()?), encoding)
            }
            _ => return None,
        };
        Some(Self { kid: kid.to_owned(), algorithm, pair })
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
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message.as_bytes(), &mut signature).map_err(|_| UnusableKey)?;
                base64url(&signature)
            }
            Pair::Ec(pair) => base64url(pair.sign(&random, message.as_bytes()).map_err(|_| UnusableKey)?.as_ref()),
        };
        Ok(format!("{message}.{signature}"))
    }
}
