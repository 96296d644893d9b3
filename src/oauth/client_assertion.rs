//! A client that proves itself by a JWT of its own (RFC 7523, SMART App Launch 2.2 "Client Authentication: Asymmetric").

use axum::http::StatusCode;

use super::client_auth::{Caller, refuse};
use crate::app::App;
use crate::audit::Origin;
use crate::client::{Client, ClientAuth};
use crate::error::OAuthError;
use crate::id::ClientId;
use crate::token::{BadAssertion, CLIENT_ASSERTION_TYPE, ClientAssertion, Registered};

/// The client whose assertion this is. `client_id`, where the request has one, must be the same.
///
/// # Errors
/// `invalid_client`; the description says which rule was broken.
pub(super) async fn identify(
    app: &App,
    origin: &Origin,
    kind: Option<&str>,
    assertion: Option<&str>,
    client_id: Option<&str>,
) -> Result<Caller, OAuthError> {
    let Some(assertion) = assertion else {
        return refuse(app, origin, None, "no assertion", invalid("client_assertion is missing")).await;
    };
    if kind != Some(CLIENT_ASSERTION_TYPE) {
        let why = "client_assertion_type must be urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        return refuse(app, origin, None, "assertion type", invalid(why)).await;
    }
    let issuer = &app.tenant.issuer;
    let assertion = match ClientAssertion::read(assertion, issuer, &format!("{issuer}/token"), origin.now) {
        Ok(assertion) => assertion,
        Err(bad) => return refused(app, origin, None, bad).await,
    };
    if client_id.is_some_and(|other| other != assertion.client_id()) {
        return refused(app, origin, None, BadAssertion::Subject).await;
    }
    let client = app.store.client(&origin.tenant, &ClientId::new(assertion.client_id())).await?;
    // An address of which no administrator knows yet is not asked, whoever comes with the client's name.
    let may_be_asked = |client: &Client| !client.awaits_approval || client.jwks_uri.is_none();
    let is_its_way = |client: &Client| client.auth == ClientAuth::PrivateKeyJwt && client.disabled_at.is_none() && may_be_asked(client);
    let client = match client {
        Some(client) if is_its_way(&client) => client,
        // Whether there is such a client is not for everybody to know; nor is how it proves itself.
        other => return refused(app, origin, other.as_ref(), BadAssertion::Signature).await,
    };
    let keys = app.client_keys.of(&client, assertion.kid(), origin.now).await;
    let registered =
        Registered { algorithms: &client.assertion_algs, is_issuer_only: client.is_issuer_only, jwks_uri: client.jwks_uri.as_deref() };
    match assertion.verify(&keys, &registered) {
        Ok(proof) => Ok(Caller::proven(client, proof)),
        Err(bad) => refused(app, origin, Some(&client), bad).await,
    }
}

async fn refused(app: &App, origin: &Origin, client: Option<&Client>, bad: BadAssertion) -> Result<Caller, OAuthError> {
    let why = bad.to_string();
    refuse(app, origin, client, &why, invalid(why.clone())).await
}

/// 401, and no challenge: the `Authorization` header was not used (RFC 6749 §5.2).
pub(super) fn invalid(why: impl Into<std::borrow::Cow<'static, str>>) -> OAuthError {
    OAuthError::new(StatusCode::UNAUTHORIZED, "invalid_client", why)
}
