//! `admit user create`: makes an account, and says whom its person may open.

use std::path::PathBuf;

use clap::Args;

use super::{hash, record};
use crate::cli::desk::Desk;
use crate::cli::output::{Output, note};
use crate::cli::{Failure, prompt};
use crate::config::Config;
use crate::id::{PatientId, UserId};
use crate::label;
use crate::person::{FhirUser, FhirUserKind, User, canonical_username};
use crate::secret::unique_id;
use crate::store::{self, NewUser, Opener};
use crate::tenant::PatientSource;

/// The sign-in page reads no more, in bytes.
const MAX_USERNAME: usize = 256;

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Create {
    /// What they type to sign in; capitals make no difference
    #[arg(value_parser = username)]
    username: String,
    /// What they are called
    #[arg(long, value_parser = label::name)]
    name: String,
    /// The FHIR resource that they are: Practitioner/ID, Patient/ID or RelatedPerson/ID
    #[arg(long, value_name = "TYPE/ID")]
    fhir_user: Option<FhirUser>,
    /// A patient whom they may open, by id [repeatable]
    #[arg(long = "patient", value_name = "ID", requires = "fhir_user")]
    patients: Vec<String>,
    /// The FHIR base that the patients are in [default: the only one]
    #[arg(long, value_name = "NAME")]
    fhir_base: Option<String>,
    /// A file with the password, - for standard input [default: asked for at the terminal]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  admit user create dr.example --name \"Dr. Example\" --fhir-user Practitioner/example --patient example-1 --patient example-2
  admit user create pat.example --name \"Pat Example\" --fhir-user Patient/example-1 --password-file password.txt";

fn username(text: &str) -> Result<String, String> {
    let canonical = canonical_username(text);
    if !(1..=MAX_USERNAME).contains(&canonical.len()) {
        return Err(format!("it must have 1 to {MAX_USERNAME} bytes"));
    }
    if canonical.contains(|c: char| label::is_deceptive(c) || c.is_whitespace()) {
        return Err("it must not have spaces or control characters".to_owned());
    }
    Ok(canonical)
}

pub(super) async fn run(config: Config, output: Output, new: Create) -> Result<(), Failure> {
    let desk = Desk::open_or_make(config).await?;
    let opens = match &new.fhir_user {
        Some(who) if !new.patients.is_empty() => {
            let base = desk.fhir_base(new.fhir_base.as_deref()).await?;
            // What only the FHIR server has is its own to say when it is opened.
            if base.patients.source == PatientSource::Table {
                check_patients(&desk, &base.name, &new.patients).await?;
            }
            Some((base.name, who.clone()))
        }
        _ => None,
    };
    let taken =
        || Failure::conflict(format!("the user name {0} is taken: choose another; `admit user show {0}` shows whose it is", new.username));
    // Asked here as well, so that nobody types a password in vain.
    if desk.store.user_by_name(desk.tenant(), &new.username).await?.is_some() {
        return Err(taken());
    }
    let password = prompt::password(new.password_file.as_deref(), &new.username)?;
    let user = User {
        id: UserId::new(unique_id(desk.origin.now)),
        username: new.username.clone(),
        display_name: new.name,
        fhir_user: new.fhir_user,
        disabled_at: None,
        created_at: desk.origin.now,
    };
    let registered = NewUser { user: user.clone(), password_hash: hash(&password).await? };
    desk.store.create_user(&desk.origin, registered).await.map_err(|error| match error {
        store::Error::Exists => taken(),
        other => other.into(),
    })?;
    if let Some((base, who)) = opens {
        for id in &new.patients {
            let opener = Opener { who: who.to_string(), since: Some(desk.origin.now) };
            desk.store.open_patient_to(&desk.origin, &base, &PatientId::new(id.as_str()), &opener).await?;
        }
    } else {
        explain(user.fhir_user.as_ref());
    }
    output.one(&record(&user).with("patients", new.patients))
}

/// All of them or none: an account that opens half of what was meant is found out too late.
async fn check_patients(desk: &Desk, base: &str, ids: &[String]) -> Result<(), Failure> {
    for id in ids {
        if desk.store.patient(desk.tenant(), base, &PatientId::new(id.as_str())).await?.is_none() {
            return Err(Failure::not_found(format!(
                "there is no patient {id:?} in the FHIR base {base}: import them with `admit patient import FILE`; `admit patient list` shows those there are"
            )));
        }
    }
    Ok(())
}

/// Whom they can open so far.
fn explain(fhir_user: Option<&FhirUser>) {
    match fhir_user.map(|own| own.kind) {
        None => note("without --fhir-user, this person can open no patient"),
        Some(FhirUserKind::Patient) => note("this person can open their own record, and those that name them on import"),
        Some(FhirUserKind::Person) => note("a Person opens the patients that --patient names, and no others"),
        Some(_) => note("this person can open the patients that name them on import; --patient names more"),
    }
}
