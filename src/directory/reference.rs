//! FHIR references (R4, "Resource References"), as far as they lead to the FHIR base at hand.

use std::collections::HashMap;

use serde_json::Value;

use crate::person::is_fhir_id;

/// What references in a file may mean.
pub struct References<'a> {
    /// The URLs of the FHIR base. `https://elsewhere.test/Practitioner/1` is somebody else than
    /// our own `Practitioner/1`.
    pub bases: &'a [String],
    /// `fullUrl`s of the Bundle at hand.
    pub full_urls: HashMap<String, String>,
}

impl<'a> References<'a> {
    /// References to resources of the FHIR base with these URLs, outside of any Bundle.
    #[must_use]
    pub fn to(bases: &'a [String]) -> Self {
        Self { bases, full_urls: HashMap::new() }
    }

    /// The id of the resource of this type that a Reference leads to.
    #[must_use]
    pub fn id(&self, reference: Option<&Value>, kind: &str) -> Option<String> {
        let text = reference?.get("reference")?.as_str()?;
        let local = match self.full_urls.get(text) {
            Some(local) => local,
            None => self.bases.iter().find_map(|base| text.strip_prefix(base.trim_end_matches('/'))?.strip_prefix('/')).unwrap_or(text),
        };
        let (own_kind, id) = local.split_once('/')?;
        let id = id.split_once("/_history/").map_or(id, |(id, _)| id);
        (own_kind == kind && is_fhir_id(id)).then(|| id.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reference_to_another_server_is_none_of_ours() {
        let bases = ["https://fhir.test/r4/".to_owned()];
        let full_urls = [("urn:uuid:1".to_owned(), "Practitioner/a".to_owned())].into();
        let references = References { bases: &bases, full_urls };
        let id = |text: &str| references.id(Some(&json!({ "reference": text })), "Practitioner");
        for good in ["Practitioner/a", "https://fhir.test/r4/Practitioner/a", "Practitioner/a/_history/3", "urn:uuid:1"] {
            assert_eq!(id(good).as_deref(), Some("a"), "{good}");
        }
        for bad in [
            "https://elsewhere.test/r4/Practitioner/a",
            "https://fhir.test/r4evil/Practitioner/a",
            "Patient/a",
            "#a",
            "urn:uuid:2",
            "Practitioner?identifier=x",
            "Practitioner/",
            "Practitioner/a/b",
            "",
        ] {
            assert_eq!(id(bad), None, "{bad}");
        }
        assert_eq!(references.id(Some(&json!({ "identifier": {} })), "Practitioner"), None);
    }
}
