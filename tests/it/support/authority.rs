//! An introspection endpoint on loopback that remembers what it was asked, and can fail in many ways.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use admit::listener::{self, Handle, RustlsConfig};
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::TestApp;

/// How it answers.
#[derive(Clone, Debug)]
pub enum Saying {
    /// With this, as RFC 7662 §2.2 has it.
    Json(Value),
    /// With this status, type and body.
    Text(u16, &'static str, String),
    /// With the first, but after a while.
    After(Duration, Value),
    /// Takes the question and never answers.
    Nothing,
    /// More than anybody reads.
    Endless,
    Redirect(String),
}

/// One question.
#[derive(Clone, Debug)]
pub struct Question {
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
    pub form: BTreeMap<String, String>,
}

impl Question {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("ASCII"))
    }
}

pub struct Authority {
    origin: String,
    questions: Arc<Mutex<Vec<Question>>>,
    saying: Arc<Mutex<Saying>>,
}

impl Authority {
    pub async fn start(saying: Saying) -> Self {
        Self::start_on(saying, None).await
    }

    /// The same over TLS, under the name `localhost`.
    pub async fn start_on(saying: Saying, tls: Option<RustlsConfig>) -> Self {
        let (questions, saying) = (Arc::new(Mutex::new(vec![])), Arc::new(Mutex::new(saying)));
        let (asked, current) = (Arc::clone(&questions), Arc::clone(&saying));
        let answer = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let form = url::form_urlencoded::parse(&body).into_owned().collect();
            asked.lock().expect("the questions").push(Question { method, path: uri.path().to_owned(), headers, form });
            let saying = current.lock().expect("the saying").clone();
            respond(saying)
        };
        let origin = serve(Router::new().fallback(answer), tls).await;
        Self { origin, questions, saying }
    }

    /// That this token stands, for whoever asks.
    pub async fn vouching(claims: &Value) -> Self {
        Self::start(Saying::active(claims)).await
    }

    pub fn endpoint(&self) -> String {
        format!("{}/introspect", self.origin)
    }

    /// What it was asked since it was last looked at.
    pub fn questions(&self) -> Vec<Question> {
        std::mem::take(&mut *self.questions.lock().expect("the questions"))
    }

    /// How often it was asked since it was last looked at.
    pub fn asked(&self) -> usize {
        self.questions().len()
    }

    pub fn turn(&self, saying: Saying) {
        *self.saying.lock().expect("the saying") = saying;
    }
}

impl Saying {
    /// That the token stands, and these claims.
    pub fn active(claims: &Value) -> Self {
        let mut answer = claims.clone();
        answer["active"] = json!(true);
        Self::Json(answer)
    }

    pub fn inactive() -> Self {
        Self::Json(json!({ "active": false }))
    }
}

async fn respond(saying: Saying) -> Response {
    match saying {
        Saying::Json(value) => ([(header::CONTENT_TYPE, "application/json;charset=UTF-8")], value.to_string()).into_response(),
        Saying::Text(status, kind, body) => {
            let status = StatusCode::from_u16(status).expect("a status");
            (status, [(header::CONTENT_TYPE, kind)], body).into_response()
        }
        Saying::After(time, value) => {
            tokio::time::sleep(time).await;
            ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
        }
        Saying::Nothing => std::future::pending().await,
        Saying::Endless => ([(header::CONTENT_TYPE, "application/json")], " ".repeat(8 << 20)).into_response(),
        Saying::Redirect(to) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response(),
    }
}

/// Where it can be reached.
async fn serve(routes: Router, tls: Option<RustlsConfig>) -> String {
    let listener = listener::listen(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
    let address = listener.local_addr().expect("an address");
    let origin = if tls.is_some() { format!("https://localhost:{}", address.port()) } else { format!("http://{address}") };
    let handle = Handle::new();
    tokio::spawn(listener::serve(listener, tls, routes, handle.clone(), false));
    handle.listening().await;
    origin
}

/// The introspection endpoint of the real server, on a socket. It answers to its own name alone, which is not that of the socket.
pub async fn endpoint_of(app: &TestApp) -> String {
    let named = axum::middleware::map_request(async |mut request: axum::extract::Request| {
        request.headers_mut().insert(header::HOST, HeaderValue::from_static("idp.test"));
        request
    });
    format!("{}/introspect", serve(admit::app::router(&app.app).layer(named), None).await)
}
