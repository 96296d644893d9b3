//! What all pages have in common: their frame, their headers, their style sheet.

use std::sync::{Arc, LazyLock};

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use super::App;
use crate::error::PageError;
use crate::secret::Digest;
use crate::words::{Arg, Locale, Words};

pub(super) const STYLE: &str = include_str!("../../static/admit.css");
const ICON: &str = include_str!("../../static/favicon.svg");

/// Part of the URLs of the style sheet and the icon, so that both can be cached for ever.
static VERSION: LazyLock<String> = LazyLock::new(|| Digest::of(&format!("{STYLE}{ICON}")).as_str()[..12].to_owned());

/// The frame of every page.
#[derive(Clone, Debug)]
pub struct Chrome {
    /// The organisation.
    pub org: String,
    /// The style sheet's version.
    pub css: String,
    /// A banner, where there is something that everybody has to know.
    pub notice: Option<String>,
    /// The language that the page speaks.
    pub locale: Locale,
}

impl Chrome {
    /// The frame of this app's pages, in this language.
    #[must_use]
    pub fn of(app: &App, locale: Locale) -> Self {
        Self { org: app.tenant.organization.clone(), css: VERSION.clone(), notice: app.tenant.notice.clone(), locale }
    }

    /// The words of the page.
    #[must_use]
    pub fn words(&self) -> &'static Words {
        Words::get(self.locale)
    }
}

/// What the person at this browser reads: `ui_locales` is what an app has said of them.
#[must_use]
pub fn locale(headers: &HeaderMap, ui_locales: Option<&str>) -> Locale {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Locale::negotiate(ui_locales, accepted)
}

/// Where a page's form may lead: the app's origin (or those of several), because Chromium checks `form-action` on the
/// redirect after the POST as well.
#[derive(Clone, Debug)]
pub struct FormAction(pub String);

/// The one script of the `form_post` page.
#[derive(Clone, Debug)]
pub struct ScriptNonce(pub String);

/// A page to be sent.
pub struct Page<T>(pub StatusCode, pub T);

impl<T: Template> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        match self.1.render() {
            Ok(html) => (self.0, Html(html)).into_response(),
            Err(error) => PageError::server_error(error).into_response(),
        }
    }
}

/// 303: whatever the method was, the browser goes on with GET and without the body (RFC 9700 §4.12).
#[must_use]
pub fn see_other(location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(location) => {
            (StatusCode::SEE_OTHER, [(header::LOCATION, location), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))])
                .into_response()
        }
        Err(error) => PageError::server_error(error).into_response(),
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    chrome: Chrome,
    title: String,
    sentence: String,
    advice: String,
    code: Option<&'static str>,
    reference: String,
}

/// Draws the page of an error, in place of a bare response whose headers are kept.
pub(super) fn error_page(app: &App, bare: Response, error: &PageError, locale: Locale, reference: &str) -> Response {
    let chrome = Chrome::of(app, locale);
    let (words, name) = (chrome.words(), error.parameter.unwrap_or_default());
    let args = [("name", Arg::from(name))];
    let page = ErrorPage {
        title: words.text(error.key, &args),
        sentence: words.attribute(error.key, "sentence", &args),
        advice: words.attribute(error.key, "advice", &args),
        chrome,
        code: error.code,
        reference: reference.to_owned(),
    };
    let Ok(html) = page.render() else { return bare };
    let mut response = (error.status, Html(html)).into_response();
    for (name, value) in bare.headers() {
        if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
            response.headers_mut().append(name.clone(), value.clone());
        }
    }
    response
}

/// Sets the headers that every response carries; a page has more of them than a document.
pub(super) fn secure(app: &App, response: &mut Response) {
    let is_html = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let is_https = app.tenant.issuer.starts_with("https:");
    let action = response.extensions().get::<FormAction>().map(|action| action.0.clone()).unwrap_or_default();
    let script = response.extensions().get::<ScriptNonce>().map_or_else(|| "'none'".to_owned(), |nonce| format!("'nonce-{}'", nonce.0));
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    if is_https {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains");
    }
    if !is_html {
        if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
            let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        return;
    }
    let upgrade = if is_https { "; upgrade-insecure-requests" } else { "" };
    set(
        header::CONTENT_SECURITY_POLICY,
        &format!(
            "default-src 'none'; script-src {script}; style-src 'self'; img-src 'self' data:; form-action 'self'{}{action}; \
             frame-ancestors 'none'; base-uri 'none'; object-src 'none'; require-trusted-types-for 'script'{upgrade}",
            if action.is_empty() { "" } else { " " },
        ),
    );
    set(header::X_FRAME_OPTIONS, "DENY");
    // With no-referrer, Chromium sends `Origin: null` along with our own forms.
    set(header::REFERRER_POLICY, "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=(), publickey-credentials-get=(self)");
    set(header::CACHE_CONTROL, "no-store");
}

pub(super) fn router() -> Router<Arc<App>> {
    let file = |kind: &'static str, text: &'static str| {
        move |State(_): State<Arc<App>>| async move {
            ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")], text)
        }
    };
    Router::new()
        .route("/static/admit.css", get(file("text/css; charset=utf-8", STYLE)))
        .route("/static/favicon.svg", get(file("image/svg+xml", ICON)))
        .route("/favicon.ico", get(file("image/svg+xml", ICON)))
}
