//! What the server says of itself to apps: the SMART configuration of a FHIR base (SMART App Launch 2.2,
//! "Conformance"), and the issuer's OpenID Connect Discovery 1.0 and RFC 8414 document. Nothing is
//! claimed that is not there.

use serde_json::{Map, Value, json};

use crate::client::{ClientAuth, GrantType};
use crate::tenant::{FhirBase, Strategy};
use crate::token::ASSERTION_ALGORITHMS;

/// The server, as far as its documents go.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// The issuer identifier, without a slash at its end.
    pub issuer: String,
    /// Apps may register themselves.
    pub is_open_to_registration: bool,
}

/// The newest version of SMART App Launch that is spoken here.
const NEWEST: &str = "2.2";

/// What depends on the FHIR bases that a document is about.
struct Facts<'a> {
    /// The oldest version of SMART App Launch among them; versions compare as texts.
    version: &'a str,
    /// All of them understand v2 scopes.
    has_v2: bool,
}

/// What can be claimed, and the version of SMART App Launch that it came with.
const CAPABILITIES: &[(&str, &str)] = &[
    ("launch-ehr", "1.0"),
    ("launch-standalone", "1.0"),
    ("authorize-post", "2.0"),
    ("client-public", "1.0"),
    ("client-confidential-symmetric", "1.0"),
    ("client-confidential-asymmetric", "2.0"),
    ("sso-openid-connect", "1.0"),
    ("context-banner", "1.0"),
    ("context-style", "1.0"),
    ("context-ehr-patient", "1.0"),
    ("context-ehr-encounter", "1.0"),
    ("context-standalone-patient", "1.0"),
    ("context-standalone-encounter", "1.0"),
    ("permission-offline", "1.0"),
    ("permission-online", "2.0"),
    ("permission-patient", "1.0"),
    ("permission-user", "1.0"),
    ("permission-v1", "2.0"),
    ("permission-v2", "2.0"),
    // AWS HealthLake enforces the queries in scopes where, and only where, this is claimed.
    ("permission-v2.2", "2.2"),
];

impl Facts<'_> {
    /// What is true of every FHIR base, in the words that its version knows.
    fn capabilities(&self) -> Value {
        let known = CAPABILITIES.iter().filter(|(_, since)| *since <= self.version);
        let is_true = |name: &str| match name {
            "permission-v2" | "permission-v2.2" => self.has_v2,
            _ => true,
        };
        known.map(|(name, _)| *name).filter(|name| is_true(name)).collect()
    }
}

impl Metadata {
    /// The SMART configuration for these FHIR bases: of one, all that there is to say; of several,
    /// what holds for each of them.
    #[must_use]
    pub fn smart(&self, bases: &[FhirBase]) -> Value {
        let facts = Facts {
            version: bases.iter().map(|base| base.smart_version.as_str()).min().unwrap_or(NEWEST),
            has_v2: bases.iter().all(|base| base.strategy == Strategy::SmartOnFhir),
        };
        let mut document = self.endpoints(&facts);
        document.insert("management_endpoint".to_owned(), format!("{}/account/apps", self.issuer).into());
        document.insert("capabilities".to_owned(), facts.capabilities());
        if let [base] = bases {
            publish(base, &mut document);
        }
        Value::Object(document)
    }

    /// The same of one FHIR base, as AWS HealthLake takes it: in the `Metadata` of its `IdentityProviderConfiguration`.
    #[must_use]
    pub fn healthlake(&self, base: &FhirBase) -> Value {
        let mut document = self.smart(std::slice::from_ref(base));
        if let Some(grants) = document.get_mut("grant_types_supported").and_then(Value::as_array_mut) {
            grants.retain(is_known_to_healthlake);
        }
        document
    }

    /// OpenID Connect Discovery §3 and RFC 8414 §2.
    #[must_use]
    pub fn openid(&self, bases: &[FhirBase]) -> Value {
        let issuer = &self.issuer;
        let facts = Facts { version: NEWEST, has_v2: bases.is_empty() || bases.iter().any(|base| base.strategy == Strategy::SmartOnFhir) };
        let mut document = self.endpoints(&facts);
        let more = json!({
            "userinfo_endpoint": format!("{issuer}/userinfo"),
            "end_session_endpoint": format!("{issuer}/logout"),
            "response_modes_supported": ["query", "form_post"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "ES384"],
            "introspection_endpoint_auth_methods_supported": auth_methods(),
            "introspection_endpoint_auth_signing_alg_values_supported": assertion_algorithms(),
            "revocation_endpoint_auth_methods_supported": auth_methods(),
            "revocation_endpoint_auth_signing_alg_values_supported": assertion_algorithms(),
            "prompt_values_supported": ["none", "login", "consent", "select_account"],
            "claims_supported": [
                "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid", "amr", "name", "fhirUser", "profile",
            ],
            "claims_parameter_supported": false,
            "request_parameter_supported": false,
            "request_uri_parameter_supported": false,
        });
        if let Value::Object(more) = more {
            document.extend(more);
        }
        Value::Object(document)
    }

    /// What both documents begin with.
    fn endpoints(&self, facts: &Facts) -> Map<String, Value> {
        let at = |path: &str| Value::from(format!("{}{path}", self.issuer));
        let mut members = Map::new();
        let mut say = |name: &str, value: Value| members.insert(name.to_owned(), value);
        say("issuer", at(""));
        say("jwks_uri", at("/.well-known/jwks.json"));
        say("authorization_endpoint", at("/authorize"));
        say("token_endpoint", at("/token"));
        if self.is_open_to_registration {
            say("registration_endpoint", at("/register"));
        }
        say("management_endpoint", at("/account/apps"));
        say("introspection_endpoint", at("/introspect"));
        say("revocation_endpoint", at("/revoke"));
        say("grant_types_supported", GrantType::ALL.iter().map(|grant| grant.as_str()).collect());
        say("response_types_supported", json!(["code"]));
        say("token_endpoint_auth_methods_supported", auth_methods());
        say("token_endpoint_auth_signing_alg_values_supported", assertion_algorithms());
        say("code_challenge_methods_supported", json!(["S256"]));
        say("scopes_supported", scopes(facts).into());
        say("authorization_response_iss_parameter_supported", true.into());
        members
    }
}

/// HealthLake documents these two grant types and no others. That refresh tokens are given is said by `permission-offline`
/// and `permission-online`, which is where SMART apps look.
#[must_use]
pub fn is_known_to_healthlake(grant: &Value) -> bool {
    [GrantType::AuthorizationCode, GrantType::ClientCredentials].iter().any(|known| grant == known.as_str())
}

fn auth_methods() -> Value {
    ClientAuth::ALL.iter().map(|method| method.as_str()).collect()
}

fn assertion_algorithms() -> Value {
    ASSERTION_ALGORITHMS.iter().map(|algorithm| algorithm.as_str()).collect()
}

/// Those that stand for many others, and each of which can be granted.
fn scopes(facts: &Facts) -> Vec<String> {
    let alone = ["openid", "fhirUser", "profile", "launch", "launch/patient", "launch/encounter", "offline_access", "online_access"];
    let v2 = if facts.has_v2 { &["rs", "cruds"][..] } else { &[] };
    let access = || v2.iter().chain(&["read", "write", "*"]);
    let resources = ["patient", "user", "system"].into_iter().flat_map(|level| access().map(move |access| format!("{level}/*.{access}")));
    alone.into_iter().map(str::to_owned).chain(resources).collect()
}

/// What the administrator has to say of a FHIR base.
fn publish(base: &FhirBase, document: &mut Map<String, Value>) {
    let mut say = |name: &str, value: Value| document.insert(name.to_owned(), value);
    if let Some(brand) = &base.brand {
        say("user_access_brand_bundle", brand.bundle.as_str().into());
        if let Some(identifier) = &brand.identifier {
            say("user_access_brand_identifier", json!(identifier));
        }
    }
    if !base.associated_endpoints.is_empty() {
        say("associated_endpoints", json!(base.associated_endpoints));
    }
}
