//! `admit client create`: registers an app, once everything that is said of it fits together.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use time::{Duration, OffsetDateTime};

use super::page::Page;
use super::{keys, record, scopes};
use crate::cli::Failure;
use crate::cli::desk::Desk;
use crate::cli::fhir_base::algorithm;
use crate::cli::output::{Output, note};
use crate::client::{Client, ClientAuth, GrantType};
use crate::config::Config;
use crate::id::ClientId;
use crate::key::Purpose;
use crate::label;
use crate::redirect::RedirectUri;
use crate::scope::{Scope, ScopeSet};
use crate::secret::{ClientSecret, unique_id};
use crate::store::{self, NewClient};
use crate::token::Algorithm;

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Create {
    /// 1 to 128 of A-Z a-z 0-9 . _ ~ : / - [default: a random one]
    #[arg(value_parser = client_id)]
    client_id: Option<ClientId>,
    /// The name that people see when they are asked to allow it
    #[arg(long, value_parser = label::name)]
    name: String,
    /// How it proves who it is; `none` is a public client (a browser or phone app), which cannot keep a secret and relies on PKCE
    #[arg(long, default_value = "none", value_parser = auth())]
    auth: ClientAuth,
    #[command(flatten)]
    keys: keys::Keys,
    #[command(flatten)]
    assertions: keys::Assertions,
    /// What it may ask the token endpoint for [repeatable; default: codes and refreshing where it has a redirect URI, else its own credentials]
    #[arg(long = "grant", value_name = "GRANT", value_delimiter = ',', value_parser = grant())]
    grants: Vec<GrantType>,
    /// Where its users may be sent back to [repeatable]
    #[arg(long = "redirect-uri", value_name = "URI", value_parser = RedirectUri::register)]
    redirect_uris: Vec<RedirectUri>,
    /// Where its users may be sent after signing out [repeatable]
    #[arg(long = "post-logout-redirect-uri", value_name = "URI", value_parser = RedirectUri::register)]
    post_logout_redirect_uris: Vec<RedirectUri>,
    /// The most it may be given, separated by spaces
    #[arg(long, value_name = "SCOPES", required_unless_present = "may_introspect", value_parser = scopes::parse)]
    scope: Option<ScopeSet>,
    /// A FHIR base that it may use [repeatable; default: every one]
    #[arg(long = "fhir-base", value_name = "NAME")]
    fhir_bases: Vec<String>,
    /// What its ID tokens are signed with
    #[arg(long, value_name = "ALG", default_value = "RS256", value_parser = algorithm(&["RS256", "ES256", "ES384"]))]
    id_token_alg: Algorithm,
    /// After how many days people have to sign in again, however much it refreshes [default: never, while it refreshes every three months]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=3650))]
    refresh_max_life: Option<u16>,
    /// For how many seconds a used refresh token gives its successor again, for answers that were lost; 0 switches it off
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=300))]
    refresh_grace: u16,
    /// You know who is behind it: people are not warned
    #[arg(long)]
    verified: bool,
    #[command(flatten)]
    page: Page,
    /// It may introspect tokens of other clients: a FHIR server, a gateway
    #[arg(long)]
    may_introspect: bool,
    /// It may do without PKCE: STU1 apps and conformance suites only
    #[arg(long)]
    pkce_exempt: bool,
}

const EXAMPLES: &str = "\
Examples:
  admit client create growth-chart --name \"Growth chart\" --redirect-uri https://growth.example.org/callback \\
    --scope \"openid fhirUser launch/patient patient/*.rs offline_access\"
  admit client create portal --name \"Patient portal\" --auth client_secret_basic \\
    --redirect-uri https://portal.example.org/callback --scope \"openid fhirUser patient/*.rs\"
  admit client create nightly-export --name \"Nightly export\" --auth private_key_jwt --jwks keys.json --scope \"system/*.rs\"";

fn client_id(text: &str) -> Result<ClientId, String> {
    let is_good = (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._~:/-".contains(&b));
    if is_good { Ok(ClientId::new(text)) } else { Err("it must be 1 to 128 of A-Z a-z 0-9 . _ ~ : / -".to_owned()) }
}

fn auth() -> impl TypedValueParser<Value = ClientAuth> {
    PossibleValuesParser::new(ClientAuth::ALL.iter().map(|auth| auth.as_str()))
        .try_map(|text| ClientAuth::parse(&text).ok_or("unknown way"))
}

fn grant() -> impl TypedValueParser<Value = GrantType> {
    PossibleValuesParser::new(GrantType::ALL.iter().map(|grant| grant.as_str()))
        .try_map(|text| GrantType::parse(&text).ok_or("unknown grant"))
}

pub(super) async fn run(config: Config, output: Output, new: Create) -> Result<(), Failure> {
    let draft = new.into_client()?;
    let desk = Desk::open_or_make(config).await?;
    let client = Client {
        id: match draft.id.as_str() {
            "" => ClientId::new(unique_id(desk.origin.now)),
            _ => draft.id.clone(),
        },
        created_at: desk.origin.now,
        ..draft
    };
    let bases = desk.store.fhir_bases(desk.tenant()).await?;
    if let Some(unknown) = client.fhir_bases.iter().find(|name| bases.iter().all(|base| base.name != **name)) {
        return Err(Failure::not_found(format!("there is no FHIR base {unknown:?}: `admit fhir-base list` shows those there are")));
    }
    if client.may(GrantType::AuthorizationCode) {
        desk.ensure_key(Purpose::Id, client.id_token_alg).await?;
    }
    let secret = client.has_secret().then(ClientSecret::generate);
    let registered = NewClient { client: client.clone(), secret: secret.as_ref().map(ClientSecret::digest) };
    desk.store.create_client(&desk.origin, registered).await.map_err(|error| match error {
        store::Error::Exists => Failure::conflict(format!(
            "the client_id {} is taken: choose another; `admit client show {}` shows whose it is",
            client.id, client.id
        )),
        other => other.into(),
    })?;
    warn(&client, bases.is_empty());
    let mut shown = record(&client);
    if let Some(secret) = &secret {
        note("The client_secret is shown this once and never again: only its digest is kept. Put it where the app finds it.");
        shown = shown.with("client_secret", secret.expose());
    }
    output.one(&shown)
}

/// What is not wrong, but worth a second look.
fn warn(client: &Client, no_base: bool) {
    let in_vain = scopes::in_vain(client);
    if !in_vain.is_empty() {
        note(&format!("warning: this client can never be given {}: none of its grants leads there", in_vain.join(" ")));
    }
    if client.redirect_uris.iter().any(|uri| uri.as_str().contains('*')) {
        note("warning: redirect URIs are compared byte for byte; `*` is no wildcard");
    }
    if client.launch_uri.is_some() && !client.scopes.has(&Scope::Launch) {
        note("warning: nothing can open it at its --launch-uri, because its --scope lacks `launch`");
    }
    if client.is_pkce_exempt {
        note("warning: without PKCE, a code that is stolen or injected works. Only conformance suites and STU1 apps need that");
    }
    if no_base {
        note("there is no FHIR base yet, and so no access token to be had: add one with `admit fhir-base add NAME --url URL`");
    }
}

impl Create {
    /// What is to be registered; without an id where none was given, and at no time yet.
    fn into_client(self) -> Result<Client, Failure> {
        let grant_types = self.grants()?;
        let mut redirect_uris = self.redirect_uris;
        let mut seen = std::collections::HashSet::new();
        redirect_uris.retain(|uri| seen.insert(uri.as_str().to_owned()));
        let id = self.client_id.unwrap_or_else(|| ClientId::new(""));
        let mut client = Client {
            grant_types,
            scopes: self.scope.unwrap_or_default(),
            redirect_uris,
            post_logout_redirect_uris: self.post_logout_redirect_uris.iter().map(|uri| uri.as_str().to_owned()).collect(),
            fhir_bases: self.fhir_bases,
            id_token_alg: self.id_token_alg,
            refresh_grace: Duration::seconds(self.refresh_grace.into()),
            refresh_max_life: self.refresh_max_life.map(|days| Duration::days(days.into())),
            is_verified: self.verified,
            may_introspect: self.may_introspect,
            is_pkce_exempt: self.pkce_exempt,
            ..Client::new(id, &self.name, self.auth, OffsetDateTime::UNIX_EPOCH)
        };
        self.page.describe(&mut client);
        keys::with_keys(client, &self.keys, self.assertions)
    }

    /// The grants, as given or as they follow from the rest; none for a client that only introspects.
    fn grants(&self) -> Result<Vec<GrantType>, Failure> {
        use GrantType::{AuthorizationCode, ClientCredentials, RefreshToken};
        let wrong = |why: &str| Err(Failure::usage(why));
        let (has_uri, proves_itself) = (!self.redirect_uris.is_empty(), self.auth != ClientAuth::None);
        if !proves_itself && self.may_introspect {
            return wrong("--may-introspect needs a secret or a key: say --auth client_secret_basic or --auth private_key_jwt");
        }
        let mut grants = Vec::new();
        for grant in &self.grants {
            if !grants.contains(grant) {
                grants.push(*grant);
            }
        }
        if grants.is_empty() {
            grants = match (has_uri, proves_itself) {
                (true, _) => vec![AuthorizationCode, RefreshToken],
                (false, true) if self.scope.is_some() => vec![ClientCredentials],
                (false, true) => vec![],
                (false, false) => {
                    return wrong(
                        "a public client needs a --redirect-uri; one without people needs --auth client_secret_basic or --auth private_key_jwt",
                    );
                }
            };
        }
        let has = |grant| grants.contains(&grant);
        if has(AuthorizationCode) != has_uri {
            return wrong("the grant authorization_code and --redirect-uri go together: give both or neither");
        }
        if has(RefreshToken) && !has(AuthorizationCode) {
            return wrong("the grant refresh_token needs authorization_code: nothing else gives a refresh token");
        }
        if has(ClientCredentials) && !proves_itself {
            return wrong("the grant client_credentials needs a secret or a key: say --auth client_secret_basic or --auth private_key_jwt");
        }
        if !grants.is_empty() && self.scope.is_none() {
            return wrong("--scope is missing: it is the most that the client may be given");
        }
        Ok(grants)
    }
}
