//! `patient/Observation.rs?category=laboratory`: whose data, which resources, what may be done.

use std::fmt;
use std::str::FromStr;

use super::{Access, Filter, ResourceType, UnknownScope};

/// Whose data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The patient in context.
    Patient,
    /// Whatever the signed-in user may see.
    User,
    /// Everything; for backend services.
    System,
}

/// A scope for FHIR resources.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceScope {
    /// Whose data.
    pub level: Level,
    /// Which type.
    pub resource: ResourceType,
    /// What may be done.
    pub access: Access,
    /// Which resources of the type.
    pub filter: Filter,
}

impl ResourceScope {
    /// Whether whoever may have `self` may have `other`.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        self.access.contains(other.access) && self.reaches(other)
    }

    /// Whether every resource that `other` is about is one that this is about.
    pub(super) fn reaches(&self, other: &Self) -> bool {
        self.level == other.level && self.resource.contains(&other.resource) && self.filter.contains(&other.filter)
    }

    /// What is allowed by both, in the spelling of `self`.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        if self.level != other.level {
            return None;
        }
        let resource = if self.resource.contains(&other.resource) {
            other.resource.clone()
        } else if other.resource.contains(&self.resource) {
            self.resource.clone()
        } else {
            return None;
        };
        let access = self.access.intersect(other.access)?;
        let filter = self.filter.and(&other.filter);
        let access = if filter.is_empty() { access } else { access.in_letters() };
        Some(Self { level: self.level, resource, access, filter })
    }
}

impl FromStr for Level {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        match text {
            "patient" => Ok(Self::Patient),
            "user" => Ok(Self::User),
            "system" => Ok(Self::System),
            _ => Err(UnknownScope),
        }
    }
}

impl FromStr for ResourceScope {
    type Err = UnknownScope;

    /// A query goes with letters only, as v1 has none, and with one type only: what it would select
    /// of types that do not know its parameters nobody has defined, and HealthLake refuses it.
    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let (level, rest) = text.split_once('/').ok_or(UnknownScope)?;
        let (resource, rest) = rest.split_once('.').ok_or(UnknownScope)?;
        let (access, query) = rest.split_once('?').map_or((rest, None), |(access, query)| (access, Some(query)));
        let scope = Self {
            level: level.parse()?,
            resource: resource.parse()?,
            access: access.parse()?,
            filter: query.map(str::parse).transpose()?.unwrap_or_default(),
        };
        let takes_a_query = !scope.access.is_v1() && scope.resource != ResourceType::Any;
        if scope.filter.is_empty() || takes_a_query { Ok(scope) } else { Err(UnknownScope) }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Patient => "patient",
            Self::User => "user",
            Self::System => "system",
        })
    }
}

impl fmt::Display for ResourceScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}.{}{}", self.level, self.resource, self.access, self.filter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> ResourceScope {
        text.parse().expect("a scope of this test")
    }

    /// SC-04 of the threat catalogue: what is not wholly understood is unknown.
    #[test]
    fn a_scope_outside_of_the_grammar_is_unknown() {
        for bad in [
            "patient/Observation",
            "/Observation.rs",
            "patient/Foo.rs",
            "patient/Observation.sr",
            "patient/Observation.rr",
            "patient/Observation.x",
            "patient/Observation.",
            "patient/Observation..cruds.",
            "Patient/Observation.rs",
            "patient/observation.rs",
            "patient//Observation.rs",
            "patient/*",
            "patient:Observation.rs",
            "patient/Observation.rs ",
            "patient/Observation.rs?",
            "patient/Observation.?a=b",
            "patient/Observation?a=b",
            "patient/Observation?a=b.rs",
            "patient?a=b/Observation.rs",
            "patient/Observation.rs?category",
            "patient/Observation.rs??a=b",
            "patient/Observation.rs&a=b",
            "patient/Observation.read?a=b",
            "patient/Observation.*?a=b",
            "patient/*.rs?a=b",
            "patient/*.*?a=b",
        ] {
            assert_eq!(bad.parse::<ResourceScope>(), Err(UnknownScope), "{bad:?}");
        }
    }

    #[test]
    fn a_wildcard_contains_a_type_and_not_the_reverse() {
        assert!(scope("user/*.rs").contains(&scope("user/ImagingStudy.rs")));
        assert!(scope("user/*.*").contains(&scope("user/ImagingStudy.read")));
        assert!(scope("user/*.rs").contains(&scope("user/ImagingStudy.r?status=available")));
        assert!(!scope("user/ImagingStudy.rs").contains(&scope("user/*.rs")));
        assert!(!scope("patient/*.rs").contains(&scope("user/Patient.r")));
        assert!(!scope("user/*.rs").contains(&scope("user/Patient.cud")));
    }

    #[test]
    fn a_part_of_a_type_is_less_than_the_type() {
        let (whole, part) = (scope("patient/Observation.rs"), scope("patient/Observation.rs?category=a"));
        assert!(whole.contains(&part) && !part.contains(&whole));
        assert!(!part.contains(&scope("patient/Condition.rs?category=a")));
        assert!(!part.contains(&scope("patient/Observation.cruds?category=a")));
    }

    #[test]
    fn what_both_allow_is_spelt_like_the_first_as_far_as_there_is_a_spelling() {
        for (one, other, both) in [
            ("patient/*.read", "patient/Observation.cruds", Some("patient/Observation.read")),
            ("patient/Observation.read", "patient/*.cruds", Some("patient/Observation.read")),
            ("patient/*.*", "patient/Observation.rs?category=a", Some("patient/Observation.rs?category=a")),
            ("patient/Observation.read", "patient/Observation.cruds?category=a", Some("patient/Observation.rs?category=a")),
            ("user/Observation.rs?a=1", "user/Observation.cr?b=2", Some("user/Observation.r?a=1&b=2")),
            ("user/Observation.rs", "user/Observation.cud", None),
            ("user/Observation.rs", "user/Condition.rs", None),
            ("user/*.rs", "patient/*.rs", None),
        ] {
            assert_eq!(scope(one).intersect(&scope(other)).map(|both| both.to_string()).as_deref(), both, "{one} {other}");
        }
    }
}
