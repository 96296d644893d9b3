//! An EHR launch: what a record system has open for an app that it opens (SMART App Launch 2.2,
//! "Launch App: EHR Launch", "Launch context arrives with your access_token").

use percent_encoding::utf8_percent_encode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::Duration;

use crate::id::{ClientId, LaunchId, PatientId, UserId};
use crate::person::is_fhir_id;
use crate::redirect::ENCODED;
use crate::secret::LaunchToken;

/// How long a launch waits for the app to come back with it.
pub const LAUNCH_LIFE: Duration = Duration::minutes(5);
/// The longest `intent` and `tenant`, and the longest URL or identifier, in bytes.
const MAX_WORD: usize = 256;
const MAX_URL: usize = 2048;
/// The most entries of `fhirContext`.
const MAX_ITEMS: usize = 20;

/// A launch that was begun. All of it is fixed when it is made.
#[derive(Clone, Debug)]
pub struct Launch {
    /// Its name in the store; no secret.
    pub id: LaunchId,
    /// The app that is opened, and no other.
    pub client_id: ClientId,
    /// The user of the record system, and nobody else.
    pub user_id: UserId,
    /// The FHIR base that the app is told of.
    pub fhir_base: String,
    /// The patient whose record is open.
    pub patient_id: Option<PatientId>,
    /// The encounter that is open: the bare id.
    pub encounter_id: Option<String>,
    /// What else the app is told.
    pub context: LaunchContext,
}

/// What an app is told beside patient and encounter; it goes into every token response of the grant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchContext {
    /// Whether the app has to show who the patient is.
    pub need_patient_banner: Option<bool>,
    /// Where the look of the record system is described. Another content has another URL.
    pub smart_style_url: Option<String>,
    /// What the user wants to do in the app; its values are agreed with the app.
    pub intent: Option<String>,
    /// The organisation, by an opaque name.
    pub tenant: Option<String>,
    /// Other resources that are open.
    #[serde(default)]
    pub fhir_context: Vec<ContextItem>,
}

/// An entry of `fhirContext`: one that was read keeps the rules of SMART App Launch 2.2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Told", into = "Told")]
pub struct ContextItem(Told);

/// The same as it stands in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    canonical: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identifier: Option<Map<String, Value>>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
}

/// What is wrong with a launch context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadContext {
    /// `reference`, `canonical` and `identifier` are all missing.
    #[error("an entry of fhirContext needs reference, canonical or identifier")]
    Nothing,
    /// Not `Type/id`.
    #[error("a reference of fhirContext must be relative: a resource type, a slash and an id")]
    Reference,
    /// Not an absolute URL.
    #[error("a canonical of fhirContext must be an absolute URI")]
    Canonical,
    /// Without a value, or too long.
    #[error("an identifier of fhirContext must have a value, and be short")]
    Identifier,
    /// Not the name of a resource type, or not that of the reference.
    #[error("a type of fhirContext must be a resource type, the reference's own where there is one")]
    Type,
    /// Neither `launch` nor an absolute URI.
    #[error("a role of fhirContext must be launch or an absolute URI")]
    Role,
    /// They have parameters of their own.
    #[error("Patient and Encounter may stand in fhirContext only with a role other than launch")]
    OwnParameter,
    /// More than twenty.
    #[error("fhirContext has too many entries")]
    TooMany,
    /// Too long, empty, or with control characters.
    #[error("intent and tenant must be short text")]
    Word,
    /// Not https, or a loopback address.
    #[error("smart_style_url must be an https URL")]
    StyleUrl,
}

impl TryFrom<Told> for ContextItem {
    type Error = BadContext;

    fn try_from(told: Told) -> Result<Self, BadContext> {
        let Told { reference, canonical, identifier, kind, role } = &told;
        if reference.is_none() && canonical.is_none() && identifier.is_none() {
            return Err(BadContext::Nothing);
        }
        let referred = match reference {
            Some(reference) => Some(type_of(reference).ok_or(BadContext::Reference)?),
            None => None,
        };
        if canonical.as_deref().is_some_and(|uri| !is_absolute(uri)) {
            return Err(BadContext::Canonical);
        }
        if identifier.as_ref().is_some_and(|identifier| !is_identifier(identifier)) {
            return Err(BadContext::Identifier);
        }
        if kind.as_deref().is_some_and(|kind| !is_type(kind) || referred.is_some_and(|referred| referred != kind)) {
            return Err(BadContext::Type);
        }
        let is_launch = match role.as_deref() {
            None | Some("launch") => true,
            Some(uri) if is_absolute(uri) => false,
            Some(_) => return Err(BadContext::Role),
        };
        if is_launch && matches!(referred.or(kind.as_deref()), Some("Patient" | "Encounter")) {
            return Err(BadContext::OwnParameter);
        }
        Ok(Self(told))
    }
}

impl From<ContextItem> for Told {
    fn from(item: ContextItem) -> Self {
        item.0
    }
}

/// The type of a relative reference such as `ImagingStudy/123`.
fn type_of(reference: &str) -> Option<&str> {
    let (kind, id) = reference.split_once('/')?;
    (is_type(kind) && is_fhir_id(id)).then_some(kind)
}

fn is_type(text: &str) -> bool {
    text.len() <= 64 && text.starts_with(|c: char| c.is_ascii_uppercase()) && text.bytes().all(|b| b.is_ascii_alphabetic())
}

fn is_absolute(uri: &str) -> bool {
    uri.len() <= MAX_URL && uri.bytes().all(|b| b.is_ascii_graphic()) && url::Url::parse(uri).is_ok()
}

fn is_identifier(identifier: &Map<String, Value>) -> bool {
    let has_value = identifier.get("value").and_then(Value::as_str).is_some_and(|value| !value.is_empty());
    has_value && Value::Object(identifier.clone()).to_string().len() <= MAX_URL
}

impl LaunchContext {
    /// Refuses what an app could stumble over.
    ///
    /// # Errors
    /// [`BadContext`]
    pub fn check(&self) -> Result<(), BadContext> {
        let is_word = |text: &String| (1..=MAX_WORD).contains(&text.len()) && !text.contains(char::is_control);
        if self.fhir_context.len() > MAX_ITEMS {
            return Err(BadContext::TooMany);
        }
        if !self.intent.iter().chain(&self.tenant).all(is_word) {
            return Err(BadContext::Word);
        }
        match &self.smart_style_url {
            Some(url) if !is_absolute(url) || !url.starts_with("https://") => Err(BadContext::StyleUrl),
            _ => Ok(()),
        }
    }

    /// The members of a token response, as this version of SMART App Launch has them: `fhirContext`
    /// came with 2.0 as a list of references, and is one of objects since 2.1.
    #[must_use]
    pub fn members(&self, smart_version: &str) -> Map<String, Value> {
        let mut members = Map::new();
        let mut tell = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                members.insert(name.to_owned(), value);
            }
        };
        tell("need_patient_banner", self.need_patient_banner.map(Value::from));
        tell("smart_style_url", self.smart_style_url.clone().map(Value::from));
        tell("intent", self.intent.clone().map(Value::from));
        tell("tenant", self.tenant.clone().map(Value::from));
        let items: Vec<Value> = if smart_version.starts_with('1') {
            vec![]
        } else if smart_version.starts_with("2.0") {
            self.fhir_context.iter().filter_map(ContextItem::as_reference).map(Value::from).collect()
        } else {
            self.fhir_context.iter().filter_map(|item| serde_json::to_value(item).ok()).collect()
        };
        tell("fhirContext", (!items.is_empty()).then_some(Value::Array(items)));
        members
    }
}

impl ContextItem {
    /// As 2.0 has it, which knows of references only, and of no roles.
    fn as_reference(&self) -> Option<&str> {
        let is_plain = self.0.role.as_deref().is_none_or(|role| role == "launch");
        self.0.reference.as_deref().filter(|_| is_plain)
    }
}

/// Where an EHR sends the browser: the app's registered launch URL, with `iss` and `launch` after
/// whatever stands in its query.
#[must_use]
pub fn launch_url(launch_uri: &str, iss: &str, launch: &LaunchToken) -> String {
    let mark = if launch_uri.contains('?') { '&' } else { '?' };
    let encoded = |text| utf8_percent_encode(text, ENCODED).to_string();
    format!("{launch_uri}{mark}iss={}&launch={}", encoded(iss), encoded(launch.expose()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item(value: Value) -> Result<ContextItem, serde_json::Error> {
        serde_json::from_value(value)
    }

    #[test]
    fn an_entry_of_fhir_context_keeps_the_rules_of_2_2() {
        for good in [
            json!({ "reference": "ImagingStudy/123" }),
            json!({ "reference": "ImagingStudy/123", "type": "ImagingStudy", "role": "launch" }),
            json!({ "canonical": "https://forms.test/Questionnaire/phq9|2.0", "type": "Questionnaire" }),
            json!({ "identifier": { "system": "https://codes.test", "value": "77" }, "type": "PractitionerRole" }),
            json!({ "reference": "Patient/p9", "role": "https://roles.test/donor" }),
        ] {
            let read = item(good.clone()).ok().and_then(|item| serde_json::to_value(&item).ok());
            assert_eq!(read, Some(good), "it comes back as it was");
        }
        for bad in [
            json!({}),
            json!({ "type": "ImagingStudy" }),
            json!({ "reference": "123" }),
            json!({ "reference": "https://fhir.test/r4/ImagingStudy/123" }),
            json!({ "reference": "ImagingStudy/../Patient" }),
            json!({ "reference": "imagingstudy/1" }),
            json!({ "reference": "ImagingStudy/1", "type": "Observation" }),
            json!({ "reference": "ImagingStudy/1", "type": "" }),
            json!({ "reference": "ImagingStudy/1", "role": "" }),
            json!({ "reference": "ImagingStudy/1", "role": "reviewer" }),
            json!({ "reference": "ImagingStudy/1", "display": "x" }),
            json!({ "reference": ["ImagingStudy/1"] }),
            json!({ "canonical": "Questionnaire/1" }),
            json!({ "identifier": {} }),
            json!({ "identifier": "77" }),
            json!({ "identifier": { "value": "7".repeat(3000) } }),
            json!({ "reference": "Patient/p9" }),
            json!({ "reference": "Encounter/e9", "role": "launch" }),
            json!({ "identifier": { "value": "77" }, "type": "Patient" }),
            json!("ImagingStudy/123"),
        ] {
            assert!(item(bad.clone()).is_err(), "{bad}");
        }
    }

    fn context(items: Value) -> LaunchContext {
        LaunchContext {
            need_patient_banner: Some(false),
            smart_style_url: Some("https://ehr.test/style/1.json".to_owned()),
            intent: Some("reconcile-medications".to_owned()),
            tenant: Some("clinic".to_owned()),
            fhir_context: serde_json::from_value(items).expect("entries"),
        }
    }

    /// Strings in 2.0, objects from 2.1 on, nothing in STU1.
    #[test]
    fn fhir_context_has_the_form_of_the_version() {
        let context = context(json!([
            { "reference": "ImagingStudy/1" },
            { "canonical": "https://forms.test/q", "type": "Questionnaire" },
            { "reference": "Patient/p9", "role": "https://roles.test/donor" },
        ]));
        for version in ["1.0.0", "1.0"] {
            assert_eq!(context.members(version).get("fhirContext"), None);
        }
        for version in ["2.0", "2.0.0"] {
            assert_eq!(context.members(version)["fhirContext"], json!(["ImagingStudy/1"]));
        }
        for version in ["2.1", "2.2", "2.2.0"] {
            assert_eq!(context.members(version)["fhirContext"].as_array().map(Vec::len), Some(3));
            assert_eq!(context.members(version)["fhirContext"][0], json!({ "reference": "ImagingStudy/1" }));
        }
        let others = context.members("1.0.0");
        assert_eq!(others["need_patient_banner"], json!(false));
        assert_eq!((others["intent"].as_str(), others["tenant"].as_str()), (Some("reconcile-medications"), Some("clinic")));
        assert!(LaunchContext::default().members("2.2").is_empty(), "nothing is said that was not told");
    }

    #[test]
    fn what_is_told_beside_is_short_and_plain() {
        assert_eq!(context(json!([])).check(), Ok(()));
        let with = |change: fn(&mut LaunchContext)| {
            let mut context = context(json!([]));
            change(&mut context);
            context.check()
        };
        assert_eq!(with(|context| context.intent = Some("x\u{7}".to_owned())), Err(BadContext::Word));
        assert_eq!(with(|context| context.intent = Some(String::new())), Err(BadContext::Word));
        assert_eq!(with(|context| context.tenant = Some("t".repeat(257))), Err(BadContext::Word));
        assert_eq!(with(|context| context.smart_style_url = Some("http://ehr.test/s".to_owned())), Err(BadContext::StyleUrl));
        assert_eq!(with(|context| context.smart_style_url = Some("/style".to_owned())), Err(BadContext::StyleUrl));
        let one = item(json!({ "reference": "ImagingStudy/1" })).expect("an entry");
        let many = LaunchContext { fhir_context: vec![one; 21], ..LaunchContext::default() };
        assert_eq!(many.check(), Err(BadContext::TooMany));
    }

    /// LCH-1
    #[test]
    fn a_launch_url_keeps_its_own_query() {
        let token = LaunchToken::presented("sl_1");
        assert_eq!(
            launch_url("https://app.test/launch?tenant=1", "https://fhir.test/r4", &token),
            "https://app.test/launch?tenant=1&iss=https%3A%2F%2Ffhir.test%2Fr4&launch=sl_1"
        );
        assert!(launch_url("https://app.test/launch", "https://fhir.test/r4", &token).starts_with("https://app.test/launch?iss="));
    }
}
