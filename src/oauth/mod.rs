//! The app's half: discovery, tokens, introspection, revocation, userinfo, and the validator over HTTP.

mod client_assertion;
mod client_auth;
mod client_credentials;
mod client_keys;
mod client_metadata;
mod code;
mod cors;
mod discovery;
mod introspect;
mod issue;
mod refresh;
mod register;
mod revoke;
mod token;
mod userinfo;
mod validate;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

pub use client_keys::{ClientKeys, KeyPolicy};
pub use discovery::Documents;

use crate::app::{App, bearer};

/// The endpoints that apps call.
pub fn router(app: &Arc<App>) -> Router<Arc<App>> {
    let called_by_apps = Router::new()
        .route("/token", post(token::token).options(cors::preflight))
        .route("/introspect", post(introspect::introspect).options(cors::preflight))
        .route("/revoke", post(revoke::revoke).options(cors::preflight))
        .route("/userinfo", get(userinfo::by_get).post(userinfo::by_post).options(cors::preflight))
        .route_layer(from_fn_with_state(Arc::clone(app), cors::registered_origins));
    // No browser has business with the validator: it gets no CORS headers.
    let called_by_servers = Router::new().route("/validate", post(validate::validate)).merge(register::router());
    Router::new().merge(discovery::router()).merge(called_by_apps).merge(called_by_servers)
}
