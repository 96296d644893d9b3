//! `admit audit`: the trail of what happened, and whether it is whole.

mod export;
mod verify;

use clap::{Args, Subcommand};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Failure;
use super::desk::Desk;
use super::output::{Output, Record, note, print_lines};
use crate::audit::Entry;
use crate::audit::chain::rfc3339;
use crate::clock::micros;
use crate::config::Config;
use crate::id::{ClientId, PatientId, UserId};
use crate::person::canonical_username;
use crate::store::{AuditKey, AuditRow, AuditSelection};

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Audit {
    #[command(flatten)]
    output: Output,
    #[command(subcommand)]
    action: Action,
}

const EXAMPLES: &str = "\
Examples:
  admit audit list --user dr.example --since 2026-11-01
  admit audit list --patient example-1 --json
  admit audit verify --checkpoint checkpoints.txt
  admit audit export --format jsonl > audit.jsonl
  admit audit export --format fhir --since 2026-11-01T00:00:00Z > audit.ndjson";

#[derive(Subcommand)]
enum Action {
    /// Show entries, the newest first
    List(List),
    /// Go along the whole chain, and say where it is broken; exit code 1, where it is
    Verify(verify::Verify),
    /// Write entries to standard output, in the chain's order
    Export(export::Export),
    /// Print the public keys of the checkpoints, as a JSON Web Key Set
    Keys,
}

#[derive(Args)]
struct List {
    /// From this moment on: 2026-11-22, or 2026-11-22T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<OffsetDateTime>,
    /// Before this moment
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<OffsetDateTime>,
    /// Only this event, such as `login`
    #[arg(long)]
    event: Option<String>,
    /// Only what this person did, or what was done to their account
    #[arg(long, value_name = "USERNAME")]
    user: Option<String>,
    /// Only what this app did, or what was done to it
    #[arg(long, value_name = "CLIENT_ID")]
    client: Option<String>,
    /// Only what is about this patient
    #[arg(long, value_name = "ID")]
    patient: Option<String>,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

/// A day in UTC, or a moment (RFC 3339).
fn moment(text: &str) -> Result<OffsetDateTime, &'static str> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    OffsetDateTime::parse(&whole, &Rfc3339).map_err(|_| "it must be a day such as 2026-11-22, or a moment such as 2026-11-22T12:00:00Z")
}

impl Audit {
    /// Whether it names the server in what it prints, of which the settings say how it is known.
    pub(super) fn stands_in_for_the_server(&self) -> bool {
        matches!(self.action, Action::Export(_))
    }
}

pub(super) async fn run(config: Config, Audit { output, action }: Audit) -> Result<(), Failure> {
    let server = config.server.clone();
    let desk = Desk::open(config).await?;
    match action {
        Action::List(asked) => list(&desk, output, asked).await,
        Action::Verify(asked) => verify::run(&desk, output, &asked).await,
        Action::Export(asked) => export::run(&desk, &asked, &server?.issuer).await,
        Action::Keys => print_lines(&[key_set(&desk.store.audit_keys(desk.tenant()).await?)]),
    }
}

/// A JWK set (RFC 7517 §5).
fn key_set(keys: &[AuditKey]) -> String {
    let keys: Vec<&str> = keys.iter().map(|key| key.public_jwk.as_str()).collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

/// Seals what was written since, where no server runs that would.
async fn seal(desk: &Desk) -> Result<(), Failure> {
    while desk.store.seal_audit(&desk.origin).await? > 0 {}
    Ok(())
}

async fn list(desk: &Desk, output: Output, asked: List) -> Result<(), Failure> {
    let user = match &asked.user {
        None => None,
        // Whoever has no account any more, or never had one, can still be asked for by their id.
        Some(name) => match desk.store.user_by_name(desk.tenant(), &canonical_username(name)).await? {
            Some((user, _)) => Some(user.id),
            None => Some(UserId::new(name.clone())),
        },
    };
    let which = AuditSelection {
        event: asked.event,
        user,
        client: asked.client.map(ClientId::new),
        patient: asked.patient.map(PatientId::new),
        since_us: asked.since.map_or(0, micros),
        until_us: asked.until.map_or(i64::MAX, micros),
    };
    let (user, client, patient) = (which.user.clone(), which.client.clone(), which.patient.clone());
    desk.reads_about("audit list", |entry| Entry { user, client, patient, ..entry }).await?;
    seal(desk).await?;
    let limit = i64::from(asked.limit);
    let mut rows = desk.store.audit_list(desk.tenant(), &which, limit + 1).await?;
    if rows.len() > asked.limit as usize {
        rows.truncate(asked.limit as usize);
        note(&format!("these are the latest {limit}; --limit and --until show more"));
    }
    let columns = ["at", "event", "outcome", "user_id", "client_id", "patient_id", "agent", "detail"];
    output.many(&columns, &rows.iter().map(record).collect::<Vec<_>>())
}

fn record(row: &AuditRow) -> Record {
    Record::default()
        .with("seq", row.seq)
        .with("at", rfc3339(row.at_us))
        .with("event", row.event.as_str())
        .with("outcome", row.outcome.as_str())
        .with("user_id", row.user_id.as_deref())
        .with("client_id", row.client_id.as_deref())
        .with("patient_id", row.patient_id.as_deref())
        .with("grant_id", row.grant_id.as_deref())
        .with("session_id", row.session_id.as_deref())
        .with("jti", row.jti.as_deref())
        .with("address", row.address.as_deref())
        .with("agent", row.agent.as_deref())
        .with("request_id", row.request_id.as_deref())
        .with("detail", row.detail.as_deref())
        .with("hash", row.hash.as_deref())
}
