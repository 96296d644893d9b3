//! The record system's half of an EHR launch: an EHR that says what it has open, and a page from which
//! a clinician opens apps where there is no EHR.
//!
//! ```text
//! POST /launch    ─▶ endpoint ─┐
//!                              ├─▶ begin ─▶ a launch ─▶ the app's launch URL, with iss and launch
//! GET /launch-pad ─▶ page ─────┘
//! ```

mod begin;
mod endpoint;
mod page;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;

/// The endpoint for EHRs, and the page for clinicians.
pub fn router() -> Router<Arc<App>> {
    Router::new().route("/launch", post(endpoint::launch)).route("/launch-pad", get(page::show).post(page::submit))
}
