//! Tokens made by hand: good ones, and ones that nobody should believe.

use admit::audit::Origin;
use admit::key::{MasterKey, NewKey, Purpose};
use admit::store::Store;
use admit::token::{Algorithm, Jwks, Signer, base64url};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
    RSA_PSS_SHA384, RsaEncoding, RsaKeyPair,
};
use base64::Engine as _;
use serde_json::{Value, json};

use super::TestApp;

/// A private key, and the freedom to sign anything with it.
pub struct Forge {
    pub kid: String,
    pub algorithm: Algorithm,
    pub public_jwk: Value,
    pkcs8: Vec<u8>,
}

impl Forge {
    /// A key of somebody's.
    pub fn new(algorithm: Algorithm) -> Self {
        let key = NewKey::generate(algorithm).expect("we sign with this algorithm");
        let public_jwk = serde_json::from_str(&key.public_jwk).expect("our own key");
        Self { kid: key.key_id.to_string(), algorithm, public_jwk, pkcs8: key.pkcs8.to_vec() }
    }

    /// The private half, as people keep it in files.
    pub fn private_pem(&self) -> String {
        let text = base64::engine::general_purpose::STANDARD.encode(&self.pkcs8);
        let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
    }

    /// The server's own key for this purpose.
    pub async fn of(app: &TestApp, purpose: Purpose) -> Self {
        Self::kept_in(app.store(), &app.master(), &app.origin(), purpose).await
    }

    /// The key for this purpose that a store keeps.
    pub async fn kept_in(store: &Store, master: &MasterKey, origin: &Origin, purpose: Purpose) -> Self {
        let keys = store.published_keys(&origin.tenant, origin.now).await.expect("keys");
        let key = keys.into_iter().find(|key| key.purpose == purpose).expect("a key for every purpose");
        let sealed = key.sealed.as_deref().expect("a key that signs");
        let pkcs8 = master.open(&key.about(&origin.tenant), sealed).expect("our own master key").to_vec();
        let public_jwk = serde_json::from_str(&key.public_jwk).expect("our own key");
        Self { kid: key.id.to_string(), algorithm: key.algorithm, public_jwk, pkcs8 }
    }

    /// What an honest header says.
    pub fn header(&self, typ: &str) -> Value {
        json!({ "alg": self.algorithm.as_str(), "kid": self.kid, "typ": typ })
    }

    /// An honest access token of these claims.
    pub fn access_token(&self, claims: &Value) -> String {
        let signer = Signer::from_pkcs8(&self.kid, self.algorithm, &self.pkcs8).expect("our own key");
        signer.sign("at+jwt", claims).expect("a signature")
    }

    /// Any header over any payload, validly signed.
    pub fn token(&self, header: &Value, payload: &Value) -> String {
        self.raw(header.to_string().as_bytes(), payload.to_string().as_bytes())
    }

    /// The same, of bytes that need not be JSON.
    pub fn raw(&self, header: &[u8], payload: &[u8]) -> String {
        let message = format!("{}.{}", base64url(header), base64url(payload));
        let signature = self.signature(&message, self.algorithm);
        format!("{message}.{}", base64url(&signature))
    }

    /// A signature of this key, with whichever hash.
    pub fn signature(&self, message: &str, algorithm: Algorithm) -> Vec<u8> {
        let random = SystemRandom::new();
        match algorithm {
            Algorithm::Es256 | Algorithm::Es384 => self.ec_pair().sign(&random, message.as_bytes()).expect("a signature").as_ref().to_vec(),
            _ => {
                let pair = RsaKeyPair::from_pkcs8(&self.pkcs8).expect("our own key");
                let padding: &'static dyn RsaEncoding = match algorithm {
                    Algorithm::Rs384 => &RSA_PKCS1_SHA384,
                    Algorithm::Ps384 => &RSA_PSS_SHA384,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message.as_bytes(), &mut signature).expect("a signature");
                signature
            }
        }
    }

    fn ec_pair(&self) -> EcdsaKeyPair {
        let curve = if self.algorithm == Algorithm::Es384 { &ECDSA_P384_SHA384_FIXED_SIGNING } else { &ECDSA_P256_SHA256_FIXED_SIGNING };
        EcdsaKeyPair::from_pkcs8(curve, &self.pkcs8).expect("our own key")
    }

    /// The public half as a SubjectPublicKeyInfo.
    pub fn public_der(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = match self.algorithm {
            Algorithm::Es256 | Algorithm::Es384 => self.ec_pair().public_key().as_der().expect("a public key"),
            _ => RsaKeyPair::from_pkcs8(&self.pkcs8).expect("our own key").public_key().as_der().expect("a public key"),
        };
        der.as_ref().to_vec()
    }

    /// A key set of this key alone.
    pub fn jwks(&self) -> Jwks {
        Jwks::parse(self.jwks_text().as_bytes()).expect("our own key set")
    }

    pub fn jwks_text(&self) -> String {
        json!({ "keys": [self.public_jwk] }).to_string()
    }
}

/// Three parts, with dots between.
pub fn compact(header: &Value, payload: &Value, signature: &[u8]) -> String {
    format!("{}.{}.{}", base64url(header.to_string().as_bytes()), base64url(payload.to_string().as_bytes()), base64url(signature))
}

/// What a good access token says at the time `now`.
pub fn genuine_claims(now: i64) -> Value {
    json!({
        "iss": super::ISSUER, "sub": "u-dr.a", "aud": format!("{}/", super::FHIR1), "exp": now + 600, "iat": now, "nbf": now,
        "jti": "synthetic-jti", "client_id": "spa", "scope": "openid launch/patient patient/*.rs", "tenant_id": "default",
        "patient": "p1", "launch_response_patient": "Patient/p1",
    })
}
