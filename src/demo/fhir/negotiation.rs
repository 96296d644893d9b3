//! What else a request says about the answer it wants: names and values, formats, strictness.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Uri, header};
use serde_json::Value;

use super::outcome::Refusal;

/// The longest body that is read, in bytes.
const LONGEST_BODY: usize = 64 * 1024;

/// The parameters of a request, decoded and in order.
#[derive(Debug, Default)]
pub struct Pairs(Vec<(String, String)>);

impl Pairs {
    pub fn of_query(uri: &Uri) -> Self {
        let mut pairs = Self::default();
        pairs.add(uri.query().unwrap_or_default().as_bytes());
        pairs
    }

    /// Adds those of a posted search.
    pub async fn read_form(&mut self, headers: &HeaderMap, body: Body) -> Result<(), Refusal> {
        let bytes = to_bytes(body, LONGEST_BODY).await.map_err(|_| Refusal::too_long())?;
        let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default();
        let is_form = kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded");
        if !is_form && !bytes.is_empty() {
            return Err(Refusal::only_forms());
        }
        self.add(&bytes);
        Ok(())
    }

    fn add(&mut self, encoded: &[u8]) {
        let pairs = url::form_urlencoded::parse(encoded);
        self.0.extend(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())));
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// A resource that is offered; `None` where the body is not one.
pub async fn read_json(body: Body) -> Result<Option<Value>, Refusal> {
    let bytes = to_bytes(body, LONGEST_BODY).await.map_err(|_| Refusal::too_long())?;
    Ok(serde_json::from_slice(&bytes).ok().filter(Value::is_object))
}

/// `_format` rules over `Accept`, since a browser's address bar cannot set the latter.
pub fn json_is_welcome(headers: &HeaderMap, pairs: &Pairs) -> Result<(), Refusal> {
    let welcome = match pairs.iter().filter(|(name, _)| *name == "_format").last() {
        Some((_, format)) => is_json(format),
        None => {
            let mut accepted = headers.get_all(header::ACCEPT).iter().peekable();
            accepted.peek().is_none()
                || accepted
                    .filter_map(|value| value.to_str().ok())
                    .flat_map(|value| value.split(','))
                    .any(|range| is_json(range) || is_wildcard(range))
        }
    };
    if welcome { Ok(()) } else { Err(Refusal::only_json()) }
}

fn is_json(range: &str) -> bool {
    let name = range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    // A `+` that was not escaped in a URL arrives as a space.
    matches!(name.as_str(), "json" | "application/json" | "text/json" | "application/fhir+json" | "application/fhir json")
}

fn is_wildcard(range: &str) -> bool {
    matches!(range.split(';').next().unwrap_or_default().trim(), "*/*" | "application/*")
}

/// `Prefer: handling=strict`: the app wants to hear of parameters that are not understood.
pub fn is_strict(headers: &HeaderMap) -> bool {
    headers
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split([',', ';']))
        .any(|preference| preference.trim().eq_ignore_ascii_case("handling=strict"))
}
