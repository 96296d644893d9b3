//! Who is asking: the validator is asked, and its answer is checked as HealthLake would.

use axum::http::{HeaderMap, header};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::StandIn;
use super::access::{Grant, granted};
use super::outcome::Refusal;

/// What HealthLake would call this data store.
const DATASTORE_ID: &str = "00000000000000000000000000000d30";
const DATASTORE_NAME: &str = "admit-demo";

/// Who is asking, by the validator's word.
pub struct Caller {
    pub grants: Vec<Grant>,
    /// The id of the patient in context.
    pub patient: Option<String>,
    /// Which resource the person who signed in is, as type and id.
    pub fhir_user: Option<(String, String)>,
    /// Whether the app may know who signed in.
    knows_user: bool,
}

impl Caller {
    /// Whether this is the resource of the person who signed in, which the app may read to greet
    /// them by name, whatever else it was granted.
    pub fn is_self(&self, kind: &str, id: &str) -> bool {
        let is_own = self.fhir_user.as_ref().is_some_and(|user| user.0 == kind && user.1 == id);
        self.knows_user && is_own
    }
}

/// Lets a request in when the validator does.
///
/// HealthLake gives the validator one second; here it is waited for.
pub async fn admit(here: &StandIn, headers: &HeaderMap, operation: &'static str, now: OffsetDateTime) -> Result<Caller, Refusal> {
    let token = bearer_token(headers).ok_or_else(Refusal::no_token)?;
    let event = json!({
        "datastoreEndpoint": here.datastore_endpoint,
        "operationName": operation,
        "bearerToken": token,
        "datastoreId": DATASTORE_ID,
        "datastoreTypeVersion": "R4",
        "datastoreName": DATASTORE_NAME,
    });
    let answer = (here.ask_validator)(event).await;
    caller(here, &answer, now).map_err(|says| {
        // The validator's own words are for this log: they are not ours to pass on.
        let error = answer["authPayload"]["error"].as_str().unwrap_or_default();
        tracing::info!(operation, says, error, "the stand-in refused a token");
        Refusal::invalid_token(says)
    })
}

/// RFC 6750 §2.1. The name of the scheme may be in any case; two headers are nobody's token.
fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (only, more) = (given.next()?, given.next());
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    let token = token.trim_matches(' ');
    (more.is_none() && scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// Reads the validator's answer; the error says why it is not enough.
fn caller(here: &StandIn, answer: &Value, now: OffsetDateTime) -> Result<Caller, &'static str> {
    let payload = &answer["authPayload"];
    // AWS documents a boolean and shows a string.
    let authorized = &payload["isAuthorized"];
    if *authorized != "true" && *authorized != true {
        return Err("the access token was refused");
    }
    if payload["aud"] != here.datastore_endpoint.as_str() {
        return Err("the access token is for another FHIR server");
    }
    let now = now.unix_timestamp();
    let not_before = payload["nbf"].as_i64().ok_or("the access token has no beginning")?;
    let expires = payload["exp"].as_i64().ok_or("the access token has no end")?;
    if now < not_before {
        return Err("the access token is not valid yet");
    }
    if expires <= now {
        return Err("the access token has expired");
    }
    let scope = payload["scope"].as_str().filter(|scope| !scope.trim().is_empty());
    let scope = scope.ok_or("the access token grants nothing")?;
    if answer["iamRoleARN"].as_str().is_none_or(str::is_empty) {
        return Err("the validator named no role to act in");
    }

    let has = |wanted: &[&str]| scope.split(' ').any(|word| wanted.contains(&word));
    Ok(Caller {
        grants: granted(scope),
        patient: payload["patient"].as_str().map(str::to_owned),
        fhir_user: payload["fhirUser"].as_str().and_then(|user| own_resource(here, user)),
        // STU1 said `profile` where later versions say `fhirUser`.
        knows_user: has(&["openid"]) && has(&["fhirUser", "profile"]) && names_a_resource(scope),
    })
}

/// HealthLake wants at least one scope that is about resources.
fn names_a_resource(scope: &str) -> bool {
    scope.split(' ').any(|word| ["patient/", "user/", "system/"].iter().any(|level| word.starts_with(level)))
}

/// Type and id of a `fhirUser` that is a resource of this server.
fn own_resource(here: &StandIn, user: &str) -> Option<(String, String)> {
    let relative = [here.datastore_endpoint.as_str(), here.base.as_str()].iter().find_map(|base| behind(base, user)).unwrap_or(user);
    let (kind, id) = relative.split_once('/')?;
    matches!(kind, "Patient" | "Practitioner" | "RelatedPerson" | "Person").then(|| (kind.to_owned(), id.to_owned()))
}

/// What of a URL follows a base URL and its slash.
pub fn behind<'u>(base: &str, url: &'u str) -> Option<&'u str> {
    url.strip_prefix(base.trim_end_matches('/'))?.strip_prefix('/')
}
