//! Access tokens of ours, as callers present them to us.

use axum::http::{HeaderMap, StatusCode, header};
use time::OffsetDateTime;

use super::App;
use crate::audit::Origin;
use crate::error::OAuthError;
use crate::key::Purpose;
use crate::token::{AccessClaims, Rejection, Unverified};

/// What a token of ours says, if it is one, has not expired, and still stands.
///
/// # Errors
/// Where the store or the keys cannot be asked; a token that is not good is an answer.
pub async fn believed(app: &App, origin: &Origin, token: &str) -> Result<Option<AccessClaims>, OAuthError> {
    let keys = app.current_keys(origin.now).await?;
    let checked = Unverified::parse(token).and_then(|token| {
        token.must_be("at+jwt")?;
        let keys = keys.verifying(Purpose::Access).ok_or(Rejection::UnknownKey)?;
        check(AccessClaims::read(&token.verify(keys)?)?, app, origin.now)
    });
    match checked {
        Ok(claims) if app.store.token_stands(&origin.tenant, &claims).await? => Ok(Some(claims)),
        Ok(_) => Ok(None),
        Err(rejection) => {
            tracing::debug!(%rejection, "an access token was not believed");
            Ok(None)
        }
    }
}

/// By how much the clock of the instance that gave a token may be ahead of this one's, in seconds.
const AHEAD: i64 = 30;

/// An end is an end. A beginning may lie a little ahead: another instance's clock wrote it, or this
/// one's before it was set back.
fn check(claims: AccessClaims, app: &App, now: OffsetDateTime) -> Result<AccessClaims, Rejection> {
    let now = now.unix_timestamp();
    if claims.iss != app.tenant.issuer {
        Err(Rejection::Issuer)
    } else if claims.tenant_id != app.tenant.id.as_str() {
        Err(Rejection::Tenant)
    } else if claims.exp <= now {
        Err(Rejection::Expired)
    } else if claims.nbf.max(claims.iat) > now + AHEAD {
        Err(Rejection::NotYet)
    } else {
        Ok(claims)
    }
}

/// What is asked for where the token is not good (RFC 6750 §3.1).
pub const INVALID_TOKEN: &str = r#"Bearer error="invalid_token""#;

/// The token of the `Authorization` header (RFC 6750 §2.1); `None` where there is no such header.
///
/// # Errors
/// `invalid_request`, where the header is malformed.
pub fn of_header(headers: &HeaderMap) -> Result<Option<String>, OAuthError> {
    let malformed =
        || OAuthError::invalid_request("the Authorization header is malformed").challenging(r#"Bearer error="invalid_request""#);
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(malformed());
    }
    let value = value.to_str().map_err(|_| malformed())?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(none());
    }
    let is_b64token = !token.is_empty() && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b));
    if is_b64token { Ok(Some(token.to_owned())) } else { Err(malformed()) }
}

/// 401 without an error code: nothing was presented (RFC 6750 §3).
#[must_use]
pub fn none() -> OAuthError {
    OAuthError::new(StatusCode::UNAUTHORIZED, "invalid_token", "an access token is needed").challenging("Bearer")
}
