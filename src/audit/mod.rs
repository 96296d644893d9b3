//! What happened: one entry per event, written in the transaction of what it records, and chained
//! to the one before it soon after.

pub mod chain;
pub mod fhir;
pub mod otlp;

use std::net::IpAddr;
use std::str::FromStr;

use time::{Duration, OffsetDateTime};

use crate::http::may_ask;
use crate::id::{ClientId, GrantId, PatientId, SessionId, TenantId, UserId};
use crate::secret;

/// Where a change comes from: a request at some moment, from somewhere. Every write is told.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Whose data it is about.
    pub tenant: TenantId,
    /// When: the clock is read once per request.
    pub now: OffsetDateTime,
    /// The address that the request came from; none for a command.
    pub address: Option<IpAddr>,
    /// The request's own number, which stands in the log as well.
    pub request_id: String,
    /// Who gave the command, as the operating system knows them; none for a request, and for what
    /// the server does of its own accord.
    pub agent: Option<String>,
}

impl Origin {
    /// No request: a command, or what the server does of its own accord.
    #[must_use]
    pub fn command(tenant: TenantId, now: OffsetDateTime) -> Self {
        Self { tenant, now, address: None, request_id: secret::nonce(), agent: None }
    }

    /// The same, given by this person at a terminal.
    #[must_use]
    pub fn by(self, agent: String) -> Self {
        Self { agent: Some(agent), ..self }
    }
}

/// Where sealed entries are written to besides the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    /// Standard output, as lines of JSON.
    Stdout,
    /// An OpenTelemetry collector: the URL that takes logs by OTLP/HTTP.
    Collector(String),
}

impl Sink {
    /// What the store knows it by.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Collector(_) => "collector",
        }
    }
}

impl FromStr for Sink {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "stdout" => Ok(Self::Stdout),
            url if may_ask(url) => Ok(Self::Collector(url.to_owned())),
            _ => Err("it must be stdout, or the https:// URL where an OpenTelemetry collector takes logs (http:// on this machine alone)"),
        }
    }
}

/// How long the trail is kept at least, in years: HIPAA asks for its documentation to be kept six
/// (45 CFR 164.316(b)(2)(i)).
pub const LEAST_YEARS: u16 = 6;

/// How the trail is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// For how many years; not below [`LEAST_YEARS`].
    pub years: u16,
    /// Where else it is written to; each kind once at most.
    pub sinks: Vec<Sink>,
}

impl Default for Keeping {
    fn default() -> Self {
        Self { years: LEAST_YEARS, sinks: Vec::new() }
    }
}

impl Keeping {
    /// Entries that are older may go.
    #[must_use]
    pub fn retention(&self) -> Duration {
        Duration::days(366 * i64::from(self.years.max(LEAST_YEARS)))
    }
}

/// One event.
#[derive(Clone, Debug)]
pub struct Entry {
    pub(crate) event: &'static str,
    pub(crate) refused: bool,
    pub(crate) user: Option<UserId>,
    pub(crate) client: Option<ClientId>,
    pub(crate) patient: Option<PatientId>,
    pub(crate) grant: Option<GrantId>,
    pub(crate) session: Option<SessionId>,
    pub(crate) jti: Option<String>,
    pub(crate) detail: Option<String>,
}

macro_rules! with {
    ($($(#[$doc:meta])* $name:ident: $type:ty)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, $name: &$type) -> Self {
            self.$name = Some($name.to_owned());
            self
        }
    )*};
}

impl Entry {
    /// Something that was done.
    #[must_use]
    pub fn done(event: &'static str) -> Self {
        Self { event, refused: false, user: None, client: None, patient: None, grant: None, session: None, jti: None, detail: None }
    }

    /// Something that was refused.
    #[must_use]
    pub fn refused(event: &'static str) -> Self {
        Self { refused: true, ..Self::done(event) }
    }

    with! {
        /// Who acted, or was acted upon.
        user: UserId
        /// The app.
        client: ClientId
        /// The patient.
        patient: PatientId
        /// The grant.
        grant: GrantId
        /// The session.
        session: SessionId
        /// The token's own name.
        jti: str
        /// What else there is to know. Never a secret.
        detail: str
    }
}
