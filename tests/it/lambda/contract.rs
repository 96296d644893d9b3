//! The contract with HealthLake, before the running function: what a "yes" and a "no" look like, and which token gets which.

use admit::clock::Clock;
use admit::token::{Algorithm, Rejection, base64url};
use aws_lc_rs::hmac;
use serde_json::{Value, json};

use super::service::Service;
use super::{ENDPOINT, ROLE, bytes, claims, event, refs, settings};
use crate::jose::assert_refused;
use crate::support::{Forge, ISSUER};

/// The answers to these tokens, one after another, each with the line that the log has on it.
async fn answers_and_lines(settings: &[(String, String)], tokens: &[String]) -> Vec<(Value, Value)> {
    let mut service = Service::start(tokens.iter().map(|token| bytes(&event(token))).collect()).await;
    let function = service.run(&refs(settings));
    let mut answers = vec![];
    for _ in tokens {
        answers.push(service.answer().await);
    }
    let lines = function.lines();
    assert_eq!(lines.len(), tokens.len());
    answers.into_iter().zip(lines).collect()
}

async fn answers(settings: &[(String, String)], tokens: &[String]) -> Vec<Value> {
    answers_and_lines(settings, tokens).await.into_iter().map(|(answer, _)| answer).collect()
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().expect("an object").remove(name);
    claims
}

#[tokio::test]
async fn a_yes_has_the_documented_members_in_their_documented_types() {
    let forge = Forge::new(Algorithm::Es256);
    let many = vec!["patient/Observation.rs"; 200].join(" ");
    let scopes = ["openid launch/patient patient/*.rs", "patient/Observation.rs?category=laboratory&status=final", "system/*.*", &many];
    let tokens: Vec<String> = scopes.iter().map(|scope| forge.access_token(&with("scope", json!(scope)))).collect();
    for (answer, scope) in answers(&settings(&forge), &tokens).await.iter().zip(scopes) {
        let times =
            ["iat", "nbf", "exp"].map(|name| answer["authPayload"][name].as_i64().unwrap_or_else(|| panic!("no whole seconds: {answer}")));
        let now = Clock::System.now().unix_timestamp();
        assert!(times[0] == times[1] && (now - 60..=now).contains(&times[0]) && times[2] == times[0] + 600, "{answer}");
        let expected = json!({
            "authPayload": {
                "iss": ISSUER, "aud": ENDPOINT, "iat": times[0], "nbf": times[1], "exp": times[2], "isAuthorized": "true",
                "uid": "u-dr.a", "sub": "u-dr.a", "client_id": "spa", "scope": scope, "tenant": "default", "jti": "synthetic-jti",
                "patient": "p1", "launch_response_patient": "Patient/p1",
            },
            "iamRoleARN": ROLE,
        });
        assert_eq!(*answer, expected);
    }
}

/// LM-05, as far as one table goes; `jose` and `validator` have the rest.
#[tokio::test]
async fn no_token_but_a_good_one_gets_a_yes() {
    let forge = Forge::new(Algorithm::Es256);
    let stranger = Forge::new(Algorithm::Es256);
    let now = Clock::System.now().unix_timestamp();
    let header = |alg: &str, kid: &str| json!({ "alg": alg, "kid": kid, "typ": "at+jwt" });
    let message =
        format!("{}.{}", base64url(header("HS256", &forge.kid).to_string().as_bytes()), base64url(claims().to_string().as_bytes()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &forge.public_der()), message.as_bytes());
    let cases = [
        ("good", forge.access_token(&claims()), None),
        ("no JWT", "abc".to_owned(), Some(Rejection::Malformed)),
        ("alg none", forge.token(&header("none", &forge.kid), &claims()), Some(Rejection::Algorithm)),
        ("HS256 with the public key", format!("{message}.{}", base64url(tag.as_ref())), Some(Rejection::Algorithm)),
        ("unknown key", stranger.access_token(&claims()), Some(Rejection::UnknownKey)),
        ("wrong key", stranger.token(&forge.header("at+jwt"), &claims()), Some(Rejection::Signature)),
        ("ID token", forge.token(&forge.header("JWT"), &claims()), Some(Rejection::Type)),
        ("expired", forge.access_token(&with("exp", json!(now - 6))), Some(Rejection::Expired)),
        ("not yet valid", forge.access_token(&with("nbf", json!(now + 60))), Some(Rejection::NotYet)),
        ("another issuer", forge.access_token(&with("iss", json!("https://evil.test"))), Some(Rejection::Issuer)),
        ("another store", forge.access_token(&with("aud", json!("https://fhir.test/other/"))), Some(Rejection::Audience)),
        ("scope missing", forge.access_token(&without("scope")), Some(Rejection::Claim("scope"))),
        ("no FHIR scope", forge.access_token(&with("scope", json!("openid"))), Some(Rejection::Scope)),
        ("no patient", forge.access_token(&without("patient")), Some(Rejection::NoPatient)),
        ("good, after all that", forge.access_token(&claims()), None),
    ];
    let tokens: Vec<String> = cases.iter().map(|(_, token, _)| token.clone()).collect();
    for (booleans, yes, no) in [("false", json!("true"), json!("false")), ("true", json!(true), json!(false))] {
        let mut settings = settings(&forge);
        settings.push(("ADMIT_BOOLEAN_IS_AUTHORIZED".to_owned(), booleans.to_owned()));
        for ((answer, line), (what, _, reason)) in answers_and_lines(&settings, &tokens).await.iter().zip(&cases) {
            match reason {
                None => {
                    assert_eq!((&answer["authPayload"]["isAuthorized"], &answer["iamRoleARN"]), (&yes, &json!(ROLE)), "{what}: {answer}");
                    assert_eq!((&line["decision"], &line["reason"]), (&json!("allow"), &Value::Null), "{what}: {line}");
                }
                Some(reason) => {
                    let expected = json!({ "authPayload": { "isAuthorized": no, "error": reason.to_string() } });
                    assert_eq!(*answer, expected, "{what}");
                    assert_eq!((&line["decision"], &line["reason"]), (&json!("refuse"), &json!(reason.code())), "{what}: {line}");
                }
            }
        }
    }
}

/// The store's URL with and without its slash; in a list for issuers that write one, and not for our own (RFC 9068 lets a
/// token name several, we never do).
#[tokio::test]
async fn the_audience_names_the_store() {
    let forge = Forge::new(Algorithm::Es256);
    let bare = ENDPOINT.trim_end_matches('/');
    let audiences = [json!(ENDPOINT), json!(bare), json!(["https://api.test", bare]), json!(["https://api.test"]), json!([])];
    let tokens: Vec<String> = audiences.iter().map(|aud| forge.access_token(&with("aud", aud.clone()))).collect();
    for (profile, yes) in [("admit", [true, true, false, false, false]), ("generic", [true, true, true, false, false])] {
        let mut settings = settings(&forge);
        settings.push(("ADMIT_PROFILE".to_owned(), profile.to_owned()));
        for ((answer, aud), yes) in answers(&settings, &tokens).await.iter().zip(&audiences).zip(yes) {
            if yes {
                assert_eq!(answer["authPayload"]["isAuthorized"], "true", "{profile}: {aud}");
                assert_eq!(answer["authPayload"]["aud"], ENDPOINT, "{profile}: {aud}");
            } else {
                assert_refused(&format!("{profile}: {aud}"), answer);
            }
        }
    }
}
