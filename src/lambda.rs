//! The loop of the Lambda function: asks for events, and hands them to the validator.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tracing_subscriber::EnvFilter;

use crate::clock::Clock;
use crate::validate::Function;

/// An event, whatever it is: what cannot be read is refused like anything else that is no event,
/// not a function error.
struct Event(Value);

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Value::deserialize(deserializer).unwrap_or_default()))
    }
}

/// Answers events for as long as the environment lives.
///
/// # Errors
/// Where the Lambda service itself cannot be spoken to.
pub async fn run() -> Result<(), Error> {
    start_log();
    let function = Function::from_environment(&|name| std::env::var(name).ok(), Clock::System);
    function.warm().await;
    let function = &function;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Event>| async move { Ok::<_, Error>(function.answer(&event.payload.0).await) }))
        .await
}

/// One JSON object per line. The runtime's own lines stay out below warnings: at `trace` it logs
/// whole events, and with them tokens. A panic's message may quote what it was about: only its place is logged.
fn start_log() {
    let filter = std::env::var("ADMIT_LOG").ok().and_then(|text| EnvFilter::try_new(text).ok()).unwrap_or_else(|| EnvFilter::new("info"));
    let filter = ["lambda_runtime=warn", "lambda_runtime_api_client=warn"]
        .into_iter()
        .filter_map(|directive| directive.parse().ok())
        .fold(filter, EnvFilter::add_directive);
    tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false).with_span_list(false).with_env_filter(filter).init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "a panic");
    }));
}
