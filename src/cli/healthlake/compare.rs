//! In what the document of a data store differs from the server's, and what follows from it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::metadata::is_known_to_healthlake;

/// One thing in which they differ.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// The member of the document.
    pub(super) member: String,
    /// What was found.
    pub(super) found: String,
    /// What follows from it.
    pub(super) means: &'static str,
}

/// Every difference, by member. The order of a list is none, and neither is a grant type that HealthLake does not document.
pub(super) fn differences(store: &Map<String, Value>, server: &Map<String, Value>) -> Vec<Difference> {
    let members: BTreeSet<&String> = store.keys().chain(server.keys()).collect();
    members.into_iter().flat_map(|member| of_member(member, store.get(member), server.get(member))).collect()
}

fn of_member(member: &str, store: Option<&Value>, server: Option<&Value>) -> Vec<Difference> {
    let difference = |found: String, means| Difference { member: member.to_owned(), found, means };
    match (store, server) {
        (Some(Value::Array(store)), Some(Value::Array(server))) => {
            let only_in = |list: &[Value], other: &[Value]| -> Vec<Value> {
                let matters = |item: &&Value| member != "grant_types_supported" || is_known_to_healthlake(item);
                list.iter().filter(|item| !other.contains(item)).filter(matters).cloned().collect()
            };
            let missing = by_meaning(&only_in(server, store), |item| of_missing(member, item));
            let extra = by_meaning(&only_in(store, server), |item| of_extra(member, item));
            let missing = missing.into_iter().map(|(means, items)| difference(format!("without {items}"), means));
            let extra = extra.into_iter().map(|(means, items)| difference(format!("with {items}, which the server has not"), means));
            missing.chain(extra).collect()
        }
        (store, server) if store == server => vec![],
        (Some(store), Some(server)) => {
            vec![difference(format!("{}, but the server's is {}", plain(store), plain(server)), of_other(member))]
        }
        (None, Some(server)) => vec![difference(format!("missing; the server's is {}", plain(server)), of_absent(member))],
        (Some(store), None) => vec![difference(format!("{}, but the server has none", plain(store)), TRIED)],
        (None, None) => vec![],
    }
}

/// Items that mean the same, together.
fn by_meaning(items: &[Value], means: impl Fn(&str) -> &'static str) -> BTreeMap<&'static str, String> {
    let mut grouped = BTreeMap::<_, String>::new();
    for item in items {
        let item = plain(item);
        let group = grouped.entry(means(&item)).or_default();
        *group = if group.is_empty() { item } else { format!("{group}, {item}") };
    }
    grouped
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

const UNUSED: &str = "Apps that look here do not use what the server can do.";
const TRIED: &str = "Apps that look here try what the server does not do.";

fn of_missing(member: &str, item: &str) -> &'static str {
    match (member, item) {
        ("capabilities", "permission-v2.2") => {
            "HealthLake enforces the query of a scope such as patient/Observation.rs?category=laboratory only where this is claimed. Here it is ignored: such a token may open more than the person allowed, or nothing."
        }
        ("capabilities", "permission-v2") => "HealthLake takes scopes such as patient/Observation.rs only where this is claimed.",
        ("code_challenge_methods_supported", "S256") => "HealthLake wants it, and the server signs nobody in without it.",
        ("grant_types_supported", _) => "Apps that look here do not ask for a token in this way, which the server gives.",
        _ => UNUSED,
    }
}

fn of_extra(member: &str, item: &str) -> &'static str {
    match (member, item) {
        ("capabilities", "permission-v2" | "permission-v2.2") => {
            "The server gives no such scope for this FHIR base. Either the data store promises too much, or the base was added with the wrong --strategy or --smart-version."
        }
        ("code_challenge_methods_supported", _) => "The server refuses it: who tries it cannot sign in.",
        _ => TRIED,
    }
}

fn of_other(member: &str) -> &'static str {
    match member {
        "issuer" => {
            "Either this data store belongs to another server, or the server has another name now. Apps that compare `iss` refuse its answers, and a validator that trusts the other name refuses its tokens."
        }
        "authorization_endpoint" => "Apps send people somewhere else to sign in.",
        "token_endpoint" => "Apps ask somewhere else for tokens: they get none, or some that the validator does not believe.",
        "jwks_uri" => "Whoever checks tokens by this document has other keys than the server signs with.",
        _ => "Apps that use it are led astray.",
    }
}

fn of_absent(member: &str) -> &'static str {
    match member {
        "authorization_endpoint" | "token_endpoint" | "grant_types_supported" | "capabilities" | "code_challenge_methods_supported" => {
            "HealthLake and SMART App Launch both ask for it: apps cannot do without."
        }
        "issuer" | "jwks_uri" => "Apps that sign people in by OpenID Connect need it.",
        _ => UNUSED,
    }
}

/// What follows from HealthLake's `AuthorizationStrategy`, where it does not fit what the server gives.
pub(super) fn of_strategy(strategy: &str, server: &Map<String, Value>) -> Option<Difference> {
    let gives_v2 = server.get("capabilities").and_then(Value::as_array).is_some_and(|list| list.iter().any(|own| own == "permission-v2"));
    let means = match strategy {
        "SMART_ON_FHIR" => return None,
        "SMART_ON_FHIR_V1" if !gives_v2 => return None,
        "SMART_ON_FHIR_V1" => {
            "The server gives v2 scopes such as patient/Observation.rs, which this data store does not take: change the strategy to SMART_ON_FHIR, or add the FHIR base with --strategy SMART_ON_FHIR_V1."
        }
        _ => "This data store looks at no bearer token: it has to be SMART_ON_FHIR or SMART_ON_FHIR_V1.",
    };
    Some(Difference { member: "AuthorizationStrategy".to_owned(), found: strategy.to_owned(), means })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().expect("an object")
    }

    fn server() -> Value {
        json!({
            "issuer": "https://a.test",
            "token_endpoint": "https://a.test/token",
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
            "capabilities": ["launch-ehr", "permission-v2", "permission-v2.2"],
            "code_challenge_methods_supported": ["S256"],
        })
    }

    /// What is found, after `change`.
    fn found(change: impl FnOnce(&mut Value)) -> Vec<(String, String)> {
        let mut store = server();
        change(&mut store);
        differences(&map(&store), &map(&server())).into_iter().map(|one| (one.member, one.found)).collect()
    }

    #[test]
    fn neither_the_order_nor_refresh_token_is_a_difference() {
        assert_eq!(found(|_| {}), []);
        assert_eq!(found(|store| store["capabilities"] = json!(["permission-v2.2", "permission-v2", "launch-ehr"])), []);
        assert_eq!(found(|store| store["grant_types_supported"] = json!(["client_credentials", "authorization_code"])), []);
    }

    #[test]
    fn each_difference_is_named_with_what_is_there_and_what_should_be() {
        let one = |member: &str, found: &str| vec![(member.to_owned(), found.to_owned())];
        assert_eq!(
            found(|store| store["issuer"] = json!("https://b.test")),
            one("issuer", "https://b.test, but the server's is https://a.test")
        );
        assert_eq!(
            found(|store| store["grant_types_supported"] = json!(["authorization_code"])),
            one("grant_types_supported", "without client_credentials")
        );
        assert_eq!(
            found(|store| store["code_challenge_methods_supported"] = json!(["S256", "plain"])),
            one("code_challenge_methods_supported", "with plain, which the server has not")
        );
        assert_eq!(found(|store| store["registration_endpoint"] = json!("x")), one("registration_endpoint", "x, but the server has none"));
        let gone = found(|store| _ = store.as_object_mut().and_then(|store| store.remove("token_endpoint")));
        assert_eq!(gone, one("token_endpoint", "missing; the server's is https://a.test/token"));
        // Another type is no list with the same items.
        assert_eq!(found(|store| store["capabilities"] = json!("launch-ehr")).len(), 1);
    }

    #[test]
    fn what_means_the_same_stands_together_and_what_is_dangerous_alone() {
        let store = json!({ "capabilities": ["x", "y"] });
        let server = json!({ "capabilities": ["launch-ehr", "permission-v2.2", "launch-standalone", "permission-v2"] });
        let differences = differences(&map(&store), &map(&server));
        let of = |found: &str| differences.iter().find(|one| one.found == found).map(|one| one.means).unwrap_or_default();
        assert_eq!(differences.len(), 4, "{differences:?}");
        assert_eq!(of("without launch-ehr, launch-standalone"), UNUSED);
        assert!(of("without permission-v2.2").contains("query") && of("without permission-v2").contains("only where"));
        assert_eq!(of("with x, y, which the server has not"), TRIED);
    }

    #[test]
    fn a_strategy_has_to_know_what_the_server_gives() {
        let (v2, v1) = (map(&server()), map(&json!({ "capabilities": ["permission-v1"] })));
        for (strategy, server, is_good) in [
            ("SMART_ON_FHIR", &v2, true),
            ("SMART_ON_FHIR", &v1, true),
            ("SMART_ON_FHIR_V1", &v1, true),
            ("SMART_ON_FHIR_V1", &v2, false),
            ("AWS_AUTH", &v1, false),
        ] {
            assert_eq!(of_strategy(strategy, server).is_none(), is_good, "{strategy}");
        }
    }
}
