//! What a token says, whoever issued it.

use serde_json::{Map, Value};

use crate::scope::{ResourceScope, ResourceType};
use crate::token::AccessClaims;

/// The claims of an access token, read by their types. All of it comes out of a signed token or an
/// introspection answer.
#[derive(Clone, Debug)]
pub struct Claims {
    /// Who issued it.
    pub issuer: String,
    /// Who it speaks for.
    pub subject: String,
    /// The app.
    pub client: Option<String>,
    /// Whom it is for.
    pub audience: Vec<String>,
    /// The scopes, as the issuer wrote them.
    pub scope: String,
    /// When it was issued, in Unix seconds.
    pub issued_at: i64,
    /// From when on it is good, in Unix seconds.
    pub not_before: i64,
    /// From when on it is no longer good, in Unix seconds.
    pub expires_at: i64,
    /// Its own name.
    pub id: Option<String>,
    /// The tenant.
    pub tenant: Option<String>,
    /// Everything that it says, for the context that is passed on.
    pub all: Map<String, Value>,
}

impl Claims {
    pub(super) fn of_admit(own: AccessClaims, all: Map<String, Value>) -> Self {
        Self {
            issuer: own.iss,
            subject: own.sub,
            client: Some(own.client_id),
            audience: vec![own.aud],
            scope: own.scope,
            issued_at: own.iat,
            not_before: own.nbf,
            expires_at: own.exp,
            id: Some(own.jti),
            tenant: Some(own.tenant_id),
            all,
        }
    }
}

/// What the scopes of a token amount to. Words that are no FHIR scope say nothing here, and are
/// passed on all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FhirScopes {
    /// There is at least one.
    pub(super) any: bool,
    /// One of them allows more than reading.
    pub(super) write: bool,
    /// One of them is for the patient in context, or begins like one that is.
    pub(super) patient: bool,
}

impl FhirScopes {
    pub(super) fn read(scope: &str) -> Self {
        let mut sum = Self::default();
        for word in scope.split(' ') {
            // Also where we cannot read the rest: HealthLake may, and would not know whose records are meant.
            sum.patient |= word.starts_with("patient/");
            if let Some(scope) = fhir_scope(word) {
                sum.any = true;
                sum.write |= scope.access.writes();
            }
        }
        sum
    }
}

/// `patient/Observation.rs`, or the same with a query (SMART App Launch 2.2, "Finer-grained resource
/// constraints using search parameters"), which HealthLake takes with a named type only. The query of
/// another issuer is HealthLake's to judge: it takes modifiers, which no scope of ours may have.
fn fhir_scope(word: &str) -> Option<ResourceScope> {
    let Some((scope, query)) = word.split_once('?') else { return word.parse().ok() };
    let scope: ResourceScope = scope.parse().ok()?;
    let is_query = query.split('&').all(|pair| pair.split_once('=').is_some_and(|(name, value)| !name.is_empty() && !value.is_empty()));
    (is_query && !scope.access.is_v1() && scope.resource != ResourceType::Any).then_some(scope)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(scope: &str) -> (bool, bool, bool) {
        let FhirScopes { any, write, patient } = FhirScopes::read(scope);
        (any, write, patient)
    }

    #[test]
    fn scopes_add_up() {
        assert_eq!(read("openid fhirUser launch/patient"), (false, false, false));
        assert_eq!(read("openid user/*.rs"), (true, false, false));
        assert_eq!(read("patient/Observation.rs?category=laboratory&status=final"), (true, false, true));
        assert_eq!(read("user/Observation.rs system/*.*"), (true, true, false));
        assert_eq!(read("user/Observation.rs patient/Condition.c?category=a"), (true, true, true));
        let many: Vec<&str> = std::iter::repeat_n("patient/Observation.rs", 200).collect();
        assert_eq!(read(&many.join(" ")), (true, false, true));
    }

    #[test]
    fn what_begins_like_a_patients_scope_needs_a_patient() {
        assert_eq!(read("user/Observation.rs patient/Observation.sr"), (true, false, true));
        assert_eq!(read("user/Observation.rs patient/*.rs?category=LAB"), (true, false, true));
        assert_eq!(read("user/Observation.rs launch/patient"), (true, false, false));
    }

    #[test]
    fn what_is_malformed_is_no_scope() {
        for bad in [
            "",
            " ",
            "patient/Observation.rs?",
            "patient/Observation.rs?category",
            "patient/Observation.rs?category=",
            "patient/Observation.rs?=x",
            "patient/Observation.rs?a=b&",
            "patient/*.rs?category=LAB",
            "patient/Observation.read?category=x",
            "patient/Observation.sr",
            "patient/observation.rs",
            "Patient/Observation.rs",
            "patient/Observation",
            "https://fhir.test/patient/Observation.rs",
        ] {
            let FhirScopes { any, write, .. } = FhirScopes::read(bad);
            assert!(!any && !write, "{bad:?}");
        }
    }
}
