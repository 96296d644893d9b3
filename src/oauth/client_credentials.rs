//! A token for the client itself (RFC 6749 §4.4, SMART Backend Services).

use axum::http::StatusCode;

use super::client_auth::Caller;
use super::issue::{CLIENT_TOKEN_LIFE, TokenResponse, for_client};
use super::token::NOT_REGISTERED;
use crate::app::App;
use crate::audit::{Entry, Origin};
use crate::client::{Client, GrantType};
use crate::error::OAuthError;
use crate::scope::{Scope, ScopeSet};
use crate::secret::nonce;
use crate::tenant::{FhirBase, NOT_UNDERSTOOD};
use crate::token::AccessClaims;

/// A token with what the client may have of what it asks for.
///
/// # Errors
/// `unauthorized_client`, `invalid_scope`, `invalid_target`; `invalid_client`, where its assertion was taken before.
pub(super) async fn issue(
    app: &App,
    origin: &Origin,
    caller: Caller,
    asked: &ScopeSet,
    resource: Option<&str>,
) -> Result<TokenResponse, OAuthError> {
    let (claims, base) = match decide(app, origin, caller.client(), asked, resource).await {
        Ok(decided) => decided,
        Err(error) => {
            caller.spend(app, origin).await?;
            return Err(error);
        }
    };
    // No token without its entry in the books, and none for an assertion that was taken before.
    let entry = Entry::done("token.issued").client(&caller.client().id).jti(&claims.jti).detail(&claims.scope);
    caller.spend_on(app, origin, entry).await?;
    for_client(app, origin.now, base.as_deref(), &claims).await
}

/// What the token will say, and the FHIR base that it is for.
async fn decide(
    app: &App,
    origin: &Origin,
    client: &Client,
    asked: &ScopeSet,
    resource: Option<&str>,
) -> Result<(AccessClaims, Option<String>), OAuthError> {
    if !client.may(GrantType::ClientCredentials) {
        return Err(OAuthError::unauthorized_client(NOT_REGISTERED));
    }
    if !client.is_confidential() {
        return Err(OAuthError::unauthorized_client("a public client has no rights of its own"));
    }
    let scopes = client.scopes_of_its_own(asked);
    if scopes.is_empty() {
        return Err(OAuthError::invalid_scope(
            "nothing of what was asked is allowed to this client; for itself it can have system/ scopes and rights at this server only",
        ));
    }
    let base = target(app, origin, client, &scopes, resource).await?;
    let scopes = base.as_ref().map_or_else(|| scopes.clone(), |base| base.understood(&scopes));
    if scopes.is_empty() {
        return Err(OAuthError::invalid_scope(NOT_UNDERSTOOD));
    }
    let now = origin.now;
    let claims = AccessClaims {
        iss: app.tenant.issuer.clone(),
        sub: client.id.to_string(),
        aud: base.as_ref().map_or_else(|| app.tenant.issuer.clone(), |base| base.audience.clone()),
        exp: (now + CLIENT_TOKEN_LIFE).unix_timestamp(),
        iat: now.unix_timestamp(),
        nbf: now.unix_timestamp(),
        jti: nonce(),
        client_id: client.id.to_string(),
        scope: scopes.to_string(),
        tenant_id: origin.tenant.to_string(),
        patient: None,
        encounter: None,
        fhir_user: None,
        launch_response_patient: None,
    };
    Ok((claims, base.map(|base| base.name)))
}

/// The FHIR base that the token is for: none where it holds rights at this server (`__launch`, `__introspect`). No token is for both: a FHIR server that saw it could use the rights.
async fn target(
    app: &App,
    origin: &Origin,
    client: &Client,
    scopes: &ScopeSet,
    resource: Option<&str>,
) -> Result<Option<FhirBase>, OAuthError> {
    let is_ours = |scope: &Scope| matches!(scope, Scope::CreateLaunch | Scope::Introspect);
    if !scopes.iter().any(is_ours) {
        let bases = app.fhir_bases(origin.now).await?;
        return base_of(&bases, client, resource).map(|base| Some(base.clone()));
    }
    if !scopes.iter().all(is_ours) {
        let why = "__launch and __introspect are for this server, system/ scopes for a FHIR server: ask for two tokens";
        return Err(OAuthError::invalid_scope(why));
    }
    if resource.is_some_and(|resource| resource != app.tenant.issuer) {
        return Err(invalid_target("__launch and __introspect are for this server: resource, where it is sent, has to be the issuer"));
    }
    Ok(None)
}

fn invalid_target(why: &'static str) -> OAuthError {
    OAuthError::new(StatusCode::BAD_REQUEST, "invalid_target", why)
}

/// The FHIR base that the token is for: the one that is named (RFC 8707), or the only one there is.
fn base_of<'b>(bases: &'b [FhirBase], client: &Client, resource: Option<&str>) -> Result<&'b FhirBase, OAuthError> {
    let mut allowed = bases.iter().filter(|base| client.may_use(&base.name));
    match resource {
        Some(url) => allowed
            .find(|base| base.is_meant_by(url) || base.audience == url)
            .ok_or_else(|| invalid_target("resource is not a FHIR base that this client may use")),
        None => match (allowed.next(), allowed.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(invalid_target("there is no FHIR base that this client may use")),
            (Some(_), Some(_)) => Err(invalid_target("this client may use several FHIR bases: name one by the parameter resource")),
        },
    }
}
