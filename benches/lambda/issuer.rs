//! An issuer: its keys, a good token of each algorithm, and one that is not to be believed.

use admit::clock::Clock;
use admit::key::NewKey;
use admit::token::{Algorithm, Signer};
use serde_json::{Value, json};

pub const ISSUER: &str = "https://idp.example";
pub const DATASTORE: &str = "https://fhir.example/r4/";
pub const ROLE: &str = "arn:aws:iam::123456789012:role/smart";
pub const SUBJECT: &str = "a-synthetic-person";

/// Two keys, as an issuer has them that serves old and new validators.
pub struct Issuer {
    pub jwks: String,
    es256: Signer,
    rs256: Signer,
}

impl Issuer {
    pub fn new() -> Result<Self, String> {
        let (rs256, es256) = (key(Algorithm::Rs256)?, key(Algorithm::Es256)?);
        let jwks = format!(r#"{{"keys":[{},{}]}}"#, rs256.0, es256.0);
        Ok(Self { jwks, es256: es256.1, rs256: rs256.1 })
    }

    /// An event with a good token.
    pub fn event(&self, algorithm: Algorithm) -> Result<Vec<u8>, String> {
        let signer = if algorithm == Algorithm::Es256 { &self.es256 } else { &self.rs256 };
        let now = Clock::System.now().unix_timestamp();
        let claims = json!({
            "iss": ISSUER, "aud": DATASTORE, "sub": SUBJECT, "client_id": "growth-chart", "tenant_id": "default", "jti": "019a",
            "scope": "openid fhirUser launch/patient patient/Patient.rs patient/Observation.rs", "patient": "p1",
            "fhirUser": "Practitioner/example", "iat": now - 1, "nbf": now - 1, "exp": now + 3600,
        });
        let token = signer.sign("at+jwt", &claims).map_err(|why| why.to_string())?;
        Ok(event(&token))
    }

    /// The same event about another patient: the signature is the good token's.
    pub fn forged(good: &[u8]) -> Result<Vec<u8>, String> {
        let value: Value = serde_json::from_slice(good).map_err(|error| error.to_string())?;
        let token = value["bearerToken"].as_str().unwrap_or_default();
        let (message, signature) = token.rsplit_once('.').ok_or("no token")?;
        let (header, payload) = message.split_once('.').ok_or("no token")?;
        let payload = admit::token::from_base64url(payload).ok_or("no payload")?;
        let payload = String::from_utf8_lossy(&payload).replace("\"p1\"", "\"p2\"");
        Ok(event(&format!("{header}.{}.{signature}", admit::token::base64url(payload.as_bytes()))))
    }
}

fn event(token: &str) -> Vec<u8> {
    json!({ "datastoreEndpoint": DATASTORE, "operationName": "ReadResource", "bearerToken": token }).to_string().into_bytes()
}

/// A public key as JSON, and its private half.
fn key(algorithm: Algorithm) -> Result<(String, Signer), String> {
    let key = NewKey::generate(algorithm).map_err(|why| why.to_string())?;
    let signer = Signer::from_pkcs8(&key.key_id.to_string(), algorithm, &key.pkcs8).map_err(|why| why.to_string())?;
    Ok((key.public_jwk, signer))
}
