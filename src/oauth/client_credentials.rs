//! A token for the client itself (RFC 6749 §4.4, SMART Backend Services).

use axum::http::StatusCode;

use super::client_auth::Caller;
use super::issue::{CLIENT_TOKEN_LIFE, TokenResponse, for_client};
use super::token::NOT_REGISTERED;
use crate::app::App;
use crate::audit::{Entry, Origin};
use crate::client::{Client, GrantType};
use crate::error::OAuthError;
use crate::scope::ScopeSet;
use crate::secret::nonce;
use crate::tenant::FhirBase;
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
    for_client(app, origin.now, &base, &claims).await
}

/// What the token will say, and the FHIR base that it is for.
async fn decide(
    app: &App,
    origin: &Origin,
    client: &Client,
    asked: &ScopeSet,
    resource: Option<&str>,
) -> Result<(AccessClaims, String), OAuthError> {
    if !client.may(GrantType::ClientCredentials) {
        return Err(OAuthError::unauthorized_client(NOT_REGISTERED));
    }
    if !client.is_confidential() {
        return Err(OAuthError::unauthorized_client("a public client has no rights of its own"));
    }
    let bases = app.store.known_fhir_bases(&app.tenant.id, origin.now).await?;
    let base = base_of(&bases, client, resource)?;
    let scopes = client.scopes_of_its_own(asked);
    if scopes.is_empty() {
        return Err(OAuthError::invalid_scope("nothing of what was asked is allowed to this client; it can have system/ scopes only"));
    }
    let now = origin.now;
    let claims = AccessClaims {
        iss: app.tenant.issuer.clone(),
        sub: client.id.to_string(),
        aud: base.audience.clone(),
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
    Ok((claims, base.name.clone()))
}

/// The FHIR base that the token is for: the one that is named (RFC 8707), or the only one there is.
fn base_of<'b>(bases: &'b [FhirBase], client: &Client, resource: Option<&str>) -> Result<&'b FhirBase, OAuthError> {
    let mut allowed = bases.iter().filter(|base| client.may_use(&base.name));
    let invalid_target = |why: &'static str| OAuthError::new(StatusCode::BAD_REQUEST, "invalid_target", why);
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
