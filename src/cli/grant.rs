//! `admit grant`: what people allowed apps to do, and ending it at their direction.

use clap::{ArgGroup, Args, Subcommand};

use super::Failure;
use super::desk::Desk;
use super::output::{Limit, Output, Record, at, note};
use crate::audit::Entry;
use crate::config::Config;
use crate::grant::Refresh;
use crate::id::{ClientId, GrantId, PatientId};
use crate::label;
use crate::person::canonical_username;
use crate::scope::Scope;
use crate::store::{Selection, Standing};

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Grants {
    #[command(flatten)]
    output: Output,
    #[command(subcommand)]
    action: Action,
}

const EXAMPLES: &str = "\
Examples:
  admit grant list --patient example-1
  admit grant revoke --patient example-1 --client growth-chart --reason \"asked for by phone, ticket 4711\"
  admit grant revoke 019302b4-… --reason \"phone stolen\"";

#[derive(Subcommand)]
enum Action {
    /// Show what apps can do for people now
    List {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        limit: Limit,
    },
    /// End it: refresh tokens at once, access tokens within ten minutes, or at once where they are introspected
    #[command(group = ArgGroup::new("what").required(true).multiple(true).args(["grant_id", "user", "client", "patient"]))]
    Revoke {
        /// One grant, as `list` names it
        #[arg(conflicts_with_all = ["user", "client", "patient", "fhir_base"])]
        grant_id: Option<String>,
        #[command(flatten)]
        which: Which,
        /// Why; it is kept, so name no more than a ticket
        #[arg(long, value_parser = label::name)]
        reason: String,
    },
}

#[derive(Args)]
struct Which {
    /// What this person allowed
    #[arg(long, value_name = "USERNAME")]
    user: Option<String>,
    /// What this app was allowed
    #[arg(long, value_name = "CLIENT_ID")]
    client: Option<String>,
    /// What is about this patient
    #[arg(long, value_name = "ID")]
    patient: Option<String>,
    /// What is for this FHIR base
    #[arg(long, value_name = "NAME")]
    fhir_base: Option<String>,
}

pub(super) async fn run(config: Config, Grants { output, action }: Grants) -> Result<(), Failure> {
    let desk = Desk::open(config).await?;
    match action {
        Action::List { which, limit } => {
            let selection = which.select(&desk).await?;
            let about = Entry {
                user: selection.user.clone(),
                client: selection.client.clone(),
                patient: selection.patient.clone().map(PatientId::new),
                ..Entry::done("admin.read").detail("grant list")
            };
            desk.store.audit(&desk.origin, about).await?;
            let standing = limit.first(desk.store.standing(desk.tenant(), &selection, desk.origin.now, limit.asked()).await?);
            let columns = ["grant_id", "username", "client_id", "patient", "last_used_at", "refresh"];
            output.many(&columns, &standing.iter().map(record).collect::<Vec<_>>())
        }
        Action::Revoke { grant_id, which, reason } => {
            let grant = grant_id.map(GrantId::new);
            let selection = Selection { grant: grant.clone(), ..which.select(&desk).await? };
            let revoked = desk.store.revoke_standing(&desk.origin, selection, &reason).await?;
            if let Some(grant) = grant.filter(|_| revoked.grants == 0) {
                return Err(Failure::not_found(format!(
                    "there is no grant {:?} that has not ended: see `admit grant list`",
                    grant.as_str()
                )));
            }
            note("refresh tokens have ended; access tokens that are out end within ten minutes");
            output.one(&Record::default().with("grants_revoked", revoked.grants).with("decisions_forgotten", revoked.decisions))
        }
    }
}

impl Which {
    /// A misspelt name must not look like "nothing there".
    async fn select(self, desk: &Desk) -> Result<Selection, Failure> {
        let user = match self.user {
            None => None,
            Some(name) => match desk.store.user_by_name(desk.tenant(), &canonical_username(&name)).await? {
                Some((user, _)) => Some(user.id),
                None => return Err(Failure::not_found(format!("there is no user {name:?}: `admit user list` shows those there are"))),
            },
        };
        let client = match self.client.map(ClientId::new) {
            None => None,
            Some(id) => match desk.store.client(desk.tenant(), &id).await? {
                Some(client) => Some(client.id),
                None => {
                    let text = format!("there is no client {:?}: `admit client list` shows those there are", id.as_str());
                    return Err(Failure::not_found(text));
                }
            },
        };
        let fhir_base = match &self.fhir_base {
            None => None,
            Some(name) => Some(desk.fhir_base(Some(name)).await?.name),
        };
        Ok(Selection { grant: None, user, client, fhir_base, patient: self.patient })
    }
}

fn record(grant: &Standing) -> Record {
    Record::default()
        .with("grant_id", grant.id.as_str())
        .with("username", grant.username.as_str())
        .with("client_id", grant.subject.client_id.as_str())
        .with("client_name", grant.client_name.as_str())
        .with("fhir_base", grant.subject.fhir_base.as_deref())
        .with("patient", grant.subject.patient_id.as_ref().map(PatientId::as_str))
        .with("scopes", grant.scopes.iter().map(Scope::to_string).collect::<Vec<_>>())
        .with("refresh", grant.refresh.map(Refresh::as_str))
        .with("created_at", at(grant.created_at))
        .with("last_used_at", at(grant.last_used_at))
        .with("ends_at", at(grant.ends_at))
}
