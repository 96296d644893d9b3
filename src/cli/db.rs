//! `admit db`: the database itself: how it is, its upgrade, its damage, and its move to another place.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use super::desk::Desk;
use super::output::{Output, Record, note};
use super::{Failure, desk};
use crate::audit::Entry;
use crate::clock::Clock;
use crate::config::Config;
use crate::keys::KeyError;
use crate::store::{Finding, InstanceLock, Location, Schema, Status, Store, others_at};

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Databases {
    #[command(flatten)]
    output: Output,
    #[command(subcommand)]
    action: Action,
}

const EXAMPLES: &str = "\
Examples:
  admit db status
  admit db migrate --dry-run                                         what an upgrade would do to the tables
  admit db check                                                     exits with 1 where something is wrong
  admit db copy --from admit.db --to postgres://admit@db.example.org/admit?sslmode=verify-full";

#[derive(Subcommand)]
enum Action {
    /// Say which database this is, and how it is
    Status,
    /// Bring the tables up to date, as `admit serve` does when it starts
    Migrate {
        /// Only say what would be done
        #[arg(long)]
        dry_run: bool,
    },
    /// Read everything, and say what is wrong
    Check,
    /// Copy a whole installation into an empty database, and compare it row by row
    Copy {
        /// The database to read: a file or a postgres:// URL [default: --database]
        #[arg(long, value_name = "FILE|URL")]
        from: Option<Location>,
        /// The database to fill; one that is not there is made
        #[arg(long, value_name = "FILE|URL")]
        to: Location,
        /// Copy although a server may be writing to the source: what it writes from now on stays behind
        #[arg(long)]
        while_running: bool,
    },
}

pub(super) async fn run(config: Config, Databases { output, action }: Databases) -> Result<(), Failure> {
    match action {
        Action::Status => status(&config, output).await,
        Action::Migrate { dry_run } => migrate(&config, output, dry_run).await,
        Action::Check => check(config, output).await,
        Action::Copy { from, to, while_running } => copy(from.unwrap_or(config.database), to, while_running, output).await,
    }
}

async fn status(config: &Config, output: Output) -> Result<(), Failure> {
    desk::refuse_missing(&config.database)?;
    let status = Status::of(&config.database).await?;
    let rows: Map<String, Value> = status.rows.into_iter().map(|(table, rows)| (table, rows.into())).collect();
    let mut record = Record::default()
        .with("engine", status.engine)
        .with("schema_version", status.schema.version)
        .with("newest_version", Schema::newest())
        .with("pending", status.schema.pending)
        .with("unknown", status.schema.unknown)
        .with("bytes", status.bytes);
    if let Some(file) = status.file {
        let lock = InstanceLock::take(&config.database);
        record = record
            .with("journal_mode", file.journal_mode)
            .with("wal_bytes", file.wal_bytes)
            .with("in_use", lock.err().map(|taken| taken.to_string()))
            .with("last_upgrade_backup", file.backup.map(|path| path.display().to_string()));
    } else {
        record = record.with("connections_of_others", others_at(&config.database).await?);
    }
    output.one(&record.with("rows", rows))
}

async fn migrate(config: &Config, output: Output, is_dry_run: bool) -> Result<(), Failure> {
    desk::refuse_missing(&config.database)?;
    let before = Schema::of(&config.database).await?;
    refuse_newer(&before)?;
    if !is_dry_run {
        let _lock = InstanceLock::take(&config.database)?;
        Store::open(&config.database, Clock::System.now()).await?.close().await;
    }
    let record = Record::default()
        .with("from", before.version)
        .with("to", Schema::newest())
        .with(if is_dry_run { "pending" } else { "applied" }, before.pending);
    output.one(&record)
}

fn refuse_newer(schema: &Schema) -> Result<(), Failure> {
    match schema.unknown.first() {
        None => Ok(()),
        Some(version) => Err(Failure::unavailable(format!(
            "the database was written by a newer version of Admit (migration {version} is unknown here); use that version"
        ))),
    }
}

/// Tables of another version cannot be read by this one.
async fn refuse_other_schema(location: &Location) -> Result<(), Failure> {
    let schema = Schema::of(location).await?;
    refuse_newer(&schema)?;
    match schema.pending.is_empty() {
        true => Ok(()),
        false => Err(Failure::unavailable("its tables are those of an older version: bring them up to date with `admit db migrate`")),
    }
}

async fn check(config: Config, output: Output) -> Result<(), Failure> {
    desk::refuse_missing(&config.database)?;
    refuse_other_schema(&config.database).await?;
    let desk = Desk::open(config).await?;
    let mut checked = desk.store.check().await?;
    // Without any, there is nothing to open; and a master key is not to be made for it.
    if !desk.store.published_keys(desk.tenant(), desk.origin.now).await?.is_empty() {
        match desk.opened_keys().await {
            Ok(Ok(_)) => {}
            Ok(Err(KeyError::Store(error))) => return Err(error.into()),
            Ok(Err(error)) => {
                let place = "signing_key.sealed".to_owned();
                checked.findings.push(Finding { place, what: error.to_string(), rows: None });
            }
            Err(failure) => checked.left_out.push(format!("the signing keys: {failure}")),
        }
    }
    desk.store.close().await;
    for left_out in &checked.left_out {
        note(&format!("not looked at: {left_out}"));
    }
    if checked.findings.is_empty() && !output.is_json() {
        note("nothing is wrong with what was looked at");
        return Ok(());
    }
    let record = |finding: &Finding| {
        Record::default().with("place", finding.place.as_str()).with("what", finding.what.as_str()).with("rows", finding.rows)
    };
    output.many(&["place", "rows", "what"], &checked.findings.iter().map(record).collect::<Vec<_>>())?;
    if checked.findings.is_empty() { Ok(()) } else { Err(Failure::refused()) }
}

/// Whether somebody is connected to it as Admit. A server that has just ended may seem to be for a moment longer.
async fn is_in_use(location: &Location) -> Result<bool, Failure> {
    for _ in 0..20 {
        if others_at(location).await? == 0 {
            return Ok(false);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(true)
}

async fn copy(from: Location, to: Location, while_running: bool, output: Output) -> Result<(), Failure> {
    desk::refuse_missing(&from)?;
    let advice = "stop every server first, or copy what there is now with --while-running";
    let _source = if while_running { None } else { Some(InstanceLock::take(&from).map_err(|taken| Failure::from(taken).or_else(advice))?) };
    if !while_running && is_in_use(&from).await? {
        return Err(Failure::unavailable(format!("somebody is connected to the source as Admit: {advice}")));
    }
    refuse_other_schema(&from).await?;
    let now = Clock::System.now();
    let source = Store::open(&from, now).await?;
    source.audit(&desk::command(now), Entry::done("admin.read").detail("db copy")).await?;
    let _target = InstanceLock::take(&to)?;
    let target = Store::open(&to, now).await?;
    let copied = source.copy_to(&target).await;
    source.close().await;
    target.close().await;
    let records: Vec<Record> = copied?
        .into_iter()
        .map(|copied| Record::default().with("table", copied.table).with("rows", copied.rows).with("digest", copied.digest))
        .collect();
    output.many(&["table", "rows", "digest"], &records)?;
    note("Every row was read again on both sides and is the same.");
    note(
        "The signing keys in the copy are sealed under the same master key: give it to the servers there (--master-key-file, or ADMIT_MASTER_KEY).",
    );
    Ok(())
}
