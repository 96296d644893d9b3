//! Lambda authorizers of API Gateway: the validator before a FHIR server that is not HealthLake.
//!
//! The same function answers five shapes of event: HealthLake's, and those that API Gateway sends for a REST API
//! (`TOKEN`, `REQUEST`) and for an HTTP API (payload formats 1.0 and 2.0). Which data store a token has to be for is a
//! setting here, `ADMIT_FHIR_BASE`, because these events do not say it.
//!
//! **The token opens the whole API, for as long as API Gateway remembers that.** It keeps an answer under the
//! `Authorization` header and gives it to every request with the same header, whatever its route. So the policy covers
//! the API's whole stage, and nothing is decided here by route, method or scope: the FHIR server behind does that, with
//! the `scope` and the patient that it finds in the authorizer's context. A remembered "yes" also outlives its token:
//! keep the authorizer's TTL well below the life of the tokens, or at 0. And let the identity source be the
//! `Authorization` header alone.
//!
//! | the token is | REST API | HTTP API |
//! |---|---|---|
//! | good | an Allow policy | `isAuthorized: true`, or an Allow policy |
//! | missing, or not to be believed | the function error `Unauthorized`: 401 | `{"errorMessage":"Unauthorized"}`: 401 |
//! | believed, and not enough | a Deny policy: 403 | `isAuthorized: false`, or a Deny policy: 403 |
//! | not looked at, for a fault of ours | another function error: 500 | another function error: 500 |
//!
//! Lambda counts function errors among its own `Errors`, where a 401 is then no different from a fault: the metric to
//! watch is `Decisions`, of `validate::journal`.

mod arn;
mod request;

use std::fmt;
use std::sync::Once;

use serde_json::{Map, Value, json};

use super::decision::Allowed;
use super::settings::BadSettings;
use super::{Decision, Environment, Event, Refusal, Refused};
use crate::http::is_url;
use crate::token::Rejection;
use request::Kind;
pub(super) use request::Request;

/// How the authorizers of API Gateway are answered.
pub(super) struct Gateway {
    /// The URL that tokens for this API name as their audience; `None` where no API Gateway is to be answered.
    pub(super) base: Option<String>,
    /// Whether HTTP APIs want a policy as well, instead of the simple answer.
    wants_policy: bool,
    /// The log says once that API Gateway asks all the same.
    complaint: Once,
}

/// The function fails, on purpose: that is the only way to tell API Gateway some things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure(Refusal);

/// What a refusal says to whoever sent the request, in the words of RFC 6750 §3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// No token, or `invalid_token`: another one may do.
    Unauthorized,
    /// `insufficient_scope`: this token will never do.
    Forbidden,
    /// Nothing: the fault is ours.
    Unavailable,
}

impl Gateway {
    /// What the variables say.
    pub(super) fn from_environment(environment: &Environment, bad: &mut BadSettings) -> Self {
        let wants_policy = match environment.given("ADMIT_GATEWAY_ANSWER") {
            None | Some("simple") => false,
            Some("policy") => true,
            Some(_) => {
                bad.add("ADMIT_GATEWAY_ANSWER", "is neither simple nor policy");
                false
            }
        };
        let base = environment.given("ADMIT_FHIR_BASE").map(str::to_owned);
        if base.as_deref().is_some_and(|base| !is_url(base)) {
            bad.add("ADMIT_FHIR_BASE", "is no URL");
        }
        Self { base, wants_policy, complaint: Once::new() }
    }

    /// What API Gateway asks, in HealthLake's words.
    ///
    /// # Errors
    /// [`Refusal::NotConfigured`], [`Refusal::BadArn`], [`Refusal::NoToken`], [`Rejection::TooLong`]
    pub(super) fn read(&self, request: &Request<'_>) -> Result<Event, Refusal> {
        let Some(base) = &self.base else {
            self.complaint.call_once(|| tracing::error!(settings = "ADMIT_FHIR_BASE is missing", "API Gateway asks, and is refused"));
            return Err(Refusal::NotConfigured);
        };
        if request.arn.is_none() && !self.answers_simply(request) {
            return Err(Refusal::BadArn);
        }
        let operation_name = request.method().unwrap_or_default().to_owned();
        Ok(Event { datastore_endpoint: base.clone(), operation_name, bearer_token: request.token()? })
    }

    /// The answer, in the shape that this authorizer has.
    ///
    /// # Errors
    /// [`Failure`], where only a function that fails says it.
    ///
    /// A fault of ours is one of them: API Gateway makes a 500 of it. A Deny would tell the app that its token is not
    /// enough, which nobody has found out, and API Gateway would go on saying so for the authorizer's TTL, when we
    /// have long had our keys again. A 401 would make every app throw its good tokens away and sign its people in anew.
    /// All three keep the request out.
    pub(super) fn answer(&self, request: &Request<'_>, decision: &Decision) -> Result<Value, Failure> {
        let is_simple = self.answers_simply(request);
        match decision {
            Decision::Allow(allowed) if is_simple => Ok(json!({ "isAuthorized": true, "context": context(allowed) })),
            Decision::Allow(allowed) => {
                policy(request, "Allow", &allowed.claims.subject, &context(allowed).into_iter().map(scalar).collect())
            }
            Decision::Refuse(Refused { why, claims }) => match meaning(*why) {
                Meaning::Forbidden => {
                    // For the API's own error pages: `$context.authorizer.reason`.
                    let reason = Map::from_iter([("reason".to_owned(), Value::from(why.code()))]);
                    if is_simple {
                        Ok(json!({ "isAuthorized": false, "context": reason }))
                    } else {
                        policy(request, "Deny", claims.as_ref().map_or("nobody", |claims| &claims.subject), &reason)
                    }
                }
                Meaning::Unauthorized if matches!(request.kind, Kind::Http1 | Kind::Http2) => Ok(json!({ "errorMessage": "Unauthorized" })),
                Meaning::Unauthorized | Meaning::Unavailable => Err(Failure(*why)),
            },
        }
    }

    fn answers_simply(&self, request: &Request<'_>) -> bool {
        request.kind == Kind::Http2 && !self.wants_policy
    }
}

/// An IAM policy for every method and path of the stage.
fn policy(request: &Request<'_>, effect: &str, principal: &str, context: &Map<String, Value>) -> Result<Value, Failure> {
    let resource = request.arn.as_ref().ok_or(Failure(Refusal::BadArn))?.whole_stage();
    let statement = json!({ "Action": "execute-api:Invoke", "Effect": effect, "Resource": resource });
    let document = json!({ "Version": "2012-10-17", "Statement": [statement] });
    Ok(json!({ "principalId": principal, "policyDocument": document, "context": context }))
}

/// Issuer, audience, tenant and times make a token invalid for us: the app may get another that is valid. Its scopes
/// and its client stay what they are.
fn meaning(why: Refusal) -> Meaning {
    match why {
        Refusal::Token(Rejection::Scope | Rejection::NoPatient | Rejection::Client) => Meaning::Forbidden,
        Refusal::Token(_) | Refusal::NoToken | Refusal::Inactive | Refusal::Contradicted => Meaning::Unauthorized,
        Refusal::MissingFields
        | Refusal::BadArn
        | Refusal::UnknownDatastore
        | Refusal::NoKeys
        | Refusal::NoIntrospection
        | Refusal::NotConfigured
        | Refusal::TooSlow
        | Refusal::Failed => Meaning::Unavailable,
    }
}

impl fmt::Display for Failure {
    /// `Unauthorized`, exactly, is what API Gateway makes a 401 of; anything else becomes a 500.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match meaning(self.0) {
            Meaning::Unauthorized => f.write_str("Unauthorized"),
            _ => self.0.fmt(f),
        }
    }
}

impl std::error::Error for Failure {}

/// What the FHIR server behind is told, as `$context.authorizer.scope` and so on. Times are text: API Gateway makes
/// text of every scalar, and does not say how it writes large numbers.
fn context(allowed: &Allowed) -> Map<String, Value> {
    let claims = &allowed.claims;
    let mut context = allowed.context.clone();
    let mut put = |name: &str, value: &str| context.insert(name.to_owned(), value.into());
    put("iss", &claims.issuer);
    put("sub", &claims.subject);
    put("scope", &claims.scope);
    put("exp", &claims.expires_at.to_string());
    for (name, value) in [("client_id", &claims.client), ("tenant", &claims.tenant), ("jti", &claims.id)] {
        if let Some(value) = value {
            put(name, value);
        }
    }
    context
}

/// The context beside a policy holds text, numbers and booleans only: lists and objects become JSON text.
fn scalar((name, value): (String, Value)) -> (String, Value) {
    match value {
        Value::Array(_) | Value::Object(_) => (name, value.to_string().into()),
        scalar => (name, scalar),
    }
}
