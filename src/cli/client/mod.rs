//! `admit client`: the apps that are registered.

mod create;
mod keys;
mod page;
mod registration;
mod scopes;

use clap::{Args, Subcommand};
use time::Duration;

use super::desk::Desk;
use super::output::{Limit, Output, Record, at, note};
use super::{Failure, prompt};
use crate::client::Client;
use crate::config::Config;
use crate::id::ClientId;
use crate::redirect::RedirectUri;
use crate::scope::Scope;
use crate::secret::ClientSecret;
use crate::store::ClientPage;

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Clients {
    #[command(flatten)]
    output: Output,
    #[command(subcommand)]
    action: Action,
}

const EXAMPLES: &str = "\
Examples:
  admit client create growth-chart --name \"Growth chart\" --redirect-uri https://growth.example.org/callback \\
    --scope \"openid fhirUser launch/patient patient/*.rs offline_access\"
  admit client list --json
  admit client rotate-secret nightly-export --keep-old 48";

#[derive(Subcommand)]
enum Action {
    /// Register an app; its secret, if it has one, is shown once
    Create(Box<create::Create>),
    /// Show every client
    List(Limit),
    /// Show everything that is registered of a client
    Show {
        /// Its client_id
        client_id: String,
    },
    /// Change what people see of a client, and when they are asked about it
    Update {
        /// Its client_id
        client_id: String,
        #[command(flatten)]
        changes: Box<page::Changes>,
    },
    /// Give a client the picture that people know it by
    SetLogo(page::SetLogo),
    /// Make a new secret, and let the old one end
    RotateSecret {
        /// Its client_id
        client_id: String,
        /// For how many hours the old secret works as well; 0 ends it at once
        #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u16).range(0..=8760))]
        keep_old: u16,
    },
    /// Register other public keys for a client that proves itself by its key
    SetKeys {
        /// Its client_id
        client_id: String,
        #[command(flatten)]
        keys: keys::Keys,
    },
    /// Let an app that registered itself in, after you have looked at it (`show`)
    Approve {
        /// Its client_id
        client_id: String,
    },
    /// Tokens by which apps may register themselves
    #[command(subcommand)]
    RegistrationToken(registration::RegistrationTokens),
    /// Switch a client off, and end everything that it was given
    Disable {
        /// Its client_id
        client_id: String,
    },
    /// Forget a client and everything that it was given
    Delete {
        /// Its client_id
        client_id: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

pub(super) async fn run(config: Config, Clients { output, action }: Clients) -> Result<(), Failure> {
    match action {
        Action::Create(new) => create::run(config, output, *new).await,
        Action::List(limit) => {
            let desk = Desk::open(config).await?;
            desk.reads("client list").await?;
            let clients = limit.first(desk.store.clients(desk.tenant(), limit.asked()).await?);
            output.many(&["client_id", "name", "auth", "grants", "disabled_at"], &clients.iter().map(record).collect::<Vec<_>>())
        }
        Action::Show { client_id } => {
            let desk = Desk::open(config).await?;
            let client = find(&desk, client_id).await?;
            desk.reads_about("client show", |entry| entry.client(&client.id)).await?;
            output.one(&record(&client))
        }
        Action::Update { client_id, changes } => {
            let changes = ClientPage::from(*changes);
            if changes == ClientPage::default() {
                return Err(Failure::usage("nothing is to be changed: `admit client update --help` shows what can be"));
            }
            let desk = Desk::open(config).await?;
            let client = find(&desk, client_id).await?;
            if !desk.store.change_client_page(&desk.origin, &client.id, changes).await? {
                return Err(unknown(&client.id));
            }
            output.one(&record(&find(&desk, client.id.to_string()).await?))
        }
        Action::SetLogo(page::SetLogo { client_id, file }) => {
            let logo = page::read_logo(&file)?;
            let desk = Desk::open(config).await?;
            let client = find(&desk, client_id).await?;
            let digest = desk.store.set_logo(&desk.origin, &client, logo).await?;
            output.one(&Record::default().with("client_id", client.id.as_str()).with("logo", format!("/client-logo/{}", digest.as_str())))
        }
        Action::RotateSecret { client_id, keep_old } => rotate_secret(&Desk::open(config).await?, output, client_id, keep_old).await,
        Action::SetKeys { client_id, keys } => set_keys(&Desk::open(config).await?, output, client_id, &keys).await,
        Action::Approve { client_id } => registration::approve(&Desk::open(config).await?, output, client_id).await,
        Action::RegistrationToken(action) => registration::run(config, output, action).await,
        Action::Disable { client_id } => {
            let desk = Desk::open(config).await?;
            let client = find(&desk, client_id).await?;
            if !desk.store.disable_client(&desk.origin, &client.id).await? {
                return Err(unknown(&client.id));
            }
            note(&format!("{} is switched off; its access tokens end within ten minutes, everything else at once", client.id));
            output.one(&record(&find(&desk, client.id.to_string()).await?))
        }
        Action::Delete { client_id, yes } => {
            let desk = Desk::open(config).await?;
            let client = find(&desk, client_id).await?;
            prompt::confirm(&format!("Delete {} ({:?}) and everything that it was given?", client.id, client.name), yes)?;
            if !desk.store.delete_client(&desk.origin, &client.id).await? {
                return Err(unknown(&client.id));
            }
            note(&format!("{} was deleted", client.id));
            output.one(&record(&client))
        }
    }
}

async fn find(desk: &Desk, client_id: String) -> Result<Client, Failure> {
    let id = ClientId::new(client_id);
    desk.store.client(desk.tenant(), &id).await?.ok_or_else(|| unknown(&id))
}

fn unknown(id: &ClientId) -> Failure {
    Failure::not_found(format!("there is no client {:?}: `admit client list` shows those there are", id.as_str()))
}

/// Everything but the secret. Fields are named like the flags of `create`.
fn record(client: &Client) -> Record {
    Record::default()
        .with("client_id", client.id.as_str())
        .with("name", client.name.as_str())
        .with("developer", client.developer.as_deref())
        .with("auth", client.auth.as_str())
        .with("grants", client.grant_types.iter().map(|grant| grant.as_str()).collect::<Vec<_>>())
        .with("scopes", client.scopes.iter().map(Scope::to_string).collect::<Vec<_>>())
        .with("redirect_uris", client.redirect_uris.iter().map(RedirectUri::as_str).collect::<Vec<_>>())
        .with("post_logout_redirect_uris", client.post_logout_redirect_uris.clone())
        .with("fhir_bases", client.fhir_bases.clone())
        .with("id_token_alg", client.id_token_alg.as_str())
        .with("refresh_grace_seconds", client.refresh_grace.whole_seconds())
        .with("refresh_max_life_days", client.refresh_max_life.map(Duration::whole_days))
        .with("verified", client.is_verified)
        .with("website", client.website.as_deref())
        .with("policy_uri", client.policy_uri.as_deref())
        .with("terms_uri", client.tos_uri.as_deref())
        .with("attested", client.attested)
        .with("consent_clinicians", client.asks_clinicians.as_str())
        .with("consent_patients", client.asks_patients.as_str())
        .with("launch_uri", client.launch_uri.as_deref())
        .with("smart_version", client.smart_version.as_deref())
        .with("may_introspect", client.may_introspect)
        .with("key_ids", keys::key_ids(client))
        .with("jwks_uri", client.jwks_uri.as_deref())
        .with("assertion_algs", client.assertion_algs.iter().map(|algorithm| algorithm.as_str()).collect::<Vec<_>>())
        .with("issuer_only", client.is_issuer_only)
        .with("awaits_approval", client.awaits_approval)
        .with("pkce_exempt", client.is_pkce_exempt)
        .with("created_at", at(client.created_at))
        .with("disabled_at", client.disabled_at.map(at))
}

async fn set_keys(desk: &Desk, output: Output, client_id: String, keys: &keys::Keys) -> Result<(), Failure> {
    let client = find(desk, client_id).await?;
    let (jwks, jwks_uri) = keys.read()?;
    if jwks.is_none() && jwks_uri.is_none() {
        return Err(Failure::usage("the keys are missing: give --jwks FILE or --jwks-uri URL"));
    }
    if !desk.store.set_client_keys(&desk.origin, &client.id, jwks.as_deref(), jwks_uri.as_deref()).await? {
        return Err(Failure::conflict(format!("{} has no keys: it is registered with --auth {}", client.id, client.auth.as_str())));
    }
    note("the old keys have ended: an assertion that one of them signed is refused from now on");
    output.one(&record(&find(desk, client.id.to_string()).await?))
}

async fn rotate_secret(desk: &Desk, output: Output, client_id: String, keep_old: u16) -> Result<(), Failure> {
    let client = find(desk, client_id).await?;
    if !client.has_secret() {
        return Err(Failure::conflict(format!("{} has no secret: it is registered with --auth {}", client.id, client.auth.as_str())));
    }
    let secret = ClientSecret::generate();
    let old_until = desk.origin.now + Duration::hours(keep_old.into());
    if !desk.store.rotate_client_secret(&desk.origin, &client.id, secret.digest(), old_until).await? {
        return Err(unknown(&client.id));
    }
    match keep_old {
        0 => note("the old secret has ended; this one is not shown again"),
        hours => note(&format!("the old secret works for {hours} hours more; this one is not shown again")),
    }
    let shown = Record::default().with("client_id", client.id.as_str()).with("client_secret", secret.expose());
    output.one(&shown.with("old_secret_until", at(old_until)))
}
