//! A list of scopes as it stands in a request, a grant or a token.

use std::collections::HashSet;
use std::fmt;

use super::{Access, Level, ResourceScope, Scope, is_scope_text};

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
        if !text.split(' ').all(is_scope_text) {
            return Err(TooMuch::Character);
        }
        let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
        if words.len() > MAX_SCOPES {
            return Err(TooMuch::Long);
        }
        // What is written alike is the same scope, and nothing else is.
        let mut seen = HashSet::with_capacity(words.len());
        Ok(Self(words.into_iter().filter(|word| seen.insert(*word)).filter_map(|word| word.parse().ok()).collect()))
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

    /// Whether whoever may have all of these may have `scope`: `.r` and `.s` together make `.rs`. The
    /// values of a query are looked for in one scope each: where two allow half of them each, the
    /// answer is no, and [`ScopeSet::within`] gives the halves.
    #[must_use]
    pub fn allows(&self, scope: &Scope) -> bool {
        // Mostly an app asks for just what it is registered with, and this is the quickest to see.
        if self.has(scope) {
            return true;
        }
        let Scope::Resource(asked) = scope else { return false };
        let about_it = self.resources().filter(|own| own.reaches(asked));
        about_it.map(|own| own.access).reduce(Access::union).is_some_and(|all| all.contains(asked.access))
    }

    /// Whether everything in `other` is allowed by something in `self`.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        other.iter().all(|scope| self.allows(scope))
    }

    /// What of `self` is within `limit`: whole scopes in their own spelling, and of a resource
    /// scope that is only partly within, the parts that are. Never more than either, and never
    /// longer than [`ScopeSet::parse`] reads: parts beyond that are left out.
    #[must_use]
    pub fn within(&self, limit: &Self) -> Self {
        let (whole, partly): (Vec<_>, Vec<_>) = self.0.iter().enumerate().partition(|(_, scope)| limit.allows(scope));
        if partly.is_empty() {
            return self.clone();
        }
        let mut length: usize = whole.iter().map(|(_, scope)| scope.to_string().len() + 1).sum();
        let mut kept: Vec<(usize, Scope)> = whole.into_iter().map(|(place, scope)| (place, scope.clone())).collect();
        let parts = partly.into_iter().flat_map(|(place, scope)| limit.parts_of(scope).map(move |part| (place, part)));
        for (place, part) in parts {
            length += part.to_string().len() + 1;
            if kept.len() == MAX_SCOPES || length > MAX_LENGTH {
                break;
            }
            kept.push((place, part));
        }
        kept.sort_by_key(|(place, _)| *place);
        kept.into_iter().map(|(_, scope)| scope).collect()
    }

    /// What each of these allows of `asked`.
    fn parts_of(&self, asked: &Scope) -> impl Iterator<Item = Scope> {
        let asked = match asked {
            Scope::Resource(asked) => Some(asked),
            _ => None,
        };
        asked.into_iter().flat_map(|asked| self.resources().filter_map(|own| asked.intersect(own))).map(Scope::Resource)
    }

    /// All of `self`, and what of `other` is not the same. It can be longer than
    /// [`ScopeSet::parse`] reads.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.0.iter().chain(&other.0).cloned().collect()
    }

    /// The scopes for which `keep` says yes.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(&Scope) -> bool) -> Self {
        Self(self.0.iter().filter(|scope| keep(scope)).cloned().collect())
    }

    /// Adds a scope unless it is there.
    pub fn add(&mut self, scope: Scope) {
        if !self.has(&scope) {
            self.0.push(scope);
        }
    }

    /// Whether a token of these scopes is worth nothing without a patient (SMART App Launch 2.2:
    /// "if a `patient/` scope is granted, a patient is in context"). An encounter is a patient's.
    #[must_use]
    pub fn need_patient(&self) -> bool {
        self.0.iter().any(|scope| match scope {
            Scope::LaunchPatient | Scope::LaunchEncounter => true,
            Scope::Resource(resource) => resource.level == Level::Patient,
            _ => false,
        })
    }

    /// Whether an encounter is to be chosen.
    #[must_use]
    pub fn need_encounter(&self) -> bool {
        self.has(&Scope::LaunchEncounter)
    }

    /// Whether a FHIR base has to be named: some launch or resource scope is among them.
    #[must_use]
    pub fn need_audience(&self) -> bool {
        self.0.iter().any(|scope| {
            matches!(scope, Scope::Launch | Scope::LaunchPatient | Scope::LaunchEncounter | Scope::LaunchContext(_) | Scope::Resource(_))
        })
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

    /// A wildcard that is narrowed to what is registered stays a list that can be read again.
    #[test]
    fn parts_are_not_longer_than_a_list_may_be() {
        let registered: Vec<String> = (0..60).map(|n| format!("user/Observation.rs?code={n:0>20}")).collect();
        let registered = scopes(&registered.join(" "));
        let kept = scopes("user/*.cruds user/Observation.* user/*.read openid").within(&scopes(&format!("{registered} openid")));
        assert_eq!(ScopeSet::parse(&kept.to_string()).as_ref(), Ok(&kept));
        assert!(kept.has(&Scope::OpenId) && kept.iter().count() > 60 && registered.union(&scopes("openid")).contains(&kept));
    }

    #[test]
    fn two_scopes_together_can_hold_a_third() {
        assert!(scopes("user/Patient.r user/Patient.s").contains(&scopes("user/Patient.rs user/Patient.read")));
        assert!(scopes("user/*.r user/Patient.s").contains(&scopes("user/Patient.rs")));
        assert!(!scopes("user/*.r user/Patient.s").contains(&scopes("user/Condition.rs")));
        assert!(!scopes("user/Patient.r?name=a user/Patient.s").contains(&scopes("user/Patient.rs")));
        assert_eq!(
            scopes("user/Patient.rs?name=a,b").within(&scopes("user/Patient.rs?name=a user/Patient.r?name=b")).to_string(),
            "user/Patient.rs?name=a user/Patient.r?name=b"
        );
    }

    #[test]
    fn an_encounter_is_a_patients() {
        let of = |text| (scopes(text).need_patient(), scopes(text).need_encounter(), scopes(text).need_audience());
        assert_eq!(of("openid fhirUser offline_access"), (false, false, false));
        assert_eq!(of("launch"), (false, false, true));
        assert_eq!(of("launch/imagingstudy"), (false, false, true));
        assert_eq!(of("launch/encounter"), (true, true, true));
        assert_eq!(of("launch/patient"), (true, false, true));
        assert_eq!(of("user/Patient.rs"), (false, false, true));
        assert_eq!(of("patient/Patient.rs?name=a"), (true, false, true));
        assert_eq!(of("__launch __introspect"), (false, false, false));
    }
}
