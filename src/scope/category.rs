//! The parts that Condition and Observation are given in: the categories of US Core 6.1 and 7.0.

use super::{Filter, ResourceScope, ResourceType};

/// One of these parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Category {
    /// The FHIR type that it is a part of.
    pub resource: &'static str,
    /// Its code, such as `laboratory`.
    pub code: &'static str,
    system: &'static str,
}

const fn category(resource: &'static str, system: &'static str, code: &'static str) -> Category {
    Category { resource, code, system }
}

const CONDITION: &str = "http://terminology.hl7.org/CodeSystem/condition-category";
const OBSERVATION: &str = "http://terminology.hl7.org/CodeSystem/observation-category";

/// What ONC's criterion (g)(10) wants offered where Condition or Observation is asked for as a whole.
pub const CATEGORIES: [Category; 9] = [
    category("Condition", CONDITION, "problem-list-item"),
    category("Condition", CONDITION, "encounter-diagnosis"),
    category("Condition", "http://hl7.org/fhir/us/core/CodeSystem/condition-category", "health-concern"),
    category("Observation", OBSERVATION, "laboratory"),
    category("Observation", OBSERVATION, "vital-signs"),
    category("Observation", OBSERVATION, "procedure"),
    category("Observation", OBSERVATION, "survey"),
    category("Observation", OBSERVATION, "social-history"),
    category("Observation", "http://hl7.org/fhir/us/core/CodeSystem/us-core-category", "sdoh"),
];

impl ResourceScope {
    /// The parts that this can be given in instead: those of its type, where it is about all of it.
    pub fn categories(&self) -> impl Iterator<Item = &'static Category> {
        CATEGORIES.iter().filter(|category| self.filter.is_empty() && self.resource == ResourceType::Named(category.resource.to_owned()))
    }

    /// The part that this is about, where it is about one and has no other condition.
    #[must_use]
    pub fn category(&self) -> Option<&'static Category> {
        let ResourceType::Named(name) = &self.resource else { return None };
        CATEGORIES.iter().find(|category| category.resource == name && category.is_all_of(&self.filter))
    }

    /// The same for one of these parts, in letters, since the words of v1 take no query.
    #[must_use]
    pub fn only(&self, category: &Category) -> Self {
        Self { access: self.access.in_letters(), filter: self.filter.and(&category.filter()), ..self.clone() }
    }
}

impl Category {
    /// `category=system|code`
    #[must_use]
    pub fn filter(&self) -> Filter {
        Filter::of("category", &format!("{}|{}", self.system, self.code))
    }

    fn is_all_of(&self, filter: &Filter) -> bool {
        let mut pairs = filter.pairs();
        let is_it = pairs.next().is_some_and(|(name, value)| name == "category" && value.split_once('|') == Some((self.system, self.code)));
        is_it && pairs.next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> ResourceScope {
        text.parse().expect("a scope of this test")
    }

    /// The texts of (g)(10), byte for byte.
    #[test]
    fn the_parts_are_those_of_us_core() {
        let parts = |text: &str| scope(text).categories().map(|part| scope(text).only(part).to_string()).collect::<Vec<_>>();
        assert_eq!(
            parts("patient/Condition.rs"),
            [
                "patient/Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item",
                "patient/Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|encounter-diagnosis",
                "patient/Condition.rs?category=http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern",
            ]
        );
        assert_eq!(
            parts("user/Observation.read"),
            [
                "user/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
                "user/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs",
                "user/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|procedure",
                "user/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|survey",
                "user/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|social-history",
                "user/Observation.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-category|sdoh",
            ]
        );
        for none in ["patient/*.rs", "patient/Patient.rs", "patient/Observation.rs?status=final"] {
            assert_eq!(parts(none), [""; 0], "{none}");
        }
    }

    /// Each of them is a scope of ours, within the whole, and known for what it is.
    #[test]
    fn a_part_is_within_the_whole() {
        for category in CATEGORIES {
            let whole = scope(&format!("patient/{}.cruds", category.resource));
            let part = whole.only(&category);
            assert_eq!(part.to_string().parse(), Ok(part.clone()));
            assert!(whole.contains(&part) && !part.contains(&whole));
            assert_eq!((part.category(), whole.category()), (Some(&category), None));
            assert_eq!(scope(&format!("{part}&status=final")).category(), None);
            assert_eq!(scope(&format!("{part},other")).category(), None);
        }
        assert_eq!(scope("patient/Condition.rs?category=laboratory").category(), None);
    }
}
