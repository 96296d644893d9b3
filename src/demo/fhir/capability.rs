//! What the stand-in says that it can do.

use serde_json::{Value, json};

use super::StandIn;
use super::parameter;
use super::reply::FHIR_JSON;

const WHAT_IT_IS: &str = "A stand-in for demonstrations and tests, with synthetic records only. \
                          It is not a FHIR server for production: read-only, and without most of \
                          what FHIR asks for.";

/// The CapabilityStatement.
///
/// The types of which there is nothing are not listed, although a search for some of them
/// answers with an empty list.
///
/// `configuration` is the SMART configuration: its endpoints are repeated here.
pub fn statement(here: &StandIn, configuration: &Value) -> Value {
    let types: Vec<Value> = here.world.types().iter().map(|kind| resource(kind)).collect();
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "experimental": true,
        "date": (here.clock)().date().to_string(),
        "kind": "instance",
        "software": {
            "name": "Admit's FHIR stand-in (for demonstrations and tests)",
            "version": env!("CARGO_PKG_VERSION"),
        },
        "implementation": { "description": WHAT_IT_IS, "url": here.base },
        "fhirVersion": "4.0.1",
        "format": [FHIR_JSON, "json"],
        "rest": [{
            "mode": "server",
            "documentation": "Every request but this one needs a bearer token.",
            "security": security(configuration),
            "resource": types,
        }],
    })
}

/// The endpoints of SMART App Launch 1.0.0, as it names them and as the SMART configuration does.
const ENDPOINTS: [(&str, &str); 6] = [
    ("authorize", "authorization_endpoint"),
    ("token", "token_endpoint"),
    ("register", "registration_endpoint"),
    ("manage", "management_endpoint"),
    ("introspect", "introspection_endpoint"),
    ("revoke", "revocation_endpoint"),
];

/// Apps of SMART App Launch 1.0.0 look for the endpoints here. What the SMART configuration does
/// not name is not there either.
fn security(configuration: &Value) -> Value {
    let uri = |(name, field): (&str, &str)| configuration[field].as_str().map(|url| json!({ "url": name, "valueUri": url }));
    let uris: Vec<Value> = ENDPOINTS.into_iter().filter_map(uri).collect();
    json!({
        "cors": true,
        "service": [{
            "coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                "code": "SMART-on-FHIR",
            }],
            "text": "OAuth 2.0 with SMART App Launch",
        }],
        "extension": [{
            "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
            "extension": uris,
        }],
    })
}

fn resource(kind: &str) -> Value {
    let parameters: Vec<Value> =
        parameter::of(kind).iter().map(|parameter| json!({ "name": parameter.name, "type": parameter.kind.code() })).collect();
    json!({
        "type": kind,
        "interaction": [{ "code": "read" }, { "code": "search-type" }],
        "versioning": "no-version",
        "searchParam": parameters,
    })
}
