//! The router as apps meet it. The validator is a closure here: its contract is the boundary
//! that these tests stand on.

mod compartment;
mod edge;
mod gate;
mod query_scope;
mod search;

use std::sync::{Arc, LazyLock, Mutex};

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;
use tower::ServiceExt;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-11-20 12:00 UTC);
const BASE: &str = "http://localhost:8081/fhir";
const ENDPOINT: &str = "http://localhost:8081/datastore/demo/r4/";
const DISCOVERY: &str = r#"{
    "issuer": "http://127.0.0.1:8080",
    "authorization_endpoint": "http://127.0.0.1:8080/authorize",
    "token_endpoint": "http://127.0.0.1:8080/token",
    "introspection_endpoint": "http://127.0.0.1:8080/introspect",
    "management_endpoint": "http://127.0.0.1:8080/account/apps"
}"#;
const TOKEN: &str = "eyJ.secret.token";

static WORLD: LazyLock<Arc<World>> = LazyLock::new(|| Arc::new(World::generate(NOW.date())));

/// A stand-in whose validator always answers the same.
struct Server {
    router: Router,
    /// The events that the validator was sent.
    events: Arc<Mutex<Vec<Value>>>,
}

/// What came back.
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// The ids of a Bundle's resources.
    fn ids(&self) -> Vec<String> {
        let bundle = self.json();
        let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
        let id = |entry: &Value| entry["resource"]["id"].as_str().unwrap().to_owned();
        entries.iter().map(id).collect()
    }

    /// The part of a link behind `/fhir`.
    fn link(&self, relation: &str) -> Option<String> {
        let bundle = self.json();
        let links = bundle["link"].as_array()?;
        let link = links.iter().find(|link| link["relation"] == relation)?;
        Some(link["url"].as_str()?.strip_prefix(BASE)?.to_owned())
    }
}

/// A validator's "yes" for these scopes, with these claims.
#[expect(clippy::needless_pass_by_value, reason = "reads better at its many calls")]
fn yes(scope: &str, claims: Value) -> Value {
    let now = NOW.unix_timestamp();
    let mut answer = json!({
        "authPayload": {
            "iss": "http://127.0.0.1:8080",
            "aud": ENDPOINT,
            "iat": now - 10, "nbf": now - 10, "exp": now + 300,
            "isAuthorized": "true",
            "scope": scope,
        },
        "iamRoleARN": "arn:aws:iam::123456789012:role/demo",
    });
    for (name, claim) in claims.as_object().unwrap() {
        answer["authPayload"][name] = claim.clone();
    }
    answer
}

/// For an app in the context of one patient.
fn with_patient(scope: &str, patient: &str) -> Server {
    Server::answering(yes(scope, json!({ "patient": patient })))
}

/// For an app of somebody who signed in.
fn with_user(scope: &str, user: &str) -> Server {
    Server::answering(yes(scope, json!({ "fhirUser": format!("{ENDPOINT}{user}") })))
}

/// For a program without a person.
fn with_system(scope: &str) -> Server {
    Server::answering(yes(scope, json!({})))
}

impl Server {
    fn answering(answer: Value) -> Self {
        Self::with_discovery(answer, Some(DISCOVERY.into()))
    }

    fn with_discovery(answer: Value, discovery: Option<Vec<u8>>) -> Self {
        let events = Arc::new(Mutex::new(Vec::new()));
        let seen = events.clone();
        let router = router(StandIn {
            world: WORLD.clone(),
            base: BASE.into(),
            datastore_endpoint: ENDPOINT.into(),
            smart_configuration: Arc::new(move || {
                let bytes = discovery.clone();
                Box::pin(async move { bytes })
            }),
            ask_validator: Arc::new(move |event| {
                seen.lock().unwrap().push(event);
                let answer = answer.clone();
                Box::pin(async move { answer })
            }),
            clock: Arc::new(|| NOW),
        });
        Self { router, events }
    }

    async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let text = String::from_utf8(to_bytes(body, 8 << 20).await.unwrap().to_vec()).unwrap();
        assert!(!text.contains(TOKEN), "the token is in the answer");
        Reply { status: head.status, headers: head.headers, text }
    }

    /// `path` is what follows `/fhir`.
    async fn request(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Reply {
        let mut request = Request::builder().method(method).uri(format!("/fhir{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn get(&self, path: &str) -> Reply {
        self.get_with(path, &[]).await
    }

    async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        let bearer = format!("Bearer {TOKEN}");
        let headers = [&[("authorization", bearer.as_str())], headers].concat();
        self.request(Method::GET, path, &headers).await
    }

    async fn post(&self, path: &str, body: impl Into<Body>) -> Reply {
        let request = Request::post(format!("/fhir{path}"))
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(body.into()).unwrap()).await
    }

    async fn offer(&self, method: Method, path: &str, resource: &Value) -> Reply {
        let request = Request::builder()
            .method(method)
            .uri(format!("/fhir{path}"))
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", "application/fhir+json");
        self.send(request.body(resource.to_string().into()).unwrap()).await
    }
}

/// A refusal is an OperationOutcome with its status, whatever went wrong.
fn assert_refused(reply: &Reply, status: StatusCode) {
    assert_eq!(reply.status, status, "{}", reply.text);
    assert_eq!(reply.header("content-type"), "application/fhir+json");
    assert_eq!(reply.json()["resourceType"], "OperationOutcome");
    assert_eq!(reply.header("access-control-allow-origin"), "*");
}
