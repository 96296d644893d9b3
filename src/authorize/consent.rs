//! `/consent`: the person decides what the app may do.

use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::current::Current;
use super::patient::Row;
use super::{dispatch, logout};
use crate::app::{App, Chrome, Page};
use crate::audit::Origin;
use crate::error::PageError;
use crate::flow::Step;
use crate::grant::{OFFLINE_LIFE, Refresh};
use crate::params::Params;
use crate::person::SignedIn;
use crate::scope::{Level, Scope, ScopeSet};
use crate::store::Fact;
use crate::words::{Locale, Permission, Reader, Words};

#[derive(Template)]
#[template(path = "consent.html")]
struct ConsentPage {
    chrome: Chrome,
    app_name: String,
    app_verified: bool,
    app_host: String,
    app_developer: Option<String>,
    user_name: String,
    patient: Option<Row>,
    emergency: Option<String>,
    is_self: bool,
    action: String,
    csrf: String,
    identity: Vec<String>,
    groups: Vec<Group>,
    offline: Option<String>,
    until: String,
    error: Option<String>,
}

struct Group {
    title: String,
    items: Vec<Item>,
}

struct Item {
    value: String,
    id: String,
    label: String,
    detail: String,
    checked: bool,
}

/// The question.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    origin: Origin,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let query = Params::parse(query.unwrap_or_default().as_bytes())?;
    let current = Current::find(&app, origin, &headers, &query).await?.unanswered()?;
    match stands_here(&current) {
        None => dispatch::next(current).await,
        Some(signed_in) => {
            current.touch().await?;
            page(&current, &signed_in, StatusCode::OK, None).await
        }
    }
}

fn stands_here(current: &Current) -> Option<SignedIn> {
    let signed_in = current.signed_in.as_ref()?;
    let is_here = current.flow.next_step(Some(signed_in), &current.client, current.origin.now) == Step::Consent;
    (is_here && current.flow.user_id.as_ref() == Some(&signed_in.user.id)).then(|| signed_in.clone())
}

/// The decision.
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
    let decision = form.get("decision")?.unwrap_or_default();
    if decision == "deny" {
        return dispatch::refuse(current, "access_denied", "the user denied access").await;
    }
    if decision == "switch_user" {
        return logout::switch_user(current).await;
    }
    let Some(signed_in) = stands_here(&current) else { return dispatch::next(current).await };
    current.touch().await?;
    if form.get("csrf")? != Some(current.consent_csrf().as_str()) {
        // The page was about another person or patient: this one is asked as well.
        return dispatch::next(current).await;
    }
    if decision != "approve" {
        return Err(PageError::forged());
    }
    let offered = current.flow.can_be_given_by(&signed_in.user);
    let ticked: Vec<&str> = form.all("scope")?;
    let Some(approved) = chosen(&offered, &ticked) else { return Err(PageError::forged()) };
    if approved.resources().next().is_none() && !approved.has(&Scope::OpenId) {
        return page(&current, &signed_in, StatusCode::BAD_REQUEST, Some("Tick at least one of the boxes, or press Deny.")).await;
    }
    dispatch::learn(&mut current, &signed_in, Fact::Approved(approved)).await?;
    dispatch::next(current).await
}

/// What was offered less the boxes that were cleared; `None` where something was ticked that was
/// never offered.
fn chosen(offered: &ScopeSet, ticked: &[&str]) -> Option<ScopeSet> {
    let boxes: Vec<String> = offered.resources().map(ToString::to_string).collect();
    if ticked.iter().any(|ticked| !boxes.iter().any(|own| own == ticked)) {
        return None;
    }
    Some(offered.filtered(|scope| match scope {
        Scope::Resource(_) => ticked.contains(&scope.to_string().as_str()),
        _ => true,
    }))
}

async fn page(current: &Current, signed_in: &SignedIn, status: StatusCode, error: Option<&str>) -> Result<Response, PageError> {
    let Current { app, origin, flow, client, .. } = current;
    let offered = flow.can_be_given_by(&signed_in.user);
    if offered.is_empty() {
        return Err(PageError::new(
            StatusCode::FORBIDDEN,
            Some("invalid_scope"),
            "There is nothing that you can share with this app",
            "It asks for things that your account has no right to give.",
            "Go back to the app, or sign in with another account.",
        ));
    }
    let patient = match (&flow.ask.fhir_base, &flow.patient_id) {
        (Some(base), Some(id)) => app.directory.patient(origin, base, id).await?,
        _ => None,
    };
    let page = ConsentPage {
        chrome: Chrome::of(app),
        app_name: client.name.clone(),
        app_verified: client.is_verified,
        app_host: flow.ask.return_to.uri().host(),
        app_developer: client.developer.clone(),
        user_name: signed_in.user.display_name.clone(),
        patient: patient.map(|patient| Row::new(patient, origin.now.date())),
        emergency: flow.emergency_reason.clone(),
        is_self: flow.patient_id.is_some() && flow.patient_id == signed_in.user.own_patient(),
        action: current.url("/consent"),
        csrf: current.consent_csrf(),
        identity: identity(&offered),
        // The one error is that nothing was ticked, and so it stays.
        groups: groups(&offered, error.is_none()),
        offline: offline(&offered),
        until: "This access ends ten minutes after you allow it. The app has to ask you again after that.".to_owned(),
        error: error.map(str::to_owned),
    };
    let mut response = Page(status, page).into_response();
    response.extensions_mut().insert(current.form_action());
    Ok(response)
}

/// What comes with signing in.
fn identity(offered: &ScopeSet) -> Vec<String> {
    let mut sentences = Vec::new();
    if offered.has(&Scope::OpenId) {
        sentences.push("A number that stands for you, and when you signed in.");
    }
    if offered.has(&Scope::Profile) {
        sentences.push("Your name.");
    }
    if offered.has(&Scope::FhirUser) {
        sentences.push("Which entry in the health system is yours.");
    }
    if offered.need_patient() {
        sentences.push("Which patient this is about.");
    }
    sentences.into_iter().map(str::to_owned).collect()
}

/// One box per resource scope, by whose data it is about.
fn groups(offered: &ScopeSet, is_ticked: bool) -> Vec<Group> {
    let of = |level: Level, title: &str| {
        let items: Vec<Item> = offered
            .resources()
            .enumerate()
            .filter(|(_, scope)| scope.level == level)
            .map(|(place, scope)| {
                let words = Words::get(Locale::En);
                let permission = Permission::from(scope.clone());
                Item {
                    value: scope.to_string(),
                    id: format!("scope-{place}"),
                    label: permission.label(words, Reader::Patient),
                    detail: permission.detail(words).unwrap_or_default(),
                    checked: is_ticked,
                }
            })
            .collect();
        (!items.is_empty()).then(|| Group { title: title.to_owned(), items })
    };
    [of(Level::Patient, "In this patient's record"), of(Level::User, "In the records that you may open")].into_iter().flatten().collect()
}

/// How long it goes on when the person is away.
fn offline(offered: &ScopeSet) -> Option<String> {
    match Refresh::asked_by(offered)? {
        Refresh::Offline => Some(format!(
            "The app keeps this access while you are away. It ends {} days after the app last used it, or when the hospital ends it.",
            OFFLINE_LIFE.whole_days()
        )),
        Refresh::Online => Some("The app keeps this access until you sign out here, or until you have been away for a while.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SC-10, SC-11
    #[test]
    fn only_what_was_offered_can_be_ticked_and_only_what_was_ticked_is_given() {
        let offered = ScopeSet::parse("openid launch/patient patient/Patient.rs patient/Observation.rs offline_access").expect("scopes");
        let given = |ticked: &[&str]| chosen(&offered, ticked).map(|set| set.to_string());
        assert_eq!(given(&["patient/Patient.rs"]).as_deref(), Some("openid launch/patient patient/Patient.rs offline_access"));
        assert_eq!(given(&[]).as_deref(), Some("openid launch/patient offline_access"));
        for forged in ["patient/*.rs", "patient/Patient.cruds", "openid", ""] {
            assert_eq!(given(&[forged]), None, "{forged}");
        }
    }
}
