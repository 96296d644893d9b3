//! Groups 9.14 and 9.23 (US Core 6.1), 9.24 and 9.25 (US Core 7.0) of (g)(10): scopes for parts of a type.

use std::collections::BTreeSet;

use super::{CONFIDENTIAL, DOCTOR, Inferno, granted, text};

const CODES: &str = "http://terminology.hl7.org/CodeSystem";
const US_CORE: &str = "http://hl7.org/fhir/us/core/CodeSystem";

/// The two sets that are asked for one after the other: a type, and the category as `system|code`.
fn sets() -> [Vec<(&'static str, String)>; 2] {
    [
        vec![
            ("Condition", format!("{CODES}/condition-category|encounter-diagnosis")),
            ("Condition", format!("{US_CORE}/condition-category|health-concern")),
            ("Observation", format!("{CODES}/observation-category|laboratory")),
            ("Observation", format!("{CODES}/observation-category|social-history")),
        ],
        vec![
            ("Condition", format!("{CODES}/condition-category|problem-list-item")),
            ("Observation", format!("{CODES}/observation-category|vital-signs")),
            ("Observation", format!("{CODES}/observation-category|survey")),
            ("Observation", format!("{US_CORE}/us-core-category|sdoh")),
            ("Observation", format!("{CODES}/observation-category|procedure")),
        ],
    ]
}

/// `system|code` pairs of a resource's categories.
fn categories(resource: &serde_json::Value) -> BTreeSet<String> {
    let concepts = resource["category"].as_array().into_iter().flatten();
    let codings = concepts.flat_map(|concept| concept["coding"].as_array().into_iter().flatten());
    codings.map(|coding| format!("{}|{}", text(coding, "system"), text(coding, "code"))).collect()
}

/// `us_core_granted_granular_scopes`, and the searches and reads that are compared with an unlimited run: what is in
/// the categories is served, whatever else there is of the patient is not.
#[tokio::test]
async fn granular_scopes_are_granted_as_they_are_and_served_within() {
    let inferno = Inferno::start().await;
    let whole = inferno.launch(CONFIDENTIAL, "launch/patient patient/Condition.rs patient/Observation.rs", DOCTOR).await;
    for set in sets() {
        let wanted: Vec<String> = set.iter().map(|(kind, category)| format!("patient/{kind}.rs?category={category}")).collect();
        let scope = format!("launch/patient openid fhirUser offline_access patient/Patient.rs {}", wanted.join(" "));
        let tokens = inferno.launch(CONFIDENTIAL, &scope, DOCTOR).await;
        let scopes = granted(&tokens);
        assert_eq!(scopes, scope.split(' ').collect::<Vec<_>>());
        assert!(!scopes.iter().any(|scope| ["patient/Condition.rs", "patient/Observation.rs", "patient/*.rs"].contains(scope)));
        for kind in ["Condition", "Observation"] {
            let allowed: BTreeSet<String> = set.iter().filter(|(own, _)| *own == kind).map(|(_, category)| category.clone()).collect();
            let all = found(&inferno, kind, text(&whole, "access_token")).await;
            let seen = found(&inferno, kind, text(&tokens, "access_token")).await;
            let ids = |list: &[serde_json::Value]| list.iter().map(|own| text(own, "id").to_owned()).collect::<BTreeSet<_>>();
            let (inside, outside): (Vec<_>, Vec<_>) = all.into_iter().partition(|own| !categories(own).is_disjoint(&allowed));
            assert!(!inside.is_empty() && !outside.is_empty(), "the patient has {kind}s inside and outside of {allowed:?}");
            assert_eq!(ids(&seen), ids(&inside), "{kind} {allowed:?}");
            for (resource, is_inside) in inside.first().map(|own| (own, true)).into_iter().chain(outside.first().map(|own| (own, false))) {
                let read = inferno.fhir(&format!("{kind}/{}", text(resource, "id")), Some(text(&tokens, "access_token"))).await;
                assert_eq!(read.status.as_u16() == 200, is_inside, "{kind}/{}: {}", text(resource, "id"), read.body);
            }
        }
    }
}

/// Everything of a type that a search for the patient brings, page by page.
async fn found(inferno: &Inferno, kind: &str, token: &str) -> Vec<serde_json::Value> {
    let mut next = Some(format!("{kind}?patient={}&_count=1000", DOCTOR.patient));
    let mut all = vec![];
    while let Some(path) = next {
        let reply = inferno.fhir(&path, Some(token)).await;
        assert_eq!(reply.status.as_u16(), 200, "{path}: {}", reply.body);
        let bundle = reply.json();
        all.extend(bundle["entry"].as_array().into_iter().flatten().map(|entry| entry["resource"].clone()));
        let link = bundle["link"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|link| link["relation"] == "next")
            .map(|link| text(link, "url").to_owned());
        next = link.map(|url| url.strip_prefix(&format!("{}/", crate::support::FHIR1)).expect("below the FHIR base").to_owned());
    }
    all
}
