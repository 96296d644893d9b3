//! `/consent`: the person decides what the app may do.

use askama::Template;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use time::Duration;

use super::consent_choice::{Boxes, ChoiceBox, Ticks};
use super::current::Current;
use super::{dispatch, logout};
use crate::app::{Chrome, PatientRow};
use crate::client::Client;
use crate::consent::{Decision, Offer, REMEMBERED_LIFE, Unfit};
use crate::error::PageError;
use crate::flow::Step;
use crate::grant::{OFFLINE_LIFE, Refresh};
use crate::params::Params;
use crate::person::SignedIn;
use crate::scope::{Level, Scope, ScopeSet};
use crate::store::Fact;
use crate::words::{Arg, Reader, Words, sentence};

#[derive(Template)]
#[template(path = "consent.html")]
struct ConsentPage {
    chrome: Chrome,
    card: AppCard,
    user_name: String,
    patient: Option<PatientRow>,
    emergency: Option<String>,
    is_self: bool,
    action: String,
    csrf: String,
    identity: Vec<String>,
    groups: Vec<Group>,
    offline: Option<Offline>,
    until: String,
    remembered: Option<String>,
    asked_before: bool,
    error: Option<String>,
}

/// What there is to know of the app.
struct AppCard {
    name: String,
    is_verified: bool,
    host: String,
    developer: Option<String>,
    logo: Option<String>,
    website: Option<String>,
    policy: Option<String>,
    terms: Option<String>,
    attestation: String,
}

struct Group {
    title: String,
    boxes: Vec<ChoiceBox>,
}

/// The box for an access that goes on when the person is away.
struct Offline {
    detail: String,
    is_ticked: bool,
}

/// The question.
pub(super) async fn show(current: Current) -> Result<Response, PageError> {
    match stands_here(&current) {
        None => dispatch::next(current).await,
        Some(signed_in) => {
            current.touch().await?;
            page(&current, &signed_in, None).await
        }
    }
}

fn stands_here(current: &Current) -> Option<SignedIn> {
    let signed_in = current.signed_in.as_ref()?;
    let is_here = current.flow.next_step(Some(signed_in), &current.client, current.origin.now) == Step::Consent;
    (is_here && current.flow.user_id.as_ref() == Some(&signed_in.user.id)).then(|| signed_in.clone())
}

/// What this person decided the last time, where that answers the flow.
pub(super) async fn remembered(current: &Current) -> Result<Option<ScopeSet>, PageError> {
    let Current { app, origin, flow, client, .. } = current;
    let Some(signed_in) = stands_here(current).filter(|_| !flow.ask.prompt.consent) else { return Ok(None) };
    let Some(decision) = earlier(current, &signed_in).await? else { return Ok(None) };
    let Some(answer) = decision.answer(&flow.can_be_given_by(&signed_in.user), client) else { return Ok(None) };
    let person = (&signed_in.user.id, &signed_in.session_id);
    let subject = flow.subject(&signed_in.user.id);
    let counts = app.store.recall(origin, flow, person, (subject, decision), &answer).await?;
    Ok(counts.then_some(answer))
}

async fn earlier(current: &Current, signed_in: &SignedIn) -> Result<Option<Decision>, PageError> {
    let Current { app, origin, flow, client, .. } = current;
    if !flow.remembers(signed_in, client) {
        return Ok(None);
    }
    Ok(app.store.decision(&origin.tenant, &flow.subject(&signed_in.user.id), origin.now).await?)
}

/// The decision.
pub(super) async fn submit(mut current: Current, request: Request) -> Result<Response, PageError> {
    let form = current.form(request, Params::from_boxes).await?;
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
    let ticked = form.all("scope")?;
    match offer(&current, &offered).await?.allowed(&ticked) {
        Err(Unfit::NotOffered) => Err(PageError::forged()),
        Err(unfit) => page(&current, &signed_in, Some((unfit, &ticked))).await,
        Ok(approved) => {
            let is_kept = current.flow.remembers(&signed_in, &current.client);
            let decision = is_kept.then(|| Box::new(Decision::now(&offered, &approved, &current.client, current.origin.now)));
            dispatch::learn(&mut current, &signed_in, Fact::Approved(approved, decision)).await?;
            dispatch::next(current).await
        }
    }
}

/// What there is to decide, in scopes that the FHIR base knows.
async fn offer(current: &Current, offered: &ScopeSet) -> Result<Offer, PageError> {
    let Current { app, origin, flow, .. } = current;
    let bases = app.fhir_bases(origin.now).await?;
    let offer = Offer::of(offered);
    Ok(match bases.iter().find(|base| Some(&base.name) == flow.ask.fhir_base.as_ref()) {
        Some(base) => offer.within(base),
        None => offer,
    })
}

async fn page(current: &Current, signed_in: &SignedIn, refused: Option<(Unfit, &[&str])>) -> Result<Response, PageError> {
    let Current { app, origin, flow, client, .. } = current;
    let words = current.words();
    let offered = flow.can_be_given_by(&signed_in.user);
    if offered.is_empty() {
        let mut error = PageError::new(StatusCode::FORBIDDEN, "error-nothing-to-share");
        error.code = Some("invalid_scope");
        return Err(error);
    }
    let patient = match (&flow.ask.fhir_base, &flow.patient_id) {
        (Some(base), Some(id)) => app.directory.patient(origin, base, id).await?,
        _ => None,
    };
    let is_self = flow.patient_id.is_some() && flow.patient_id == signed_in.user.own_patient();
    let earlier = earlier(current, signed_in).await?;
    let logo = app.store.logo_of(&origin.tenant, &client.id).await?;
    let offer = offer(current, &offered).await?;
    let ticks = match (&refused, &earlier) {
        (Some((_, ticked)), _) => Ticks::Posted(ticked),
        (None, Some(decision)) => Ticks::Earlier(decision),
        (None, None) => Ticks::Everything,
    };
    let reader = if signed_in.user.is_clinician() { Reader::Clinician } else { Reader::Patient };
    let boxes = Boxes { words, reader, ticks, count: 0 };
    let page = ConsentPage {
        chrome: current.chrome(),
        card: AppCard::of(client, flow.ask.return_to.uri().host(), logo, words),
        user_name: signed_in.user.display_name.clone(),
        patient: patient.map(|patient| PatientRow::new(patient, origin.now.date(), words)),
        emergency: flow.emergency_reason.clone(),
        is_self,
        action: current.url("/consent"),
        csrf: current.consent_csrf(),
        identity: identity(&offered, words, reader),
        offline: offer
            .offline()
            .then(|| Offline { detail: how_long(client.refresh_max_life, words), is_ticked: boxes.ticks.have(&Scope::OfflineAccess) }),
        groups: groups(&offer, boxes, is_self),
        until: until(&offered, words),
        remembered: flow
            .remembers(signed_in, client)
            .then(|| words.text("consent-remembered", &[("days", Arg::from(REMEMBERED_LIFE.whole_days()))])),
        asked_before: earlier.is_some(),
        error: refused.map(|(unfit, _)| complaint(unfit, words)),
    };
    let status = if refused.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Ok(current.page(status, page))
}

/// How long an app goes on while nobody is there; `most` is the end that an administrator has set.
fn how_long(most: Option<Duration>, words: &Words) -> String {
    let days = |life: Duration| Arg::from(life.whole_days());
    match most {
        None => words.text("consent-offline-detail", &[("days", days(OFFLINE_LIFE))]),
        Some(most) if most <= OFFLINE_LIFE => words.text("consent-offline-capped", &[("days", days(most))]),
        Some(most) => words.text("consent-offline-both", &[("days", days(OFFLINE_LIFE)), ("most", days(most))]),
    }
}

fn complaint(unfit: Unfit, words: &Words) -> String {
    match unfit {
        Unfit::Nothing | Unfit::NotOffered => words.text("consent-tick-something", &[]),
        Unfit::WholeAndParts => words.text("consent-whole-and-parts", &[]),
        Unfit::TooMany => words.text("consent-too-many", &[]),
    }
}

impl AppCard {
    fn of(client: &Client, host: String, logo: Option<String>, words: &Words) -> Self {
        // What an app says of itself leads nowhere but to a web page.
        let web = |link: &Option<String>| link.clone().filter(|link| link.starts_with("https://"));
        Self {
            name: client.name.clone(),
            is_verified: client.is_verified,
            host,
            developer: client.developer.clone(),
            logo: logo.map(|digest| format!("/client-logo/{digest}")),
            website: web(&client.website),
            policy: web(&client.policy_uri),
            terms: web(&client.tos_uri),
            attestation: match client.attested {
                Some(true) => words.text("consent-attested", &[]),
                Some(false) => words.text("consent-not-attested", &[]),
                None => words.text("consent-attested-unknown", &[]),
            },
        }
    }
}

/// What comes with signing in.
fn identity(offered: &ScopeSet, words: &Words, reader: Reader) -> Vec<String> {
    let comes_along = |scope: &&Scope| !matches!(scope, Scope::OfflineAccess | Scope::OnlineAccess);
    let mut sentences: Vec<String> = offered.iter().filter(comes_along).filter_map(|scope| sentence(scope, words, reader)).collect();
    if offered.need_patient() && !offered.has(&Scope::LaunchPatient) {
        sentences.extend(sentence(&Scope::LaunchPatient, words, reader));
    }
    sentences
}

/// The boxes, by whose data they are about.
fn groups(offer: &Offer, mut boxes: Boxes<'_>, is_self: bool) -> Vec<Group> {
    let mut groups = Vec::new();
    for level in [Level::Patient, Level::User] {
        let choices = offer.choices.iter().filter(|choice| choice.permission.scopes.iter().all(|scope| scope.level == level));
        let found = boxes.of(choices);
        if !found.is_empty() {
            let title = if is_self && level == Level::Patient {
                boxes.words.text("consent-group-own", &[])
            } else {
                boxes.words.text(&format!("group-{level}"), &[])
            };
            groups.push(Group { title, boxes: found });
        }
    }
    groups
}

/// How long it goes on, beside an access that goes on when the person is away.
fn until(offered: &ScopeSet, words: &Words) -> String {
    let has_choice = offered.has(&Scope::OfflineAccess);
    match Refresh::asked_by(&offered.filtered(|scope| *scope != Scope::OfflineAccess)) {
        Some(_) => words.text("consent-online", &[]),
        None if has_choice => words.text("consent-brief-else", &[]),
        None => words.text("consent-brief", &[]),
    }
}
