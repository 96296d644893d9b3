//! How introspection is set up, as people write it down.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::proof::WhenUnreachable;
use super::super::settings::BadSettings;
use super::{ClientAuthentication, Introspector, MAX_CACHE_SECONDS};
use crate::http::{NoClient, may_ask};
use crate::token::{Algorithm, Signer};

/// The member `introspection` of a trust. It holds secrets: no `Debug`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in super::super) struct IntrospectionSettings {
    pub(in super::super) mode: String,
    pub(in super::super) endpoint: String,
    pub(in super::super) when_unreachable: String,
    pub(in super::super) cache_seconds: u32,
    pub(in super::super) client_id: String,
    pub(in super::super) client_secret: String,
    /// A private key: a JWK, or PKCS#8 in PEM as text.
    pub(in super::super) key: Option<Value>,
    pub(in super::super) key_id: String,
    pub(in super::super) audience: String,
}

/// Settings in which nothing is wrong.
pub(in super::super) struct CheckedIntrospection {
    pub(in super::super) mode: Mode,
    endpoint: String,
    client: ClientAuthentication,
    cache_seconds: u32,
}

/// What introspection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Mode {
    /// It alone proves a token.
    Only,
    /// The signature proves it, and introspection that it still stands.
    Combined(WhenUnreachable),
}

impl IntrospectionSettings {
    /// Whether tokens need no keys.
    pub(in super::super) fn is_alone(&self) -> bool {
        self.mode == "only"
    }

    /// What is set here, tried. `name` says what a setting is called where it was written. An assertion is made for the
    /// `issuer` unless its audience is set.
    pub(in super::super) fn check(
        self,
        name: &dyn Fn(&str) -> String,
        issuer: &str,
        bad: &mut BadSettings,
    ) -> Option<CheckedIntrospection> {
        let when_unreachable = match self.when_unreachable.as_str() {
            "" | "refuse" => Some(WhenUnreachable::Refuse),
            "allow" => Some(WhenUnreachable::Allow),
            _ => None,
        };
        let mode = match self.mode.as_str() {
            "only" => Some(Mode::Only),
            "combined" => when_unreachable.map(Mode::Combined),
            "" => {
                bad.add(&name("mode"), "is missing: it is only or combined");
                None
            }
            _ => {
                bad.add(&name("mode"), "is neither only nor combined");
                None
            }
        };
        if when_unreachable.is_none() {
            bad.add(&name("when_unreachable"), "is neither refuse nor allow");
        }
        if self.mode == "only" && when_unreachable == Some(WhenUnreachable::Allow) {
            bad.add(&name("when_unreachable"), "cannot be allow: where nothing but introspection proves a token, nothing would");
        }
        if self.endpoint.is_empty() {
            bad.add(&name("endpoint"), "is missing");
        } else if !may_ask(&self.endpoint) {
            bad.add(&name("endpoint"), "is not an https:// URL");
        }
        if self.cache_seconds > MAX_CACHE_SECONDS {
            bad.add(&name("cache_seconds"), &format!("is more than {MAX_CACHE_SECONDS}"));
        }
        if self.client_id.is_empty() {
            bad.add(&name("client_id"), "is missing");
        }
        let client = match (&self.key, self.client_secret.as_str()) {
            (None, "") => {
                bad.add(&name("client_secret"), &format!("is missing, and so is {}", name("key")));
                None
            }
            (None, secret) => Some(ClientAuthentication::secret(&self.client_id, secret)),
            (Some(key), "") => {
                let audience = if self.audience.is_empty() { issuer } else { &self.audience };
                let signer = self.signer(key, name, bad);
                signer.map(|signer| ClientAuthentication::key(&self.client_id, signer, audience))
            }
            (Some(_), _) => {
                bad.add(&name("client_secret"), &format!("is one way to authenticate, and {} another: one of them is enough", name("key")));
                None
            }
        };
        Some(CheckedIntrospection { mode: mode?, endpoint: self.endpoint, client: client?, cache_seconds: self.cache_seconds })
    }

    fn signer(&self, key: &Value, name: &dyn Fn(&str) -> String, bad: &mut BadSettings) -> Option<Signer> {
        let in_key = key.get("kid").and_then(Value::as_str).unwrap_or_default();
        let kid = if self.key_id.is_empty() { in_key } else { &self.key_id };
        if kid.is_empty() {
            bad.add(&name("key_id"), "is missing, and the key does not name itself");
        } else if !is_kid(kid) {
            bad.add(&name("key_id"), "is not plain text without quotes");
        }
        let signer = match key {
            Value::Object(jwk) => Signer::from_jwk(kid, jwk).ok(),
            // For RSA that is RS256, which every server takes.
            Value::String(pem) => Signer::from_pem(kid, &[Algorithm::Es256, Algorithm::Es384, Algorithm::Rs256], pem.as_bytes()).ok(),
            _ => None,
        };
        if signer.is_none() {
            bad.add(&name("key"), "is neither a private JWK nor a PKCS#8 key in PEM, RSA, P-256 or P-384");
        }
        signer
    }
}

/// What can stand in a header as it is.
fn is_kid(text: &str) -> bool {
    text.len() <= 255 && text.bytes().all(|b| (b.is_ascii_graphic() || b == b' ') && b != b'"' && b != b'\\')
}

/// A key as it stands in a variable or a file: JSON, or else PEM.
pub(in super::super) fn key_of(text: &str) -> Value {
    serde_json::from_str::<Map<String, Value>>(text).map_or_else(|_| Value::from(text), Value::Object)
}

impl CheckedIntrospection {
    /// Who asks. `authorities` may have signed the certificates of whoever is asked.
    pub(in super::super) fn introspector(self, authorities: Option<&[u8]>) -> Result<Introspector, NoClient> {
        Introspector::new(&self.endpoint, self.client, self.cache_seconds, authorities)
    }
}
