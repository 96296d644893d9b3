//! An authorization code for tokens (RFC 6749 §4.1.3, RFC 7636 §4.5).

use super::issue::{Issue, TokenResponse, for_person, still_allowed};
use crate::app::App;
use crate::audit::Origin;
use crate::client::Client;
use crate::error::OAuthError;
use crate::grant::{CodeBinding, Refresh};
use crate::pkce::Verifier;
use crate::secret::{AuthorizationCode, RefreshToken, nonce};
use crate::store::{Issued, Redemption};

/// What the app presents.
pub(super) struct CodeRequest {
    pub code: AuthorizationCode,
    pub redirect_uri: String,
    pub verifier: Option<Verifier>,
}

/// One sentence for every reason: it is the app's to get right, and nobody else's to learn from.
pub(super) const REFUSED: &str = "the code is unknown, expired or used, or redirect_uri or code_verifier do not match it";

pub(super) async fn redeem(app: &App, origin: &Origin, client: &Client, request: CodeRequest) -> Result<TokenResponse, OAuthError> {
    if request.verifier.is_none() && !client.is_pkce_exempt {
        return Err(OAuthError::invalid_grant(REFUSED));
    }
    // Made before we know whether the grant refreshes: one that does not is never stored.
    let (jti, refresh) = (nonce(), RefreshToken::first());
    let presented = CodeBinding { redirect_uri: request.redirect_uri, challenge: request.verifier.as_ref().map(Verifier::challenge) };
    let issued = Issued { jti: jti.clone(), refresh: refresh.digest(), family: refresh.family() };
    let grant = match app.store.redeem_code(origin, &client.id, request.code.digest(), presented, issued).await? {
        Redemption::Done(grant) => grant,
        Redemption::Replayed | Redemption::Refused => return Err(OAuthError::invalid_grant(REFUSED)),
    };
    // The code is spent now: a failure below leaves it so, which is the right trade.
    let scopes = still_allowed(app, origin, client, &grant).await?;
    let user = app.store.user(&origin.tenant, &grant.user_id).await?.ok_or(OAuthError::invalid_grant(REFUSED))?;
    // The client may have been allowed to stay when the person decided, and not be by now.
    let refresh = grant.refresh.and(Refresh::asked_by(&scopes)).map(|_| refresh);
    for_person(app, origin, Issue { client, scopes: &scopes, grant: &grant, user: &user, jti: &jti, refresh, is_refresh: false }).await
}
