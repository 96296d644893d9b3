//! `/launch-pad`: a clinician chooses a patient and opens an app.

use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::begin::{Opening, begin};
use crate::app::{
    App, Chrome, EncounterRow, FormAction, OwnPage, Page, PatientRow, clear_session, is_our_own_form, locale, see_other, session_secret,
    signed_in,
};
use crate::audit::{Entry, Origin};
use crate::client::Client;
use crate::error::PageError;
use crate::id::{ClientId, PatientId};
use crate::launch::LaunchContext;
use crate::params::Params;
use crate::person::{SignedIn, is_fhir_id};
use crate::redirect::RedirectUri;
use crate::tenant::FhirBase;
use crate::words::{Arg, Locale, Words};

/// How many patients the page shows; who has more narrows the search.
const SHOWN: usize = 50;
/// How many apps are looked at.
const MOST_APPS: i64 = 1000;
/// The longest search that is looked for, in characters.
const MAX_SEARCH: usize = 100;

#[derive(Template)]
#[template(path = "launch_pad.html")]
struct PatientsPage {
    chrome: Chrome,
    user_name: String,
    csrf: String,
    bases: Vec<Base>,
    base: String,
    query: String,
    rows: Vec<PatientRow>,
    more: bool,
    count: String,
}

#[derive(Template)]
#[template(path = "launch_pad_apps.html")]
struct AppsPage {
    chrome: Chrome,
    user_name: String,
    csrf: String,
    base: String,
    patient: PatientRow,
    encounters: Vec<EncounterRow>,
    apps: Vec<Tile>,
}

/// A FHIR base to choose.
struct Base {
    name: String,
    url: String,
    is_chosen: bool,
}

/// An app to open.
struct Tile {
    id: String,
    name: String,
    developer: Option<String>,
    host: String,
    is_verified: bool,
}

/// Somebody who may be here, and where they stand.
struct Visit {
    app: Arc<App>,
    origin: Origin,
    signed_in: SignedIn,
    csrf: String,
    bases: Arc<[FhirBase]>,
    locale: Locale,
}

impl Visit {
    /// Whoever is signed in; `None` where nobody is.
    ///
    /// # Errors
    /// A page for those who do not treat patients.
    async fn find(app: &Arc<App>, origin: Origin, headers: &HeaderMap) -> Result<Option<Self>, PageError> {
        let (Some(secret), Some(signed_in)) = (session_secret(headers), signed_in(app, &origin, headers).await?) else {
            return Ok(None);
        };
        let bases = app.fhir_bases(origin.now).await?;
        Ok(Some(Self { app: Arc::clone(app), origin, signed_in, csrf: secret.derive("launch pad"), bases, locale: locale(headers, None) }))
    }

    /// # Errors
    /// A page for those who do not treat patients.
    fn must_be_clinician(&self) -> Result<(), PageError> {
        if self.signed_in.user.is_clinician() {
            return Ok(());
        }
        Err(PageError::new(StatusCode::FORBIDDEN, "error-not-clinician"))
    }

    /// The FHIR base of this name, or the first one where none is named.
    fn base(&self, name: Option<&str>) -> Result<&FhirBase, PageError> {
        let found = match name {
            Some(name) => self.bases.iter().find(|base| base.name == name),
            None => self.bases.first(),
        };
        found.ok_or_else(PageError::not_found)
    }

    /// The apps that can be launched on this FHIR base, by name.
    async fn apps(&self, base: &FhirBase) -> Result<Vec<(Client, RedirectUri)>, PageError> {
        let clients = self.app.store.launchable_clients(&self.origin.tenant, MOST_APPS).await?.into_iter();
        let mut apps: Vec<_> = clients.filter(|client| client.can_be_launched(&base.name)).filter_map(with_launch_uri).collect();
        apps.sort_by_key(|(client, _)| (client.name.to_lowercase(), client.id.clone()));
        Ok(apps)
    }

    /// A patient whom this person may open, by what was sent.
    ///
    /// # Errors
    /// 403, and an entry in the books, for anybody else.
    async fn patient(&self, base: &FhirBase, id: &str) -> Result<PatientId, PageError> {
        let patient = PatientId::new(id);
        if is_fhir_id(id) && self.app.may_open(&self.origin, &base.name, &self.signed_in.user, &patient).await? {
            return Ok(patient);
        }
        let mut entry = Entry::refused("launch.begun").user(&self.signed_in.user.id).session(&self.signed_in.session_id);
        entry.patient = Some(patient).filter(|_| is_fhir_id(id));
        self.app.store.audit(&self.origin, entry).await?;
        Err(PageError::new(StatusCode::FORBIDDEN, "error-closed-patient"))
    }
}

/// One whose launch URL could be registered today: a page's `form-action` names its origin.
fn with_launch_uri(client: Client) -> Option<(Client, RedirectUri)> {
    let uri = RedirectUri::register(client.launch_uri.as_deref()?).ok()?;
    Some((client, uri))
}

/// The patients, or the apps for one of them.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    origin: Origin,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let query = Params::parse(query.unwrap_or_default().as_bytes())?;
    let Some(visit) = Visit::find(&app, origin, &headers).await? else { return Ok(see_other(&OwnPage::LaunchPad.login())) };
    visit.must_be_clinician()?;
    app.store.touch_session(&visit.origin, &visit.signed_in).await?;
    let base = visit.base(query.get("base")?)?;
    match query.get("patient")? {
        Some(patient) => {
            let patient = visit.patient(base, patient).await?;
            apps_page(&visit, base, &patient).await
        }
        None => patients_page(&visit, base, query.get("q")?.unwrap_or_default()).await,
    }
}

async fn patients_page(visit: &Visit, base: &FhirBase, typed: &str) -> Result<Response, PageError> {
    let typed: String = typed.chars().take(MAX_SEARCH).collect();
    let mut patients = visit.app.find_patients(&visit.origin, &base.name, &visit.signed_in.user, &typed, SHOWN + 1).await?;
    let more = patients.len() > SHOWN;
    patients.truncate(SHOWN);
    let (today, words) = (visit.origin.now.date(), Words::get(visit.locale));
    let page = PatientsPage {
        chrome: Chrome::of(&visit.app, visit.locale),
        user_name: visit.signed_in.user.display_name.clone(),
        csrf: visit.csrf.clone(),
        bases: visit
            .bases
            .iter()
            .map(|own| Base { name: own.name.clone(), url: own.public_url().to_owned(), is_chosen: own.name == base.name })
            .collect(),
        base: base.name.clone(),
        query: typed,
        count: words.text("patients-count", &[("count", Arg::from(patients.len()))]),
        rows: patients.into_iter().map(|patient| PatientRow::new(patient, today, words)).collect(),
        more,
    };
    Ok(Page(StatusCode::OK, page).into_response())
}

async fn apps_page(visit: &Visit, base: &FhirBase, id: &PatientId) -> Result<Response, PageError> {
    let patient = visit.app.directory.patient(&visit.origin, &base.name, id).await?.ok_or_else(PageError::not_found)?;
    let apps = visit.apps(base).await?;
    // Chromium looks at `form-action` on the redirect after the POST as well.
    let mut origins: Vec<String> = apps.iter().map(|(_, uri)| uri.form_action()).collect();
    origins.sort_unstable();
    origins.dedup();
    let tile = |(client, uri): (Client, RedirectUri)| Tile {
        id: client.id.to_string(),
        name: client.name,
        developer: client.developer,
        host: uri.host(),
        is_verified: client.is_verified,
    };
    let words = Words::get(visit.locale);
    let encounters = visit.app.directory.encounters(&visit.origin, &base.name, id).await?;
    let page = AppsPage {
        chrome: Chrome::of(&visit.app, visit.locale),
        user_name: visit.signed_in.user.display_name.clone(),
        csrf: visit.csrf.clone(),
        base: base.name.clone(),
        patient: PatientRow::new(patient, visit.origin.now.date(), words),
        encounters: encounters.into_iter().map(|encounter| EncounterRow::new(encounter, words)).collect(),
        apps: apps.into_iter().map(tile).collect(),
    };
    let mut response = Page(StatusCode::OK, page).into_response();
    response.extensions_mut().insert(FormAction(origins.join(" ")));
    Ok(response)
}

/// Opens an app: 303 to its launch URL.
pub(super) async fn submit(State(app): State<Arc<App>>, origin: Origin, request: Request) -> Result<Response, PageError> {
    let headers = request.headers().clone();
    let form = Params::from_body(request).await?;
    let Some(visit) = Visit::find(&app, origin, &headers).await? else { return Ok(see_other(&OwnPage::LaunchPad.login())) };
    // The token belongs to the session: a page that somebody else left open opens nothing.
    is_our_own_form(&app, &headers, &form, &visit.csrf)?;
    if form.get("switch_user")?.is_some() {
        app.store.end_session(&visit.origin, &visit.signed_in).await?;
        let mut response = see_other(&OwnPage::LaunchPad.login());
        response.headers_mut().append(header::SET_COOKIE, clear_session());
        return Ok(response);
    }
    visit.must_be_clinician()?;
    app.store.touch_session(&visit.origin, &visit.signed_in).await?;
    let missing = PageError::forged;
    let base = visit.base(Some(form.get("base")?.ok_or_else(missing)?))?;
    let patient = visit.patient(base, form.get("patient")?.ok_or_else(missing)?).await?;
    let encounter = match form.get("encounter")? {
        None => None,
        Some(id) => {
            let known = app.directory.encounters(&visit.origin, &base.name, &patient).await?;
            Some(known.into_iter().find(|encounter| encounter.id == id).ok_or_else(missing)?.id)
        }
    };
    let id = ClientId::new(form.get("app")?.ok_or_else(missing)?);
    let client = app.store.client(&visit.origin.tenant, &id).await?.filter(|client| client.can_be_launched(&base.name));
    let client = client.ok_or_else(PageError::not_found)?;
    let opening = Opening {
        client: &client,
        user: &visit.signed_in.user,
        base,
        patient: Some(patient),
        encounter,
        context: LaunchContext::default(),
    };
    let entry = Entry::done("launch.begun").session(&visit.signed_in.session_id).detail("at the launch pad");
    let begun = begin(&app, &visit.origin, opening, entry).await?;
    Ok(see_other(&begun.url))
}
