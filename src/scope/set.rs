//! A list of scopes as it stands in a request, a grant or a token.

use std::fmt;

use super::{Level, ResourceScope, Scope};

/// The longest `scope` that is read, in bytes (Keycloak CVE-2026-4634: caps come before parsing).
pub const MAX_LENGTH: usize = 4096;
/// The most scopes in one list.
pub const MAX_SCOPES: usize = 100;

/// Known scopes, each once, in the order and spelling in which they were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeSet(Vec<Scope>);

/// The text is no list of scopes at all (RFC 6749 §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooMuch {
    /// More bytes than [`MAX_LENGTH`] or more scopes than [`MAX_SCOPES`].
    #[error("scope is too long")]
    Long,
    /// A character that RFC 6749 does not allow in a scope.
    #[error("scope has a character that is not allowed")]
    Character,
}

impl ScopeSet {
    /// Reads a space-separated list. Unknown scopes are left out: the answer's `scope` says what
    /// remains (OAuth 2.1 §1.4.1).
    ///
    /// # Errors
    /// [`TooMuch`], where the text is too long or not within the grammar of RFC 6749 §3.3.
    pub fn parse(text: &str) -> Result<Self, TooMuch> {
        if text.len() > MAX_LENGTH {
            return Err(TooMuch::Long);
        }
        if !text.bytes().all(|b| matches!(b, 0x20 | 0x21 | 0x23..=0x5B | 0x5D..=0x7E)) {
            return Err(TooMuch::Character);
        }
        let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
        if words.len() > MAX_SCOPES {
            return Err(TooMuch::Long);
        }
        Ok(words.into_iter().filter_map(|word| word.parse().ok()).collect())
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether exactly this scope is in it.
    #[must_use]
    pub fn has(&self, scope: &Scope) -> bool {
        self.0.contains(scope)
    }

    /// The scopes, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    /// The scopes for FHIR resources, in order.
    pub fn resources(&self) -> impl Iterator<Item = &ResourceScope> {
        self.0.iter().filter_map(|scope| match scope {
            Scope::Resource(resource) => Some(resource),
            _ => None,
        })
    }

    /// Whether one of the scopes contains `scope`.
    #[must_use]
    pub fn allows(&self, scope: &Scope) -> bool {
        self.0.iter().any(|own| own.contains(scope))
    }

    /// Whether everything in `other` is allowed by something in `self`.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        other.iter().all(|scope| self.allows(scope))
    }

    /// What of `self` is within `limit`: whole scopes in their own spelling, and of a resource
    /// scope that is only partly within, the parts that are. Never more than either.
    #[must_use]
    pub fn within(&self, limit: &Self) -> Self {
        let mut kept = Self::default();
        for scope in &self.0 {
            if limit.allows(scope) {
                kept.add(scope.clone());
            } else if let Scope::Resource(asked) = scope {
                limit.resources().filter_map(|allowed| asked.intersect(allowed)).for_each(|part| kept.add(Scope::Resource(part)));
            }
        }
        kept
    }

    /// The scopes for which `keep` says yes.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(&Scope) -> bool) -> Self {
        self.0.iter().filter(|scope| keep(scope)).cloned().collect()
    }

    /// Adds a scope unless it is there.
    pub fn add(&mut self, scope: Scope) {
        if !self.has(&scope) {
            self.0.push(scope);
        }
    }

    /// Whether a token of these scopes is worth nothing without a patient (SMART App Launch 2.2:
    /// "if a `patient/` scope is granted, a patient is in context").
    #[must_use]
    pub fn need_patient(&self) -> bool {
        self.has(&Scope::LaunchPatient) || self.resources().any(|scope| scope.level == Level::Patient)
    }

    /// Whether a FHIR base has to be named: some launch or resource scope is among them.
    #[must_use]
    pub fn need_audience(&self) -> bool {
        self.has(&Scope::Launch) || self.has(&Scope::LaunchPatient) || self.resources().next().is_some()
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let mut set = Self::default();
        scopes.into_iter().for_each(|scope| set.add(scope));
        set
    }
}

impl serde::Serialize for ScopeSet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for ScopeSet {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for ScopeSet {
    /// Space-separated, as on the wire.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, scope) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str(" ")?;
            }
            scope.fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scopes(text: &str) -> ScopeSet {
        ScopeSet::parse(text).expect("a list of this test")
    }

    /// SC-01: unknown scopes are dropped, the rest is kept in its own spelling.
    #[test]
    fn unknown_scopes_are_dropped_and_spelling_is_kept() {
        let set = scopes("openid  patient/Observation.read foo patient/Foo.rs patient/*.rs openid");
        assert_eq!(set.to_string(), "openid patient/Observation.read patient/*.rs");
    }

    /// AR-20
    #[test]
    fn characters_outside_of_the_grammar_refuse_the_whole_list() {
        for bad in ["openid\nx", "a\"b", "a\\b", "a\0b", "a\tb", "a\u{a0}b"] {
            assert_eq!(ScopeSet::parse(bad), Err(TooMuch::Character), "{bad:?}");
        }
        assert_eq!(ScopeSet::parse(&"a".repeat(MAX_LENGTH + 1)), Err(TooMuch::Long));
        assert_eq!(ScopeSet::parse(&"a ".repeat(MAX_SCOPES + 1)), Err(TooMuch::Long));
    }

    #[test]
    fn what_is_only_partly_allowed_is_narrowed() {
        let limit = scopes("user/*.read openid");
        assert_eq!(
            scopes("user/Observation.cruds user/Patient.read openid fhirUser").within(&limit).to_string(),
            "user/Observation.rs user/Patient.read openid"
        );
        assert_eq!(
            scopes("user/*.*").within(&scopes("user/Patient.rs user/Condition.r")).to_string(),
            "user/Patient.read user/Condition.r"
        );
    }

    fn any_scope() -> impl Strategy<Value = String> {
        let level = prop::sample::select(vec!["patient", "user", "system"]);
        let kind = prop::sample::select(vec!["*", "Patient", "Observation", "Condition"]);
        let access = prop::sample::select(vec!["read", "write", "*", "r", "s", "rs", "cud", "cruds", "c", "us", "ds"]);
        prop_oneof![
            8 => (level, kind, access).prop_map(|(l, k, a)| format!("{l}/{k}.{a}")),
            1 => prop::sample::select(vec!["openid", "fhirUser", "launch/patient", "offline_access", "launch", "online_access"]).prop_map(str::to_owned),
        ]
    }

    fn any_set() -> impl Strategy<Value = ScopeSet> {
        prop::collection::vec(any_scope(), 0..8).prop_map(|list| scopes(&list.join(" ")))
    }

    proptest! {
        #[test]
        fn what_is_parsed_is_written_back_byte_for_byte(text in any_scope()) {
            prop_assert_eq!(text.parse::<Scope>().map(|s| s.to_string()), Ok(text));
        }

        #[test]
        fn containment_is_reflexive_and_transitive(a in any_set(), b in any_set(), c in any_set()) {
            prop_assert!(a.contains(&a));
            if a.contains(&b) && b.contains(&c) {
                prop_assert!(a.contains(&c));
            }
        }

        #[test]
        fn narrowing_never_widens(asked in any_set(), limit in any_set()) {
            let kept = asked.within(&limit);
            prop_assert!(asked.contains(&kept) && limit.contains(&kept), "{} within {} gave {}", asked, limit, kept);
            prop_assert_eq!(kept.within(&limit), kept);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,200}") {
            let _ = ScopeSet::parse(&text);
        }
    }
}
