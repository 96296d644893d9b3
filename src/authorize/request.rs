//! `/authorize`: an app sends a browser here (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1, SMART
//! App Launch 2.2 "Obtain authorization code").

use std::sync::Arc;

use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::current::Current;
use super::{cookie, dispatch, respond};
use crate::app::{App, locale, signed_in};
use crate::audit::{Entry, Origin};
use crate::client::{Client, GrantType};
use crate::error::{OAuthError, PageError, Refusal};
use crate::flow::{Ask, Flow, IDLE_LIFE, Prompt};
use crate::id::{ClientId, FlowId};
use crate::launch::Launch;
use crate::params::{BadParam, Params};
use crate::pkce::Challenge;
use crate::redirect::{ResponseMode, ReturnTo};
use crate::scope::{Scope, ScopeSet};
use crate::secret::{BrowserSecret, LaunchToken, unique_id};
use crate::store::NewFlow;
use crate::tenant::{FhirBase, NOT_UNDERSTOOD};

/// The longest `state`, `nonce` and `login_hint`, in bytes.
const MAX_STATE: usize = 2048;
const MAX_NONCE: usize = 512;
const MAX_HINT: usize = 256;
/// What may be sent along and is not acted upon: standing twice is an error all the same.
const UNHEEDED: [&str; 3] = ["acr_values", "claims", "display"];

/// A new request, or a browser that comes back to one.
pub(super) async fn by_get(
    State(app): State<Arc<App>>,
    origin: Origin,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let query = Params::parse(query.unwrap_or_default().as_bytes())?;
    // Beside a client_id, `flow` is the app's own: a parameter that nobody knows.
    if query.get("client_id") == Ok(None) && query.get("flow")?.is_some() {
        let current = Current::find(&app, origin, &headers, &query).await?.unanswered()?;
        return dispatch::next(current).await;
    }
    match begin(&app, origin, &headers, &query).await {
        Ok((current, set_cookies)) => {
            // Somebody opened an app: they are there, even if no page is shown. An app that asks
            // for no page may be polling.
            if !current.flow.ask.prompt.none {
                current.touch().await?;
            }
            Ok(with_cookies(dispatch::next(current).await?, set_cookies))
        }
        Err(refusal) => Ok(refused(&app, &headers, &query, refusal)),
    }
}

/// The same as a form. It comes from another site, so the browser sends no session cookie along:
/// the request is written down, and the browser asks again by itself.
pub(super) async fn by_post(
    State(app): State<Arc<App>>,
    origin: Origin,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, PageError> {
    let form = Params::from_body(request).await?;
    match begin(&app, origin, &headers, &form).await {
        Ok((current, set_cookies)) => Ok(with_cookies(dispatch::see_other(&current.url("/authorize")), set_cookies)),
        Err(refusal) => Ok(refused(&app, &headers, &form, refusal)),
    }
}

fn with_cookies(mut response: Response, set_cookies: Vec<HeaderValue>) -> Response {
    for set_cookie in set_cookies {
        response.headers_mut().append(header::SET_COOKIE, set_cookie);
    }
    response
}

fn refused(app: &App, headers: &HeaderMap, params: &Params, refusal: Refusal) -> Response {
    match refusal {
        Refusal::Page(error) => error.into_response(),
        Refusal::App(return_to, error) => {
            let locale = locale(headers, params.get("ui_locales").ok().flatten());
            respond::error(app, locale, &return_to, &error)
        }
    }
}

async fn begin(app: &Arc<App>, origin: Origin, headers: &HeaderMap, params: &Params) -> Result<(Current, Vec<HeaderValue>), Refusal> {
    let (client, mut return_to) = client_and_return(app, &origin, params).await?;
    let id = FlowId::new(unique_id(origin.now));
    let read = match read(app, &client, &mut return_to, params).await {
        // Last of all: a request that is refused takes no launch along.
        Ok(ask) => launched(app, &origin, ask, &id, params).await,
        Err(error) => Err(error),
    };
    let (ask, launch) = read.map_err(|error| Refusal::App(Box::new(return_to), error))?;
    let secret = BrowserSecret::generate();
    let mut flow = Flow {
        id,
        ask,
        created_at: origin.now,
        session_id: None,
        user_id: None,
        launch,
        patient_id: None,
        encounter_id: None,
        has_no_encounter: false,
        emergency_reason: None,
        approved: None,
        finished_at: None,
    };
    flow.take_from_launch();
    let new = NewFlow { id: flow.id.clone(), browser: secret.digest(), ask: flow.ask.clone(), expires_at: origin.now + IDLE_LIFE };
    app.store.begin_flow(&origin, new).await.map_err(|error| Refusal::App(Box::new(flow.ask.return_to.clone()), error.into()))?;
    let signed_in = signed_in(app, &origin, headers).await.map_err(Refusal::Page)?;
    let mut set_cookies = cookie::clear_oldest_flows(headers);
    set_cookies.push(cookie::set_flow(&flow.id, &secret));
    Ok((Current::begun(app, origin, headers, flow, client, signed_in, secret), set_cookies))
}

/// The two parameters that decide whom an error may be sent to. Until both are good, it is the
/// person who is told.
async fn client_and_return(app: &App, origin: &Origin, params: &Params) -> Result<(Client, ReturnTo), Refusal> {
    let page = |code, key| Refusal::Page(PageError::bad_request(code, key));
    let id = params.get("client_id").map_err(|bad| Refusal::Page(bad.into()))?;
    let id = id.ok_or_else(|| page("invalid_request", "error-client-missing"))?;
    let client = app.store.client(&origin.tenant, &ClientId::new(id)).await.map_err(|error| Refusal::Page(error.into()))?;
    // Unknown and switched off look the same.
    let client = client.filter(|client| client.disabled_at.is_none());
    let client = client.ok_or_else(|| page("invalid_client", "error-client-unknown"))?;
    // Nobody has looked at its redirect URIs: nobody is sent there, not even with an error.
    if client.awaits_approval {
        return Err(page("unauthorized_client", "error-client-waits"));
    }
    let uri = params.get("redirect_uri").map_err(|bad| Refusal::Page(bad.into()))?;
    let uri = uri.ok_or_else(|| page("invalid_request", "error-redirect-missing"))?;
    match ReturnTo::new(&client.redirect_uris, uri) {
        Some(return_to) => Ok((client, return_to)),
        None => {
            let entry = Entry::refused("authorize.redirect_mismatch").client(&client.id);
            app.store.audit(origin, entry).await.map_err(|error| Refusal::Page(error.into()))?;
            Err(page("invalid_request", "error-redirect-unknown"))
        }
    }
}

/// Everything else. `state` and `response_mode` come first: errors travel with them.
async fn read(app: &App, client: &Client, return_to: &mut ReturnTo, params: &Params) -> Result<Ask, OAuthError> {
    // A state that cannot be read, or stands twice, cannot be given back.
    return_to.state = params.get("state")?.map(str::to_owned);
    if return_to.state.as_ref().is_some_and(|state| state.len() > MAX_STATE) {
        return_to.state = None;
        return Err(OAuthError::invalid_request("state is too long"));
    }
    response_type_and_mode(return_to, params)?;
    for (name, code) in
        [("request", "request_not_supported"), ("request_uri", "request_uri_not_supported"), ("registration", "registration_not_supported")]
    {
        if params.get(name)?.is_some() {
            return Err(OAuthError::new(StatusCode::BAD_REQUEST, code, format!("the parameter {name} is not supported")));
        }
    }
    if !client.may(GrantType::AuthorizationCode) {
        return Err(OAuthError::unauthorized_client("the client is not registered for authorization codes"));
    }
    for name in UNHEEDED {
        params.get(name)?;
    }
    let challenge = challenge(client, params)?;
    let (scopes, base) = understood(app, client, scopes(client, params)?, params).await?;
    let prompt = params.get("prompt")?.map(|text| {
        Prompt::parse(text)
            .ok_or_else(|| OAuthError::invalid_request("prompt is not one of none, login, consent, select_account, or contradicts itself"))
    });
    let capped = |name: &'static str, most: usize| match params.get(name) {
        Ok(Some(text)) if text.len() > most => Err(OAuthError::invalid_request(format!("{name} is too long"))),
        other => other.map(|text| text.map(str::to_owned)).map_err(OAuthError::from),
    };
    Ok(Ask {
        client_id: client.id.clone(),
        fhir_base: base.map(|base| base.name),
        challenge,
        nonce: capped("nonce", MAX_NONCE)?,
        prompt: prompt.transpose()?.unwrap_or_default(),
        max_age: max_age(params)?,
        login_hint: capped("login_hint", MAX_HINT)?,
        // A wish: what is too long is not one.
        ui_locales: params.get("ui_locales")?.filter(|tags| tags.len() <= MAX_HINT).map(str::to_owned),
        id_token_hint: respond::subject_of_hint(app, params).await?,
        return_to: return_to.clone(),
        launch: None,
        scopes,
    })
}

/// The EHR launch that the request comes of, if it does: from here on it is this request's. Without
/// the scope `launch`, the parameter brings no context along.
async fn launched(app: &App, origin: &Origin, mut ask: Ask, flow: &FlowId, params: &Params) -> Result<(Ask, Option<Launch>), OAuthError> {
    let (Some(token), Some(base)) = (params.get("launch")?.filter(|_| ask.scopes.has(&Scope::Launch)), &ask.fhir_base) else {
        return Ok((ask, None));
    };
    let digest = LaunchToken::presented(token).digest();
    let launch = app.store.bind_launch(origin, &digest, &ask.client_id, base, flow).await?;
    let unknown = || OAuthError::invalid_request("launch is unknown, expired or used, or it is for another app or FHIR base");
    let launch = launch.ok_or_else(unknown)?;
    ask.launch = Some(launch.id.clone());
    Ok((ask, Some(launch)))
}

fn response_type_and_mode(return_to: &mut ReturnTo, params: &Params) -> Result<(), OAuthError> {
    let response_type = params.get("response_type");
    if let Ok(Some(other)) = response_type
        && other.split(' ').any(|word| word == "token" || word == "id_token")
    {
        // OAuth 2.0 Multiple Response Types §5: this is where the app looks for its answer.
        return_to.mode = ResponseMode::Fragment;
    }
    match params.get("response_mode")? {
        None => {}
        Some("query") => return_to.mode = ResponseMode::Query,
        Some("form_post") => return_to.mode = ResponseMode::FormPost,
        Some(_) => {
            return_to.mode = ResponseMode::Query;
            return Err(OAuthError::invalid_request("response_mode must be query or form_post"));
        }
    }
    match response_type? {
        Some("code") => Ok(()),
        None => Err(OAuthError::invalid_request("response_type is missing")),
        Some(_) => Err(OAuthError::new(StatusCode::BAD_REQUEST, "unsupported_response_type", "response_type must be code")),
    }
}

/// RFC 7636 §4.3: S256, always, for everybody (SMART App Launch 2.2 allows nothing else).
fn challenge(client: &Client, params: &Params) -> Result<Option<Challenge>, OAuthError> {
    match (params.get("code_challenge")?, params.get("code_challenge_method")?) {
        (None, None) if client.is_pkce_exempt => Ok(None),
        (None, _) => Err(OAuthError::invalid_request("code_challenge is missing: PKCE with S256 is required")),
        (Some(challenge), Some("S256")) => match Challenge::parse(challenge) {
            Some(challenge) => Ok(Some(challenge)),
            None => Err(OAuthError::invalid_request("code_challenge is not the base64url of a SHA-256")),
        },
        (Some(_), _) => Err(OAuthError::invalid_request("code_challenge_method must be S256")),
    }
}

/// What of the scopes that are asked for the client may have at all.
fn scopes(client: &Client, params: &Params) -> Result<ScopeSet, OAuthError> {
    let text = params.get("scope").map_err(|bad| match bad {
        BadParam::Malformed(_) => OAuthError::invalid_scope(bad.to_string()),
        BadParam::Twice(_) => bad.into(),
    })?;
    let asked = ScopeSet::parse(text.ok_or_else(|| OAuthError::invalid_scope("scope is missing"))?);
    let asked = asked.map_err(|bad| OAuthError::invalid_scope(bad.to_string()))?;
    if params.get("launch")?.is_none() && asked.has(&Scope::Launch) {
        return Err(OAuthError::invalid_request("launch is missing, which the scope launch needs"));
    }
    // Dropped like another scope, it would have the person choose a patient, who need not be the
    // one that the EHR has open.
    if asked.has(&Scope::Launch) && !client.scopes.has(&Scope::Launch) {
        return Err(OAuthError::invalid_scope("the scope launch is not allowed to this client"));
    }
    let scopes = client.scopes_with_a_person(&asked);
    if scopes.is_empty() {
        return Err(OAuthError::invalid_scope("nothing of what was asked is known and allowed to this client"));
    }
    Ok(scopes)
}

/// What the FHIR base knows of the scopes, and the base.
async fn understood(app: &App, client: &Client, scopes: ScopeSet, params: &Params) -> Result<(ScopeSet, Option<FhirBase>), OAuthError> {
    let Some(base) = fhir_base(app, client, &scopes, params).await? else { return Ok((scopes, None)) };
    let scopes = base.understood(&scopes);
    if scopes.is_empty() {
        return Err(OAuthError::invalid_scope(NOT_UNDERSTOOD));
    }
    Ok((scopes, Some(base)))
}

/// `aud` names the FHIR base; `resource` (RFC 8707) is the same under another name.
async fn fhir_base(app: &App, client: &Client, scopes: &ScopeSet, params: &Params) -> Result<Option<FhirBase>, OAuthError> {
    let aud = match (params.get("aud")?, params.get("resource")?) {
        (Some(aud), Some(resource)) if aud != resource => return Err(OAuthError::invalid_request("aud and resource differ")),
        (aud, resource) => aud.or(resource),
    };
    let Some(aud) = aud else {
        return if scopes.need_audience() { Err(OAuthError::invalid_request("aud is missing: it names the FHIR base")) } else { Ok(None) };
    };
    let bases = app.store.fhir_bases(&app.tenant.id).await?;
    match bases.into_iter().find(|base| base.is_meant_by(aud) && client.may_use(&base.name)) {
        Some(base) => Ok(Some(base)),
        None => Err(OAuthError::invalid_request("aud is not a FHIR base that this client may use")),
    }
}

fn max_age(params: &Params) -> Result<Option<i64>, OAuthError> {
    let Some(text) = params.get("max_age")? else { return Ok(None) };
    let is_number = text.len() <= 10 && text.bytes().all(|b| b.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| is_number);
    seconds.map(Some).ok_or_else(|| OAuthError::invalid_request("max_age must be a number of seconds"))
}
