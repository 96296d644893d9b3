//! The Lambda service as the function sees it, on loopback: hands out events one by one, and takes the answers.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::validator::journal::TRACE;

/// What the function did with an event.
#[derive(Debug)]
pub struct Outcome {
    /// The request's id: `request-0`, `request-1` and so on.
    pub id: String,
    /// Whether it answered; otherwise it failed, on purpose or not.
    pub is_answer: bool,
    pub body: Value,
    /// The time from the event to this.
    pub took: Duration,
}

pub struct Service {
    address: SocketAddr,
    events: mpsc::UnboundedSender<Vec<u8>>,
    outcomes: mpsc::UnboundedReceiver<Outcome>,
}

impl Service {
    pub async fn start(events: Vec<Vec<u8>>) -> Self {
        let (to_function, waiting) = mpsc::unbounded_channel::<Vec<u8>>();
        for event in events {
            to_function.send(event).expect("a channel");
        }
        let waiting = Arc::new(tokio::sync::Mutex::new((0, waiting)));
        let began = Arc::new(Mutex::new(HashMap::new()));
        let (sender, outcomes) = mpsc::unbounded_channel();
        let beginnings = Arc::clone(&began);
        let next = move || {
            let (waiting, began) = (Arc::clone(&waiting), Arc::clone(&beginnings));
            async move {
                let mut waiting = waiting.lock().await;
                let Some(event) = waiting.1.recv().await else { return std::future::pending().await };
                let id = format!("request-{}", waiting.0);
                waiting.0 += 1;
                began.lock().expect("the beginnings").insert(id.clone(), Instant::now());
                let mut headers = HeaderMap::new();
                for (name, value) in [
                    ("lambda-runtime-aws-request-id", id.as_str()),
                    ("lambda-runtime-deadline-ms", "4102444800000"),
                    ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:admit"),
                    ("lambda-runtime-trace-id", TRACE),
                ] {
                    headers.insert(name, value.parse().expect("a header"));
                }
                (headers, event).into_response()
            }
        };
        let take = move |Path((id, what)): Path<(String, String)>, body: String| async move {
            let body = serde_json::from_str(&body).expect("JSON");
            let took = began.lock().expect("the beginnings").remove(&id).expect("an event of this name").elapsed();
            let _ = sender.send(Outcome { id, is_answer: what == "response", body, took });
            StatusCode::ACCEPTED
        };
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{what}", post(take));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { address, events: to_function, outcomes }
    }

    /// One more event.
    pub fn send(&self, event: Vec<u8>) {
        self.events.send(event).expect("a channel");
    }

    /// Runs the function with these settings, in an environment of its own.
    pub fn run(&self, settings: &[(&str, &str)]) -> Function {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bootstrap"));
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env("AWS_LAMBDA_RUNTIME_API", self.address.to_string()).env("AWS_LAMBDA_FUNCTION_NAME", "admit");
        command.env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256").env("AWS_LAMBDA_FUNCTION_VERSION", "1");
        command.envs(settings.iter().copied());
        let mut process = command.spawn().expect("the program");
        let said = [read(process.stdout.take().expect("stdout")), read(process.stderr.take().expect("stderr"))];
        Function { process, said }
    }

    pub async fn next(&mut self) -> Outcome {
        let wait = tokio::time::timeout(Duration::from_secs(10), self.outcomes.recv());
        wait.await.expect("an outcome within ten seconds").expect("an outcome")
    }

    /// What the function answers next, where it does answer.
    pub async fn answer(&mut self) -> Value {
        let outcome = self.next().await;
        assert!(outcome.is_answer, "{outcome:?}");
        outcome.body
    }
}

/// The running function.
pub struct Function {
    process: Child,
    said: [JoinHandle<Vec<String>>; 2],
}

impl Function {
    /// Stops it, or lets it go on, as Lambda does between events.
    pub fn signal(&self, signal: &str) {
        let kill = Command::new("kill").args([signal, &self.process.id().to_string()]).status();
        assert!(kill.expect("kill").success());
    }

    /// Ends it, and returns what it logged.
    pub fn log(mut self) -> Vec<String> {
        self.process.kill().expect("it runs");
        self.process.wait().expect("its end");
        self.said.into_iter().flat_map(|lines| lines.join().expect("its log")).collect()
    }

    /// The same, line by line: every line is JSON.
    pub fn lines(self) -> Vec<Value> {
        self.log().iter().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
    }
}

/// Reads on while the function runs: a full pipe would stop it.
fn read(from: impl std::io::Read + Send + 'static) -> JoinHandle<Vec<String>> {
    std::thread::spawn(move || BufReader::new(from).lines().map(|line| line.expect("UTF-8")).collect())
}
