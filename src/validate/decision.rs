//! The answer, in the shape that HealthLake expects.

use serde_json::{Map, Value, json};

use crate::token::{AccessClaims, Rejection};

/// What the data store is told.
#[derive(Debug)]
pub enum Decision {
    /// The request goes on, within the token's scopes and under this role.
    Allow(Box<Allowed>),
    /// It does not.
    Refuse(Refusal),
}

/// What a good token allows.
#[derive(Debug)]
pub struct Allowed {
    /// The data store's endpoint, as the event spelt it.
    pub audience: String,
    /// The IAM role that the data store takes on for this request.
    pub role: String,
    /// The token's claims.
    pub claims: AccessClaims,
}

/// Why not. The texts hold nothing of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The event lacks a field, or one is not a string.
    #[error("Missing required fields: datastoreEndpoint, operationName, bearerToken")]
    MissingFields,
    /// No token, or something that cannot be one.
    #[error("bearerToken holds no token")]
    NoToken,
    /// A data store that this validator was not set up for.
    #[error("this data store is not one that the validator serves")]
    UnknownDatastore,
    /// There is no key to check any signature with.
    #[error("no signing keys can be had from the issuer at the moment")]
    NoKeys,
    /// The validator lacks a setting; its log says which.
    #[error("the validator is not configured")]
    NotConfigured,
    /// Something broke while it was looked at; the log says where.
    #[error("the validator failed")]
    Failed,
    /// The token is not to be believed.
    #[error("{0}")]
    Token(#[from] Rejection),
}

impl Decision {
    /// The JSON that the Lambda returns. `isAuthorized` is the string `"true"` or `"false"`, as
    /// AWS's example shows it, or a boolean, as AWS's sample code sends it.
    #[must_use]
    pub fn to_json(&self, boolean: bool) -> Value {
        let is_authorized = |yes: bool| if boolean { Value::Bool(yes) } else { Value::from(if yes { "true" } else { "false" }) };
        match self {
            Self::Refuse(refusal) => json!({
                "authPayload": { "isAuthorized": is_authorized(false), "error": refusal.to_string() },
            }),
            Self::Allow(allowed) => {
                let claims = &allowed.claims;
                let mut payload = Map::new();
                let mut put = |name: &str, value: Value| payload.insert(name.to_owned(), value);
                put("iss", claims.iss.as_str().into());
                put("aud", allowed.audience.as_str().into());
                put("iat", claims.iat.into());
                put("nbf", claims.nbf.into());
                put("exp", claims.exp.into());
                put("isAuthorized", is_authorized(true));
                put("uid", claims.sub.as_str().into());
                put("sub", claims.sub.as_str().into());
                put("client_id", claims.client_id.as_str().into());
                put("scope", claims.scope.as_str().into());
                put("tenant", claims.tenant_id.as_str().into());
                put("jti", claims.jti.as_str().into());
                for (name, value) in [
                    ("patient", &claims.patient),
                    ("encounter", &claims.encounter),
                    ("launch_response_patient", &claims.launch_response_patient),
                    ("fhirUser", &claims.fhir_user),
                ] {
                    if let Some(value) = value {
                        put(name, value.as_str().into());
                    }
                }
                json!({ "authPayload": payload, "iamRoleARN": allowed.role })
            }
        }
    }

    /// Whether the request goes on.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow(_))
    }
}
