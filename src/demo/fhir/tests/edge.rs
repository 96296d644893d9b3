//! What is public, and how everything is said.

use super::*;

#[tokio::test]
async fn metadata_is_public_and_says_what_this_is() {
    let server = with_system("system/*.rs");
    let reply = server.request(Method::GET, "/metadata", &[]).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.header("content-type"), "application/fhir+json");
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert!(server.events.lock().unwrap().is_empty());

    let statement = reply.json();
    let description = statement["implementation"]["description"].as_str().unwrap();
    assert!(description.contains("not a FHIR server for production"));
}

/// SMART App Launch 1.0.0: the same endpoints in both places, and what is absent in one is absent
/// in the other.
#[tokio::test]
async fn metadata_repeats_the_endpoints_of_the_smart_configuration() {
    let server = with_system("system/*.rs");
    let security =
        server.request(Method::GET, "/metadata", &[("origin", "https://app.example")]).await.json()["rest"][0]["security"].clone();
    assert_eq!(security["service"][0]["coding"][0]["code"], "SMART-on-FHIR");
    let uris = &security["extension"][0];
    assert_eq!(uris["url"], "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris");
    let found: Vec<(&str, &str)> =
        uris["extension"].as_array().unwrap().iter().map(|uri| (uri["url"].as_str().unwrap(), uri["valueUri"].as_str().unwrap())).collect();
    let expected = [
        ("authorize", "http://127.0.0.1:8080/authorize"),
        ("token", "http://127.0.0.1:8080/token"),
        ("manage", "http://127.0.0.1:8080/account/apps"),
        ("introspect", "http://127.0.0.1:8080/introspect"),
    ];
    assert_eq!(found, expected);

    for unknown in [None, Some(b"not JSON".to_vec())] {
        let reply = Server::with_discovery(json!({}), unknown).request(Method::GET, "/metadata", &[]).await;
        assert_refused(&reply, StatusCode::SERVICE_UNAVAILABLE);
    }
}

#[tokio::test]
async fn every_parameter_that_metadata_lists_is_understood() {
    let server = with_system("system/*.rs");
    let statement = server.request(Method::GET, "/metadata", &[]).await.json();
    let strict = [("prefer", "handling=strict")];
    for resource in statement["rest"][0]["resource"].as_array().unwrap() {
        let kind = resource["type"].as_str().unwrap();
        for parameter in resource["searchParam"].as_array().unwrap() {
            let name = parameter["name"].as_str().unwrap();
            let value = if parameter["type"] == "date" { "ge1900" } else { "x" };
            let path = format!("/{kind}?{name}={value}");
            let reply = server.get_with(&path, &strict).await;
            assert_eq!(reply.status, StatusCode::OK, "{path}");
            if parameter["type"] == "date" {
                assert!(reply.json()["total"].as_u64().unwrap() > 0, "{path} finds nothing");
            }
        }
    }
}

#[tokio::test]
async fn the_smart_configuration_is_passed_on_byte_for_byte() {
    let server = with_system("system/*.rs");
    let path = "/.well-known/smart-configuration";
    let reply = server.request(Method::GET, path, &[]).await;
    assert_eq!(reply.text, DISCOVERY);
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("access-control-allow-origin"), "*");

    let server = Server::with_discovery(json!({}), None);
    let reply = server.request(Method::GET, path, &[]).await;
    assert_refused(&reply, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_preflight_needs_no_token() {
    let server = with_system("system/*.rs");
    for path in ["/metadata", "/Patient", "/Patient/p001", "/Patient/_search", "/nowhere/at/all"] {
        let headers = [
            ("origin", "https://app.example"),
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", "authorization"),
        ];
        let reply = server.request(Method::OPTIONS, path, &headers).await;
        assert_eq!(reply.status, StatusCode::NO_CONTENT, "{path}");
        assert_eq!(reply.header("access-control-allow-origin"), "*");
        assert!(reply.header("access-control-allow-headers").contains("Authorization"));
        assert_eq!(reply.header("access-control-allow-credentials"), "");
    }
    assert!(server.events.lock().unwrap().is_empty());
}

#[tokio::test]
async fn only_json_is_spoken() {
    let server = with_system("system/*.rs");
    let accept = |value| [("accept", value)];
    for fine in ["application/fhir+json", "application/json;q=0.9", "text/html, */*;q=0.8"] {
        let reply = server.get_with("/Patient/p001", &accept(fine)).await;
        assert_eq!(reply.status, StatusCode::OK, "{fine}");
        assert_eq!(reply.header("content-type"), "application/fhir+json");
    }
    let xml = accept("application/fhir+xml");
    assert_refused(&server.get_with("/Patient/p001", &xml).await, StatusCode::NOT_ACCEPTABLE);
    assert_refused(&server.get("/Patient/p001?_format=xml").await, StatusCode::NOT_ACCEPTABLE);
    assert_refused(&server.get("/metadata?_format=xml").await, StatusCode::NOT_ACCEPTABLE);
    let reply = server.get_with("/Patient/p001?_format=json", &xml).await;
    assert_eq!(reply.status, StatusCode::OK, "_format rules");
}

#[tokio::test]
async fn the_public_pages_can_only_be_read() {
    let server = with_system("system/*.rs");
    let reply = server.request(Method::POST, "/metadata", &[]).await;
    assert_refused(&reply, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_record_is_not_kept_on_the_way() {
    let server = with_system("system/*.rs");
    let reply = server.get("/Patient/p001").await;
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("etag"), r#"W/"1""#);
    assert_eq!(reply.json()["id"], "p001");
}
