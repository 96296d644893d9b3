//! A response, read to its end.

use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

/// Status, headers and body.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON; a body that is none fails the test.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{} is not JSON ({error}): {}", self.status, self.body))
    }

    /// `TOK(status, error)` of the threat catalogue: the standard's JSON error, and no token.
    #[track_caller]
    pub fn assert_token_error(&self, status: u16, error: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(self.header("pragma"), "no-cache");
        let body = self.json();
        assert_eq!(body["error"], error, "{}", self.body);
        let description = body["error_description"].as_str().unwrap_or_default();
        assert!(description.bytes().all(|b| matches!(b, 0x20 | 0x21 | 0x23..=0x5B | 0x5D..=0x7E)), "{description}");
        for member in ["access_token", "refresh_token", "id_token"] {
            assert!(body.get(member).is_none(), "{}", self.body);
        }
    }

    /// `PAGE(code)`: an error page that leads nowhere.
    #[track_caller]
    pub fn assert_page(&self, status: u16, code: Option<&str>) {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        assert!(self.header("content-type").starts_with("text/html"), "{:?}", self.headers);
        assert!(self.headers.get("location").is_none() && self.headers.get("refresh").is_none(), "{:?}", self.headers);
        assert_eq!(self.header("cache-control"), "no-store");
        assert!(self.header("content-security-policy").contains("frame-ancestors 'none'"));
        if let Some(code) = code {
            assert!(self.body.contains(&format!("<code>{code}</code>")), "{}", self.body);
        }
    }

    /// A parameter of the redirect's query (or fragment), decoded.
    pub fn param(&self, name: &str) -> Option<String> {
        param_of(self.header("location"), name)
    }

    /// `REDIR(error)`: back to the app with an error, `iss` once, and no code.
    #[track_caller]
    pub fn assert_redirect_error(&self, to: &str, error: &str) {
        assert_eq!(self.status.as_u16(), 303, "{}", self.body);
        let location = self.header("location");
        assert!(location.starts_with(to), "{location}");
        assert_eq!(self.param("error").as_deref(), Some(error), "{location}");
        assert_eq!(self.param("code"), None, "{location}");
        assert_eq!(location.matches("iss=").count(), 1, "{location}");
        assert_eq!(self.param("iss").as_deref(), Some(super::ISSUER), "{location}");
    }
}

/// A parameter of a URL's query or fragment, decoded.
pub fn param_of(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once(['?', '#'])?;
    url::form_urlencoded::parse(query.as_bytes()).find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
}
