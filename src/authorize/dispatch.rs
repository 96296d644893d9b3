//! The one place that decides where the browser goes next.

use axum::http::StatusCode;
use axum::response::Response;

use super::current::Current;
use super::{consent, patient, respond};
pub(super) use crate::app::see_other;
use crate::audit::Entry;
use crate::error::{OAuthError, PageError};
use crate::flow::Step;
use crate::person::SignedIn;
use crate::store::Fact;

/// To the next page, or to the app with its answer.
pub(super) async fn next(mut current: Current) -> Result<Response, PageError> {
    loop {
        let step = current.flow.next_step(current.signed_in.as_ref(), &current.client, current.origin.now);
        if let Some(signed_in) = current.signed_in.clone().filter(|_| step != Step::LogIn) {
            if current.flow.user_id.as_ref() != Some(&signed_in.user.id) {
                learn(&mut current, &signed_in, Fact::Person).await?;
                continue;
            }
            if step == Step::PickPatient
                && let Some(only) = patient::only_choice(&current, &signed_in).await?
            {
                learn(&mut current, &signed_in, Fact::Patient(only)).await?;
                continue;
            }
        }
        if step == Step::Consent
            && let Some(approved) = consent::remembered(&current).await?
        {
            current.flow.approved = Some(approved);
            continue;
        }
        let is_silent = current.flow.ask.prompt.none;
        return match step {
            Step::Respond => respond::code(current).await,
            Step::LogIn if is_silent => refuse(current, "login_required", "nobody is signed in").await,
            Step::PickPatient if is_silent => refuse(current, "interaction_required", "a patient has to be chosen").await,
            Step::PickEncounter if is_silent => refuse(current, "interaction_required", "an encounter has to be chosen").await,
            Step::Consent if is_silent => refuse(current, "consent_required", "the user has to decide").await,
            Step::LogIn => Ok(see_other(&current.url("/login"))),
            Step::PickPatient => Ok(see_other(&current.url("/patient"))),
            Step::PickEncounter => Ok(see_other(&current.url("/encounter"))),
            Step::Consent => Ok(see_other(&current.url("/consent"))),
        };
    }
}

/// Writes a fact down, and knows it from here on.
pub(super) async fn learn(current: &mut Current, signed_in: &SignedIn, fact: Fact) -> Result<(), PageError> {
    let Current { app, origin, flow, .. } = &*current;
    let person = (&signed_in.user.id, &signed_in.session_id);
    if !app.store.learn(origin, flow, person, fact.clone()).await? {
        return Err(PageError::already_completed());
    }
    let flow = &mut current.flow;
    flow.belong_to(signed_in);
    if !matches!(fact, Fact::Person) {
        flow.approved = None;
    }
    match fact {
        Fact::Person => {}
        Fact::Patient(patient) => {
            flow.leave_encounter();
            (flow.patient_id, flow.emergency_reason) = (Some(patient), None);
        }
        Fact::Emergency(patient, reason) => {
            flow.leave_encounter();
            (flow.patient_id, flow.emergency_reason) = (Some(patient), Some(reason));
        }
        Fact::Encounter(encounter) => {
            flow.has_no_encounter = encounter.is_none();
            flow.encounter_id = encounter;
        }
        Fact::Approved(scopes, _) => flow.approved = Some(scopes),
    }
    Ok(())
}

/// Ends the flow; the app is told why.
pub(super) async fn refuse(current: Current, code: &'static str, description: &'static str) -> Result<Response, PageError> {
    let Current { app, origin, flow, signed_in, .. } = &current;
    let mut entry = Entry::refused("authorize").client(&flow.ask.client_id).detail(code);
    entry.user = signed_in.as_ref().map(|signed_in| signed_in.user.id.clone());
    entry.patient = flow.patient_id.clone();
    if !app.store.abandon_flow(origin, flow, entry).await? {
        return Err(PageError::already_completed());
    }
    let error = OAuthError::new(StatusCode::BAD_REQUEST, code, description);
    Ok(respond::error(app, current.locale, &flow.ask.return_to, &error))
}
