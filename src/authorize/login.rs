//! `/login`: the person proves who they are.

use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::current::Current;
use super::{cookie, dispatch};
use crate::app::{App, Chrome, OwnPage, Page, is_our_own_form, locale, network_of, set_session, signed_in};
use crate::audit::Origin;
use crate::error::PageError;
use crate::flow::Step;
use crate::id::SessionId;
use crate::params::Params;
use crate::password::{MAX_PASSWORD_BYTES, Place};
use crate::person::{SignedIn, User, canonical_username};
use crate::secret::{BrowserSecret, Digest, SessionSecret, unique_id};
use crate::store::{Allowance, Attempt, NewSession};
use crate::words::Locale;

/// The longest user name that is looked up, in bytes.
const MAX_USERNAME_BYTES: usize = 256;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    chrome: Chrome,
    app_name: String,
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
}

/// A browser at this page, by what it signs in for.
enum Visit {
    /// An app.
    Flow(Box<Current>),
    /// A page of ours.
    Page(Box<PageVisit>),
}

struct PageVisit {
    app: Arc<App>,
    origin: Origin,
    page: OwnPage,
    signed_in: Option<SignedIn>,
    locale: Locale,
    secret: BrowserSecret,
}

impl Visit {
    /// What the address names; `None` where it names nothing.
    async fn find(app: &Arc<App>, origin: Origin, headers: &HeaderMap, query: &Params) -> Result<Option<Self>, PageError> {
        if query.get("flow")?.is_some() {
            let current = Current::find(app, origin, headers, query).await?.unanswered()?;
            return Ok(Some(Self::Flow(Box::new(current))));
        }
        let Some(page) = query.get("to")?.and_then(OwnPage::parse) else { return Ok(None) };
        let (signed_in, locale) = (signed_in(app, &origin, headers).await?, locale(headers, None));
        let secret = cookie::own_page(headers, page).unwrap_or_else(BrowserSecret::generate);
        Ok(Some(Self::Page(Box::new(PageVisit { app: Arc::clone(app), origin, page, signed_in, locale, secret }))))
    }

    fn app(&self) -> &App {
        match self {
            Self::Flow(current) => &current.app,
            Self::Page(visit) => &visit.app,
        }
    }

    fn origin(&self) -> &Origin {
        match self {
            Self::Flow(current) => &current.origin,
            Self::Page(visit) => &visit.origin,
        }
    }

    fn chrome(&self) -> Chrome {
        match self {
            Self::Flow(current) => current.chrome(),
            Self::Page(visit) => Chrome::of(&visit.app, visit.locale),
        }
    }

    fn csrf(&self) -> String {
        match self {
            Self::Flow(current) => current.csrf(),
            Self::Page(visit) => visit.secret.derive("csrf"),
        }
    }
}

/// The form.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    origin: Origin,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let query = Params::parse(query.unwrap_or_default().as_bytes())?;
    match Visit::find(&app, origin, &headers, &query).await? {
        None => Ok(nothing_to_do(&app, locale(&headers, None))),
        Some(Visit::Flow(current)) => {
            if current.flow.next_step(current.signed_in.as_ref(), &current.client, current.origin.now) != Step::LogIn {
                return dispatch::next(*current).await;
            }
            let hint = current.flow.ask.login_hint.clone().unwrap_or_default();
            Ok(page(&Visit::Flow(current), StatusCode::OK, hint, None))
        }
        Some(Visit::Page(visit)) if visit.signed_in.is_some() => Ok(dispatch::see_other(visit.page.path())),
        Some(visit) => Ok(page(&visit, StatusCode::OK, String::new(), None)),
    }
}

/// Somebody opened the address by hand.
fn nothing_to_do(app: &App, locale: Locale) -> Response {
    let page = NothingToDo { chrome: Chrome::of(app, locale) };
    Page(StatusCode::OK, page).into_response()
}

/// Name and password. Where there would be no turn in time, that is said before anything is looked up.
pub(super) async fn submit(
    State(app): State<Arc<App>>,
    origin: Origin,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, PageError> {
    let place = app.passwords.place()?;
    let headers = request.headers().clone();
    let query = Params::parse(query.unwrap_or_default().as_bytes())?;
    let visit = Visit::find(&app, origin, &headers, &query).await?.ok_or_else(PageError::no_flow)?;
    let form = Params::from_body(request).await?;
    is_our_own_form(&app, &headers, &form, &visit.csrf())?;
    let visit = match visit {
        Visit::Flow(current) if form.get("cancel")?.is_some() => {
            return dispatch::refuse(*current, "access_denied", "the user did not sign in").await;
        }
        visit => visit,
    };
    let typed = form.get("username")?.unwrap_or_default().to_owned();
    let password = form.get("password")?.unwrap_or_default();
    if password.len() > MAX_PASSWORD_BYTES || typed.len() > MAX_USERNAME_BYTES {
        return Ok(page(&visit, StatusCode::BAD_REQUEST, String::new(), Some("login-too-long")));
    }
    let username = canonical_username(&typed);
    let attempt = Attempt { account: Digest::of(&username), network: network_of(visit.origin().address) };
    match check(visit.app(), visit.origin(), &attempt, &username, password, place).await? {
        Ok(proven) => start(visit, proven, attempt, typed).await,
        Err(Refused::AddressWaits(seconds)) => Err(PageError::too_many_tries(seconds)),
        // One sentence for every reason: which one it was is nobody's to learn here.
        Err(Refused::Wrong) => Ok(wrong(&visit, typed)),
    }
}

fn wrong(visit: &Visit, typed: String) -> Response {
    page(visit, StatusCode::FORBIDDEN, typed, Some("login-wrong"))
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
async fn check(
    app: &App,
    origin: &Origin,
    attempt: &Attempt,
    username: &str,
    password: &str,
    place: Place,
) -> Result<Result<Proven, Refused>, PageError> {
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
    let is_right = match app.passwords.matches(place, password, found.as_ref().map(|(_, hash)| hash.as_str())).await {
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
async fn start(visit: Visit, proven: Proven, attempt: Attempt, typed: String) -> Result<Response, PageError> {
    let Proven { user, password_hash } = proven;
    let secret = SessionSecret::generate();
    let now = visit.origin().now;
    let id = SessionId::new(unique_id(now));
    let (flow, before) = match &visit {
        Visit::Flow(current) => (Some((current.flow.id.clone(), current.flow.expires_at(now))), &current.signed_in),
        Visit::Page(visit) => (None, &visit.signed_in),
    };
    let new = NewSession {
        id: id.clone(),
        digest: secret.digest(),
        attempt,
        flow,
        replaces: before.as_ref().map(|old| old.session_id.clone()),
        user: user.clone(),
        password_hash,
    };
    if !visit.app().store.start_session(visit.origin(), new).await? {
        return Ok(wrong(&visit, typed));
    }
    let signed_in = SignedIn { session_id: id, user, auth_time: now, seen_at: now };
    let next = match visit {
        Visit::Page(visit) => Ok(dispatch::see_other(visit.page.path())),
        Visit::Flow(current) => go_on(*current, signed_in).await,
    };
    // The session stands, whatever comes of the flow: the browser gets its cookie.
    let mut response = next.unwrap_or_else(IntoResponse::into_response);
    response.headers_mut().append(header::SET_COOKIE, set_session(&secret));
    Ok(response)
}

/// The flow with the person who has just signed in for it.
async fn go_on(mut current: Current, signed_in: SignedIn) -> Result<Response, PageError> {
    current.flow.belong_to(&signed_in);
    // A sign-in is a new decision, also of the same person.
    current.flow.approved = None;
    let user = &signed_in.user.id;
    let is_for_another = current.flow.ask.id_token_hint.as_ref().is_some_and(|meant| meant != user);
    let was_launched_for_another = current.flow.launch.as_ref().is_some_and(|launch| launch.user_id != *user);
    current.signed_in = Some(signed_in);
    if was_launched_for_another {
        // What the EHR has open is nobody else's to see.
        dispatch::refuse(current, "access_denied", "somebody else signed in than the launch is for").await
    } else if is_for_another {
        // OpenID Connect Core §3.1.2.1, "id_token_hint": the app means somebody else, and is told
        // so. The same page again would look like a wrong password.
        dispatch::refuse(current, "login_required", "somebody else signed in than id_token_hint names").await
    } else {
        dispatch::next(current).await
    }
}

/// `error` is the key of its words.
fn page(visit: &Visit, status: StatusCode, username: String, error: Option<&str>) -> Response {
    let chrome = visit.chrome();
    let words = chrome.words();
    let (csrf, error) = (visit.csrf(), error.map(|key| words.text(key, &[])));
    match visit {
        Visit::Flow(current) => {
            let signed_in = current.signed_in.as_ref().map(|signed_in| &signed_in.user.id);
            let is_launched_for_another =
                current.flow.launch.as_ref().is_some_and(|launch| signed_in.is_some_and(|own| *own != launch.user_id));
            let page = LoginPage {
                chrome,
                app_name: current.client.name.clone(),
                action: current.url("/login"),
                csrf,
                username,
                error,
                help: is_launched_for_another.then(|| words.text("login-for-another", &[])),
                can_cancel: true,
            };
            current.page(status, page)
        }
        Visit::Page(visit) => {
            let page = LoginPage {
                chrome,
                app_name: visit.page.title(words),
                action: visit.page.login(),
                csrf,
                username,
                error,
                help: None,
                can_cancel: false,
            };
            let mut response = Page(status, page).into_response();
            // Each time: the form is good for as long as the cookie is.
            response.headers_mut().append(header::SET_COOKIE, cookie::set_own_page(visit.page, &visit.secret));
            response
        }
    }
}
