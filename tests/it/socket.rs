//! Bytes on the wire: slow clients, malformed requests, oversized heads.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;

use crate::support::TestApp;
use crate::support::wire::{Wire, hear};

const HEALTH: &str = "GET /livez HTTP/1.1\r\nHost: idp.test\r\nConnection: close\r\n\r\n";
const FORM: &str = "Host: idp.test\r\nContent-Type: application/x-www-form-urlencoded\r\n";

/// WB-14: whoever says nothing, half of a line, one header a second, or nothing more after an
/// answer, is cut off after five seconds; meanwhile everybody else is served.
#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_are_cut_off_and_disturb_nobody() {
    let app = TestApp::start().await;
    let wire = Wire::open(&app).await;
    let began = Instant::now();
    let mut slow = Vec::new();
    for (what, first) in [
        ("silence", ""),
        ("half of the first line", "GET /liv"),
        ("half of HTTP/2", "PRI * HTTP/2.0\r\n"),
        ("headers without an end", "GET /livez HTTP/1.1\r\nHost: idp.test\r\n"),
        ("a rest after an answer", "GET /livez HTTP/1.1\r\nHost: idp.test\r\n\r\n"),
    ] {
        let mut stream = wire.connect().await;
        stream.write_all(first.as_bytes()).await.expect("sent");
        slow.push((what, tokio::spawn(async move { hear(&mut stream, Duration::from_secs(7)).await })));
    }
    let mut dripping = wire.connect().await;
    dripping.write_all(b"GET /livez HTTP/1.1\r\n").await.expect("sent");
    let (mut reading, mut writing) = dripping.into_split();
    let dripper = tokio::spawn(async move {
        let mut every = tokio::time::interval(Duration::from_millis(500));
        while writing.write_all(b"X-Slow: 1\r\n").await.is_ok() {
            every.tick().await;
        }
    });
    let dripped = tokio::spawn(async move {
        let mut end = Vec::new();
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut reading, &mut end).await;
    });

    for _ in 0..20 {
        let (answer, closed) = wire.say(HEALTH.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200") && closed, "{answer}");
    }
    assert!(began.elapsed() < Duration::from_secs(4), "others are served at once");
    for (what, heard) in slow {
        let (answer, closed) = heard.await.expect("no panic");
        assert!(closed, "{what} was not cut off");
        assert_eq!(answer.starts_with("HTTP/1.1 200"), what == "a rest after an answer", "{what}: {answer}");
    }
    dripped.await.expect("no panic");
    dripper.abort();
    let took = began.elapsed();
    assert!((Duration::from_millis(4500)..Duration::from_secs(8)).contains(&took), "{took:?}");
}

/// WB-14: bodies that trickle in keep their own connection only.
#[tokio::test(flavor = "multi_thread")]
async fn slow_bodies_disturb_nobody() {
    let app = TestApp::start().await;
    let wire = Wire::open(&app).await;
    let mut slow = Vec::new();
    for _ in 0..30 {
        let mut stream = wire.connect().await;
        stream.write_all(format!("POST /token HTTP/1.1\r\n{FORM}Content-Length: 1000\r\n\r\ngrant").as_bytes()).await.expect("sent");
        slow.push(stream);
    }
    let began = Instant::now();
    for _ in 0..20 {
        let body = "grant_type=refresh_token&client_id=spa&refresh_token=x";
        let request = format!("POST /token HTTP/1.1\r\n{FORM}Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let (answer, closed) = wire.say(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("invalid_grant") && closed, "{answer}");
    }
    assert!(began.elapsed() < Duration::from_secs(4), "others are served at once");
}

/// WB-15: where two servers could read two different requests, ours reads none and hangs up.
#[tokio::test(flavor = "multi_thread")]
async fn ambiguous_requests_are_refused_and_the_connection_ends() {
    let app = TestApp::start().await;
    let wire = Wire::open(&app).await;
    let next = "GET /livez?smuggled HTTP/1.1\r\nHost: idp.test\r\n\r\n";
    for (what, head) in [
        ("two lengths", "Content-Length: 0\r\nContent-Length: 5\r\n\r\n"),
        ("a list of lengths", "Content-Length: 0, 5\r\n\r\n"),
        ("a signed length", "Content-Length: +0\r\n\r\n"),
        ("a negative length", "Content-Length: -1\r\n\r\n"),
        ("a length in hex", "Content-Length: 0x0\r\n\r\n"),
        ("a length beyond measure", "Content-Length: 18446744073709551616\r\n\r\n"),
        ("an unknown coding", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        ("chunked, and something after it", "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
        ("two codings", "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n\r\n0\r\n\r\n"),
        ("a space before the colon", "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
        ("a folded header", "X-Fold: a\r\n b\r\n\r\n"),
        ("a folded coding", "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
        ("a line that is no header", "nonsense\r\n\r\n"),
        ("a NUL in a header", "X-Nul: a\0b\r\n\r\n"),
        ("a lone CR in a header", "X-Cr: a\rContent-Length: 5\r\n\r\n"),
    ] {
        let (answer, closed) = wire.say(format!("POST /token HTTP/1.1\r\n{FORM}{head}{next}").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{what}: {answer}");
        assert!(closed && answer.matches("HTTP/1.1").count() == 1, "{what}: {answer}");
    }
    for (what, request) in [
        ("a coding in HTTP/1.0", format!("POST /token HTTP/1.0\r\n{FORM}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{next}")),
        ("a bad chunk", format!("POST /token HTTP/1.1\r\n{FORM}Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n{next}")),
        (
            "a chunk longer than it says",
            format!("POST /token HTTP/1.1\r\n{FORM}Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n{next}"),
        ),
        (
            "a chunk's size that overflows",
            format!("POST /token HTTP/1.1\r\n{FORM}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n0\r\n\r\n{next}"),
        ),
        ("no version", format!("GET /livez\r\n{next}")),
        ("another version", format!("GET /livez HTTP/3.0\r\n\r\n{next}")),
    ] {
        let (answer, closed) = wire.say(request.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.0 400"), "{what}: {answer}");
        assert!(closed && !answer.contains("ok\n"), "{what}: {answer}");
    }
}

/// WB-15, RFC 9112 §6.1: with a length and a coding the coding alone counts, and the connection ends
/// after the answer: what follows is never taken for a request.
#[tokio::test(flavor = "multi_thread")]
async fn a_length_beside_a_coding_smuggles_nothing() {
    let app = TestApp::start().await;
    let wire = Wire::open(&app).await;
    let body = "grant_type=refresh_token&client_id=spa&refresh_token=x";
    let chunks = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let smuggled = "GET /livez HTTP/1.1\r\nHost: idp.test\r\n\r\n";
    for headers in [
        format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", chunks.len() + smuggled.len()),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {}\r\n", chunks.len() + smuggled.len()),
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n".to_owned(),
    ] {
        let (answer, closed) = wire.say(format!("POST /token HTTP/1.1\r\n{FORM}{headers}\r\n{chunks}{smuggled}").as_bytes()).await;
        assert!(answer.contains("invalid_grant") && answer.matches("HTTP/1.1").count() == 1, "{answer}");
        assert!(closed, "{answer}");
    }
}

/// WB-17, SS-12: a head of more than 32 KiB, or of too many lines, is refused before it is read.
#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_head_is_refused() {
    let app = TestApp::start().await;
    let wire = Wire::open(&app).await;
    let many = "X-Many: 1\r\n".repeat(1000);
    let long = "x".repeat(64 * 1024);
    for (what, request) in [
        ("a long header", format!("GET /livez HTTP/1.1\r\nHost: idp.test\r\nX-Long: {long}\r\n\r\n")),
        ("a long cookie", format!("GET /login HTTP/1.1\r\nHost: idp.test\r\nCookie: {}\r\n\r\n", &long[..33_000])),
        ("many headers", format!("GET /livez HTTP/1.1\r\nHost: idp.test\r\n{many}\r\n")),
        ("a long path", format!("GET /{long} HTTP/1.1\r\nHost: idp.test\r\n\r\n")),
    ] {
        let (answer, closed) = wire.say(request.as_bytes()).await;
        // Hanging up while the client still sends can cost it the answer.
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431") || answer.starts_with("HTTP/1.1 414"), "{what}: {answer}");
        assert!(closed, "{what}");
    }
    // What fits is answered in words.
    let (answer, _) = wire.say(format!("GET /login HTTP/1.1\r\nHost: idp.test\r\nCookie: {}\r\n\r\n", &long[..20_000]).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431") && answer.contains("text/html"), "{answer}");
    let (answer, _) = wire.say(format!("GET /{} HTTP/1.1\r\nHost: idp.test\r\n\r\n", &long[..9_000]).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 414") && answer.contains("text/html"), "{answer}");
}

/// WB-13: a body that is announced as too large is not waited for; one that never ends is cut off;
/// one that ends early is no request.
#[tokio::test(flavor = "multi_thread")]
async fn greedy_and_lying_bodies_end_the_connection() {
    let app = TestApp::start().await;
    let wire = Wire::open(&app).await;
    let (answer, closed) = wire.say(format!("POST /token HTTP/1.1\r\n{FORM}Content-Length: 3000000\r\n\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains(r#""error":"invalid_request""#) && closed, "{answer}");
    // Who asks first is told before sending anything.
    let expecting = format!("POST /token HTTP/1.1\r\n{FORM}Expect: 100-continue\r\nContent-Length: 3000000\r\n\r\n");
    let (answer, closed) = wire.say(expecting.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413") && !answer.contains("100 Continue") && closed, "{answer}");
    let body = "grant_type=refresh_token&client_id=spa&refresh_token=x";
    let expecting =
        format!("POST /token HTTP/1.1\r\n{FORM}Connection: close\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let (answer, _) = wire.say(expecting.as_bytes()).await;
    assert!(answer.contains("invalid_grant"), "{answer}");

    let mut endless = wire.connect().await;
    endless.write_all(format!("POST /token HTTP/1.1\r\n{FORM}Transfer-Encoding: chunked\r\n\r\n").as_bytes()).await.expect("sent");
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    let mut sent = 0;
    // Far more than is ever read, were it read.
    while sent < 64 << 20 && endless.write_all(chunk.as_bytes()).await.is_ok() {
        sent += chunk.len();
    }
    assert!(sent < 64 << 20, "the connection was cut");

    let mut short = wire.connect().await;
    short.write_all(format!("POST /token HTTP/1.1\r\n{FORM}Content-Length: 1000\r\n\r\n{body}").as_bytes()).await.expect("sent");
    short.shutdown().await.expect("half closed");
    let (answer, closed) = hear(&mut short, Duration::from_secs(2)).await;
    assert!(closed && !answer.contains("invalid_grant") && !answer.contains("200 OK"), "{answer}");
}

/// A refusal on the wire has one length, and it is right: the next request on the connection is read.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_keep_the_connection_in_step() {
    let app = TestApp::start().await;
    let wire = Wire::open(&app).await;
    let refused = [
        "GET /token HTTP/1.1\r\nHost: idp.test\r\n\r\n",
        "GET /nowhere HTTP/1.1\r\nHost: idp.test\r\n\r\n",
        "GET /.well-known/nothing HTTP/1.1\r\nHost: idp.test\r\n\r\n",
        "GET /login HTTP/1.1\r\nHost: evil.test\r\n\r\n",
        "GET /login HTTP/1.1\r\nHost: idp.test\r\nHost: evil.test\r\n\r\n",
        "HEAD /authorize HTTP/1.1\r\nHost: idp.test\r\n\r\n",
        "OPTIONS /token HTTP/1.1\r\nHost: idp.test\r\nOrigin: https://app.test\r\n\r\n",
        "TRACE /token HTTP/1.1\r\nHost: idp.test\r\n\r\n",
    ];
    let (answer, _) = wire.say(format!("{}{HEALTH}", refused.concat()).as_bytes()).await;
    let statuses: Vec<&str> = answer.match_indices("HTTP/1.1 ").map(|(at, _)| &answer[at + 9..at + 12]).collect();
    assert_eq!(statuses, ["405", "404", "404", "421", "421", "405", "204", "405", "200"], "{answer}");
    for head in answer.split("HTTP/1.1 ").skip(1) {
        assert!(head.to_lowercase().matches("\r\ncontent-length:").count() <= 1, "{head}");
    }
    assert!(answer.ends_with("ok\n"));
}

/// F-12: a proxy's request may come just after the last connection was let in. It is answered.
#[tokio::test(flavor = "multi_thread")]
async fn who_came_in_before_the_door_closed_is_served() {
    let app = TestApp::start().await;
    let wire = Wire::open(&app).await;
    let mut inside = Vec::new();
    for _ in 0..8 {
        inside.push(wire.connect().await);
    }
    wire.close().await;
    for mut stream in inside {
        stream.write_all(HEALTH.as_bytes()).await.expect("sent");
        let (answer, closed) = hear(&mut stream, Duration::from_secs(1)).await;
        assert!(answer.starts_with("HTTP/1.1 200") && closed, "{answer}");
    }
}
