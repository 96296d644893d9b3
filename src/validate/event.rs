//! What HealthLake sends: three strings, and whatever else it comes to send later.

use std::fmt;

use serde_json::Value;

use super::Refusal;
use crate::token::{MAX_TOKEN_BYTES, Rejection};

/// One call of the validator.
#[derive(Debug)]
pub struct Event {
    /// The base URL of the data store, with a trailing slash.
    pub datastore_endpoint: String,
    /// What is to be done, such as `ReadResource`. Opaque: new ones appear without notice.
    pub operation_name: String,
    /// The token, without `Bearer`.
    pub bearer_token: BearerToken,
}

/// A token on its way through. It is never printed.
pub struct BearerToken(String);

impl BearerToken {
    /// Reads a token, with or without one `Bearer` before it.
    ///
    /// # Errors
    /// [`Refusal::NoToken`], [`Rejection::TooLong`]
    pub fn read(text: &str) -> Result<Self, Refusal> {
        let token = after_bearer(text).unwrap_or(text);
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Rejection::TooLong.into());
        }
        if token.is_empty() || token.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(Refusal::NoToken);
        }
        Ok(Self(token.to_owned()))
    }

    /// The token itself, to be verified and for nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// What follows the scheme `Bearer` and one space, however it is spelt (RFC 6750 §2.1); `None` where the text does not begin so.
#[must_use]
pub fn after_bearer(text: &str) -> Option<&str> {
    text.split_at_checked(7).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer ")).map(|(_, rest)| rest)
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(…)")
    }
}

impl Event {
    /// Reads an event; fields that we do not know are ignored.
    ///
    /// # Errors
    /// [`Refusal::MissingFields`], [`Refusal::NoToken`], [`Rejection::TooLong`]
    pub fn read(event: &Value) -> Result<Self, Refusal> {
        let text = |name: &str| event.get(name).and_then(Value::as_str);
        let (Some(endpoint), Some(operation), Some(token)) = (text("datastoreEndpoint"), text("operationName"), text("bearerToken")) else {
            return Err(Refusal::MissingFields);
        };
        Ok(Self { datastore_endpoint: endpoint.to_owned(), operation_name: operation.to_owned(), bearer_token: BearerToken::read(token)? })
    }
}
