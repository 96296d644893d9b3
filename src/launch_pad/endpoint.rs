//! `POST /launch`: an EHR says what it has open, and gets the address at which to open an app with it.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::begin::{Opening, begin};
use crate::app::{App, bearer};
use crate::audit::{Entry, Origin};
use crate::client::Client;
use crate::error::{NO_STORE, OAuthError};
use crate::grant::grant_of;
use crate::id::{ClientId, PatientId};
use crate::launch::{ContextItem, LAUNCH_LIFE, LaunchContext};
use crate::params::read_body;
use crate::person::{User, canonical_username, is_fhir_id};
use crate::scope::{Scope, ScopeSet};
use crate::tenant::FhirBase;
use crate::token::AccessClaims;

/// What the EHR has open. A member that we do not know is a mistake: a patient under another name
/// would otherwise be left out without a word.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// The app.
    client_id: String,
    /// The FHIR base, by one of its public URLs; it can be left out where the app has only one.
    iss: Option<String>,
    /// Who uses the EHR: by their FHIR resource, or by the name that they sign in with here.
    #[serde(rename = "fhirUser")]
    fhir_user: Option<String>,
    username: Option<String>,
    patient: Option<String>,
    encounter: Option<String>,
    intent: Option<String>,
    need_patient_banner: Option<bool>,
    smart_style_url: Option<String>,
    tenant: Option<String>,
    #[serde(rename = "fhirContext", default)]
    fhir_context: Vec<ContextItem>,
}

/// 201 with `launch`, `launch_url` and `expires_in`.
pub(super) async fn launch(
    State(app): State<Arc<App>>,
    origin: Origin,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, OAuthError> {
    let claims = caller(&app, &origin, &headers).await?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()?.split(';').next());
    if !kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
        return Err(OAuthError::invalid_request("the body must be application/json"));
    }
    let body = read_body(request.into_body()).await?;
    let wish: Wish = serde_json::from_slice(&body).map_err(|error| OAuthError::invalid_request(plain(&error)))?;
    // Nobody is called so, and PostgreSQL would not even look.
    if [Some(&wish.client_id), wish.username.as_ref()].into_iter().flatten().any(|name| name.contains('\0')) {
        return Err(OAuthError::invalid_request("client_id and username must not have control characters"));
    }
    let (client, base) = app_on_base(&app, &origin, &wish).await?;
    let user = user(&app, &origin, &base, &wish).await?;
    let patient = wish.patient.clone().map(fhir_id).transpose()?.map(PatientId::new);
    let encounter = wish.encounter.clone().map(fhir_id).transpose()?;
    if encounter.is_some() && patient.is_none() {
        return Err(OAuthError::invalid_request("an encounter is one of a patient: patient is missing"));
    }
    let ehr = ClientId::new(claims.client_id);
    if let Some(patient) = &patient
        && !app.may_open(&origin, &base.name, &user, patient).await?
    {
        let entry = Entry::refused("launch.begun").user(&user.id).client(&client.id).patient(patient);
        app.store.audit(&origin, entry.detail(&format!("asked for by {ehr}"))).await?;
        return Err(OAuthError::new(StatusCode::FORBIDDEN, "access_denied", "the user may not open this patient"));
    }
    if let Some(encounter) = &encounter {
        let of = app.directory.patient_of_encounter(&origin, &base.name, encounter).await?;
        // The EHR may know of visits that nobody knows here.
        if of.is_some() && of != patient {
            return Err(OAuthError::invalid_request("the encounter is another patient's"));
        }
    }
    let context = LaunchContext {
        need_patient_banner: wish.need_patient_banner,
        smart_style_url: wish.smart_style_url,
        intent: wish.intent,
        tenant: wish.tenant,
        fhir_context: wish.fhir_context,
    };
    context.check().map_err(|bad| OAuthError::invalid_request(bad.to_string()))?;
    let opening = Opening { client: &client, user: &user, base: &base, patient, encounter, context };
    let entry = Entry::done("launch.begun").jti(&claims.jti).detail(&format!("by {ehr}"));
    let begun = begin(&app, &origin, opening, entry).await?;
    let answer = json!({ "launch": begun.token.expose(), "launch_url": begun.url, "expires_in": LAUNCH_LIFE.whole_seconds() });
    Ok((StatusCode::CREATED, NO_STORE, [(header::CONTENT_TYPE, "application/json")], answer.to_string()).into_response())
}

/// The EHR: a backend service with a token for this server itself, given for this purpose. A
/// person's token is never one, whatever it says.
async fn caller(app: &App, origin: &Origin, headers: &HeaderMap) -> Result<AccessClaims, OAuthError> {
    let token = bearer::of_header(headers)?.ok_or_else(bearer::none)?;
    let Some(claims) = bearer::believed(app, origin, &token).await? else {
        let error = OAuthError::new(StatusCode::UNAUTHORIZED, "invalid_token", "the token is not good, or no longer");
        return Err(error.challenging(bearer::INVALID_TOKEN));
    };
    let is_service = grant_of(&claims.jti).is_none() && claims.sub == claims.client_id && claims.aud == app.tenant.issuer;
    let may = ScopeSet::parse(&claims.scope).is_ok_and(|scopes| scopes.has(&Scope::CreateLaunch));
    let id = ClientId::new(claims.client_id.as_str());
    // The right may have been taken back since.
    let still_may = app.store.client(&origin.tenant, &id).await?.is_some_and(|client| client.scopes.has(&Scope::CreateLaunch));
    if is_service && may && still_may {
        return Ok(claims);
    }
    let entry = Entry::refused("launch.begun").client(&id).jti(&claims.jti);
    app.store.audit(origin, entry.detail("not an EHR's token")).await?;
    let error = "only a backend service may, with a token of its own that was given for this server with the scope __launch";
    let error = OAuthError::new(StatusCode::FORBIDDEN, "insufficient_scope", error);
    Err(error.challenging(r#"Bearer error="insufficient_scope", scope="__launch""#))
}

/// What is wrong with the JSON, without repeating any of it.
fn plain(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Data => "has a member that is missing, unknown or of the wrong kind",
        _ => "is not JSON",
    };
    format!("the body {what}, near line {}, column {}", error.line(), error.column())
}

fn fhir_id(id: String) -> Result<String, OAuthError> {
    if is_fhir_id(&id) { Ok(id) } else { Err(OAuthError::invalid_request("patient and encounter must be bare FHIR ids")) }
}

/// The app, and the FHIR base on which it is opened.
async fn app_on_base(app: &App, origin: &Origin, wish: &Wish) -> Result<(Client, FhirBase), OAuthError> {
    let unknown = || OAuthError::invalid_request("client_id is not an app that can be launched on this FHIR base");
    let client = app.store.client(&origin.tenant, &ClientId::new(wish.client_id.as_str())).await?.ok_or_else(unknown)?;
    let bases = app.fhir_bases(origin.now).await?;
    let mut meant = bases.iter().filter(|base| match &wish.iss {
        Some(iss) => base.is_meant_by(iss),
        None => client.may_use(&base.name),
    });
    let base = match (meant.next(), meant.next()) {
        (Some(base), None) => base.clone(),
        (None, _) => return Err(OAuthError::invalid_request("iss is not a FHIR base that this app may use")),
        (Some(_), Some(_)) => return Err(OAuthError::invalid_request("the app may use several FHIR bases: name one by iss")),
    };
    if client.can_be_launched(&base.name) { Ok((client, base)) } else { Err(unknown()) }
}

/// Who uses the EHR: exactly one account, which is switched on.
async fn user(app: &App, origin: &Origin, base: &FhirBase, wish: &Wish) -> Result<User, OAuthError> {
    let found = match (&wish.fhir_user, &wish.username) {
        (Some(reference), None) => {
            let reference = base.relative(reference);
            let who = reference.parse().map_err(|_| {
                OAuthError::invalid_request("fhirUser must be a Practitioner, Patient, RelatedPerson or Person of this FHIR base")
            })?;
            app.store.users_by_fhir_user(&origin.tenant, &who).await?
        }
        (None, Some(name)) => {
            let found = app.store.user_by_name(&origin.tenant, &canonical_username(name)).await?;
            found.into_iter().map(|(user, _)| user).collect()
        }
        _ => return Err(OAuthError::invalid_request("the user is named by fhirUser or by username, and not by both")),
    };
    let mut active = found.into_iter().filter(|user| user.disabled_at.is_none());
    match (active.next(), active.next()) {
        (Some(user), None) => Ok(user),
        (None, _) => Err(OAuthError::invalid_request("there is no such user")),
        (Some(_), Some(_)) => Err(OAuthError::invalid_request("several users have this fhirUser: name one by username")),
    }
}
