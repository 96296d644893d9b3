//! Asks a data store and a server as an app does, and says in words what came of it.

use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value};

use super::super::output::visible;
use super::super::redact::redact;
use super::super::{Failure, input};
use crate::http::{Answer, Fault, Http, NoClient};

/// How long anybody is waited for.
const DEADLINE: Duration = Duration::from_secs(10);
/// The largest answer that is read, in bytes: a page of a search can be long.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// The most that is shown of what somebody else says, in characters.
const MAX_SAID: usize = 500;

pub(super) struct Web {
    http: Http,
    authorities: Option<Vec<u8>>,
}

impl Web {
    /// `ca_file` may have signed the certificates as well.
    pub(super) fn new(ca_file: Option<&Path>) -> Result<Self, Failure> {
        let authorities = ca_file.map(input::read).transpose()?;
        let http = Http::new(authorities.as_deref(), DEADLINE, MAX_BYTES).map_err(|why| match why {
            NoClient::Authorities => Failure::usage("--ca-file holds no usable certificates"),
            NoClient::Tls => Failure::failed(&why),
        })?;
        Ok(Self { http, authorities })
    }

    /// Whoever may have signed certificates beside the public authorities.
    pub(super) fn authorities(&self) -> Option<&[u8]> {
        self.authorities.as_deref()
    }

    /// The answer at this URL, or why there is none.
    pub(super) async fn get(&self, url: &str, headers: &[(&str, &str)]) -> Result<Answer, String> {
        self.http.look(url, headers).await.map_err(|fault| no_answer(url, fault))
    }

    /// The answer to a form, or why there is none.
    pub(super) async fn post_form(&self, url: &str, headers: &[(&str, &str)], form: String) -> Result<Answer, String> {
        self.http.post_form(url, headers, form).await.map_err(|fault| no_answer(url, fault))
    }

    /// The SMART configuration at this URL.
    pub(super) async fn document(&self, url: &str) -> Result<Map<String, Value>, NoDocument> {
        let answer = self.get(url, &[("accept", "application/json")]).await;
        let answer = answer.map_err(|said| NoDocument { status: None, said })?;
        let said = match (answer.status, serde_json::from_slice(&answer.body)) {
            (200, Ok(Value::Object(document))) => return Ok(document),
            (200, _) => format!("what is at {url} is no JSON object"),
            (status, _) => format!("{url} answers HTTP {status}{}", after_colon(said(&answer))),
        };
        Err(NoDocument { status: Some(answer.status), said })
    }
}

/// Why there is no SMART configuration.
pub(super) struct NoDocument {
    /// The HTTP status, where there was an answer.
    status: Option<u16>,
    /// In words.
    pub(super) said: String,
}

impl NoDocument {
    /// Whether it is kept from those who come without credentials.
    pub(super) fn is_denied(&self) -> bool {
        matches!(self.status, Some(401 | 403))
    }
}

/// Where whoever is known by this URL publishes its SMART configuration.
pub(super) fn smart_configuration(url: &str) -> String {
    format!("{}/.well-known/smart-configuration", url.trim_end_matches('/'))
}

/// A colon and what was said, where anything was.
pub(super) fn after_colon(said: Option<String>) -> String {
    said.map(|said| format!(": {said}")).unwrap_or_default()
}

fn no_answer(url: &str, fault: Fault) -> String {
    match fault {
        Fault::Address => format!("{url} is not an https:// URL; plain http is for this machine alone"),
        Fault::Timeout => format!("{url} did not answer within {} seconds", DEADLINE.as_secs()),
        Fault::NoAnswer => format!("nobody answers at {url}: is the name right, is it running, and may this machine reach it?"),
        Fault::NotTrusted => format!("the certificate of {url} is by nobody who is trusted here: --ca-file names further authorities"),
        Fault::Header | Fault::Status | Fault::BrokeOff | Fault::TooLarge => format!("{url} cannot be used: {fault}"),
    }
}

/// What an answer says of why it is none, on one line: an OperationOutcome, an error of OAuth 2.0, or AWS's own words.
pub(super) fn said(answer: &Answer) -> Option<String> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let text = |value: &Value, names: &[&str]| names.iter().find_map(|name| value[*name].as_str()).map(str::to_owned);
    let of_issue = |issue: &Value| text(&issue["details"], &["text"]).or_else(|| text(issue, &["diagnostics", "code"]));
    let issues: Vec<String> = body["issue"].as_array().into_iter().flatten().filter_map(of_issue).collect();
    let words = match text(&body, &["error"]) {
        Some(error) => format!("{error}{}", after_colon(text(&body, &["error_description"]))),
        None if issues.is_empty() => text(&body, &["message", "Message"])?,
        None => issues.join("; "),
    };
    // Somebody may say what was sent to them.
    Some(visible(&redact(&words).chars().take(MAX_SAID).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whoever_refuses_says_why_in_words_of_its_own() {
        for (body, words) in [
            (r#"{"resourceType":"OperationOutcome","issue":[{"code":"forbidden","diagnostics":"no"},{"details":{"text":"a"}}]}"#, "no; a"),
            (r#"{"resourceType":"OperationOutcome","issue":[{"code":"forbidden"}]}"#, "forbidden"),
            (r#"{"error":"invalid_client","error_description":"unknown\u001b[2J"}"#, "invalid_client: unknown\\u{1b}[2J"),
            (r#"{"message":"Missing Authentication Token"}"#, "Missing Authentication Token"),
        ] {
            let answer = Answer { status: 403, content_type: None, max_age: None, body: body.as_bytes().to_vec() };
            assert_eq!(said(&answer).as_deref(), Some(words));
        }
        let echo = json!({ "message": format!("no: eyJ{}", "aA0".repeat(40)) }).to_string();
        let answer = Answer { status: 403, content_type: None, max_age: None, body: echo.into_bytes() };
        assert_eq!(said(&answer).as_deref(), Some("no: [123 characters, which could be a token]"));
        for silent in ["", "<html>", "[]", "{}"] {
            assert_eq!(said(&Answer { status: 403, content_type: None, max_age: None, body: silent.into() }), None, "{silent}");
        }
    }
}
