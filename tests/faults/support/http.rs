//! Real HTTP: every request to one of the addresses that the installation can be reached at.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::Lost;

/// How long a client waits for one answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where the installation is: by what name, and behind which ports of this machine.
#[derive(Debug)]
pub struct Target {
    /// What stands in `Host`: that of the issuer.
    host: String,
    ports: Vec<u16>,
    turn: AtomicUsize,
}

impl Target {
    /// Requests go to these ports in turn.
    pub fn new(host: &str, ports: &[u16]) -> Self {
        Self { host: host.to_owned(), ports: ports.to_vec(), turn: AtomicUsize::new(0) }
    }

    fn next(&self) -> u16 {
        self.ports[self.turn.fetch_add(1, Ordering::Relaxed) % self.ports.len()]
    }
}

/// A client.
pub struct Http {
    client: Client<HttpConnector, Full<Bytes>>,
    target: Target,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Reply {
    /// The value of a header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The beginning of the body, for whoever has to find out what is wrong.
    pub fn brief(&self) -> String {
        self.body.chars().take(300).collect()
    }

    /// The body as JSON; `null` where it is not.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// A text of the body's JSON object, or nothing.
    pub fn text(&self, member: &str) -> String {
        self.json()[member].as_str().unwrap_or_default().to_owned()
    }

    /// A parameter of the address that it leads to.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let query = self.header("location").split_once('?')?.1;
        url::form_urlencoded::parse(query.as_bytes()).find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
    }
}

impl Http {
    /// Each request has its own connection: one that was kept may have broken before the request was
    /// sent, and nobody could tell that from an answer that was lost.
    pub fn new(target: Target) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http(), target }
    }

    /// Connections are kept, as a load balancer keeps them.
    pub fn with_kept_connections(target: Target) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), target }
    }

    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Result<Reply, Lost> {
        self.ask("GET", path, headers, String::new()).await
    }

    pub async fn post(&self, path: &str, headers: &[(&str, &str)], form: &[(&str, &str)]) -> Result<Reply, Lost> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let kind = [(header::CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded")];
        self.ask("POST", path, &[&kind, headers].concat(), body).await
    }

    pub async fn post_json(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Result<Reply, Lost> {
        let kind = [(header::CONTENT_TYPE.as_str(), "application/json")];
        self.ask("POST", path, &[&kind, headers].concat(), body.to_string()).await
    }

    /// One request and its answer, once.
    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: String) -> Result<Reply, Lost> {
        let mut request = Request::builder().method(method).uri(format!("http://127.0.0.1:{}{path}", self.target.next()));
        request = request.header(header::HOST, &self.target.host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(body)).expect("a request");
        let answer = async {
            let answer =
                self.client.request(request).await.map_err(|error| if error.is_connect() { Lost::NotSent } else { Lost::NoAnswer })?;
            let (head, body) = answer.into_parts();
            let body = body.collect().await.map_err(|_| Lost::NoAnswer)?.to_bytes();
            Ok(Reply { status: head.status, headers: head.headers, body: String::from_utf8_lossy(&body).into_owned() })
        };
        let reply = tokio::time::timeout(PATIENCE, answer).await.map_err(|_| Lost::NoAnswer)??;
        // What the server says when it cannot do it now: it may have been done all the same.
        if reply.status == StatusCode::SERVICE_UNAVAILABLE { Err(Lost::TurnedAway) } else { Ok(reply) }
    }
}
