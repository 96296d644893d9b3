//! The key decides which algorithm is right, never the token.

use admit::token::Jwks;
use admit::token::{Algorithm, base64url};
use admit::validate::{KeySource, Validator};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RsaKeyPair,
};
use serde_json::{Value, json};

use super::{event, noon, trust};
use crate::support::genuine_claims;

/// A key pair of one kind, which signs with any algorithm of that kind.
enum Pair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
}

impl Pair {
    fn all() -> [Self; 3] {
        [
            Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key")),
            Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key")),
            Self::P384(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).expect("a key")),
        ]
    }

    fn algorithms(&self) -> &'static [Algorithm] {
        match self {
            Self::Rsa(_) => &[Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512, Algorithm::Ps256, Algorithm::Ps384],
            Self::P256(_) => &[Algorithm::Es256],
            Self::P384(_) => &[Algorithm::Es384],
        }
    }

    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        let padding: &'static dyn signature::RsaEncoding = match algorithm {
            Algorithm::Rs384 => &signature::RSA_PKCS1_SHA384,
            Algorithm::Rs512 => &signature::RSA_PKCS1_SHA512,
            Algorithm::Ps256 => &signature::RSA_PSS_SHA256,
            Algorithm::Ps384 => &signature::RSA_PSS_SHA384,
            _ => &signature::RSA_PKCS1_SHA256,
        };
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature).expect("a signature");
                signature
            }
            Self::P256(pair) | Self::P384(pair) => pair.sign(&random, message).expect("a signature").as_ref().to_vec(),
        }
    }

    fn jwk(&self, kid: &str, pinned: Option<Algorithm>) -> Value {
        let point = |pair: &EcdsaKeyPair, crv: &str| {
            let (x, y) = pair.public_key().as_ref()[1..].split_at((pair.public_key().as_ref().len() - 1) / 2);
            json!({ "kty": "EC", "crv": crv, "x": base64url(x), "y": base64url(y) })
        };
        let mut jwk = match self {
            Self::Rsa(pair) => {
                let (n, e) = (
                    pair.public_key().modulus().big_endian_without_leading_zero(),
                    pair.public_key().exponent().big_endian_without_leading_zero(),
                );
                json!({ "kty": "RSA", "n": base64url(n), "e": base64url(e) })
            }
            Self::P256(pair) => point(pair, "P-256"),
            Self::P384(pair) => point(pair, "P-384"),
        };
        jwk["kid"] = json!(kid);
        jwk["use"] = json!("sig");
        if let Some(algorithm) = pinned {
            jwk["alg"] = json!(algorithm.as_str());
        }
        jwk
    }

    fn token(&self, named: &str, used: Algorithm) -> String {
        let header = json!({ "alg": named, "kid": "key", "typ": "at+jwt" });
        let claims = genuine_claims(noon().unix_timestamp());
        let message = format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()));
        format!("{message}.{}", base64url(&self.sign(used, message.as_bytes())))
    }
}

async fn is_allowed(jwk: Value, token: &str) -> bool {
    let keys = Jwks::parse(json!({ "keys": [jwk] }).to_string().as_bytes()).expect("a key set");
    Validator::new(trust(), KeySource::embedded(keys)).decide(&event(token), noon()).await.is_allowed()
}

/// JW-25: all algorithms that we know, with every kind of key, pinned and not.
#[tokio::test]
async fn each_algorithm_is_believed_from_its_own_keys_alone() {
    let names = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "PS384", "PS512", "ES512", "ES256K", "EdDSA", "HS256", "none"];
    for pair in &Pair::all() {
        for used in pair.algorithms() {
            for named in names {
                let token = pair.token(named, *used);
                let is_true = named == used.as_str();
                assert_eq!(is_allowed(pair.jwk("key", None), &token).await, is_true, "signed with {used}, says {named}");
                for pinned in pair.algorithms() {
                    let is_allowed = is_allowed(pair.jwk("key", Some(*pinned)), &token).await;
                    assert_eq!(is_allowed, is_true && pinned == used, "signed with {used}, says {named}, the key is for {pinned}");
                }
            }
        }
    }
}
