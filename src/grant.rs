//! What a person allowed an app to do.

use time::{Duration, OffsetDateTime};

use crate::id::{ClientId, GrantId, PatientId, SessionId, UserId};
use crate::launch::LaunchContext;
use crate::pkce::Challenge;
use crate::scope::{Scope, ScopeSet};

/// How long a code is good for.
pub const CODE_LIFE: Duration = Duration::seconds(60);
/// A code dies after so many failed redemptions by its own client.
pub const MAX_CODE_FAILURES: i64 = 5;
/// How long a refresh token of `offline_access` is good for, counted anew at each use: three
/// months, as (g)(10) asks.
pub const OFFLINE_LIFE: Duration = Duration::days(93);

/// How long a grant of emergency access can be refreshed at most: a shift.
pub const EMERGENCY_LIFE: Duration = Duration::hours(12);
/// How long an access token in a person's name is good. A validator that looks at the token alone
/// learns of a revocation only at its end.
pub const ACCESS_LIFE: Duration = Duration::minutes(10);
/// How long an ID token is good: long enough to be looked at.
pub const ID_TOKEN_LIFE: Duration = Duration::minutes(5);

/// A person's decision, and everything that follows from it.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Its name; the first half of its tokens' `jti`.
    pub id: GrantId,
    /// The app.
    pub client_id: ClientId,
    /// The person.
    pub user_id: UserId,
    /// The session in which they decided.
    pub session_id: Option<SessionId>,
    /// The FHIR base; none for a plain sign-in.
    pub fhir_base: Option<String>,
    /// The `aud` of its access tokens.
    pub audience: String,
    /// What was allowed.
    pub scopes: ScopeSet,
    /// The patient in context.
    pub patient_id: Option<PatientId>,
    /// Why the patient was opened outside of the person's panel, where they were.
    pub emergency_reason: Option<String>,
    /// The encounter in context.
    pub encounter_id: Option<String>,
    /// What else an EHR told the app when it opened it; none for a standalone launch.
    pub launch_context: Option<LaunchContext>,
    /// The person's own resource, as an absolute URL.
    pub fhir_user: Option<String>,
    /// For the ID token.
    pub nonce: Option<String>,
    /// When the person proved who they are.
    pub auth_time: OffsetDateTime,
    /// When the person decided.
    pub created_at: OffsetDateTime,
    /// Whether, and for how long, it can be refreshed.
    pub refresh: Option<Refresh>,
    /// When refreshing ends, however much it is used.
    pub refresh_expires_at: Option<OffsetDateTime>,
}

/// How long an app may go on without the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// `offline_access`: until it has not been used for three months.
    Offline,
    /// `online_access`: as long as the session.
    Online,
}

impl Refresh {
    /// What these scopes ask for.
    #[must_use]
    pub fn asked_by(scopes: &ScopeSet) -> Option<Self> {
        if scopes.has(&Scope::OfflineAccess) {
            Some(Self::Offline)
        } else if scopes.has(&Scope::OnlineAccess) {
            Some(Self::Online)
        } else {
            None
        }
    }

    /// As the store keeps it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::Online => "online",
        }
    }

    /// The inverse of [`Refresh::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Offline, Self::Online].into_iter().find(|refresh| refresh.as_str() == text)
    }
}

/// What a code is bound to, beside its client.
#[derive(Clone, Debug)]
pub struct CodeBinding {
    /// As it stood in the authorization request.
    pub redirect_uri: String,
    /// Absent only for a client that is exempt from PKCE.
    pub challenge: Option<Challenge>,
}

/// The `jti` of an access token: its grant and something random, so that whoever introspects it
/// finds the grant without a row for every token.
#[must_use]
pub fn jti(grant: &GrantId, random: &str) -> String {
    format!("{grant}.{random}")
}

/// The grant that a `jti` names; `None` for the token of a client itself.
#[must_use]
pub fn grant_of(jti: &str) -> Option<GrantId> {
    jti.split_once('.').map(|(grant, _)| GrantId::new(grant))
}
