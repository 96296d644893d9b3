//! The SMART scope language: what an app asks for, and what a token allows.
//!
//! Understood now: `(patient|user|system)/(Type|*).(read|write|*|cruds)`, `launch`, `launch/patient`,
//! `openid fhirUser profile offline_access online_access`. A scope that is not wholly understood
//! is unknown, never partly interpreted (SMART App Launch 2.2, "Scopes for requesting FHIR Resources").

mod access;
mod resource;
mod set;
mod words;

use std::fmt;
use std::str::FromStr;

pub use access::Access;
pub use resource::{Level, ResourceScope, ResourceType};
pub use set::{MAX_LENGTH, MAX_SCOPES, ScopeSet, TooMuch};
pub use words::{Plain, plain};

/// One scope.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Access to FHIR resources.
    Resource(ResourceScope),
    /// `launch`: the context of an EHR launch.
    Launch,
    /// `launch/patient`: a patient is to be chosen.
    LaunchPatient,
    /// `openid`: an ID token.
    OpenId,
    /// `fhirUser`: the user's own FHIR resource in the ID token.
    FhirUser,
    /// `profile`: the user's name.
    Profile,
    /// `offline_access`: a refresh token that outlives the session.
    OfflineAccess,
    /// `online_access`: a refresh token that lives as long as the session.
    OnlineAccess,
}

/// The text is not a scope that this server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown scope")]
pub struct UnknownScope;

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Ok(match text {
            "launch" => Self::Launch,
            "launch/patient" => Self::LaunchPatient,
            "openid" => Self::OpenId,
            "fhirUser" => Self::FhirUser,
            "profile" => Self::Profile,
            "offline_access" => Self::OfflineAccess,
            "online_access" => Self::OnlineAccess,
            other => Self::Resource(other.parse()?),
        })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource(scope) => scope.fmt(f),
            Self::Launch => f.write_str("launch"),
            Self::LaunchPatient => f.write_str("launch/patient"),
            Self::OpenId => f.write_str("openid"),
            Self::FhirUser => f.write_str("fhirUser"),
            Self::Profile => f.write_str("profile"),
            Self::OfflineAccess => f.write_str("offline_access"),
            Self::OnlineAccess => f.write_str("online_access"),
        }
    }
}

impl Scope {
    /// Whether whoever may have `self` may have `other`.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Resource(mine), Self::Resource(theirs)) => mine.contains(theirs),
            _ => self == other,
        }
    }
}
