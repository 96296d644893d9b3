//! Cross-origin rules: apps in a browser, from anywhere, may call with a token of their own.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// `*` does not stand for `Authorization` in this list, so everything is named.
const HEADERS: &str = "Accept, Authorization, Cache-Control, Content-Type, If-None-Match, Prefer, \
                       X-Requested-With";

/// Answers preflight requests, and lets every origin read every response.
///
/// There are no cookies here and credentials are not allowed: what opens a record is the token
/// that the app itself holds.
pub async fn open_to_all(request: Request, next: Next) -> Response {
    let mut response = if request.method() == Method::OPTIONS { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let rules: [(HeaderName, &'static str); 5] = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, "ETag, WWW-Authenticate"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    for (name, value) in rules {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
