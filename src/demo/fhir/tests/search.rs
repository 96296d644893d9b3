//! What a search finds.

use super::*;

async fn total(server: &Server, path: &str) -> u64 {
    let reply = server.get(path).await;
    assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text);
    reply.json()["total"].as_u64().unwrap()
}

#[tokio::test]
async fn pages_follow_one_another_to_the_end() {
    let server = with_system("system/*.rs");
    let mut seen = Vec::new();
    let mut next = Some("/Patient?_count=30&_sort=-birthdate".to_owned());
    let mut pages = 0;
    while let Some(path) = next {
        let reply = server.get(&path).await;
        assert_eq!(reply.json()["total"], 100);
        assert_eq!(reply.link("self").unwrap(), path);
        seen.extend(reply.ids());
        next = reply.link("next");
        pages += 1;
    }
    assert_eq!(pages, 4);
    assert_eq!(seen.len(), 100);
    let birth = |id: &String| WORLD.get("Patient", id).unwrap()["birthDate"].as_str().unwrap();
    assert!(seen.windows(2).all(|pair| birth(&pair[0]) >= birth(&pair[1])));
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 100, "nobody is on two pages");
}

#[tokio::test]
async fn a_page_has_twenty_results_unless_asked_and_two_hundred_at_most() {
    let server = with_system("system/*.rs");
    assert_eq!(server.get("/Patient").await.ids().len(), 20);
    assert_eq!(server.get("/Observation?_count=100000").await.ids().len(), 200);
    for counting in ["/Patient?_summary=count", "/Patient?_count=0"] {
        let reply = server.get(counting).await;
        assert_eq!(reply.json()["total"], 100);
        assert!(reply.json().get("entry").is_none() && reply.link("next").is_none());
    }
    for wrong in ["/Patient?_count=many", "/Patient?_count=-1", "/Patient?_page=40"] {
        assert_refused(&server.get(wrong).await, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn patients_are_found_by_what_people_know_of_them() {
    let server = with_system("system/*.rs");
    let patient = WORLD.get("Patient", "p001").unwrap();
    let family = patient["name"][0]["family"].as_str().unwrap().to_uppercase();
    let given = patient["name"][0]["given"][0].as_str().unwrap();
    let birth = patient["birthDate"].as_str().unwrap();
    let mrn = patient["identifier"][0]["value"].as_str().unwrap();
    for path in [
        "/Patient?_id=p001".to_owned(),
        format!("/Patient?family={family}&given={given}"),
        format!("/Patient?name={}&name={}", &family[..4], &given[..3]),
        format!("/Patient?name:exact={given}&birthdate={birth}"),
        format!("/Patient?family:contains={}&given={given}", &family[2..6]),
        format!("/Patient?identifier={mrn}"),
        format!("/Patient?identifier=https://willowbank.example/mrn|{mrn}"),
        format!("/Patient?birthdate={birth}&gender=female,male,other"),
        format!("/Patient?birthdate={birth}&active=true"),
    ] {
        let reply = server.get(&path).await;
        assert!(reply.ids().contains(&"p001".to_owned()), "{path}: {}", reply.text);
        assert!(reply.ids().len() < 4, "{path}");
    }
    assert_eq!(total(&server, &format!("/Patient?identifier=http://other.example|{mrn}")).await, 0);
    assert_eq!(total(&server, "/Patient?active=false").await, 0);
    let panel = "/Patient?general-practitioner=Practitioner/prac-fernsby";
    assert_eq!(total(&server, panel).await, 13);
    let genders = ["female", "male", "other"].map(|gender| format!("/Patient?gender={gender}"));
    let mut sum = 0;
    for path in &genders {
        sum += total(&server, path).await;
    }
    assert_eq!(sum, 100);
}

#[tokio::test]
async fn dates_take_prefixes_and_may_be_partial() {
    let server = with_system("system/*.rs");
    let before = total(&server, "/Patient?birthdate=lt1980").await;
    let within = total(&server, "/Patient?birthdate=1980").await;
    let after = total(&server, "/Patient?birthdate=gt1980").await;
    assert!(before > 0 && within > 0 && after > 0);
    assert_eq!(before + within + after, 100);
    assert_eq!(total(&server, "/Patient?birthdate=ge1980").await, within + after);
    assert_eq!(total(&server, "/Patient?birthdate=le1980-12-31").await, before + within);
    let year = "/Patient?birthdate=ge1980-01-01&birthdate=lt1981-01-01";
    assert_eq!(total(&server, year).await, within);
    let path = "/Observation?patient=p001&date=ge2026&date=lt2027&_count=200";
    let found = server.get(path).await.json();
    let entries = found["entry"].as_array().unwrap();
    assert!(entries.len() > 10);
    for entry in entries {
        assert!(entry["resource"]["effectiveDateTime"].as_str().unwrap().starts_with("2026"));
    }
    assert!(total(&server, "/Encounter?patient=p001&date=le2026-11-20").await > 4);
    assert_eq!(total(&server, "/Patient?_lastUpdated=gt2026-11-20").await, 0);
    for wrong in ["/Patient?birthdate=yesterday", "/Patient?birthdate=ap1980"] {
        assert_refused(&server.get(wrong).await, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn codes_and_categories_are_found_with_and_without_their_system() {
    let server = with_system("system/*.rs");
    let all = total(&server, "/Observation?patient=p001").await;
    let vital = total(&server, "/Observation?patient=p001&category=vital-signs").await;
    let system = "http://terminology.hl7.org/CodeSystem/observation-category";
    let path = format!("/Observation?patient=p001&category={system}|vital-signs");
    assert_eq!(total(&server, &path).await, vital);
    let laboratory = total(&server, "/Observation?patient=p001&category=laboratory").await;
    let both = "/Observation?patient=p001&category=laboratory,vital-signs";
    assert_eq!(total(&server, both).await, vital + laboratory);
    assert!(all > vital + laboratory);
    let escaped = "/Observation?patient=p001&code=http%3A%2F%2Floinc.org%7C4548-4";
    assert!(total(&server, escaped).await >= 4);
    assert_eq!(total(&server, "/Observation?patient=p001&code=|4548-4").await, 0);
    let problems = "/Condition?patient=p001&category=problem-list-item&clinical-status=active";
    assert_eq!(total(&server, problems).await, 3);
    assert_eq!(total(&server, "/MedicationRequest?patient=p001&status=stopped").await, 0);
    assert!(total(&server, "/Observation?encounter=p001-enc-1").await > 5);
}

#[tokio::test]
async fn results_come_in_the_order_asked_for() {
    let server = with_system("system/*.rs");
    let path = "/Observation?patient=p001&code=29463-7&_sort=-date&_count=200";
    let found = server.get(path).await.json();
    let dates: Vec<String> = found["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["resource"]["effectiveDateTime"].as_str().unwrap().to_owned())
        .collect();
    assert!(dates.len() > 4 && dates.is_sorted_by(|a, b| a > b), "{dates:?}");
    let found = server.get("/Patient?_sort=name&_count=200").await.json();
    let names: Vec<&str> =
        found["entry"].as_array().unwrap().iter().map(|entry| entry["resource"]["name"][0]["family"].as_str().unwrap()).collect();
    assert!(names.is_sorted());
}

#[tokio::test]
async fn what_is_not_understood_is_left_out_and_said_so_on_request() {
    let server = with_system("system/*.rs");
    let path = "/Patient?_id=p001&_include=Patient:general-practitioner&colour=blue&_sort=colour";
    let reply = server.get(path).await;
    assert_eq!(reply.ids(), ["p001"]);
    assert_eq!(reply.link("self").unwrap(), "/Patient?_id=p001");
    let strict = [("prefer", "return=minimal, handling=strict")];
    for wrong in ["_include=Patient:organization", "colour=blue", "_sort=colour", "_summary=true"] {
        let reply = server.get_with(&format!("/Patient?{wrong}"), &strict).await;
        assert_refused(&reply, StatusCode::BAD_REQUEST);
    }
    let reply = server.get_with("/Patient?name=a&_sort=name&_count=5", &strict).await;
    assert_eq!(reply.status, StatusCode::OK);
    // A modifier changes what is asked: it is never left out.
    assert_refused(&server.get("/Patient?name:missing=true").await, StatusCode::BAD_REQUEST);
    assert_refused(&server.get("/Observation?code:in=x").await, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_posted_search_finds_the_same() {
    let server = with_system("system/*.rs");
    let posted = server.post("/Observation/_search?_count=5", "patient=p001&_sort=-date").await;
    let got = server.get("/Observation?_count=5&patient=p001&_sort=-date").await;
    assert_eq!(posted.status, StatusCode::OK);
    assert_eq!(posted.text, got.text);
    let long = server.post("/Observation/_search", "a".repeat(65 * 1024)).await;
    assert_refused(&long, StatusCode::PAYLOAD_TOO_LARGE);
    let request = Request::post("/fhir/Observation/_search")
        .header("authorization", format!("Bearer {TOKEN}"))
        .header("content-type", "application/json");
    let reply = server.send(request.body("{}".into()).unwrap()).await;
    assert_refused(&reply, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn a_type_without_resources_is_an_empty_list_and_no_type_is_not_found() {
    let server = with_system("system/*.rs");
    let reply = server.get("/DiagnosticReport?patient=p001").await;
    assert_eq!(reply.json()["total"], 0);
    assert_refused(&server.get("/DiagnosticReport/1").await, StatusCode::NOT_FOUND);
    for elsewhere in ["/Nonsense", "/", "/$export", "/Patient/p001/$everything", "/patient"] {
        assert_refused(&server.get(elsewhere).await, StatusCode::NOT_FOUND);
    }
}

/// What an authorization server asks on behalf of its patient picker.
#[tokio::test]
async fn a_directory_is_searched_by_post_and_read_page_by_page() {
    let server = with_system("system/Patient.rs system/RelatedPerson.rs system/CareTeam.rs system/Encounter.rs");
    let first = server.post("/Patient/_search", "general-practitioner=Practitioner/prac-larkspur&_sort=name&_count=20").await;
    assert_eq!(first.json()["total"], 27);
    let second = server.get(&first.link("next").unwrap()).await;
    assert_eq!((first.ids().len(), second.ids().len(), second.link("next")), (20, 7, None));
    assert!(first.ids().iter().all(|id| !second.ids().contains(id)));

    let parent = WORLD.people().into_iter().find(|p| p.fhir_user.starts_with("Related")).unwrap();
    let own = WORLD.get("RelatedPerson", parent.fhir_user.split_once('/').unwrap().1).unwrap();
    let identifier = &own["identifier"][0];
    let form = format!("identifier={}|{}", identifier["system"].as_str().unwrap(), identifier["value"].as_str().unwrap());
    let children: Vec<Value> = server.post("/RelatedPerson/_search", form).await.json()["entry"].as_array().unwrap().clone();
    let children: Vec<&str> = children.iter().filter_map(|entry| entry["resource"]["patient"]["reference"].as_str()).collect();
    assert_eq!(children, parent.opens.iter().map(|id| format!("Patient/{id}")).collect::<Vec<_>>());

    let team = server.post("/CareTeam/_search", "participant=Practitioner/prac-fernsby&patient=Patient/p001").await;
    assert_eq!(team.json()["total"], 1);
    let nobodys = server.post("/CareTeam/_search", "participant=Practitioner/prac-newleaf&patient=Patient/p001").await;
    assert_eq!(nobodys.json()["total"], 0);
    let encounters = server.post("/Encounter/_search", "patient=Patient/p001&_sort=-date").await.json();
    assert_eq!(encounters["entry"][0]["resource"]["status"], "in-progress");
    assert_eq!(encounters["entry"][1]["resource"]["status"], "finished");
}

#[tokio::test]
async fn every_type_that_us_core_names_can_be_searched() {
    let server = with_patient("patient/*.rs", "p001");
    for kind in [
        "Patient",
        "AllergyIntolerance",
        "CarePlan",
        "CareTeam",
        "Condition",
        "Coverage",
        "DiagnosticReport",
        "DocumentReference",
        "Encounter",
        "Goal",
        "Immunization",
        "Location",
        "MedicationDispense",
        "MedicationRequest",
        "Observation",
        "Organization",
        "Practitioner",
        "Procedure",
        "Provenance",
        "RelatedPerson",
        "ServiceRequest",
        "Specimen",
    ] {
        let by = if matches!(kind, "Location" | "Organization" | "Patient" | "Practitioner") { "" } else { "?patient=p001" };
        let reply = server.get(&format!("/{kind}{by}")).await;
        assert_eq!(reply.status, StatusCode::OK, "{kind}: {}", reply.text);
        // Nothing held or not: a search in somebody else's name is refused.
        if !by.is_empty() {
            assert_refused(&server.get(&format!("/{kind}?patient=p002")).await, StatusCode::FORBIDDEN);
        }
    }
}
