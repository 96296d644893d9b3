//! API Gateway before the running function.

use admit::token::Algorithm;
use serde_json::json;

use super::service::Service;
use super::{ENDPOINT, but, bytes, good, refs, settings};
use crate::support::{Forge, ISSUER};
use crate::validator::gateway::{KINDS, ask, policy};

/// Each kind of event, end to end: a good token, one that is not enough, a bad one, and none.
#[tokio::test]
async fn every_authorizer_is_answered_in_its_own_shape() {
    let forge = Forge::new(Algorithm::Es256);
    let (good, little) = (good(&forge), but(&forge, "scope", json!("openid")));
    for wants_policy in [false, true] {
        let mut settings = settings(&forge);
        settings.retain(|(name, _)| name != "USER_ROLE_ARN");
        let answer = if wants_policy { "policy" } else { "simple" };
        settings.extend([("ADMIT_FHIR_BASE", ENDPOINT), ("ADMIT_GATEWAY_ANSWER", answer)].map(|(a, b)| (a.to_owned(), b.to_owned())));
        for kind in KINDS {
            let headers = [format!("Bearer {good}"), format!("Bearer {little}"), format!("Bearer {good}x"), String::new()];
            let mut service = Service::start(headers.iter().map(|header| bytes(&ask(kind, header))).collect()).await;
            let function = service.run(&refs(&settings));
            let is_simple = kind == "http-2.0" && !wants_policy;

            let yes = service.answer().await;
            let context = &yes["context"];
            assert_eq!((&context["iss"], &context["patient"], &context["client_id"]), (&json!(ISSUER), &json!("p1"), &json!("spa")));
            assert!(context["exp"].as_str().is_some_and(|exp| exp.bytes().all(|b| b.is_ascii_digit())), "{yes}");
            let expected = if is_simple { json!({ "isAuthorized": true, "context": context }) } else { policy("Allow", "u-dr.a", context) };
            assert_eq!(yes, expected, "{kind}");

            let reason = json!({ "reason": "scope" });
            let expected = if is_simple { json!({ "isAuthorized": false, "context": reason }) } else { policy("Deny", "u-dr.a", &reason) };
            assert_eq!(service.answer().await, expected, "{kind}");

            for _ in 0..2 {
                let outcome = service.next().await;
                assert_eq!(outcome.is_answer, kind.starts_with("http"), "{outcome:?}");
                assert_eq!(outcome.body["errorMessage"], "Unauthorized", "{outcome:?}");
            }
            let lines = function.lines();
            assert_eq!(lines.len(), 4, "{lines:?}"); // a failure on purpose is no other line
            assert!(lines.iter().all(|line| line["asker"] == kind && line["operation"] == "GET"), "{lines:?}");
            assert_eq!(lines.iter().filter(|line| line["level"] == "INFO").count(), 4, "{lines:?}");
        }
    }
}

/// Nobody wanted API Gateway here: the log says once what is missing, the app gets a 500.
#[tokio::test]
async fn without_a_base_api_gateway_is_refused_and_the_log_says_why_once() {
    let forge = Forge::new(Algorithm::Es256);
    let header = format!("Bearer {}", good(&forge));
    let mut service = Service::start(KINDS.map(|kind| bytes(&ask(kind, &header))).to_vec()).await;
    let function = service.run(&refs(&settings(&forge)));
    for _ in KINDS {
        let outcome = service.next().await;
        assert!(!outcome.is_answer && outcome.body["errorMessage"] == "the validator is not configured", "{outcome:?}");
    }
    let lines = function.lines();
    assert_eq!(lines.iter().filter(|line| line["settings"] == "ADMIT_FHIR_BASE is missing").count(), 1, "{lines:?}");
    assert_eq!(lines.len(), KINDS.len() + 1);
}
