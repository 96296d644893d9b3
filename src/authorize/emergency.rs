//! `/patient/emergency`: a clinician opens one patient outside of their panel, for a reason.
//!
//! The patient is found by what only somebody knows who has them before them. There is no list here, every try is in the
//! books, and what comes of it ends with the session.

use askama::Template;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;

use super::current::Current;
use super::dispatch;
use super::patient::{base, refused, stands_here};
use crate::app::{Chrome, PatientRow as Row};
use crate::audit::Entry;
use crate::directory::{Exactly, MAX_NAMESAKES};
use crate::error::PageError;
use crate::id::PatientId;
use crate::label::is_deceptive;
use crate::params::{BadParam, Params};
use crate::person::{Patient, SignedIn};
use crate::store::Fact;
use crate::tenant::FhirBase;
use crate::words::{Arg, Words};

/// How much a reason has to say, in characters.
const SHORTEST_REASON: usize = 10;
/// How much of one is kept.
const LONGEST_REASON: usize = 300;
/// The longest name or MRN that is looked for, in characters.
const LONGEST: usize = 100;

/// The event under which every try is in the books.
const EVENT: &str = "patient.emergency_access";
/// The event under which everybody is in the books who was found and shown, opened or not.
const FOUND: &str = "patient.emergency_found";

#[derive(Template)]
#[template(path = "emergency.html")]
struct EmergencyPage {
    chrome: Chrome,
    app_name: String,
    user_name: String,
    action: String,
    csrf: String,
    mrn: String,
    name: String,
    birth_date: String,
    reason: String,
    rows: Vec<Row>,
    error: Option<String>,
    reason_hint: String,
    longest: usize,
    shortest_reason: usize,
    longest_reason: usize,
}

/// What was filled in.
#[derive(Default)]
struct Filled {
    mrn: String,
    name: String,
    birth_date: String,
    reason: String,
}

impl Filled {
    fn read(form: &Params) -> Result<Self, BadParam> {
        let text = |name: &'static str, most: usize| {
            let text: String = form.get(name)?.unwrap_or_default().chars().take(most + 1).collect();
            let text = text.replace(|c: char| c.is_whitespace() || is_deceptive(c), " ");
            Ok(text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
        };
        Ok(Self {
            mrn: text("mrn", LONGEST)?,
            name: text("name", LONGEST)?,
            birth_date: text("birth_date", LONGEST)?,
            reason: text("reason", LONGEST_REASON)?,
        })
    }

    /// Whom they mean, or the words for what is missing.
    fn wanted(&self, words: &Words) -> Result<Exactly<'_>, String> {
        let letters = self.reason.chars().count();
        if letters < SHORTEST_REASON {
            return Err(words.text("emergency-no-reason", &[]));
        }
        if letters > LONGEST_REASON || self.mrn.chars().count() > LONGEST || self.name.chars().count() > LONGEST {
            return Err(words.text("emergency-too-long", &[]));
        }
        match (self.mrn.is_empty(), self.name.is_empty() || self.birth_date.is_empty()) {
            (false, _) => Ok(Exactly::Mrn(&self.mrn)),
            (true, false) => Ok(Exactly::NameAndBirth(&self.name, &self.birth_date)),
            (true, true) => Err(words.text("emergency-nobody-named", &[])),
        }
    }
}

/// Whether this person may do this here.
pub(super) fn is_offered(signed_in: &SignedIn, base: &FhirBase) -> bool {
    signed_in.user.is_clinician() && base.patients.has_emergency_access
}

/// The question.
pub(super) async fn show(current: Current) -> Result<Response, PageError> {
    let Some(signed_in) = allowed(&current).await? else { return dispatch::next(current).await };
    current.touch().await?;
    Ok(page(&current, &signed_in, Filled::default(), vec![], None))
}

/// The answer: who it is and why; then, whom of those who were found.
pub(super) async fn submit(mut current: Current, request: Request) -> Result<Response, PageError> {
    let form = current.form(request, Params::from_body).await?;
    let Some(signed_in) = allowed(&current).await? else { return dispatch::next(current).await };
    current.touch().await?;
    if form.get("cancel")?.is_some() {
        return dispatch::next(current).await;
    }
    let (filled, words) = (Filled::read(&form)?, current.words());
    let wanted = match filled.wanted(words) {
        Ok(wanted) => wanted,
        Err(missing) => return Ok(page(&current, &signed_in, filled, vec![], Some(missing))),
    };
    let fhir_base = current.flow.ask.fhir_base.clone().unwrap_or_default();
    let found = current.app.directory.in_emergency(&current.origin, &fhir_base, wanted).await?;
    let Some(chosen) = form.get("patient")?.map(PatientId::new) else {
        if found.is_empty() {
            refused(&current, &signed_in, EVENT, None, &format!("nobody was found. {}", filled.reason)).await?;
            let error = words.text("emergency-nobody-found", &[("count", Arg::from(MAX_NAMESAKES))]);
            return Ok(page(&current, &signed_in, filled, vec![], Some(error)));
        }
        for patient in &found {
            let entry = Entry::done(FOUND).user(&signed_in.user.id).client(&current.client.id).session(&signed_in.session_id);
            current.app.store.audit(&current.origin, entry.patient(&patient.id).detail(&filled.reason)).await?;
        }
        return Ok(page(&current, &signed_in, filled, found, None));
    };
    if !found.iter().any(|patient| patient.id == chosen) {
        refused(&current, &signed_in, EVENT, Some(chosen), &format!("not who was looked for. {}", filled.reason)).await?;
        return Err(forbidden());
    }
    dispatch::learn(&mut current, &signed_in, Fact::Emergency(chosen, filled.reason)).await?;
    dispatch::next(current).await
}

/// Who asks, where the flow stands at the choice of a patient.
///
/// # Errors
/// A page, where this is not for them.
async fn allowed(current: &Current) -> Result<Option<SignedIn>, PageError> {
    let Some(signed_in) = stands_here(current) else { return Ok(None) };
    if is_offered(&signed_in, &base(current).await?) {
        return Ok(Some(signed_in));
    }
    refused(current, &signed_in, EVENT, None, "not offered to this user, or in this FHIR base").await?;
    Err(forbidden())
}

fn forbidden() -> PageError {
    PageError::new(StatusCode::FORBIDDEN, "error-emergency")
}

fn page(current: &Current, signed_in: &SignedIn, filled: Filled, found: Vec<Patient>, error: Option<String>) -> Response {
    let (today, words) = (current.origin.now.date(), current.words());
    let status = if error.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let page = EmergencyPage {
        chrome: current.chrome(),
        app_name: current.client.name.clone(),
        user_name: signed_in.user.display_name.clone(),
        action: current.url("/patient/emergency"),
        csrf: current.csrf(),
        mrn: filled.mrn,
        name: filled.name,
        birth_date: filled.birth_date,
        reason: filled.reason,
        rows: found.into_iter().map(|patient| Row::new(patient, today, words)).collect(),
        error,
        reason_hint: words.text("emergency-why-hint", &[("count", Arg::from(SHORTEST_REASON))]),
        longest: LONGEST,
        shortest_reason: SHORTEST_REASON,
        longest_reason: LONGEST_REASON,
    };
    current.page(status, page)
}
