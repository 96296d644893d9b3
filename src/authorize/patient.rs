//! `/patient`: the person chooses whose record the app opens.

use askama::Template;
use axum::extract::{RawQuery, Request};
use axum::http::StatusCode;
use axum::response::Response;

use super::current::Current;
use super::{dispatch, emergency, logout};
use crate::app::Chrome;
pub(super) use crate::app::PatientRow as Row;
use crate::audit::Entry;
use crate::directory::Access;
use crate::error::PageError;
use crate::flow::Step;
use crate::id::PatientId;
use crate::params::Params;
use crate::person::{SignedIn, is_fhir_id};
use crate::store::Fact;
use crate::tenant::FhirBase;
use crate::words::Arg;

/// How many patients the page shows; who has more narrows the search.
const SHOWN: usize = 50;
/// How many patients who were opened before come first.
const RECENT: usize = 5;
/// The longest search that is looked for, in characters.
const MAX_SEARCH: usize = 100;

#[derive(Template)]
#[template(path = "patient.html")]
struct PatientPage {
    chrome: Chrome,
    app_name: String,
    user_name: String,
    action: String,
    emergency: Option<String>,
    recent: Vec<Row>,
    search_action: &'static str,
    flow: String,
    ui_locales: Option<&'static str>,
    csrf: String,
    query: String,
    rows: Vec<Row>,
    more: bool,
    count: String,
}

/// The patient, where there is nothing to choose: a patient's own record, or the one person whom
/// a carer looks after. A clinician always chooses.
pub(super) async fn only_choice(current: &Current, signed_in: &SignedIn) -> Result<Option<PatientId>, PageError> {
    let Current { app, origin, flow, .. } = current;
    let Some(base) = &flow.ask.fhir_base else { return Ok(None) };
    if let Some(own) = signed_in.user.own_patient() {
        // As far as this base has their record, and it was not closed or merged into another.
        return Ok(app.may_open(origin, base, &signed_in.user, &own).await?.then_some(own));
    }
    if signed_in.user.is_clinician() {
        return Ok(None);
    }
    let mut open = app.find_patients(origin, base, &signed_in.user, "", 2).await?;
    Ok(if open.len() == 1 { open.pop().map(|patient| patient.id) } else { None })
}

/// Whether the patient whom the flow is about may be opened now: who chose them a while ago may have lost them since.
pub(super) async fn is_still_open(current: &Current, signed_in: &SignedIn) -> Result<bool, PageError> {
    let Current { app, origin, flow, .. } = current;
    let (Some(base), Some(patient)) = (&flow.ask.fhir_base, &flow.patient_id) else { return Ok(false) };
    let access = app.access(origin, base, &signed_in.user, patient, flow.emergency_reason.is_some()).await?;
    Ok(matches!(access, Access::Open(_)))
}

/// The list, narrowed by a search.
pub(super) async fn show(current: Current, RawQuery(query): RawQuery) -> Result<Response, PageError> {
    let query = Params::parse(query.unwrap_or_default().as_bytes())?;
    let Some(signed_in) = stands_here(&current) else { return dispatch::next(current).await };
    let base = base(&current).await?;
    current.touch().await?;
    let typed: String = query.get("q")?.unwrap_or_default().chars().take(MAX_SEARCH).collect();
    let typed = typed.trim().to_owned();
    let Current { app, origin, .. } = &current;
    let mut patients = app.find_patients(origin, &base.name, &signed_in.user, &typed, SHOWN + 1).await?;
    let recent = if typed.is_empty() && signed_in.user.is_clinician() && patients.len() > RECENT {
        app.directory.recent(origin, &base.name, &signed_in.user, RECENT).await?
    } else {
        Vec::new()
    };
    let more = patients.len() > SHOWN;
    patients.truncate(SHOWN);
    let today = current.origin.now.date();
    let words = current.words();
    let row = |patient| Row::new(patient, today, words);
    let page = PatientPage {
        chrome: current.chrome(),
        app_name: current.client.name.clone(),
        user_name: signed_in.user.display_name.clone(),
        action: current.url("/patient"),
        emergency: emergency::is_offered(&signed_in, &base).then(|| current.url("/patient/emergency")),
        recent: recent.into_iter().map(row).collect(),
        search_action: "/patient",
        flow: current.flow.id.to_string(),
        ui_locales: current.ui_locales(),
        csrf: current.csrf(),
        query: typed,
        count: words.text("patients-count", &[("count", Arg::from(patients.len()))]),
        rows: patients.into_iter().map(row).collect(),
        more,
    };
    Ok(current.page(StatusCode::OK, page))
}

/// Who chooses, and from which base; `None` where the flow stands elsewhere.
pub(super) fn stands_here(current: &Current) -> Option<SignedIn> {
    let signed_in = current.signed_in.as_ref()?;
    let is_here = current.flow.next_step(Some(signed_in), &current.client, current.origin.now) == Step::PickPatient;
    is_here.then(|| signed_in.clone())
}

/// The FHIR base that the patient is in.
pub(super) async fn base(current: &Current) -> Result<FhirBase, PageError> {
    let Current { app, origin, flow, .. } = current;
    let bases = app.fhir_bases(origin.now).await?;
    bases.iter().find(|base| Some(&base.name) == flow.ask.fhir_base.as_ref()).cloned().ok_or_else(PageError::no_flow)
}

/// One patient, or a change of mind.
pub(super) async fn submit(mut current: Current, request: Request) -> Result<Response, PageError> {
    let form = current.form(request, Params::from_body).await?;
    if form.get("cancel")?.is_some() {
        return dispatch::refuse(current, "access_denied", "the user did not choose a patient").await;
    }
    if form.get("switch_user")?.is_some() {
        return logout::switch_user(current).await;
    }
    let Some(signed_in) = stands_here(&current) else { return dispatch::next(current).await };
    current.touch().await?;
    let patient = form.get("patient")?.map(PatientId::new).ok_or_else(PageError::forged)?;
    let base = current.flow.ask.fhir_base.as_deref().ok_or_else(PageError::no_flow)?;
    let access = current.app.access(&current.origin, base, &signed_in.user, &patient, false).await?;
    if let Access::Closed(why) = access {
        refused(&current, &signed_in, "patient.selected", Some(patient), why.as_str()).await?;
        return Err(PageError::new(StatusCode::FORBIDDEN, "error-closed-patient"));
    }
    dispatch::learn(&mut current, &signed_in, Fact::Patient(patient)).await?;
    dispatch::next(current).await
}

/// Writes down that a patient was tried who is not to be opened.
pub(super) async fn refused(
    current: &Current,
    signed_in: &SignedIn,
    event: &'static str,
    patient: Option<PatientId>,
    why: &str,
) -> Result<(), PageError> {
    let mut entry = Entry::refused(event).user(&signed_in.user.id).client(&current.client.id).session(&signed_in.session_id).detail(why);
    // Anything can be posted; what could be somebody's id is worth a record.
    entry.patient = patient.filter(|patient| is_fhir_id(patient.as_str()));
    Ok(current.app.store.audit(&current.origin, entry).await?)
}
