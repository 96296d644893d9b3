//! What people, apps, services and EHRs do: each step one request, answered or lost.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use admit::clock::Clock;
use admit::token::{CLIENT_ASSERTION_TYPE, client_assertion};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::installation::{APP, CHALLENGE, FHIR_BASE, LAUNCHED, PASSWORD, REDIRECT_URI, VERIFIER};
use super::{Family, Http, Installation, Reply, Tokens};

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Nobody listens: it certainly was not done.
    NotSent,
    /// The connection broke, or the answer took too long: it may have been done.
    NoAnswer,
    /// 503: it may have been done, where the answer was late.
    TurnedAway,
}

/// Everybody beside the server, with the installation's secrets in their hands.
#[derive(Clone)]
pub struct AppOfOurs {
    pub http: Arc<Http>,
    pub installation: Arc<Installation>,
    /// For how long a request that was lost is tried again, where it may be.
    pub patience: Duration,
}

impl AppOfOurs {
    /// From the app's request to its code, in a browser that knows nothing yet.
    pub async fn authorize(&self, nth: u64, is_launched: bool) -> Result<Family, Lost> {
        self.authorize_in(&mut self.browser(nth), nth, is_launched).await
    }

    /// The same in a browser of this person's, who signs in where the server asks for it.
    pub async fn authorize_in(&self, browser: &mut Browser<'_>, nth: u64, is_launched: bool) -> Result<Family, Lost> {
        let person = self.installation.person(nth);
        let patient = self.installation.patient(nth);
        let client = if is_launched { LAUNCHED } else { APP };
        let launch = if is_launched { Some(self.launch(&person, &patient).await?) } else { None };
        let scope = if is_launched { "launch offline_access patient/*.rs" } else { "launch/patient offline_access patient/*.rs" };
        let mut at = browser.get(&authorize(client, scope, launch.as_deref())).await?;
        for _ in 0..5 {
            let Some(path) = at.clone().strip_prefix('/').map(|rest| format!("/{rest}")) else { break };
            let csrf = browser.form(&path).await?;
            let csrf = ("csrf", csrf.as_str());
            at = match path.split('?').next() {
                Some("/login") => {
                    browser.sign_ins += 1;
                    browser.submit(&path, &[csrf, ("username", &person), ("password", PASSWORD)]).await?
                }
                Some("/patient") => browser.submit(&path, &[csrf, ("patient", &patient)]).await?,
                Some("/consent") => {
                    let form = [csrf, ("decision", "approve"), ("scope", "patient/*.rs"), ("scope", "offline_access")];
                    browser.submit(&path, &form).await?
                }
                _ => panic!("the browser is sent to {path}"),
            };
        }
        if at.contains("error=temporarily_unavailable") {
            return Err(Lost::TurnedAway); // how a browser is told what others are told by a 503
        }
        let code = at.split_once("code=").map(|(_, rest)| rest.split('&').next().unwrap_or_default().to_owned());
        let code = code.unwrap_or_else(|| panic!("no code in {at}"));
        Ok(Family { client, patient, launch, code, tokens: vec![], is_revoked: false })
    }

    /// From the app's request to the page after the sign-in.
    pub async fn sign_in(&self, nth: u64) -> Result<(), Lost> {
        let person = self.installation.person(nth);
        let mut browser = self.browser(nth);
        let login = browser.get(&authorize(APP, "launch/patient patient/*.rs", None)).await?;
        let csrf = browser.form(&login).await?;
        let next = browser.submit(&login, &[("csrf", &csrf), ("username", &person), ("password", PASSWORD)]).await?;
        assert!(next.starts_with("/patient"), "after the sign-in comes {next}");
        Ok(())
    }

    /// Exchanges the code, once.
    pub async fn redeem(&self, family: &Family) -> Result<Reply, Lost> {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", family.client),
            ("code", &family.code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
        ];
        self.http.post("/token", &[], &form).await
    }

    /// Presents a refresh token, once.
    pub async fn refresh(&self, client: &str, token: &str) -> Result<Reply, Lost> {
        let form = [("grant_type", "refresh_token"), ("client_id", client), ("refresh_token", token)];
        self.http.post("/token", &[], &form).await
    }

    /// Revokes a token, once.
    pub async fn revoke(&self, client: &str, token: &str) -> Result<Reply, Lost> {
        self.http.post("/revoke", &[], &[("client_id", client), ("token", token)]).await
    }

    /// What a resource server is told of an access token.
    pub async fn introspect(&self, token: &str) -> Result<Reply, Lost> {
        let basic = self.basic("resource-server");
        self.http.post("/introspect", &[("authorization", &basic)], &[("token", token)]).await
    }

    /// A new assertion of the backend service.
    pub fn assertion(&self) -> String {
        client_assertion(&self.installation.signer, "service", &self.installation.issuer, Clock::System.now()).expect("an assertion")
    }

    /// Presents an assertion for a token, once.
    pub async fn assert(&self, assertion: &str) -> Result<Reply, Lost> {
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", "system/Patient.rs"),
            ("client_assertion_type", CLIENT_ASSERTION_TYPE),
            ("client_assertion", assertion),
        ];
        self.http.post("/token", &[], &form).await
    }

    /// What the app is told when it begins with this launch, in a new browser.
    pub async fn begin(&self, launch: &str) -> Result<Reply, Lost> {
        self.http.get(&authorize(LAUNCHED, "launch patient/*.rs", Some(launch)), &[]).await
    }

    /// The EHR has a patient open, and opens the app.
    pub async fn launch(&self, person: &str, patient: &str) -> Result<String, Lost> {
        let basic = self.basic("ehr");
        let form = [("grant_type", "client_credentials"), ("scope", "__launch")];
        let reply = self.http.post("/token", &[("authorization", &basic)], &form).await?;
        assert_eq!(reply.status, 200, "{}", reply.brief());
        let bearer = format!("Bearer {}", reply.text("access_token"));
        let wish = json!({ "client_id": LAUNCHED, "username": person, "patient": patient });
        let reply = self.http.post_json("/launch", &[("authorization", &bearer)], &wish).await?;
        assert_eq!(reply.status, 201, "{}", reply.brief());
        Ok(reply.text("launch"))
    }

    /// One that knows nothing yet. Each person sits in a network of their own: from one network, only so
    /// many may be trying to sign in at a moment.
    pub fn browser(&self, nth: u64) -> Browser<'_> {
        let [.., a, b] = nth.to_be_bytes();
        Browser { app: self, address: format!("10.{a}.{b}.1"), cookies: BTreeMap::new(), sign_ins: 0 }
    }

    fn basic(&self, client: &str) -> String {
        format!("Basic {}", STANDARD.encode(format!("{client}:{}", self.installation.secret)))
    }

    /// Does something until there is an answer, which a client may do where twice is as good as
    /// once; `lost` is told of each that had none, and when it began. Gives up when its patience is over.
    pub async fn until_answered<F>(&self, mut lost: impl FnMut(Lost, Instant), mut once: impl FnMut() -> F) -> Result<Reply, Lost>
    where
        F: Future<Output = Result<Reply, Lost>>,
    {
        let begin = Instant::now();
        loop {
            let asked = Instant::now();
            match once().await {
                Ok(reply) => return Ok(reply),
                Err(why) if begin.elapsed() > self.patience => return Err(why),
                Err(why) => lost(why, asked),
            }
            super::pause(5).await;
        }
    }
}

/// The address that an app sends its browser to.
fn authorize(client: &str, scope: &str, launch: Option<&str>) -> String {
    let mut ask = vec![
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", REDIRECT_URI),
        ("scope", scope),
        ("state", "a-state"),
        ("aud", FHIR_BASE),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    ask.extend(launch.map(|launch| ("launch", launch)));
    format!("/authorize?{}", url::form_urlencoded::Serializer::new(String::new()).extend_pairs(ask).finish())
}

/// The tokens of an answer to this family.
///
/// # Panics
/// Where it is not 200, or speaks of another patient than the one that was approved (I9).
pub fn tokens_of(reply: &Reply, family: &Family) -> Tokens {
    assert_eq!(reply.status, 200, "{}", reply.brief());
    assert_eq!(reply.text("patient"), family.patient, "the patient in the token is the one that was approved");
    Tokens { access: reply.text("access_token"), refresh: reply.text("refresh_token") }
}

/// A browser, with its cookies.
pub struct Browser<'a> {
    app: &'a AppOfOurs,
    /// Where it is, as a proxy would say.
    address: String,
    cookies: BTreeMap<String, String>,
    /// How often its person was asked to sign in.
    pub sign_ins: u32,
}

impl Browser<'_> {
    /// Where an address leads.
    async fn get(&mut self, path: &str) -> Result<String, Lost> {
        let cookies = self.cookies();
        let reply = self.app.http.get(path, &[("cookie", &cookies)]).await?;
        Ok(self.leads(&reply))
    }

    /// The token of the form on a page.
    async fn form(&mut self, path: &str) -> Result<String, Lost> {
        let cookies = self.cookies();
        let reply = self.app.http.get(path, &[("cookie", &cookies)]).await?;
        assert_eq!(reply.status, 200, "{path}: {}", reply.brief());
        self.keep(&reply);
        let csrf = reply.body.split_once("name=\"csrf\" value=\"").and_then(|(_, rest)| rest.split('"').next());
        Ok(csrf.expect("a form").to_owned())
    }

    /// Where a form leads.
    async fn submit(&mut self, path: &str, form: &[(&str, &str)]) -> Result<String, Lost> {
        let cookies = self.cookies();
        let headers = [
            ("cookie", cookies.as_str()),
            ("origin", self.app.installation.issuer.as_str()),
            ("sec-fetch-site", "same-origin"),
            ("x-forwarded-for", self.address.as_str()),
        ];
        let reply = self.app.http.post(path, &headers, form).await?;
        Ok(self.leads(&reply))
    }

    fn leads(&mut self, reply: &Reply) -> String {
        assert_eq!(reply.status, 303, "{}", reply.brief());
        self.keep(reply);
        let location = reply.header("location");
        location.strip_prefix(&self.app.installation.issuer).unwrap_or(location).to_owned()
    }

    fn keep(&mut self, reply: &Reply) {
        for line in reply.headers.get_all("set-cookie") {
            let pair = line.to_str().ok().and_then(|line| line.split(';').next()).and_then(|pair| pair.split_once('='));
            let (name, value) = pair.expect("a cookie");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    fn cookies(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }
}
