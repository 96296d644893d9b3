//! `/encounter`: the person chooses the visit that the app is opened for (SMART App Launch 2.2,
//! `launch/encounter`), or goes on without one.

use askama::Template;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;

use super::current::Current;
use super::{dispatch, logout};
use crate::app::{Chrome, EncounterRow, PatientRow};
use crate::error::PageError;
use crate::flow::Step;
use crate::id::PatientId;
use crate::params::Params;
use crate::person::SignedIn;
use crate::store::Fact;

#[derive(Template)]
#[template(path = "encounter.html")]
struct EncounterPage {
    chrome: Chrome,
    app_name: String,
    user_name: String,
    patient: Option<PatientRow>,
    action: String,
    csrf: String,
    encounters: Vec<EncounterRow>,
}

/// Where the flow stands at this page.
struct Here {
    signed_in: SignedIn,
    base: String,
    patient: PatientId,
}

fn stands_here(current: &Current) -> Option<Here> {
    let signed_in = current.signed_in.clone()?;
    if current.flow.next_step(Some(&signed_in), &current.client, current.origin.now) != Step::PickEncounter {
        return None;
    }
    Some(Here { signed_in, base: current.flow.ask.fhir_base.clone()?, patient: current.flow.patient_id.clone()? })
}

/// The list.
pub(super) async fn show(current: Current) -> Result<Response, PageError> {
    let Some(at) = stands_here(&current) else { return dispatch::next(current).await };
    current.touch().await?;
    let Current { app, origin, .. } = &current;
    let patient = app.directory.patient(origin, &at.base, &at.patient).await?;
    let encounters = app.directory.encounters(origin, &at.base, &at.patient).await?;
    let words = current.words();
    let page = EncounterPage {
        chrome: current.chrome(),
        app_name: current.client.name.clone(),
        patient: patient.map(|patient| PatientRow::new(patient, current.origin.now.date(), words)),
        action: current.url("/encounter"),
        csrf: current.csrf(),
        encounters: encounters.into_iter().map(|visit| EncounterRow::new(visit, words)).collect(),
        user_name: at.signed_in.user.display_name,
    };
    Ok(current.page(StatusCode::OK, page))
}

/// One of them, none, or a change of mind.
pub(super) async fn submit(mut current: Current, request: Request) -> Result<Response, PageError> {
    let form = current.form(request, Params::from_body).await?;
    if form.get("cancel")?.is_some() {
        return dispatch::refuse(current, "access_denied", "the user did not choose an encounter").await;
    }
    if form.get("switch_user")?.is_some() {
        return logout::switch_user(current).await;
    }
    let Some(at) = stands_here(&current) else { return dispatch::next(current).await };
    current.touch().await?;
    let chosen = match (form.get("encounter")?, form.get("none")?) {
        (Some(id), None) => Some(id.to_owned()),
        (None, Some(_)) => None,
        _ => return Err(PageError::forged()),
    };
    if let Some(id) = &chosen
        && !current.app.directory.encounters(&current.origin, &at.base, &at.patient).await?.iter().any(|encounter| encounter.id == *id)
    {
        return Err(PageError::new(StatusCode::FORBIDDEN, "error-visit"));
    }
    dispatch::learn(&mut current, &at.signed_in, Fact::Encounter(chosen)).await?;
    dispatch::next(current).await
}
