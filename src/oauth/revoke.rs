//! Taking a token back (RFC 7009).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use super::bearer::believed;
use super::client_auth::authenticate;
use crate::app::App;
use crate::audit::{Entry, Origin};
use crate::client::Client;
use crate::error::{NO_STORE, OAuthError};
use crate::grant::grant_of;
use crate::params::Params;
use crate::secret::RefreshToken;

/// 200 and `{}`, whatever the token is: an answer that differed would say whether somebody else's
/// token exists.
///
/// With one token goes the whole grant, whichever token it is (RFC 7009 §2.1 asks that of refresh tokens, and allows it of
/// access tokens): who signs out of an app is signed out of it. A token of the client's own goes alone.
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    origin: Origin,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, OAuthError> {
    let params = Params::from_body(request).await?;
    let client = authenticate(&app, &origin, &headers, &params).await?;
    let token = params.get("token")?.ok_or_else(|| OAuthError::invalid_request("token is missing"))?;
    let refresh = RefreshToken::presented(token);
    if let Some(grant) = app.store.grant_of_refresh_token(&origin.tenant, &client.id, &refresh).await? {
        app.store.revoke_grant(&origin, &grant.id, "revoked by the client").await?;
    } else if let Some(claims) = believed(&app, &origin, token).await? {
        if claims.client_id == client.id.as_str() {
            match grant_of(&claims.jti) {
                Some(grant) => app.store.revoke_grant(&origin, &grant, "revoked by the client").await?,
                None => app.store.revoke_token(&origin, &claims).await?,
            }
        } else {
            app.store.audit(&origin, anothers(&client).jti(&claims.jti)).await?;
        }
    } else if let Some((grant, _)) = app.store.grant_of_anyones_refresh_token(&origin.tenant, &refresh).await? {
        app.store.audit(&origin, anothers(&client).grant(&grant)).await?;
    }
    Ok((NO_STORE, [(header::CONTENT_TYPE, "application/json")], "{}").into_response())
}

/// The caller is not told; the books are.
fn anothers(client: &Client) -> Entry {
    Entry::refused("token.revoked").client(&client.id).detail("another client's token")
}
