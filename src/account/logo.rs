//! `/client-logo/…`: the pictures by which people know their apps.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::audit::Origin;
use crate::error::PageError;

/// The address has the picture's digest in it, and so it never changes.
pub(super) async fn show(State(app): State<Arc<App>>, origin: Origin, Path(digest): Path<String>) -> Result<Response, PageError> {
    // A NUL in it would be an error of PostgreSQL's.
    let digest = Some(digest).filter(|digest| !digest.contains('\0')).ok_or_else(PageError::not_found)?;
    let logo = app.store.logo(&origin.tenant, &digest).await?.ok_or_else(PageError::not_found)?;
    let headers = [(header::CONTENT_TYPE, logo.kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable".to_owned())];
    Ok((headers, logo.data).into_response())
}
