//! The answer to the app: a code, or an error.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::current::Current;
use super::{dispatch, patient};
use crate::app::{App, Chrome, FormAction, Page, ScriptNonce};
use crate::error::{OAuthError, PageError};
use crate::grant::{CodeBinding, EMERGENCY_LIFE, Grant, Refresh};
use crate::id::{GrantId, UserId};
use crate::key::Purpose;
use crate::params::Params;
use crate::redirect::{ResponseMode, ReturnTo};
use crate::scope::Scope;
use crate::secret::{AuthorizationCode, nonce, unique_id};
use crate::store::{Finished, NewGrant};
use crate::token::Unverified;
use crate::words::Locale;

#[derive(Template)]
#[template(path = "form_post.html")]
struct FormPost {
    chrome: Chrome,
    action: String,
    fields: Vec<(String, String)>,
    nonce: String,
}

/// Makes the code: the flow ends and the grant is born in one transaction.
pub(super) async fn code(current: Current) -> Result<Response, PageError> {
    let Current { app, origin, flow, client, signed_in, .. } = &current;
    let Some(signed_in) = signed_in else { return Err(PageError::no_flow()) };
    let offered = flow.can_be_given_by(&signed_in.user);
    let scopes = flow.approved.clone().unwrap_or_else(|| offered.clone()).within(&offered);
    // Who goes on without an encounter is not told of one: the answer's scope says so.
    let scopes = scopes.filtered(|scope| *scope != Scope::LaunchEncounter || flow.encounter_id.is_some());
    if scopes.is_empty() {
        return dispatch::refuse(current, "access_denied", "nothing of what was asked can be given by this user").await;
    }
    let base = match &flow.ask.fhir_base {
        None => None,
        Some(name) => {
            let bases = app.fhir_bases(origin.now).await?;
            Some(bases.iter().find(|base| base.name == *name).cloned().ok_or_else(PageError::no_flow)?)
        }
    };
    let launch = flow.launch.as_ref().filter(|_| scopes.has(&Scope::Launch));
    // What the EHR has open is told whether or not it was asked for by name.
    let patient_id = flow.patient_id.clone().filter(|_| launch.is_some() || scopes.need_patient());
    if patient_id.is_some() && !patient::is_still_open(&current, signed_in).await? {
        // They could when they chose, or when the record system opened the app.
        return dispatch::refuse(current, "access_denied", "the user may not open the patient any more").await;
    }
    let refresh = Refresh::asked_by(&scopes);
    let emergency_life = flow.emergency_reason.as_ref().map(|_| EMERGENCY_LIFE);
    let refresh_life = client.refresh_max_life.into_iter().chain(emergency_life).min();
    let grant = Grant {
        id: GrantId::new(unique_id(origin.now)),
        client_id: client.id.clone(),
        user_id: signed_in.user.id.clone(),
        session_id: Some(signed_in.session_id.clone()),
        fhir_base: base.as_ref().map(|base| base.name.clone()),
        audience: base.as_ref().map_or_else(|| app.tenant.issuer.clone(), |base| base.audience.clone()),
        emergency_reason: flow.emergency_reason.clone(),
        patient_id,
        encounter_id: flow.encounter_id.clone().filter(|_| launch.is_some() || scopes.need_encounter()),
        launch_context: launch.map(|launch| launch.context.clone()),
        fhir_user: signed_in.user.fhir_user.as_ref().map(|own| match &base {
            Some(base) => base.url_of(&own.to_string()),
            None => own.to_string(),
        }),
        nonce: flow.ask.nonce.clone(),
        auth_time: signed_in.auth_time,
        created_at: origin.now,
        refresh,
        refresh_expires_at: refresh_life.filter(|_| refresh.is_some()).map(|life| origin.now + life),
        scopes,
    };
    let code = AuthorizationCode::generate();
    let return_to = &flow.ask.return_to;
    let binding = CodeBinding { redirect_uri: return_to.uri().as_str().to_owned(), challenge: flow.ask.challenge.clone() };
    match app.store.finish_flow(origin, flow, NewGrant { grant, binding, code: code.digest() }).await? {
        Finished::Now => Ok(send(app, current.locale, return_to, &return_to.members(&[("code", code.expose())], &app.tenant.issuer))),
        Finished::Before => Err(PageError::already_completed()),
        Finished::TakenBack => Ok(dispatch::see_other(&current.url("/authorize"))),
        Finished::SignedOut => Err(PageError::no_flow()),
    }
}

/// Tells the app what went wrong (RFC 6749 §4.1.2.1).
pub(super) fn error(app: &App, locale: Locale, return_to: &ReturnTo, error: &OAuthError) -> Response {
    error.log();
    let members = return_to.members(&[("error", error.code), ("error_description", &error.description)], &app.tenant.issuer);
    send(app, locale, return_to, &members)
}

fn send(app: &App, locale: Locale, return_to: &ReturnTo, members: &[(String, String)]) -> Response {
    if return_to.mode != ResponseMode::FormPost {
        return dispatch::see_other(&return_to.location(members));
    }
    let nonce = nonce();
    let page = FormPost {
        chrome: Chrome::of(app, locale),
        action: return_to.uri().as_str().to_owned(),
        fields: members.to_vec(),
        nonce: nonce.clone(),
    };
    let mut response = Page(StatusCode::OK, page).into_response();
    response.extensions_mut().insert(FormAction(return_to.uri().form_action()));
    response.extensions_mut().insert(ScriptNonce(nonce));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The subject of `id_token_hint`: an ID token of ours, expired or not.
pub(super) async fn subject_of_hint(app: &App, params: &Params) -> Result<Option<UserId>, OAuthError> {
    let Some(hint) = params.get("id_token_hint")? else { return Ok(None) };
    let claims =
        id_token_claims(app, hint).await?.ok_or_else(|| OAuthError::invalid_request("id_token_hint is not an ID token of ours"))?;
    Ok(claims.get("sub").and_then(Value::as_str).map(UserId::new))
}

/// The claims of an ID token that we once signed; its times are not looked at.
pub(super) async fn id_token_claims(app: &App, token: &str) -> Result<Option<Map<String, Value>>, OAuthError> {
    let now = app.clock.now();
    let keys = app.current_keys(now).await?;
    let Some(keys) = keys.verifying(Purpose::Id) else { return Ok(None) };
    let claims = Unverified::parse(token).and_then(|token| {
        token.must_be("JWT")?;
        token.verify(keys)
    });
    Ok(claims.ok().filter(|claims| claims.get("iss").and_then(Value::as_str) == Some(app.tenant.issuer.as_str())))
}
