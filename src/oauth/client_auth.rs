//! Who calls: client authentication at the token endpoint and its siblings (RFC 6749 §2.3).

use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use crate::app::App;
use crate::audit::{Entry, Origin};
use crate::client::{Client, ClientAuth, GrantType};
use crate::error::OAuthError;
use crate::id::ClientId;
use crate::params::Params;
use crate::secret::{ClientSecret, RefreshToken};

const BASIC: &str = r#"Basic realm="token endpoint", charset="UTF-8""#;

/// What a request says about who sent it.
struct Presented {
    id: ClientId,
    method: ClientAuth,
    secret: Option<ClientSecret>,
}

/// The client that sent this request, by the method that it is registered with and no other.
///
/// # Errors
/// `invalid_client`, or `invalid_request` where the request contradicts itself.
pub(super) async fn authenticate(app: &App, origin: &Origin, headers: &HeaderMap, params: &Params) -> Result<Client, OAuthError> {
    if let Some(client) = by_refresh_token(app, origin, headers, params).await? {
        return Ok(client);
    }
    let presented = read(headers, params)?;
    let found = match &presented.secret {
        Some(secret) => app.store.client_with_secret(&origin.tenant, &presented.id, &secret.digest(), origin.now).await?,
        None => app.store.client(&origin.tenant, &presented.id).await?.map(|client| (client, true)),
    };
    match found.filter(|(client, _)| client.disabled_at.is_none()) {
        Some((client, true)) if client.auth == presented.method => Ok(client),
        found => {
            let mut entry = Entry::refused("client.authenticated");
            // The id of a client that does not exist is whatever somebody typed: not for the books.
            entry.client = found.map(|(client, _)| client.id);
            app.store.audit(origin, entry).await?;
            let error = OAuthError::invalid_client();
            Err(if presented.method == ClientAuth::ClientSecretBasic { error.challenging(BASIC) } else { error })
        }
    }
}

/// The client that sent a request whose body is no form: by HTTP Basic, or not at all.
///
/// # Errors
/// Those of [`authenticate`]; a 401 asks for Basic.
pub(super) async fn authenticate_by_header(app: &App, origin: &Origin, headers: &HeaderMap) -> Result<Client, OAuthError> {
    let client = authenticate(app, origin, headers, &Params::default()).await;
    client.map_err(|error| if error.status == StatusCode::UNAUTHORIZED { error.challenging(BASIC) } else { error })
}

/// A public client that refreshes and does not say who it is: RFC 6749 §6 does not ask it to, and
/// widely used SMART libraries do not. The token itself says whose it is; a public client's id is
/// no secret anyway.
async fn by_refresh_token(app: &App, origin: &Origin, headers: &HeaderMap, params: &Params) -> Result<Option<Client>, OAuthError> {
    for name in ["client_id", "client_secret", "client_assertion", "client_assertion_type"] {
        if params.get(name)?.is_some() {
            return Ok(None);
        }
    }
    let is_refresh = params.get("grant_type")? == Some(GrantType::RefreshToken.as_str());
    let Some(token) = params.get("refresh_token")?.filter(|_| is_refresh && !headers.contains_key(header::AUTHORIZATION)) else {
        return Ok(None);
    };
    let client = app.store.client_of_refresh_token(&origin.tenant, &RefreshToken::presented(token).digest()).await?;
    Ok(client.filter(|client| client.auth == ClientAuth::None && client.disabled_at.is_none()))
}

fn read(headers: &HeaderMap, params: &Params) -> Result<Presented, OAuthError> {
    let in_body = params.get("client_id")?;
    let secret = params.get("client_secret")?;
    let has_assertion = params.get("client_assertion")?.is_some() || params.get("client_assertion_type")?.is_some();
    let basic = basic(headers)?;
    if usize::from(basic.is_some()) + usize::from(secret.is_some()) + usize::from(has_assertion) > 1 {
        return Err(OAuthError::invalid_request("the client authenticates in two ways at once"));
    }
    if has_assertion {
        return Err(OAuthError::new(StatusCode::UNAUTHORIZED, "invalid_client", "client assertions are not accepted from this client"));
    }
    if let Some((id, secret)) = basic {
        // Some clients repeat their id in the body; that is no second authentication.
        if in_body.is_some_and(|other| other != id) {
            return Err(OAuthError::invalid_request("client_id is not the client that authenticates"));
        }
        return Ok(Presented {
            id: ClientId::new(id),
            method: ClientAuth::ClientSecretBasic,
            secret: Some(ClientSecret::presented(&secret)),
        });
    }
    let id = in_body.ok_or_else(OAuthError::invalid_client)?;
    let method = if secret.is_some() { ClientAuth::ClientSecretPost } else { ClientAuth::None };
    Ok(Presented { id: ClientId::new(id), method, secret: secret.map(ClientSecret::presented) })
}

/// RFC 6749 §2.3.1: id and secret are form-encoded before they are joined. Half of all clients
/// send them raw; where decoding fails they are taken as they are.
fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, OAuthError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let malformed = || OAuthError::invalid_request("the Authorization header is not valid Basic authentication");
    let value = value.to_str().map_err(|_| malformed())?;
    let (scheme, credentials) = value.split_once(' ').ok_or_else(malformed)?;
    if values.next().is_some() || !scheme.eq_ignore_ascii_case("basic") {
        return Err(malformed());
    }
    let decoded = STANDARD.decode(credentials).map_err(|_| malformed())?;
    let decoded = String::from_utf8(decoded).map_err(|_| malformed())?;
    let (id, secret) = decoded.split_once(':').ok_or_else(malformed)?;
    let (id, secret) = (form_decoded(id), form_decoded(secret));
    // RFC 7617 §2. Looked at after decoding: `%00` is a NUL, and a database may not take one.
    if id.contains(char::is_control) || secret.contains(char::is_control) {
        return Err(malformed());
    }
    Ok(Some((id, secret)))
}

fn form_decoded(text: &str) -> String {
    let plus = text.replace('+', " ");
    percent_decode_str(&plus).decode_utf8().map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned)
}
