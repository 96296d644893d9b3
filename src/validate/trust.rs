//! Whom the validator believes, and for what.

use crate::scope::ScopeSet;

/// One issuer and the data stores that its tokens open.
#[derive(Clone, Debug)]
pub struct Trust {
    /// The issuer, byte for byte.
    pub issuer: String,
    /// The tenant whose tokens are good here; `None` where the issuer has only one.
    pub tenant: Option<String>,
    /// The data stores that are served; empty: any that a token names as its audience.
    pub datastores: Vec<String>,
    /// The IAM role that the data store takes on.
    pub role: String,
    /// Another role, for tokens that may only read.
    pub read_only_role: Option<String>,
    /// Whether `isAuthorized` is a boolean rather than a string.
    pub boolean_is_authorized: bool,
}

impl Trust {
    /// Whether this data store is served at all. One trailing slash more or less is no difference.
    #[must_use]
    pub fn serves(&self, endpoint: &str) -> bool {
        self.datastores.is_empty() || self.datastores.iter().any(|own| super::same_but_for_a_slash(own, endpoint))
    }

    /// The role for a token of these scopes.
    #[must_use]
    pub fn role_for(&self, scopes: &ScopeSet) -> &str {
        match &self.read_only_role {
            Some(role) if scopes.resources().all(|scope| !scope.access.writes()) => role,
            _ => &self.role,
        }
    }
}
