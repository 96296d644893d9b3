//! Group 1.3 and 2.3 of the suites: OpenID Connect.

use admit::token::from_base64url;
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use axum::body::Body;
use axum::http::Request;
use serde_json::Value;

use super::{DOCTOR, HOST, Inferno, PUBLIC, text};
use crate::support::FHIR1;
use crate::support::visit::claims;

const SCOPE: &str = "launch/patient openid fhirUser offline_access patient/Patient.rs";

async fn get(inferno: &Inferno, url: &str) -> Value {
    let reply = inferno.http(Request::get(url).header("origin", HOST), Body::empty()).await;
    assert_eq!(reply.status.as_u16(), 200, "{url}");
    assert!(reply.header("content-type").starts_with("application/json"), "{url}");
    assert_eq!(reply.header("access-control-allow-origin"), "*", "{url}");
    reply.json()
}

/// RS256, by hand: what signs here has no part in it.
fn is_signed_by(token: &str, key: &Value) -> bool {
    let (message, signature) = token.rsplit_once('.').expect("three parts");
    let part = |text: &str| from_base64url(text).expect("base64url");
    let key = RsaPublicKeyComponents { n: part(text(key, "n")), e: part(text(key, "e")) };
    key.verify(&RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &part(signature)).is_ok()
}

/// `smart_openid_decode_id_token`, `smart_openid_retrieve_configuration`,
/// `smart_openid_required_configuration_fields`, `smart_openid_retrieve_jwks`, `smart_openid_token_header`,
/// `smart_openid_token_payload`
#[tokio::test]
async fn the_id_token_can_be_verified_from_its_issuer_on() {
    let inferno = Inferno::start().await;
    let tokens = inferno.launch(PUBLIC, SCOPE, DOCTOR).await;
    let id_token = text(&tokens, "id_token");
    let issuer = text(&claims(id_token), "iss").to_owned();
    let configuration = get(&inferno, &format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))).await;
    assert_eq!(text(&configuration, "issuer"), issuer);
    assert_eq!(text(&inferno.configuration().await, "issuer"), issuer);
    for required in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
        assert!(configuration[required].is_string(), "{required}");
    }
    for required in ["response_types_supported", "subject_types_supported", "id_token_signing_alg_values_supported"] {
        assert!(configuration[required].as_array().is_some_and(|list| !list.is_empty()), "{required}");
    }
    assert!(configuration["id_token_signing_alg_values_supported"].as_array().expect("a list").iter().any(|own| own == "RS256"));

    let keys = get(&inferno, text(&configuration, "jwks_uri")).await;
    let header = from_base64url(id_token.split('.').next().expect("a header")).expect("base64url");
    let header: Value = serde_json::from_slice(&header).expect("JSON");
    assert_eq!(text(&header, "alg"), "RS256");
    let key = keys["keys"].as_array().expect("keys").iter().find(|key| key["kid"] == header["kid"]).expect("the key of the header's kid");
    assert!(text(key, "kty") == "RSA" && key["n"].is_string() && key["e"].is_string(), "a bare JWK: {key}");
    assert!(is_signed_by(id_token, key), "the signature is not the key's");
    assert!(!is_signed_by(&id_token.replacen('.', ".e", 1), key), "the check can fail");

    let now = inferno.app.clock.now().unix_timestamp();
    let claims = claims(id_token);
    assert_eq!(claims["aud"], PUBLIC);
    assert!(claims["exp"].as_i64().expect("a number") > now && claims["iat"].as_i64().expect("a number") <= now);
    let sub = text(&claims, "sub");
    assert!((1..=255).contains(&sub.len()) && sub.is_ascii());
}

/// `smart_openid_fhir_user_claim`, `smart_cors_openid_fhir_user_claim`
#[tokio::test]
async fn the_user_is_a_resource_that_the_token_may_read() {
    let inferno = Inferno::start().await;
    let tokens = inferno.launch(PUBLIC, SCOPE, DOCTOR).await;
    let claims = claims(text(&tokens, "id_token"));
    let path = text(&claims, "fhirUser").strip_prefix(&format!("{FHIR1}/")).expect("an absolute URL below the FHIR base");
    let (kind, id) = path.split_once('/').expect("a reference");
    assert!(["Patient", "Practitioner", "RelatedPerson", "Person"].contains(&kind));
    let reply = inferno.fhir(path, Some(text(&tokens, "access_token"))).await;
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.body);
    assert_eq!((text(&reply.json(), "resourceType"), text(&reply.json(), "id")), (kind, id));
    assert!(["*", HOST].contains(&reply.header("access-control-allow-origin")));
}
