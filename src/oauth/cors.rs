//! Which web origins may read what (SMART App Launch 2.2, "Considerations for Cross-Origin Resource
//! Sharing"). Documents without secrets: everybody. The endpoints for apps: the origins of registered
//! clients, echoed rather than `*`, because some client libraries once sent cookies along, and a
//! browser refuses that together with `*`. Pages: nobody. Credentials are allowed nowhere.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::app::App;

/// A browser asks before it sends. The headers are the layers', which see only methods that a
/// route has: without this, the answer would be a bare 405, and no app could send `Authorization`.
pub(super) async fn preflight() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Lets every origin read every answer, refusals as well.
pub(super) async fn any_origin(request: Request, next: Next) -> Response {
    let is_preflight = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if is_preflight {
        allow(headers, "GET", "3600");
    }
    response
}

/// Lets the origins of registered clients read every answer.
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
            allow(headers, "GET, POST", "600");
        } else {
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("www-authenticate"));
        }
    }
    response
}

/// What a preflight is told: the methods, and for how many seconds that holds.
fn allow(headers: &mut HeaderMap, methods: &'static str, seconds: &'static str) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization, content-type, accept"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(seconds));
}
