//! `launch/imagingstudy?role=https://example.org/role`: context beyond the patient and the encounter.

use std::fmt;
use std::str::FromStr;

use super::resource_type::R4_TYPES;
use super::{UnknownScope, is_scope_text};

/// A kind of resource that the app would like to have in `fhirContext` (SMART App Launch 2.2,
/// "Requesting context with scopes").
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaunchContext {
    /// The FHIR type, such as `ImagingStudy`; in the scope it stands in lower case.
    pub resource: String,
    /// The part that the resource is to play: an absolute URI, or `launch`.
    pub role: Option<String>,
}

impl FromStr for LaunchContext {
    type Err = UnknownScope;

    /// Patient and Encounter are no such context: `launch/patient` and `launch/encounter` have
    /// variants of their own, and with a role they would put a second patient beside the one who is meant.
    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let rest = text.strip_prefix("launch/").ok_or(UnknownScope)?;
        let (name, role) = match rest.split_once('?') {
            Some((name, query)) => (name, Some(query.strip_prefix("role=").ok_or(UnknownScope)?)),
            None => (rest, None),
        };
        let is_lower = !name.bytes().any(|b| b.is_ascii_uppercase());
        let resource = R4_TYPES.iter().find(|known| is_lower && known.eq_ignore_ascii_case(name)).ok_or(UnknownScope)?;
        if ["Patient", "Encounter"].contains(resource) || role.is_some_and(|role| !is_role(role)) {
            return Err(UnknownScope);
        }
        Ok(Self { resource: (*resource).to_owned(), role: role.map(str::to_owned) })
    }
}

/// Of relative URIs only those that SMART defines are roles, and it defines one.
fn is_role(text: &str) -> bool {
    let is_absolute = text.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
            && !rest.is_empty()
    });
    text == "launch" || (is_absolute && is_scope_text(text) && !text.contains('&'))
}

impl fmt::Display for LaunchContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "launch/{}", self.resource.to_ascii_lowercase())?;
        match &self.role {
            Some(role) => write!(f, "?role={role}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_a_type_in_lower_case_with_one_role_at_most() {
        for (good, resource, role) in [
            ("launch/imagingstudy", "ImagingStudy", None),
            ("launch/list?role=launch", "List", Some("launch")),
            ("launch/questionnaire?role=https://x.test/r?a=b", "Questionnaire", Some("https://x.test/r?a=b")),
            ("launch/task?role=urn:x", "Task", Some("urn:x")),
        ] {
            let context: LaunchContext = good.parse().expect(good);
            assert_eq!((context.resource.as_str(), context.role.as_deref()), (resource, role));
            assert_eq!(context.to_string(), good);
        }
        for bad in [
            "launch/",
            "launch/ImagingStudy",
            "launch/foo",
            "launch/patient?role=https://x.test/r",
            "launch/encounter?role=launch",
            "launch/list?",
            "launch/list?role",
            "launch/list?role=",
            "launch/list?role=owner",
            "launch/list?role=https:",
            "launch/list?role=:x",
            "launch/list?role=1a:x",
            "launch/list?role=urn:a&role=urn:b",
            "launch/list?role=urn:a b",
            "launch/list?x=y",
            "launch/list/1",
            "launch/list.rs",
            "launch/\u{131}mmunization",
        ] {
            assert_eq!(bad.parse::<LaunchContext>(), Err(UnknownScope), "{bad:?}");
        }
    }
}
