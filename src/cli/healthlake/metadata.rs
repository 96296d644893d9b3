//! `admit healthlake metadata`: the document for a data store, in the form in which somebody needs it.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::super::Failure;
use super::super::fhir_base::strategy;
use super::super::output::{note, print_json, print_lines};
use super::{base_here, issuer, issuer_of};
use crate::config::Config;
use crate::metadata::Metadata;
use crate::tenant::{FhirBase, Strategy};

#[derive(Args)]
pub(super) struct Print {
    /// The FHIR base [default: the only one there is]
    #[arg(value_name = "BASE")]
    base: Option<String>,
    /// What is printed
    #[arg(long, value_name = "FORMAT", default_value = "pretty")]
    format: Format,
    /// The server that the data store is to name [default: that of the settings]
    #[arg(long, value_name = "URL", value_parser = issuer)]
    issuer: Option<String>,
    /// Look at no database: this is all there is to say of the FHIR base
    #[arg(long, conflicts_with = "base", requires = "issuer", value_parser = strategy())]
    strategy: Option<Strategy>,
    /// With --format update: the data store
    #[arg(long, value_name = "ID", required_if_eq("format", "update"), value_parser = datastore_id)]
    datastore_id: Option<String>,
    /// With --format update: the validator, best by its alias
    #[arg(long, value_name = "ARN", required_if_eq("format", "update"), value_parser = function)]
    idp_lambda_arn: Option<String>,
    /// With --format update: fine-grained authorization is on; without, it is off
    #[arg(long)]
    fine_grained_authorization: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// JSON
    Pretty,
    /// The same as one JSON string, quoted and escaped, for a template
    Line,
    /// The attribute `metadata` for `identity_provider_configuration` in Terraform
    Hcl,
    /// The whole input of `aws healthlake update-fhir-datastore`
    Update,
}

pub(super) async fn run(config: Config, asked: Print) -> Result<(), Failure> {
    let is_of_update = asked.datastore_id.is_some() || asked.idp_lambda_arn.is_some() || asked.fine_grained_authorization;
    if is_of_update && asked.format != Format::Update {
        return Err(Failure::usage("--datastore-id, --idp-lambda-arn and --fine-grained-authorization are for --format update"));
    }
    let is_open_to_registration = config.server.clone()?.is_open_to_registration;
    let issuer = issuer_of(&config, asked.issuer.as_ref())?;
    if !issuer.starts_with("https:") {
        note(&format!("the issuer is {issuer}: say with --issuer, ADMIT_ISSUER or --config what apps know it by"));
    }
    let base = match asked.strategy {
        // Its name and its URL are in no document.
        Some(strategy) => FhirBase { strategy, ..FhirBase::new("", "") },
        None => base_here(config, asked.base.as_deref()).await?,
    };
    let document = Metadata { issuer, is_open_to_registration }.healthlake(&base);
    match asked.format {
        Format::Pretty => print_json(&document),
        Format::Line => print_json(&document.to_string()),
        Format::Hcl => print_lines(&hcl_attribute(&document)),
        Format::Update => {
            note(
                "This replaces the data store's whole identity provider configuration at once, all four members of it:\n  \
                 aws healthlake update-fhir-datastore --cli-input-json file://update.json",
            );
            print_json(&json!({
                "DatastoreId": asked.datastore_id,
                "IdentityProviderConfiguration": {
                    "AuthorizationStrategy": base.strategy.as_str(),
                    "FineGrainedAuthorizationEnabled": asked.fine_grained_authorization,
                    "IdpLambdaArn": asked.idp_lambda_arn,
                    "Metadata": document.to_string(),
                },
            }))
        }
    }
}

/// `metadata = jsonencode({…})`, with a line for each member, as `terraform fmt` leaves it.
fn hcl_attribute(document: &Value) -> Vec<String> {
    let members: Vec<(&String, &Value)> = document.as_object().into_iter().flatten().collect();
    let width = members.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let inner = members.iter().map(|(name, value)| format!("  {name:width$} = {}", hcl(value)));
    std::iter::once("metadata = jsonencode({".to_owned()).chain(inner).chain(["})".to_owned()]).collect()
}

/// A value as an expression. Its strings are JSON's, but for what begins a template.
fn hcl(value: &Value) -> String {
    match value {
        Value::Array(list) => format!("[{}]", list.iter().map(hcl).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let members: Vec<String> = map.iter().map(|(name, value)| format!("{name} = {}", hcl(value))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        other => other.to_string().replace("${", "$${").replace("%{", "%%{"),
    }
}

fn datastore_id(text: &str) -> Result<String, String> {
    let is_good = (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
    if is_good { Ok(text.to_owned()) } else { Err("it must be the id in the data store's endpoint: …/datastore/ID/r4/".to_owned()) }
}

/// The ARN of a function, with or without an alias or a version, as HealthLake takes it.
fn function(text: &str) -> Result<String, String> {
    let is_word = |word: &str, more: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
    let parts: Vec<&str> = text.split(':').collect();
    let is_good = match parts.as_slice() {
        ["arn", partition, "lambda", region, account, "function", name, qualifier @ ..] => {
            partition.starts_with("aws")
                && is_word(partition, "-")
                && is_word(region, "-")
                && account.len() == 12
                && account.bytes().all(|b| b.is_ascii_digit())
                && is_word(name, "-_.")
                && matches!(qualifier, [] | [_])
                && qualifier.iter().all(|qualifier| *qualifier == "$LATEST" || is_word(qualifier, "-_"))
        }
        _ => false,
    };
    if is_good {
        Ok(text.to_owned())
    } else {
        Err("it must be a function's ARN, such as arn:aws:lambda:us-east-1:123456789012:function:admit-validator:live".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_a_template_is_text_in_hcl() {
        let document = json!({ "a": ["x", "${y} %{z} \"q\""], "bc": { "d": true } });
        let lines = hcl_attribute(&document);
        assert_eq!(lines, ["metadata = jsonencode({", r#"  a  = ["x", "$${y} %%{z} \"q\""]"#, "  bc = { d = true }", "})"]);
    }

    #[test]
    fn a_function_may_be_named_with_its_alias() {
        let bare = "arn:aws:lambda:us-east-1:123456789012:function:admit-validator";
        for good in [bare.to_owned(), format!("{bare}:live"), format!("{bare}:$LATEST"), bare.replace("aws", "aws-us-gov")] {
            assert_eq!(function(&good).as_deref(), Ok(good.as_str()));
        }
        for bad in ["", "admit-validator", &bare[..40], &format!("{bare}:"), &format!("{bare}:a:b"), &bare.replace("9012", "901")] {
            assert!(function(bad).is_err(), "{bad}");
        }
    }
}
