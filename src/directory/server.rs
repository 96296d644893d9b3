//! Asks a FHIR server: a search in a form, so that nothing of a patient stands in an address of ours, and its pages.

use serde_json::Value;
use url::Url;

use super::Error;
use super::remote::Remote;
use crate::tenant::FhirBase;

/// How many pages of one search are read.
const MAX_PAGES: usize = 10;
/// The most that HealthLake gives in one page.
const MAX_COUNT: usize = 100;

/// What a FHIR server says media types are called.
const ACCEPT: (&str, &str) = ("accept", "application/fhir+json");
/// A search parameter that is not understood is an error: without it, the search would find too many.
const STRICT: (&str, &str) = ("prefer", "handling=strict");

impl Remote<'_> {
    /// What `keep` keeps of the resources of this type that match; the search ends when that is `most`.
    pub(super) async fn find<T>(
        &self,
        kind: &'static str,
        form: &[(&str, String)],
        most: usize,
        mut keep: impl FnMut(&Value) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        let (directory, base) = (self.directory, self.base);
        let bearer = format!("Bearer {}", directory.token(self.origin, base, kind).await?);
        let headers = [ACCEPT, STRICT, ("authorization", bearer.as_str())];
        let url = base.url_of(&format!("{kind}/_search"));
        let answer = directory.http.post_form(&url, &headers, encode(form, most)).await.map_err(|fault| self.unavailable(kind, &fault))?;
        if answer.status == 401 {
            directory.tokens.forget(&self.origin.tenant, &base.audience, kind).await;
        }
        if answer.status != 200 {
            return Err(self.unavailable(kind, &format_args!("it answered {}", answer.status)));
        }
        let (mut kept, mut page) = (Vec::new(), answer.body);
        for number in 1.. {
            let bundle = Bundle::read(&page).ok_or_else(|| self.unavailable(kind, &"the answer is no Bundle of search results"))?;
            kept.extend(bundle.resources(kind).filter_map(&mut keep));
            if kept.len() >= most {
                break;
            }
            let Some(next) = bundle.next() else { break };
            if number == MAX_PAGES {
                tracing::warn!(base = base.name, kind, "only the first {MAX_PAGES} pages of a search were read");
                break;
            }
            let next = within(base, next).ok_or_else(|| self.unavailable(kind, &"its next page is somewhere else"))?;
            page = directory.http.get(next.as_str(), &headers).await.map_err(|fault| self.unavailable(kind, &fault))?;
        }
        kept.truncate(most);
        Ok(kept)
    }

    /// Nothing of what was asked or answered goes into the log.
    fn unavailable(&self, kind: &str, why: &dyn std::fmt::Display) -> Error {
        Error::Unavailable(format!("{}, {kind}: {why}", self.base.name))
    }
}

fn encode(form: &[(&str, String)], most: usize) -> String {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form).append_pair("_count", &most.clamp(1, MAX_COUNT).to_string()).finish()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A page of search results (FHIR R4 §3.1.1.1).
struct Bundle(Value);

impl Bundle {
    /// None where an OperationOutcome in it says that the search failed: what is missing then may be there.
    fn read(bytes: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        let outcomes =
            list(&value["entry"]).map(|entry| &entry["resource"]).filter(|resource| resource["resourceType"] == "OperationOutcome");
        let has_failed =
            outcomes.flat_map(|outcome| list(&outcome["issue"])).any(|issue| issue["severity"] == "error" || issue["severity"] == "fatal");
        (value["resourceType"] == "Bundle" && value["type"] == "searchset" && !has_failed).then_some(Self(value))
    }

    /// What matches; not what came along with it, and no OperationOutcome.
    fn resources<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        let entries = list(&self.0["entry"]);
        let matches = entries.filter(|entry| entry["search"]["mode"].as_str().is_none_or(|mode| mode == "match"));
        matches.map(|entry| &entry["resource"]).filter(move |resource| resource["resourceType"] == kind)
    }

    fn next(&self) -> Option<&str> {
        list(&self.0["link"]).find(|link| link["relation"] == "next")?["url"].as_str()
    }
}

/// The address of a next page, where it lies within one of the base's own: our token goes there.
fn within(base: &FhirBase, next: &str) -> Option<Url> {
    let here = Url::parse(&base.url_of("")).ok()?;
    let next = here.join(next).ok()?;
    if !next.username().is_empty() || next.password().is_some() || next.fragment().is_some() {
        return None;
    }
    let own = base.public_urls.iter().chain([&base.audience]).filter_map(|url| Url::parse(&format!("{}/", url.trim_end_matches('/'))).ok());
    let is_within = |own: Url| {
        let beside = own.path().trim_end_matches('/');
        own.origin() == next.origin() && (next.path() == beside || next.path().starts_with(own.path()))
    };
    own.into_iter().any(is_within).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_next_page_lies_within_the_base() {
        let base = FhirBase { audience: "https://store.test/datastore/1/r4/".to_owned(), ..FhirBase::new("main", "https://fhir.test/r4") };
        for good in [
            "https://fhir.test/r4/Patient?page=2",
            "https://fhir.test/r4?_getpages=1",
            "https://fhir.test:443/r4/Patient?page=2",
            "https://store.test/datastore/1/r4/Patient?page=2",
            "Patient?page=2",
            "/r4/Patient?page=2",
        ] {
            assert!(within(&base, good).is_some(), "{good}");
        }
        for bad in [
            "https://evil.test/r4/Patient?page=2",
            "http://fhir.test/r4/Patient?page=2",
            "https://fhir.test:8443/r4/Patient",
            "https://fhir.test/r4evil/Patient",
            "https://fhir.test/r4/../admin",
            "https://fhir.test/r4/%2e%2e/admin",
            "https://fhir.test@evil.test/r4/Patient",
            "https://user@fhir.test/r4/Patient",
            "https://store.test/datastore/2/r4/Patient",
            "//evil.test/r4/Patient",
            "../admin",
            "file:///etc/passwd",
            "javascript:alert(1)",
        ] {
            assert_eq!(within(&base, bad), None, "{bad}");
        }
    }

    #[test]
    fn only_what_matches_is_taken_from_a_page() {
        let page = serde_json::json!({
            "resourceType": "Bundle", "type": "searchset",
            "entry": [
                { "resource": { "resourceType": "Patient", "id": "a" }, "search": { "mode": "match" } },
                { "resource": { "resourceType": "Patient", "id": "b" }, "search": { "mode": "include" } },
                { "resource": { "resourceType": "OperationOutcome" }, "search": { "mode": "outcome" } },
                { "resource": { "resourceType": "Patient", "id": "c" } },
                {}, 7,
            ],
        });
        let bundle = Bundle::read(page.to_string().as_bytes()).expect("a Bundle");
        let ids: Vec<_> = bundle.resources("Patient").map(|resource| resource["id"].as_str().unwrap_or_default()).collect();
        assert_eq!((ids, bundle.next()), (vec!["a", "c"], None));
        for bad in
            ["", "null", "[]", "{}", r#"{"resourceType":"Bundle","type":"batch"}"#, r#"{"resourceType":"OperationOutcome"}"#, "<html>"]
        {
            assert!(Bundle::read(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
