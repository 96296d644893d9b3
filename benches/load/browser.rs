//! A person in a browser, and the app that they came from.

use admit::pkce::Verifier;
use serde_json::Value;

use crate::connection::{Answer, Connection, get, post};
use crate::stage::{FHIR_BASE, Hash, PASSWORD, REDIRECT_URI, SCOPE, next_person};

const VERIFIER: &str = "a-verifier-of-at-least-43-characters-0123456789";

/// One visit: a new browser that knows nothing yet, on a connection that is kept.
pub struct Browser<'c> {
    connection: &'c mut Connection,
    port: u16,
    cookies: String,
}

/// What a flow ends with.
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

/// Where an answer leads, and the token of the form on it.
struct Page {
    location: String,
    csrf: String,
}

impl<'c> Browser<'c> {
    pub fn new(connection: &'c mut Connection, port: u16) -> Self {
        Self { connection, port, cookies: String::new() }
    }

    /// From the app to the page that asks for the password. Returns where it is, and its form's token.
    pub async fn arrive(&mut self, client: &str) -> Result<(String, String), String> {
        let challenge = Verifier::parse(VERIFIER).map(|verifier| verifier.challenge().as_str().to_owned()).unwrap_or_default();
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("response_type", "code"),
                ("client_id", client),
                ("redirect_uri", REDIRECT_URI),
                ("scope", SCOPE),
                ("state", "a-state-of-the-app"),
                ("aud", FHIR_BASE),
                ("code_challenge", &challenge),
                ("code_challenge_method", "S256"),
            ])
            .finish();
        let login = self.go(&format!("/authorize?{query}"), 303).await?.location;
        let csrf = self.go(&login, 200).await?.csrf;
        Ok((login, csrf))
    }

    /// From the app to the page after the sign-in.
    pub async fn sign_in(&mut self, client: &str, hash: Hash) -> Result<String, String> {
        let (login, csrf) = self.arrive(client).await?;
        self.submit(&login, &[("csrf", &csrf), ("username", &next_person(hash)), ("password", PASSWORD)]).await
    }

    /// The whole of it: sign in, choose a patient, allow, and let the app have its tokens, twice.
    pub async fn launch(mut self, client: &str, hash: Hash) -> Result<Tokens, String> {
        let picker = self.sign_in(client, hash).await?;
        let csrf = self.go(&picker, 200).await?.csrf;
        let consent = self.submit(&picker, &[("csrf", &csrf), ("patient", "p7")]).await?;
        let csrf = self.go(&consent, 200).await?.csrf;
        let form = [("csrf", csrf.as_str()), ("decision", "approve"), ("scope", "patient/*.rs"), ("scope", "offline_access")];
        let landing = self.submit(&consent, &form).await?;
        let code = landing.split_once("code=").map(|(_, rest)| rest.split('&').next().unwrap_or_default().to_owned());
        let code = code.ok_or_else(|| format!("no code in {landing}"))?;
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("code", &code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
        ];
        let tokens = self.token(&form).await?;
        self.refresh(client, &tokens.refresh).await
    }

    /// What the app gets for a refresh token.
    pub async fn refresh(&mut self, client: &str, token: &str) -> Result<Tokens, String> {
        self.token(&[("grant_type", "refresh_token"), ("client_id", client), ("refresh_token", token)]).await
    }

    async fn go(&mut self, path: &str, status: u16) -> Result<Page, String> {
        let request = get(self.port, path, &self.cookies);
        self.visit(&request, status).await
    }

    /// Submits a form and says where it leads.
    async fn submit(&mut self, path: &str, form: &[(&str, &str)]) -> Result<String, String> {
        let more = format!("cookie: {}\r\norigin: http://127.0.0.1:{}\r\nsec-fetch-site: same-origin\r\n", self.cookies, self.port);
        let request = post(self.port, path, &more, form);
        self.visit(&request, 303).await.map(|page| page.location)
    }

    async fn visit(&mut self, request: &[u8], status: u16) -> Result<Page, String> {
        let answer = self.connection.ask(request).await.map_err(|error| error.to_string())?;
        expect(&answer, status)?;
        let csrf = answer.body.split_once("name=\"csrf\" value=\"").and_then(|(_, rest)| rest.split('"').next());
        let page = Page { location: answer.location().to_owned(), csrf: csrf.unwrap_or_default().to_owned() };
        for cookie in answer.cookies() {
            if !self.cookies.is_empty() {
                self.cookies.push_str("; ");
            }
            self.cookies.push_str(cookie);
        }
        Ok(page)
    }

    async fn token(&mut self, form: &[(&str, &str)]) -> Result<Tokens, String> {
        let request = post(self.port, "/token", "", form);
        let answer = self.connection.ask(&request).await.map_err(|error| error.to_string())?;
        expect(&answer, 200)?;
        let body: Value = serde_json::from_str(answer.body).map_err(|error| error.to_string())?;
        let text = |name: &str| body[name].as_str().map(str::to_owned).ok_or_else(|| format!("no {name} in the answer"));
        text("id_token")?;
        Ok(Tokens { access: text("access_token")?, refresh: text("refresh_token")? })
    }
}

/// An error that says what came instead.
pub fn expect(answer: &Answer<'_>, status: u16) -> Result<(), String> {
    if answer.status == status {
        return Ok(());
    }
    let begin: String = answer.body.chars().take(300).collect();
    Err(format!("{} in place of {status}: {begin}", answer.status))
}
