//! Who is let in.

use super::*;

#[tokio::test]
async fn without_a_token_nobody_asks_the_validator() {
    let server = with_system("system/*.rs");
    for headers in [
        &[][..],
        &[("authorization", "Basic YTpi")],
        &[("authorization", "Bearer ")],
        &[("authorization", "Bearer a"), ("authorization", "Bearer b")],
    ] {
        let reply = server.request(Method::GET, "/Patient/p001", headers).await;
        assert_refused(&reply, StatusCode::UNAUTHORIZED);
        assert_eq!(reply.header("www-authenticate"), "Bearer");
    }
    assert!(server.events.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_validator_is_asked_in_healthlakes_words() {
    let server = with_system("system/*.rs");
    let headers = [("authorization", format!("bearer {TOKEN}"))];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let reply = server.request(Method::GET, "/Patient/p001", &headers).await;
    assert_eq!(reply.status, StatusCode::OK);
    server.post("/Patient/_search", "name=ada").await;
    server.request(Method::DELETE, "/Patient/p001", &headers).await;

    let events = server.events.lock().unwrap();
    let names: Vec<&str> = events.iter().map(|event| event["operationName"].as_str().unwrap()).collect();
    assert_eq!(names, ["ReadResource", "SearchWithPost", "DeleteResource"]);
    assert_eq!(events[0]["bearerToken"], TOKEN);
    assert_eq!(events[0]["datastoreEndpoint"], ENDPOINT);
    assert_eq!(events[0]["datastoreTypeVersion"], "R4");
    assert_eq!(events[0].as_object().unwrap().len(), 6);
}

#[tokio::test]
async fn an_answer_that_is_not_a_whole_yes_is_a_no() {
    let now = NOW.unix_timestamp();
    let good = || yes("system/*.rs", json!({}));
    let changed = |name: &str, value: Value| {
        let mut answer = good();
        answer["authPayload"][name] = value;
        answer
    };
    let mut without_role = good();
    without_role["iamRoleARN"] = json!("");
    for answer in [
        json!({}),
        json!({ "authPayload": { "isAuthorized": "false", "error": "token expired" } }),
        changed("isAuthorized", json!("false")),
        changed("isAuthorized", json!(false)),
        changed("isAuthorized", json!("True")),
        changed("isAuthorized", json!(1)),
        changed("aud", json!("http://localhost:8081/datastore/demo/r4")),
        changed("aud", json!([ENDPOINT])),
        changed("nbf", json!(now + 1)),
        changed("nbf", Value::Null),
        changed("exp", json!(now)),
        changed("exp", json!("later")),
        changed("scope", json!(" ")),
        changed("scope", json!(["system/*.rs"])),
        without_role,
    ] {
        let reply = Server::answering(answer.clone()).get("/Patient/p001").await;
        assert_refused(&reply, StatusCode::UNAUTHORIZED);
        assert_eq!(reply.header("www-authenticate"), r#"Bearer error="invalid_token""#, "{answer}");
    }
    for answer in [good(), changed("isAuthorized", json!(true)), changed("nbf", json!(now))] {
        let reply = Server::answering(answer).get("/Patient/p001").await;
        assert_eq!(reply.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_scope_covers_its_type_and_its_letters_only() {
    let server = with_patient("launch/patient patient/Observation.r patient/Condition.s", "p001");
    assert_eq!(server.get("/Observation/p001-obs-1").await.status, StatusCode::OK);
    assert_eq!(server.get("/Condition?patient=p001").await.status, StatusCode::OK);
    for path in ["/Observation", "/Condition/p001-cond-1", "/Patient/p001", "/Nonsense", "/Goal/1"] {
        let reply = server.get(path).await;
        assert_refused(&reply, StatusCode::FORBIDDEN);
        assert_eq!(reply.header("www-authenticate"), r#"Bearer error="insufficient_scope""#);
    }
}

#[tokio::test]
async fn writing_is_judged_by_scope_and_then_refused() {
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("authorization", bearer.as_str())];
    let reader = with_system("system/*.rs");
    let writer = with_system("system/*.cruds");
    for (method, path) in
        [(Method::POST, "/Patient"), (Method::PUT, "/Patient/p001"), (Method::PATCH, "/Patient/p001"), (Method::DELETE, "/Patient/p001")]
    {
        let reply = reader.request(method.clone(), path, &headers).await;
        assert_refused(&reply, StatusCode::FORBIDDEN);
        let reply = writer.request(method, path, &headers).await;
        assert_refused(&reply, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(reply.json()["issue"][0]["code"], "not-supported");
        assert!(reply.header("allow").contains("GET"));
    }
    assert_eq!(writer.events.lock().unwrap().len(), 4);
}
