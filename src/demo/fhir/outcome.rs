//! How the stand-in says no: always an OperationOutcome, never the token or a framework's words.

use std::borrow::Cow;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::reply;

/// Why a request was not answered.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    /// FHIR's IssueType.
    code: &'static str,
    says: Cow<'static, str>,
    header: Option<(HeaderName, &'static str)>,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, says: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, says: says.into(), header: None }
    }

    fn challenge(self, value: &'static str) -> Self {
        Self { header: Some((header::WWW_AUTHENTICATE, value)), ..self }
    }

    /// RFC 6750 §3.1: without a token there is no error to name.
    pub fn no_token() -> Self {
        let says = "this needs an access token: Authorization: Bearer …";
        Self::new(StatusCode::UNAUTHORIZED, "login", says).challenge("Bearer")
    }

    pub fn invalid_token(says: &'static str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "login", says).challenge(r#"Bearer error="invalid_token""#)
    }

    pub fn outside_the_scopes(says: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", says).challenge(r#"Bearer error="insufficient_scope""#)
    }

    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "there is no such resource")
    }

    pub fn not_offered() -> Self {
        let says = "this stand-in reads and searches resources, and nothing else: see /metadata";
        Self::new(StatusCode::NOT_FOUND, "not-supported", says)
    }

    pub fn read_only() -> Self {
        Self::no_method("this stand-in is read-only")
    }

    pub fn method_not_allowed() -> Self {
        Self::no_method("this can only be read")
    }

    fn no_method(says: &'static str) -> Self {
        let refusal = Self::new(StatusCode::METHOD_NOT_ALLOWED, "not-supported", says);
        Self { header: Some((header::ALLOW, "GET, HEAD, OPTIONS")), ..refusal }
    }

    pub fn only_json() -> Self {
        let says = "only application/fhir+json is spoken here";
        Self::new(StatusCode::NOT_ACCEPTABLE, "not-supported", says)
    }

    pub fn only_forms() -> Self {
        let says = "a search by POST is application/x-www-form-urlencoded";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-supported", says)
    }

    pub fn too_long() -> Self {
        let says = "the body is longer than 64 KiB, or broke off";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-long", says)
    }

    pub fn bad_parameter(says: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", says)
    }

    pub fn discovery_unavailable() -> Self {
        let says = "the authorization server has not said yet how it works";
        let refusal = Self::new(StatusCode::SERVICE_UNAVAILABLE, "transient", says);
        Self { header: Some((header::RETRY_AFTER, "2")), ..refusal }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({
            "resourceType": "OperationOutcome",
            "issue": [{ "severity": "error", "code": self.code, "diagnostics": self.says }],
        });
        let mut response = reply::fhir(self.status, &body);
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}
