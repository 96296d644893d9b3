//! The `bootstrap` binary, fed by a Lambda service of our own.

use std::collections::VecDeque;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use admit::token::Algorithm;
use axum::Router;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::jose::assert_refused;
use crate::support::{Forge, ISSUER, KeyServer, Mood, genuine_claims};

const ENDPOINT: &str = "https://fhir.test/r4/";

/// What the function did with an event: `response` or `error`, and what it sent.
type Outcome = (String, Value);

/// The Lambda service as the function sees it: hands out events one by one and takes the answers.
struct Service {
    address: std::net::SocketAddr,
    outcomes: mpsc::UnboundedReceiver<Outcome>,
}

impl Service {
    async fn start(events: Vec<Vec<u8>>) -> Self {
        let events = Arc::new(Mutex::new(VecDeque::from(events)));
        let (sender, outcomes) = mpsc::unbounded_channel();
        let next = move || {
            let event = events.lock().expect("the events").pop_front();
            async move {
                let Some(event) = event else { return std::future::pending().await };
                let mut headers = HeaderMap::new();
                for (name, value) in [
                    ("lambda-runtime-aws-request-id", "synthetic-request"),
                    ("lambda-runtime-deadline-ms", "4102444800000"),
                    ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:admit"),
                ] {
                    headers.insert(name, value.parse().expect("a header"));
                }
                (headers, event).into_response()
            }
        };
        let take = move |Path((_, what)): Path<(String, String)>, body: String| async move {
            let _ = sender.send((what, serde_json::from_str(&body).expect("JSON")));
            axum::http::StatusCode::ACCEPTED
        };
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{what}", post(take));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { address, outcomes }
    }

    /// Runs the function with these settings.
    fn run(&self, settings: &[(&str, &str)]) -> Function {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bootstrap"));
        command.env_clear().envs(settings.iter().copied()).stdin(Stdio::null()).stdout(Stdio::piped());
        command.env("AWS_LAMBDA_RUNTIME_API", self.address.to_string()).env("AWS_LAMBDA_FUNCTION_NAME", "admit");
        command.env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256").env("AWS_LAMBDA_FUNCTION_VERSION", "1");
        Function(command.spawn().expect("the program"))
    }

    async fn next(&mut self) -> Outcome {
        let wait = tokio::time::timeout(std::time::Duration::from_secs(10), self.outcomes.recv());
        wait.await.expect("an outcome within ten seconds").expect("an outcome")
    }
}

/// The running function.
struct Function(Child);

impl Function {
    /// Ends it, and returns what it logged.
    fn log(mut self) -> String {
        use std::io::Read as _;
        self.0.kill().expect("it runs");
        let mut log = String::new();
        self.0.stdout.take().expect("its log").read_to_string(&mut log).expect("UTF-8");
        self.0.wait().expect("its end");
        log
    }
}

fn event(token: &str) -> Vec<u8> {
    json!({ "datastoreEndpoint": ENDPOINT, "operationName": "ReadResource", "bearerToken": token }).to_string().into_bytes()
}

fn good(forge: &Forge) -> String {
    forge.access_token(&genuine_claims(admit::clock::Clock::System.now().unix_timestamp()))
}

/// LM-01, LM-03: the real program, its keys fetched before the first event.
#[tokio::test]
async fn the_function_answers_whatever_it_is_sent() {
    let forge = Forge::new(Algorithm::Es256);
    let keys = KeyServer::start(Mood::Publishes(forge.jwks_text())).await;
    let token = good(&forge);
    let deep = format!("{{\"bearerToken\":{}1{}}}", "[".repeat(1000), "]".repeat(1000)).into_bytes();
    let odd = [b"{}".to_vec(), b"[1]".to_vec(), b"null".to_vec(), b"not JSON".to_vec(), b"{\"bearerToken\":\"\\ud800\"}".to_vec(), deep];
    let hostile = event(&forge.token(&json!({ "alg": "none", "kid": forge.kid, "typ": "at+jwt" }), &genuine_claims(0)));
    let events = [vec![event(&token)], odd.to_vec(), vec![hostile, event(&token)]].concat();
    let count = events.len();
    let mut service = Service::start(events).await;
    let function = service.run(&[
        ("ADMIT_ISSUER", ISSUER),
        ("JWKS_URI", &keys.uri()),
        ("USER_ROLE_ARN", "arn:aws:iam::123456789012:role/smart"),
        ("ADMIT_DATASTORES", ENDPOINT),
        ("ADMIT_TENANT", "default"),
        ("ADMIT_LOG", "trace"),
    ]);
    for i in 0..count {
        let (what, answer) = service.next().await;
        assert_eq!(what, "response", "{answer}");
        if i == 0 || i == count - 1 {
            assert_eq!(answer["authPayload"]["isAuthorized"], "true", "{answer}");
            assert_eq!(answer["authPayload"]["aud"], ENDPOINT);
            assert_eq!(answer["iamRoleARN"], "arn:aws:iam::123456789012:role/smart");
        } else {
            assert_refused(&format!("event {i}"), &answer);
        }
    }
    assert_eq!(keys.asked(), 1);
    let log = function.log();
    assert_eq!(log.lines().filter(|line| line.contains("\"decided\"")).count(), count, "{log}");
    for part in token.split('.') {
        assert!(!log.contains(part), "a token is in the log"); // not even at trace (LM-17)
    }
    assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{log}");
}

/// LM-20: the process lives, and says once what it lacks.
#[tokio::test]
async fn without_a_setting_the_function_refuses_everything_and_says_why_once() {
    let forge = Forge::new(Algorithm::Es256);
    let mut service = Service::start(vec![event(&good(&forge)); 3]).await;
    let function = service.run(&[("ADMIT_JWKS", &forge.jwks_text()), ("USER_ROLE_ARN", "arn:aws:iam::123456789012:role/smart")]);
    for _ in 0..3 {
        let (what, answer) = service.next().await;
        assert_eq!(what, "response", "{answer}");
        assert_refused("not configured", &answer);
    }
    let log = function.log();
    assert_eq!(log.matches("ADMIT_ISSUER is missing").count(), 1, "{log}");
}
