//! `/logout`: ending a session (OpenID Connect RP-Initiated Logout §2).

use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::current::Current;
use super::{dispatch, respond};
use crate::app::{App, Chrome, FormAction, Page, clear_session, is_our_own_form, locale, session_secret, signed_in};
use crate::audit::Origin;
use crate::client::Client;
use crate::error::{OAuthError, PageError};
use crate::id::ClientId;
use crate::params::Params;
use crate::words::Locale;

#[derive(Template)]
#[template(path = "sign_out.html")]
struct SignOutPage {
    chrome: Chrome,
    user_name: Option<String>,
    action: &'static str,
    csrf: String,
    hidden: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOutPage {
    chrome: Chrome,
}

/// What an app may send along, and where it wants the browser back.
struct Wish {
    /// A registered `post_logout_redirect_uri`, with the app's `state`.
    location: Option<String>,
    /// The parameters, to be asked for again by the form.
    hidden: Vec<(String, String)>,
}

/// Asks first: a link on a foreign page signs nobody out.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    origin: Origin,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let query = Params::parse(query.unwrap_or_default().as_bytes())?;
    ask(&app, &origin, &headers, &query).await
}

/// The form of that page; or an app that sends its wish as a form (§2: POST is allowed).
pub(super) async fn submit(State(app): State<Arc<App>>, origin: Origin, request: Request) -> Result<Response, PageError> {
    let headers = request.headers().clone();
    let form = Params::from_body(request).await?;
    if form.get("csrf")?.is_none() {
        // A page of ours would have sent the token: this is an app's, and the answer is the question.
        // From another site the browser sends no session cookie along, and has to ask again by GET.
        return if session_secret(&headers).is_some() { ask(&app, &origin, &headers, &form).await } else { ask_by_get(&form) };
    }
    let locale = locale(&headers, form.get("ui_locales")?);
    let Some(secret) = session_secret(&headers) else { return signed_out(&app, locale, None) };
    is_our_own_form(&app, &headers, &form, &secret.derive("logout"))?;
    let wish = wish(&app, &origin, &form).await?;
    if let Some(signed_in) = signed_in(&app, &origin, &headers).await? {
        app.store.end_session(&origin, &signed_in).await?;
    }
    let mut response = signed_out(&app, locale, wish.location.as_deref())?;
    response.headers_mut().append(header::SET_COOKIE, clear_session());
    Ok(response)
}

/// What an app may send along.
const PARAMETERS: [&str; 5] = ["id_token_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales"];

fn ask_by_get(form: &Params) -> Result<Response, PageError> {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let has_client = form.get("client_id")?.is_some();
    for name in PARAMETERS {
        // An ID token says who somebody is: no part of an address where the client's name will do.
        if name != "id_token_hint" || !has_client {
            query.extend_pairs(form.get(name)?.map(|value| (name, value)));
        }
    }
    Ok(dispatch::see_other(&format!("/logout?{}", query.finish())))
}

async fn ask(app: &App, origin: &Origin, headers: &HeaderMap, params: &Params) -> Result<Response, PageError> {
    let locale = locale(headers, params.get("ui_locales")?);
    let wish = wish(app, origin, params).await?;
    let (Some(signed_in), Some(secret)) = (signed_in(app, origin, headers).await?, session_secret(headers)) else {
        return signed_out(app, locale, wish.location.as_deref());
    };
    let page = SignOutPage {
        chrome: Chrome::of(app, locale),
        user_name: Some(signed_in.user.display_name),
        action: "/logout",
        csrf: secret.derive("logout"),
        hidden: wish.hidden,
    };
    let mut response = Page(StatusCode::OK, page).into_response();
    if let Some(location) = wish.location.as_deref().and_then(|location| url::Url::parse(location).ok()) {
        // An app's own scheme has no origin; its name is what `form-action` takes.
        let origin = location.origin();
        let target = if origin.is_tuple() { origin.ascii_serialization() } else { format!("{}:", location.scheme()) };
        response.extensions_mut().insert(FormAction(target));
    }
    Ok(response)
}

/// Where the app wants the browser back: an address that is registered, byte for byte, for the
/// client that the hint or `client_id` names. Anything else is left out, not an error.
async fn wish(app: &App, origin: &Origin, params: &Params) -> Result<Wish, PageError> {
    let mut hidden = Vec::new();
    for name in PARAMETERS {
        if let Some(value) = params.get(name)? {
            hidden.push((name.to_owned(), value.to_owned()));
        }
    }
    let hint = match params.get("id_token_hint")? {
        None => None,
        Some(hint) => match respond::id_token_claims(app, hint).await.map_err(in_page)? {
            Some(claims) => Some(claims),
            // Whoever sends a forged hint does not say the truth elsewhere.
            None => return Ok(Wish { location: None, hidden }),
        },
    };
    let hinted = hint.as_ref().and_then(|claims| claims.get("aud")).and_then(Value::as_str);
    let named = params.get("client_id")?;
    let client = match (hinted, named) {
        (Some(hinted), Some(named)) if hinted != named => None,
        (hinted, named) => hinted.or(named),
    };
    let (Some(uri), Some(client)) = (params.get("post_logout_redirect_uri")?, client) else { return Ok(Wish { location: None, hidden }) };
    let client = app.store.client(&origin.tenant, &ClientId::new(client)).await?.filter(Client::is_active);
    let is_registered = client.is_some_and(|client| client.post_logout_redirect_uris.iter().any(|own| own == uri));
    let mut location = is_registered.then(|| uri.to_owned());
    if let (Some(location), Some(state)) = (&mut location, params.get("state")?) {
        let mark = if location.contains('?') { '&' } else { '?' };
        let state = percent_encoding::utf8_percent_encode(state, percent_encoding::NON_ALPHANUMERIC);
        *location = format!("{location}{mark}state={state}");
    }
    Ok(Wish { location, hidden })
}

fn in_page(error: OAuthError) -> PageError {
    PageError::server_error(error.description.into_owned())
}

fn signed_out(app: &App, locale: Locale, location: Option<&str>) -> Result<Response, PageError> {
    if let Some(location) = location {
        return Ok(dispatch::see_other(location));
    }
    let page = SignedOutPage { chrome: Chrome::of(app, locale) };
    let mut response = Page(StatusCode::OK, page).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// "Not you?": ends the session; the flow goes on with somebody else.
pub(super) async fn switch_user(mut current: Current) -> Result<Response, PageError> {
    if let Some(signed_in) = current.signed_in.take() {
        current.app.store.end_session(&current.origin, &signed_in).await?;
    }
    let mut response = dispatch::next(current).await.unwrap_or_else(IntoResponse::into_response);
    response.headers_mut().append(header::SET_COOKIE, clear_session());
    Ok(response)
}
