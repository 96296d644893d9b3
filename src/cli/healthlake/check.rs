//! `admit healthlake check`: whether a data store says of the server what the server says of itself.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};

use super::super::desk::Desk;
use super::super::output::{note, print_json, print_lines, visible};
use super::super::{Failure, input};
use super::compare::{Difference, differences, of_strategy};
use super::published::Published;
use super::web::{Web, smart_configuration};
use super::{base_here, issuer, issuer_of, of_server};
use crate::config::Config;
use crate::http::is_url;
use crate::tenant::FhirBase;

#[derive(Args)]
pub(super) struct Check {
    /// The data store, by its URL or by the name of its FHIR base here
    #[arg(value_name = "URL|BASE")]
    store: String,
    /// What it publishes, in a file or on standard input (-), instead of asking it: the output of
    /// `aws healthlake describe-fhir-datastore`, or the document
    #[arg(long, value_name = "FILE")]
    metadata: Option<PathBuf>,
    /// The server; with the data store's URL, no database is looked at [default: that of the settings]
    #[arg(long, value_name = "URL", value_parser = issuer)]
    issuer: Option<String>,
    /// With a URL and --issuer: the name of the FHIR base at a server that has several
    #[arg(long, value_name = "BASE", requires = "issuer")]
    fhir_base: Option<String>,
    /// Authorities beside the public ones that may have signed certificates, in PEM
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Where both documents are.
struct Places {
    store: String,
    server: String,
}

const DENIED: &str = "HealthLake may show it to signed requests alone. Its owner can look it up: \
                      `aws healthlake describe-fhir-datastore --datastore-id ID`, and --metadata - reads what that prints";
const REMEDY: [&str; 4] = [
    "To replace what the data store publishes, in place and at once:",
    "  admit healthlake metadata BASE --format update --datastore-id ID --idp-lambda-arn ARN > update.json",
    "  aws healthlake update-fhir-datastore --cli-input-json file://update.json",
    "By Terraform or CloudFormation, a change of it plans another data store, without the records.",
];

pub(super) async fn run(config: Config, asked: Check) -> Result<(), Failure> {
    if asked.finds_no_difference(config).await.map_err(Failure::instead_of_an_answer)? { Ok(()) } else { Err(Failure::refused()) }
}

impl Check {
    async fn places(&self, config: Config) -> Result<Places, Failure> {
        if !is_url(&self.store) {
            if self.fhir_base.is_some() {
                return Err(Failure::usage("the FHIR base is named already: --fhir-base is for a data store that is given by its URL"));
            }
            let issuer = issuer_of(&config, self.issuer.as_ref())?;
            // The data store itself, whatever stands in front of it.
            let store = base_here(config, Some(&self.store)).await?.audience;
            return Ok(Places { store, server: of_server(&issuer, Some(&self.store)) });
        }
        let (store, base) = (self.store.clone(), self.fhir_base.as_deref());
        if let Some(issuer) = &self.issuer {
            return Ok(Places { store, server: of_server(issuer, base) });
        }
        let issuer = issuer_of(&config, None)?;
        let desk = Desk::open(config).await.map_err(|failure| failure.or_else("or name the server, with --issuer"))?;
        let bases = desk.store.fhir_bases(desk.tenant()).await?;
        let is_it = |base: &&FhirBase| base.is_meant_by(&store) || base.audience.trim_end_matches('/') == store.trim_end_matches('/');
        let Some(base) = bases.iter().find(is_it) else {
            return Err(Failure::not_found(format!("no FHIR base has the URL or the audience {store}: see `admit fhir-base list`")));
        };
        Ok(Places { server: of_server(&issuer, Some(&base.name)), store })
    }

    async fn published(&self, web: &Web, store: &str) -> Result<Published, Failure> {
        if let Some(path) = &self.metadata {
            let read = Published::read(&input::read(path)?);
            return read.map_err(|bad| Failure::usage(format!("what --metadata names cannot be compared: {bad}")));
        }
        match web.document(&smart_configuration(store)).await {
            Ok(document) => Ok(Published { document, strategy: None }),
            Err(none) => {
                let failure = Failure::failed(&format!("there is nothing to compare: {}", none.said));
                Err(if none.is_denied() { failure.or_else(DENIED) } else { failure })
            }
        }
    }

    async fn finds_no_difference(self, config: Config) -> Result<bool, Failure> {
        let places = self.places(config).await?;
        let web = Web::new(self.ca_file.as_deref())?;
        let store = self.published(&web, &places.store).await?;
        let server = web.document(&places.server).await;
        let server = server.map_err(|none| Failure::failed(&format!("the server's own document cannot be had: {}", none.said)))?;
        let found = compared(&store, &server);
        if self.json {
            print_json(&as_json(&places, &found))?;
        } else if found.is_empty() {
            note(&format!("{} and {} say the same", visible(&places.store), places.server));
        } else {
            print_lines(&as_lines(&places, &found))?;
        }
        Ok(found.is_empty())
    }
}

fn compared(store: &Published, server: &Map<String, Value>) -> Vec<Difference> {
    let of_strategy = store.strategy.as_deref().and_then(|strategy| of_strategy(strategy, server));
    of_strategy.into_iter().chain(differences(&store.document, server)).collect()
}

fn as_lines(places: &Places, found: &[Difference]) -> Vec<String> {
    let each = |one: &Difference| [format!("✘ {}: {}", visible(&one.member), visible(&one.found)), format!("  {}", one.means)];
    let mut lines = vec![format!("What {} publishes is not what {} says:", visible(&places.store), places.server), String::new()];
    lines.extend(found.iter().flat_map(each));
    lines.push(String::new());
    lines.extend(REMEDY.map(str::to_owned));
    lines
}

fn as_json(places: &Places, found: &[Difference]) -> Value {
    let each = |one: &Difference| json!({ "member": one.member, "found": one.found, "means": one.means });
    json!({
        "data_store": places.store,
        "server": places.server,
        "differences": found.iter().map(each).collect::<Vec<_>>(),
    })
}
