//! FHIR JSON as a response.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

pub const FHIR_JSON: &str = "application/fhir+json";

/// A response with a FHIR resource, which nobody on the way may keep.
pub fn fhir(status: StatusCode, body: &Value) -> Response {
    let headers = [(header::CONTENT_TYPE, FHIR_JSON), (header::CACHE_CONTROL, "no-store")];
    (status, headers, body.to_string()).into_response()
}

/// One resource that was read, with its version.
pub fn resource(resource: &Value) -> Response {
    let mut response = fhir(StatusCode::OK, resource);
    // Nothing is ever changed here: there is one version of everything.
    response.headers_mut().insert(header::ETAG, HeaderValue::from_static(r#"W/"1""#));
    response
}
