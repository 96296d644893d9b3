//! The browser's half.
//!
//! ```text
//! GET|POST /authorize ─▶ request ─▶ dispatch ─▶ /login ─┐
//!                                     ▲  │  ─▶ /patient ─┤   each page records one fact
//!                                     │  │  ─▶ /encounter┤
//!                                     │  │  ─▶ /consent ─┤   and returns to dispatch
//!                                     └──┼───────────────┘
//!                                        └────▶ respond ─▶ 303 to the app
//! ```
//! `dispatch` alone decides where the browser goes next; steps never route to one another.

mod consent;
mod consent_choice;
mod cookie;
mod current;
mod dispatch;
mod emergency;
mod encounter;
mod login;
mod logout;
mod patient;
mod request;
mod respond;

use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::app::App;

/// The pages.
pub fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/authorize", get(request::by_get).post(request::by_post).head(by_head))
        .route("/login", get(login::show).post(login::submit).head(by_head))
        .route("/patient", get(patient::show).post(patient::submit).head(by_head))
        .route("/patient/emergency", get(emergency::show).post(emergency::submit).head(by_head))
        .route("/encounter", get(encounter::show).post(encounter::submit).head(by_head))
        .route("/consent", get(consent::show).post(consent::submit).head(by_head))
        .route("/logout", get(logout::show).post(logout::submit).head(by_head))
}

/// What GET does here, HEAD must not: it begins flows, learns facts and keeps sessions awake.
async fn by_head() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET,POST")]).into_response()
}
