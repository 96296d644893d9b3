//! The loop of the Lambda function: asks for events, and hands them to the validator.

use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::clock::Clock;
use crate::validate::{Call, Environment, Failure, Function};

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
    let function = Function::from_environment(&Environment::of_process(), Clock::System);
    function.warm().await;
    let function = &function;
    let answer = async move |event: LambdaEvent<Event>| {
        let call = Call { request_id: event.context.request_id, trace_id: event.context.xray_trace_id };
        function.answer(&event.payload.0, &call).await
    };
    lambda_runtime::run(service_fn(answer)).await
}

impl From<Failure> for Diagnostic {
    /// API Gateway looks at the message alone: see `validate::gateway`.
    fn from(failure: Failure) -> Self {
        Self { error_type: "Refused".to_owned(), error_message: failure.to_string() }
    }
}

/// One JSON object per line, of the level in `ADMIT_LOG`, such as `debug` or `warn,admit=trace`; the line of each decision is
/// written whatever it says, by `validate::journal`. The runtime's own lines stay out below warnings: at `trace` it logs whole events, and with them tokens. Nor does it say that the function
/// failed: where it does so on purpose, the decision's own line has said why. A panic's message may quote what it was
/// about: only its place is logged.
fn start_log() {
    let text = std::env::var("ADMIT_LOG").unwrap_or_default();
    let wanted = if text.trim().is_empty() { None } else { Some(text.parse::<Targets>()) };
    let is_unreadable = matches!(wanted, Some(Err(_)));
    let wanted = wanted.and_then(Result::ok).unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let quiet = Targets::new()
        .with_default(LevelFilter::TRACE)
        .with_targets(["lambda_runtime", "lambda_runtime_api_client"].map(|target| (target, LevelFilter::WARN)))
        .with_target("lambda_runtime::layers::panic", LevelFilter::OFF);
    let lines = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false).with_span_list(false);
    lines.with_max_level(LevelFilter::TRACE).finish().with(wanted).with(quiet).init();
    if is_unreadable {
        tracing::warn!("ADMIT_LOG cannot be read; it is info, for now");
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "a panic");
    }));
}
