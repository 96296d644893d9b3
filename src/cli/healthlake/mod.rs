//! `admit healthlake`: data stores of AWS HealthLake that take this server's tokens.

mod call;
mod causes;
mod check;
mod compare;
mod metadata;
mod published;
mod web;

use clap::{Args, Subcommand};

use super::Failure;
use super::desk::Desk;
use crate::config::{Config, check_issuer};
use crate::tenant::FhirBase;

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct HealthLake {
    #[command(subcommand)]
    action: Action,
}

const EXAMPLES: &str = "\
Examples:
  admit healthlake metadata --issuer https://auth.example.org --strategy SMART_ON_FHIR --format hcl
  admit healthlake metadata lake --format update --datastore-id 0123456789abcdef0123456789abcdef \\
    --idp-lambda-arn arn:aws:lambda:us-east-1:123456789012:function:admit-validator:live > update.json
  admit healthlake check lake
  aws healthlake describe-fhir-datastore --datastore-id 0123456789abcdef0123456789abcdef | \\
    admit healthlake check lake --metadata -
  admit healthlake call 'Patient?_count=1' --fhir-base lake --client-id nightly-export

`check` and `call` work against the FHIR stand-in of `admit demo` as well.
Exit codes of `check`: 0 no difference, 1 some, 2 wrong usage or nothing to compare. Of `call`: 0 read, 1 refused.";

#[derive(Subcommand)]
enum Action {
    /// Print what a data store is to publish: the `Metadata` of its `IdentityProviderConfiguration`
    Metadata(metadata::Print),
    /// Compare what a data store publishes with what the server does
    Check(check::Check),
    /// Get a token as a program does, read something with it, and explain a refusal
    Call(call::Call),
}

pub(super) async fn run(config: Config, HealthLake { action }: HealthLake) -> Result<(), Failure> {
    match action {
        Action::Metadata(asked) => metadata::run(config, asked).await,
        Action::Check(asked) => check::run(config, asked).await,
        Action::Call(asked) => call::run(config, asked).await,
    }
}

/// An issuer, as the server takes it.
fn issuer(text: &str) -> Result<String, String> {
    check_issuer(text).map(|_| text.to_owned()).map_err(|bad| bad.to_string())
}

/// The issuer that a flag names, or else the settings.
fn issuer_of(config: &Config, named: Option<&String>) -> Result<String, Failure> {
    match named {
        Some(issuer) => Ok(issuer.clone()),
        None => Ok(config.server.clone()?.issuer),
    }
}

/// The FHIR bases of the server whose database is here.
async fn base_here(config: Config, named: Option<&str>) -> Result<FhirBase, Failure> {
    Desk::open(config).await?.fhir_base(named).await
}

/// Where the server publishes the SMART configuration of one of its FHIR bases, or of all of them.
fn of_server(issuer: &str, base: Option<&str>) -> String {
    base.map_or_else(|| web::smart_configuration(issuer), |name| web::smart_configuration(&format!("{issuer}/fhir-bases/{name}")))
}
