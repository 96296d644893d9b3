//! `/patient`: the person chooses whose record the app opens.

use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::current::Current;
use super::{dispatch, logout};
pub(super) use crate::app::PatientRow as Row;
use crate::app::{App, Chrome, Page};
use crate::audit::{Entry, Origin};
use crate::error::PageError;
use crate::flow::Step;
use crate::id::PatientId;
use crate::params::Params;
use crate::person::{FhirUser, SignedIn, is_fhir_id};
use crate::store::Fact;

/// How many patients the page shows; who has more narrows the search.
const SHOWN: i64 = 50;
/// The longest search that is looked for, in characters.
const MAX_SEARCH: usize = 100;

#[derive(Template)]
#[template(path = "patient.html")]
struct PatientPage {
    chrome: Chrome,
    app_name: String,
    user_name: String,
    action: String,
    search_action: &'static str,
    flow: String,
    csrf: String,
    query: String,
    rows: Vec<Row>,
    more: bool,
    shown: usize,
    empty: Option<String>,
}

/// The patient, where there is nothing to choose: a patient's own record, or the one person whom
/// a carer looks after. A clinician always chooses.
pub(super) async fn only_choice(current: &Current, signed_in: &SignedIn) -> Result<Option<PatientId>, PageError> {
    let Current { app, origin, flow, .. } = current;
    let Some(base) = &flow.ask.fhir_base else { return Ok(None) };
    if let Some(own) = signed_in.user.own_patient() {
        // As far as this base has their record, and it was not closed or merged into another.
        return Ok(app.store.patient(&origin.tenant, base, &own).await?.map(|patient| patient.id));
    }
    let Some(who) = signed_in.user.fhir_user.as_ref().filter(|_| !signed_in.user.is_clinician()) else { return Ok(None) };
    let mut open = app.store.patients_open_to(&origin.tenant, base, who, "", 2).await?;
    Ok(if open.len() == 1 { open.pop().map(|patient| patient.id) } else { None })
}

/// The list, narrowed by a search.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    origin: Origin,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let query = Params::parse(query.unwrap_or_default().as_bytes())?;
    let current = Current::find(&app, origin, &headers, &query).await?.unanswered()?;
    let Some((who, base, name)) = stands_here(&current) else { return dispatch::next(current).await };
    current.touch().await?;
    let typed: String = query.get("q")?.unwrap_or_default().chars().take(MAX_SEARCH).collect();
    let mut patients = match &who {
        Some(who) => app.store.patients_open_to(&current.origin.tenant, &base, who, &typed, SHOWN + 1).await?,
        None => Vec::new(),
    };
    let shown = usize::try_from(SHOWN).unwrap_or(usize::MAX);
    let more = patients.len() > shown;
    patients.truncate(shown);
    let empty = patients.is_empty().then(|| {
        if typed.is_empty() {
            "There are no patients that you may open. Ask your administrator to put you on a care team.".to_owned()
        } else {
            "None of your patients matches. Try part of a name, a birth date such as 1984-03-09, or the start of an MRN.".to_owned()
        }
    });
    let page = PatientPage {
        chrome: Chrome::of(&app),
        app_name: current.client.name.clone(),
        user_name: name,
        action: current.url("/patient"),
        search_action: "/patient",
        flow: current.flow.id.to_string(),
        csrf: current.csrf(),
        query: typed,
        shown: patients.len(),
        rows: patients.into_iter().map(|patient| Row::new(patient, current.origin.now.date())).collect(),
        more,
        empty,
    };
    let mut response = Page(StatusCode::OK, page).into_response();
    response.extensions_mut().insert(current.form_action());
    Ok(response)
}

/// Whose list it is; `None` where the flow stands elsewhere.
fn stands_here(current: &Current) -> Option<(Option<FhirUser>, String, String)> {
    let signed_in = current.signed_in.as_ref()?;
    if current.flow.next_step(Some(signed_in), &current.client, current.origin.now) != Step::PickPatient {
        return None;
    }
    Some((signed_in.user.fhir_user.clone(), current.flow.ask.fhir_base.clone()?, signed_in.user.display_name.clone()))
}

/// One patient, or a change of mind.
pub(super) async fn submit(
    State(app): State<Arc<App>>,
    origin: Origin,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, PageError> {
    let headers = request.headers().clone();
    let query = Params::parse(query.unwrap_or_default().as_bytes())?;
    let mut current = Current::find(&app, origin, &headers, &query).await?.unanswered()?;
    let form = Params::from_body(request).await?;
    current.check_form(&headers, &form)?;
    if form.get("cancel")?.is_some() {
        return dispatch::refuse(current, "access_denied", "the user did not choose a patient").await;
    }
    if form.get("switch_user")?.is_some() {
        return logout::switch_user(current).await;
    }
    let Some((who, base, _)) = stands_here(&current) else { return dispatch::next(current).await };
    let Some(signed_in) = current.signed_in.clone() else { return dispatch::next(current).await };
    current.touch().await?;
    let patient = form.get("patient")?.map(PatientId::new).ok_or_else(PageError::forged)?;
    let is_open = match &who {
        Some(who) => app.store.is_patient_open_to(&current.origin.tenant, &base, who, &patient).await?,
        None => false,
    };
    if !is_open {
        let mut entry =
            Entry::refused("patient.selected").user(&signed_in.user.id).client(&current.client.id).session(&signed_in.session_id);
        // Anything can be posted; what could be somebody's id is worth a record.
        entry.patient = Some(patient).filter(|patient| is_fhir_id(patient.as_str()));
        app.store.audit(&current.origin, entry).await?;
        return Err(PageError::new(
            StatusCode::FORBIDDEN,
            None,
            "You may not open this patient",
            "This patient is not one of yours.",
            "Go back and choose a patient from the list.",
        ));
    }
    dispatch::learn(&mut current, &signed_in, Fact::Patient(patient)).await?;
    dispatch::next(current).await
}
