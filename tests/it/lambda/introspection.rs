//! The real function, which asks the issuer.

use super::service::Service;
use super::*;
use crate::support::{Authority, Saying};
use crate::validator::journal::TRACE;

/// LM-16: taken back between two events, and refused at the second; the issuer learns which trace it belongs to.
#[tokio::test]
async fn the_function_refuses_what_was_taken_back_since_the_last_event() {
    let forge = Forge::new(Algorithm::Es256);
    let authority = Authority::vouching(&claims()).await;
    let token = good(&forge);
    let endpoint = authority.endpoint();
    let mut service = Service::start(vec![bytes(&event(&token))]).await;
    let mut settings = settings(&forge);
    for (name, value) in [
        ("ADMIT_INTROSPECTION", "combined"),
        ("ADMIT_INTROSPECTION_ENDPOINT", endpoint.as_str()),
        ("CLIENT_ID", "rs"),
        ("CLIENT_SECRET", "synthetic-secret"),
        ("ADMIT_LOG", "trace"),
    ] {
        settings.push((name.to_owned(), value.to_owned()));
    }
    authority.turn(Saying::Json(json!({ "active": true })));
    let function = service.run(&refs(&settings));
    assert!(is_allowed(&service.answer().await));
    authority.turn(Saying::inactive());
    service.send(bytes(&event(&token)));
    assert_eq!(service.answer().await["authPayload"]["error"], "the token is not active");
    authority.turn(Saying::Nothing);
    service.send(bytes(&event(&token)));
    let outcome = service.next().await;
    assert_eq!(outcome.body["authPayload"]["error"], "the issuer cannot be asked about the token at the moment");
    assert!(outcome.took.as_millis() < 900, "{outcome:?}");
    let questions = authority.questions();
    assert_eq!(questions.len(), 3);
    assert!(questions.iter().all(|question| question.header("x-amzn-trace-id") == Some(TRACE) && question.form["token"] == token));
    let log = function.log().join("\n");
    for secret in token.split('.').chain(["synthetic-secret", "cnM6c3ludGhldGljLXNlY3JldA"]) {
        assert!(!log.contains(secret), "{log}"); // not even at trace (LM-17)
    }
    for reason in ["inactive", "no_introspection"] {
        assert!(log.contains(&format!("\"{reason}\"")), "{log}");
    }
}
