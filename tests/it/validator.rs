//! The validator that HealthLake calls: what it is sent, what it answers, where its keys come from.

mod algorithms;
mod contract;
mod explanation;
mod fetch;
pub mod gateway;
mod introspection;
pub mod journal;
mod profiles;
mod property;
mod trusts;

use admit::token::Algorithm;
use admit::validate::{KeySource, Profile, Trust, Validator};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::jose::assert_refused;
use crate::support::{Forge, ISSUER, genuine_claims};

pub const ENDPOINT: &str = "https://fhir.test/r4/";
pub const ROLE: &str = "arn:aws:iam::123456789012:role/smart";
pub const READER: &str = "arn:aws:iam::123456789012:role/smart-read-only";

/// The time of every test here.
pub fn noon() -> OffsetDateTime {
    time::macros::datetime!(2026-11-22 12:00 UTC)
}

pub fn trust() -> Trust {
    Trust {
        tenant: Some("default".to_owned()),
        datastores: vec![ENDPOINT.to_owned()],
        read_only_role: Some(READER.to_owned()),
        ..Trust::new(ISSUER, Profile::Admit, ROLE)
    }
}

pub fn event(token: &str) -> Value {
    json!({ "datastoreEndpoint": ENDPOINT, "operationName": "ReadResource", "bearerToken": token })
}

/// A key that it trusts, and a validator.
fn stage() -> (Forge, Validator) {
    let forge = Forge::new(Algorithm::Es256);
    let validator = Validator::new(trust(), KeySource::embedded(forge.jwks()));
    (forge, validator)
}

fn good(forge: &Forge) -> String {
    forge.access_token(&genuine_claims(noon().unix_timestamp()))
}

fn scoped(forge: &Forge, scope: &str) -> String {
    let mut claims = genuine_claims(noon().unix_timestamp());
    claims["scope"] = json!(scope);
    forge.access_token(&claims)
}

/// LM-01
#[tokio::test]
async fn a_good_token_is_answered_with_its_own_claims_and_a_role() {
    let (forge, validator) = stage();
    let now = noon().unix_timestamp();
    let expected = json!({
        "authPayload": {
            "iss": ISSUER, "aud": ENDPOINT, "iat": now, "nbf": now, "exp": now + 600, "isAuthorized": "true",
            "uid": "u-dr.a", "sub": "u-dr.a", "client_id": "spa", "scope": "openid launch/patient patient/*.rs", "tenant": "default",
            "jti": "synthetic-jti", "patient": "p1", "launch_response_patient": "Patient/p1",
        },
        "iamRoleARN": READER,
    });
    assert_eq!(validator.answer(&event(&good(&forge)), noon()).await, expected);
}

/// LM-01: who may only read gets the role that may only read.
#[tokio::test]
async fn the_role_follows_the_scopes() {
    let (forge, validator) = stage();
    for (scope, role) in [
        ("patient/*.rs", READER),
        ("patient/Patient.read user/Observation.rs", READER),
        ("patient/*.rs patient/Observation.c", ROLE),
        ("user/*.*", ROLE),
        ("user/*.write", ROLE),
        ("system/*.d", ROLE),
    ] {
        assert_eq!(validator.answer(&event(&scoped(&forge, scope)), noon()).await["iamRoleARN"], role, "{scope}");
    }
    let one_role = Validator::new(Trust { read_only_role: None, ..trust() }, KeySource::embedded(forge.jwks()));
    assert_eq!(one_role.answer(&event(&good(&forge)), noon()).await["iamRoleARN"], ROLE);
}

#[tokio::test]
async fn is_authorized_is_a_boolean_where_that_is_wanted() {
    let (forge, _) = stage();
    let validator = Validator::new(trust(), KeySource::embedded(forge.jwks())).answering_with_boolean(true);
    assert_eq!(validator.answer(&event(&good(&forge)), noon()).await["authPayload"]["isAuthorized"], true);
    assert_eq!(validator.answer(&event("x"), noon()).await["authPayload"]["isAuthorized"], false);
}

/// LM-03
#[tokio::test]
async fn an_event_that_is_none_is_refused() {
    let (forge, validator) = stage();
    let token = good(&forge);
    let missing = "Missing required fields: datastoreEndpoint, operationName, bearerToken";
    for field in ["datastoreEndpoint", "operationName", "bearerToken"] {
        let mut event = event(&token);
        event.as_object_mut().expect("an object").remove(field);
        assert_eq!(validator.answer(&event, noon()).await["authPayload"]["error"], missing, "without {field}");
        for value in [json!(null), json!(5), json!(true), json!([token]), json!({ field: token })] {
            event[field] = value;
            assert_refused(&event.to_string(), &validator.answer(&event, noon()).await);
        }
    }
    for event in [json!({}), json!([]), json!([event(&token)]), json!("x"), json!(null), json!(5)] {
        assert_eq!(validator.answer(&event, noon()).await["authPayload"]["error"], missing, "{event}");
    }
    let mut large = event(&token);
    large["bearerToken"] = json!("x".repeat(6 << 20));
    assert_refused("6 MB", &validator.answer(&large, noon()).await);
}

/// LM-03: fields that HealthLake sends besides, or will one day.
#[tokio::test]
async fn unknown_fields_and_operations_are_no_trouble() {
    let (forge, validator) = stage();
    let mut event = event(&good(&forge));
    event["datastoreId"] = json!("7b4ecba72dc7fef0b302931ab19d5f32");
    event["somethingNew"] = json!({ "deep": [1, 2, null] });
    for operation in ["SearchWithPost", "StartFHIRExportJobWithPost", "AnOperationOfTomorrow", ""] {
        event["operationName"] = json!(operation);
        assert_eq!(validator.answer(&event, noon()).await["authPayload"]["isAuthorized"], "true", "{operation}");
    }
}

/// LM-04
#[tokio::test]
async fn one_bearer_before_the_token_is_taken_off_and_nothing_else() {
    let (forge, validator) = stage();
    let token = good(&forge);
    for prefix in ["", "Bearer ", "bearer ", "BEARER "] {
        let answer = validator.answer(&event(&format!("{prefix}{token}")), noon()).await;
        assert_eq!(answer["authPayload"]["isAuthorized"], "true", "{prefix:?}");
    }
    for spoilt in [
        format!(" {token}"),
        format!("{token} "),
        format!("Bearer  {token}"),
        format!("Bearer Bearer {token}"),
        format!("Bearer\t{token}"),
        format!("Basic {token}"),
        format!("{token}\n"),
        format!("{token}\r\n{token}"),
        format!("\"{token}\""),
        format!("'{token}'"),
        format!("{token}\u{0}"),
        format!("{token}\u{200b}"),
        format!("DPoP {token}"),
        "Bearer ".to_owned(),
        "Bearer".to_owned(),
        String::new(),
        " ".to_owned(),
        "null".to_owned(),
        "undefined".to_owned(),
        "é".repeat(4),
    ] {
        assert_refused(&format!("{spoilt:?}"), &validator.answer(&event(&spoilt), noon()).await);
    }
}

/// LM-06
#[tokio::test]
async fn only_the_data_stores_that_it_was_set_up_for_are_served() {
    let (forge, validator) = stage();
    let ask = async |validator: &Validator, endpoint: &str, aud: &str| {
        let mut claims = genuine_claims(noon().unix_timestamp());
        claims["aud"] = json!(aud);
        let mut event = event(&forge.access_token(&claims));
        event["datastoreEndpoint"] = json!(endpoint);
        validator.answer(&event, noon()).await
    };
    // With and without the slash: the answer's audience is the event's, byte for byte.
    for endpoint in [ENDPOINT, ENDPOINT.trim_end_matches('/')] {
        for aud in [ENDPOINT, ENDPOINT.trim_end_matches('/')] {
            assert_eq!(ask(&validator, endpoint, aud).await["authPayload"]["aud"], endpoint);
        }
    }
    for endpoint in [
        "https://other.test/r4/",
        "HTTPS://FHIR.TEST/r4/",
        "https://fhir.test/R4/",
        "https://fhir.test@evil.test/r4/",
        "https://user@fhir.test/r4/",
        "https://fhir.test/r4//",
        "https://fhir.test/r4/Patient",
        "https://fhir.test/",
        "https://fhir.test:443/r4/",
        "https://fhir.test./r4/",
        "http://fhir.test/r4/",
        " https://fhir.test/r4/",
        "",
        "/",
    ] {
        // Even where the token names the very same audience.
        assert_refused(endpoint, &ask(&validator, endpoint, endpoint).await);
        assert_refused(endpoint, &ask(&validator, endpoint, ENDPOINT).await);
    }
    // Without a list, the token's audience alone decides.
    let any = Validator::new(Trust { datastores: vec![], ..trust() }, KeySource::embedded(forge.jwks()));
    assert_eq!(ask(&any, "https://other.test/r4/", "https://other.test/r4/").await["authPayload"]["isAuthorized"], "true");
    assert_refused("another's token", &ask(&any, "https://other.test/r4/", ENDPOINT).await);
}

/// LM-09
#[tokio::test]
async fn a_patient_scope_without_a_patient_is_refused() {
    let (forge, validator) = stage();
    let mut claims = genuine_claims(noon().unix_timestamp());
    claims.as_object_mut().expect("an object").remove("patient");
    for (scope, is_fine) in
        [("patient/*.rs", false), ("user/*.rs patient/Observation.r", false), ("user/*.rs", true), ("system/*.rs", true)]
    {
        claims["scope"] = json!(scope);
        let answer = validator.answer(&event(&forge.access_token(&claims)), noon()).await;
        assert_eq!(answer["authPayload"]["isAuthorized"], if is_fine { "true" } else { "false" }, "{scope}");
    }
}

/// LM-10
#[tokio::test]
async fn a_token_of_more_than_8_kib_is_refused() {
    let (forge, validator) = stage();
    let mut claims = genuine_claims(noon().unix_timestamp());
    claims["padding"] = json!("x".repeat(6000));
    let long = forge.access_token(&claims);
    assert!(long.len() > 8192 && long.len() < 9000);
    assert_eq!(validator.answer(&event(&long), noon()).await["authPayload"]["error"], "the token is too long");
}
