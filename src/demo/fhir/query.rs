//! A search, read from its parameters.

use serde_json::Value;

use super::negotiation::Pairs;
use super::outcome::Refusal;
use super::page::{self, Page};
use super::parameter::{Kind, Parameter};
use super::wanted::{Wanted, split};

/// Results on a page when the app does not say.
const USUAL_COUNT: usize = 20;
/// Results on a page at most.
const MOST: usize = 200;

/// One parameter of a search, or of a scope: any of its values will do.
#[derive(Debug, PartialEq, Eq)]
pub struct Condition {
    pub parameter: &'static Parameter,
    pub any_of: Vec<Wanted>,
}

impl Condition {
    /// Reads one parameter; `None` where the type has none of this name, or the value says nothing.
    /// The error says in a sentence what is wrong with the value.
    fn read(kind: &str, name: &str, value: &str, base: &str) -> Result<Option<Self>, (&'static str, &'static str)> {
        let (plain, modifier) = match name.split_once(':') {
            Some((plain, modifier)) => (plain, Some(modifier)),
            None => (name, None),
        };
        let Some(parameter) = Parameter::named(kind, plain) else {
            return Ok(None);
        };
        let any_of: Result<Vec<Wanted>, &'static str> = split(value, ',')
            .into_iter()
            .filter(|part| !part.is_empty())
            .map(|part| Wanted::parse(parameter, modifier, part, base))
            .collect();
        let any_of = any_of.map_err(|says| (parameter.name, says))?;
        Ok((!any_of.is_empty()).then_some(Self { parameter, any_of }))
    }

    /// Reads one parameter of a scope's query, which is understood whole or not at all. Modifiers
    /// are not (SMART App Launch 2.2, "Scopes for requesting FHIR Resources", calls them
    /// experimental).
    pub fn exactly(kind: &str, name: &str, value: &str, base: &str) -> Option<Self> {
        if name.contains(':') {
            return None;
        }
        Self::read(kind, name, value, base).ok().flatten()
    }

    pub fn holds(&self, resource: &Value) -> bool {
        let values = self.parameter.values(resource);
        self.any_of.iter().any(|wanted| values.iter().any(|found| wanted.matches(found)))
    }
}

/// By what to sort, and whether from the end.
#[derive(Debug)]
pub struct Order {
    pub parameter: &'static Parameter,
    pub descending: bool,
}

/// A search. All of its conditions hold.
#[derive(Debug)]
pub struct Query {
    pub conditions: Vec<Condition>,
    pub sort: Vec<Order>,
    /// Results on a page.
    pub count: usize,
    pub page: Page,
    /// Whether only the number of results is asked for.
    pub only_count: bool,
    /// The parameters that were understood, for the `self` link.
    pub used: Vec<(String, String)>,
    is_of_patients: bool,
}

impl Query {
    /// Reads the parameters of a search for `kind`.
    ///
    /// What is not understood is left out, unless the app asked for strictness: then it is an
    /// error. A value that is wrong for a parameter that we know is always one.
    pub fn parse(kind: &str, pairs: &Pairs, strict: bool, base: &str) -> Result<Self, Refusal> {
        let mut query = Self {
            conditions: Vec::new(),
            sort: Vec::new(),
            count: USUAL_COUNT,
            page: Page::default(),
            only_count: false,
            used: Vec::new(),
            is_of_patients: kind == "Patient",
        };
        for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
            let understood = match name {
                "_count" => query.read_count(value)?,
                "_sort" => query.read_sort(kind, value, strict)?,
                "_summary" => query.read_summary(value),
                page::PARAMETER => query.read_page(value)?,
                // Read elsewhere, or without effect on which resources are found.
                "_format" | "_pretty" => continue,
                _ => query.read_condition(kind, name, value, base)?,
            };
            if understood && name != page::PARAMETER {
                query.used.push((name.to_owned(), value.to_owned()));
            } else if !understood && strict {
                return Err(wrong(name, "is not a parameter of this search"));
            }
        }
        Ok(query)
    }

    fn read_count(&mut self, value: &str) -> Result<bool, Refusal> {
        let count: usize = value.parse().map_err(|_| wrong("_count", "is not a number"))?;
        self.count = count.min(MOST);
        // FHIR R4 §3.1.1.5.3: a count of zero is a summary.
        self.only_count |= count == 0;
        Ok(true)
    }

    fn read_page(&mut self, value: &str) -> Result<bool, Refusal> {
        let page = Page::decode(value);
        self.page = page.ok_or_else(|| wrong(page::PARAMETER, "is not from a link of ours"))?;
        Ok(true)
    }

    fn read_summary(&mut self, value: &str) -> bool {
        self.only_count |= value == "count";
        matches!(value, "count" | "false")
    }

    /// Understood only when every key is: half an order would be a surprise.
    fn read_sort(&mut self, kind: &str, value: &str, strict: bool) -> Result<bool, Refusal> {
        let mut sort = Vec::new();
        for key in value.split(',') {
            let (name, descending) = match key.strip_prefix('-') {
                Some(name) => (name, true),
                None => (key, false),
            };
            let parameter = Parameter::named(kind, name).filter(|found| matches!(found.kind, Kind::Date | Kind::Text));
            match parameter {
                Some(parameter) => sort.push(Order { parameter, descending }),
                None if strict => return Err(wrong("_sort", "has a key that is not understood")),
                None => return Ok(false),
            }
        }
        self.sort = sort;
        Ok(true)
    }

    fn read_condition(&mut self, kind: &str, name: &str, value: &str, base: &str) -> Result<bool, Refusal> {
        let condition = Condition::read(kind, name, value, base).map_err(|(name, says)| wrong(name, says))?;
        let is_understood = condition.is_some();
        self.conditions.extend(condition);
        Ok(is_understood)
    }

    /// The ids of all patients whom the search names.
    pub fn named_patients(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().flat_map(|condition| {
            let name = condition.parameter.name;
            let is_id = self.is_of_patients && name == "_id";
            let is_subject = matches!(name, "patient" | "subject");
            condition.any_of.iter().filter_map(move |wanted| match wanted {
                Wanted::Reference { kind, id } if is_subject => {
                    let of_patient = kind.as_deref().is_none_or(|kind| kind == "Patient");
                    of_patient.then_some(id.as_str())
                }
                Wanted::Token { code: Some(id), .. } if is_id => Some(id.as_str()),
                _ => None,
            })
        })
    }

    /// The ids of the only patients whose records can be found, where the search says so.
    pub fn only_patients(&self) -> Option<Vec<&str>> {
        let by_patient = |condition: &&Condition| matches!(condition.parameter.name, "patient" | "subject");
        let condition = self.conditions.iter().find(by_patient)?;
        let ids = condition.any_of.iter().filter_map(|wanted| match wanted {
            Wanted::Reference { id, .. } => Some(id.as_str()),
            _ => None,
        });
        Some(ids.collect())
    }
}

fn wrong(name: &str, says: &str) -> Refusal {
    // A name is the app's own text: enough of it to recognise, and never a value.
    let short: String = name.chars().take(40).collect();
    Refusal::bad_parameter(format!("{short} {says}"))
}

#[cfg(test)]
mod tests {
    use axum::http::Uri;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_search_makes_the_stand_in_fall_over(
            name in "[a-z_:-]{1,12}|birthdate|_count|_page|_sort|_lastUpdated|identifier|name:exact",
            value in ".{0,40}|(ge|eb|lt)?[0-9T:+Z-]{1,24}",
            strict: bool,
        ) {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            let encoded = form.append_pair(&name, &value).finish();
            let uri: Uri = format!("/fhir/Patient?{encoded}").parse().unwrap();
            let pairs = Pairs::of_query(&uri);
            if let Ok(query) = Query::parse("Patient", &pairs, strict, "http://localhost/fhir") {
                prop_assert!(query.count <= MOST);
            }
        }
    }
}
