//! The only place that makes a token response (RFC 6749 §5.1, SMART App Launch 2.2 "Response").

use aws_lc_rs::digest;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use time::{Duration, OffsetDateTime};

use crate::app::App;
use crate::audit::Origin;
use crate::client::Client;
use crate::error::{NO_STORE, OAuthError};
use crate::grant::{self, ACCESS_LIFE, Grant, ID_TOKEN_LIFE};
use crate::key::Purpose;
use crate::keys::Keys;
use crate::person::User;
use crate::scope::{Level, Scope, ScopeSet};
use crate::secret::RefreshToken;
use crate::token::{AccessClaims, Algorithm, IdClaims, base64url};

/// How long an access token of a client itself is good (SMART Backend Services: at most 300 s).
pub const CLIENT_TOKEN_LIFE: Duration = Duration::minutes(5);

/// What an app gets.
#[derive(Serialize)]
pub struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patient: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encounter: Option<String>,
    #[serde(flatten)]
    launch_context: Map<String, Value>,
}

impl IntoResponse for TokenResponse {
    fn into_response(self) -> Response {
        match serde_json::to_string(&self) {
            Ok(body) => (NO_STORE, [(header::CONTENT_TYPE, "application/json")], body).into_response(),
            Err(error) => OAuthError::server_error(error).into_response(),
        }
    }
}

/// What a response is made of.
pub(super) struct Issue<'a> {
    /// Who asks.
    pub client: &'a Client,
    /// What it is for: the scopes of this access token, which may be fewer than the grant's.
    pub scopes: &'a ScopeSet,
    /// Whom it speaks for.
    pub grant: &'a Grant,
    /// The same person, as they are now.
    pub user: &'a User,
    /// The random half of the `jti`.
    pub jti: &'a str,
    /// A refresh token, where there is one.
    pub refresh: Option<RefreshToken>,
    /// Whether this is a refresh: its ID token has no `nonce` (OpenID Connect Core §12.2).
    pub is_refresh: bool,
}

/// Tokens in a person's name.
pub(super) async fn for_person(app: &App, origin: &Origin, issue: Issue<'_>) -> Result<TokenResponse, OAuthError> {
    let Issue { client, scopes, grant, user, jti, refresh, is_refresh } = issue;
    let now = origin.now;
    let patient = grant.patient_id.as_ref().map(ToString::to_string);
    let fhir_user = grant.fhir_user.clone().filter(|_| scopes.has(&Scope::FhirUser));
    // A FHIR server needs it as well to know what a user may see.
    let is_needed = scopes.has(&Scope::FhirUser) || scopes.resources().any(|scope| scope.level == Level::User);
    let claims = AccessClaims {
        iss: app.tenant.issuer.clone(),
        sub: grant.user_id.to_string(),
        aud: grant.audience.clone(),
        exp: (now + ACCESS_LIFE).unix_timestamp(),
        iat: now.unix_timestamp(),
        nbf: now.unix_timestamp(),
        jti: grant::jti(&grant.id, jti),
        client_id: client.id.to_string(),
        scope: scopes.to_string(),
        tenant_id: origin.tenant.to_string(),
        launch_response_patient: patient.as_ref().map(|id| format!("Patient/{id}")),
        patient: patient.clone(),
        encounter: grant.encounter_id.clone(),
        fhir_user: grant.fhir_user.clone().filter(|_| is_needed),
    };
    let keys = app.current_keys(now).await?;
    let access_token = sign_access(app, &keys, grant.fhir_base.as_deref(), &claims, now).await?;
    let id_token = if scopes.has(&Scope::OpenId) {
        let id = IdClaims {
            iss: claims.iss.clone(),
            sub: claims.sub.clone(),
            aud: claims.client_id.clone(),
            exp: (now + ID_TOKEN_LIFE).unix_timestamp(),
            iat: claims.iat,
            auth_time: grant.auth_time.unix_timestamp(),
            nonce: grant.nonce.clone().filter(|_| !is_refresh),
            at_hash: Some(half_hash(client.id_token_alg, &access_token)),
            sid: grant.session_id.as_ref().map(ToString::to_string),
            amr: vec!["pwd"],
            profile: fhir_user.clone().filter(|_| scopes.has(&Scope::Profile)),
            name: scopes.has(&Scope::Profile).then(|| user.display_name.clone()),
            fhir_user,
        };
        Some(keys.sign(Purpose::Id, client.id_token_alg, "JWT", &id, now).map_err(OAuthError::server_error)?)
    } else {
        None
    };
    Ok(TokenResponse {
        access_token,
        token_type: "Bearer",
        expires_in: ACCESS_LIFE.whole_seconds(),
        scope: claims.scope,
        refresh_token: refresh.map(|token| token.expose().to_owned()),
        id_token,
        patient,
        encounter: claims.encounter,
        launch_context: launch_context(app, origin, client, grant).await?,
    })
}

/// What an EHR told the app beside patient and encounter, in the form of the SMART version that the
/// app speaks, or else its FHIR base. It is told again at each refresh.
pub(super) async fn launch_context(app: &App, origin: &Origin, client: &Client, grant: &Grant) -> Result<Map<String, Value>, OAuthError> {
    let Some(context) = &grant.launch_context else { return Ok(Map::new()) };
    let bases = app.fhir_bases(origin.now).await?;
    let of_base = bases.iter().find(|base| Some(&base.name) == grant.fhir_base.as_ref()).map(|base| &base.smart_version);
    let version = client.smart_version.as_ref().or(of_base);
    Ok(version.map(|version| context.members(version)).unwrap_or_default())
}

/// A token of a client itself: no refresh token, no ID token, no context.
pub(super) async fn for_client(
    app: &App,
    now: OffsetDateTime,
    fhir_base: Option<&str>,
    claims: &AccessClaims,
) -> Result<TokenResponse, OAuthError> {
    let keys = app.current_keys(now).await?;
    Ok(TokenResponse {
        access_token: sign_access(app, &keys, fhir_base, claims, now).await?,
        token_type: "Bearer",
        expires_in: CLIENT_TOKEN_LIFE.whole_seconds(),
        scope: claims.scope.clone(),
        refresh_token: None,
        id_token: None,
        patient: None,
        encounter: None,
        launch_context: Map::new(),
    })
}

/// Signs with what the FHIR base's validator understands.
async fn sign_access(
    app: &App,
    keys: &Keys,
    fhir_base: Option<&str>,
    claims: &AccessClaims,
    now: OffsetDateTime,
) -> Result<String, OAuthError> {
    let algorithm = match fhir_base {
        None => Algorithm::Es256,
        Some(name) => {
            let bases = app.fhir_bases(now).await?;
            bases.iter().find(|base| base.name == name).map_or(Algorithm::Es256, |base| base.access_token_alg)
        }
    };
    keys.sign(Purpose::Access, algorithm, "at+jwt", claims, now).map_err(OAuthError::server_error)
}

/// OpenID Connect Core §3.1.3.6: the left half of the hash that belongs to the ID token's algorithm.
fn half_hash(algorithm: Algorithm, token: &str) -> String {
    let hash = match algorithm {
        Algorithm::Rs384 | Algorithm::Es384 => &digest::SHA384,
        Algorithm::Rs512 => &digest::SHA512,
        _ => &digest::SHA256,
    };
    let digest = digest::digest(hash, token.as_bytes());
    base64url(&digest.as_ref()[..digest.as_ref().len() / 2])
}

/// Nobody is given more than the client may have by now, whatever was granted before.
pub(super) async fn still_allowed(app: &App, origin: &Origin, client: &Client, grant: &Grant) -> Result<ScopeSet, OAuthError> {
    let allowed = understood(app, origin, grant, client.scopes_with_a_person(&grant.scopes)).await?;
    if allowed.is_empty() || grant.fhir_base.as_ref().is_some_and(|base| !client.may_use(base)) {
        Err(OAuthError::invalid_grant("nothing of what was granted is still allowed to this client"))
    } else {
        Ok(allowed)
    }
}

/// What of these scopes the grant's FHIR base knows; nothing, where the base is gone.
pub(super) async fn understood(app: &App, origin: &Origin, grant: &Grant, scopes: ScopeSet) -> Result<ScopeSet, OAuthError> {
    let bases = app.fhir_bases(origin.now).await?;
    let Some(name) = &grant.fhir_base else { return Ok(scopes) };
    let base = bases.iter().find(|base| base.name == *name);
    Ok(base.map(|base| base.understood(&scopes)).unwrap_or_default())
}
