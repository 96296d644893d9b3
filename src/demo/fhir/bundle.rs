//! Search results as a Bundle.

use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::page::{self, Page};
use super::query::Query;
use super::search::Found;

/// A `searchset`, with links to itself and to what comes next.
pub fn searchset(base: &str, kind: &str, query: &Query, found: &Found) -> Value {
    let here = (query.page != Page::default()).then_some(query.page);
    let mut links = vec![link("self", base, kind, query, here)];
    if found.goes_on {
        let next = Page::after(query.page.skips() + found.page.len());
        links.push(link("next", base, kind, query, Some(next)));
    }
    let mut bundle = json!({
        "resourceType": "Bundle",
        "type": "searchset",
        "total": found.total,
        "link": links,
    });
    // FHIR has no empty lists.
    if !found.page.is_empty() {
        let entries = found.page.iter().map(|resource| entry(base, kind, resource));
        bundle["entry"] = entries.collect();
    }
    bundle
}

fn entry(base: &str, kind: &str, resource: &Value) -> Value {
    let id = resource["id"].as_str().unwrap_or_default();
    json!({
        "fullUrl": format!("{base}/{kind}/{id}"),
        "resource": resource,
        "search": { "mode": "match" },
    })
}

/// Only what was understood is in a link: that is how an app learns what was not.
fn link(relation: &str, base: &str, kind: &str, query: &Query, page: Option<Page>) -> Value {
    let mut parameters = Serializer::new(String::new());
    parameters.extend_pairs(&query.used);
    if let Some(page) = page {
        parameters.append_pair(page::PARAMETER, &page.encode());
    }
    let parameters = parameters.finish();
    let mark = if parameters.is_empty() { "" } else { "?" };
    json!({ "relation": relation, "url": format!("{base}/{kind}{mark}{parameters}") })
}
