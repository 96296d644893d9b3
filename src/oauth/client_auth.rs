//! Who calls: client authentication at the token endpoint and its siblings (RFC 6749 §2.3).

use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use super::client_assertion;
use crate::app::App;
use crate::audit::{Entry, Origin};
use crate::client::{Client, ClientAuth, GrantType};
use crate::error::OAuthError;
use crate::id::ClientId;
use crate::params::Params;
use crate::secret::{ClientSecret, RefreshToken};
use crate::token::Proof;

const BASIC: &str = r#"Basic realm="token endpoint", charset="UTF-8""#;

/// What a request says about who sent it.
enum Presented<'r> {
    /// A secret, or nothing but a name.
    Secret { id: ClientId, method: ClientAuth, secret: Option<ClientSecret> },
    /// An assertion, or half of one.
    Assertion { kind: Option<&'r str>, assertion: Option<&'r str>, client_id: Option<&'r str> },
}

/// A client that has proved who it is. An assertion is good once, and is only taken by [`Caller::spend`] or
/// [`Caller::spend_on`]: nothing may be given or done before one of them.
#[must_use]
pub(super) struct Caller {
    client: Client,
    proof: Option<Proof>,
}

impl Caller {
    /// By an assertion.
    pub(super) fn proven(client: Client, proof: Proof) -> Self {
        Self { client, proof: Some(proof) }
    }

    /// Who it is.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Takes the assertion, if that is how the client proved itself.
    ///
    /// # Errors
    /// `invalid_client`, where it was taken before.
    pub(super) async fn spend(self, app: &App, origin: &Origin) -> Result<Client, OAuthError> {
        match &self.proof {
            Some(proof) if !app.store.spend_assertion(origin, &self.client.id, proof).await? => Err(self.replayed(app, origin).await?),
            _ => Ok(self.client),
        }
    }

    /// The same, and writes down what it was taken for, in one commit.
    ///
    /// # Errors
    /// `invalid_client`, where it was taken before; then nothing is written but that.
    pub(super) async fn spend_on(self, app: &App, origin: &Origin, entry: Entry) -> Result<Client, OAuthError> {
        match &self.proof {
            None => app.store.audit(origin, entry).await?,
            Some(proof) if !app.store.spend_assertion_on(origin, &self.client.id, proof, entry).await? => {
                return Err(self.replayed(app, origin).await?);
            }
            Some(_) => {}
        }
        Ok(self.client)
    }

    async fn replayed(&self, app: &App, origin: &Origin) -> Result<OAuthError, OAuthError> {
        let entry = Entry::refused("client.authenticated").client(&self.client.id).detail("an assertion was used twice");
        app.store.audit(origin, entry).await?;
        Ok(client_assertion::invalid(
            "jti of the client assertion was used before: each assertion is good once. After a restore of this server, so are older ones",
        ))
    }
}

/// The client that sent this request, by the method that it is registered with and no other. Its assertion is taken.
///
/// # Errors
/// `invalid_client`, or `invalid_request` where the request contradicts itself; `unauthorized_client`, where nobody has
/// approved it yet.
pub(super) async fn authenticate(app: &App, origin: &Origin, headers: &HeaderMap, params: &Params) -> Result<Client, OAuthError> {
    identify(app, origin, headers, params).await?.spend(app, origin).await
}

/// The same, while its assertion can still be taken together with what it is for.
///
/// # Errors
/// Those of [`authenticate`].
pub(super) async fn identify(app: &App, origin: &Origin, headers: &HeaderMap, params: &Params) -> Result<Caller, OAuthError> {
    let caller = match by_refresh_token(app, origin, headers, params).await? {
        Some(client) => Caller { client, proof: None },
        None => match read(headers, params)? {
            Presented::Secret { id, method, secret } => {
                Caller { client: by_secret(app, origin, &id, method, secret.as_ref()).await?, proof: None }
            }
            Presented::Assertion { kind, assertion, client_id } => {
                client_assertion::identify(app, origin, kind, assertion, client_id).await?
            }
        },
    };
    if caller.client.awaits_approval {
        let entry = Entry::refused("client.authenticated").client(&caller.client.id).detail("waits for approval");
        app.store.audit(origin, entry).await?;
        return Err(OAuthError::unauthorized_client("the client is registered, and waits for an administrator's approval"));
    }
    Ok(caller)
}

async fn by_secret(
    app: &App,
    origin: &Origin,
    id: &ClientId,
    method: ClientAuth,
    secret: Option<&ClientSecret>,
) -> Result<Client, OAuthError> {
    let found = match secret {
        Some(secret) => app.store.client_with_secret(&origin.tenant, id, &secret.digest(), origin.now).await?,
        None => app.store.client(&origin.tenant, id).await?.map(|client| (client, true)),
    };
    match found.filter(|(client, _)| client.disabled_at.is_none()) {
        Some((client, true)) if client.auth == method => Ok(client),
        found => {
            let error = OAuthError::invalid_client();
            let error = if method == ClientAuth::ClientSecretBasic { error.challenging(BASIC) } else { error };
            refuse(app, origin, found.map(|(client, _)| client).as_ref(), "", error).await
        }
    }
}

/// Writes down that somebody was turned away. The id of a client that does not exist is whatever somebody typed: not for
/// the books.
pub(super) async fn refuse<T>(app: &App, origin: &Origin, client: Option<&Client>, why: &str, error: OAuthError) -> Result<T, OAuthError> {
    let mut entry = Entry::refused("client.authenticated");
    entry.client = client.map(|client| client.id.clone());
    entry.detail = Some(why.to_owned()).filter(|why| !why.is_empty());
    app.store.audit(origin, entry).await?;
    Err(error)
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
    let client = app.store.client_of_refresh_token(&origin.tenant, &RefreshToken::presented(token)).await?;
    Ok(client.filter(|client| client.auth == ClientAuth::None && client.disabled_at.is_none()))
}

fn read<'r>(headers: &HeaderMap, params: &'r Params) -> Result<Presented<'r>, OAuthError> {
    let in_body = params.get("client_id")?;
    let secret = params.get("client_secret")?;
    let (kind, assertion) = (params.get("client_assertion_type")?, params.get("client_assertion")?);
    let has_assertion = kind.is_some() || assertion.is_some();
    let basic = basic(headers)?;
    if usize::from(basic.is_some()) + usize::from(secret.is_some()) + usize::from(has_assertion) > 1 {
        return Err(OAuthError::invalid_request("the client authenticates in two ways at once"));
    }
    if has_assertion {
        return Ok(Presented::Assertion { kind, assertion, client_id: in_body });
    }
    if let Some((id, secret)) = basic {
        // Some clients repeat their id in the body; that is no second authentication.
        if in_body.is_some_and(|other| other != id) {
            return Err(OAuthError::invalid_request("client_id is not the client that authenticates"));
        }
        return Ok(Presented::Secret {
            id: ClientId::new(id),
            method: ClientAuth::ClientSecretBasic,
            secret: Some(ClientSecret::presented(&secret)),
        });
    }
    let id = in_body.ok_or_else(OAuthError::invalid_client)?;
    let method = if secret.is_some() { ClientAuth::ClientSecretPost } else { ClientAuth::None };
    Ok(Presented::Secret { id: ClientId::new(id), method, secret: secret.map(ClientSecret::presented) })
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
