//! What there is to know about this server before the first request to it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::cors;
use crate::app::App;
use crate::audit::Origin;
use crate::error::OAuthError;
use crate::metadata::Metadata;
use crate::secret::Digest;
use crate::tenant::FhirBase;

/// The documents, written anew when a FHIR base has changed and not when they are asked for.
pub struct Documents {
    metadata: Metadata,
    written: RwLock<Arc<Written>>,
}

/// The documents for some FHIR bases.
struct Written {
    bases: Arc<[FhirBase]>,
    smart: Document,
    openid: Document,
    of_base: HashMap<String, Document>,
}

struct Document {
    body: Bytes,
    etag: HeaderValue,
}

/// Verifiers may keep the key set for five minutes: a new key is published longer than that before
/// it signs.
const CACHING: HeaderValue = HeaderValue::from_static("public, max-age=300, stale-if-error=86400");

/// How long a document waits for the database before what is known goes out: everybody else starts with these.
const PATIENCE: Duration = Duration::from_millis(25);

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

    /// The document, or 304 for those who have it. `Accept` is not looked at (SMART App Launch 2.2,
    /// "Using .well-known").
    fn answer(&self, asked: &HeaderMap) -> Response {
        let is_known = asked.get(header::IF_NONE_MATCH).is_some_and(|known| known == self.etag);
        let (status, body) = if is_known { (StatusCode::NOT_MODIFIED, Bytes::new()) } else { (StatusCode::OK, self.body.clone()) };
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (header::CACHE_CONTROL, CACHING),
            (header::ETAG, self.etag.clone()),
        ];
        (status, headers, body).into_response()
    }
}

impl Written {
    fn new(metadata: &Metadata, bases: Arc<[FhirBase]>) -> Self {
        let of_base = |base: &FhirBase| (base.name.clone(), Document::new(metadata.smart(std::slice::from_ref(base)).to_string()));
        Self {
            smart: Document::new(metadata.smart(&bases).to_string()),
            openid: Document::new(metadata.openid(&bases).to_string()),
            of_base: bases.iter().map(of_base).collect(),
            bases,
        }
    }
}

impl Documents {
    /// For the FHIR bases as they are now.
    #[must_use]
    pub fn new(metadata: Metadata, bases: Vec<FhirBase>) -> Self {
        let written = RwLock::new(Arc::new(Written::new(&metadata, bases.into())));
        Self { metadata, written }
    }

    /// The documents as they are now, or while the database takes its time as they were: the last ones are good enough.
    async fn current(&self, app: &App, origin: &Origin) -> Arc<Written> {
        let written = Arc::clone(&self.written.read().unwrap_or_else(PoisonError::into_inner));
        match app.clock.within(PATIENCE, app.store.known_fhir_bases(&app.tenant.id, origin.now)).await {
            Some(Ok(bases)) if bases != written.bases => {
                let written = Arc::new(Written::new(&self.metadata, bases));
                *self.written.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&written);
                written
            }
            _ => written,
        }
    }
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/.well-known/smart-configuration", get(smart_configuration).options(cors::preflight))
        .route("/.well-known/openid-configuration", get(openid_configuration).options(cors::preflight))
        .route("/.well-known/oauth-authorization-server", get(openid_configuration).options(cors::preflight))
        .route("/.well-known/jwks.json", get(jwks).options(cors::preflight))
        .route("/fhir-bases/{name}/.well-known/smart-configuration", get(of_fhir_base).options(cors::preflight))
        .route_layer(from_fn(cors::any_origin))
}

async fn smart_configuration(State(app): State<Arc<App>>, origin: Origin, headers: HeaderMap) -> Response {
    app.documents.current(&app, &origin).await.smart.answer(&headers)
}

async fn openid_configuration(State(app): State<Arc<App>>, origin: Origin, headers: HeaderMap) -> Response {
    app.documents.current(&app, &origin).await.openid.answer(&headers)
}

/// The document of a FHIR base, for a gateway in front of it to pass on.
async fn of_fhir_base(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    origin: Origin,
    headers: HeaderMap,
) -> Result<Response, OAuthError> {
    let written = app.documents.current(&app, &origin).await;
    let document = written.of_base.get(&name);
    let document = document.ok_or_else(|| OAuthError::new(StatusCode::NOT_FOUND, "not_found", "there is no FHIR base of this name"))?;
    Ok(document.answer(&headers))
}

async fn jwks(State(app): State<Arc<App>>, origin: Origin, headers: HeaderMap) -> Result<Response, OAuthError> {
    let keys = app.keys_within(PATIENCE, origin.now).await?;
    Ok(Document::named(Bytes::copy_from_slice(keys.document.as_bytes()), &keys.digest).answer(&headers))
}
