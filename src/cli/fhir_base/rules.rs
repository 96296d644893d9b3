//! What `admit fhir-base add` and `update` say about patients.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};

use crate::cli::Failure;
use crate::tenant::{Panel, PatientSource, Patients};

/// Where patients come from, and who may open them. What is not said stays as it is.
#[derive(Args)]
pub(super) struct Rules {
    /// Who is asked for patients: our own table, which `admit patient import` fills, or the FHIR server itself [default: table]
    #[arg(long, value_name = "SOURCE", value_parser = source())]
    patients_from: Option<PatientSource>,
    /// What puts a patient on a clinician's panel in the FHIR server; any one is enough. `list` is the list that
    /// `admit patient open` keeps [repeatable; default: general-practitioner]
    #[arg(long = "panel", value_name = "KIND", value_parser = panel())]
    panels: Vec<Panel>,
    /// Clinicians may open patients outside of their panels, for a reason that they give [default: off]
    #[arg(long, value_name = "on|off", value_parser = on_or_off())]
    emergency_access: Option<bool>,
    /// The age at which what somebody may open of a child ends; 0: never [default: 18]
    #[arg(long, value_name = "YEARS", value_parser = clap::value_parser!(u8).range(0..=30))]
    age_of_majority: Option<u8>,
}

impl Rules {
    /// What is there, with what was said changed.
    pub(super) fn apply(self, mut patients: Patients, urls: &[String]) -> Result<Patients, Failure> {
        let before = patients.source;
        patients.source = self.patients_from.unwrap_or(before);
        patients.has_emergency_access = self.emergency_access.unwrap_or(patients.has_emergency_access);
        patients.majority = self.age_of_majority.unwrap_or(patients.majority);
        match patients.source {
            PatientSource::Table => {
                if self.panels.iter().any(|panel| *panel != Panel::List) {
                    let why = "with patients from our own table, the panel is the list: `admit patient import` puts on it those whom the resources name";
                    return Err(Failure::usage(why));
                }
                patients.panels = vec![Panel::List];
            }
            PatientSource::Fhir => {
                if !self.panels.is_empty() {
                    patients.panels = Panel::ALL.into_iter().filter(|panel| self.panels.contains(panel)).collect();
                } else if before != PatientSource::Fhir {
                    patients.panels = vec![Panel::GeneralPractitioner];
                }
                if let Some(url) = urls.first().filter(|url| !crate::http::may_ask(url)) {
                    return Err(Failure::usage(format!("{url} cannot be asked for patients: it takes https, or this machine")));
                }
            }
        }
        Ok(patients)
    }
}

fn source() -> impl clap::builder::TypedValueParser<Value = PatientSource> {
    PossibleValuesParser::new(["table", "fhir"]).try_map(|text| PatientSource::parse(&text).ok_or("unknown source"))
}

fn panel() -> impl clap::builder::TypedValueParser<Value = Panel> {
    PossibleValuesParser::new(Panel::ALL.map(Panel::as_str)).try_map(|text| Panel::parse(&text).ok_or("unknown kind"))
}

fn on_or_off() -> impl clap::builder::TypedValueParser<Value = bool> {
    PossibleValuesParser::new(["on", "off"]).map(|text| text == "on")
}
