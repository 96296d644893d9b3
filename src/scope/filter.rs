//! `?category=laboratory&status=final`: which resources of a type a scope is about.

use std::fmt;
use std::str::FromStr;

use super::{UnknownScope, is_scope_text};

/// The query of a scope (SMART App Launch 2.2, "Finer-grained resource constraints using search
/// parameters"), as it was written; empty where there is none.
///
/// It means what it means in a FHIR search: every parameter has to match, and of the values that a
/// comma divides one has to. The values themselves are compared byte by byte and decoded nowhere:
/// the form of the request was decoded once. A comma cannot be escaped, for RFC 6749 keeps the
/// backslash out of scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Filter(String);

/// A parameter and its values, with the commas that divide them.
type Pair<'a> = (&'a str, &'a str);

impl Filter {
    pub(super) fn of(name: &str, value: &str) -> Self {
        Self(format!("{name}={value}"))
    }

    /// Whether every resource of the type is meant.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The parameters and their values, in order.
    pub fn pairs(&self) -> impl Iterator<Item = Pair<'_>> {
        self.0.split('&').filter_map(|pair| pair.split_once('='))
    }

    /// Whether every resource that matches `other` matches this.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        self.pairs().all(|wide| other.pairs().any(|narrow| implies(narrow, wide)))
    }

    /// What both match. Parameters that the others make superfluous are left out.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        if other.contains(self) {
            return self.clone();
        }
        let mut kept: Vec<Pair> = Vec::new();
        for pair in self.pairs().chain(other.pairs()) {
            if !kept.iter().any(|narrow| implies(*narrow, pair)) {
                kept.retain(|wide| !implies(pair, *wide));
                kept.push(pair);
            }
        }
        Self(kept.iter().map(|(name, values)| format!("{name}={values}")).collect::<Vec<_>>().join("&"))
    }
}

/// Whether whatever matches `narrow` matches `wide`.
fn implies(narrow: Pair, wide: Pair) -> bool {
    narrow.0 == wide.0 && narrow.1.split(',').all(|value| wide.1.split(',').any(|other| other == value))
}

impl FromStr for Filter {
    type Err = UnknownScope;

    /// `name=value`, joined by `&`; what stands behind the `?` of a scope.
    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let is_pair =
            |pair: &str| pair.split_once('=').is_some_and(|(name, values)| is_name(name) && values.split(',').all(|v| !v.is_empty()));
        if is_scope_text(text) && text.split('&').all(is_pair) { Ok(Self(text.to_owned())) } else { Err(UnknownScope) }
    }
}

/// Whether this can be the name of a search parameter that selects resources. Modifiers (`code:in`)
/// and chains (`patient.birthdate`) are experimental in scopes, as is `_filter`; what else begins with
/// an underscore and is not listed shapes an answer (`_include`) and selects nothing.
fn is_name(name: &str) -> bool {
    if name.starts_with('_') {
        return ["_id", "_lastUpdated", "_profile", "_security", "_source", "_tag"].contains(&name);
    }
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

impl fmt::Display for Filter {
    /// With its `?`, where there is a filter.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() { Ok(()) } else { write!(f, "?{}", self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(text: &str) -> Filter {
        text.parse().expect("a filter of this test")
    }

    #[test]
    fn what_is_no_search_is_unknown() {
        for bad in [
            "",
            "category",
            "category=",
            "=x",
            "a=b&",
            "&a=b",
            "a=b&&c=d",
            "a=b&c",
            "a=,",
            "a=x,",
            "a=x,,y",
            "a=x y",
            "a=\u{e9}",
            "a=x\\,y",
            "a=\"x\"",
            "a=x\n",
            "code:in=http://x.test/vs",
            "category:not=laboratory",
            "patient.birthdate=2000",
            "_filter=x",
            "_has:Observation:patient:code=1",
            "_include=x",
            "_count=1",
            "_sort=date",
            "1a=b",
            "a_b=c",
            "a b=c",
            "%63ategory=x",
        ] {
            assert_eq!(bad.parse::<Filter>(), Err(UnknownScope), "{bad:?}");
        }
    }

    /// SC-10 of docs/conformance.md: nothing is decoded a second time, and nothing is lost.
    #[test]
    fn a_search_keeps_its_bytes() {
        for good in [
            "category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
            "category=a%7Cb",
            "identifier=http://x.test/?a|YQ==",
            "_id=1&_lastUpdated=ge2024-01-01",
            "date=ge2023-01-01&date=le2024-01-01",
            "code=a,b,a&status=final",
        ] {
            assert_eq!(filter(good).to_string(), format!("?{good}"));
        }
        assert_eq!(filter("identifier=x?a|YQ==&b=c").pairs().collect::<Vec<_>>(), [("identifier", "x?a|YQ=="), ("b", "c")]);
        assert_eq!(Filter::default().to_string(), "");
        assert_eq!(Filter::default().pairs().count(), 0);
    }

    #[test]
    fn parameters_narrow_and_commas_widen() {
        for (wide, narrow) in [
            ("a=1", "a=1&b=2"),
            ("a=1&b=2", "b=2&a=1"),
            ("a=1,2", "a=1"),
            ("a=1,2,3", "a=3,1"),
            ("a=1,2&b=3", "c=4&b=3&a=2"),
            ("a=1", "a=1&a=2"),
        ] {
            assert!(filter(wide).contains(&filter(narrow)), "{wide} {narrow}");
            assert!(Filter::default().contains(&filter(narrow)) && !filter(narrow).contains(&Filter::default()));
        }
        for (one, other) in [("a=1", "a=2"), ("a=1", "b=1"), ("a=1&b=2", "a=1&c=2"), ("a=1,2", "a=2,3"), ("a=%31", "a=1"), ("a=x", "a=X")] {
            assert!(!filter(one).contains(&filter(other)) && !filter(other).contains(&filter(one)), "{one} {other}");
        }
    }

    #[test]
    fn what_both_match_is_said_shortly_and_in_the_spelling_of_the_first() {
        for (one, other, both) in [
            ("a=1", "b=2", "?a=1&b=2"),
            ("a=1,2", "a=2", "?a=2"),
            ("a=2", "a=2,1", "?a=2"),
            ("b=2&a=1", "a=1&b=2", "?b=2&a=1"),
            ("a=1,2&b=3", "a=2,4", "?a=1,2&b=3&a=2,4"),
            ("a=1&a=1", "a=1", "?a=1&a=1"),
        ] {
            assert_eq!(filter(one).and(&filter(other)).to_string(), both, "{one} {other}");
        }
    }
}
