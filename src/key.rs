//! Makes signing keys, and seals them under the master key before the store sees them.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use rsa::pkcs8::EncodePrivateKey;
use rsa::traits::PublicKeyParts;
use serde_json::json;
use zeroize::Zeroizing;

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
    /// Checkpoints of the audit trail. Their keys are in no published set.
    Audit,
}

impl Purpose {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Access, Self::Id, Self::Audit];

    /// Whether its keys stand in the key set that everybody reads.
    #[must_use]
    pub fn is_public(self) -> bool {
        matches!(self, Self::Access | Self::Id)
    }

    /// As the store keeps it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Id => "id",
            Self::Audit => "audit",
        }
    }

    /// The inverse of [`Purpose::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == text)
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
    pub pkcs8: Zeroizing<Vec<u8>>,
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
    let pkcs8 = pair.to_pkcs8_der().ok()?.to_bytes();
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
    Some(NewKey { key_id: KeyId::new(kid), algorithm, public_jwk: jwk.to_string(), pkcs8: pkcs8.as_ref().to_vec().into() })
}

/// What private keys are sealed under. It never enters the store. While it is changed there are several: the first one
/// seals, and every one opens.
pub struct MasterKey {
    sealing: One,
    previous: Vec<One>,
}

struct One {
    id: String,
    bytes: Zeroizing<[u8; 32]>,
}

/// The text is no master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a master key is 32 random bytes in base64url (43 characters), such as `head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '='` prints"
)]
pub struct BadMasterKey;

/// What is sealed cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotOpen {
    /// The master key that it names is not among those given.
    #[error("it was sealed under the master key {0}, which is not given")]
    Elsewhere(String),
    /// No key opens it, or it is not what was sealed.
    #[error("it was sealed under another master key, or for something else, or has been changed since")]
    Damaged,
}

/// The first way of sealing, which did not name the master key.
const UNNAMED: &str = "v1.";
/// The present one: `v2.`, the master key's name, a dot, and nonce, ciphertext and tag in base64url.
const NAMED: &str = "v2.";

impl MasterKey {
    /// A new one.
    #[must_use]
    pub fn generate() -> Self {
        Self::from(Zeroizing::new(random()))
    }

    /// Reads 43 characters of base64url; white space around them is ignored.
    ///
    /// # Errors
    /// [`BadMasterKey`]
    pub fn parse(text: &str) -> Result<Self, BadMasterKey> {
        let bytes = Zeroizing::new(from_base64url(text.trim().trim_end_matches('=')).ok_or(BadMasterKey)?);
        let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| BadMasterKey)?;
        Ok(Self::from(Zeroizing::new(bytes)))
    }

    /// This one seals; what `previous` opens, it opens as well.
    #[must_use]
    pub fn before(mut self, previous: Self) -> Self {
        self.previous.push(previous.sealing);
        self.previous.extend(previous.previous);
        self
    }

    /// The text that [`MasterKey::parse`] reads, for the file that keeps it.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(base64url(self.sealing.bytes.as_slice()))
    }

    /// The name of the one that seals: the beginning of a digest, which gives nothing of the key away.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.sealing.id
    }

    /// AES-256-GCM under a random nonce. `about` is bound to it: what was sealed for one key
    /// cannot be opened as another.
    ///
    /// # Errors
    /// [`CannotOpen`], where the library fails.
    pub fn seal(&self, about: &str, plain: &[u8]) -> Result<String, CannotOpen> {
        let own = &self.sealing;
        let mut sealed = plain.to_vec();
        let nonce = own.cipher()?.seal_in_place_append_tag(Aad::from(about), &mut sealed).map_err(|_| CannotOpen::Damaged)?;
        Ok(format!("{NAMED}{}.{}", own.id, base64url(&[nonce.as_ref().as_slice(), &sealed].concat())))
    }

    /// The inverse of [`MasterKey::seal`].
    ///
    /// # Errors
    /// [`CannotOpen`]
    pub fn open(&self, about: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, CannotOpen> {
        if let Some(body) = sealed.strip_prefix(UNNAMED) {
            return self.every().find_map(|own| own.open(about, body).ok()).ok_or(CannotOpen::Damaged);
        }
        let (id, body) = sealed.strip_prefix(NAMED).and_then(|rest| rest.split_once('.')).ok_or(CannotOpen::Damaged)?;
        let own = self.every().find(|own| own.id == id).ok_or_else(|| CannotOpen::Elsewhere(id.to_owned()))?;
        own.open(about, body)
    }

    /// The name of the master key under which this was sealed; `None` of the first versions, which did not say.
    #[must_use]
    pub fn named_in(sealed: &str) -> Option<&str> {
        Some(sealed.strip_prefix(NAMED)?.split_once('.')?.0)
    }

    fn every(&self) -> impl Iterator<Item = &One> {
        std::iter::once(&self.sealing).chain(&self.previous)
    }
}

impl From<Zeroizing<[u8; 32]>> for MasterKey {
    fn from(bytes: Zeroizing<[u8; 32]>) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(b"admit master key");
        context.update(bytes.as_slice());
        let id = base64url(&context.finish().as_ref()[..6]);
        Self { sealing: One { id, bytes }, previous: vec![] }
    }
}

impl One {
    fn open(&self, about: &str, body: &str) -> Result<Zeroizing<Vec<u8>>, CannotOpen> {
        let mut bytes = from_base64url(body).filter(|bytes| bytes.len() >= NONCE_LEN).ok_or(CannotOpen::Damaged)?;
        let mut body = Zeroizing::new(bytes.split_off(NONCE_LEN));
        let nonce = Nonce::try_assume_unique_for_key(&bytes).map_err(|_| CannotOpen::Damaged)?;
        let length = self.cipher()?.open_in_place(nonce, Aad::from(about), &mut body).map_err(|_| CannotOpen::Damaged)?.len();
        body.truncate(length);
        Ok(body)
    }

    fn cipher(&self) -> Result<RandomizedNonceKey, CannotOpen> {
        RandomizedNonceKey::new(&AES_256_GCM, self.bytes.as_slice()).map_err(|_| CannotOpen::Damaged)
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
        let opened = |master: &MasterKey, about: &str, sealed: &str| master.open(about, sealed).map(|plain| plain.to_vec());
        assert_eq!(opened(&master, "default/a", &sealed).as_deref(), Ok(b"private".as_slice()));
        assert_eq!(opened(&master, "default/b", &sealed), Err(CannotOpen::Damaged));
        let other = MasterKey::generate();
        assert_eq!(opened(&other, "default/a", &sealed), Err(CannotOpen::Elsewhere(master.id().to_owned())));
        assert_eq!(opened(&other, "default/a", &sealed.replace(master.id(), other.id())), Err(CannotOpen::Damaged));
        assert_eq!(opened(&master, "default/a", &sealed.replace("v2.", "v3.")), Err(CannotOpen::Damaged));
        for cut in [0, 3, 10, 12, 20, sealed.len() - 1] {
            assert!(opened(&master, "default/a", &sealed[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn a_former_master_key_still_opens_and_the_first_way_of_sealing_as_well() {
        let (old, new) = (MasterKey::generate(), MasterKey::generate());
        let sealed = old.seal("default/a", b"private").expect("sealed");
        let unnamed = sealed.replacen(&format!("v2.{}.", old.id()), "v1.", 1);
        assert_eq!((MasterKey::named_in(&sealed), MasterKey::named_in(&unnamed)), (Some(old.id()), None));
        assert!(old.open("default/a", &unnamed).is_ok() && new.open("default/a", &unnamed) == Err(CannotOpen::Damaged));
        let (old_id, new_id) = (old.id().to_owned(), new.id().to_owned());
        let both = new.before(old);
        assert_eq!(both.id(), new_id);
        for text in [&sealed, &unnamed] {
            assert_eq!(both.open("default/a", text).map(|plain| plain.to_vec()).as_deref(), Ok(b"private".as_slice()));
        }
        let anew = both.seal("default/a", b"private").expect("sealed");
        assert_eq!(MasterKey::named_in(&anew), Some(new_id.as_str()));
        assert_ne!(old_id, new_id);
        assert!(!format!("{both:?} {}", both.id()).contains(both.expose().as_str()));
    }
}
