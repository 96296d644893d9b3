//! What a token is good for (RFC 7662, SMART App Launch 2.2 "Token Introspection").

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::bearer::{INVALID_TOKEN, believed, of_header};
use super::client_auth::authenticate;
use super::issue::launch_context;
use crate::app::App;
use crate::audit::{Entry, Origin};
use crate::client::Client;
use crate::error::{NO_STORE, OAuthError};
use crate::grant::grant_of;
use crate::id::{ClientId, GrantId};
use crate::params::Params;
use crate::scope::{Scope, ScopeSet};
use crate::secret::RefreshToken;
use crate::token::AccessClaims;

/// Whatever is wrong with the token, the answer is the same and says nothing more.
pub(super) async fn introspect(
    State(app): State<Arc<App>>,
    origin: Origin,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, OAuthError> {
    let params = Params::from_body(request).await?;
    let client = caller(&app, &origin, &headers, &params).await?;
    let token = params.get("token")?.ok_or_else(|| OAuthError::invalid_request("token is missing"))?;
    let found = match believed(&app, &origin, token).await? {
        Some(claims) if may_see(&client, &claims) => Some(of_access_token(&app, &origin, claims).await?),
        Some(claims) => {
            let entry = Entry::refused("token.introspected").client(&client.id).jti(&claims.jti).detail("another client's token");
            app.store.audit(&origin, entry).await?;
            None
        }
        None => of_refresh_token(&app, &origin, &client, token).await?,
    };
    if found.is_some() {
        app.introspections.add(&client.id, 1);
    }
    let body = found.map_or_else(|| json!({ "active": false }), Value::Object).to_string();
    Ok((NO_STORE, [(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// Who asks: a client that authenticates as at the token endpoint, or one that presents a token of its own with
/// `__introspect` (SMART App Launch 2.2, "Token Introspection": any authorized client can, by a bearer token).
async fn caller(app: &App, origin: &Origin, headers: &HeaderMap, params: &Params) -> Result<Client, OAuthError> {
    let is_bearer = |value: &HeaderValue| value.as_bytes().get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer"));
    if !headers.get(header::AUTHORIZATION).is_some_and(is_bearer) {
        return authenticate(app, origin, headers, params).await;
    }
    for name in ["client_secret", "client_assertion", "client_assertion_type"] {
        if params.get(name)?.is_some() {
            return Err(OAuthError::invalid_request("the client authenticates in two ways at once"));
        }
    }
    let refused =
        || OAuthError::new(StatusCode::UNAUTHORIZED, "invalid_token", "the token is not good, or no longer").challenging(INVALID_TOKEN);
    let token = of_header(headers)?.ok_or_else(refused)?;
    let claims = believed(app, origin, &token).await?.ok_or_else(refused)?;
    let client = app.store.client(&origin.tenant, &ClientId::new(claims.client_id.clone())).await?.ok_or_else(refused)?;
    if params.get("client_id")?.is_some_and(|other| other != client.id.as_str()) {
        return Err(OAuthError::invalid_request("client_id is not the client that authenticates"));
    }
    // Its right may have been taken back since; and a token that a FHIR server has seen opens nothing here.
    let has_right = ScopeSet::parse(&claims.scope).is_ok_and(|scopes| scopes.has(&Scope::Introspect)) && client.may_introspect;
    if claims.aud == app.tenant.issuer && has_right {
        return Ok(client);
    }
    app.store.audit(origin, Entry::refused("token.introspected").client(&client.id).jti(&claims.jti).detail("no __introspect")).await?;
    let error = OAuthError::new(StatusCode::FORBIDDEN, "insufficient_scope", "the token was not given with the scope __introspect");
    Err(error.challenging(r#"Bearer error="insufficient_scope", scope="__introspect""#))
}

/// A client sees its own tokens; one that is registered as a resource server sees all of them.
fn may_see(client: &Client, claims: &AccessClaims) -> bool {
    client.may_introspect || claims.client_id == client.id.as_str()
}

/// What the token says, and what its token response said of an EHR launch.
async fn of_access_token(app: &App, origin: &Origin, claims: AccessClaims) -> Result<Map<String, Value>, OAuthError> {
    let mut answer = match grant_of(&claims.jti) {
        Some(id) => context_of(app, origin, &id).await?,
        None => Map::new(),
    };
    let tenant = claims.tenant_id.clone();
    if let Ok(Value::Object(members)) = serde_json::to_value(claims) {
        answer.extend(members);
    }
    answer.insert("active".to_owned(), Value::Bool(true));
    answer.insert("token_type".to_owned(), Value::from("Bearer"));
    answer.entry("tenant").or_insert_with(|| Value::from(tenant));
    Ok(answer)
}

async fn context_of(app: &App, origin: &Origin, id: &GrantId) -> Result<Map<String, Value>, OAuthError> {
    let Some(grant) = app.store.grant(&origin.tenant, id).await?.filter(|grant| grant.launch_context.is_some()) else {
        return Ok(Map::new());
    };
    match app.store.client(&origin.tenant, &grant.client_id).await? {
        Some(client) => launch_context(app, origin, &client, &grant).await,
        None => Ok(Map::new()),
    }
}

/// A refresh token is shown to its own client only.
async fn of_refresh_token(app: &App, origin: &Origin, client: &Client, token: &str) -> Result<Option<Map<String, Value>>, OAuthError> {
    let token = RefreshToken::presented(token);
    let Some((grant, expires_at)) = app.store.live_refresh_token(origin, &client.id, &token).await? else { return Ok(None) };
    let answer = json!({
        "active": true,
        "token_type": "refresh_token",
        "client_id": client.id,
        "scope": grant.scopes.to_string(),
        "sub": grant.user_id,
        "iss": app.tenant.issuer,
        "exp": expires_at.unix_timestamp(),
    });
    Ok(answer.as_object().cloned())
}
