//! A refresh token for tokens (RFC 6749 §6, RFC 9700 §4.14.2).

use super::issue::{Issue, TokenResponse, for_person, still_allowed, understood};
use crate::app::App;
use crate::audit::Origin;
use crate::client::Client;
use crate::directory::{Access, Why};
use crate::error::OAuthError;
use crate::grant::{Grant, Refresh};
use crate::person::User;
use crate::scope::ScopeSet;
use crate::secret::{RefreshToken, nonce};
use crate::store::{Rotation, RotationRequest};

const REFUSED: &str = "the refresh token is unknown, expired, used or revoked";

pub(super) async fn refresh(
    app: &App,
    origin: &Origin,
    client: &Client,
    token: RefreshToken,
    asked: Option<ScopeSet>,
) -> Result<TokenResponse, OAuthError> {
    let grant = app.store.grant_of_refresh_token(&origin.tenant, &client.id, &token).await?;
    // Looked at before the token is used: a request for too much must not cost it.
    let scopes = match &grant {
        None => None,
        Some(grant) => {
            let allowed = still_allowed(app, origin, client, grant).await?;
            if Refresh::asked_by(&allowed).is_none() {
                return Err(OAuthError::invalid_grant("the client may not refresh any more"));
            }
            let scopes = match asked {
                None => allowed,
                // The token keeps its scopes; only this access token has fewer.
                Some(asked) if allowed.contains(&asked) => understood(app, origin, grant, asked).await?,
                Some(_) => ScopeSet::default(),
            };
            if scopes.is_empty() {
                return Err(OAuthError::invalid_scope("scope asks for more than was granted, or for nothing that the FHIR base knows"));
            }
            Some(scopes)
        }
    };
    // Likewise before: where nobody can be asked, the token is as good afterwards.
    let user = match &grant {
        None => None,
        Some(grant) => app.store.user(&origin.tenant, &grant.user_id).await?,
    };
    if let Some(grant) = &grant
        && let Some(why) = must_end(app, origin, grant, user.as_ref()).await?
    {
        app.store.revoke_grant(origin, &grant.id, why).await?;
        return Err(OAuthError::invalid_grant(REFUSED));
    }
    let jti = nonce();
    let request = RotationRequest { client_id: client.id.clone(), presented: token, grace: client.refresh_grace, jti: jti.clone() };
    let (grant, successor) = match app.store.rotate(origin, request).await? {
        Rotation::Done(grant, successor) => (grant, successor),
        Rotation::Reused | Rotation::Refused => return Err(OAuthError::invalid_grant(REFUSED)),
    };
    // The rotation has seen to it that the person may still come in.
    let (Some(scopes), Some(user)) = (scopes, user) else { return Err(OAuthError::invalid_grant(REFUSED)) };
    for_person(
        app,
        origin,
        Issue { client, scopes: &scopes, grant: &grant, user: &user, jti: &jti, refresh: Some(successor), is_refresh: true },
    )
    .await
}

/// Why nothing is given any more for the patient that the grant is about: whoever left a care team, or whose child came of
/// age, takes the app's access along, and so does a record that was closed or merged.
async fn must_end(app: &App, origin: &Origin, grant: &Grant, user: Option<&User>) -> Result<Option<&'static str>, OAuthError> {
    let (Some(patient), Some(base)) = (&grant.patient_id, &grant.fhir_base) else { return Ok(None) };
    let Some(user) = user else { return Ok(Some(Why::NotTheirs.as_str())) };
    Ok(match app.access(origin, base, user, patient, grant.emergency_reason.is_some()).await? {
        Access::Open(_) => None,
        Access::Closed(why) => Some(why.as_str()),
    })
}
