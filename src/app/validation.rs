//! The server as its own validator: what it adds to the decision on one of its own tokens.

use serde_json::{Map, Value};

use crate::id::TenantId;
use crate::store::{Error, Store};
use crate::tenant::FhirBase;
use crate::token::{AccessClaims, Jwks};
use crate::validate::{KeySource, Profile, Trust, Validator};

/// What `POST /validate` answers with besides what a token says.
#[derive(Clone, Debug, Default)]
pub struct Validation {
    /// The IAM role that the data store takes on; without one, no token is let in.
    pub role: Option<String>,
    /// Another role, for tokens that may only read.
    pub read_only_role: Option<String>,
    /// Whether `isAuthorized` is a boolean instead of a string.
    pub boolean_is_authorized: bool,
}

impl Validation {
    /// The validator of a tenant's own tokens, for the data stores behind its FHIR bases. `None` where it has
    /// none: a trust that names no data store would be for all of them.
    #[must_use]
    pub fn validator(&self, tenant: &TenantId, issuer: &str, bases: &[FhirBase], keys: Jwks) -> Option<Validator> {
        if bases.is_empty() {
            return None;
        }
        let trust = Trust {
            tenant: Some(tenant.to_string()),
            datastores: bases.iter().map(|base| base.audience.clone()).collect(),
            role: self.role.clone(),
            read_only_role: self.read_only_role.clone(),
            ..Trust::new(issuer, Profile::Admit, "")
        };
        Some(Validator::new(trust, KeySource::embedded(keys)).answering_with_boolean(self.boolean_is_authorized))
    }
}

/// What no token can say of itself: whether it, its grant, its user and its client still stand.
///
/// # Errors
/// The store's.
pub async fn stands(store: &Store, tenant: &TenantId, claims: &Map<String, Value>) -> Result<bool, Error> {
    match AccessClaims::read(claims) {
        Ok(claims) => store.token_stands(tenant, &claims).await,
        Err(_) => Ok(false),
    }
}
