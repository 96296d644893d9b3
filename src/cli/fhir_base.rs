//! `admit fhir-base`: the FHIR servers that tokens are for.

mod rules;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};
use serde_json::json;

use super::desk::Desk;
use super::output::{Output, Record, note};
use super::{Failure, prompt};
use crate::config::Config;
use crate::key::Purpose;
use crate::label;
use crate::label::is_deceptive;
use crate::store;
use crate::tenant::{AssociatedEndpoint, Brand, FhirBase, Identifier, Patients, SMART_VERSIONS, Strategy};
use crate::token::Algorithm;
use rules::Rules;

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct FhirBases {
    #[command(flatten)]
    output: Output,
    #[command(subcommand)]
    action: Action,
}

const EXAMPLES: &str = "\
Examples:
  admit fhir-base add main --url https://fhir.example.org/r4
  admit fhir-base add lake --url https://fhir.example.org/r4 \\
    --audience https://healthlake.us-east-1.amazonaws.com/datastore/0123456789abcdef0123456789abcdef/r4/
  admit fhir-base update main --brand-bundle https://example.org/brands.json \
    --brand-identifier 'urn:ietf:rfc:3986|https://example.org'
  admit fhir-base update lake --patients-from fhir --panel general-practitioner --panel care-team
  admit fhir-base update main --emergency-access on
  admit fhir-base list --json";

#[derive(Subcommand)]
enum Action {
    /// Register a FHIR server, and make the key that signs its access tokens
    Add(Add),
    /// Show every FHIR base
    List,
    /// Change what a FHIR base publishes beside its endpoints, where its patients come from, and who may open them
    Update {
        /// Its name
        name: String,
        #[command(flatten)]
        rules: Rules,
        #[command(flatten)]
        published: Published,
        /// Publish no brand any more
        #[arg(long, conflicts_with_all = ["brand_bundle", "brand_identifier"])]
        no_brand: bool,
        /// Publish no associated endpoint any more
        #[arg(long, conflicts_with = "associated_endpoints")]
        no_associated_endpoints: bool,
    },
    /// Forget a FHIR base that no patient and no client hangs on
    Remove {
        /// Its name
        name: String,
        /// Forget the patients that were imported for it as well, and who may open them
        #[arg(long)]
        with_patients: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Args)]
struct Add {
    /// What it is called here: 1 to 63 of a-z 0-9 -
    #[arg(value_parser = name)]
    name: String,
    /// A URL that apps know it by, as `iss` and `aud`; the first is where its resources live [repeatable]
    #[arg(long = "url", value_name = "URL", required = true, value_parser = label::address)]
    urls: Vec<String>,
    /// The `aud` of access tokens, which its validator compares [default: the first URL]
    #[arg(long, value_name = "URL", value_parser = label::address)]
    audience: Option<String>,
    /// Which scopes it understands, as HealthLake names it: v1 and v2, or v1 only
    #[arg(long, default_value = "SMART_ON_FHIR", value_parser = strategy())]
    strategy: Strategy,
    /// The version of SMART App Launch that it speaks
    #[arg(long, value_name = "VERSION", default_value = "2.2", value_parser = SMART_VERSIONS)]
    smart_version: String,
    /// What its access tokens are signed with; RS256 is for validators that know nothing else
    #[arg(long, value_name = "ALG", default_value = "ES256", value_parser = algorithm(&["ES256", "RS256"]))]
    access_token_alg: Algorithm,
    #[command(flatten)]
    published: Published,
    #[command(flatten)]
    rules: Rules,
}

/// What a SMART configuration says beside the endpoints.
#[derive(Args)]
struct Published {
    /// Where it is published who runs the server: a bundle of user-access brands
    #[arg(long, value_name = "URL", value_parser = label::address)]
    brand_bundle: Option<String>,
    /// Which brand of the bundle it is
    #[arg(long, value_name = "SYSTEM|VALUE", requires = "brand_bundle", value_parser = identifier)]
    brand_identifier: Option<Identifier>,
    /// Another FHIR endpoint that takes the same tokens, and what it can do [repeatable]
    #[arg(long = "associated-endpoint", value_name = "URL=CAPABILITY,…", value_parser = endpoint)]
    associated_endpoints: Vec<AssociatedEndpoint>,
}

impl Published {
    fn brand(&self) -> Option<Brand> {
        Some(Brand { bundle: self.brand_bundle.clone()?, identifier: self.brand_identifier.clone() })
    }
}

/// `system|value`, or a value alone.
fn identifier(text: &str) -> Result<Identifier, String> {
    let (system, value) = text.rsplit_once('|').map_or((None, text), |(system, value)| (Some(system), value));
    if value.is_empty() || text.contains(is_deceptive) || system.is_some_and(|system| url::Url::parse(system).is_err()) {
        return Err("it must be a value, or a URI, a bar (|) and a value".to_owned());
    }
    Ok(Identifier { system: system.map(str::to_owned), value: value.to_owned() })
}

fn endpoint(text: &str) -> Result<AssociatedEndpoint, String> {
    let (url, list) = text.rsplit_once('=').ok_or("it must be a URL, an equals sign (=) and capabilities")?;
    let capabilities: Vec<String> = list.split(',').map(str::to_owned).collect();
    if capabilities.iter().any(|word| word.is_empty() || word.contains(|c: char| c.is_whitespace() || is_deceptive(c))) {
        return Err("its capabilities must be words with commas between them".to_owned());
    }
    Ok(AssociatedEndpoint { url: label::address(url)?, capabilities })
}

/// One of these algorithms.
pub(super) fn algorithm(names: &'static [&'static str]) -> impl clap::builder::TypedValueParser<Value = Algorithm> {
    PossibleValuesParser::new(names).try_map(|text| text.parse::<Algorithm>())
}

/// HealthLake's name of a strategy.
pub(super) fn strategy() -> impl clap::builder::TypedValueParser<Value = Strategy> {
    PossibleValuesParser::new(["SMART_ON_FHIR", "SMART_ON_FHIR_V1"]).try_map(|text| Strategy::parse(&text).ok_or("unknown strategy"))
}

fn name(text: &str) -> Result<String, String> {
    let is_good = (1..=63).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if is_good { Ok(text.to_owned()) } else { Err("it must be 1 to 63 of a-z 0-9 -".to_owned()) }
}

pub(super) async fn run(config: Config, FhirBases { output, action }: FhirBases) -> Result<(), Failure> {
    match action {
        Action::Add(new) => add(&Desk::open_or_make(config).await?, output, new).await,
        Action::List => {
            let desk = Desk::open(config).await?;
            let bases = desk.store.fhir_bases(desk.tenant()).await?;
            output.many(&["name", "audience", "urls", "access_token_alg"], &bases.iter().map(record).collect::<Vec<_>>())
        }
        Action::Update { name, rules, published, no_brand, no_associated_endpoints } => {
            let desk = Desk::open(config).await?;
            let base = desk.fhir_base(Some(&name)).await?;
            let patients = rules.apply(base.patients.clone(), &base.public_urls)?;
            if patients != base.patients {
                desk.store.update_patients(&desk.origin, &name, &patients).await?;
            }
            let brand = if no_brand { None } else { published.brand().or(base.brand) };
            let associated = match published.associated_endpoints {
                none if none.is_empty() && !no_associated_endpoints => base.associated_endpoints,
                new => new,
            };
            desk.store.publish_fhir_base(&desk.origin, &name, brand, associated).await?;
            output.one(&record(&desk.fhir_base(Some(&name)).await?))
        }
        Action::Remove { name, with_patients, yes } => remove(&Desk::open(config).await?, output, &name, with_patients, yes).await,
    }
}

fn record(base: &FhirBase) -> Record {
    Record::default()
        .with("name", base.name.as_str())
        .with("audience", base.audience.as_str())
        .with("urls", base.public_urls.clone())
        .with("strategy", base.strategy.as_str())
        .with("smart_version", base.smart_version.as_str())
        .with("access_token_alg", base.access_token_alg.as_str())
        .with("brand_bundle", base.brand.as_ref().map(|brand| brand.bundle.clone()))
        .with("brand_identifier", base.brand.as_ref().and_then(|brand| brand.identifier.as_ref()).map(|own| json!(own)))
        .with("associated_endpoints", json!(base.associated_endpoints))
        .with("patients_from", base.patients.source.as_str())
        .with("panels", base.patients.panels.iter().map(|panel| panel.as_str().to_owned()).collect::<Vec<_>>())
        .with("emergency_access", if base.patients.has_emergency_access { "on" } else { "off" })
        .with("age_of_majority", usize::from(base.patients.majority))
}

async fn add(desk: &Desk, output: Output, mut new: Add) -> Result<(), Failure> {
    let first = new.urls.first().cloned().unwrap_or_default();
    let mut seen = std::collections::HashSet::new();
    new.urls.retain(|url| seen.insert(url.clone()));
    let patients = new.rules.apply(Patients::default(), &new.urls)?;
    let base = FhirBase {
        brand: new.published.brand(),
        associated_endpoints: new.published.associated_endpoints,
        patients,
        audience: new.audience.unwrap_or(first),
        name: new.name,
        public_urls: new.urls,
        strategy: new.strategy,
        smart_version: new.smart_version,
        access_token_alg: new.access_token_alg,
    };
    refuse_overlap(&base, &desk.store.fhir_bases(desk.tenant()).await?)?;
    desk.ensure_key(Purpose::Access, base.access_token_alg).await?;
    desk.store.add_fhir_base(&desk.origin, &base).await.map_err(|error| match error {
        store::Error::Exists => Failure::conflict("another FHIR base has this name or this audience: see `admit fhir-base list`"),
        other => other.into(),
    })?;
    output.one(&record(&base))
}

/// An app's `aud` must mean one base, and a token's `aud` one validator.
fn refuse_overlap(new: &FhirBase, others: &[FhirBase]) -> Result<(), Failure> {
    for other in others {
        let taken = if other.name == new.name {
            Some("name".to_owned())
        } else if other.audience == new.audience {
            Some(format!("audience {}", new.audience))
        } else {
            new.public_urls.iter().find(|url| other.is_meant_by(url)).map(|url| format!("URL {url}"))
        };
        if let Some(taken) = taken {
            return Err(Failure::conflict(format!("the FHIR base {:?} has this {taken} already: see `admit fhir-base list`", other.name)));
        }
    }
    Ok(())
}

async fn remove(desk: &Desk, output: Output, name: &str, with_patients: bool, yes: bool) -> Result<(), Failure> {
    let base = desk.fhir_base(Some(name)).await?;
    if let Some(client) = desk.store.client_of_base(desk.tenant(), name).await? {
        return Err(Failure::conflict(format!(
            "the client {client} is registered for this FHIR base: delete it first (`admit client delete {client}`)"
        )));
    }
    if with_patients {
        prompt::confirm(&format!("Forget the FHIR base {name} and every patient that was imported for it?"), yes)?;
    }
    let removed = desk.store.remove_fhir_base(&desk.origin, name, with_patients).await.map_err(|error| match error {
        store::Error::InUse => Failure::conflict("patients were imported for this FHIR base: --with-patients forgets them as well"),
        other => other.into(),
    })?;
    if !removed {
        return Err(Failure::not_found(format!("there is no FHIR base {name:?}: `admit fhir-base list` shows those there are")));
    }
    note(&format!("{name} was removed; tokens that name it work until they expire, at most ten minutes from now"));
    output.one(&record(&base))
}
