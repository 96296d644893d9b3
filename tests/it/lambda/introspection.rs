//! The real function, which asks the issuer.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::service::Service;
use super::*;
use crate::support::{Authority, Saying};
use crate::validator::journal::TRACE;

/// Settings for one issuer with this key, which is asked here as well, and these besides.
fn asking(forge: &Forge, endpoint: &str, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let usual = [
        ("ADMIT_INTROSPECTION", "combined"),
        ("ADMIT_INTROSPECTION_ENDPOINT", endpoint),
        ("CLIENT_ID", "rs"),
        ("CLIENT_SECRET", "synthetic-secret"),
    ];
    let usual = usual.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    settings(forge).into_iter().chain(usual).collect()
}

/// LM-16: taken back between two events, and refused at the second; the issuer learns which trace it belongs to.
#[tokio::test]
async fn the_function_refuses_what_was_taken_back_since_the_last_event() {
    let forge = Forge::new(Algorithm::Es256);
    let authority = Authority::vouching(&claims()).await;
    let token = good(&forge);
    let endpoint = authority.endpoint();
    let mut service = Service::start(vec![bytes(&event(&token))]).await;
    let settings = asking(&forge, &endpoint, &[("ADMIT_LOG", "trace")]);
    authority.turn(Saying::Json(json!({ "active": true })));
    let function = service.run(&refs(&settings));
    assert!(is_allowed(&service.answer().await));
    authority.turn(Saying::inactive());
    service.send(bytes(&event(&token)));
    assert_eq!(service.answer().await["authPayload"]["error"], "the token is not active");
    authority.turn(Saying::Nothing);
    let other = but(&forge, "jti", json!("other"));
    service.send(bytes(&event(&other)));
    let outcome = service.next().await;
    assert_eq!(outcome.body["authPayload"]["error"], "the issuer cannot be asked about the token at the moment");
    assert!(outcome.took.as_millis() < 900, "{outcome:?}");
    let questions = authority.questions();
    assert_eq!(questions.len(), 3);
    assert!(questions.iter().all(|question| question.header("x-amzn-trace-id") == Some(TRACE)));
    assert!(questions.iter().map(|question| &question.form["token"]).eq([&token, &token, &other]));
    let log = function.log().join("\n");
    for secret in token.split('.').chain(other.split('.').skip(1)).chain(["synthetic-secret", "cnM6c3ludGhldGljLXNlY3JldA"]) {
        assert!(!log.contains(secret), "{log}"); // not even at trace (LM-17)
    }
    for reason in ["inactive", "no_introspection"] {
        assert!(log.contains(&format!("\"{reason}\"")), "{log}");
    }
}

/// LM-15: an issuer that dies while it answers is away. The setting decides, and the line says that it did.
#[tokio::test]
async fn an_answer_that_breaks_off_leaves_it_to_the_setting() {
    let forge = Forge::new(Algorithm::Es256);
    for (when_unreachable, decision) in [("allow", "allow"), ("refuse", "refuse")] {
        let endpoint = breaking_off().await;
        let mut service = Service::start(vec![bytes(&event(&good(&forge)))]).await;
        let settings = asking(&forge, &endpoint, &[("ADMIT_INTROSPECTION_WHEN_UNREACHABLE", when_unreachable)]);
        let function = service.run(&refs(&settings));
        assert_eq!(is_allowed(&service.answer().await), decision == "allow");
        let lines = function.lines();
        assert!(lines.iter().any(|line| line["reason"] == "the answer broke off"), "{lines:?}");
        let line = lines.iter().find(|line| line["message"] == "decided").expect("a line");
        assert_eq!(line["decision"], decision, "{line}");
        assert_eq!(line.get("unconfirmed"), (decision == "allow").then_some(&json!(true)), "{line}");
    }
}

/// The address of an endpoint that ends each connection in the middle of a "yes".
async fn breaking_off() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let _ = connection.read(&mut [0; 16 * 1024]).await;
            let half = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n{\"active\":true";
            let _ = connection.write_all(half.as_bytes()).await;
        }
    });
    format!("http://{address}/introspect")
}
