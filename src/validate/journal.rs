//! One line of JSON for each decision, which is also its metrics.
//!
//! The line is a document of CloudWatch's embedded metric format: its member `_aws` says which of the others are metrics
//! and which are their dimensions, and CloudWatch makes metrics of them without being called. That member is an object, which
//! is why these lines are not written through `tracing`.
//!
//! | metric | unit | by |
//! |---|---|---|
//! | `Decisions` | Count | `FunctionName`, `Decision` (`allow`, `refuse`), `Reason` (`none`, or [`Refusal::code`]) |
//! | `Duration` | Milliseconds | `FunctionName`, `Decision` |
//! | `Unconfirmed` | Count | `FunctionName`; only where a token passed whose issuer could not be asked |
//! | `KeyFetches`, and `KeyFetchFailures` among them | Count | `FunctionName`; only where keys were fetched since the last line |

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_lc_rs::digest;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::settings::BadSettings;
use super::{Call, Claims, Decision, Environment, Fetches, Refusal};
use crate::clock::micros;

/// Where lines go, one at a time, each without its end.
pub type Sink = Box<dyn Fn(&str) + Send + Sync>;

/// Writes the lines.
pub(super) struct Journal {
    pub(super) sink: Sink,
    /// The function's name: a dimension of every metric.
    function: String,
    /// The metrics' namespace; `None` where nobody wants metrics.
    namespace: Option<String>,
    is_warm: AtomicBool,
}

/// What there is to say of one decision.
pub(super) struct Entry<'a> {
    pub(super) call: &'a Call,
    /// Who asked: `healthlake`, or a kind of API Gateway's authorizers.
    pub(super) asker: &'static str,
    /// What was to be done: HealthLake's name for it, or the HTTP method.
    pub(super) operation: Option<&'a str>,
    pub(super) decision: &'a Decision,
    /// When it began.
    pub(super) at: OffsetDateTime,
    /// How long it took.
    pub(super) took: Duration,
    pub(super) fetches: Fetches,
}

impl Journal {
    /// A journal on stdout, as the variables describe it: `ADMIT_METRICS_NAMESPACE` is `Admit` unless it says
    /// something else; `off` leaves the metrics out.
    pub(super) fn from_environment(environment: &Environment, bad: &mut BadSettings) -> Self {
        let namespace = environment.given("ADMIT_METRICS_NAMESPACE").unwrap_or("Admit").to_owned();
        if !is_namespace(&namespace) {
            bad.add("ADMIT_METRICS_NAMESPACE", "is no namespace that CloudWatch takes");
        }
        Self {
            sink: Box::new(to_stdout),
            function: environment.given("AWS_LAMBDA_FUNCTION_NAME").unwrap_or("admit").to_owned(),
            namespace: Some(namespace).filter(|name| name != "off" && is_namespace(name)),
            is_warm: AtomicBool::new(false),
        }
    }

    /// Writes one line. What a refused token says of itself is nobody's word, and is left out, unless its issuer
    /// vouches for it; the token itself is never written, its subject only as a digest.
    pub(super) fn write(&self, entry: &Entry<'_>) {
        let mut line = Map::new();
        let mut put = |name: &str, value: Value| line.insert(name.to_owned(), value);
        let (word, reason, claims) = match entry.decision {
            Decision::Allow(allowed) => ("allow", None, Some(&allowed.claims)),
            Decision::Refuse(refused) => ("refuse", Some(refused.why), refused.claims.as_deref()),
        };
        put("timestamp", entry.at.format(&Rfc3339).unwrap_or_default().into());
        put("level", if reason.is_some_and(is_our_fault) { "ERROR" } else { "INFO" }.into());
        put("message", "decided".into());
        put("request_id", entry.call.request_id.as_str().into());
        if let Some(trace) = entry.call.trace_id.as_deref().and_then(root_of) {
            put("xray_trace_id", trace.into());
        }
        put("asker", entry.asker.into());
        if let Some(operation) = entry.operation.filter(|name| is_name(name)) {
            put("operation", operation.into());
        }
        put("decision", word.into());
        if is_unconfirmed(entry.decision) {
            put("unconfirmed", true.into());
        }
        if let Some(why) = reason {
            put("reason", why.code().into());
            put("detail", why.to_string().into());
        }
        if let Some(claims) = claims {
            put("issuer", claims.issuer.as_str().into());
            put("sub_sha256", digest_of_subject(claims).into());
            for (name, value) in [("client_id", &claims.client), ("tenant", &claims.tenant), ("jti", &claims.id)] {
                if let Some(value) = value {
                    put(name, value.as_str().into());
                }
            }
        }
        // Microseconds are as fine as it gets.
        let duration_ms = (entry.took.as_secs_f64() * 1e6).round() / 1e3;
        put("duration_ms", duration_ms.into());
        put("cold_start", (!self.is_warm.swap(true, Ordering::Relaxed)).into());
        if let Some(namespace) = &self.namespace {
            let reason = reason.map_or("none", Refusal::code);
            line.extend(self.metrics(namespace, entry, word, reason, duration_ms));
        }
        (self.sink)(&Value::Object(line).to_string());
    }

    /// The members that make a line a document of the embedded metric format. The names stand beside those of the
    /// line, in CloudWatch's own spelling.
    fn metrics(&self, namespace: &str, entry: &Entry<'_>, decision: &str, reason: &str, duration_ms: f64) -> Map<String, Value> {
        let directive = |dimensions: &[&str], metrics: &[(&str, &str)]| {
            let metrics: Vec<Value> = metrics.iter().map(|(name, unit)| json!({ "Name": name, "Unit": unit })).collect();
            json!({ "Namespace": namespace, "Dimensions": [dimensions], "Metrics": metrics })
        };
        let mut directives = vec![
            directive(&["FunctionName", "Decision", "Reason"], &[("Decisions", "Count")]),
            directive(&["FunctionName", "Decision"], &[("Duration", "Milliseconds")]),
        ];
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
        put("FunctionName", self.function.as_str().into());
        put("Decision", decision.into());
        put("Reason", reason.into());
        put("Decisions", 1.into());
        put("Duration", duration_ms.into());
        if is_unconfirmed(entry.decision) {
            put("Unconfirmed", 1.into());
            directives.push(directive(&["FunctionName"], &[("Unconfirmed", "Count")]));
        }
        let Fetches { good, failed } = entry.fetches;
        if good + failed > 0 {
            put("KeyFetches", (good + failed).into());
            put("KeyFetchFailures", failed.into());
            directives.push(directive(&["FunctionName"], &[("KeyFetches", "Count"), ("KeyFetchFailures", "Count")]));
        }
        put("_aws", json!({ "Timestamp": micros(entry.at) / 1_000, "CloudWatchMetrics": directives }));
        members
    }
}

/// One write for the whole line, so that no other line gets between. Where nobody reads, nothing can be said.
fn to_stdout(line: &str) {
    use std::io::Write as _;
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(format!("{line}\n").as_bytes());
    let _ = stdout.flush();
}

/// Such as `ReadResource` or `GET`; anything else is not repeated in the log.
fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// What a namespace of CloudWatch's may look like; those of AWS itself begin with `AWS/`.
fn is_namespace(text: &str) -> bool {
    let is_inside = |b: u8| b.is_ascii_alphanumeric() || b".-_/#: ".contains(&b);
    text.len() <= 255 && text.bytes().all(is_inside) && !text.starts_with("AWS/") && !text.starts_with(':')
}

/// Whether somebody should look after the function: nothing was found out about the token.
fn is_our_fault(why: Refusal) -> bool {
    matches!(why, Refusal::NoKeys | Refusal::NoIntrospection | Refusal::NotConfigured | Refusal::TooSlow | Refusal::Failed)
}

/// Whether a token passed that its issuer may have taken back.
fn is_unconfirmed(decision: &Decision) -> bool {
    matches!(decision, Decision::Allow(allowed) if allowed.unconfirmed)
}

/// Enough of a digest to find a person's lines again, if one knows the person.
fn digest_of_subject(claims: &Claims) -> String {
    let digest = digest::digest(&digest::SHA256, claims.subject.as_bytes());
    digest.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The trace's own id, under which X-Ray shows it.
fn root_of(header: &str) -> Option<&str> {
    let root = header.split(';').find_map(|part| part.trim().strip_prefix("Root=")).unwrap_or(header);
    (!root.is_empty() && root.len() <= 128 && root.bytes().all(|b| b.is_ascii_graphic())).then_some(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_known_by_its_root() {
        assert_eq!(root_of("Root=1-a-b;Parent=c;Sampled=0"), Some("1-a-b"));
        assert_eq!(root_of("Self=1-x; Root=1-a-b"), Some("1-a-b"));
        assert_eq!(root_of("1-a-b"), Some("1-a-b"));
        for odd in ["", "Root=", "Root=a b", "Root=\n", &"x".repeat(200)] {
            assert_eq!(root_of(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn a_namespace_is_one_that_cloudwatch_takes() {
        for good in ["Admit", "my-team/validator", "a.b_c#d:e f", &"x".repeat(255)] {
            assert!(is_namespace(good), "{good}");
        }
        for bad in ["AWS/Lambda", ":x", "a\nb", "a\"b", "é", &"x".repeat(256)] {
            assert!(!is_namespace(bad), "{bad:?}");
        }
    }
}
