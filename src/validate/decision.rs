//! The answer, in the shape that HealthLake expects.

use serde_json::{Map, Value, json};

use super::claims::Claims;
use crate::token::Rejection;

/// What the data store is told.
#[derive(Debug)]
pub enum Decision {
    /// The request goes on, within the token's scopes and under this role.
    Allow(Box<Allowed>),
    /// It does not.
    Refuse(Refused),
}

/// A "no".
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub why: Refusal,
    /// What the token says, where its issuer's signature or word vouches for that.
    pub claims: Option<Box<Claims>>,
}

impl<R: Into<Refusal>> From<R> for Refused {
    fn from(why: R) -> Self {
        Self { why: why.into(), claims: None }
    }
}

impl From<Result<Allowed, Refused>> for Decision {
    fn from(judged: Result<Allowed, Refused>) -> Self {
        match judged {
            Ok(allowed) => Self::Allow(Box::new(allowed)),
            Err(refused) => Self::Refuse(refused),
        }
    }
}

/// What a good token allows.
#[derive(Debug)]
pub struct Allowed {
    /// The data store's endpoint, as the event spelt it.
    pub audience: String,
    /// The IAM role that the data store takes on for this request; none where only API Gateway asks.
    pub role: Option<String>,
    /// What the token says.
    pub claims: Claims,
    /// What is passed on besides.
    pub context: Map<String, Value>,
    /// Whether its issuer should have been asked, and could not be: the settings let the signature do.
    pub unconfirmed: bool,
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
    /// API Gateway names no API of which a policy could be made.
    #[error("methodArn or routeArn is not the ARN of an API")]
    BadArn,
    /// A data store that this validator was not set up for.
    #[error("this data store is not one that the validator serves")]
    UnknownDatastore,
    /// There is no key to check any signature with.
    #[error("no signing keys can be had from the issuer at the moment")]
    NoKeys,
    /// The issuer says that the token no longer stands, or never did.
    #[error("the token is not active")]
    Inactive,
    /// The issuer did not say, in time, whether the token still stands.
    #[error("the issuer cannot be asked about the token at the moment")]
    NoIntrospection,
    /// What the issuer says of the token differs from what the token says.
    #[error("the issuer describes the token differently")]
    Contradicted,
    /// The validator lacks a setting; its log says which.
    #[error("the validator is not configured")]
    NotConfigured,
    /// The answer would have come too late to be heard.
    #[error("the validator took too long")]
    TooSlow,
    /// Something broke while it was looked at; the log says where.
    #[error("the validator failed")]
    Failed,
    /// The token is not to be believed.
    #[error("{0}")]
    Token(#[from] Rejection),
}

impl Refusal {
    /// One word for it, for logs and metrics.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::MissingFields => "missing_fields",
            Self::NoToken => "no_token",
            Self::BadArn => "bad_arn",
            Self::UnknownDatastore => "unknown_datastore",
            Self::NoKeys => "no_keys",
            Self::Inactive => "inactive",
            Self::NoIntrospection => "no_introspection",
            Self::Contradicted => "contradicted",
            Self::NotConfigured => "not_configured",
            Self::TooSlow => "too_slow",
            Self::Failed => "failed",
            Self::Token(rejection) => rejection.code(),
        }
    }
}

impl Decision {
    /// The JSON that HealthLake gets. `isAuthorized` is the string `"true"` or `"false"`, as AWS's
    /// example shows it, or a boolean, as AWS's sample code sends it.
    #[must_use]
    pub fn to_json(&self, boolean: bool) -> Value {
        let is_authorized = |yes: bool| if boolean { Value::Bool(yes) } else { Value::from(if yes { "true" } else { "false" }) };
        let no = |refusal: Refusal| json!({ "authPayload": { "isAuthorized": is_authorized(false), "error": refusal.to_string() } });
        match self {
            Self::Refuse(refused) => no(refused.why),
            // HealthLake could do nothing with a "yes" without a role.
            Self::Allow(allowed) => match &allowed.role {
                None => no(Refusal::NotConfigured),
                Some(role) => json!({ "authPayload": allowed.payload(is_authorized(true)), "iamRoleARN": role }),
            },
        }
    }

    /// Whether the request goes on.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow(_))
    }
}

/// The members of `authPayload` that are not context. No context may take their names.
pub(super) const PAYLOAD: &[&str] =
    &["iss", "aud", "iat", "nbf", "exp", "isAuthorized", "uid", "sub", "client_id", "scope", "tenant", "jti", "error"];

impl Allowed {
    fn payload(&self, is_authorized: Value) -> Map<String, Value> {
        let claims = &self.claims;
        let mut payload = Map::new();
        let mut put = |name: &str, value: Value| payload.insert(name.to_owned(), value);
        put("iss", claims.issuer.as_str().into());
        put("aud", self.audience.as_str().into());
        put("iat", claims.issued_at.into());
        put("nbf", claims.not_before.into());
        put("exp", claims.expires_at.into());
        put("isAuthorized", is_authorized);
        put("uid", claims.subject.as_str().into());
        put("sub", claims.subject.as_str().into());
        put("scope", claims.scope.as_str().into());
        for (name, value) in [("client_id", &claims.client), ("tenant", &claims.tenant), ("jti", &claims.id)] {
            if let Some(value) = value {
                put(name, value.as_str().into());
            }
        }
        for (name, value) in &self.context {
            put(name, value.clone());
        }
        payload
    }
}
