//! Which `Host` a request may name. The issuer comes from the configuration; a host that we do not
//! know can only be a mistake or an attack.

use axum::http::Request;
use axum::http::uri::Authority;

/// The hosts that this server answers for, each with its port if it has one.
#[derive(Clone, Debug)]
pub struct AllowedHosts(Vec<String>);

impl AllowedHosts {
    /// The issuer's own, and those that the configuration names.
    #[must_use]
    pub fn new(issuer: &str, more: Vec<String>) -> Self {
        let own = url::Url::parse(issuer).ok().map(|url| url[url::Position::BeforeHost..url::Position::AfterPort].to_owned());
        Self(own.into_iter().chain(more).map(|host| host.to_ascii_lowercase()).collect())
    }

    /// Whether the request names one of them, once and without contradiction (RFC 9112 §3.2).
    #[must_use]
    pub fn admit<B>(&self, request: &Request<B>) -> bool {
        let named: Vec<_> = request.headers().get_all("host").iter().collect();
        let absolute = request.uri().authority().map(Authority::as_str);
        let named = match (named.as_slice(), absolute) {
            ([], Some(authority)) => authority,
            ([host], None) => match host.to_str() {
                Ok(host) => host,
                Err(_) => return false,
            },
            ([host], Some(authority)) if host.as_bytes() == authority.as_bytes() => authority,
            _ => return false,
        };
        let named = named.to_ascii_lowercase();
        self.0.contains(&named)
    }
}
