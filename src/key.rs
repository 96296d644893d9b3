//! Makes signing keys, and seals them under the master key before the store sees them.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use rsa::pkcs8::EncodePrivateKey;
use rsa::traits::PublicKeyParts;
use serde_json::json;

use crate::id::KeyId;
use crate::secret::random;
use crate::token::{Algorithm, base64url, ec_thumbprint, from_base64url, rsa_thumbprint};

/// What a key signs. Access tokens and ID tokens never share one: a verifier of the first must
/// not come to accept the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Access tokens (RFC 9068).
    Access,
    /// ID tokens (OpenID Connect Core §2).
    Id,
}

impl Purpose {
    /// As the store keeps it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Id => "id",
        }
    }

    /// The inverse of [`Purpose::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Access, Self::Id].into_iter().find(|purpose| purpose.as_str() == text)
    }
}

/// A key pair that was just made.
pub struct NewKey {
    /// Its RFC 7638 thumbprint.
    pub key_id: KeyId,
    /// The one algorithm that it is for.
    pub algorithm: Algorithm,
    /// The public half, as JSON (RFC 7517).
    pub public_jwk: String,
    /// The private half, PKCS#8.
    pub pkcs8: Vec<u8>,
}

/// A key pair could not be made: the algorithm is not one that we sign with, or the library failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no key can be made for {0} (we sign with RS256, RS384, ES256 and ES384)")]
pub struct CannotMake(Algorithm);

impl NewKey {
    /// Makes a key pair; RSA keys have 2048 bits. Slow for RSA: call it off the async threads.
    ///
    /// # Errors
    /// [`CannotMake`]
    pub fn generate(algorithm: Algorithm) -> Result<Self, CannotMake> {
        match algorithm {
            Algorithm::Rs256 | Algorithm::Rs384 => rsa(algorithm),
            Algorithm::Es256 => elliptic(algorithm, &ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
            Algorithm::Es384 => elliptic(algorithm, &ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
            Algorithm::Rs512 | Algorithm::Ps256 | Algorithm::Ps384 => None,
        }
        .ok_or(CannotMake(algorithm))
    }
}

fn rsa(algorithm: Algorithm) -> Option<NewKey> {
    // `rsa` makes the key and writes it down; it never signs with it (RUSTSEC-2023-0071).
    let pair = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).ok()?;
    let (n, e) = (base64url(&pair.n().to_bytes_be()), base64url(&pair.e().to_bytes_be()));
    let kid = rsa_thumbprint(&e, &n);
    let jwk = json!({ "kty": "RSA", "use": "sig", "alg": algorithm.as_str(), "kid": kid, "n": n, "e": e });
    let pkcs8 = pair.to_pkcs8_der().ok()?.as_bytes().to_vec();
    Some(NewKey { key_id: KeyId::new(kid), algorithm, public_jwk: jwk.to_string(), pkcs8 })
}

fn elliptic(algorithm: Algorithm, kind: &'static aws_lc_rs::signature::EcdsaSigningAlgorithm, curve: &str) -> Option<NewKey> {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &SystemRandom::new()).ok()?;
    let pair = EcdsaKeyPair::from_pkcs8(kind, pkcs8.as_ref()).ok()?;
    // An uncompressed point: 04, then x and y of the same length (SEC 1 §2.3.3).
    let point = pair.public_key().as_ref().get(1..)?;
    let (x, y) = point.split_at(point.len() / 2);
    let (x, y) = (base64url(x), base64url(y));
    let kid = ec_thumbprint(curve, &x, &y);
    let jwk = json!({ "kty": "EC", "use": "sig", "alg": algorithm.as_str(), "kid": kid, "crv": curve, "x": x, "y": y });
    Some(NewKey { key_id: KeyId::new(kid), algorithm, public_jwk: jwk.to_string(), pkcs8: pkcs8.as_ref().to_vec() })
}

/// The key under which private keys are sealed. It never enters the store.
pub struct MasterKey([u8; 32]);

/// The text is no master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a master key is 32 random bytes in base64url (43 characters), such as `head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '='` prints"
)]
pub struct BadMasterKey;

/// What is sealed was sealed under another master key, or for something else, or has been changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it was sealed under another master key, or has been changed since")]
pub struct CannotOpen;

/// Says how it was sealed, so that another way can stand beside it one day.
const SEAL_VERSION: &str = "v1.";

impl MasterKey {
    /// A new one.
    #[must_use]
    pub fn generate() -> Self {
        Self(random())
    }

    /// Reads 43 characters of base64url; white space around them is ignored.
    ///
    /// # Errors
    /// [`BadMasterKey`]
    pub fn parse(text: &str) -> Result<Self, BadMasterKey> {
        let bytes = from_base64url(text.trim().trim_end_matches('=')).ok_or(BadMasterKey)?;
        Ok(Self(bytes.try_into().map_err(|_| BadMasterKey)?))
    }

    /// The text that [`MasterKey::parse`] reads, for the file that keeps it.
    #[must_use]
    pub fn expose(&self) -> String {
        base64url(&self.0)
    }

    /// AES-256-GCM under a random nonce. `about` is bound to it: what was sealed for one key
    /// cannot be opened as another.
    ///
    /// # Errors
    /// [`CannotOpen`], where the library fails.
    pub fn seal(&self, about: &str, plain: &[u8]) -> Result<String, CannotOpen> {
        let mut sealed = plain.to_vec();
        let nonce = self.cipher()?.seal_in_place_append_tag(Aad::from(about), &mut sealed).map_err(|_| CannotOpen)?;
        Ok(format!("{SEAL_VERSION}{}", base64url(&[nonce.as_ref().as_slice(), &sealed].concat())))
    }

    /// The inverse of [`MasterKey::seal`].
    ///
    /// # Errors
    /// [`CannotOpen`]
    pub fn open(&self, about: &str, sealed: &str) -> Result<Vec<u8>, CannotOpen> {
        let mut bytes = sealed.strip_prefix(SEAL_VERSION).and_then(from_base64url).ok_or(CannotOpen)?;
        if bytes.len() < NONCE_LEN {
            return Err(CannotOpen);
        }
        let mut body = bytes.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&bytes).map_err(|_| CannotOpen)?;
        Ok(self.cipher()?.open_in_place(nonce, Aad::from(about), &mut body).map_err(|_| CannotOpen)?.to_vec())
    }

    fn cipher(&self) -> Result<RandomizedNonceKey, CannotOpen> {
        RandomizedNonceKey::new(&AES_256_GCM, &self.0).map_err(|_| CannotOpen)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{Jwks, Signer, Unverified};

    #[test]
    fn a_new_key_signs_what_its_public_half_verifies() {
        for algorithm in [Algorithm::Rs256, Algorithm::Rs384, Algorithm::Es256, Algorithm::Es384] {
            let key = NewKey::generate(algorithm).expect("we sign with this algorithm");
            let signer = Signer::from_pkcs8(key.key_id.as_str(), algorithm, &key.pkcs8).expect("our own key");
            let token = signer.sign("at+jwt", &json!({ "sub": "x" })).expect("a signature");
            let keys = Jwks::parse(format!(r#"{{"keys":[{}]}}"#, key.public_jwk).as_bytes()).expect("our own key set");
            let unverified = Unverified::parse(&token).expect("our own token");
            assert_eq!(unverified.verify(&keys).map(|claims| claims["sub"].clone()), Ok(json!("x")));
        }
    }

    #[test]
    fn only_the_same_master_key_opens_and_only_for_the_same_thing() {
        let master = MasterKey::generate();
        let sealed = master.seal("default/a", b"private").expect("sealed");
        assert_eq!(master.open("default/a", &sealed).as_deref(), Ok(b"private".as_slice()));
        assert_eq!(master.open("default/b", &sealed), Err(CannotOpen));
        assert_eq!(MasterKey::generate().open("default/a", &sealed), Err(CannotOpen));
        assert_eq!(master.open("default/a", &sealed.replace("v1.", "v2.")), Err(CannotOpen));
        for cut in [3, 10, sealed.len() - 1] {
            assert_eq!(master.open("default/a", &sealed[..cut]), Err(CannotOpen));
        }
    }
}
