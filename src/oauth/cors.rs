//! Which web origins may call the endpoints for apps: those of registered clients, without
//! credentials. The origin is echoed rather than `*`, because some client libraries once sent
//! cookies along, and a browser refuses that together with `*`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::app::App;

/// A browser asks before it sends. The headers are the layer's, which sees only methods that a
/// route has: without this, the answer would be a bare 405, and no app could send `Authorization`.
pub(super) async fn preflight() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Adds the headers to every answer.
pub(super) async fn registered_origins(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let is_preflight = request.method() == Method::OPTIONS;
    let may = match origin.as_ref().and_then(|origin| origin.to_str().ok()) {
        // `null` is the origin of sandboxed frames and files: nobody's in particular.
        None | Some("null") => false,
        Some(origin) => app.store.is_client_origin(&app.tenant.id, origin).await.unwrap_or(false),
    };
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin.filter(|_| may) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if is_preflight {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization, content-type, accept"));
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        } else {
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("www-authenticate"));
        }
    }
    response
}
