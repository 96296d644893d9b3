//! `admit client registration-token`: who may register apps by themselves (RFC 7591 §3), and `admit client approve`.

use clap::Subcommand;
use time::Duration;

use super::{find, record};
use crate::cli::Failure;
use crate::cli::desk::Desk;
use crate::cli::output::{Output, Record, at, note};
use crate::config::Config;
use crate::label;
use crate::secret::{InitialAccessToken, unique_id};
use crate::store::RegistrationToken;

#[derive(Subcommand)]
pub(super) enum RegistrationTokens {
    /// Make a token; it is shown once
    Create {
        /// Whom it is for
        #[arg(value_name = "NAME", value_parser = label::name)]
        label: String,
        /// How many apps it may register
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
        uses: u16,
        /// For how many days it is good
        #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=365))]
        days: u16,
    },
    /// Show every token
    List,
    /// End a token; the apps that it registered stay
    Delete {
        /// Its id
        token_id: String,
    },
}

pub(super) async fn run(config: Config, output: Output, action: RegistrationTokens) -> Result<(), Failure> {
    match action {
        RegistrationTokens::Create { label, uses, days } => {
            let desk = Desk::open_or_make(config).await?;
            let now = desk.origin.now;
            let token = InitialAccessToken::generate();
            let made = RegistrationToken {
                id: unique_id(now),
                label,
                uses_left: uses.into(),
                created_at: now,
                expires_at: now + Duration::days(days.into()),
            };
            desk.store.add_registration_token(&desk.origin, made.clone(), token.digest()).await?;
            note(
                "The token is shown this once and never again: only its digest is kept. Apps register with it at /register of the server,",
            );
            note("if that was started with --registration; each waits for `admit client approve` before it gets anything.");
            output.one(&of_token(&made).with("registration_token", token.expose()))
        }
        RegistrationTokens::List => {
            let desk = Desk::open(config).await?;
            let tokens = desk.store.registration_tokens(desk.tenant()).await?;
            output.many(&["token_id", "name", "uses_left", "expires_at"], &tokens.iter().map(of_token).collect::<Vec<_>>())
        }
        RegistrationTokens::Delete { token_id } => {
            let desk = Desk::open(config).await?;
            if !desk.store.delete_registration_token(&desk.origin, &token_id).await? {
                return Err(Failure::not_found(format!(
                    "there is no registration token {token_id:?}: `admit client registration-token list` shows those there are"
                )));
            }
            note(&format!("{token_id} has ended"));
            output.one(&Record::default().with("token_id", token_id))
        }
    }
}

fn of_token(token: &RegistrationToken) -> Record {
    Record::default()
        .with("token_id", token.id.as_str())
        .with("name", token.label.as_str())
        .with("uses_left", token.uses_left)
        .with("created_at", at(token.created_at))
        .with("expires_at", at(token.expires_at))
}

/// An administrator has looked at what an app says of itself.
pub(super) async fn approve(desk: &Desk, output: Output, client_id: String) -> Result<(), Failure> {
    let client = find(desk, client_id).await?;
    if !desk.store.approve_client(&desk.origin, &client.id).await? {
        return Err(Failure::conflict(format!("{} does not wait for approval", client.id)));
    }
    note(&format!("{} is approved: it may be given {}", client.id, client.scopes));
    output.one(&record(&find(desk, client.id.to_string()).await?))
}
