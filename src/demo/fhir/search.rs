//! Finding resources.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::Value;

use super::parameter::{Kind, Parameter};
use super::query::{Order, Query};
use super::reach::Reach;
use super::wanted::moment;
use crate::demo::people::World;

/// One page of what was found.
pub struct Found<'w> {
    /// On all pages together.
    pub total: usize,
    pub page: Vec<&'w Value>,
    /// Whether there is another page.
    pub goes_on: bool,
}

/// Runs a search within what the caller's scopes reach.
pub fn run<'w>(world: &'w World, kind: &str, query: &Query, reach: &Reach) -> Found<'w> {
    let mut found: Vec<&Value> =
        candidates(world, kind, query, reach).into_iter().filter(|resource| reach.includes(resource) && matches(query, resource)).collect();
    if !query.sort.is_empty() {
        let mut keyed: Vec<(Vec<Option<Key>>, &Value)> = found.into_iter().map(|resource| (keys(query, resource), resource)).collect();
        keyed.sort_by(|(a, _), (b, _)| compare(&query.sort, a, b));
        found = keyed.into_iter().map(|(_, resource)| resource).collect();
    }
    let total = found.len();
    let skips = query.page.skips();
    let page = if query.only_count { 0 } else { query.count };
    let goes_on = page > 0 && skips.saturating_add(page) < total;
    Found { total, page: found.into_iter().skip(skips).take(page).collect(), goes_on }
}

/// As few resources as the index by patient allows.
fn candidates<'w>(world: &'w World, kind: &str, query: &Query, reach: &Reach) -> Vec<&'w Value> {
    let of = |patients: BTreeSet<&str>| patients.into_iter().flat_map(|patient| world.of_patient(kind, patient)).collect();
    match query.only_patients().map(|patients| patients.into_iter().collect()).or_else(|| reach.patients()) {
        Some(patients) => of(patients),
        None => world.resources(kind).iter().collect(),
    }
}

fn matches(query: &Query, resource: &Value) -> bool {
    query.conditions.iter().all(|condition| condition.holds(resource))
}

/// What a resource is sorted by.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Time(i64),
    Text(String),
}

fn keys(query: &Query, resource: &Value) -> Vec<Option<Key>> {
    query.sort.iter().map(|order| key(order.parameter, resource)).collect()
}

fn key(parameter: &Parameter, resource: &Value) -> Option<Key> {
    let values = parameter.values(resource);
    if parameter.kind == Kind::Date {
        return values.first().and_then(|value| moment(value)).map(|at| Key::Time(at.start));
    }
    // A name sorts by its family, then by what is given.
    let words: Vec<&str> = values.iter().filter_map(|value| value.as_str()).collect();
    (!words.is_empty()).then(|| Key::Text(words.join(" ").to_lowercase()))
}

/// Whoever has no value comes last, in either direction.
fn compare(sort: &[Order], a: &[Option<Key>], b: &[Option<Key>]) -> Ordering {
    let mut each = sort.iter().zip(a.iter().zip(b)).map(|(order, keys)| match keys {
        (Some(a), Some(b)) if order.descending => b.cmp(a),
        (Some(a), Some(b)) => a.cmp(b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    each.find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
}
