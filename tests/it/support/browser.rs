//! A browser without a screen: it keeps cookies, follows redirects within the server, and submits
//! the form on the page.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Request;

use super::app::encode;
use super::reply::param_of;
use super::{FHIR1, ISSUER, PASSWORD, Reply, TestApp, VERIFIER, challenge};

/// One browser, with its cookies.
pub struct Browser<'a> {
    app: &'a TestApp,
    cookies: BTreeMap<String, String>,
    /// Headers that go with every request, such as `x-forwarded-for`.
    pub headers: Vec<(String, String)>,
    /// The address that its requests come in from.
    pub peer: Option<String>,
}

/// Where a browser has come to: a page of ours, or an address of an app's.
#[derive(Clone, Debug)]
pub struct Landing {
    pub reply: Reply,
    /// The path and query that was answered.
    pub at: String,
}

impl Landing {
    /// The path, without its query.
    pub fn path(&self) -> &str {
        self.at.split('?').next().unwrap_or_default()
    }

    /// The flow's id, from the address.
    pub fn flow(&self) -> String {
        param_of(&self.at, "flow").expect("a flow in the address")
    }

    /// The hidden token of the form.
    pub fn csrf(&self) -> String {
        let rest =
            self.reply.body.split("name=\"csrf\" value=\"").nth(1).unwrap_or_else(|| panic!("no form at {}: {}", self.at, self.reply.body));
        rest.split('"').next().unwrap_or_default().to_owned()
    }

    /// The values of the ticked boxes.
    pub fn scopes(&self) -> Vec<String> {
        self.boxes().into_iter().filter(|(_, is_ticked)| *is_ticked).map(|(value, _)| value).collect()
    }

    /// Every box for a scope, and whether it is ticked.
    pub fn boxes(&self) -> Vec<(String, bool)> {
        let boxes = self.reply.body.split("name=\"scope\"").skip(1).filter_map(|rest| rest.split('>').next());
        let plain = |text: &str| text.replace("&#60;", "<").replace("&#62;", ">").replace("&#39;", "'").replace("&#38;", "&");
        let value = |input: &str| input.split("value=\"").nth(1)?.split('"').next().map(plain);
        boxes.filter_map(|input| Some((value(input)?, input.contains(" checked")))).collect()
    }

    /// The code that the app was sent.
    #[track_caller]
    pub fn code(&self) -> String {
        assert_eq!(self.reply.status.as_u16(), 303, "at {}: {}", self.at, self.reply.body);
        self.reply.param("code").unwrap_or_else(|| panic!("no code in {}", self.reply.header("location")))
    }
}

impl<'a> Browser<'a> {
    pub fn new(app: &'a TestApp) -> Self {
        Self { app, cookies: BTreeMap::new(), headers: vec![], peer: None }
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.get(name).cloned()
    }

    /// All of them, as they go into a request.
    pub fn cookies(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    pub fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    pub fn forget_cookie(&mut self, name: &str) {
        self.cookies.remove(name);
    }

    /// One request, no redirect followed.
    pub async fn send(&mut self, mut request: Request<Body>) -> Reply {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request.headers_mut().insert("cookie", cookies.join("; ").parse().expect("cookies"));
        }
        for (name, value) in &self.headers {
            let name: axum::http::HeaderName = name.parse().expect("a header's name");
            request.headers_mut().insert(name, value.parse().expect("a header"));
        }
        if let Some(peer) = &self.peer {
            request = super::visit::from_peer(request, peer);
        }
        let reply = self.app.call(request).await;
        for line in reply.headers.get_all("set-cookie") {
            let line = line.to_str().expect("a cookie");
            let (pair, attributes) = line.split_once(';').expect("attributes");
            let (name, value) = pair.split_once('=').expect("a pair");
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        reply
    }

    /// Goes to an address and follows redirects as long as they stay on the server.
    pub async fn go(&mut self, path: &str) -> Landing {
        let reply = self.send(Request::get(path).body(Body::empty()).expect("a request")).await;
        self.follow(path.to_owned(), reply).await
    }

    /// Submits a form from one of our own pages.
    pub async fn submit(&mut self, path: &str, form: &[(&str, &str)]) -> Landing {
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", ISSUER)
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(encode(form)));
        let reply = self.send(request.expect("a request")).await;
        self.follow(path.to_owned(), reply).await
    }

    async fn follow(&mut self, mut at: String, mut reply: Reply) -> Landing {
        for _ in 0..10 {
            let location = reply.header("location").to_owned();
            let location = location.strip_prefix(ISSUER).map_or(location.clone(), str::to_owned);
            if reply.status.as_u16() != 303 || !location.starts_with('/') {
                return Landing { reply, at };
            }
            reply = self.send(Request::get(&location).body(Body::empty()).expect("a request")).await;
            at = location;
        }
        panic!("too many redirects, the last to {at}");
    }

    /// Begins at `/authorize` with these parameters.
    pub async fn authorize(&mut self, params: &[(&str, &str)]) -> Landing {
        self.go(&format!("/authorize?{}", encode(params))).await
    }

    /// Signs in on the page at hand.
    pub async fn log_in(&mut self, page: &Landing, username: &str) -> Landing {
        self.log_in_with(page, username, PASSWORD).await
    }

    pub async fn log_in_with(&mut self, page: &Landing, username: &str, password: &str) -> Landing {
        assert_eq!(page.path(), "/login", "{}", page.reply.body);
        self.submit(&page.at, &[("csrf", &page.csrf()), ("username", username), ("password", password)]).await
    }

    pub async fn pick(&mut self, page: &Landing, patient: &str) -> Landing {
        assert_eq!(page.path(), "/patient", "{}", page.reply.body);
        self.submit(&page.at, &[("csrf", &page.csrf()), ("patient", patient)]).await
    }

    /// Allows everything that is ticked.
    pub async fn approve(&mut self, page: &Landing) -> Landing {
        let scopes = page.scopes();
        self.approve_only(page, &scopes.iter().map(String::as_str).collect::<Vec<_>>()).await
    }

    pub async fn approve_only(&mut self, page: &Landing, scopes: &[&str]) -> Landing {
        assert_eq!(page.path(), "/consent", "{}", page.reply.body);
        let csrf = page.csrf();
        let mut form = vec![("csrf", csrf.as_str()), ("decision", "approve")];
        form.extend(scopes.iter().map(|scope| ("scope", *scope)));
        self.submit(&page.at, &form).await
    }

    /// A whole launch of `client` with these scopes, as far as the app's address.
    pub async fn launch(&mut self, client: &str, redirect_uri: &str, scope: &str, username: &str, patient: Option<&str>) -> Landing {
        let challenge = challenge(VERIFIER);
        let mut page = self.authorize(&request(client, redirect_uri, scope, &challenge)).await;
        if page.path() == "/login" {
            page = self.log_in(&page, username).await;
        }
        if page.path() == "/patient" {
            page = self.pick(&page, patient.expect("a patient to pick")).await;
        }
        if page.path() == "/consent" {
            page = self.approve(&page).await;
        }
        page
    }
}

/// A good authorization request.
pub fn request<'p>(client: &'p str, redirect_uri: &'p str, scope: &'p str, challenge: &'p str) -> Vec<(&'p str, &'p str)> {
    vec![
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", redirect_uri),
        ("scope", scope),
        ("state", "a-state"),
        ("aud", FHIR1),
        ("code_challenge", challenge),
        ("code_challenge_method", "S256"),
    ]
}
