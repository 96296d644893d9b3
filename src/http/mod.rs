//! The HTTP client of both artefacts: key sets are fetched with it, and whoever has to be asked is asked with it.
//!
//! It speaks HTTP/1.1 over TLS to public authorities, which are compiled in (so that no file of the system has to
//! be found and read when a Lambda starts), and to those that a setting adds. It follows no redirect and
//! knows no proxy: where an address leads is for the settings to say, not for a stranger's answer or the environment.
//!
//! Where somebody else names the address, [`Http::to_the_public`] reaches public addresses alone: the address that a name
//! resolves to is the one that is looked at, and the one that is connected to.

mod public;

use std::error::Error;
use std::io;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AGE, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use public::{Resolver, is_public_url};

/// How long an idle connection is kept. Lambda stops us between events, and what lies between us and the other end
/// forgets quiet connections after some minutes.
const KEEP_IDLE: Duration = Duration::from_secs(60);

/// An HTTP client. Its clones share their connections.
#[derive(Clone)]
pub struct Http {
    client: Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>,
    only_public: bool,
    deadline: Duration,
    max_bytes: usize,
}

/// What came back, whatever its status.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status, such as 200.
    pub status: u16,
    /// The header `Content-Type` as it was sent; `None` where there is none, or it is not text.
    pub content_type: Option<String>,
    /// For how many seconds the answer may be kept (RFC 9111 §4.2.1: what `Cache-Control` says, less its `Age`); `None`
    /// where it does not say.
    pub max_age: Option<u64>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// Why there is no answer. The texts hold nothing of what was asked or answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Neither `https` nor this very machine, no address at all, or one that may not be asked.
    #[error("the address is not an https:// URL")]
    Address,
    /// A header that is to be sent is none.
    #[error("a header cannot be sent")]
    Header,
    /// The deadline passed.
    #[error("timeout")]
    Timeout,
    /// Nobody was reached, or it was not HTTP.
    #[error("no answer")]
    NoAnswer,
    /// Somebody was reached over TLS who cannot be trusted: a certificate by an unknown authority, of another name, out of
    /// its time, or no TLS at all.
    #[error("the other end is not to be trusted")]
    NotTrusted,
    /// An answer, but not 200.
    #[error("the answer is not 200")]
    Status,
    /// The connection ended before the answer did.
    #[error("the answer broke off")]
    BrokeOff,
    /// More than is read of any answer.
    #[error("the answer is too large")]
    TooLarge,
}

/// The HTTP client could not be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoClient {
    /// The cryptography at hand lacks what TLS 1.2 and 1.3 ask for.
    #[error("TLS cannot be set up")]
    Tls,
    /// The further authorities are not certificates in PEM, or there are none.
    #[error("the further authorities are no certificates in PEM")]
    Authorities,
}

impl Http {
    /// A client that believes the public authorities, and those in `authorities` (certificates in PEM) as well. Each call
    /// has to end by `deadline`; of no answer are more than `max_bytes` read.
    ///
    /// # Errors
    /// [`NoClient`]
    pub fn new(authorities: Option<&[u8]>, deadline: Duration, max_bytes: usize) -> Result<Self, NoClient> {
        Self::build(authorities, deadline, max_bytes, false)
    }

    /// The same for addresses that somebody else names: https alone, and public addresses alone.
    ///
    /// # Errors
    /// [`NoClient`]
    pub fn to_the_public(authorities: Option<&[u8]>, deadline: Duration, max_bytes: usize) -> Result<Self, NoClient> {
        Self::build(authorities, deadline, max_bytes, true)
    }

    fn build(authorities: Option<&[u8]>, deadline: Duration, max_bytes: usize, only_public: bool) -> Result<Self, NoClient> {
        let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        if let Some(pem) = authorities {
            let before = roots.len();
            for certificate in CertificateDer::pem_slice_iter(pem) {
                roots.add(certificate.map_err(|_| NoClient::Authorities)?).map_err(|_| NoClient::Authorities)?;
            }
            if roots.len() == before {
                return Err(NoClient::Authorities);
            }
        }
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let tls = ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .map_err(|_| NoClient::Tls)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        // Plain HTTP is let through to this machine alone: see `address`.
        let mut connector = HttpConnector::new_with_resolver(Resolver::new(only_public));
        connector.enforce_http(false);
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).pool_idle_timeout(KEEP_IDLE).build(connector);
        Ok(Self { client, only_public, deadline, max_bytes })
    }

    /// The body of a 200 from this URL.
    ///
    /// # Errors
    /// [`Fault`]
    pub async fn get(&self, url: &str, headers: &[(&str, &str)]) -> Result<Vec<u8>, Fault> {
        self.fetch(url, headers).await.map(|answer| answer.body)
    }

    /// A 200 from this URL.
    ///
    /// # Errors
    /// [`Fault`]
    pub async fn fetch(&self, url: &str, headers: &[(&str, &str)]) -> Result<Answer, Fault> {
        self.ask(self.request(Method::GET, url, headers, String::new())?, true).await
    }

    /// The answer at this URL.
    ///
    /// # Errors
    /// [`Fault`], but for [`Fault::Status`]: the status is the caller's to judge.
    pub async fn look(&self, url: &str, headers: &[(&str, &str)]) -> Result<Answer, Fault> {
        self.ask(self.request(Method::GET, url, headers, String::new())?, false).await
    }

    /// The answer to a form, which is given URL-encoded. It may be sent twice: see [`Http::ask`].
    ///
    /// # Errors
    /// As [`Http::look`].
    pub async fn post_form(&self, url: &str, headers: &[(&str, &str)], form: String) -> Result<Answer, Fault> {
        self.post(url, headers, "application/x-www-form-urlencoded", form).await
    }

    /// The answer to a JSON text. It may be sent twice as well.
    ///
    /// # Errors
    /// As [`Http::post_form`].
    pub async fn post_json(&self, url: &str, json: String) -> Result<Answer, Fault> {
        self.post(url, &[], "application/json", json).await
    }

    async fn post(&self, url: &str, headers: &[(&str, &str)], kind: &'static str, body: String) -> Result<Answer, Fault> {
        let mut request = self.request(Method::POST, url, headers, body)?;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        self.ask(request, false).await
    }

    /// Asks, and once more where that fails at once: the connection may be one that was kept, and that the other end
    /// dropped while Lambda had stopped us. Reading a key set and introspecting a token change nothing, so twice is no harm.
    async fn ask(&self, request: Request<Full<Bytes>>, only_200: bool) -> Result<Answer, Fault> {
        let asking = async {
            let response = match self.client.request(request.clone()).await {
                Err(error) if !error.is_connect() => self.client.request(request).await,
                first => first,
            };
            let response = response.map_err(|error| if is_of_tls(&error) { Fault::NotTrusted } else { Fault::NoAnswer })?;
            if only_200 && response.status() != StatusCode::OK { Err(Fault::Status) } else { self.read(response).await }
        };
        tokio::time::timeout(self.deadline, asking).await.unwrap_or(Err(Fault::Timeout))
    }

    async fn read(&self, response: Response<Incoming>) -> Result<Answer, Fault> {
        let (head, body) = response.into_parts();
        let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let max_age = max_age(&head.headers);
        let whole = Limited::new(body, self.max_bytes).collect().await;
        let body = whole.map_err(|error| if error.is::<LengthLimitError>() { Fault::TooLarge } else { Fault::BrokeOff })?;
        Ok(Answer { status: head.status.as_u16(), content_type, max_age, body: body.to_bytes().into() })
    }

    fn request(&self, method: Method, url: &str, headers: &[(&str, &str)], body: String) -> Result<Request<Full<Bytes>>, Fault> {
        let address = address(url).filter(|uri| !self.only_public || is_public_url(uri)).ok_or(Fault::Address)?;
        let mut request = Request::builder().method(method).uri(address);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Full::from(body)).map_err(|_| Fault::Header)
    }
}

/// Whether TLS is behind this error. An I/O error hides what it was made of from `source`, and shows what is behind that.
fn is_of_tls(error: &(dyn Error + 'static)) -> bool {
    let made_of = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    error.is::<rustls::Error>() || made_of.is_some_and(|inner| is_of_tls(inner)) || error.source().is_some_and(is_of_tls)
}

/// Whether this URL may be asked at all: whoever can change an answer on its way can sign tokens, so it takes TLS, or this
/// very machine. A URL with a user name in it is refused: the name would not be sent.
#[must_use]
pub fn may_ask(url: &str) -> bool {
    address(url).is_some()
}

/// Whether this is a URL with a scheme and a host.
#[must_use]
pub fn is_url(text: &str) -> bool {
    text.parse::<Uri>().is_ok_and(|uri| uri.scheme().is_some() && uri.authority().is_some())
}

fn address(url: &str) -> Option<Uri> {
    let uri: Uri = url.parse().ok()?;
    let authority = uri.authority()?.as_str();
    if authority.contains('@') {
        return None;
    }
    match uri.scheme_str()? {
        "https" => Some(uri),
        "http" if matches!(uri.host()?, "localhost" | "127.0.0.1" | "[::1]") => Some(uri),
        _ => None,
    }
}

/// What a `Cache-Control` leaves of an answer's life. A directive that cannot be read leaves nothing.
fn max_age(headers: &HeaderMap) -> Option<u64> {
    let mut lines = headers.get_all(CACHE_CONTROL).iter().peekable();
    lines.peek()?;
    let mut life = None;
    for line in lines {
        let Ok(line) = line.to_str() else { return Some(0) };
        for directive in line.split(',').map(|directive| directive.trim().to_ascii_lowercase()) {
            let (name, value) = directive.split_once('=').unwrap_or((&directive, ""));
            let seconds = match name {
                "no-store" | "no-cache" => 0,
                "max-age" => value.trim_matches('"').parse().unwrap_or(0),
                _ => continue,
            };
            life = Some(life.map_or(seconds, |life: u64| life.min(seconds)));
        }
    }
    let age = headers.get(AGE).and_then(|age| age.to_str().ok()?.parse().ok()).unwrap_or(0);
    life.map(|life| life.saturating_sub(age))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    fn client(deadline_ms: u64) -> Http {
        Http::new(None, Duration::from_millis(deadline_ms), 64).expect("a client")
    }

    /// A server that gives each connection the next of these, and then closes it.
    async fn scripted(script: &'static [&'static str]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/x", listener.local_addr().expect("an address"));
        tokio::spawn(async move {
            for text in script {
                let (mut connection, _) = listener.accept().await.expect("a caller");
                let _ = connection.read(&mut [0; 4096]).await;
                let _ = connection.write_all(text.as_bytes()).await;
            }
        });
        url
    }

    #[tokio::test]
    async fn every_way_to_fail_has_its_name() {
        for (text, fault) in [
            ("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/y\r\ncontent-length: 0\r\n\r\n", Fault::Status),
            ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", Fault::BrokeOff),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 65\r\n\r\n12345678901234567890123456789012345678901234567890123456789012345",
                Fault::TooLarge,
            ),
        ] {
            let url = scripted(Box::leak(Box::new([text]))).await;
            assert_eq!(client(5000).get(&url, &[]).await.err(), Some(fault), "{text}");
        }
        let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", silent.local_addr().expect("an address"));
        assert_eq!(client(50).get(&url, &[]).await.err(), Some(Fault::Timeout));
        drop(silent);
        assert_eq!(client(5000).get(&url, &[]).await.err(), Some(Fault::NoAnswer));
        assert_eq!(client(5000).get("http://idp.test/", &[]).await.err(), Some(Fault::Address));
        assert_eq!(client(5000).get(&url, &[("a", "b\n")]).await.err(), Some(Fault::Header));
    }

    #[tokio::test]
    async fn a_form_has_its_answer_whatever_the_status() {
        let url = scripted(&["HTTP/1.1 401 No\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"]).await;
        let answer = client(5000).post_form(&url, &[("authorization", "Basic eA==")], "token=x".to_owned()).await.expect("an answer");
        assert_eq!(
            (answer.status, answer.content_type.as_deref(), answer.body.as_slice()),
            (401, Some("application/json"), b"{}".as_slice())
        );
    }

    /// A connection that was kept may be dead when Lambda lets us run again.
    #[tokio::test]
    async fn a_connection_that_ends_without_a_word_is_tried_once_more() {
        let url = scripted(&["", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"]).await;
        assert_eq!(client(5000).get(&url, &[]).await.as_deref(), Ok(b"ok".as_slice()));
        let url = scripted(&["", "", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"]).await;
        assert_eq!(client(5000).get(&url, &[]).await, Err(Fault::NoAnswer));
    }

    #[test]
    fn only_tls_or_this_machine_may_be_asked() {
        for good in
            ["https://idp.test/jwks", "https://idp.test:8443", "http://127.0.0.1:8080/jwks", "http://localhost/jwks", "http://[::1]/x"]
        {
            assert!(may_ask(good), "{good}");
        }
        for bad in [
            "",
            "idp.test",
            "/jwks",
            "http://idp.test/jwks",
            "ftp://idp.test/",
            "file:///etc/jwks",
            "http://127.0.0.1.evil.test/jwks",
            "http://127.0.0.1@evil.test/jwks",
            "https://user:word@idp.test/",
        ] {
            assert!(!may_ask(bad), "{bad}");
        }
    }

    #[test]
    fn further_authorities_are_certificates_or_nothing() {
        let new = |pem: &str| Http::new(Some(pem.as_bytes()), Duration::from_secs(1), 1).err();
        for bad in ["", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nAAAA\n"] {
            assert_eq!(new(bad), Some(NoClient::Authorities), "{bad}");
        }
    }

    #[test]
    fn an_answer_is_kept_no_longer_than_it_says() {
        let life = |lines: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(*name, HeaderValue::from_static(value));
            }
            max_age(&headers)
        };
        assert_eq!(life(&[]), None);
        assert_eq!(life(&[("cache-control", "public")]), None);
        assert_eq!(life(&[("cache-control", "public, Max-Age=60, must-revalidate")]), Some(60));
        assert_eq!(life(&[("cache-control", "max-age=60"), ("age", "45")]), Some(15));
        assert_eq!(life(&[("cache-control", "max-age=60"), ("age", "61")]), Some(0));
        assert_eq!(life(&[("cache-control", "max-age=600"), ("cache-control", "max-age=60")]), Some(60));
        for none in ["no-store", "no-cache", "max-age=600, no-store", "max-age=soon", "max-age=-1", "max-age"] {
            assert_eq!(life(&[("cache-control", none)]), Some(0), "{none}");
        }
    }
}
