//! Scopes with a query: `patient/Observation.rs?category=…|laboratory`.

use super::*;

const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";
const US_CORE: &str = "http://hl7.org/fhir/us/core/CodeSystem/us-core-category";

fn observations(filter: &str) -> String {
    format!("patient/Observation.rs?{filter}")
}

/// The ids of one patient's Observations of this category, as the population has them.
fn ids_of(code: &str) -> Vec<String> {
    let is_of = |resource: &&Value| {
        let concepts = resource["category"].as_array().unwrap();
        concepts.iter().flat_map(|concept| concept["coding"].as_array().unwrap()).any(|coding| coding["code"] == code)
    };
    WORLD.of_patient("Observation", "p001").filter(is_of).map(|o| o["id"].as_str().unwrap().to_owned()).collect()
}

async fn found(server: &Server, path: &str) -> Vec<String> {
    let reply = server.get(path).await;
    assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text);
    reply.ids()
}

#[tokio::test]
async fn a_search_finds_what_both_it_and_the_scope_mean() {
    let server = with_patient(&observations(&format!("category={CATEGORY}|laboratory")), "p001");
    let laboratory = ids_of("laboratory");
    assert!(laboratory.len() > 10);
    assert_eq!(found(&server, "/Observation?patient=p001&_count=200").await, laboratory);
    assert_eq!(found(&server, "/Observation?category=laboratory,vital-signs&_count=200").await, laboratory);
    assert_eq!(found(&server, "/Observation?category=vital-signs").await, [""; 0]);
    let sugar = found(&server, "/Observation?code=4548-4").await;
    assert!(!sugar.is_empty() && sugar.iter().all(|id| laboratory.contains(id)));
    let posted = server.post("/Observation/_search", "patient=p001&_count=200").await;
    assert_eq!(posted.ids(), laboratory);
    assert_eq!(posted.json()["total"], laboratory.len(), "the total gives nothing away");
}

#[tokio::test]
async fn what_is_outside_the_query_is_not_read() {
    let server = with_patient(&observations(&format!("category={CATEGORY}|laboratory")), "p001");
    let (within, outside) = (&ids_of("laboratory")[0], &ids_of("vital-signs")[0]);
    assert_eq!(server.get(&format!("/Observation/{within}")).await.status, StatusCode::OK);
    assert_refused(&server.get(&format!("/Observation/{outside}")).await, StatusCode::FORBIDDEN);
    assert_refused(&server.get("/Condition?patient=p001").await, StatusCode::FORBIDDEN);
    // The query narrows whose records they are, and never widens it.
    assert_refused(&server.get("/Observation?patient=p002").await, StatusCode::FORBIDDEN);
    let others = WORLD.of_patient("Observation", "p002").next().unwrap()["id"].as_str().unwrap();
    assert_refused(&server.get(&format!("/Observation/{others}")).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_code_is_named_with_its_system_without_one_or_alone() {
    let laboratory = ids_of("laboratory");
    for (filter, finds) in [
        ("category=laboratory".to_owned(), true),
        (format!("category={CATEGORY}|laboratory"), true),
        (format!("category={CATEGORY}|"), true),
        ("category=|laboratory".to_owned(), false),
        (format!("category={US_CORE}|laboratory"), false),
        // Decoded once, on its way to the authorization server, and never again.
        ("category=http%3A%2F%2Fterminology.hl7.org%2FCodeSystem%2Fobservation-category%7Claboratory".to_owned(), false),
    ] {
        let server = with_patient(&observations(&filter), "p001");
        let ids = found(&server, "/Observation?category=laboratory&_count=200").await;
        assert_eq!(ids == laboratory, finds, "{filter}");
        assert_eq!(ids.is_empty(), !finds, "{filter}");
    }
}

#[tokio::test]
async fn several_scopes_are_added_up_and_several_parameters_are_not() {
    let laboratory = observations(&format!("category={CATEGORY}|laboratory"));
    let survey = observations(&format!("category={CATEGORY}|survey"));
    let server = with_patient(&format!("{laboratory} {survey}"), "p001");
    let count = ids_of("laboratory").len() + ids_of("survey").len();
    assert_eq!(found(&server, "/Observation?_count=200").await.len(), count);

    // A survey about how somebody lives has both categories.
    let both = observations(&format!("category={CATEGORY}|survey&category={US_CORE}|sdoh"));
    let server = with_patient(&both, "p001");
    let sdoh = ids_of("sdoh");
    assert!(!sdoh.is_empty() && sdoh.len() < ids_of("survey").len());
    assert_eq!(found(&server, "/Observation?_count=200").await, sdoh);

    // A comma is an "or" within a value.
    let either = observations(&format!("category={CATEGORY}|survey,{CATEGORY}|laboratory"));
    assert_eq!(found(&with_patient(&either, "p001"), "/Observation?_count=200").await.len(), count);

    // The whole type beside a part of it is the whole type.
    let server = with_patient(&format!("{laboratory} patient/Observation.rs"), "p001");
    let all = WORLD.of_patient("Observation", "p001").count();
    assert_eq!(server.get("/Observation").await.json()["total"], all);
}

#[tokio::test]
async fn letters_and_query_hold_together() {
    let letters = format!("patient/Observation.r?category={CATEGORY}|laboratory patient/Observation.s?category={CATEGORY}|vital-signs");
    let server = with_patient(&letters, "p001");
    let (laboratory, vital) = (&ids_of("laboratory")[0], &ids_of("vital-signs")[0]);
    assert_eq!(server.get(&format!("/Observation/{laboratory}")).await.status, StatusCode::OK);
    assert_refused(&server.get(&format!("/Observation/{vital}")).await, StatusCode::FORBIDDEN);
    let ids = found(&server, "/Observation?_count=200").await;
    assert!(ids.contains(vital) && !ids.contains(laboratory));
}

#[tokio::test]
async fn each_level_keeps_its_own_query() {
    let claims = json!({ "patient": "p050", "fhirUser": format!("{ENDPOINT}Practitioner/prac-fernsby") });
    let scope = format!("patient/Observation.rs?category={CATEGORY}|vital-signs user/Observation.rs?category={CATEGORY}|laboratory");
    let server = Server::answering(yes(&scope, claims));
    let path = |id: &str, category: &str| format!("/Observation?patient={id}&category={category}");
    assert!(!found(&server, &path("p050", "vital-signs")).await.is_empty());
    assert!(found(&server, &path("p001", "vital-signs")).await.is_empty(), "the panel's are for the laboratory only");
    assert!(!found(&server, &path("p001", "laboratory")).await.is_empty());
    assert!(found(&server, &path("p050", "laboratory")).await.is_empty(), "and the patient in context is in another panel");
}

#[tokio::test]
async fn a_query_that_cannot_be_enforced_grants_nothing() {
    for filter in ["colour=blue", "category:in=x", "category=", "category", "_count=1", "_filter=x", "category=laboratory&colour=blue"] {
        let server = with_patient(&observations(filter), "p001");
        assert_refused(&server.get("/Observation?patient=p001").await, StatusCode::FORBIDDEN);
        let id = &ids_of("laboratory")[0];
        assert_refused(&server.get(&format!("/Observation/{id}")).await, StatusCode::FORBIDDEN);
    }
    // What it stands beside is granted all the same.
    let server = with_patient("patient/Observation.rs?colour=blue patient/Condition.rs", "p001");
    assert_eq!(server.get("/Condition").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_record_is_written_only_where_it_is_within_the_query_before_and_after() {
    let scope = format!("patient/Observation.cud?category={CATEGORY}|laboratory");
    let server = with_patient(&scope, "p001");
    let held = |code: &str| WORLD.get("Observation", &ids_of(code)[0]).unwrap().clone();
    let (laboratory, vital) = (held("laboratory"), held("vital-signs"));
    let mut others = laboratory.clone();
    others["subject"]["reference"] = "Patient/p002".into();
    let mut mislabelled = laboratory.clone();
    mislabelled["resourceType"] = "Condition".into();
    let path = |resource: &Value| format!("/Observation/{}", resource["id"].as_str().unwrap());

    // Within the scope: what is left is that the stand-in keeps nothing.
    for reply in [
        server.offer(Method::POST, "/Observation", &laboratory).await,
        server.offer(Method::PUT, &path(&laboratory), &laboratory).await,
        server.offer(Method::PATCH, &path(&laboratory), &json!([])).await,
        server.offer(Method::DELETE, &path(&laboratory), &Value::Null).await,
    ] {
        assert_refused(&reply, StatusCode::METHOD_NOT_ALLOWED);
    }
    for reply in [
        server.offer(Method::POST, "/Observation", &vital).await,
        server.offer(Method::POST, "/Observation", &others).await,
        server.offer(Method::POST, "/Observation", &mislabelled).await,
        server.offer(Method::PUT, &path(&laboratory), &vital).await,
        server.offer(Method::PUT, &path(&vital), &laboratory).await,
        server.offer(Method::PATCH, &path(&vital), &json!([])).await,
        server.offer(Method::DELETE, &path(&vital), &Value::Null).await,
    ] {
        assert_refused(&reply, StatusCode::FORBIDDEN);
    }
}
