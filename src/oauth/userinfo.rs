//! Who the user is (OpenID Connect Core §5.3).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::bearer::{INVALID_TOKEN, believed, none, of_header};
use crate::app::App;
use crate::audit::Origin;
use crate::error::{NO_STORE, OAuthError};
use crate::id::UserId;
use crate::params::Params;
use crate::scope::{Scope, ScopeSet};

/// The token in the header.
pub(super) async fn by_get(State(app): State<Arc<App>>, origin: Origin, headers: HeaderMap) -> Result<Response, OAuthError> {
    let token = of_header(&headers)?.ok_or_else(none)?;
    answer(&app, &origin, &token).await
}

/// The token in the header or in the form, and not in both.
pub(super) async fn by_post(
    State(app): State<Arc<App>>,
    origin: Origin,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, OAuthError> {
    let in_header = of_header(&headers)?;
    let has_form = headers.contains_key(header::CONTENT_TYPE);
    let params = if has_form { Params::from_body(request).await? } else { Params::default() };
    let token = match (in_header, params.get("access_token")?) {
        (Some(_), Some(_)) => {
            return Err(OAuthError::invalid_request("the token was sent twice").challenging(r#"Bearer error="invalid_request""#));
        }
        (Some(token), None) => token,
        (None, Some(token)) => token.to_owned(),
        (None, None) => return Err(none()),
    };
    answer(&app, &origin, &token).await
}

async fn answer(app: &App, origin: &Origin, token: &str) -> Result<Response, OAuthError> {
    let refused =
        || OAuthError::new(StatusCode::UNAUTHORIZED, "invalid_token", "the token is not good, or no longer").challenging(INVALID_TOKEN);
    let claims = believed(app, origin, token).await?.ok_or_else(refused)?;
    let scopes = ScopeSet::parse(&claims.scope).unwrap_or_default();
    if !scopes.has(&Scope::OpenId) {
        let error = OAuthError::new(StatusCode::FORBIDDEN, "insufficient_scope", "the token was not given with the scope openid");
        return Err(error.challenging(r#"Bearer error="insufficient_scope", scope="openid""#));
    }
    let user = app.store.user(&origin.tenant, &UserId::new(claims.sub.clone())).await?.ok_or_else(refused)?;
    let mut info = Map::new();
    info.insert("sub".to_owned(), Value::from(claims.sub));
    if scopes.has(&Scope::Profile) {
        info.insert("name".to_owned(), Value::from(user.display_name));
    }
    if let Some(fhir_user) = claims.fhir_user.filter(|_| scopes.has(&Scope::FhirUser)) {
        if scopes.has(&Scope::Profile) {
            info.insert("profile".to_owned(), Value::from(fhir_user.clone()));
        }
        info.insert("fhirUser".to_owned(), Value::from(fhir_user));
    }
    Ok((NO_STORE, [(header::CONTENT_TYPE, "application/json")], Value::Object(info).to_string()).into_response())
}
