//! Group 1.1, 2.1, 3.1 and 4.1.1 of the suites, and what (g)(10) wants to see in the document.

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;

use super::{HOST, Inferno, text};
use crate::support::FHIR1;

fn claims(document: &Value, capability: &str) -> bool {
    document["capabilities"].as_array().expect("a list").iter().any(|own| own == capability)
}

/// `well_known_endpoint`, STU1 `Test01`: whatever is accepted.
#[tokio::test]
async fn the_configuration_is_json_under_the_fhir_base() {
    for version in ["1.0", "2.0", "2.1", "2.2"] {
        let inferno = Inferno::facing(version).await;
        for accept in ["application/json", "text/html", "application/fhir+json"] {
            let request = Request::get(format!("{FHIR1}/.well-known/smart-configuration")).header("accept", accept);
            let reply = inferno.http(request, Body::empty()).await;
            assert_eq!(reply.status.as_u16(), 200, "{version} {accept}");
            assert!(reply.header("content-type").starts_with("application/json"), "{version} {accept}");
            assert!(reply.json().is_object());
        }
    }
}

/// `well_known_capabilities_stu1` (STU1 `Test02`), `well_known_capabilities_stu2`
#[tokio::test]
async fn the_configuration_has_the_fields_of_its_version() {
    for version in ["1.0", "2.0", "2.1", "2.2"] {
        let document = Inferno::facing(version).await.configuration().await;
        for endpoint in ["authorization_endpoint", "token_endpoint"] {
            assert!(url::Url::parse(text(&document, endpoint)).is_ok(), "{endpoint} is absolute");
        }
        let capabilities = document["capabilities"].as_array().expect("a list");
        assert!(!capabilities.is_empty() && capabilities.iter().all(Value::is_string));
        let has = |list: &str, word: &str| document[list].as_array().expect("a list").iter().any(|own| own == word);
        assert!(has("grant_types_supported", "authorization_code") && has("grant_types_supported", "client_credentials"));
        assert!(has("code_challenge_methods_supported", "S256") && !has("code_challenge_methods_supported", "plain"));
        assert!(claims(&document, "sso-openid-connect"));
        assert!(document["issuer"].is_string() && document["jwks_uri"].is_string());
    }
}

/// STU1 `Test03` and `Test04`: the CapabilityStatement names the same endpoints, and those that the one lacks
/// the other lacks too.
#[tokio::test]
async fn the_capability_statement_and_the_configuration_agree() {
    let inferno = Inferno::facing("1.0").await;
    let document = inferno.configuration().await;
    let statement = inferno.fhir("metadata", None).await.json();
    let security = &statement["rest"][0]["security"];
    assert_eq!(security["service"][0]["coding"][0]["code"], "SMART-on-FHIR");
    let extensions = security["extension"].as_array().expect("extensions");
    let uris = extensions
        .iter()
        .find(|own| own["url"] == "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris")
        .expect("oauth-uris");
    for (name, member) in [
        ("authorize", "authorization_endpoint"),
        ("token", "token_endpoint"),
        ("register", "registration_endpoint"),
        ("manage", "management_endpoint"),
        ("introspect", "introspection_endpoint"),
        ("revoke", "revocation_endpoint"),
    ] {
        let stated = uris["extension"].as_array().expect("a list").iter().find(|own| own["url"] == name);
        assert_eq!(stated.map(|own| &own["valueUri"]), document.get(member), "{name}");
    }
}

/// `smart_cors_well_known_endpoint`, `smart_cors_metadata_request`
#[tokio::test]
async fn any_page_may_read_configuration_and_capability_statement() {
    let inferno = Inferno::start().await;
    for path in [".well-known/smart-configuration", "metadata"] {
        let reply = inferno.fhir(path, None).await;
        assert!(["*", HOST].contains(&reply.header("access-control-allow-origin")), "{path}");
    }
}

/// `g10_smart_well_known_capabilities` of groups 1 and 9.22
#[tokio::test]
async fn the_capabilities_of_the_standalone_group_are_claimed() {
    for version in ["2.0", "2.2"] {
        let document = Inferno::facing(version).await.configuration().await;
        for capability in [
            "launch-standalone",
            "authorize-post",
            "client-public",
            "client-confidential-symmetric",
            "sso-openid-connect",
            "context-standalone-patient",
            "permission-offline",
            "permission-patient",
            "permission-v1",
        ] {
            assert!(claims(&document, capability), "{version}: {capability}");
        }
    }
}
