//! Whose records are reached.

use super::*;

#[tokio::test]
async fn a_patient_scope_opens_one_patient() {
    let server = with_patient("patient/*.rs", "p001");
    assert_eq!(server.get("/Patient/p001").await.status, StatusCode::OK);
    assert_eq!(server.get("/Observation/p001-obs-1").await.status, StatusCode::OK);
    assert_refused(&server.get("/Patient/p002").await, StatusCode::FORBIDDEN);
    assert_refused(&server.get("/Observation/p002-obs-1").await, StatusCode::FORBIDDEN);
    assert_refused(&server.get("/Patient/p999").await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_search_in_a_patients_context_finds_that_patient_only() {
    let server = with_patient("patient/*.rs", "p001");
    assert_eq!(server.get("/Patient").await.ids(), ["p001"]);
    let found = server.get("/Condition?_count=200").await;
    assert!(found.ids().len() > 3);
    assert!(found.ids().iter().all(|id| id.starts_with("p001-")));
    // Identifiers name nobody: they are only not found.
    let other = WORLD.get("Patient", "p002").unwrap()["identifier"][0]["value"].clone();
    let path = format!("/Patient?identifier={}", other.as_str().unwrap());
    assert_eq!(server.get(&path).await.json()["total"], 0);
}

#[tokio::test]
async fn a_search_that_names_another_patient_is_refused() {
    let server = with_patient("patient/*.rs", "p001");
    for path in [
        "/Observation?patient=p002",
        "/Observation?patient=Patient/p002",
        "/Observation?subject=Patient/p002",
        "/Observation?subject:Patient=p002",
        "/Observation?patient=http://localhost:8081/fhir/Patient/p002",
        "/Observation?patient=p001,p002",
        "/Observation?patient=p001&subject=Patient/p002",
        "/Patient?_id=p002",
    ] {
        assert_refused(&server.get(path).await, StatusCode::FORBIDDEN);
    }
    assert_eq!(server.get("/Observation?patient=Patient/p001").await.status, StatusCode::OK);
    let posted = server.post("/Observation/_search", "patient=p002").await;
    assert_refused(&posted, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_patient_scope_without_a_patient_grants_nothing() {
    let server = with_system("patient/*.rs");
    assert_refused(&server.get("/Patient").await, StatusCode::FORBIDDEN);
    assert_refused(&server.get("/Practitioner").await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_clinician_opens_their_panel_and_the_staff_list() {
    for person in WORLD.people() {
        if !person.fhir_user.starts_with("Practitioner/") {
            continue;
        }
        let server = with_user("user/*.rs", &person.fhir_user);
        let mut found = server.get("/Patient?_count=200").await.ids();
        found.sort();
        assert_eq!(found, person.opens, "{}", person.username);
        assert_eq!(server.get("/Practitioner?_count=200").await.json()["total"], 7);
    }
    let server = with_user("user/*.rs", "Practitioner/prac-hazelwood");
    assert_refused(&server.get("/Patient/p001").await, StatusCode::FORBIDDEN);
    assert_refused(&server.get("/Observation?patient=p001").await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_patient_who_signed_in_opens_their_own_record() {
    let server = with_user("user/*.read", "Patient/p001");
    assert_eq!(server.get("/Patient").await.ids(), ["p001"]);
}

#[tokio::test]
async fn a_parent_opens_the_records_of_both_children() {
    let world = &*WORLD;
    let parent = world.people().into_iter().find(|p| p.fhir_user.starts_with("Related")).unwrap();
    let server = with_user("user/*.rs", &parent.fhir_user);
    assert_eq!(server.get("/Patient").await.ids(), parent.opens);
    assert_refused(&server.get("/Patient/p001").await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_person_opens_the_records_that_they_are_linked_to() {
    let parent = WORLD.people().into_iter().find(|p| p.fhir_user.starts_with("Related")).unwrap();
    let links_to_them = |person: &&Value| person["link"].to_string().contains(&parent.fhir_user);
    let person = WORLD.resources("Person").iter().find(links_to_them).unwrap();
    let user = format!("Person/{}", person["id"].as_str().unwrap());
    let server = with_user("openid fhirUser user/Patient.rs", &user);
    assert_eq!(server.get("/Patient").await.ids(), parent.opens);
    assert_eq!(server.get(&format!("/{user}")).await.status, StatusCode::OK, "they may be greeted");
    assert_refused(&server.get("/Person").await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_user_who_is_nobody_here_opens_nothing() {
    let elsewhere = json!({ "fhirUser": "https://elsewhere.example/fhir/Practitioner/prac-larkspur" });
    let server = Server::answering(yes("user/*.rs", elsewhere));
    assert_refused(&server.get("/Patient").await, StatusCode::FORBIDDEN);
    let server = with_user("user/*.rs", "Practitioner/prac-nobody");
    assert_eq!(server.get("/Patient").await.json()["total"], 0);
}

#[tokio::test]
async fn several_scopes_reach_what_each_of_them_reaches() {
    let claims = json!({
        "patient": "p050",
        "fhirUser": format!("{ENDPOINT}Practitioner/prac-fernsby"),
    });
    let server = Server::answering(yes("patient/Patient.rs user/Patient.rs", claims.clone()));
    let found = server.get("/Patient?_count=200").await.ids();
    assert_eq!(found.len(), 14);
    assert!(found.contains(&"p050".to_owned()));
    let server = Server::answering(yes("patient/Patient.rs system/Patient.s", claims));
    assert_eq!(server.get("/Patient").await.json()["total"], 100);
    assert_refused(&server.get("/Patient/p051").await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_visit_of_a_launch_is_read_with_its_patient() {
    let of = |patient: &str| WORLD.of_patient("Encounter", patient).last().unwrap()["id"].as_str().unwrap().to_owned();
    let server = with_patient("launch patient/Encounter.rs", "p001");
    let reply = server.get(&format!("/Encounter/{}", of("p001"))).await;
    assert_eq!(reply.json()["status"], "in-progress");
    assert_refused(&server.get(&format!("/Encounter/{}", of("p002"))).await, StatusCode::FORBIDDEN);
    let server = with_user("user/Encounter.rs", "Practitioner/prac-larkspur");
    assert_eq!(server.get(&format!("/Encounter/{}", of("p001"))).await.status, StatusCode::OK);
    let server = with_patient("launch patient/Patient.rs", "p001");
    assert_refused(&server.get(&format!("/Encounter/{}", of("p001"))).await, StatusCode::FORBIDDEN);
}

/// Whatever else was granted: `fhirUser` is read back with the access token.
#[tokio::test]
async fn everybody_who_can_be_a_fhir_user_is_read_by_their_app() {
    for kind in ["Patient", "Practitioner", "RelatedPerson", "Person"] {
        let [own, other] = [0, 1].map(|at| format!("{kind}/{}", WORLD.resources(kind)[at]["id"].as_str().unwrap()));
        let server = with_user("openid fhirUser user/Immunization.rs", &own);
        assert_eq!(server.get(&format!("/{own}")).await.json()["resourceType"], kind);
        assert_refused(&server.get(&format!("/{other}")).await, StatusCode::FORBIDDEN);
        assert_refused(&server.get(&format!("/{kind}?_id={}", own.split_once('/').unwrap().1)).await, StatusCode::FORBIDDEN);
        let without_a_token = server.request(Method::GET, &format!("/{own}"), &[]).await;
        assert_refused(&without_a_token, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn an_app_may_greet_who_signed_in() {
    let user = "Practitioner/prac-larkspur";
    let path = format!("/{user}");
    let server = with_user("openid fhirUser patient/Observation.rs", user);
    assert_eq!(server.get(&path).await.status, StatusCode::OK);
    assert_refused(&server.get("/Practitioner/prac-fernsby").await, StatusCode::FORBIDDEN);
    for too_little in ["openid patient/Observation.rs", "openid fhirUser"] {
        let reply = with_user(too_little, user).get(&path).await;
        assert_refused(&reply, StatusCode::FORBIDDEN);
    }
}
