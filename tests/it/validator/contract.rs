//! The answer in HealthLake's own terms: which fields there are, of which types, and that scopes stay as they were.

use admit::token::Algorithm;
use admit::validate::{KeySource, Profile, Trust, Validator};
use serde_json::{Value, json};

use super::{ENDPOINT, ROLE, event, noon, stage};
use crate::jose::assert_refused;
use crate::support::{Forge, ISSUER, genuine_claims};

async fn answer(validator: &Validator, forge: &Forge, changes: &[(&str, Value)]) -> Value {
    let mut claims = genuine_claims(noon().unix_timestamp());
    for (name, value) in changes {
        claims[name] = value.clone();
    }
    validator.answer(&event(&forge.access_token(&claims)), noon()).await
}

/// HealthLake reads the query of a scope; what it gets has to be what was granted, byte for byte.
#[tokio::test]
async fn scopes_are_passed_on_byte_for_byte() {
    let (forge, validator) = stage();
    let two_hundred: Vec<String> = (0..200).map(|i| format!("patient/Observation.rs?code={i:03}")).collect();
    let long = two_hundred[..140].join(" ");
    let short = vec!["user/Patient.rs"; 200].join(" ");
    for scope in [
        "patient/Observation.rs?category=laboratory&status=final",
        "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory openid",
        "openid fhirUser launch/patient patient/*.rs offline_access something-of-their-own",
        // Neither sorted nor joined nor put in order.
        "user/Observation.s user/Observation.r user/Observation.r",
        " user/*.rs",
        "user/*.rs ",
        "user/*.rs  openid",
        "user/*.read user/*.rs",
        &long,
        &short,
    ] {
        let answer = answer(&validator, &forge, &[("scope", json!(scope))]).await;
        assert_eq!(answer["authPayload"]["scope"], scope, "{answer}");
    }
}

/// What every program that reads the answer of the usual function finds in it, in the types that it has there.
#[tokio::test]
async fn the_usual_fields_are_there_in_their_usual_types() {
    let (forge, validator) = stage();
    let now = noon().unix_timestamp();
    let answer = answer(&validator, &forge, &[("nbf", json!(now - 3)), ("iat", json!(now - 2))]).await;
    let payload = &answer["authPayload"];
    for name in ["iss", "aud", "isAuthorized", "uid", "scope"] {
        assert!(payload[name].is_string(), "{name}: {payload}");
    }
    for name in ["iat", "nbf", "exp"] {
        assert!(payload[name].is_i64(), "{name}: {payload}");
    }
    assert_eq!((&payload["nbf"], &payload["iat"], &payload["exp"]), (&json!(now - 3), &json!(now - 2), &json!(now + 600)));
    assert_eq!(answer.as_object().expect("an object").len(), 2, "authPayload and iamRoleARN: {answer}");
}

/// An audience in a list is as good as one alone; the answer names the data store that was asked for, and no other.
#[tokio::test]
async fn an_audience_may_stand_in_a_list() {
    let generic = Trust { datastores: vec![ENDPOINT.to_owned()], ..Trust::new(ISSUER, Profile::Generic, ROLE) };
    let forge = Forge::new(Algorithm::Es256);
    let validator = Validator::new(generic, KeySource::embedded(forge.jwks()));
    let list = json!(["https://elsewhere.test/", ENDPOINT]);
    let good = answer(&validator, &forge, &[("aud", list)]).await;
    assert_eq!(good["authPayload"]["aud"], ENDPOINT);
    assert_refused("a list of others", &answer(&validator, &forge, &[("aud", json!(["https://elsewhere.test/"]))]).await);
}

/// The records of one person must not become those of all because nobody said whose they are.
#[tokio::test]
async fn a_scope_that_only_begins_like_a_patients_needs_a_patient_too() {
    let (forge, validator) = stage();
    for odd in ["patient/Observation.sr", "patient/*.rs?category=LAB", "patient/*.admin"] {
        let scope = json!(format!("user/Observation.rs {odd}"));
        let mut claims = genuine_claims(noon().unix_timestamp());
        claims["scope"] = scope.clone();
        for name in ["patient", "launch_response_patient"] {
            claims.as_object_mut().expect("an object").remove(name);
        }
        assert_refused(odd, &validator.answer(&event(&forge.access_token(&claims)), noon()).await);
        assert_eq!(answer(&validator, &forge, &[("scope", scope.clone())]).await["authPayload"]["scope"], scope);
    }
}
