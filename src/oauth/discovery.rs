//! What there is to know about this server before the first request to it.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use crate::app::App;
use crate::audit::Origin;
use crate::client::{ClientAuth, GrantType};
use crate::error::OAuthError;
use crate::secret::Digest;

/// The documents that follow from the issuer alone, written once.
pub struct Documents {
    smart: Document,
    openid: Document,
}

struct Document {
    body: Bytes,
    etag: HeaderValue,
}

/// Verifiers may keep the key set for five minutes: a new key is published longer than that before
/// it signs.
const CACHING: HeaderValue = HeaderValue::from_static("public, max-age=300, stale-if-error=86400");

impl Document {
    fn new(body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let digest = Digest::of(&String::from_utf8_lossy(&body));
        Self::named(body, digest.as_str())
    }

    /// One whose digest is known already.
    fn named(body: Bytes, digest: &str) -> Self {
        let etag = HeaderValue::from_str(&format!("\"{digest}\"")).unwrap_or(HeaderValue::from_static("\"\""));
        Self { body, etag }
    }

    /// The document, or 304 for those who have it. Any origin may read it; `Accept` is not looked
    /// at (SMART App Launch 2.2, "Using .well-known").
    fn answer(&self, asked: &HeaderMap) -> Response {
        let is_known = asked.get(header::IF_NONE_MATCH).is_some_and(|known| known == self.etag);
        let (status, body) = if is_known { (StatusCode::NOT_MODIFIED, Bytes::new()) } else { (StatusCode::OK, self.body.clone()) };
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (header::CACHE_CONTROL, CACHING),
            (header::ETAG, self.etag.clone()),
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        ];
        (status, headers, body).into_response()
    }
}

impl Documents {
    /// For this issuer.
    #[must_use]
    pub fn new(issuer: &str) -> Self {
        Self { smart: Document::new(smart(issuer).to_string()), openid: Document::new(openid(issuer).to_string()) }
    }
}

fn auth_methods(all: &[ClientAuth]) -> Vec<&'static str> {
    all.iter().map(|method| method.as_str()).collect()
}

/// SMART App Launch 2.2, "Conformance": only what is there is claimed.
fn smart(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "introspection_endpoint": format!("{issuer}/introspect"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "grant_types_supported": GrantType::ALL.iter().map(|grant| grant.as_str()).collect::<Vec<_>>(),
        "response_types_supported": ["code"],
        "token_endpoint_auth_methods_supported": auth_methods(ClientAuth::ALL),
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": [
            "openid", "fhirUser", "profile", "launch/patient", "offline_access", "online_access",
            "patient/*.rs", "patient/*.cruds", "patient/*.read", "patient/*.*",
            "user/*.rs", "user/*.cruds", "user/*.read", "user/*.*",
            "system/*.rs", "system/*.cruds", "system/*.read", "system/*.*",
        ],
        "capabilities": [
            "launch-standalone", "authorize-post", "client-public", "client-confidential-symmetric", "sso-openid-connect",
            "context-standalone-patient", "permission-offline", "permission-patient", "permission-user", "permission-v1",
        ],
        "authorization_response_iss_parameter_supported": true,
    })
}

/// OpenID Connect Discovery §3 and RFC 8414 §2.
fn openid(issuer: &str) -> Value {
    let mut document = smart(issuer);
    let more = json!({
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "end_session_endpoint": format!("{issuer}/logout"),
        "response_modes_supported": ["query", "form_post"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256", "ES384"],
        "introspection_endpoint_auth_methods_supported": auth_methods(ClientAuth::ALL),
        "revocation_endpoint_auth_methods_supported": auth_methods(ClientAuth::ALL),
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid", "amr", "name", "fhirUser", "profile"],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    });
    if let (Value::Object(document), Value::Object(more)) = (&mut document, more) {
        document.extend(more);
        document.remove("capabilities");
    }
    document
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/.well-known/smart-configuration", get(smart_configuration).options(preflight))
        .route("/.well-known/openid-configuration", get(openid_configuration).options(preflight))
        .route("/.well-known/oauth-authorization-server", get(openid_configuration).options(preflight))
        .route("/.well-known/jwks.json", get(jwks).options(preflight))
        .route("/fhir-bases/{name}/.well-known/smart-configuration", get(of_fhir_base).options(preflight))
}

async fn smart_configuration(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    app.documents.smart.answer(&headers)
}

async fn openid_configuration(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    app.documents.openid.answer(&headers)
}

/// The document of a FHIR base, for a gateway in front of it to pass on.
async fn of_fhir_base(State(app): State<Arc<App>>, Path(name): Path<String>, headers: HeaderMap) -> Result<Response, OAuthError> {
    let bases = app.store.fhir_bases(&app.tenant.id).await?;
    if bases.iter().any(|base| base.name == name) {
        Ok(app.documents.smart.answer(&headers))
    } else {
        Err(OAuthError::new(StatusCode::NOT_FOUND, "not_found", "there is no FHIR base of this name"))
    }
}

async fn jwks(State(app): State<Arc<App>>, origin: Origin, headers: HeaderMap) -> Result<Response, OAuthError> {
    let keys = app.keys.current(&app.store, origin.now).await.map_err(OAuthError::server_error)?;
    Ok(Document::named(Bytes::copy_from_slice(keys.document.as_bytes()), &keys.digest).answer(&headers))
}

/// Anybody may ask, from anywhere, without credentials.
async fn preflight() -> impl IntoResponse {
    (
        StatusCode::NO_CONTENT,
        [
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            (header::ACCESS_CONTROL_ALLOW_METHODS, "GET"),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, "accept, content-type, authorization"),
            (header::ACCESS_CONTROL_MAX_AGE, "3600"),
        ],
    )
}
