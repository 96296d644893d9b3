//! `admit validate`: the decision that HealthLake would get, on this machine and without a database.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use super::output::print_json;
use super::{Failure, input, label};
use crate::clock::Clock;
use crate::token::Jwks;
use crate::validate::{KeySource, Profile, Trust, Validator};

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Validate {
    /// The event that the Lambda function would get, as JSON; - for standard input
    #[arg(long, value_name = "FILE")]
    event: PathBuf,
    /// The issuer whose tokens are believed, byte for byte
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// The issuer's public keys, in a file; beside a URI, they are what it begins with
    #[arg(long, value_name = "FILE", required_unless_present = "jwks_uri")]
    jwks: Option<PathBuf>,
    /// Where the issuer publishes its keys
    #[arg(long, value_name = "URL", value_parser = label::address)]
    jwks_uri: Option<String>,
    /// A data store that is served [repeatable; default: every one that a token names]
    #[arg(long = "datastore", value_name = "URL")]
    datastores: Vec<String>,
    /// The IAM role that the data store takes on
    #[arg(long, value_name = "ARN", value_parser = role)]
    role: String,
    /// Another role, for tokens that may only read
    #[arg(long, value_name = "ARN", value_parser = role)]
    read_only_role: Option<String>,
    /// Answer `isAuthorized` as a boolean instead of a string
    #[arg(long)]
    boolean: bool,
    /// The answer is JSON with or without it
    #[arg(long, hide = true)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  admit validate --event event.json --issuer https://auth.example.org --jwks jwks.json \\
    --role arn:aws:iam::123456789012:role/smart
  admit validate --event - --issuer https://auth.example.org --jwks-uri https://auth.example.org/.well-known/jwks.json \\
    --role arn:aws:iam::123456789012:role/smart < event.json

A refusal is an answer: the exit code is 0 then as well. Look at .authPayload.isAuthorized.";

fn role(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", partition, "iam", "", account, role]
            if !partition.is_empty() && account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) && role.starts_with("role/") =>
        {
            Ok(text.to_owned())
        }
        _ => Err("it must be a role's ARN, such as arn:aws:iam::123456789012:role/smart".to_owned()),
    }
}

pub(super) async fn run(asked: Validate) -> Result<(), Failure> {
    let Validate { event, issuer, jwks, jwks_uri, datastores, role, read_only_role, boolean, json: _ } = asked;
    let embedded = match &jwks {
        None => Jwks::default(),
        Some(path) => Jwks::parse(&input::read(path)?).map_err(|bad| Failure::failed(&format!("{}: {bad}", path.display())))?,
    };
    let keys = match &jwks_uri {
        None => KeySource::embedded(embedded),
        Some(uri) => KeySource::remote(uri, embedded).map_err(|error| Failure::failed(&error))?,
    };
    let trust = Trust { datastores, read_only_role, ..Trust::new(&issuer, Profile::Admit, &role) };
    // What cannot be read is refused like any other event that lacks its fields.
    let event: Value = serde_json::from_slice(&input::read(&event)?).unwrap_or_default();
    print_json(&Validator::new(trust, keys).answering_with_boolean(boolean).answer(&event, Clock::System.now()).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_an_arn_of_a_role() {
        for good in ["arn:aws:iam::123456789012:role/smart", "arn:aws-us-gov:iam::123456789012:role/a/b:c"] {
            assert_eq!(role(good).as_deref(), Ok(good));
        }
        for bad in ["", "smart", "arn:aws:iam::123456789012:user/x", "arn:aws:iam::1:role/x", "arn:aws:s3:::bucket"] {
            assert!(role(bad).is_err(), "{bad}");
        }
    }
}
