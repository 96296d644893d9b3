//! The validator over HTTP: `POST /validate` takes the event that HealthLake sends to its Lambda
//! function, and gives the answer that the function would give.
//!
//! It stands in this room because its callers authenticate as those of introspection do, and rooms
//! do not know one another. The decision is the validator's own; the server adds what it alone knows:
//! its keys, its FHIR bases as they are now, and whether the token still stands.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::client_auth::authenticate_by_header;
use crate::app::{App, stands};
use crate::audit::{Entry, Origin};
use crate::error::{NO_STORE, OAuthError};
use crate::key::Purpose;
use crate::params::read_body;
use crate::validate::{Decision, Event, Refusal, Refused};

/// 200 and the validator's JSON, whatever it decides. Only clients that are registered as resource
/// servers may ask: the answer says what is in a token.
pub(super) async fn validate(
    State(app): State<Arc<App>>,
    origin: Origin,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, OAuthError> {
    let client = authenticate_by_header(&app, &origin, &headers).await?;
    if !client.may_introspect {
        let entry = Entry::refused("token.validated").client(&client.id).detail("not a resource server");
        app.store.audit(&origin, entry).await?;
        let error = "only a client that is registered as a resource server may ask";
        return Err(OAuthError::new(StatusCode::FORBIDDEN, "unauthorized_client", error));
    }
    let body = read_body(request.into_body()).await?;
    let event: Value = serde_json::from_slice(&body).map_err(|_| OAuthError::invalid_request("the body is not JSON"))?;
    let decision = decide(&app, &origin, &event).await?;
    match &decision {
        Decision::Allow(allowed) if allowed.role.is_none() => {
            app.no_role.call_once(|| tracing::warn!("good tokens are refused at /validate, because `admit serve` has no --role-arn"));
        }
        Decision::Allow(_) => {}
        Decision::Refuse(refused) => tracing::debug!(reason = refused.why.code(), "a token was refused at /validate"),
    }
    let body = decision.to_json(app.validation.boolean_is_authorized).to_string();
    Ok((NO_STORE, [(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// The decision on one event.
///
/// # Errors
/// Where the server cannot find out; a token that is not good is an answer.
async fn decide(app: &App, origin: &Origin, event: &Value) -> Result<Decision, OAuthError> {
    let no = |why: Refusal| Ok(Decision::Refuse(why.into()));
    let event = match Event::read(event) {
        Ok(event) => event,
        Err(why) => return no(why),
    };
    let bases = app.fhir_bases(origin.now).await?;
    let keys = app.current_keys(origin.now).await?;
    let keys = keys.verifying(Purpose::Access).cloned().unwrap_or_default();
    let Some(validator) = app.validation.validator(&origin.tenant, &app.tenant.issuer, &bases, keys) else {
        return no(Refusal::UnknownDatastore);
    };
    match validator.decide_on(&event.datastore_endpoint, &event.bearer_token, origin.now, None).await {
        Decision::Allow(allowed) if !stands(&app.store, &origin.tenant, &allowed.claims.all).await? => {
            Ok(Decision::Refuse(Refused { why: Refusal::Inactive, claims: Some(Box::new(allowed.claims)) }))
        }
        decision => Ok(decision),
    }
}
