//! Whom `admit validate` believes: an issuer that flags describe, a file of trusts, the Lambda function's
//! variables, or else the server whose database is here.

use std::path::PathBuf;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde_json::{Value, json};

use super::super::desk::Desk;
use super::super::{Failure, input};
use crate::app::{Validation, stands};
use crate::config::{Config, variables};
use crate::key::Purpose;
use crate::token::Jwks;
use crate::validate::{
    Decision, Environment, Function, KeySource, NoClient, Profile, Refusal, Refused, Step, Trust, Validator, is_role, is_url, may_ask,
};

#[derive(Args)]
pub(super) struct Trusted {
    /// The issuer whose tokens are believed, byte for byte [default without --jwks: the server's]
    #[arg(long, value_name = "URL", value_parser = NonEmptyStringValueParser::new())]
    issuer: Option<String>,
    /// The issuer's public keys: a file, or the address where it publishes them
    #[arg(long, value_name = "FILE|URL", requires = "issuer")]
    jwks: Option<String>,
    /// What its tokens look like: admit, cognito, keycloak, okta, generic [default: admit]
    #[arg(long, value_name = "PROFILE", requires = "jwks")]
    profile: Option<Profile>,
    /// With --token: the data store that it is to open. With --event: one that is served [repeatable; default: any]
    #[arg(long = "datastore", value_name = "URL", value_parser = datastore)]
    pub(super) datastores: Vec<String>,
    /// An audience that is as good as the data store's URL [repeatable]
    #[arg(long = "audience", value_name = "AUDIENCE", requires = "jwks", value_parser = NonEmptyStringValueParser::new())]
    audiences: Vec<String>,
    /// A client whose tokens are good [repeatable; default: all of them]
    #[arg(long = "client", value_name = "CLIENT_ID", requires = "jwks", value_parser = NonEmptyStringValueParser::new())]
    clients: Vec<String>,
    /// The tenant whose tokens are good, where the issuer has several
    #[arg(long, value_name = "TENANT", requires = "jwks", value_parser = NonEmptyStringValueParser::new())]
    tenant: Option<String>,
    /// The IAM role that the data store takes on
    #[arg(long, value_name = "ARN", value_parser = role)]
    role_arn: Option<String>,
    /// Another role, for tokens that may only read
    #[arg(long, value_name = "ARN", value_parser = role)]
    read_only_role_arn: Option<String>,
    /// Several issuers, in a file such as the function's trust.json
    #[arg(long, value_name = "FILE", conflicts_with_all = ["issuer", "jwks", "role_arn", "read_only_role_arn", "environment"])]
    trust: Option<PathBuf>,
    /// The settings of the Lambda function, in its variables: ADMIT_ISSUER, JWKS_URI, USER_ROLE_ARN and so on
    #[arg(long, conflicts_with_all = ["issuer", "jwks", "role_arn", "read_only_role_arn", "ca_file"])]
    pub(super) environment: bool,
    /// Authorities beside the public ones that may have signed the certificate behind --jwks, in PEM
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

fn datastore(text: &str) -> Result<String, String> {
    if is_url(text) { Ok(text.to_owned()) } else { Err("it must be a URL, such as https://fhir.example.org/r4/".to_owned()) }
}

fn role(text: &str) -> Result<String, String> {
    if is_role(text) {
        Ok(text.to_owned())
    } else {
        Err("it must be a role's ARN, such as arn:aws:iam::123456789012:role/smart".to_owned())
    }
}

/// Who decides.
pub(super) struct Judge {
    pub(super) validator: Validator,
    /// The server's database, where it is the server's tokens that are looked at.
    desk: Option<Desk>,
}

impl Trusted {
    /// Whether it is the server's own tokens that are believed.
    pub(super) fn is_the_servers(&self) -> bool {
        self.jwks.is_none() && self.trust.is_none() && !self.environment
    }

    /// Whether it is for the server's own settings to say who issued them.
    pub(super) fn takes_the_servers_issuer(&self) -> bool {
        self.is_the_servers() && self.issuer.is_none()
    }

    pub(super) fn is_said_by_flags(&self) -> bool {
        self.jwks.is_some()
    }

    pub(super) async fn judge(&self, config: Config, boolean: bool) -> Result<Judge, Failure> {
        let authorities = self.ca_file.as_deref().map(input::read).transpose()?;
        let (validator, desk) = if let (Some(issuer), Some(keys)) = (&self.issuer, &self.jwks) {
            (Validator::new(self.trust(issuer)?, key_source(keys, authorities.as_deref())?), None)
        } else if let Some(path) = &self.trust {
            let text = String::from_utf8(input::read(path)?).unwrap_or_default();
            let validator = Validator::from_trust(&text, authorities.as_deref());
            (validator.map_err(|bad| Failure::usage(format!("{}: {bad}", path.display())))?, None)
        } else if self.environment {
            (Function::check(&Environment::of_process().tolerating(variables())).map_err(|bad| Failure::usage(bad.to_string()))?, None)
        } else if authorities.is_some() {
            return Err(Failure::usage("--ca-file is for --jwks and --trust: nobody is asked beside the server's own database"));
        } else {
            let (validator, desk) = self.of_the_server(config).await?;
            (validator, Some(desk))
        };
        let boolean = boolean || validator.answers_with_boolean();
        Ok(Judge { validator: validator.answering_with_boolean(boolean), desk })
    }

    /// The trust that the flags describe. It may lack a role, which only HealthLake needs.
    fn trust(&self, issuer: &str) -> Result<Trust, Failure> {
        let profile = self.profile.unwrap_or(Profile::Admit);
        let trust = Trust {
            tenant: self.tenant.clone(),
            datastores: self.datastores.clone(),
            audiences: self.audiences.clone(),
            clients: self.clients.clone(),
            role: self.role_arn.clone(),
            read_only_role: self.read_only_role_arn.clone(),
            ..Trust::new(issuer, profile, "")
        };
        if trust.lacks_clients() {
            return Err(Failure::usage(format!(
                "--client is missing: tokens of the profile {profile} name no audience, so their clients have to be listed"
            )));
        }
        if trust.has_loose_audiences() {
            return Err(Failure::usage("--datastore is missing: an --audience has to be tied to data stores"));
        }
        Ok(trust)
    }

    /// The validator that the server itself is, but for those settings that flags say otherwise.
    async fn of_the_server(&self, config: Config) -> Result<(Validator, Desk), Failure> {
        let server = config.server.clone();
        let desk = Desk::open(config).await.map_err(|failure| {
            failure.or_else("or say whom to believe without one, with --issuer and --jwks, --trust, or --environment")
        })?;
        let server = server?;
        let own = server.validation;
        let validation = Validation {
            role: self.role_arn.clone().or(own.role),
            read_only_role: self.read_only_role_arn.clone().or(own.read_only_role),
            boolean_is_authorized: own.boolean_is_authorized,
        };
        let bases = desk.store.fhir_bases(desk.tenant()).await?;
        let published = desk.store.published_keys(desk.tenant(), desk.origin.now).await?;
        let keys: Vec<Value> = published
            .iter()
            .filter(|key| key.purpose == Purpose::Access)
            .filter_map(|key| serde_json::from_str(&key.public_jwk).ok())
            .collect();
        let keys = Jwks::parse(json!({ "keys": keys }).to_string().as_bytes()).map_err(|bad| Failure::failed(&bad))?;
        let issuer = self.issuer.as_deref().unwrap_or(&server.issuer);
        let validator = validation.validator(desk.tenant(), issuer, &bases, keys);
        let none =
            || Failure::not_found("there is no FHIR base that a token could open: add one with `admit fhir-base add NAME --url URL`");
        Ok((validator.ok_or_else(none)?, desk))
    }
}

/// The keys that --jwks names.
fn key_source(named: &str, authorities: Option<&[u8]>) -> Result<KeySource, Failure> {
    if may_ask(named) {
        return KeySource::remote_with_authorities(named, Jwks::default(), authorities).map_err(|why| match why {
            NoClient::Authorities => Failure::usage("--ca-file holds no usable certificates"),
            NoClient::Tls => Failure::failed(&why),
        });
    }
    if is_url(named) {
        return Err(Failure::usage("--jwks is not an https:// URL; plain http is for this machine alone, and a user name is for none"));
    }
    if authorities.is_some() {
        return Err(Failure::usage("--ca-file is for an address behind --jwks, which names a file"));
    }
    let keys = Jwks::parse(&input::read(named.as_ref())?)
        .map_err(|bad| Failure::usage(format!("the keys in {named}, which --jwks names, cannot be used: {bad}")))?;
    if keys.is_empty() {
        return Err(Failure::usage(format!("--jwks has no usable key: none in {named} is one that signs tokens")));
    }
    Ok(KeySource::embedded(keys))
}

impl Judge {
    /// The decision, once the store was asked whether a token of our own still stands.
    pub(super) async fn ask_the_store(&self, decision: Decision, checks: &mut Vec<Step>) -> Result<Decision, Failure> {
        let (Some(desk), Decision::Allow(allowed)) = (&self.desk, &decision) else { return Ok(decision) };
        let is_standing = stands(&desk.store, desk.tenant(), &allowed.claims.all).await?;
        let (refusal, found) = if is_standing {
            (None, "neither it nor its grant, its user or its client was revoked or switched off")
        } else {
            (Some(Refusal::Inactive), "it was revoked, or its grant; or its user or its client is switched off, or gone")
        };
        checks.push(Step { name: "standing", refusal, found: found.to_owned() });
        let claims = Some(Box::new(allowed.claims.clone()));
        Ok(if is_standing { decision } else { Decision::Refuse(Refused { why: Refusal::Inactive, claims }) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_store_is_a_url() {
        assert_eq!(datastore("https://fhir.test/r4/").as_deref(), Ok("https://fhir.test/r4/"));
        for bad in ["", "fhir.test", "/r4/", "https://"] {
            assert!(datastore(bad).is_err(), "{bad}");
        }
    }

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
