//! What a scope string grants here.
//!
//! The one place that reads scopes: everything else asks a [`Grant`].

/// Whose records a scope is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The patient in context.
    Patient,
    /// Whatever the person who signed in may open.
    User,
    /// Everything.
    System,
}

/// What may be done with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Create,
    Read,
    Update,
    Delete,
    Search,
}

/// One resource scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub level: Level,
    /// A resource type, or `*` for all of them.
    resource: String,
    actions: Vec<Action>,
}

impl Grant {
    pub fn covers(&self, kind: &str, action: Action) -> bool {
        (self.resource == "*" || self.resource == kind) && self.actions.contains(&action)
    }
}

/// The resource scopes of a scope string. What it does not understand grants nothing.
pub fn granted(scope: &str) -> Vec<Grant> {
    scope.split(' ').filter_map(grant).collect()
}

fn grant(scope: &str) -> Option<Grant> {
    let (level, rest) = scope.split_once('/')?;
    let level = match level {
        "patient" => Level::Patient,
        "user" => Level::User,
        "system" => Level::System,
        _ => return None,
    };
    // A scope with a query (`?category=…`) has no such verb, and so grants nothing until
    // query scopes are enforced: better too little than the whole type.
    let (resource, verb) = rest.split_once('.')?;
    let is_type = resource.starts_with(|c: char| c.is_ascii_uppercase())
        && resource.chars().all(|c| c.is_ascii_alphanumeric());
    if resource != "*" && !is_type {
        return None;
    }
    Some(Grant {
        level,
        resource: resource.to_owned(),
        actions: actions(verb)?,
    })
}

/// `read`, `write` and `*` of SMART v1, or a part of `cruds` in that order.
fn actions(verb: &str) -> Option<Vec<Action>> {
    let letters = match verb {
        "read" => "rs",
        "write" => "cud",
        "*" => "cruds",
        letters => letters,
    };
    let mut actions = Vec::new();
    let mut left = "cruds";
    for letter in letters.chars() {
        let place = left.find(letter)?; // out of order, twice, or no letter of ours
        left = &left[place + 1..];
        actions.push(match letter {
            'c' => Action::Create,
            'r' => Action::Read,
            'u' => Action::Update,
            'd' => Action::Delete,
            _ => Action::Search,
        });
    }
    (!actions.is_empty()).then_some(actions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(scope: &str, kind: &str, action: Action) -> bool {
        granted(scope)
            .iter()
            .any(|grant| grant.covers(kind, action))
    }

    #[test]
    fn both_versions_of_smart_are_understood() {
        assert!(covers(
            "patient/Observation.rs",
            "Observation",
            Action::Search
        ));
        assert!(!covers(
            "patient/Observation.r",
            "Observation",
            Action::Search
        ));
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
