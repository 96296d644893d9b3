//! Audit entries as OpenTelemetry log records, in the JSON form of OTLP 1 (`ExportLogsServiceRequest`).
//! The form is stable and small; the crates that speak it bring a whole SDK for one POST.

use serde_json::{Map, Value, json};

use super::chain::Sealed;

/// What is POSTed to a collector's `/v1/logs`.
#[must_use]
pub fn logs(issuer: &str, entries: &[Sealed]) -> Value {
    json!({
        "resourceLogs": [{
            "resource": { "attributes": [attribute("service.name", &"admit".into()), attribute("service.instance.id", &issuer.into())] },
            "scopeLogs": [{
                "scope": { "name": "admit.audit", "version": env!("CARGO_PKG_VERSION") },
                "logRecords": entries.iter().map(record).collect::<Vec<_>>(),
            }],
        }],
    })
}

fn record(entry: &Sealed) -> Value {
    let members = match serde_json::to_value(entry) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    let nanos = (i128::from(entry.at_us) * 1000).to_string();
    let (number, text) = if entry.outcome == "success" { (9, "INFO") } else { (13, "WARN") };
    json!({
        // Numbers of 64 bits are texts in ProtoJSON.
        "timeUnixNano": nanos,
        "observedTimeUnixNano": nanos,
        "severityNumber": number,
        "severityText": text,
        "eventName": format!("admit.audit.{}", entry.event),
        "body": { "stringValue": entry.line() },
        "attributes": members.iter().map(|(name, value)| attribute(&format!("admit.audit.{name}"), value)).collect::<Vec<_>>(),
    })
}

fn attribute(key: &str, value: &Value) -> Value {
    let value = match value {
        Value::String(text) => json!({ "stringValue": text }),
        other => json!({ "intValue": other.to_string() }),
    };
    json!({ "key": key, "value": value })
}

/// How many records the collector's answer says that it refused, if it says so.
#[must_use]
pub fn rejected(answer: &[u8]) -> Option<i64> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let count = &answer["partialSuccess"]["rejectedLogRecords"];
    count.as_str().and_then(|text| text.parse().ok()).or_else(|| count.as_i64()).filter(|count| *count > 0)
}
