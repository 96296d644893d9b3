//! What an app says of itself when it registers (RFC 7591 §2), and how that is said back to it (§3.2.1).
//!
//! Everything is checked as the administrators' command checks it. Members that are not known here are ignored, and not
//! said back; so is `logo_uri`: what others serve is not shown on our pages.

use axum::http::StatusCode;
use serde_json::{Map, Value};

use crate::client::{Client, ClientAuth, GrantType};
use crate::error::OAuthError;
use crate::label;
use crate::redirect::RedirectUri;
use crate::scope::{Scope, ScopeSet};
use crate::token::{ASSERTION_ALGORITHMS, Algorithm, Jwks};

/// The most URIs in a list, and the longest URI, in bytes.
const MAX_URIS: usize = 20;
const MAX_URI: usize = 2048;
/// What ID tokens can be signed with.
const ID_TOKEN_ALGORITHMS: [Algorithm; 3] = [Algorithm::Rs256, Algorithm::Es256, Algorithm::Es384];

/// The members of a JSON object, read by their types; `null` is the same as nothing.
struct Members<'m>(&'m Map<String, Value>);

impl<'m> Members<'m> {
    fn get(&self, name: &str) -> Option<&'m Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Result<Option<&'m str>, OAuthError> {
        let text = |value: &'m Value| value.as_str().ok_or_else(|| invalid(format!("{name} must be a text")));
        self.get(name).map(text).transpose()
    }

    fn texts(&self, name: &str) -> Result<Option<Vec<&'m str>>, OAuthError> {
        let wrong = || invalid(format!("{name} must be a list of texts"));
        let list = |value: &'m Value| value.as_array().ok_or_else(wrong)?.iter().map(|one| one.as_str().ok_or_else(wrong)).collect();
        self.get(name).map(list).transpose()
    }

    /// A list of redirect URIs, by the rules of RFC 6749 §3.1.2, RFC 8252 §7 and RFC 9700 §2.1.
    fn redirects(&self, name: &str) -> Result<Vec<RedirectUri>, OAuthError> {
        let wrong = |why: String| OAuthError::new(StatusCode::BAD_REQUEST, "invalid_redirect_uri", format!("{name}: {why}"));
        let texts = self.texts(name)?.unwrap_or_default();
        if texts.len() > MAX_URIS {
            return Err(wrong(format!("there may be {MAX_URIS} of them")));
        }
        let mut uris: Vec<RedirectUri> = Vec::new();
        for text in texts {
            if text.len() > MAX_URI {
                return Err(wrong("a URI is too long".to_owned()));
            }
            let uri = RedirectUri::register(text).map_err(|bad| wrong(bad.to_string()))?;
            if !uris.contains(&uri) {
                uris.push(uri);
            }
        }
        Ok(uris)
    }

    /// A page of the app's maker.
    fn link(&self, name: &str) -> Result<Option<String>, OAuthError> {
        let wrong = |why: String| invalid(format!("{name}: {why}"));
        let check = |text: &str| if text.len() > MAX_URI { Err("the URI is too long".to_owned()) } else { label::link(text) };
        self.text(name)?.map(check).transpose().map_err(wrong)
    }

    fn algorithm(&self, name: &str, among: &[Algorithm]) -> Result<Option<Algorithm>, OAuthError> {
        let known = |text: &str| among.iter().copied().find(|known| known.as_str() == text);
        let unknown = || {
            let names: Vec<&str> = among.iter().map(|known| known.as_str()).collect();
            invalid(format!("{name} must be one of {}", names.join(", ")))
        };
        self.text(name)?.map(|text| known(text).ok_or_else(unknown)).transpose()
    }

    fn grants(&self) -> Result<Vec<GrantType>, OAuthError> {
        let mut grants = Vec::new();
        for name in self.texts("grant_types")?.unwrap_or_else(|| vec![GrantType::AuthorizationCode.as_str()]) {
            let known = "grant_types may hold authorization_code, refresh_token and client_credentials";
            let grant = GrantType::parse(name).ok_or_else(|| invalid(known))?;
            if !grants.contains(&grant) {
                grants.push(grant);
            }
        }
        let has = |grant| grants.contains(&grant);
        // RFC 7591 §2.1: each follows from the other.
        if let Some(types) = self.texts("response_types")? {
            let expected: &[&str] = if has(GrantType::AuthorizationCode) { &["code"] } else { &[] };
            if types != expected {
                return Err(invalid(
                    "response_types must be code where authorization_code is among grant_types, and empty where it is not",
                ));
            }
        }
        if has(GrantType::RefreshToken) && !has(GrantType::AuthorizationCode) {
            return Err(invalid("the grant refresh_token needs authorization_code: nothing else gives a refresh token"));
        }
        if grants.is_empty() { Err(invalid("grant_types is empty")) } else { Ok(grants) }
    }
}

/// What is to be registered: `before` with what these metadata say.
///
/// # Errors
/// `invalid_redirect_uri`, `invalid_client_metadata` or `unapproved_software_statement` (RFC 7591 §3.2.2); the
/// description says what to change.
pub(super) fn read(metadata: &Map<String, Value>, before: Client) -> Result<Client, OAuthError> {
    let members = Members(metadata);
    if members.get("software_statement").is_some() {
        let why = "software statements are not accepted here";
        return Err(OAuthError::new(StatusCode::BAD_REQUEST, "unapproved_software_statement", why));
    }
    let auth = members.text("token_endpoint_auth_method")?.unwrap_or(ClientAuth::ClientSecretBasic.as_str());
    let auth = ClientAuth::parse(auth).ok_or_else(|| {
        let names: Vec<&str> = ClientAuth::ALL.iter().map(|known| known.as_str()).collect();
        invalid(format!("token_endpoint_auth_method must be one of {}", names.join(", ")))
    })?;
    let grant_types = members.grants()?;
    let has = |grant| grant_types.contains(&grant);
    let redirect_uris = members.redirects("redirect_uris")?;
    if has(GrantType::AuthorizationCode) == redirect_uris.is_empty() {
        let why = "redirect_uris and the grant authorization_code go together";
        return Err(OAuthError::new(StatusCode::BAD_REQUEST, "invalid_redirect_uri", why));
    }
    if has(GrantType::ClientCredentials) && auth == ClientAuth::None {
        return Err(invalid("the grant client_credentials needs a token_endpoint_auth_method that proves who the client is"));
    }
    let name = members.text("client_name")?.ok_or_else(|| invalid("client_name is missing: people see it when they are asked"))?;
    let (jwks, jwks_uri) = keys(&members, auth)?;
    let asked = members.text("scope")?.ok_or_else(|| invalid("scope is missing: it is the most that the client may be given"))?;
    let asked = ScopeSet::parse(asked).map_err(|bad| invalid(format!("scope: {bad}")))?;
    let client = Client {
        auth,
        name: label::name(name).map_err(|why| invalid(format!("client_name: {why}")))?,
        grant_types,
        redirect_uris,
        post_logout_redirect_uris: members.redirects("post_logout_redirect_uris")?.into_iter().map(|uri| uri.as_str().to_owned()).collect(),
        website: members.link("client_uri")?,
        policy_uri: members.link("policy_uri")?,
        tos_uri: members.link("tos_uri")?,
        id_token_alg: members.algorithm("id_token_signed_response_alg", &ID_TOKEN_ALGORITHMS)?.unwrap_or(Algorithm::Rs256),
        assertion_algs: match members.algorithm("token_endpoint_auth_signing_alg", &ASSERTION_ALGORITHMS)? {
            Some(one) => vec![one],
            None => vec![Algorithm::Rs384, Algorithm::Es384],
        },
        jwks,
        jwks_uri,
        scopes: asked.clone(),
        ..before
    };
    // What none of its grants leads to is not registered, and the answer says so (RFC 7591 §2); nor are rights at this
    // server, which an administrator gives unasked.
    let scopes = client.attainable(&asked).filtered(|scope| !matches!(scope, Scope::CreateLaunch | Scope::Introspect));
    if scopes.is_empty() {
        return Err(invalid("scope names nothing that a client with these grant_types can be given"));
    }
    Ok(Client { scopes, ..client })
}

/// The client's public keys: a key set or where it is published, and not both.
fn keys(members: &Members<'_>, auth: ClientAuth) -> Result<(Option<String>, Option<String>), OAuthError> {
    let (set, uri) = (members.get("jwks"), members.link("jwks_uri")?);
    match (auth, set, uri) {
        (_, Some(_), Some(_)) => Err(invalid("jwks and jwks_uri must not be given together")),
        (ClientAuth::PrivateKeyJwt, Some(set), None) => {
            let text = set.to_string();
            match Jwks::parse(text.as_bytes()) {
                Ok(keys) if keys.is_empty() => {
                    Err(invalid("jwks holds no key that can be used: EC P-256 or P-384, or RSA of 2048 bits, with a kid"))
                }
                Ok(_) => Ok((Some(text), None)),
                Err(bad) => Err(invalid(format!("jwks: {bad}"))),
            }
        }
        (ClientAuth::PrivateKeyJwt, None, Some(uri)) => Ok((None, Some(uri))),
        (ClientAuth::PrivateKeyJwt, None, None) => Err(invalid("private_key_jwt needs jwks or jwks_uri")),
        _ => Ok((None, None)),
    }
}

/// What is registered, as it stands now.
pub(super) fn describe(client: &Client) -> Map<String, Value> {
    let mut members = Map::new();
    let mut say = |name: &str, value: Value| {
        if !value.is_null() {
            members.insert(name.to_owned(), value);
        }
    };
    let is_redirected = client.may(GrantType::AuthorizationCode);
    say("client_id", client.id.as_str().into());
    say("client_id_issued_at", client.created_at.unix_timestamp().into());
    say("client_name", client.name.as_str().into());
    say("redirect_uris", client.redirect_uris.iter().map(RedirectUri::as_str).collect());
    say("post_logout_redirect_uris", client.post_logout_redirect_uris.clone().into());
    say("grant_types", client.grant_types.iter().map(|grant| grant.as_str()).collect());
    say("response_types", if is_redirected { vec!["code"] } else { vec![] }.into());
    say("token_endpoint_auth_method", client.auth.as_str().into());
    say("scope", client.scopes.to_string().into());
    say("client_uri", client.website.clone().into());
    say("policy_uri", client.policy_uri.clone().into());
    say("tos_uri", client.tos_uri.clone().into());
    say("id_token_signed_response_alg", client.id_token_alg.as_str().into());
    if client.auth == ClientAuth::PrivateKeyJwt {
        say("jwks", client.jwks.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default());
        say("jwks_uri", client.jwks_uri.clone().into());
        if let [one] = client.assertion_algs.as_slice() {
            say("token_endpoint_auth_signing_alg", one.as_str().into());
        }
    }
    members
}

/// RFC 7591 §3.2.2
pub(super) fn invalid(why: impl Into<std::borrow::Cow<'static, str>>) -> OAuthError {
    OAuthError::new(StatusCode::BAD_REQUEST, "invalid_client_metadata", why)
}
