//! Asking the issuer whether a token stands (RFC 7662).
//!
//! It knows tokens that say nothing to anybody else, and it knows at once when one is revoked. What it
//! says is believed as a signature is; what it does not say in time is not guessed.

mod agreement;
mod cache;
mod client;
mod settings;
mod trace;
mod verdicts;

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use tokio::time::Instant;

use super::Refusal;
use super::proof::Standing;
use crate::http::{Answer, Fault, Http, NoClient};
use crate::token::json;
pub(super) use agreement::{Proved, agrees, is_of_access_token};
use cache::Cache;
pub use cache::MAX_CACHE_SECONDS;
pub use client::{ClientAuthentication, ClientProof};
pub(super) use settings::{CheckedIntrospection, IntrospectionSettings, Mode, key_of};
use verdicts::Verdicts;

/// How long a question may take where nothing else says when an answer would be too late.
const DEADLINE: Duration = Duration::from_millis(600);
/// The largest answer that is read, in bytes. A token in whose name it is given has 8 KiB at most.
const MAX_BYTES: usize = 32 * 1024;

/// What the issuer says of a token.
#[derive(Clone, Debug)]
pub enum Introspected {
    /// It stands, and this is what the answer says of it besides.
    Active(Arc<Map<String, Value>>),
    /// It does not, or never did.
    Inactive,
}

/// Why the issuer does not say. The texts hold nothing of what was asked or answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Silence {
    /// No answer came through.
    #[error("{0}")]
    Fault(#[from] Fault),
    /// An answer of another status than 200: RFC 7662 §2.3 has those for whoever may not ask.
    #[error("the answer has status {0}")]
    Status(u16),
    /// The answer does not say that it is JSON.
    #[error("the answer is not application/json")]
    ContentType,
    /// The answer is no object with a boolean `active` in it, or a name stands in it twice.
    #[error("the answer is no introspection response")]
    Malformed,
    /// The client could not sign who it is.
    #[error("the client assertion cannot be signed")]
    Assertion,
}

impl Silence {
    /// Whether it is like no answer at all, and may pass: nobody there, too late, broken. Whoever answers anything else is
    /// reached, and does not say that the token stands: least of all 429, which whoever asks often enough brings about.
    #[must_use]
    pub fn is_outage(self) -> bool {
        matches!(self, Self::Fault(Fault::Timeout | Fault::NoAnswer | Fault::BrokeOff) | Self::Status(500..=599))
    }
}

/// Asks one issuer's introspection endpoint.
pub struct Introspector {
    endpoint: String,
    client: ClientAuthentication,
    http: Http,
    cache: Cache,
    verdicts: Verdicts,
}

impl Introspector {
    /// Asks this endpoint as this client. An answer that a token stands is believed for `cache_seconds`, 0 to
    /// [`MAX_CACHE_SECONDS`], and never beyond the end that it names. The endpoint's certificate may also be of one of these
    /// `authorities` (certificates in PEM).
    ///
    /// # Errors
    /// [`NoClient`], where TLS cannot be set up, or the authorities cannot be read.
    pub fn new(endpoint: &str, client: ClientAuthentication, cache_seconds: u32, authorities: Option<&[u8]>) -> Result<Self, NoClient> {
        let http = Http::new(authorities, DEADLINE, MAX_BYTES)?;
        Ok(Self { endpoint: endpoint.to_owned(), client, http, cache: Cache::new(cache_seconds), verdicts: Verdicts::default() })
    }

    /// Who asks where, for an administrator to read.
    pub(super) fn describe(&self) -> String {
        format!("{} as client {}", self.endpoint, self.client.describe())
    }

    /// What the issuer says of this token, or said a moment ago. An answer that has not come at the instant `by` does not
    /// count. `trace` goes along as `X-Amzn-Trace-Id`, where it can be one.
    ///
    /// # Errors
    /// [`Silence`]
    pub async fn ask(&self, token: &str, now: OffsetDateTime, trace: Option<&str>, by: Instant) -> Result<Introspected, Silence> {
        let name = digest::digest(&digest::SHA256, token.as_bytes());
        if let Some(answer) = self.cache.get(name.as_ref(), now) {
            return Ok(Introspected::Active(answer));
        }
        let asked = tokio::time::timeout_at(by, self.post(token, now, trace)).await;
        let answer = asked.unwrap_or(Err(Fault::Timeout.into())).and_then(|answer| read(&answer));
        match &answer {
            Ok(Introspected::Active(members)) => self.cache.put(name.as_ref(), members, now),
            Ok(Introspected::Inactive) => {}
            Err(silence) => {
                tracing::warn!(endpoint = self.endpoint, reason = %silence, "the issuer does not say whether a token stands");
            }
        }
        answer
    }

    /// Why the issuer does not stand by this token at this data store, where it was asked before: then it need not be asked
    /// again, and nothing that it says or does not say brings the token back.
    pub(super) fn verdict(&self, token: &str, endpoint: &str, now: OffsetDateTime) -> Option<Refusal> {
        self.verdicts.get(token, endpoint, now)
    }

    /// Remembers a "no" to a token whose signature is right until it ends (Unix seconds). Silence is none.
    pub(super) fn remember(&self, token: &str, endpoint: &str, weighed: Result<Standing, Refusal>, until: i64, now: OffsetDateTime) {
        if let Err(why) = weighed
            && why != Refusal::NoIntrospection
        {
            self.verdicts.put(token, endpoint, why, until, now);
        }
    }

    /// It may be sent twice, where a connection ends without a word (see [`Http::post_form`]). Should the first have been heard
    /// all the same, an assertion in it is used up, and the second is answered like a stranger's: a "no", not a harm.
    async fn post(&self, token: &str, now: OffsetDateTime, trace: Option<&str>) -> Result<Answer, Silence> {
        let proof = self.client.prove(now).map_err(|_| Silence::Assertion)?;
        let form = format!("token={}&token_type_hint=access_token{}", client::encoded(token), proof.form);
        let mut headers = vec![("accept", "application/json")];
        headers.extend(proof.authorization.map(|value| ("authorization", value)));
        let trace = trace.and_then(trace::to_pass_on);
        headers.extend(trace.as_deref().map(|text| ("x-amzn-trace-id", text)));
        Ok(self.http.post_form(&self.endpoint, &headers, form).await?)
    }
}

/// RFC 7662 §2.2. Only a boolean says that a token stands: `"true"` is a word.
fn read(answer: &Answer) -> Result<Introspected, Silence> {
    if answer.status != 200 {
        return Err(Silence::Status(answer.status));
    }
    let media_type = answer.content_type.as_deref().unwrap_or_default().split(';').next().unwrap_or_default();
    if !media_type.trim().eq_ignore_ascii_case("application/json") {
        return Err(Silence::ContentType);
    }
    let mut members = json::object(&answer.body).ok_or(Silence::Malformed)?;
    // Some servers write `null` where others leave a member out.
    members.retain(|_, value| !value.is_null());
    match members.remove("active") {
        Some(Value::Bool(true)) => Ok(Introspected::Active(Arc::new(members))),
        Some(Value::Bool(false)) => Ok(Introspected::Inactive),
        _ => Err(Silence::Malformed),
    }
}
