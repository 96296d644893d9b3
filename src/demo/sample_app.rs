//! The sample apps: browser apps that read a record by a standalone launch or from an EHR, and the
//! page that leads to them. They share one origin and their modules; each has a folder of its own,
//! named by its `client_id`.

use axum::Router;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde_json::json;

use super::people::DemoPerson;

macro_rules! files {
    ($($name:literal: $kind:ident),* $(,)?) => {
        &[$(($name, $kind, include_str!(concat!("../../static/sample-app/", $name)))),*]
    };
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";
const JS: &str = "text/javascript";

const FILES: &[(&str, &str, &str)] = files!(
    "index.html": HTML, "policy.html": HTML, "app.css": CSS, "icon.svg": SVG,
    "attempt.js": JS, "axis.js": JS, "callback.js": JS, "chart.js": JS, "config.js": JS, "context.js": JS, "date.js": JS, "developer.js": JS,
    "fhir.js": JS, "hub.js": JS, "idtoken.js": JS, "launch.js": JS, "list.js": JS, "page.js": JS, "patient.js": JS, "problem.js": JS,
    "scope.js": JS, "session.js": JS, "smart.js": JS, "start.js": JS, "style.js": JS, "viewer.js": JS, "vital.js": JS,
    "vitals-viewer/index.html": HTML, "vitals-viewer/launch.html": HTML, "vitals-viewer/callback.html": HTML, "vitals-viewer/icon.svg": SVG,
    "health-diary/index.html": HTML, "health-diary/callback.html": HTML, "health-diary/icon.svg": SVG,
    "lab-results/index.html": HTML, "lab-results/callback.html": HTML, "lab-results/icon.svg": SVG,
);

const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src *; base-uri 'none'; \
                                       form-action 'none'; frame-ancestors 'none'";

/// One of the apps.
pub struct SampleApp {
    /// Its `client_id`, and the folder in which its pages are.
    pub id: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// What it asks for. In an EHR launch it says `launch` instead of `launch/patient`.
    pub scope: &'static str,
}

/// The clinicians' app, which an EHR can open too.
pub const VIEWER: SampleApp = SampleApp {
    id: "vitals-viewer",
    name: "Vitals viewer",
    scope: "launch/patient openid fhirUser offline_access patient/Patient.rs patient/Encounter.rs patient/Observation.rs patient/Condition.rs \
            patient/MedicationRequest.rs",
};
/// The patients' app: it asks for whole types, which people can share in part.
pub const DIARY: SampleApp = SampleApp {
    id: "health-diary",
    name: "Health diary",
    scope: "launch/patient openid fhirUser offline_access patient/Patient.rs patient/Condition.rs patient/Observation.rs patient/Immunization.rs",
};
/// The app that asks for part of a type.
pub const RESULTS: SampleApp = SampleApp {
    id: "lab-results",
    name: "Lab results",
    scope: "launch/patient openid fhirUser patient/Patient.rs \
            patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
};

/// The apps' files, and what each of them is told; `people` and `password` are for the first page.
pub fn router(issuer: &str, fhir_base: &str, people: &[DemoPerson], password: &str) -> Router {
    let people: Vec<_> =
        people.iter().map(|person| json!({ "username": person.username, "kind": person.kind.as_str(), "note": person.note })).collect();
    let mut router = with_config(Router::new(), "", &json!({ "issuer": issuer, "password": password, "people": people }));
    for app in [VIEWER, DIARY, RESULTS] {
        let config = json!({ "fhirBase": fhir_base, "clientId": app.id, "scope": app.scope, "synthetic": true });
        router = with_config(router, &format!("/{}", app.id), &config);
        router = router.route(&format!("/{}", app.id), get(async move || Redirect::permanent(&format!("/{}/", app.id))));
    }
    for (name, kind, text) in FILES {
        router = router.route(&format!("/{name}"), get(async || file(kind, *text)));
        if let Some(folder) = name.strip_suffix("index.html") {
            router = router.route(&format!("/{folder}"), get(async || file(kind, *text)));
        }
    }
    router
}

fn with_config(router: Router, folder: &str, config: &serde_json::Value) -> Router {
    let config = config.to_string();
    router.route(&format!("{folder}/config.json"), get(async move || file("application/json", config)))
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
