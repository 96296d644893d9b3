//! `/account/apps`: which apps can see what, and taking it away (SMART App Launch 2.2,
//! `management_endpoint`).

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use futures_util::future::join_all;
use time::OffsetDateTime;

use super::alone;
use crate::app::{App, Chrome, OwnPage, Page, is_our_own_form, locale, session_secret, signed_in};
use crate::audit::Origin;
use crate::client::Client;
use crate::consent::{Decision, Subject};
use crate::error::PageError;
use crate::grant::Refresh;
use crate::id::ClientId;
use crate::params::Params;
use crate::person::{SignedIn, User};
use crate::scope::ScopeSet;
use crate::store::{Selection, Standing};
use crate::words::{Reader, Words, groups, sentence};

/// How many grants are looked at; those of one app for one patient are shown as one.
const MOST: i64 = 1000;

#[derive(Template)]
#[template(path = "account_apps.html")]
struct AppsPage {
    chrome: Chrome,
    user_name: String,
    csrf: String,
    apps: Vec<Card>,
    removed: Option<String>,
}

/// One app, for one patient's record.
#[derive(Default)]
struct Card {
    id: String,
    client_id: String,
    fhir_base: String,
    patient_id: String,
    name: String,
    developer: Option<String>,
    logo: Option<String>,
    about: Option<String>,
    allowed: Vec<String>,
    since: String,
    last_used: Option<String>,
    stays: String,
    ends: String,
    is_remembered: bool,
}

/// What is known of one app and one patient's record.
#[derive(Default)]
struct Known {
    scopes: ScopeSet,
    since: Option<OffsetDateTime>,
    last_used: Option<OffsetDateTime>,
    ends: Option<OffsetDateTime>,
    refresh: Option<Refresh>,
    is_remembered: bool,
}

/// The list.
pub(super) async fn show(State(app): State<Arc<App>>, origin: Origin, headers: HeaderMap) -> Result<Response, PageError> {
    let Some(signed_in) = signed_in(&app, &origin, &headers).await? else { return Ok(to_sign_in()) };
    app.store.touch_session(&origin, &signed_in).await?;
    page(&app, &origin, &headers, &signed_in, None).await
}

fn to_sign_in() -> Response {
    Redirect::to(&OwnPage::Account.login()).into_response()
}

/// Takes everything away that one app was allowed with one patient's record.
pub(super) async fn remove(State(app): State<Arc<App>>, origin: Origin, request: Request) -> Result<Response, PageError> {
    let headers = request.headers().clone();
    let form = Params::from_body(request).await?;
    let Some(signed_in) = signed_in(&app, &origin, &headers).await? else { return Ok(to_sign_in()) };
    is_our_own_form(&app, &headers, &form, &csrf(&headers)?)?;
    app.store.touch_session(&origin, &signed_in).await?;
    let client_id = form.get("client")?.map(ClientId::new).ok_or_else(PageError::forged)?;
    let client = app.store.client(&origin.tenant, &client_id).await?;
    let which = Selection {
        grant: None,
        // Whatever else the form says, it is about this person's apps and no other's.
        user: Some(signed_in.user.id.clone()),
        client: Some(client_id),
        fhir_base: Some(form.get("base")?.unwrap_or_default().to_owned()),
        patient: Some(form.get("patient")?.unwrap_or_default().to_owned()),
    };
    app.store.revoke_standing(&origin, which, "removed by the user").await?;
    page(&app, &origin, &headers, &signed_in, client.map(|client| client.name)).await
}

/// What the page's forms carry: nobody can name it who does not hold the session.
fn csrf(headers: &HeaderMap) -> Result<String, PageError> {
    Ok(session_secret(headers).ok_or_else(PageError::forged)?.derive("account"))
}

async fn page(
    app: &App,
    origin: &Origin,
    headers: &HeaderMap,
    signed_in: &SignedIn,
    removed: Option<String>,
) -> Result<Response, PageError> {
    let chrome = Chrome::of(app, locale(headers, None));
    let words = chrome.words();
    let reader = if signed_in.user.is_clinician() { Reader::Clinician } else { Reader::Patient };
    let user = &signed_in.user;
    let which = Selection { user: Some(user.id.clone()), ..Selection::default() };
    let standing = app.store.standing(&origin.tenant, &which, origin.now, MOST).await?;
    let decisions = app.store.decisions(&origin.tenant, &user.id, origin.now).await?;
    let known = gather(standing, decisions);
    // All at once: a record system that does not answer is waited for once.
    let abouts = join_all(known.iter().map(|(subject, _)| about(app, origin, user, subject, words))).await;
    let mut apps = Vec::new();
    for (place, ((subject, known), about)) in known.into_iter().zip(abouts).enumerate() {
        let Some(client) = app.store.client(&origin.tenant, &subject.client_id).await? else { continue };
        let logo = app.store.logo_of(&origin.tenant, &client.id).await?;
        let allowed = allowed(&known.scopes, words, reader);
        apps.push(Card {
            about,
            allowed,
            logo: logo.map(|digest| format!("/client-logo/{digest}")),
            ..Card::of(place, subject, &known, client, words)
        });
    }
    let page = AppsPage { chrome, user_name: user.display_name.clone(), csrf: csrf(headers)?, apps, removed };
    Ok(alone(Page(StatusCode::OK, page).into_response()))
}

/// Whose record it is. One that was closed meanwhile, or cannot be had at the moment, has no name: access to it can be
/// taken back all the same.
async fn about(app: &App, origin: &Origin, user: &User, subject: &Subject, words: &Words) -> Option<String> {
    let id = subject.patient_id.as_ref()?;
    if user.own_patient().as_ref() == Some(id) {
        return Some(words.text("page-own-record", &[]));
    }
    let patient = app.directory.patient(origin, subject.fhir_base.as_deref()?, id).await.ok().flatten();
    Some(patient.map_or_else(|| words.text("apps-closed-record", &[]), |patient| patient.name))
}

/// What these scopes let an app do and know, in plain words.
fn allowed(scopes: &ScopeSet, words: &Words, reader: Reader) -> Vec<String> {
    let records = groups(scopes).into_iter().flat_map(|group| group.permissions).map(|permission| permission.label(words, reader));
    records.chain(scopes.iter().filter_map(|scope| sentence(scope, words, reader))).collect()
}

/// Each time that an app is opened, it gets a grant of its own: a person thinks of all of them as one.
fn gather(standing: Vec<Standing>, decisions: Vec<(Subject, Decision)>) -> Vec<(Subject, Known)> {
    let mut all: BTreeMap<Subject, Known> = BTreeMap::new();
    for grant in standing {
        let known = all.entry(grant.subject).or_default();
        grant.scopes.iter().for_each(|scope| known.scopes.add(scope.clone()));
        known.since = known.since.into_iter().chain([grant.created_at]).min();
        known.last_used = known.last_used.max(Some(grant.last_used_at));
        known.ends = known.ends.max(Some(grant.ends_at));
        known.refresh = if grant.refresh == Some(Refresh::Offline) { grant.refresh } else { known.refresh.or(grant.refresh) };
    }
    for (subject, decision) in decisions {
        let known = all.entry(subject).or_default();
        decision.approved.iter().for_each(|scope| known.scopes.add(scope.clone()));
        known.since = known.since.into_iter().chain([decision.decided_at]).min();
        known.ends = known.ends.max(Some(decision.expires_at));
        known.is_remembered = true;
    }
    all.into_iter().collect()
}

impl Card {
    fn of(place: usize, subject: Subject, known: &Known, client: Client, words: &Words) -> Self {
        let day = |time: OffsetDateTime| time.date().to_string();
        Self {
            id: format!("app-{place}"),
            client_id: subject.client_id.to_string(),
            fhir_base: subject.fhir_base.unwrap_or_default(),
            patient_id: subject.patient_id.map(|id| id.to_string()).unwrap_or_default(),
            name: client.name,
            developer: client.developer,
            since: known.since.map(day).unwrap_or_default(),
            last_used: known.last_used.map(day),
            stays: match known.refresh {
                Some(Refresh::Offline) => words.text("apps-offline", &[]),
                Some(Refresh::Online) => words.text("apps-online", &[]),
                None => words.text("apps-brief", &[]),
            },
            ends: known.ends.map(day).unwrap_or_default(),
            is_remembered: known.is_remembered,
            ..Self::default()
        }
    }
}
