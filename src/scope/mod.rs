//! The SMART scope language: what an app asks for, and what a token allows.
//!
//! ```text
//! (patient|user|system)/(Type|*).(read|write|*)                       SMART v1
//! (patient|user|system)/(Type|*).cruds                                v2: some of the letters, in this order
//! (patient|user|system)/Type.cruds?name=value,value&name=value        v2 with a query
//! launch  launch/patient  launch/encounter  launch/type[?role=uri]
//! openid  fhirUser  profile  email  phone  address  offline_access  online_access
//! __launch  __introspect                                              ours, for backend services
//! ```
//! A scope that is not wholly understood is unknown, never partly interpreted (SMART App Launch 2.2,
//! "Scopes for requesting FHIR Resources"). The URI forms of its appendix are unknown as well: one
//! thing has one name.

mod access;
mod category;
mod filter;
mod launch_context;
mod resource;
mod resource_type;
mod set;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

pub use access::Access;
pub use category::{CATEGORIES, Category};
pub use filter::Filter;
pub use launch_context::LaunchContext;
pub use resource::{Level, ResourceScope};
pub use resource_type::{R4_TYPES, ResourceType};
pub use set::{MAX_LENGTH, MAX_SCOPES, ScopeSet, TooMuch};

/// One scope.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Access to FHIR resources.
    Resource(ResourceScope),
    /// `launch`: the context of an EHR launch.
    Launch,
    /// `launch/patient`: a patient is to be chosen.
    LaunchPatient,
    /// `launch/encounter`: an encounter is to be chosen.
    LaunchEncounter,
    /// `launch/imagingstudy`: context of another kind is welcome.
    LaunchContext(LaunchContext),
    /// `openid`: an ID token.
    OpenId,
    /// `fhirUser`: the user's own FHIR resource in the ID token.
    FhirUser,
    /// `profile`: the user's name.
    Profile,
    /// `email`: the user's e-mail address.
    Email,
    /// `phone`: the user's telephone number.
    Phone,
    /// `address`: the user's postal address.
    Address,
    /// `offline_access`: a refresh token that outlives the session.
    OfflineAccess,
    /// `online_access`: a refresh token that lives as long as the session.
    OnlineAccess,
    /// `__launch`: an EHR may create launch contexts here.
    CreateLaunch,
    /// `__introspect`: the bearer may introspect tokens here.
    Introspect,
}

/// The scopes that are one fixed word.
static WORDS: [(&str, Scope); 13] = [
    ("launch", Scope::Launch),
    ("launch/patient", Scope::LaunchPatient),
    ("launch/encounter", Scope::LaunchEncounter),
    ("openid", Scope::OpenId),
    ("fhirUser", Scope::FhirUser),
    ("profile", Scope::Profile),
    ("email", Scope::Email),
    ("phone", Scope::Phone),
    ("address", Scope::Address),
    ("offline_access", Scope::OfflineAccess),
    ("online_access", Scope::OnlineAccess),
    ("__launch", Scope::CreateLaunch),
    ("__introspect", Scope::Introspect),
];

/// The text is not a scope that this server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown scope")]
pub struct UnknownScope;

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        if let Some((_, scope)) = WORDS.iter().find(|(word, _)| *word == text) {
            return Ok(scope.clone());
        }
        if text.starts_with("launch/") { text.parse().map(Self::LaunchContext) } else { text.parse().map(Self::Resource) }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource(scope) => scope.fmt(f),
            Self::LaunchContext(context) => context.fmt(f),
            word => f.write_str(WORDS.iter().find(|(_, scope)| scope == word).map_or("", |(text, _)| text)),
        }
    }
}

/// Whether all of it may stand in a scope (RFC 6749 §3.3).
fn is_scope_text(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}
