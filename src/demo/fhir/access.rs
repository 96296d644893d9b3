//! What a scope string grants here.
//!
//! The one place that reads scopes: everything else asks a [`Grant`].

use super::query::Condition;
pub use crate::scope::Level;
use crate::scope::{Access, ResourceScope};

/// What may be done with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Create,
    Read,
    Update,
    Delete,
    Search,
}

impl Action {
    fn access(self) -> Access {
        match self {
            Self::Create => Access::CREATE,
            Self::Read => Access::READ,
            Self::Update => Access::UPDATE,
            Self::Delete => Access::DELETE,
            Self::Search => Access::SEARCH,
        }
    }
}

/// One resource scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub level: Level,
    scope: ResourceScope,
}

impl Grant {
    pub fn covers(&self, kind: &str, action: Action) -> bool {
        self.scope.resource.covers(kind) && self.scope.access.contains(action.access())
    }

    /// What a resource of this type must match to be granted; `None` where the scope's query asks
    /// for something that this server cannot tell. Such a scope grants nothing of the type: better
    /// too little than all of it.
    pub fn filter(&self, kind: &str, base: &str) -> Option<Vec<Condition>> {
        self.scope.filter.pairs().map(|(name, value)| Condition::exactly(kind, name, value, base)).collect()
    }
}

/// The resource scopes of a scope string. What it does not understand grants nothing.
pub fn granted(scope: &str) -> Vec<Grant> {
    scope.split(' ').filter_map(|word| word.parse().ok()).map(|scope: ResourceScope| Grant { level: scope.level, scope }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(scope: &str, kind: &str, action: Action) -> bool {
        granted(scope).iter().any(|grant| grant.covers(kind, action))
    }

    #[test]
    fn both_versions_of_smart_are_understood() {
        assert!(covers("patient/Observation.rs", "Observation", Action::Search));
        assert!(!covers("patient/Observation.r", "Observation", Action::Search));
        assert!(covers("user/*.read", "Condition", Action::Read));
        assert!(!covers("user/*.read", "Condition", Action::Update));
        assert!(covers("system/*.*", "Patient", Action::Delete));
        assert!(covers("patient/Patient.write", "Patient", Action::Create));
        assert_eq!(granted("launch/patient openid user/Patient.cruds").len(), 1);
    }

    #[test]
    fn what_is_not_understood_grants_nothing() {
        for scope in [
            "patient/Observation.sr",
            "patient/Observation.rr",
            "patient/Observation.reads",
            "patient/Observation.",
            "patient/observation.rs",
            "Patient/Observation.rs",
            "patient/Observation.rs?",
            "patient/Observation.rs?category",
            "patient/Observation.rs?category=",
            "patient/Observation.rs?category=,",
            "patient/Observation.rs?category:in=x",
            "patient/Observation.rs?_count=1",
            "patient/*.rs?category=laboratory",
            "patient/Observation",
            "everyone/Observation.rs",
            "patient/**.rs",
            "",
        ] {
            assert_eq!(granted(scope), [], "{scope}");
        }
    }

    #[test]
    fn a_query_that_cannot_be_answered_grants_nothing_of_that_type() {
        let filter = |scope: &str, kind: &str| granted(scope)[0].filter(kind, "http://localhost:8081/fhir").map(|all| all.len());
        assert_eq!(filter("patient/Observation.rs", "Observation"), Some(0));
        assert_eq!(filter("patient/Observation.rs?category=laboratory&status=final", "Observation"), Some(2));
        for query in ["colour=blue", "category=laboratory&colour=blue", "date=someday"] {
            assert_eq!(filter(&format!("patient/Observation.rs?{query}"), "Observation"), None, "{query}");
        }
    }
}
