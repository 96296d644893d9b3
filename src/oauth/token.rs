//! `POST /token` (RFC 6749 §3.2): read once, authenticate, then one file per grant.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;

use super::client_auth::{Caller, identify};
use super::issue::TokenResponse;
use super::{client_credentials, code, refresh};
use crate::app::App;
use crate::audit::Origin;
use crate::client::{Client, GrantType};
use crate::error::OAuthError;
use crate::params::Params;
use crate::pkce::Verifier;
use crate::scope::ScopeSet;
use crate::secret::{AuthorizationCode, RefreshToken};

/// What the token endpoint can be asked for.
pub(super) enum TokenRequest {
    /// RFC 6749 §4.1.3
    AuthorizationCode(code::CodeRequest),
    /// RFC 6749 §6
    RefreshToken { token: RefreshToken, scopes: Option<ScopeSet> },
    /// RFC 6749 §4.4.2
    ClientCredentials { scopes: ScopeSet, resource: Option<String> },
}

impl TokenRequest {
    fn parse(params: &Params) -> Result<Self, OAuthError> {
        let missing = |name: &str| OAuthError::invalid_request(format!("{name} is missing"));
        let grant = params.get("grant_type")?.ok_or_else(|| missing("grant_type"))?;
        let scopes = |text: Option<&str>| text.map(ScopeSet::parse).transpose().map_err(|bad| OAuthError::invalid_scope(bad.to_string()));
        match GrantType::parse(grant) {
            Some(GrantType::AuthorizationCode) => {
                let code = params.get("code")?.ok_or_else(|| missing("code"))?;
                // Missing or malformed proofs do not match the code: that is what the answer says.
                let verifier =
                    params.get("code_verifier")?.map(|text| Verifier::parse(text).ok_or(OAuthError::invalid_grant(code::REFUSED)));
                Ok(Self::AuthorizationCode(code::CodeRequest {
                    code: AuthorizationCode::presented(code),
                    redirect_uri: params.get("redirect_uri")?.ok_or(OAuthError::invalid_grant(code::REFUSED))?.to_owned(),
                    verifier: verifier.transpose()?,
                }))
            }
            Some(GrantType::RefreshToken) => Ok(Self::RefreshToken {
                token: RefreshToken::presented(params.get("refresh_token")?.ok_or_else(|| missing("refresh_token"))?),
                scopes: scopes(params.get("scope")?)?,
            }),
            Some(GrantType::ClientCredentials) => Ok(Self::ClientCredentials {
                scopes: scopes(params.get("scope")?)?.ok_or_else(|| OAuthError::invalid_scope("scope is missing"))?,
                resource: params.get("resource")?.map(str::to_owned),
            }),
            None => Err(OAuthError::new(
                axum::http::StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "grant_type must be authorization_code, refresh_token or client_credentials",
            )),
        }
    }
}

/// The grant is not among the client's.
pub(super) const NOT_REGISTERED: &str = "the client is not registered for this grant type";

/// Tokens for a code, a refresh token, or the client itself.
pub(super) async fn token(
    State(app): State<Arc<App>>,
    origin: Origin,
    headers: HeaderMap,
    request: Request,
) -> Result<TokenResponse, OAuthError> {
    let params = Params::from_body(request).await?;
    // An unsupported grant is said to be one whoever asks.
    let request = match TokenRequest::parse(&params) {
        Err(error) if error.code == "unsupported_grant_type" => return Err(error),
        parsed => parsed,
    };
    let caller = identify(&app, &origin, &headers, &params).await?;
    match request {
        Ok(TokenRequest::AuthorizationCode(request)) => {
            let client = registered(&app, &origin, caller, GrantType::AuthorizationCode).await?;
            code::redeem(&app, &origin, &client, request).await
        }
        Ok(TokenRequest::RefreshToken { token, scopes }) => {
            let client = registered(&app, &origin, caller, GrantType::RefreshToken).await?;
            refresh::refresh(&app, &origin, &client, token, scopes).await
        }
        Ok(TokenRequest::ClientCredentials { scopes, resource }) => {
            client_credentials::issue(&app, &origin, caller, &scopes, resource.as_deref()).await
        }
        Err(error) => {
            caller.spend(&app, &origin).await?;
            Err(error)
        }
    }
}

/// The client, whose assertion is now taken, if it may use this grant.
async fn registered(app: &App, origin: &Origin, caller: Caller, grant: GrantType) -> Result<Client, OAuthError> {
    let client = caller.spend(app, origin).await?;
    if client.may(grant) { Ok(client) } else { Err(OAuthError::unauthorized_client(NOT_REGISTERED)) }
}
