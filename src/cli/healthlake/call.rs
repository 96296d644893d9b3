//! `admit healthlake call`: what a program without a person does, step by step, and where it ends.

use std::path::PathBuf;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use url::Url;
use url::form_urlencoded::Serializer;

use super::super::output::{note, print_json, visible};
use super::super::validate::opinion;
use super::super::{Failure, input, prompt};
use super::causes::{of_read, of_token};
use super::web::{Web, after_colon, said, smart_configuration};
use super::{base_here, issuer, issuer_of, of_server};
use crate::clock::Clock;
use crate::config::Config;
use crate::http::NoClient;
use crate::label;
use crate::token::{ASSERTION_ALGORITHMS, Jwks, Signer};
use crate::validate::{BearerToken, ClientAuthentication, KeySource, Profile, Trust, Validator};

#[derive(Args)]
pub(super) struct Call {
    /// What to read below the FHIR base, such as Patient/1 or 'Observation?patient=1'
    #[arg(value_name = "PATH")]
    path: String,
    /// The FHIR base, by its name here
    #[arg(long, value_name = "BASE", conflicts_with = "url", required_unless_present = "url")]
    fhir_base: Option<String>,
    /// The FHIR base, by its URL: no database is looked at
    #[arg(long, value_name = "URL", value_parser = label::address)]
    url: Option<String>,
    /// Ask this server for its endpoints, and not the FHIR base [default with --fhir-base: that of the settings]
    #[arg(long, value_name = "URL", value_parser = issuer)]
    issuer: Option<String>,
    /// With --url: the data store behind it, where it has another URL itself
    #[arg(long, value_name = "URL", requires = "url", value_parser = label::address)]
    datastore: Option<String>,
    /// The client
    #[arg(long, value_name = "CLIENT_ID", value_parser = NonEmptyStringValueParser::new())]
    client_id: String,
    /// The file with its secret, or - for standard input; without it and --key, the secret is asked for
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    secret_file: Option<PathBuf>,
    /// The file with its private key instead: PKCS#8 in PEM
    #[arg(long, value_name = "FILE", requires = "key_id")]
    key: Option<PathBuf>,
    /// The `kid` that the key is registered under
    #[arg(long, value_name = "KID", requires = "key", value_parser = key_id)]
    key_id: Option<String>,
    /// The scopes to ask for
    #[arg(long, value_name = "SCOPES", default_value = "system/*.rs")]
    scope: String,
    /// Authorities beside the public ones that may have signed certificates, in PEM
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

/// Where everything is.
struct Places {
    /// The FHIR base, as apps know it.
    base: String,
    /// The audience of its tokens, which HealthLake tells its validator.
    datastore: String,
    /// The SMART configuration.
    configuration: String,
}

/// What the SMART configuration says.
struct Server {
    token_endpoint: String,
    /// The issuer and its key set, where they are named.
    issuer: Option<(String, String)>,
}

/// What can stand in the header of an assertion as it is.
fn key_id(text: &str) -> Result<String, String> {
    let is_plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
    if is_plain { Ok(text.to_owned()) } else { Err("it must be plain text without quotes and white space".to_owned()) }
}

/// Says which step did not succeed, and what to do about it.
fn refused(step: &str, found: &str, advice: &[&str]) -> Failure {
    note(&format!("✘ {step}: {}", visible(found)));
    if !advice.is_empty() {
        note("");
    }
    advice.iter().for_each(|line| note(line));
    Failure::refused()
}

pub(super) async fn run(config: Config, asked: Call) -> Result<(), Failure> {
    let web = Web::new(asked.ca_file.as_deref())?;
    let places = asked.places(config).await?;
    let resource = asked.resource(&places.base)?;
    let proof = asked.proof()?;

    let server = configuration(&web, &places).await?;
    let client = match proof {
        Secret::Text(secret) => ClientAuthentication::secret(&asked.client_id, &secret),
        Secret::Key(signer) => ClientAuthentication::key(&asked.client_id, *signer, &server.token_endpoint),
    };
    let token = asked.token(&web, &places, &server, &client).await?;

    let bearer = format!("Bearer {}", token.expose());
    let headers = [("accept", "application/fhir+json"), ("authorization", bearer.as_str())];
    let answer = web.get(&resource, &headers).await.map_err(|no_answer| refused("read", &no_answer, &[]))?;
    if matches!(answer.status, 200..=299) {
        note(&format!("✔ read: HTTP {} from {resource}", answer.status));
        return match serde_json::from_slice::<Value>(&answer.body) {
            Ok(resource) => print_json(&resource),
            Err(_) => Err(Failure::failed(&"what was read is not JSON, and not shown")),
        };
    }
    let words = said(&answer);
    let failure = refused("read", &format!("{resource} answers HTTP {}{}", answer.status, after_colon(words.clone())), &[]);
    let is_let_in = validator_says(&web, &places, &server, &token, Clock::System.now()).await;
    let causes = of_read(answer.status, words.as_deref().unwrap_or_default(), is_let_in);
    if !causes.is_empty() {
        note("\nWhat it can be:");
        causes.iter().for_each(|cause| note(&format!("- {cause}")));
    }
    Err(failure)
}

/// How the client proves who it is.
enum Secret {
    Text(String),
    Key(Box<Signer>),
}

impl Call {
    async fn places(&self, config: Config) -> Result<Places, Failure> {
        let Some(base) = &self.url else {
            let issuer = issuer_of(&config, self.issuer.as_ref())?;
            let base = base_here(config, self.fhir_base.as_deref()).await?;
            let configuration = of_server(&issuer, Some(&base.name));
            return Ok(Places { base: base.public_url().to_owned(), datastore: base.audience, configuration });
        };
        Ok(Places {
            datastore: self.datastore.as_ref().unwrap_or(base).clone(),
            configuration: self.issuer.as_ref().map_or_else(|| smart_configuration(base), |issuer| of_server(issuer, None)),
            base: base.clone(),
        })
    }

    /// The address to read: within the FHIR base, because a token goes there.
    fn resource(&self, base: &str) -> Result<String, Failure> {
        let below = format!("{}/", base.trim_end_matches('/'));
        let resource = Url::parse(&format!("{below}{}", self.path.trim_start_matches('/'))).map(String::from);
        resource.ok().filter(|resource| resource.starts_with(&below)).ok_or_else(|| {
            Failure::usage("PATH has to lead to something below the FHIR base, such as Patient/1 or 'Observation?patient=1'")
        })
    }

    fn proof(&self) -> Result<Secret, Failure> {
        let (Some(key), Some(kid)) = (&self.key, &self.key_id) else {
            return prompt::client_secret(self.secret_file.as_deref(), &self.client_id).map(Secret::Text);
        };
        let signer = Signer::from_pem(kid, &ASSERTION_ALGORITHMS, &input::read(key)?);
        signer.map(|signer| Secret::Key(Box::new(signer))).map_err(|_| {
            Failure::usage(format!("{} is no private key of RSA, P-256 or P-384 (PKCS#8, PEM: BEGIN PRIVATE KEY)", key.display()))
        })
    }

    /// RFC 6749 §4.4.2, with the FHIR base as RFC 8707 names it.
    async fn token(&self, web: &Web, places: &Places, server: &Server, client: &ClientAuthentication) -> Result<BearerToken, Failure> {
        const STEP: &str = "token";
        let proof = client.prove(Clock::System.now()).map_err(|unusable| Failure::failed(&unusable))?;
        let form = [("grant_type", "client_credentials"), ("scope", self.scope.as_str()), ("resource", places.base.as_str())];
        let form = Serializer::new(String::new()).extend_pairs(form).finish() + &proof.form;
        let mut headers = vec![("accept", "application/json")];
        headers.extend(proof.authorization.map(|value| ("authorization", value)));
        let answer = web.post_form(&server.token_endpoint, &headers, form).await;
        let answer = answer.map_err(|no_answer| refused(STEP, &no_answer, &[]))?;
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if answer.status != 200 {
            let found = format!("{} answers HTTP {}{}", server.token_endpoint, answer.status, after_colon(said(&answer)));
            let who = format!("The client is {}.", visible(&client.describe()));
            return Err(refused(STEP, &found, &[&[who.as_str()], of_token(body["error"].as_str().unwrap_or_default())].concat()));
        }
        let Some(Ok(token)) = body["access_token"].as_str().map(BearerToken::read) else {
            return Err(refused(STEP, &format!("{} answers without an access token", server.token_endpoint), &[]));
        };
        let scope = body["scope"].as_str().unwrap_or(&self.scope);
        let life = body["expires_in"].as_i64().map(|seconds| format!(", for {seconds} seconds")).unwrap_or_default();
        note(&format!("✔ token: {}{life}, for {}", visible(scope), visible(&client.describe())));
        Ok(token)
    }
}

async fn configuration(web: &Web, places: &Places) -> Result<Server, Failure> {
    const STEP: &str = "discovery";
    let document = web.document(&places.configuration).await.map_err(|none| {
        let denied = ["HealthLake may show it to signed requests alone: --issuer names the server, which shows its own to everybody."];
        refused(STEP, &none.said, if none.is_denied() { &denied } else { &[] })
    })?;
    let server = Server::read(&document).ok_or_else(|| {
        refused(STEP, &format!("{} names no token endpoint", places.configuration), &["`admit healthlake check` compares it."])
    })?;
    note(&format!("✔ discovery: {}", places.configuration));
    Ok(server)
}

impl Server {
    fn read(document: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| document.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Self { token_endpoint: text("token_endpoint")?, issuer: text("issuer").zip(text("jwks_uri")) })
    }
}

/// What a validator would say that trusts this server for this data store; `None` where that cannot be known.
async fn validator_says(web: &Web, places: &Places, server: &Server, token: &BearerToken, now: OffsetDateTime) -> Option<bool> {
    let (issuer, jwks_uri) = server.issuer.as_ref()?;
    let keys = KeySource::remote_with_authorities(jwks_uri, Jwks::default(), web.authorities());
    let keys = keys.inspect_err(|why: &NoClient| note(&why.to_string())).ok()?;
    let trust = Trust { datastores: vec![places.datastore.clone()], ..Trust::new(issuer, Profile::Admit, "") };
    let (lines, is_let_in) = opinion(&Validator::new(trust, keys), &places.datastore, token, now).await;
    note(&format!("\nA validator that trusts {} for {} would say:", visible(issuer), visible(&places.datastore)));
    lines.iter().for_each(|line| note(line));
    Some(is_let_in)
}
