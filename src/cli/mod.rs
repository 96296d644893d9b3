//! The command line: one file per noun. Data goes to stdout, messages to stderr.

mod audit;
mod backup;
mod client;
mod db;
mod demo;
mod desk;
mod failure;
mod fhir_base;
mod grant;
mod health;
mod healthlake;
mod input;
mod key;
mod master_key;
mod output;
mod patient;
mod prompt;
mod redact;
mod restore;
mod serve;
mod token;
mod user;
mod validate;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

pub use failure::Failure;
use redact::redact;

use crate::config::{Common, Config, File, LogFormat, Serve, refuse_unknown_variables};

/// A SMART on FHIR authorization server, and the token validator that AWS HealthLake calls
#[derive(Parser)]
#[command(name = "admit", version, about, propagate_version = true, after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  admit demo                                      everything on this machine, with synthetic people
  admit serve                                     on http://127.0.0.1:8080, with ./admit.db
  admit serve --issuer https://auth.example.org   behind a proxy that speaks TLS
  admit fhir-base add --help                      every command shows examples of its own

Exit codes: 0 done, 1 failed or refused, 2 wrong usage, 3 not found, 4 conflict, 5 database unavailable";

#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve(Serve),
    /// Ask whether a server is ready
    Health(health::Health),
    /// FHIR servers that tokens are for
    FhirBase(fhir_base::FhirBases),
    /// Data stores of AWS HealthLake: what they publish, and a read to try them
    Healthlake(healthlake::HealthLake),
    /// Apps
    Client(client::Clients),
    /// What people allowed apps to do
    Grant(grant::Grants),
    /// People who sign in
    User(user::Users),
    /// Patients whom people may open
    Patient(patient::Patients),
    /// Keys that sign tokens
    Key(key::Keys),
    /// Write a backup of the database, while servers run
    Backup(backup::Backup),
    /// Bring a backup back
    Restore(restore::Restore),
    /// The database: how it is, its upgrade, its damage, its move to another place
    Db(db::Databases),
    /// The trail of what happened, and whether it is whole
    Audit(audit::Audit),
    /// Decide on a token as the HealthLake validator would
    Validate(validate::Validate),
    /// Look at tokens without believing them
    Token(token::Tokens),
    /// Run everything on this machine, with synthetic people: server, FHIR stand-in, sample app
    Demo(demo::DemoArgs),
}

/// What clap says of a command line that is none, or that asks for help, and the exit code for it.
#[must_use]
pub fn usage(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    let redacted = redact(&text);
    // Where nobody can be told, there is nobody to tell that either.
    if redacted == text {
        let _ = error.print();
    } else {
        output::note(redacted.trim_end());
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Runs one command.
///
/// # Errors
/// [`Failure`], with its exit code.
pub fn run(cli: Cli) -> Result<(), Failure> {
    let file = cli.common.config.as_deref().map(File::read).transpose()?;
    let Cli { common, command } = match &file {
        Some(file) => over(file)?,
        None => cli,
    };
    let serve = match &command {
        Command::Serve(serve) => serve.clone(),
        Command::Health(_) => Serve::without_flags(file.as_ref())?,
        Command::Validate(asked) if asked.stands_in_for_the_server() => Serve::without_flags(file.as_ref())?,
        Command::Audit(asked) if asked.stands_in_for_the_server() => Serve::without_flags(file.as_ref())?,
        Command::Healthlake(_) => Serve::without_flags(file.as_ref())?,
        _ => Serve::default(),
    };
    // The function's variables have names of their own.
    if !matches!(&command, Command::Validate(asked) if asked.stands_in_for_the_function()) {
        refuse_unknown_variables()?;
    }
    let local_url = serve.local_url();
    let config = Config::resolve(common, serve);
    start_log(&config, if matches!(command, Command::Serve(_)) { "info" } else { "warn" })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| Failure::failed(&error))?;
    runtime.block_on(async move {
        match command {
            Command::Serve(_) => serve::run(config).await,
            Command::Health(asked) => health::run(asked, local_url).await,
            Command::FhirBase(asked) => fhir_base::run(config, asked).await,
            Command::Healthlake(asked) => healthlake::run(config, asked).await,
            Command::Client(asked) => client::run(config, asked).await,
            Command::Grant(asked) => grant::run(config, asked).await,
            Command::User(asked) => user::run(config, asked).await,
            Command::Patient(asked) => patient::run(config, asked).await,
            Command::Key(asked) => key::run(config, asked).await,
            Command::Backup(asked) => backup::run(config, asked).await,
            Command::Restore(asked) => restore::run(config, asked).await,
            Command::Db(asked) => db::run(config, asked).await,
            Command::Audit(asked) => audit::run(config, asked).await,
            Command::Validate(asked) => validate::run(config, asked).await,
            Command::Token(asked) => token::run(&asked),
            Command::Demo(args) => demo::run(args).await,
        }
    })
}

/// Reads the command line once more, with what the settings file says beneath it.
fn over(file: &File) -> Result<Cli, Failure> {
    let command = file.beneath(Cli::command()).mut_subcommand("serve", |serve| file.beneath(serve));
    let read = command.try_get_matches().and_then(|found| Cli::from_arg_matches(&found));
    // Without the file, there was nothing to complain of.
    Ok(read.map_err(|error| file.blame(&error))?)
}

/// Everything that is logged goes to stderr; stdout belongs to data.
fn start_log(config: &Config, default: &str) -> Result<(), Failure> {
    use std::io::IsTerminal as _;
    let filter = config.log.as_deref().unwrap_or(default);
    let filter = tracing_subscriber::EnvFilter::try_new(filter)
        .map_err(|error| Failure::usage(format!("the log filter {filter:?} cannot be read: {error}")))?;
    let is_terminal = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.log_format {
        Some(LogFormat::Json) => lines.json().flatten_event(true).init(),
        None if !is_terminal => lines.json().flatten_event(true).init(),
        _ => lines.with_ansi(is_terminal && std::env::var_os("NO_COLOR").is_none()).with_target(false).init(),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
