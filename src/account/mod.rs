//! The person's own pages.

mod apps;
mod logo;

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use crate::app::App;

/// The pages, and the pictures by which people know their apps.
pub fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/account", get(|| async { Redirect::to("/account/apps") }).head(by_head))
        .route("/account/apps", get(apps::show).post(apps::remove).head(by_head))
        .route("/client-logo/{digest}", get(logo::show))
}

/// What GET does here, HEAD must not: it keeps sessions awake.
async fn by_head() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET,POST")]).into_response()
}

/// A page that no other window may hold on to.
fn alone(mut response: Response) -> Response {
    let name = HeaderName::from_static("cross-origin-opener-policy");
    response.headers_mut().insert(name, HeaderValue::from_static("same-origin"));
    response
}
