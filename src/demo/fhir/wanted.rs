//! One value that a search asks for, and whether a resource has it.

use serde_json::Value;

use super::ask::is_id;
use super::gate::behind;
use super::moment::{Comparison, Moment};
use super::parameter::{Kind, Parameter};

/// What is wanted of a parameter.
#[derive(Debug, PartialEq, Eq)]
pub enum Wanted {
    Date(Comparison, Moment),
    /// A resource by id, and by type where the search says it.
    Reference {
        kind: Option<String>,
        id: String,
    },
    Text {
        how: How,
        text: String,
    },
    /// `None` is any; an empty system is no system.
    Token {
        system: Option<String>,
        code: Option<String>,
    },
}

/// How a text compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// In any case, from the beginning of a part.
    Begins,
    Contains,
    Exact,
}

impl Wanted {
    /// Reads one value; the error says in a sentence what is wrong with it.
    ///
    /// FHIR R4 §3.1.1.4.5: a modifier that is not understood is an error, always.
    pub fn parse(parameter: &Parameter, modifier: Option<&str>, value: &str, base: &str) -> Result<Self, &'static str> {
        match (parameter.kind, modifier) {
            (Kind::Date, None) => {
                let (comparison, date) = Comparison::split(value).ok_or("has a prefix that is not understood")?;
                let moment = Moment::parse(date).ok_or("is not a date")?;
                Ok(Self::Date(comparison, moment))
            }
            (Kind::Reference, None) => reference(value, base, None),
            (Kind::Reference, Some("Patient")) => reference(value, base, Some("Patient")),
            (Kind::Text, modifier) => {
                let how = match modifier {
                    None => How::Begins,
                    Some("contains") => How::Contains,
                    Some("exact") => How::Exact,
                    Some(_) => return Err("has a modifier that is not understood"),
                };
                Ok(Self::Text { how, text: unescape(value) })
            }
            (Kind::Token, None) => Ok(token(value)),
            (_, Some(_)) => Err("has a modifier that is not understood"),
        }
    }

    /// Whether a value found in a resource is the wanted one.
    pub fn matches(&self, found: &Value) -> bool {
        match self {
            Self::Date(comparison, wanted) => moment(found).is_some_and(|found| comparison.holds(found, *wanted)),
            Self::Reference { kind, id } => {
                let reference = found["reference"].as_str().and_then(|text| text.split_once('/'));
                reference.is_some_and(|(found_kind, found_id)| kind.as_deref().is_none_or(|kind| kind == found_kind) && id == found_id)
            }
            Self::Text { how, text } => found.as_str().is_some_and(|found| match how {
                How::Begins => found.to_lowercase().starts_with(&text.to_lowercase()),
                How::Contains => found.to_lowercase().contains(&text.to_lowercase()),
                How::Exact => found == text,
            }),
            Self::Token { system, code } => token_matches(system.as_deref(), code.as_deref(), found),
        }
    }
}

/// `p001`, `Patient/p001`, or either behind our own base URL.
fn reference(value: &str, base: &str, of: Option<&str>) -> Result<Wanted, &'static str> {
    let relative = behind(base, value).unwrap_or(value);
    let (kind, id) = match relative.split_once('/') {
        Some((kind, id)) => (Some(kind), id),
        None => (of, relative),
    };
    let wrong_type = of.is_some_and(|of| kind != Some(of));
    if !is_id(id) || wrong_type {
        return Err("is not a reference to a resource of this server");
    }
    Ok(Wanted::Reference { kind: kind.map(str::to_owned), id: id.to_owned() })
}

/// `system|code`, `|code`, `system|` or `code`.
fn token(value: &str) -> Wanted {
    let (system, code) = match split(value, '|').as_slice() {
        [code] => (None, unescape(code)),
        [system, code @ ..] => (Some(unescape(system)), unescape(&code.join("|"))),
        [] => (None, String::new()),
    };
    Wanted::Token { system, code: (!code.is_empty()).then_some(code) }
}

/// A `CodeableConcept`, a `Coding`, an `Identifier`, a plain code, or a boolean.
fn token_matches(system: Option<&str>, code: Option<&str>, found: &Value) -> bool {
    if let Some(codings) = found["coding"].as_array() {
        return codings.iter().any(|coding| token_matches(system, code, coding));
    }
    if let Some(plain) = found.as_str() {
        // The system of a plain code is known from its element, and is not written down.
        return code.is_none_or(|code| code == plain);
    }
    if let Some(flag) = found.as_bool() {
        return code.is_none_or(|code| code == if flag { "true" } else { "false" });
    }
    let found_system = found["system"].as_str().unwrap_or_default();
    let found_code = found["code"].as_str().or(found["value"].as_str());
    system.is_none_or(|system| system == found_system) && code.is_none_or(|code| found_code == Some(code))
}

/// When a value is: a date, or a `Period`.
pub fn moment(found: &Value) -> Option<Moment> {
    match found {
        Value::String(text) => Moment::parse(text),
        Value::Object(period) => {
            let edge = |key| period.get(key).and_then(Value::as_str).and_then(Moment::parse);
            Some(Moment::between(edge("start"), edge("end")))
        }
        _ => None,
    }
}

/// Splits at a character that has no backslash before it; backslashes stay.
pub fn split(value: &str, at: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (place, c) in value.char_indices() {
        if c == at && !escaped {
            parts.push(&value[start..place]);
            start = place + c.len_utf8();
        }
        escaped = c == '\\' && !escaped;
    }
    parts.push(&value[start..]);
    parts
}

/// FHIR R4 §3.1.1.4.13: `\,`, `\|`, `\$` and `\\` stand for themselves.
fn unescape(value: &str) -> String {
    let mut plain = String::with_capacity(value.len());
    let mut escaped = false;
    for c in value.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            plain.push(c);
            escaped = false;
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wants(value: &str, found: &Value) -> bool {
        token(value).matches(found)
    }

    #[test]
    fn a_token_is_found_by_system_by_code_or_by_both() {
        let concept = json!({ "coding": [{ "system": "http://loinc.org", "code": "4548-4" }] });
        for value in ["4548-4", "http://loinc.org|4548-4", "http://loinc.org|"] {
            assert!(wants(value, &concept), "{value}");
        }
        for value in ["|4548-4", "http://snomed.info/sct|4548-4", "4548", "http://loinc.org|1"] {
            assert!(!wants(value, &concept), "{value}");
        }
        assert!(wants("|x", &json!({ "value": "x" })));
        assert!(wants("final", &json!("final")));
    }

    #[test]
    fn an_escaped_comma_is_part_of_its_value() {
        assert_eq!(split(r"a\,b,c", ','), [r"a\,b", "c"]);
        assert_eq!(unescape(r"a\,b\\"), r"a,b\");
    }

    #[test]
    fn a_reference_may_be_short_long_or_absolute() {
        let found = json!({ "reference": "Patient/p001" });
        let base = "http://localhost:8081/fhir";
        for value in ["p001", "Patient/p001", "http://localhost:8081/fhir/Patient/p001"] {
            assert!(reference(value, base, None).is_ok_and(|wanted| wanted.matches(&found)));
        }
        assert!(reference("Group/p001", base, None).is_ok_and(|wanted| !wanted.matches(&found)));
        assert!(reference("http://elsewhere.example/Patient/p001", base, None).is_err());
    }
}
