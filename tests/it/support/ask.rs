//! An authorization request that a test bends: a good one, but for what the test says.

use serde_json::Value;

pub use super::app::encode;
use super::app::{FHIR1, ISSUER, TestApp};
use super::browser::{Browser, Landing};
use super::reply::{Reply, param_of};
pub use super::seed::client;
use super::seed::{VERIFIER, challenge};

/// The parameters, in order.
#[derive(Clone, Debug)]
pub struct Ask(Vec<(String, String)>);

impl Ask {
    /// A good request of this client.
    pub fn of(client: &str) -> Self {
        let challenge = challenge(VERIFIER);
        let good = [
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", redirect_uri_of(client)),
            ("scope", "openid user/Observation.rs"),
            ("state", "a-state"),
            ("aud", FHIR1),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        Self(good.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// The same with this value instead of the one that it had.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        match self.0.iter_mut().find(|(own, _)| own == name) {
            Some(parameter) => value.clone_into(&mut parameter.1),
            None => return self.and(name, value),
        }
        self
    }

    /// The same with one more parameter, whether it is there already or not.
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.0.retain(|(own, _)| own != name);
        self
    }

    pub fn reversed(mut self) -> Self {
        self.0.reverse();
        self
    }

    pub fn pairs(&self) -> Vec<(&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// The path and query that a browser is sent to.
    pub fn path(&self) -> String {
        format!("/authorize?{}", encode(&self.pairs()))
    }

    /// The same with something at the end that no encoder would write.
    pub fn path_and(&self, raw: &str) -> String {
        format!("{}&{raw}", self.path())
    }
}

/// The first redirect URI of a client of the catalogue.
pub fn redirect_uri_of(client: &str) -> &'static str {
    match client {
        "pub" => "http://127.0.0.1/cb",
        "webq" => "https://web.test/cb?tenant=1",
        "strict" => "https://strict.test/cb",
        "post" => "https://post.test/cb",
        "evil" => "https://evil.test/cb",
        "clinic" => "https://clinic.test/cb",
        _ => "https://app.test/cb",
    }
}

impl TestApp {
    /// What a browser that nobody is signed in with is told.
    pub async fn ask(&self, ask: &Ask) -> Reply {
        self.get(&ask.path()).await
    }

    /// The tokens for the code that `landing` brought.
    pub async fn exchange(&self, client: &str, landing: &Landing) -> Value {
        let code = landing.code();
        let form =
            [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", redirect_uri_of(client)), ("code_verifier", VERIFIER)];
        self.token(client, &form).await.json()
    }

    /// `PAGE(error)`: the person is told, nobody is redirected, nothing is kept.
    #[track_caller]
    pub fn assert_person_is_told(&self, reply: &Reply, error: &str, what: &str) {
        assert_eq!(reply.status.as_u16(), 400, "{what}: {}", reply.body);
        reply.assert_page(400, Some(error));
        assert!(reply.headers.get("set-cookie").is_none(), "{what}");
        assert!(!reply.body.contains("<form") && !reply.body.contains("<script") && !reply.body.contains("href=\"http"), "{}", reply.body);
    }

    /// `REDIR(error)`: the app is told, at exactly the address that it asked for, with its state.
    #[track_caller]
    pub fn assert_app_is_told(&self, reply: &Reply, ask: &Ask, error: &str) {
        let sent = |name| ask.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
        let to = sent("redirect_uri").expect("a redirect_uri");
        let mark = if to.contains('?') { '&' } else { '?' };
        assert_eq!(reply.status.as_u16(), 303, "{ask:?}: {}", reply.body);
        reply.assert_redirect_error(&format!("{to}{mark}error={error}&"), error);
        assert_eq!(reply.param("state").as_deref(), sent("state"), "{ask:?}");
        assert!(reply.headers.get("set-cookie").is_none(), "{ask:?}");
    }
}

impl Browser<'_> {
    pub async fn ask(&mut self, ask: &Ask) -> Landing {
        self.go(&ask.path()).await
    }

    /// Signs in without being asked for anything else: an app that needs no consent sees to that.
    pub async fn sign_in(&mut self, username: &str) -> Landing {
        let page = self.ask(&Ask::of("clinic").with("scope", "openid").with("state", "signing-in")).await;
        self.log_in(&page, username).await
    }

    /// Allows everything that is asked for, choosing this patient where one has to be chosen.
    pub async fn go_through(&mut self, mut page: Landing, username: &str, patient: &str) -> Landing {
        if page.path() == "/login" {
            page = self.log_in(&page, username).await;
        }
        if page.path() == "/patient" {
            page = self.pick(&page, patient).await;
        }
        if page.path() == "/consent" {
            page = self.approve(&page).await;
        }
        page
    }
}

impl Landing {
    /// `OKCODE`: the app's address as it was asked for, with code, state and issuer and nothing else.
    #[track_caller]
    pub fn assert_code_at(&self, redirect_uri: &str) {
        let location = self.reply.header("location");
        assert_eq!(self.reply.status.as_u16(), 303, "{redirect_uri} at {}: {}", self.at, self.reply.body);
        let mark = if redirect_uri.contains('?') { '&' } else { '?' };
        let added = location.strip_prefix(&format!("{redirect_uri}{mark}")).unwrap_or_else(|| panic!("{location} is not {redirect_uri}"));
        let names: Vec<&str> = added.split('&').filter_map(|pair| pair.split('=').next()).collect();
        assert_eq!(names, ["code", "state", "iss"], "{location}");
        assert_eq!(param_of(location, "iss").as_deref(), Some(ISSUER), "{location}");
    }
}

/// The claims of a token, unverified.
pub fn claims(token: &Value) -> Value {
    let payload = token.as_str().and_then(|token| token.split('.').nth(1)).expect("a JWT");
    serde_json::from_slice(&admit::token::from_base64url(payload).expect("base64url")).expect("JSON")
}
