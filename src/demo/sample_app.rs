//! The sample app: a browser app that reads a record by a standalone launch.

use axum::Router;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

macro_rules! files {
    ($($name:literal: $kind:literal),* $(,)?) => {
        &[$(($name, $kind, include_str!(concat!("../../static/sample-app/", $name)))),*]
    };
}

const FILES: &[(&str, &str, &str)] = files!(
    "index.html": "text/html; charset=utf-8", "launch.html": "text/html; charset=utf-8", "callback.html": "text/html; charset=utf-8",
    "app.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml",
    "axis.js": "text/javascript", "callback.js": "text/javascript", "chart.js": "text/javascript", "config.js": "text/javascript",
    "date.js": "text/javascript", "developer.js": "text/javascript", "fhir.js": "text/javascript", "idtoken.js": "text/javascript",
    "launch.js": "text/javascript", "list.js": "text/javascript", "page.js": "text/javascript", "patient.js": "text/javascript",
    "problem.js": "text/javascript", "scope.js": "text/javascript", "session.js": "text/javascript", "smart.js": "text/javascript",
    "start.js": "text/javascript", "viewer.js": "text/javascript", "vital.js": "text/javascript",
);

const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src *; base-uri 'none'; \
                                       form-action 'none'; frame-ancestors 'none'";

/// The app's `client_id`.
pub const CLIENT_ID: &str = "vitals-viewer";
/// What it asks for.
pub const SCOPE: &str = "launch/patient openid fhirUser offline_access patient/Patient.rs patient/Observation.rs patient/Condition.rs patient/MedicationRequest.rs";

/// The app's files, and its settings.
pub fn router(fhir_base: &str) -> Router {
    let config = serde_json::json!({ "fhirBase": fhir_base, "clientId": CLIENT_ID, "scope": SCOPE, "synthetic": true }).to_string();
    let mut router = Router::new().route("/config.json", get(async move || file("application/json", config)));
    for (name, kind, text) in FILES {
        router = router.route(&format!("/{name}"), get(async || file(kind, *text)));
    }
    let (_, kind, index) = FILES[0];
    router.route("/", get(async move || file(kind, index)))
}

fn file(kind: &'static str, body: impl IntoResponse) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    (headers, body).into_response()
}
