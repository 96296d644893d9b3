//! `admit patient import`: all of a file or nothing.

use std::path::PathBuf;

use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Map, Value};

use super::harvest::{BadFile, Harvest, opener};
use crate::cli::desk::Desk;
use crate::cli::output::{Output, Record, note};
use crate::cli::{Failure, input};
use crate::directory::Opening;
use crate::tenant::FhirBase;

/// How many visits go into one transaction: a server beside us waits no longer for its turn.
const BATCH: usize = 500;
/// How many single writes may wait together; the store commits them together.
const AT_ONCE: usize = 32;

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Import {
    /// NDJSON, or one Bundle or array as JSON; - for standard input
    file: PathBuf,
    /// The FHIR base that the patients are in [default: the only one]
    #[arg(long, value_name = "NAME")]
    fhir_base: Option<String>,
    /// Forget who could open these patients before, instead of adding to it
    #[arg(long)]
    replace_panels: bool,
}

const EXAMPLES: &str = "\
Examples:
  admit patient import Patient.ndjson
  cat Patient.ndjson RelatedPerson.ndjson CareTeam.ndjson | admit patient import - --replace-panels

Who may open a patient: the practitioners in Patient.generalPractitioner, those who take part in a
CareTeam whose subject the patient is, and every RelatedPerson of theirs: of a child, until it comes of
age. Encounters are imported as well; other resources are counted and ignored. A line that cannot be read is an error, and then nothing is imported.";

pub(super) async fn run(desk: &Desk, output: Output, asked: Import) -> Result<(), Failure> {
    let base = desk.fhir_base(asked.fhir_base.as_deref()).await?;
    let urls: Vec<String> = base.public_urls.iter().chain([&base.audience]).cloned().collect();
    let read = Harvest::read(input::open(&asked.file)?, &urls, desk.origin.now.date());
    let harvest = read.map_err(|bad| match bad {
        BadFile::Unreadable(error) => input::cannot_read(&asked.file, &error),
        bad => Failure::failed(&format!("{}: {bad}. Nothing was imported: mend the file, and import it again", asked.file.display())),
    })?;
    let Harvest { patients, elsewhere, encounters, lost, ignored, .. } = harvest;
    let count = patients.len();
    let inactive = patients.iter().filter(|patient| patient.is_inactive).count();
    let openings: usize = patients.iter().map(|patient| patient.opened_by.len()).sum();
    desk.store.import_patients(&desk.origin, &base.name, patients, asked.replace_panels).await.map_err(|error| {
        note("some of the patients may have been imported; import the file again: what is there is brought up to date");
        Failure::from(error)
    })?;
    let (visits, mut strange_visits) = (encounters.len(), 0);
    for batch in encounters.chunks(BATCH) {
        strange_visits += desk.store.import_encounters(&desk.origin, &base.name, batch.to_vec()).await?;
    }
    let unknown = open_elsewhere(desk, &base, &elsewhere).await?;
    if strange_visits > 0 {
        note(&format!("{strange_visits} encounters were left out: their patients were never imported"));
    }
    if unknown > 0 {
        note(&format!(
            "{unknown} times somebody may open a patient who was never imported: import Patient resources first, then this file again"
        ));
    }
    if lost > 0 {
        note(&format!(
            "{lost} references were left out: they lead to another server, or to nobody who can sign in (an organisation, a role)"
        ));
    }
    let ignored: Map<String, Value> = ignored.into_iter().map(|(kind, count)| (kind, count.into())).collect();
    output.one(
        &Record::default()
            .with("fhir_base", base.name)
            .with("patients", count)
            .with("inactive", inactive)
            .with("encounters", visits - strange_visits)
            .with("openings", openings + elsewhere.len() - unknown)
            .with("unknown_patients", unknown)
            .with("references_left_out", lost)
            .with("ignored", ignored),
    )
}

/// Lets people open patients who were imported before. Says how many of those are not there.
async fn open_elsewhere(desk: &Desk, base: &FhirBase, openings: &[Opening]) -> Result<usize, Failure> {
    let unknown = stream::iter(openings).map(|opening| async {
        let Opening { patient, .. } = opening;
        if desk.store.patient(desk.tenant(), &base.name, patient).await?.is_none() {
            return Ok(1);
        }
        desk.store.open_patient_to(&desk.origin, &base.name, patient, &opener(opening)).await?;
        Ok::<usize, Failure>(0)
    });
    unknown.buffer_unordered(AT_ONCE).try_fold(0, |sum, one| async move { Ok(sum + one) }).await
}
