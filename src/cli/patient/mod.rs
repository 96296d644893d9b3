//! `admit patient`: the patients whom the picker can show.

mod harvest;
mod import;

use clap::{Args, Subcommand};

use super::Failure;
use super::desk::Desk;
use super::output::{Limit, Output, Record, note};
use crate::config::Config;
use crate::id::PatientId;
use crate::person::{FhirUser, FhirUserKind, is_fhir_id};
use crate::store::Opener;
use crate::tenant::{Panel, PatientSource};

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
  admit patient open example-1 --to Practitioner/example
  admit patient list --limit 20";

#[derive(Subcommand)]
enum Action {
    /// Add patients, and who may open them, from FHIR R4 resources
    Import(import::Import),
    /// Let somebody open a patient
    Open(Opening),
    /// Take a patient off somebody's list; apps lose the patient when they next refresh
    Close(Opening),
    /// Show patients, by id; inactive ones are left out
    List {
        /// The FHIR base that they are in [default: the only one]
        #[arg(long, value_name = "NAME")]
        fhir_base: Option<String>,
        #[command(flatten)]
        limit: Limit,
    },
}

#[derive(Args)]
struct Opening {
    /// The patient, by id
    #[arg(value_parser = patient_id)]
    patient: PatientId,
    /// Who: Practitioner/ID, RelatedPerson/ID, Patient/ID or Person/ID
    #[arg(long, value_name = "TYPE/ID")]
    to: FhirUser,
    /// The FHIR base that the patient is in [default: the only one]
    #[arg(long, value_name = "NAME")]
    fhir_base: Option<String>,
}

fn patient_id(text: &str) -> Result<PatientId, &'static str> {
    if is_fhir_id(text) { Ok(PatientId::new(text)) } else { Err("it must be 1 to 64 letters, digits, - and .") }
}

pub(super) async fn run(config: Config, Patients { output, action }: Patients) -> Result<(), Failure> {
    let desk = Desk::open(config).await?;
    match action {
        Action::Import(asked) => import::run(&desk, output, asked).await,
        Action::Open(Opening { patient, to, fhir_base }) => {
            let base = desk.fhir_base(fhir_base.as_deref()).await?;
            // What only the FHIR server has is its own to say when it is opened.
            if base.patients.source == PatientSource::Table && desk.store.patient(desk.tenant(), &base.name, &patient).await?.is_none() {
                return Err(Failure::not_found(format!("there is no patient {patient} in the FHIR base {}: import them first", base.name)));
            }
            if base.patients.source == PatientSource::Fhir
                && to.kind == FhirUserKind::Practitioner
                && !base.patients.panels.contains(&Panel::List)
            {
                note(&format!(
                    "clinicians' panels in {0} leave the list out: `admit fhir-base update {0} --panel list` adds it",
                    base.name
                ));
            }
            let opener = Opener { who: to.to_string(), since: Some(desk.origin.now) };
            if !desk.store.open_patient_to(&desk.origin, &base.name, &patient, &opener).await? {
                note("they could open this patient before");
            }
            output.one(&opening(&base.name, &patient, &to))
        }
        Action::Close(Opening { patient, to, fhir_base }) => {
            let base = desk.fhir_base(fhir_base.as_deref()).await?;
            if !desk.store.close_patient_to(&desk.origin, &base.name, &patient, &to).await? {
                return Err(Failure::not_found(format!("patient {patient} is not on the list of {to} in the FHIR base {}", base.name)));
            }
            output.one(&opening(&base.name, &patient, &to))
        }
        Action::List { fhir_base, limit } => {
            let base = desk.fhir_base(fhir_base.as_deref()).await?.name;
            desk.reads("patient list").await?;
            let patients = limit.first(desk.store.patients(desk.tenant(), &base, limit.asked()).await?);
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

fn opening(base: &str, patient: &PatientId, who: &FhirUser) -> Record {
    Record::default().with("fhir_base", base).with("patient_id", patient.as_str()).with("fhir_user", who.to_string())
}
