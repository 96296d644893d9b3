//! The context that is passed on with a "yes": patient, encounter, user, and whatever else was asked for.

use std::str::FromStr;

use serde_json::{Map, Value};

use super::Profile;
use super::decision::PAYLOAD;

/// Which claims are passed on, and under which names. HealthLake does not say which name it reads
/// the patient from, so the patient is passed on under both that are in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context(Vec<(String, String)>);

impl Default for Context {
    fn default() -> Self {
        Self(["patient", "encounter", "fhirUser", "launch_response_patient"].map(|name| (name.to_owned(), name.to_owned())).to_vec())
    }
}

/// The text is no list of claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadContext {
    /// Not names, separated by commas, each with or without `=` and another name.
    #[error("is not a list of claims such as patient,department or patient=launch_patient")]
    Malformed,
    /// The answer already has something else under this name.
    #[error("names a claim that the answer already has, such as iss, aud, exp or scope")]
    Taken,
}

impl FromStr for Context {
    type Err = BadContext;

    /// What is passed on besides the usual: `department,patient=launch_patient` passes `department` on,
    /// and `launch_patient` as `patient`.
    fn from_str(text: &str) -> Result<Self, BadContext> {
        let mut context = Self::default();
        for item in text.split(',').map(str::trim) {
            let (name, claim) = item.split_once('=').unwrap_or((item, item));
            let is_name =
                |name: &str| !name.is_empty() && name.len() <= 255 && name.bytes().all(|b| b.is_ascii_graphic() && b != b'=' && b != b'"');
            if !is_name(name) || !is_name(claim) {
                return Err(BadContext::Malformed);
            }
            if PAYLOAD.contains(&name) {
                return Err(BadContext::Taken);
            }
            context.0.retain(|(own, _)| own != name);
            context.0.push((name.to_owned(), claim.to_owned()));
        }
        Ok(context)
    }
}

impl Context {
    /// What of a token's claims is passed on. Tokens of other issuers name the patient in one of the
    /// two usual ways: it is passed on in both.
    pub(super) fn of(&self, claims: &Map<String, Value>, profile: Profile) -> Map<String, Value> {
        let mut context: Map<String, Value> = self
            .0
            .iter()
            .filter_map(|(name, claim)| Some((name.clone(), claims.get(claim).filter(|value| !value.is_null())?.clone())))
            .collect();
        if profile == Profile::Admit {
            return context;
        }
        match (context.get("patient"), context.get("launch_response_patient")) {
            (Some(Value::String(id)), None) if is_id(id) => {
                let reference = format!("Patient/{id}");
                context.insert("launch_response_patient".to_owned(), reference.into());
            }
            (None, Some(Value::String(reference))) => {
                if let Some(id) = reference.strip_prefix("Patient/").filter(|id| is_id(id)).map(str::to_owned) {
                    context.insert("patient".to_owned(), id.into());
                }
            }
            _ => {}
        }
        context
    }

    /// The patient in it.
    pub(super) fn patient(context: &Map<String, Value>) -> Patient {
        match (context.get("patient"), context.get("launch_response_patient")) {
            (Some(one), Some(other)) if one.as_str().is_none_or(|id| *other != format!("Patient/{id}")) => Patient::Contradictory,
            (Some(Value::String(id)), _) if !id.is_empty() => Patient::One,
            _ => Patient::Nobody,
        }
    }
}

/// Whose data a context is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patient {
    /// Nobody's in particular.
    Nobody,
    /// One person's.
    One,
    /// One person's by one name, and by the other another's, or something that is no reference.
    Contradictory,
}

/// FHIR R4 `id`
fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(context: &Context, claims: &Value) -> Value {
        Value::Object(context.of(claims.as_object().expect("an object"), Profile::Generic))
    }

    #[test]
    fn a_patient_has_both_names() {
        let both = json!({ "patient": "p1", "launch_response_patient": "Patient/p1" });
        for one in [json!({ "patient": "p1" }), json!({ "launch_response_patient": "Patient/p1", "other": 5 }), both.clone()] {
            assert_eq!(of(&Context::default(), &one), both);
        }
        for odd in [json!({ "patient": "Patient/p1" }), json!({ "launch_response_patient": "p1" }), json!({ "patient": 5 })] {
            assert_eq!(of(&Context::default(), &odd), odd);
        }
    }

    /// Who reads the one name, and who reads the other, must not see two persons.
    #[test]
    fn both_names_name_the_same_patient() {
        for (claims, expected) in [
            (json!({}), Patient::Nobody),
            (json!({ "patient": "" }), Patient::Nobody),
            (json!({ "patient": 5 }), Patient::Nobody),
            (json!({ "launch_response_patient": "p1" }), Patient::Nobody),
            (json!({ "patient": "p1" }), Patient::One),
            (json!({ "patient": "p1", "launch_response_patient": null }), Patient::One),
            (json!({ "launch_response_patient": "Patient/p1" }), Patient::One),
            (json!({ "patient": "p1", "launch_response_patient": "Patient/p1" }), Patient::One),
            (json!({ "patient": "p1", "launch_response_patient": "Patient/p2" }), Patient::Contradictory),
            (json!({ "patient": "p1", "launch_response_patient": "Patient/P1" }), Patient::Contradictory),
            (json!({ "patient": "p1", "launch_response_patient": "Group/p1" }), Patient::Contradictory),
            (json!({ "patient": "p1", "launch_response_patient": "https://fhir.test/r4/Patient/p1" }), Patient::Contradictory),
            (json!({ "patient": "p1", "launch_response_patient": ["Patient/p1"] }), Patient::Contradictory),
            (json!({ "patient": "", "launch_response_patient": "Patient/p2" }), Patient::Contradictory),
            (json!({ "patient": ["p1"], "launch_response_patient": "Patient/p1" }), Patient::Contradictory),
        ] {
            let claims = claims.as_object().expect("an object");
            for profile in Profile::ALL.into_iter().filter(|profile| *profile != Profile::Admit || claims.len() == 2) {
                let context = Context::default().of(claims, profile);
                assert_eq!(Context::patient(&context), expected, "{profile}: {claims:?}");
            }
        }
    }

    #[test]
    fn more_claims_can_be_asked_for_and_renamed() {
        let context: Context = "department, patient=https://idp.test/patient".parse().expect("a list");
        let claims = json!({ "department": ["a", "b"], "patient": "wrong", "https://idp.test/patient": "p2", "email": "x" });
        let expected = json!({ "department": ["a", "b"], "patient": "p2", "launch_response_patient": "Patient/p2" });
        assert_eq!(of(&context, &claims), expected);
        for (bad, why) in [
            ("", BadContext::Malformed),
            ("a,", BadContext::Malformed),
            ("a b", BadContext::Malformed),
            ("=a", BadContext::Malformed),
            ("a=b=c", BadContext::Malformed),
            ("scope=groups", BadContext::Taken),
            ("isAuthorized", BadContext::Taken),
            ("exp", BadContext::Taken),
        ] {
            assert_eq!(bad.parse::<Context>(), Err(why), "{bad:?}");
        }
    }
}
