//! What a scope string grants here.
//!
//! The one place that reads scopes: everything else asks a [`Grant`].

pub use crate::scope::Level;
use crate::scope::{Access, ResourceScope, ScopeSet};

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
}

/// The resource scopes of a scope string. What it does not understand grants nothing; a scope with
/// a query (`?category=…`) is among that until query scopes are enforced: better too little than
/// the whole type.
pub fn granted(scope: &str) -> Vec<Grant> {
    let scopes = ScopeSet::parse(scope).unwrap_or_default();
    scopes.resources().map(|scope| Grant { level: scope.level, scope: scope.clone() }).collect()
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
            "patient/Observation.rs?category=laboratory",
            "patient/Observation",
            "everyone/Observation.rs",
            "patient/**.rs",
            "",
        ] {
            assert_eq!(granted(scope), [], "{scope}");
        }
    }
}
