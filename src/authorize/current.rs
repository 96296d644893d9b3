//! Where a browser stands: its flow, its client, its session.

use std::sync::Arc;

use askama::Template;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::cookie;
use crate::app::{App, Chrome, FormAction, Page, is_our_own_form, locale, signed_in};
use crate::audit::Origin;
use crate::client::Client;
use crate::error::PageError;
use crate::flow::Flow;
use crate::id::{FlowId, PatientId};
use crate::params::{BadForm, Params};
use crate::person::SignedIn;
use crate::secret::BrowserSecret;
use crate::words::{Locale, Words};

/// A flow in the browser that it belongs to.
pub(super) struct Current {
    pub app: Arc<App>,
    pub origin: Origin,
    pub flow: Flow,
    pub client: Client,
    pub signed_in: Option<SignedIn>,
    /// The language of its pages.
    pub locale: Locale,
    secret: BrowserSecret,
}

/// The flow of one of its own pages; the app still waits for its answer.
impl FromRequestParts<Arc<App>> for Current {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, PageError> {
        let Ok(origin) = Origin::from_request_parts(parts, app).await;
        let query = Params::parse(parts.uri.query().unwrap_or_default().as_bytes())?;
        Self::find(app, origin, &parts.headers, &query).await?.unanswered()
    }
}

impl Current {
    /// Finds the flow that the URL names, for the browser that holds its cookie.
    ///
    /// # Errors
    /// [`PageError`]: no such flow, another browser's, too old, or its client is gone.
    pub async fn find(app: &Arc<App>, origin: Origin, headers: &HeaderMap, query: &Params) -> Result<Self, PageError> {
        let id = query.get("flow")?.map(FlowId::new).ok_or_else(PageError::no_flow)?;
        let secret = cookie::flow(headers, &id).ok_or_else(PageError::no_flow)?;
        let flow = app.store.flow(&origin.tenant, &id, &secret.digest(), origin.now).await?.ok_or_else(PageError::no_flow)?;
        let client = app.store.client(&origin.tenant, &flow.ask.client_id).await?;
        let client = client.filter(Client::is_active).ok_or_else(PageError::no_flow)?;
        let signed_in = signed_in(app, &origin, headers).await?;
        let locale = locale(headers, flow.ask.ui_locales.as_deref());
        Ok(Self { app: Arc::clone(app), origin, flow, client, signed_in, locale, secret })
    }

    /// A flow that has just begun in this browser.
    pub fn begun(
        app: &Arc<App>,
        origin: Origin,
        headers: &HeaderMap,
        flow: Flow,
        client: Client,
        signed_in: Option<SignedIn>,
        secret: BrowserSecret,
    ) -> Self {
        let locale = locale(headers, flow.ask.ui_locales.as_deref());
        Self { app: Arc::clone(app), origin, flow, client, signed_in, locale, secret }
    }

    /// The same, unless the app has had its answer.
    ///
    /// # Errors
    /// [`PageError::already_completed`]
    pub fn unanswered(self) -> Result<Self, PageError> {
        if self.flow.finished_at.is_some() { Err(PageError::already_completed()) } else { Ok(self) }
    }

    /// What this flow's forms carry: nobody can name it who does not hold the cookie.
    pub fn csrf(&self) -> String {
        self.secret.derive("csrf")
    }

    /// The same for the consent page, which is about one person and one patient: in another tab, the
    /// flow may have come to be about others.
    pub fn consent_csrf(&self) -> String {
        // The person, not the session: another tab's sign-in of the same person changes nothing here.
        let person = self.signed_in.as_ref().map_or("", |signed_in| signed_in.user.id.as_str());
        let patient = self.flow.patient_id.as_ref().map_or("", PatientId::as_str);
        let encounter = self.flow.encounter_id.as_deref().unwrap_or_default();
        format!("{}.{}", self.csrf(), self.secret.derive(&format!("consent {person} {patient} {encounter}")))
    }

    /// The URL of one of the flow's pages.
    pub fn url(&self, path: &str) -> String {
        let url = format!("{path}?flow={}", self.flow.id);
        self.ui_locales().map(|tag| format!("{url}&ui_locales={tag}")).unwrap_or(url)
    }

    /// What its URLs say of the language, where the app has said something: an error of a flow that is
    /// no longer there speaks it too.
    pub fn ui_locales(&self) -> Option<&'static str> {
        self.flow.ask.ui_locales.as_ref().map(|_| self.locale.as_str())
    }

    /// The frame of the flow's pages.
    pub fn chrome(&self) -> Chrome {
        Chrome::of(&self.app, self.locale)
    }

    /// The words of the flow's pages.
    pub fn words(&self) -> &'static Words {
        Words::get(self.locale)
    }

    /// What the flow's pages name in `form-action`.
    pub fn form_action(&self) -> FormAction {
        FormAction(self.flow.ask.return_to.uri().form_action())
    }

    /// One of the flow's pages.
    pub fn page(&self, status: StatusCode, page: impl Template) -> Response {
        let mut response = Page(status, page).into_response();
        response.extensions_mut().insert(self.form_action());
        response
    }

    /// The form that was sent from one of this flow's own pages, as `read` reads it.
    ///
    /// # Errors
    /// [`PageError`]: no form, or [`PageError::forged`].
    pub async fn form<F>(&self, request: Request, read: impl FnOnce(Request) -> F) -> Result<Params, PageError>
    where
        F: Future<Output = Result<Params, BadForm>>,
    {
        let headers = request.headers().clone();
        let form = read(request).await?;
        self.check_form(&headers, &form)?;
        Ok(form)
    }

    /// Refuses a form that was not sent from one of this flow's own pages.
    ///
    /// # Errors
    /// [`PageError::forged`]
    pub fn check_form(&self, headers: &HeaderMap, form: &Params) -> Result<(), PageError> {
        is_our_own_form(&self.app, headers, form, &self.csrf())
    }

    /// Notes that the person is there.
    pub async fn touch(&self) -> Result<(), PageError> {
        if let Some(signed_in) = &self.signed_in {
            self.app.store.touch_session(&self.origin, signed_in).await?;
        }
        Ok(())
    }
}
