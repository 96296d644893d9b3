//! Apps that register themselves (RFC 7591), and manage their registration (RFC 7592).
//!
//! Off unless it is switched on; and then only for who holds an initial access token, which an administrator made for so
//! many apps. An app that registered itself gets nothing until an administrator has approved it: no token, no sign-in page, no
//! redirect, not even with an error. What it changes later has to be approved again.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Map, Value};

use super::bearer::{INVALID_TOKEN, none, of_header};
use super::client_metadata::{describe, invalid, read};
use crate::app::App;
use crate::audit::{Entry, Origin};
use crate::client::{Client, ClientAuth};
use crate::error::{NO_STORE, OAuthError};
use crate::id::ClientId;
use crate::key::Purpose;
use crate::params::read_body;
use crate::secret::{ClientSecret, InitialAccessToken, RegistrationAccessToken, unique_id};
use crate::store::{NewClient, SelfRegistered};
use crate::token::json;

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route("/register", post(register)).route("/register/{client_id}", get(show).put(replace).delete(withdraw))
}

async fn register(State(app): State<Arc<App>>, origin: Origin, headers: HeaderMap, request: Request) -> Result<Response, OAuthError> {
    must_be_open(&app)?;
    let token = InitialAccessToken::presented(&of_header(&headers)?.ok_or_else(none)?).digest();
    if !app.store.registration_token_is_good(&origin, &token).await? {
        app.store.audit(&origin, Entry::refused("client.registered").detail("initial access token")).await?;
        return Err(not_good());
    }
    let nobody = Client { awaits_approval: true, ..Client::new(ClientId::new(unique_id(origin.now)), "", ClientAuth::None, origin.now) };
    let client = read(&metadata(request).await?, nobody)?;
    let secret = client.has_secret().then(ClientSecret::generate);
    let management = RegistrationAccessToken::generate();
    let new = NewClient { client: client.clone(), secret: secret.as_ref().map(ClientSecret::digest) };
    if !app.store.register_client(&origin, &token, SelfRegistered { new, management: management.digest() }).await? {
        return Err(not_good());
    }
    ensure_key(&app, &origin, &client).await?;
    let mut members = describe(&client);
    if let Some(secret) = secret {
        members.insert("client_secret".to_owned(), secret.expose().into());
        members.insert("client_secret_expires_at".to_owned(), 0.into());
    }
    Ok(answer(&app, StatusCode::CREATED, &client, members, &management))
}

async fn show(State(app): State<Arc<App>>, origin: Origin, Path(id): Path<String>, headers: HeaderMap) -> Result<Response, OAuthError> {
    let (client, management) = managed(&app, &origin, &headers, id).await?;
    Ok(answer(&app, StatusCode::OK, &client, describe(&client), &management))
}

/// RFC 7592 §2.2: what is not said is taken back.
async fn replace(
    State(app): State<Arc<App>>,
    origin: Origin,
    Path(id): Path<String>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, OAuthError> {
    let (before, management) = managed(&app, &origin, &headers, id).await?;
    let (metadata, auth) = (metadata(request).await?, before.auth);
    if metadata.get("client_id").and_then(Value::as_str) != Some(before.id.as_str()) {
        return Err(invalid("client_id must be there, and be the client's own"));
    }
    if let Some(secret) = metadata.get("client_secret") {
        let secret = ClientSecret::presented(secret.as_str().unwrap_or_default()).digest();
        let found = app.store.client_with_secret(&origin.tenant, &before.id, &secret, origin.now).await?;
        if !found.is_some_and(|(_, is_right)| is_right) {
            return Err(invalid("client_secret is not the client's own; it is ours to choose"));
        }
    }
    let client = Client { awaits_approval: true, is_verified: false, ..read(&metadata, before)? };
    if client.auth != auth {
        return Err(invalid("token_endpoint_auth_method cannot be changed: register another client"));
    }
    if !app.store.update_registration(&origin, client.clone()).await? {
        return Err(not_good());
    }
    ensure_key(&app, &origin, &client).await?;
    Ok(answer(&app, StatusCode::OK, &client, describe(&client), &management))
}

async fn withdraw(State(app): State<Arc<App>>, origin: Origin, Path(id): Path<String>, headers: HeaderMap) -> Result<Response, OAuthError> {
    let (client, _) = managed(&app, &origin, &headers, id).await?;
    app.store.delete_client(&origin, &client.id).await?;
    Ok((StatusCode::NO_CONTENT, NO_STORE).into_response())
}

/// The client of a registration, for who holds the token that manages it.
async fn managed(app: &App, origin: &Origin, headers: &HeaderMap, id: String) -> Result<(Client, RegistrationAccessToken), OAuthError> {
    must_be_open(app)?;
    let token = RegistrationAccessToken::presented(&of_header(headers)?.ok_or_else(none)?);
    let id = ClientId::new(id);
    if !id.as_str().contains('\0') && app.store.manages_registration(&origin.tenant, &id, &token.digest()).await? {
        let client = app.store.client(&origin.tenant, &id).await?;
        if let Some(client) = client.filter(|client| client.disabled_at.is_none()) {
            return Ok((client, token));
        }
    }
    app.store.audit(origin, Entry::refused("client.managed").detail("registration access token")).await?;
    Err(not_good())
}

/// The keys for its ID tokens are made before anybody signs in to it.
async fn ensure_key(app: &App, origin: &Origin, client: &Client) -> Result<(), OAuthError> {
    app.keys.ensure(&app.store, origin, Purpose::Id, client.id_token_alg).await.map_err(OAuthError::server_error)
}

fn must_be_open(app: &App) -> Result<(), OAuthError> {
    let closed = || OAuthError::new(StatusCode::NOT_FOUND, "not_found", "apps cannot register themselves here");
    app.is_open_to_registration.then_some(()).ok_or_else(closed)
}

/// The body: one JSON object.
async fn metadata(request: Request) -> Result<Map<String, Value>, OAuthError> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
        return Err(OAuthError::invalid_request("the body must be application/json"));
    }
    let body = read_body(request.into_body()).await?;
    json::object(&body).ok_or_else(|| invalid("the body is not a JSON object, or a name stands in it twice"))
}

/// Unknown, used up, expired, another client's: who asks is not told which.
fn not_good() -> OAuthError {
    OAuthError::new(StatusCode::UNAUTHORIZED, "invalid_token", "the token is not good, or no longer").challenging(INVALID_TOKEN)
}

/// RFC 7592 §3: what is registered, and with what and where it is managed.
fn answer(
    app: &App,
    status: StatusCode,
    client: &Client,
    mut members: Map<String, Value>,
    management: &RegistrationAccessToken,
) -> Response {
    members.insert("registration_access_token".to_owned(), management.expose().into());
    members.insert("registration_client_uri".to_owned(), format!("{}/register/{}", app.tenant.issuer, client.id).into());
    (status, NO_STORE, [(header::CONTENT_TYPE, "application/json")], Value::Object(members).to_string()).into_response()
}
