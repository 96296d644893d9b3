//! Where a browser may be sent back to.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// A redirect URI that was registered, or one that differs from it by the port of a loopback
/// address only. Compared byte for byte: a parser would tidy away the very things that attacks
/// are made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RedirectUri(String);

/// Why a redirect URI cannot be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRedirectUri {
    /// Not an absolute URI, or one that a parser reads otherwise than it stands.
    #[error("it must be an absolute URI, written in its plain form")]
    NotPlain,
    /// RFC 6749 §3.1.2
    #[error("it must not have a fragment (# and what follows)")]
    Fragment,
    /// `user@host`
    #[error("it must not have a user name")]
    UserInfo,
    /// RFC 9700 §2.1
    #[error("plain http is for loopback addresses only: use https")]
    PlainHttp,
    /// RFC 8252 §7.1
    #[error("a scheme of an app's own must be a reversed domain name with a single slash, such as com.example.app:/callback")]
    Scheme,
}

impl RedirectUri {
    /// Checks a URI that an administrator registers (RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.1).
    ///
    /// # Errors
    /// [`BadRedirectUri`] says what to change.
    pub fn register(text: &str) -> Result<Self, BadRedirectUri> {
        if text.contains('#') {
            return Err(BadRedirectUri::Fragment);
        }
        let url = url::Url::parse(text).map_err(|_| BadRedirectUri::NotPlain)?;
        // What the parser changes is what a browser would change as well: `/../`, capitals, tabs.
        if url.as_str() != text && url.as_str() != format!("{text}/") {
            return Err(BadRedirectUri::NotPlain);
        }
        if text.contains(|c: char| c.is_control() || c.is_whitespace() || !c.is_ascii() || "\\\"<>".contains(c)) {
            return Err(BadRedirectUri::NotPlain);
        }
        match url.scheme() {
            "https" | "http" => {
                if !url.username().is_empty() || url.password().is_some() {
                    return Err(BadRedirectUri::UserInfo);
                }
                // It would match nothing here, and everything in a page's `form-action`.
                if url.host_str().is_some_and(|host| host.contains('*')) {
                    return Err(BadRedirectUri::NotPlain);
                }
                if url.scheme() == "http" && !is_loopback(&url) {
                    return Err(BadRedirectUri::PlainHttp);
                }
            }
            scheme => {
                let path = &text[scheme.len() + 1..];
                if !scheme.contains('.') || !path.starts_with('/') || path.starts_with("//") {
                    return Err(BadRedirectUri::Scheme);
                }
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// As it stands.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `asked` is this URI, or this URI on another port of the same loopback address
    /// (RFC 8252 §7.3).
    #[must_use]
    pub fn admits(&self, asked: &str) -> bool {
        self.0 == asked
            || LOOPBACK.iter().any(|address| {
                let (Some(own), Some(asked)) = (self.0.strip_prefix(address), asked.strip_prefix(address)) else { return false };
                matches!((without_port(own), without_port(asked)), (Some(own), Some(asked)) if own == asked)
            })
    }

    /// `https://app.example` of `https://app.example/callback`; an app's own scheme has none.
    #[must_use]
    pub fn origin(&self) -> Option<String> {
        let url = url::Url::parse(&self.0).ok()?;
        matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
    }

    /// What a page's `form-action` has to name so that a redirect to this URI passes: an origin,
    /// or an app's own scheme.
    #[must_use]
    pub fn form_action(&self) -> String {
        // A source of CSP can be no IPv6 address (CSP3 §2.3.1): there the scheme has to do.
        let origin = self.origin().filter(|origin| !origin.contains('['));
        origin.unwrap_or_else(|| format!("{}:", self.0.split(':').next().unwrap_or_default()))
    }

    /// The host, for a person to recognise; for an app's own scheme, the scheme.
    #[must_use]
    pub fn host(&self) -> String {
        let url = url::Url::parse(&self.0).ok();
        url.as_ref().and_then(|url| url.host_str()).map_or_else(|| self.form_action(), str::to_owned)
    }
}

fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Addresses whose port is not looked at (RFC 8252 §7.3).
const LOOPBACK: [&str; 2] = ["http://127.0.0.1", "http://[::1]"];

/// A web origin as browser apps are looked up by it: one on a loopback address may have any port,
/// as its redirect URI may.
#[must_use]
pub fn without_loopback_port(origin: &str) -> &str {
    let is_at = |address: &&str| origin.strip_prefix(*address).and_then(without_port) == Some("");
    LOOPBACK.into_iter().find(is_at).unwrap_or(origin)
}

/// What follows a loopback address, without its port. `None` where that is no port and path.
fn without_port(rest: &str) -> Option<&str> {
    let Some(rest) = rest.strip_prefix(':') else {
        return (rest.is_empty() || rest.starts_with(['/', '?'])).then_some(rest);
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (port, path) = rest.split_at(end);
    let is_number = !port.is_empty() && !port.starts_with('0') && port.bytes().all(|b| b.is_ascii_digit());
    (is_number && port.parse::<u16>().is_ok()).then_some(path)
}

/// How the answer travels (OAuth 2.0 Multiple Response Types §2.1, Form Post Response Mode).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the query of the redirect URI.
    #[default]
    Query,
    /// In the fragment: only ever an error, for response types that we refuse.
    Fragment,
    /// By a form that posts itself.
    FormPost,
}

/// The proof that an answer may be sent to the app: it exists only for a redirect URI that the
/// client has registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnTo {
    uri: RedirectUri,
    /// Given back byte for byte.
    pub state: Option<String>,
    /// How the answer travels.
    pub mode: ResponseMode,
}

impl ReturnTo {
    /// `None` when `asked` is not registered: there is nowhere to send the browser to.
    #[must_use]
    pub fn new(registered: &[RedirectUri], asked: &str) -> Option<Self> {
        registered.iter().any(|own| own.admits(asked)).then(|| Self {
            uri: RedirectUri(asked.to_owned()),
            state: None,
            mode: ResponseMode::Query,
        })
    }

    /// The URI as the app sent it.
    #[must_use]
    pub fn uri(&self) -> &RedirectUri {
        &self.uri
    }

    /// The members of an answer: what there is to say, the app's `state`, and who says it
    /// (RFC 9207).
    #[must_use]
    pub fn members(&self, answer: &[(&str, &str)], issuer: &str) -> Vec<(String, String)> {
        let mut members: Vec<_> = answer.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        members.extend(self.state.iter().map(|state| ("state".to_owned(), state.clone())));
        members.push(("iss".to_owned(), issuer.to_owned()));
        members
    }

    /// The redirect URI with these members; what it had in its query stays there.
    #[must_use]
    pub fn location(&self, members: &[(String, String)]) -> String {
        let mut location = self.uri.0.clone();
        let mut mark = match self.mode {
            ResponseMode::Fragment => '#',
            _ if location.contains('?') => '&',
            _ => '?',
        };
        for (name, value) in members {
            location.push(mark);
            location.extend(utf8_percent_encode(name, ENCODED));
            location.push('=');
            location.extend(utf8_percent_encode(value, ENCODED));
            mark = '&';
        }
        location
    }
}

/// Everything but the unreserved characters of RFC 3986: what is encoded in a query.
pub const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    fn registered(text: &str) -> RedirectUri {
        RedirectUri::register(text).expect("a URI that can be registered")
    }

    /// RU-10, RU-12
    #[test]
    fn what_is_dangerous_cannot_be_registered() {
        for bad in [
            "javascript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "java\nscript:alert(1)",
            "//evil.test",
            "cb",
            "",
            "http://app.test/cb",
            "https://app.test/cb#x",
            "https://user@app.test/cb",
            "https://app.test/a/../cb",
            "HTTPS://app.test/cb",
            "https://APP.test/cb",
            "https://app.test:443/cb",
            "https://g\u{ff4f}od.test/cb",
            "https://app.test/cb\t",
            "com.example.app://cb",
            "myapp:/cb",
            "https://app.test\\@evil.test/cb",
            "com.example.app:cb",
            "https://*.app.test/cb",
        ] {
            assert!(RedirectUri::register(bad).is_err(), "{bad:?}");
        }
        for good in [
            "https://app.test/cb",
            "https://app.test/cb?tenant=1",
            "https://app.test",
            "http://127.0.0.1/cb",
            "http://[::1]:81/cb",
            "http://localhost:9000/cb",
            "com.example.app:/cb",
        ] {
            assert!(RedirectUri::register(good).is_ok(), "{good:?}");
        }
    }

    /// RU-03, RU-04, RU-08
    #[test]
    fn only_the_same_bytes_are_admitted() {
        let plain = registered("https://app.test/cb");
        for other in [
            "https://app.test/cb/",
            "https://app.test/cbx",
            "https://app.test/cb/x",
            "https://app.test/c",
            "https://app.test/cb.",
            "https://app.test/cb?foo=bar",
            "https://app.test@evil.test/cb",
            "https://app.test:x@evil.test/cb",
            "https://evil.test\\@app.test/cb",
            "https://app.test.evil.test/cb",
            "https://app.test%2eevil.test/cb",
            "https://app.test:443/cb",
            "https://APP.test/cb",
            "",
        ] {
            assert!(!plain.admits(other), "{other:?}");
        }
        let query = registered("https://web.test/cb?tenant=1");
        for other in ["https://web.test/cb?tenant=2", "https://web.test/cb?tenant=1&x=2", "https://web.test/cb"] {
            assert!(!query.admits(other), "{other:?}");
        }
    }

    /// RU-13, RU-14, RU-16
    #[test]
    fn a_loopback_address_may_change_its_port_and_nothing_else() {
        let v4 = registered("http://127.0.0.1/cb");
        let v6 = registered("http://[::1]/cb");
        assert!(v4.admits("http://127.0.0.1:51004/cb") && v6.admits("http://[::1]:61023/cb"));
        for other in [
            "http://127.0.0.1:51004/CB",
            "http://127.0.0.1:51004/cb?x=1",
            "http://localhost:51004/cb",
            "http://127.0.0.2:1/cb",
            "http://127.000.000.001:1/cb",
            "http://0x7f.1:1/cb",
            "http://[::ffff:127.0.0.1]:1/cb",
            "https://127.0.0.1:1/cb",
            "http://127.0.0.1:80@evil.test/cb",
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:65536/cb",
            "http://127.0.0.1:1e3/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1.evil.test/cb",
            "http://127.0.0.1:080/cb",
        ] {
            assert!(!v4.admits(other), "{other:?}");
        }
        let own = registered("com.example.app:/cb");
        for other in ["com.example.app://cb", "COM.EXAMPLE.APP:/cb", "com.example.app:/cb#"] {
            assert!(!own.admits(other), "{other:?}");
        }
        assert_eq!(own.form_action(), "com.example.app:");
        assert_eq!((v4.form_action().as_str(), v6.form_action().as_str()), ("http://127.0.0.1", "http:"));
    }

    /// RU-13
    #[test]
    fn a_web_origin_on_a_loopback_address_is_the_same_on_every_port() {
        for (origin, plain) in [
            ("http://127.0.0.1:51004", "http://127.0.0.1"),
            ("http://127.0.0.1", "http://127.0.0.1"),
            ("http://[::1]:61023", "http://[::1]"),
            ("http://localhost:9000", "http://localhost:9000"),
            ("https://127.0.0.1:1", "https://127.0.0.1:1"),
            ("http://127.0.0.1:1.evil.test", "http://127.0.0.1:1.evil.test"),
            ("http://127.0.0.1.evil.test", "http://127.0.0.1.evil.test"),
            ("http://127.0.0.1:1/", "http://127.0.0.1:1/"),
        ] {
            assert_eq!(without_loopback_port(origin), plain, "{origin}");
        }
    }

    /// AR-16, RU-21
    #[test]
    fn an_answer_keeps_the_query_and_encodes_the_state() {
        let mut to = ReturnTo::new(&[registered("https://web.test/cb?tenant=1")], "https://web.test/cb?tenant=1").expect("registered");
        to.state = Some("a b\r\nSet-Cookie: x=\u{1f9d1}<script>".to_owned());
        let location = to.location(&to.members(&[("code", "sc_1")], "https://idp.test"));
        assert_eq!(
            location,
            "https://web.test/cb?tenant=1&code=sc_1&state=a%20b%0D%0ASet-Cookie%3A%20x%3D%F0%9F%A7%91%3Cscript%3E&iss=https%3A%2F%2Fidp.test"
        );
    }
}
