//! `admit patient`: the patients whom the picker can show.

mod harvest;
mod import;
mod reference;
mod resource;

use clap::{Args, Subcommand};

use super::Failure;
use super::desk::Desk;
use super::output::{Output, Record, note};
use crate::config::Config;

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Patients {
    #[command(flatten)]
    output: Output,
    #[command(subcommand)]
    action: Action,
}

const EXAMPLES: &str = "\
Examples:
  admit patient import Patient.ndjson
  cat Patient.ndjson RelatedPerson.ndjson CareTeam.ndjson | admit patient import - --fhir-base main --replace-panels
  admit patient list --limit 20";

#[derive(Subcommand)]
enum Action {
    /// Add patients, and who may open them, from FHIR R4 resources
    Import(import::Import),
    /// Show patients, by id; inactive ones are left out
    List {
        /// The FHIR base that they are in [default: the only one]
        #[arg(long, value_name = "NAME")]
        fhir_base: Option<String>,
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
}

pub(super) async fn run(config: Config, Patients { output, action }: Patients) -> Result<(), Failure> {
    let desk = Desk::open(config).await?;
    match action {
        Action::Import(asked) => import::run(&desk, output, asked).await,
        Action::List { fhir_base, limit } => {
            let base = desk.fhir_base(fhir_base.as_deref()).await?.name;
            let mut patients = desk.store.patients(desk.tenant(), &base, i64::from(limit) + 1).await?;
            if patients.len() > limit as usize {
                patients.truncate(limit as usize);
                note(&format!("these are the first {limit}; --limit shows more"));
            }
            let record = |patient: &crate::person::Patient| {
                Record::default()
                    .with("patient_id", patient.id.as_str())
                    .with("name", patient.name.as_str())
                    .with("birth_date", patient.birth_date.as_str())
                    .with("sex", patient.sex.as_str())
                    .with("mrn", patient.mrn.as_str())
            };
            output.many(&["patient_id", "name", "birth_date", "sex", "mrn"], &patients.iter().map(record).collect::<Vec<_>>())
        }
    }
}
