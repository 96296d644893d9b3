//! Who is told when something goes wrong: the app, or the person.

use std::borrow::Cow;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::directory;
use crate::params::{BadForm, BadParam};
use crate::password::PasswordError;
use crate::redirect::ReturnTo;
use crate::store;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// The app did something wrong, or we failed it. JSON at the back (RFC 6749 §5.2), parameters of
/// the redirect at the front (§4.1.2.1).
#[derive(Debug)]
pub struct OAuthError {
    /// For the back: the HTTP status.
    pub status: StatusCode,
    /// The error code that the standard has for it.
    pub code: &'static str,
    /// A sentence for the app's developer; nothing that was sent is repeated in it.
    pub description: Cow<'static, str>,
    /// RFC 6750 §3 or RFC 9110 §11.6.1: what a 401 asks for.
    pub challenge: Option<&'static str>,
    retry_after: Option<u32>,
    source: Option<Source>,
}

/// The person's browser came with something wrong, or we failed the person: a page.
#[derive(Debug)]
pub struct PageError {
    /// The HTTP status.
    pub status: StatusCode,
    /// The OAuth error code, where there is one.
    pub code: Option<&'static str>,
    /// Its words: a heading, with what happened as `.sentence` and what to do next as `.advice`.
    pub key: &'static str,
    /// The parameter that the words name, where they name one.
    pub parameter: Option<&'static str>,
    retry_after: Option<u32>,
    source: Option<Source>,
}

/// Why an authorization request failed, and so who is told (RFC 6749 §4.1.2.1).
#[derive(Debug)]
pub enum Refusal {
    /// The person: there is no redirect URI that we trust.
    Page(PageError),
    /// The app, at an address that it has registered.
    App(Box<ReturnTo>, OAuthError),
}

impl OAuthError {
    /// Any error.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, description: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, description: description.into(), challenge: None, retry_after: None, source: None }
    }

    /// A parameter is missing, malformed, or given twice.
    #[must_use]
    pub fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", description)
    }

    /// The client is unknown, or did not prove who it is.
    #[must_use]
    pub fn invalid_client() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", "the client is unknown, or its authentication failed")
    }

    /// The code or the refresh token is not good.
    #[must_use]
    pub fn invalid_grant(description: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_grant", description)
    }

    /// Nothing of what was asked can be given.
    #[must_use]
    pub fn invalid_scope(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_scope", description)
    }

    /// The client may not do this.
    #[must_use]
    pub fn unauthorized_client(description: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "unauthorized_client", description)
    }

    /// We failed; the log says how.
    #[must_use]
    pub fn server_error(source: impl Into<Source>) -> Self {
        let error = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "something went wrong here; try again later");
        Self { source: Some(source.into()), ..error }
    }

    /// We cannot do it at the moment.
    #[must_use]
    pub fn temporarily_unavailable(source: impl Into<Source>) -> Self {
        let error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", "try again in a few seconds");
        Self { source: Some(source.into()), retry_after: Some(2), ..error }
    }

    /// The same, with what a 401 asks for.
    #[must_use]
    pub fn challenging(mut self, challenge: &'static str) -> Self {
        self.challenge = Some(challenge);
        self
    }

    /// Logs what failed inside, once; the app is not told.
    pub fn log(&self) {
        match &self.source {
            Some(source) => tracing::error!(error = chain(source.as_ref()), "request failed"),
            None => tracing::debug!(code = self.code, description = %self.description, "request refused"),
        }
    }
}

impl PageError {
    /// A page with these words.
    #[must_use]
    pub fn new(status: StatusCode, key: &'static str) -> Self {
        Self { status, code: None, key, parameter: None, retry_after: None, source: None }
    }

    /// The app sent the browser here with something that we cannot answer to.
    #[must_use]
    pub fn bad_request(code: &'static str, key: &'static str) -> Self {
        Self { code: Some(code), ..Self::new(StatusCode::BAD_REQUEST, key) }
    }

    /// The form did not come from our own page, or from one that is too old.
    #[must_use]
    pub fn forged() -> Self {
        Self::new(StatusCode::FORBIDDEN, "error-forged")
    }

    /// The flow is unknown, too old, or another browser's.
    #[must_use]
    pub fn no_flow() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "error-no-flow")
    }

    /// The flow has been answered.
    #[must_use]
    pub fn already_completed() -> Self {
        Self::new(StatusCode::CONFLICT, "error-completed")
    }

    /// There is no such page.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "error-not-found")
    }

    /// Too many tries.
    #[must_use]
    pub fn too_many_tries(retry_after: u32) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(StatusCode::TOO_MANY_REQUESTS, "error-tries") }
    }

    /// The same with how long to wait, in seconds.
    #[must_use]
    pub fn retry_after(&self) -> Option<u32> {
        self.retry_after
    }

    fn failed(status: StatusCode, retry_after: Option<u32>, source: impl Into<Source>) -> Self {
        Self { retry_after, source: Some(source.into()), ..Self::new(status, "error-failed") }
    }

    /// We failed; the log says how.
    #[must_use]
    pub fn server_error(source: impl Into<Source>) -> Self {
        Self::failed(StatusCode::INTERNAL_SERVER_ERROR, None, source)
    }
}

impl From<store::Error> for OAuthError {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Unavailable(_) => Self::temporarily_unavailable(error),
            _ => Self::server_error(error),
        }
    }
}

impl From<store::Error> for PageError {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Unavailable(_) => Self::failed(StatusCode::SERVICE_UNAVAILABLE, Some(2), error),
            _ => Self::server_error(error),
        }
    }
}

impl From<directory::Error> for OAuthError {
    fn from(error: directory::Error) -> Self {
        match error {
            directory::Error::Store(error) => error.into(),
            directory::Error::Unavailable(_) => Self::temporarily_unavailable(error),
            directory::Error::NoBase | directory::Error::Keys(_) => Self::server_error(error),
        }
    }
}

impl From<directory::Error> for PageError {
    fn from(error: directory::Error) -> Self {
        match error {
            directory::Error::Store(error) => error.into(),
            directory::Error::NoBase => Self::no_flow(),
            directory::Error::Keys(error) => Self::server_error(error),
            directory::Error::Unavailable(_) => {
                Self { key: "error-directory", ..Self::failed(StatusCode::SERVICE_UNAVAILABLE, Some(5), error) }
            }
        }
    }
}

impl From<PasswordError> for PageError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::failed(StatusCode::SERVICE_UNAVAILABLE, Some(2), error),
            PasswordError::Broken => Self::server_error(error),
        }
    }
}

impl From<BadParam> for OAuthError {
    fn from(bad: BadParam) -> Self {
        Self::invalid_request(bad.to_string())
    }
}

impl From<BadForm> for OAuthError {
    fn from(bad: BadForm) -> Self {
        let error = Self::invalid_request(bad.to_string());
        if bad == BadForm::TooLarge { Self { status: StatusCode::PAYLOAD_TOO_LARGE, ..error } } else { error }
    }
}

impl From<BadParam> for PageError {
    fn from(bad: BadParam) -> Self {
        let (key, name) = match bad {
            BadParam::Twice(name) => ("error-parameter-twice", name),
            BadParam::Malformed(name) => ("error-parameter-malformed", name),
        };
        Self { parameter: Some(name), ..Self::bad_request("invalid_request", key) }
    }
}

impl From<BadForm> for PageError {
    fn from(bad: BadForm) -> Self {
        let (status, key) = match bad {
            BadForm::ContentType => (StatusCode::BAD_REQUEST, "error-form-type"),
            BadForm::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "error-form-too-large"),
            BadForm::TooMany => (StatusCode::BAD_REQUEST, "error-form-too-many"),
            BadForm::BrokeOff => (StatusCode::BAD_REQUEST, "error-form-broke-off"),
        };
        Self { status, ..Self::bad_request("invalid_request", key) }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        self.log();
        let body = json!({ "error": self.code, "error_description": self.description }).to_string();
        let mut response = (self.status, NO_STORE, [(header::CONTENT_TYPE, "application/json")], body).into_response();
        let headers = response.headers_mut();
        if let Some(challenge) = self.challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// RFC 6749 §5.1 asks for both.
pub const NO_STORE: [(HeaderName, &str); 2] = [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];

impl IntoResponse for PageError {
    /// Only the status: the page itself is drawn where the organisation's name and the request's
    /// number are known (see `app`).
    fn into_response(self) -> Response {
        match &self.source {
            Some(source) => tracing::error!(error = chain(source.as_ref()), "request failed"),
            None => tracing::info!(code = self.code, reason = self.key, parameter = self.parameter, "page refused"),
        }
        let mut response = self.status.into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(std::sync::Arc::new(self));
        response
    }
}

/// An error with everything that caused it.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
