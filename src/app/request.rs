//! What every request passes before a handler sees it, and every response before it leaves.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::ConnectInfo;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Version, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use ipnet::IpNet;
use tracing::Instrument as _;

use super::{App, pages};
use crate::audit::Origin;
use crate::error::{OAuthError, PageError};
use crate::params::{MAX_BODY, Params};
use crate::secret;
use crate::words::Locale;

/// The longest path and query, in bytes.
const MAX_URL: usize = 8 * 1024;
/// The largest `Cookie` and the most headers.
const MAX_COOKIE: usize = 16 * 1024;
const MAX_HEADERS: usize = 100;
/// How long a handler may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// The request's own number, for the log, the audit trail and the person who asks for help.
#[derive(Clone, Debug)]
struct RequestId(String);

pub(super) fn around(routes: Router, app: &Arc<App>) -> Router {
    routes.layer(from_fn_with_state(Arc::clone(app), guard))
}

/// Paths that speak JSON: their errors are JSON too.
fn is_api(path: &str) -> bool {
    ["/token", "/introspect", "/revoke", "/userinfo", "/validate", "/launch", "/livez", "/readyz"].contains(&path)
        || path == "/register"
        || path.starts_with("/register/")
        || path.starts_with("/.well-known/")
        || path.starts_with("/fhir-bases/")
        || path.starts_with("/style/")
}

/// Paths that are asked for by machines that do not know our name (WB-01).
fn is_free_of_host(path: &str) -> bool {
    path == "/livez" || path == "/readyz" || path.starts_with("/fhir-bases/")
}

async fn guard(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let id = secret::nonce();
    request.extensions_mut().insert(RequestId(id.clone()));
    let (method, path, version) = (request.method().clone(), request.uri().path().to_owned(), request.version());
    // The query may hold a code or a state: only the path is ever logged.
    let locale = locale_of(&request);
    let span = tracing::info_span!("request", id, %method, path);
    let response = match refuse(&app, &request) {
        Some(refusal) => refusal,
        None => within(DEADLINE, next.run(request)).instrument(span.clone()).await,
    };
    let _entered = span.enter();
    tracing::debug!(status = response.status().as_u16(), "answered");
    let mut response = finish(&app, response, (&path, locale), &id);
    // HTTP/2 has no such header: there, the end of the connection is announced when it comes.
    if app.is_going_down() && version < Version::HTTP_2 {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// What is refused without looking any further.
fn refuse(app: &App, request: &Request) -> Option<Response> {
    let status = if request.uri().path_and_query().is_some_and(|url| url.as_str().len() > MAX_URL) {
        StatusCode::URI_TOO_LONG
    } else if request.headers().len() > MAX_HEADERS || cookie_bytes(request) > MAX_COOKIE {
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
    } else if !is_free_of_host(request.uri().path()) && !app.hosts.admit(request) {
        StatusCode::MISDIRECTED_REQUEST
    } else if announced_bytes(request).is_some_and(|bytes| bytes > MAX_BODY as u64) {
        // Said before any of it is read; a client that asks first (`Expect: 100-continue`) sends nothing.
        StatusCode::PAYLOAD_TOO_LARGE
    } else if *request.method() == Method::CONNECT {
        // It names a host and no path, so no route would answer it; nothing here can be connected to.
        return Some((StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "")]).into_response());
    } else {
        return None;
    };
    Some(status.into_response())
}

/// The language of an error. The pages of a flow carry what its app has said in their address, so that
/// it is known also where the flow is not.
fn locale_of(request: &Request) -> Locale {
    let query = Params::parse(request.uri().query().unwrap_or_default().as_bytes()).unwrap_or_default();
    pages::locale(request.headers(), query.get("ui_locales").ok().flatten())
}

fn announced_bytes(request: &Request) -> Option<u64> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn cookie_bytes(request: &Request) -> usize {
    request.headers().get_all(header::COOKIE).iter().map(HeaderValue::len).sum()
}

/// Runs the handler; a panic or a standstill in it (or in the sending of the body that it reads) is
/// an answer as well.
async fn within(deadline: Duration, handler: impl Future<Output = Response>) -> Response {
    use futures_util::FutureExt as _;
    let handler = std::panic::AssertUnwindSafe(handler).catch_unwind();
    match tokio::time::timeout(deadline, handler).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!("a handler panicked");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Err(_) => {
            tracing::error!("a handler took too long");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// Gives a bare refusal its body, and every response its headers.
fn finish(app: &App, response: Response, (path, locale): (&str, Locale), id: &str) -> Response {
    let page = response.extensions().get::<Arc<PageError>>().cloned();
    let is_bare = !response.headers().contains_key(header::CONTENT_TYPE) && response.status().as_u16() >= 400;
    let mut response = match page {
        Some(error) => pages::error_page(app, response, &error, locale, id),
        None if is_bare && is_api(path) => with_json(&response),
        None if is_bare => {
            let error = plain_words(response.status());
            pages::error_page(app, response, &error, locale, id)
        }
        None => response,
    };
    pages::secure(app, &mut response);
    if let Ok(id) = HeaderValue::from_str(id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), id);
    }
    response
}

/// A status as an OAuth error, with the headers that came with it.
fn with_json(bare: &Response) -> Response {
    let (code, description) = match bare.status() {
        StatusCode::METHOD_NOT_ALLOWED => ("invalid_request", "this endpoint does not know the method"),
        StatusCode::URI_TOO_LONG => ("invalid_request", "the URL is too long"),
        StatusCode::PAYLOAD_TOO_LARGE => ("invalid_request", "the body is too large"),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => ("invalid_request", "the headers are too large"),
        StatusCode::MISDIRECTED_REQUEST => ("invalid_request", "this server is not the host that was asked for"),
        StatusCode::NOT_FOUND => ("not_found", "there is nothing here"),
        StatusCode::SERVICE_UNAVAILABLE => ("temporarily_unavailable", "try again in a few seconds"),
        _ => ("server_error", "something went wrong here; try again later"),
    };
    let mut response = OAuthError::new(bare.status(), code, description).into_response();
    for (name, value) in bare.headers() {
        // The length was that of no body at all.
        if name != header::CONTENT_LENGTH {
            response.headers_mut().append(name.clone(), value.clone());
        }
    }
    response
}

/// A status as a page.
fn plain_words(status: StatusCode) -> PageError {
    let key = match status {
        StatusCode::NOT_FOUND => "error-not-found",
        StatusCode::PAYLOAD_TOO_LARGE => "error-too-large",
        StatusCode::METHOD_NOT_ALLOWED => "error-method",
        StatusCode::URI_TOO_LONG => "error-address-too-long",
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => "error-headers",
        StatusCode::MISDIRECTED_REQUEST => "error-host",
        StatusCode::SERVICE_UNAVAILABLE => "error-busy",
        _ => "error-internal",
    };
    PageError::new(status, key)
}

impl FromRequestParts<Arc<App>> for Origin {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        Ok(Self {
            tenant: app.tenant.id.clone(),
            now: app.clock.now(),
            address: address(parts, &app.trusted_proxies),
            request_id: parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
            agent: None,
        })
    }
}

/// Where a request comes from. What a proxy says is believed only of proxies that we were told of:
/// the last address that is not one of them.
fn address(parts: &Parts, trusted: &[IpNet]) -> Option<IpAddr> {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip().to_canonical())?;
    if !is_trusted(&peer) {
        return Some(peer);
    }
    let forwarded = parts.headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(",");
    let mut hops = forwarded.rsplit(',').map_while(|hop| hop.trim().parse::<IpAddr>().ok().map(|hop| hop.to_canonical()));
    Some(hops.find(|hop| !is_trusted(hop)).unwrap_or(peer))
}

/// Reads where proxies are: a network, or an address, which is one of a single machine.
///
/// # Errors
/// What it is neither of.
pub fn proxies(text: &str) -> Result<IpNet, &'static str> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| address()).map_err(|_| "neither an address, such as 10.0.0.1, nor a network, such as 10.0.0.0/24")
}

/// The network that failed sign-ins are counted for: an IPv4 /24, an IPv6 /64.
#[must_use]
pub fn network_of(address: Option<IpAddr>) -> String {
    match address {
        None => "unknown".to_owned(),
        Some(IpAddr::V4(v4)) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        Some(IpAddr::V6(v6)) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WB-23: a panic is an answer, and the process lives on.
    #[tokio::test]
    #[expect(clippy::panic, reason = "that a panic does no harm is what is tested")]
    async fn a_handler_that_panics_is_an_internal_error() {
        let response = within(DEADLINE, async { panic!("a panic of this test") }).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }

    /// WB-14: a body that never comes to its end does not keep its handler.
    #[tokio::test]
    async fn a_handler_that_waits_for_ever_is_cut_off() {
        let response = within(Duration::from_millis(20), std::future::pending()).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    }

    #[test]
    fn what_a_proxy_says_of_addresses_is_believed_of_known_proxies_only() {
        let trusted = ["10.0.0.1", "10.0.8.0/24"].map(|text| proxies(text).expect("an address or a network"));
        let seen = |peer: &str, forwarded: &[&str]| {
            let mut request = Request::new(axum::body::Body::empty());
            let peer: SocketAddr = peer.parse().expect("an address and port");
            request.extensions_mut().insert(ConnectInfo(peer));
            for line in forwarded {
                request.headers_mut().append("x-forwarded-for", HeaderValue::from_str(line).expect("a header"));
            }
            address(&request.into_parts().0, &trusted).map(|address| address.to_string())
        };
        assert_eq!(seen("192.0.2.9:1", &["203.0.113.7"]).as_deref(), Some("192.0.2.9"));
        assert_eq!(seen("10.0.0.1:1", &["203.0.113.7"]).as_deref(), Some("203.0.113.7"));
        // What the client wrote itself stands to the left of what our proxy added.
        assert_eq!(seen("10.0.0.1:1", &["1.2.3.4", "203.0.113.7, 10.0.0.1"]).as_deref(), Some("203.0.113.7"));
        assert_eq!(seen("10.0.0.1:1", &["203.0.113.7, nonsense"]).as_deref(), Some("10.0.0.1"));
        assert_eq!(seen("[::ffff:10.0.0.1]:1", &["203.0.113.7"]).as_deref(), Some("203.0.113.7"));
        // A load balancer has any address of its subnets.
        assert_eq!(seen("10.0.8.77:1", &["1.2.3.4, 203.0.113.7, 10.0.8.12"]).as_deref(), Some("203.0.113.7"));
        assert_eq!(seen("10.0.9.1:1", &["203.0.113.7"]).as_deref(), Some("10.0.9.1"));
    }

    #[test]
    fn networks_are_an_ipv4_24_and_an_ipv6_64() {
        let network = |text: &str| network_of(Some(text.parse().expect("an address")));
        assert_eq!(network("192.0.2.77"), "192.0.2.0/24");
        assert_eq!(network("2001:db8:1:2:3::4"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network_of(None), "unknown");
    }
}
