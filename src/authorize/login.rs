//! `/login`: the person proves who they are.

use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::current::Current;
use super::{cookie, dispatch};
use crate::app::{App, Chrome, Page, network_of};
use crate::audit::Origin;
use crate::error::PageError;
use crate::flow::Step;
use crate::id::SessionId;
use crate::params::Params;
use crate::password::MAX_PASSWORD_BYTES;
use crate::person::{SignedIn, User, canonical_username};
use crate::secret::{Digest, SessionSecret, unique_id};
use crate::store::{Allowance, Attempt, NewSession};

/// The longest user name that is looked up, in bytes.
const MAX_USERNAME_BYTES: usize = 256;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    chrome: Chrome,
    app_name: Option<String>,
    action: String,
    csrf: String,
    username: String,
    error: Option<String>,
    help: Option<String>,
    can_cancel: bool,
}

#[derive(Template)]
#[template(path = "message.html")]
struct NothingToDo {
    chrome: Chrome,
    title: &'static str,
    sentence: &'static str,
    sign_out_action: Option<String>,
}

/// The form.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    origin: Origin,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let query = Params::parse(query.unwrap_or_default().as_bytes())?;
    if query.get("flow")?.is_none() {
        return Ok(nothing_to_do(&app));
    }
    let current = Current::find(&app, origin, &headers, &query).await?.unanswered()?;
    if current.flow.next_step(current.signed_in.as_ref(), &current.client, current.origin.now) != Step::LogIn {
        return dispatch::next(current).await;
    }
    let hint = current.flow.ask.login_hint.clone().unwrap_or_default();
    Ok(page(&current, StatusCode::OK, hint, None))
}

/// Somebody opened the address by hand.
fn nothing_to_do(app: &App) -> Response {
    let page = NothingToDo {
        chrome: Chrome::of(app),
        title: "Nothing is waiting for you here",
        sentence: "Open the app that you want to use. It will bring you here to sign in.",
        sign_out_action: None,
    };
    Page(StatusCode::OK, page).into_response()
}

/// Name and password.
pub(super) async fn submit(
    State(app): State<Arc<App>>,
    origin: Origin,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, PageError> {
    let headers = request.headers().clone();
    let query = Params::parse(query.unwrap_or_default().as_bytes())?;
    let current = Current::find(&app, origin, &headers, &query).await?.unanswered()?;
    let form = Params::from_body(request).await?;
    current.check_form(&headers, &form)?;
    if form.get("cancel")?.is_some() {
        return dispatch::refuse(current, "access_denied", "the user did not sign in").await;
    }
    let typed = form.get("username")?.unwrap_or_default().to_owned();
    let password = form.get("password")?.unwrap_or_default();
    if password.len() > MAX_PASSWORD_BYTES || typed.len() > MAX_USERNAME_BYTES {
        return Ok(page(&current, StatusCode::BAD_REQUEST, String::new(), Some("That is too long to be a user name and a password.")));
    }
    let username = canonical_username(&typed);
    let attempt = Attempt { account: Digest::of(&username), network: network_of(current.origin.address) };
    match check(&current, &attempt, &username, password).await? {
        Ok(proven) => start(current, proven, attempt, typed).await,
        Err(Refused::AddressWaits(seconds)) => Err(PageError::too_many_tries(seconds)),
        // One sentence for every reason: which one it was is nobody's to learn here.
        Err(Refused::Wrong) => Ok(wrong(&current, typed)),
    }
}

fn wrong(current: &Current, typed: String) -> Response {
    let sentence = "The user name or the password is not right, or there were too many tries. Wait a few seconds and try again.";
    page(current, StatusCode::FORBIDDEN, typed, Some(sentence))
}

/// Somebody, and the hash that their password was compared with.
struct Proven {
    user: User,
    password_hash: String,
}

enum Refused {
    Wrong,
    AddressWaits(u32),
}

/// The one gate for every sign-in with a password: it charges the try before it looks.
async fn check(current: &Current, attempt: &Attempt, username: &str, password: &str) -> Result<Result<Proven, Refused>, PageError> {
    let Current { app, origin, .. } = current;
    let found = app.store.user_by_name(&origin.tenant, username).await?;
    match app.store.charge_attempt(origin, attempt).await? {
        Allowance::Granted => {}
        Allowance::AddressWaits(wait) => {
            app.store.record_failure(origin, found.map(|(user, _)| user.id), "the network has to wait").await?;
            // Rounded up: who comes back then is let in.
            return Ok(Err(Refused::AddressWaits(u32::try_from(wait.whole_seconds() + 1).unwrap_or(60))));
        }
        Allowance::AccountWaits => {
            let user = found.map(|(user, _)| user.id);
            app.store.record_failure(origin, user, "the account has to wait").await?;
            return Ok(Err(Refused::Wrong));
        }
    }
    let is_right = match app.passwords.matches(password, found.as_ref().map(|(_, hash)| hash.as_str())).await {
        Ok(is_right) => is_right,
        Err(error) => {
            app.store.refund_attempt(origin, attempt, found.map(|(user, _)| user.id)).await?;
            return Err(error.into());
        }
    };
    match found {
        Some((user, password_hash)) if is_right && user.disabled_at.is_none() => Ok(Ok(Proven { user, password_hash })),
        found => {
            let why = if found.is_none() {
                "unknown user name"
            } else if is_right {
                "the account is disabled"
            } else {
                "wrong password"
            };
            app.store.record_failure(origin, found.map(|(user, _)| user.id), why).await?;
            Ok(Err(Refused::Wrong))
        }
    }
}

/// A new session, whatever the browser had before.
async fn start(mut current: Current, proven: Proven, attempt: Attempt, typed: String) -> Result<Response, PageError> {
    let Proven { user, password_hash } = proven;
    let secret = SessionSecret::generate();
    let now = current.origin.now;
    let id = SessionId::new(unique_id(now));
    let new = NewSession {
        id: id.clone(),
        digest: secret.digest(),
        attempt,
        flow: current.flow.id.clone(),
        flow_expires_at: current.flow.expires_at(now),
        replaces: current.signed_in.as_ref().map(|old| old.session_id.clone()),
        user: user.clone(),
        password_hash,
    };
    if !current.app.store.start_session(&current.origin, new).await? {
        return Ok(wrong(&current, typed));
    }
    if current.flow.user_id.as_ref() != Some(&user.id) {
        current.flow.patient_id = None;
    }
    current.flow.approved = None;
    current.flow.user_id = Some(user.id.clone());
    current.flow.session_id = Some(id.clone());
    current.signed_in = Some(SignedIn { session_id: id, user, auth_time: now, seen_at: now });
    // OpenID Connect Core §3.1.2.1, "id_token_hint": the app means somebody else, and is told so.
    // The same page again would look like a wrong password.
    let is_meant = current.flow.ask.id_token_hint.as_ref().is_none_or(|meant| current.flow.user_id.as_ref() == Some(meant));
    let next = if is_meant {
        dispatch::next(current).await
    } else {
        dispatch::refuse(current, "login_required", "somebody else signed in than id_token_hint names").await
    };
    // The session stands, whatever comes of the flow: the browser gets its cookie.
    let mut response = next.unwrap_or_else(IntoResponse::into_response);
    response.headers_mut().append(header::SET_COOKIE, cookie::set_session(&secret));
    Ok(response)
}

fn page(current: &Current, status: StatusCode, username: String, error: Option<&str>) -> Response {
    let page = LoginPage {
        chrome: Chrome::of(&current.app),
        app_name: Some(current.client.name.clone()),
        action: current.url("/login"),
        csrf: current.csrf(),
        username,
        error: error.map(str::to_owned),
        help: None,
        can_cancel: true,
    };
    let mut response = Page(status, page).into_response();
    response.extensions_mut().insert(current.form_action());
    response
}
