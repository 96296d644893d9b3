//! Hostile text: in names, parameters, headers and what is logged.

use std::sync::{Arc, Mutex};

use admit::client::{Client, ClientAuth};
use admit::id::{PatientId, UserId};
use admit::person::{Patient, User};
use admit::store::{ImportedPatient, NewClient, NewUser, Opener};
use axum::http::HeaderValue;

use crate::support::visit::{SCOPE, SPA, login_page, patient_page, plain, redeem};
use crate::support::{PASSWORD, TestApp, VERIFIER, challenge, client, encode, request};

/// WB-02: line breaks in what is given back split nothing.
#[tokio::test]
async fn line_breaks_do_not_become_headers() {
    let app = TestApp::start().await;
    let nasty = "s\r\nSet-Cookie: sid=evil\r\n\r\n<script>";
    let challenge = challenge(VERIFIER);
    let mut params = request("spa", SPA, "openid", &challenge);
    params.retain(|(name, _)| *name != "state");
    params.extend([("state", nasty), ("prompt", "none"), ("ui_locales", nasty), ("login_hint", nasty), ("nonce", nasty)]);
    let reply = app.browser().authorize(&params).await.reply;
    assert_eq!(reply.status.as_u16(), 303);
    assert_eq!(reply.param("state").as_deref(), Some(nasty));
    assert!(!reply.header("location").contains(['\r', '\n', '<']));
    assert!(reply.headers.get_all("set-cookie").iter().all(|line| !line.as_bytes().starts_with(b"sid")));
    let reply = app.get(&format!("/authorize?{}", encode(&[("client_id", "spa"), ("redirect_uri", &format!("{SPA}\r\nX: y"))]))).await;
    reply.assert_page(400, Some("invalid_request"));
}

const HOSTILE: [&str; 8] = [
    "<script>alert(1)</script>",
    "\"><svg onload=alert(1)>",
    "' onmouseover='alert(1)",
    "{{7*7}}",
    "${7*7}#{7*7}<%= 7*7 %>",
    "{% raw %}{{ csrf }}",
    "\u{202E}txet desrever",
    "</title></bdi></main><h1>You won",
];

/// WB-08, WB-09: hostile names are shown as the text that they are.
#[tokio::test]
async fn hostile_text_stays_text() {
    let app = TestApp::start().await;
    for (n, hostile) in HOSTILE.into_iter().enumerate() {
        let id = format!("hostile-{n}");
        let origin = app.origin();
        let uri = format!("https://h{n}.test/cb");
        let mut new = Client { name: hostile.to_owned(), developer: Some(hostile.to_owned()), ..client(&id, ClientAuth::None, &[&uri]) };
        new.post_logout_redirect_uris = vec![];
        app.store().create_client(&origin, NewClient { client: new, secret: None }).await.expect("a client");
        let user = User {
            id: UserId::new(id.clone()),
            username: id.clone(),
            display_name: hostile.to_owned(),
            fhir_user: Some("Practitioner/h".parse().expect("a reference")),
            disabled_at: None,
            created_at: origin.now,
        };
        let password_hash = app.app.passwords.hash(PASSWORD).await.expect("a hash");
        app.store().create_user(&origin, NewUser { user, password_hash }).await.expect("a user");
        let patient = Patient {
            id: PatientId::new("ph"),
            name: hostile.to_owned(),
            birth_date: "1990-01-01".to_owned(),
            sex: hostile.to_owned(),
            mrn: hostile.to_owned(),
        };
        let imported =
            ImportedPatient { patient, is_inactive: false, opened_by: vec![Opener { who: "Practitioner/h".to_owned(), since: None }] };
        app.store().import_patients(&origin, "one", vec![imported], false).await.expect("a patient");

        let mut browser = app.browser();
        let challenge = challenge(VERIFIER);
        let mut params = request(&id, &uri, SCOPE, &challenge);
        params.extend([("login_hint", hostile), ("ui_locales", hostile), ("display", hostile)]);
        let login = browser.authorize(&params).await;
        let wrong = browser.log_in_with(&login, hostile, "wrong").await;
        let patient = browser.log_in(&login, &id).await;
        let found = browser.go(&format!("{}&{}", patient.at, encode(&[("q", hostile)]))).await;
        let consent = browser.pick(&patient, "ph").await;
        let sign_out = browser.go(&format!("/logout?{}", encode(&[("state", hostile), ("client_id", hostile)]))).await;
        let error = browser.go(&format!("/authorize?{}", encode(&[("client_id", hostile), ("redirect_uri", hostile)]))).await;
        for page in [&login, &wrong, &patient, &found, &consent, &sign_out, &error] {
            let body = &page.reply.body;
            for mark in ["<script", "<svg onload", "<h1>You won", "' onmouseover='"] {
                assert!(!body.contains(mark), "{hostile} at {}: {body}", page.at);
            }
            assert_eq!(body.matches("<h1>").count() + body.matches("<h1 ").count(), 1, "{}", page.at);
            // Text of either direction stays in its own place: never outside of an isolate.
            for (at, _) in body.match_indices('\u{202E}') {
                let before = &body[..at];
                let is_isolated =
                    before.rfind("<bdi").max(before.rfind("value=\"")).max(before.rfind('\u{2068}')).max(before.rfind("&#x2068;"))
                        > before.rfind("</bdi>")
                        || before.ends_with("value=\"");
                assert!(is_isolated, "{}: {body}", page.at);
            }
        }
        // Shown whole and as it is: neither run, nor left out.
        let shown = hostile.chars().fold(String::new(), |mut text, c| {
            match c {
                '<' | '>' | '"' | '\'' | '&' => text.extend(format!("&#{};", u32::from(c)).chars()),
                other => text.push(other),
            }
            text
        });
        for page in [&login, &wrong, &patient, &found, &consent] {
            assert!(page.reply.body.contains(&shown), "{shown} at {}: {}", page.at, page.reply.body);
        }
        assert_eq!(login.path(), "/login");
        assert_eq!(consent.path(), "/consent");
    }
}

const QUOTES: [&str; 9] = ["'", "\"", "' or '1'='1", "';--", "%", "_", "\\", "\u{2BC} or 1=1", "1); drop table session; --"];

/// WB-10: no parameter, header, cookie or path is ever part of a statement.
#[tokio::test]
async fn quotes_and_wildcards_are_only_characters() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = patient_page(&mut browser).await;
    let challenge = challenge(VERIFIER);
    let base = request("spa", SPA, SCOPE, &challenge);
    let before = app.state().await;
    for quote in QUOTES {
        let mut replies = Vec::new();
        for name in ["client_id", "redirect_uri", "scope", "aud", "prompt", "max_age", "id_token_hint", "response_mode", "code_challenge"] {
            let mut params: Vec<(&str, &str)> = base.iter().filter(|(own, _)| *own != name).copied().collect();
            params.push((name, quote));
            let reply = app.get(&format!("/authorize?{}", encode(&params))).await;
            assert!(reply.header("location").is_empty() || reply.param("error").is_some(), "{name} {quote}");
            replies.push(reply);
        }
        for (path, names) in [
            ("/token", &["grant_type", "code", "refresh_token", "client_id", "client_secret", "scope", "resource", "redirect_uri"][..]),
            ("/introspect", &["token", "client_id", "token_type_hint"]),
            ("/revoke", &["token", "client_id"]),
        ] {
            for name in names {
                let form = [("grant_type", "refresh_token"), ("client_id", "spa"), ("token", "x"), ("refresh_token", "x")];
                let form: Vec<(&str, &str)> = form.into_iter().filter(|(own, _)| own != name).chain([(*name, quote)]).collect();
                let reply = app.post(path, None, &form).await;
                assert!(!reply.body.contains("access_token") && !reply.body.contains("\"active\":true"), "{path} {name} {quote}");
                replies.push(reply);
            }
            replies.push(app.post(path, Some((quote, quote)), &[("grant_type", "client_credentials"), ("token", "x")]).await);
        }
        let flow = encode(&[("flow", quote)]);
        for page in ["/authorize", "/login", "/patient", "/consent"] {
            replies.push(app.get(&format!("{page}?{flow}")).await);
        }
        let path = url::form_urlencoded::byte_serialize(quote.as_bytes()).collect::<String>();
        replies.push(app.get(&format!("/fhir-bases/{path}/.well-known/smart-configuration")).await);
        for (name, value) in [
            ("cookie", format!("__Host-sid={quote}; __Host-tx-x={quote}")),
            ("authorization", format!("Bearer {quote}")),
            ("origin", quote.to_owned()),
        ] {
            let mut request = plain("GET", "/userinfo", &[]);
            request.headers_mut().insert(name, HeaderValue::from_bytes(value.as_bytes()).expect("bytes"));
            replies.push(app.call(request).await);
        }
        let mut stranger = app.browser();
        let login = login_page(&mut stranger).await;
        for (name, password) in [(quote, PASSWORD), ("dr.a", quote)] {
            let landing = stranger.log_in_with(&login, name, password).await;
            assert!(matches!(landing.reply.status.as_u16(), 403 | 429), "{quote}");
            app.advance(time::Duration::minutes(1));
        }
        for reply in &replies {
            assert!(reply.status.as_u16() < 500, "{quote}: {} {}", reply.status, reply.body);
            assert!(!reply.body.to_lowercase().contains("sqlite"), "{quote}: {}", reply.body);
        }
        // Wildcards find themselves, and nobody.
        let found = browser.go(&format!("{}&{}", page.at, encode(&[("q", quote)]))).await;
        if found.path() == "/patient" {
            assert!(!found.reply.body.contains("name=\"patient\""), "{quote}: {}", found.reply.body);
        }
    }
    let after = app.state().await;
    let facts = |state: &[String]| state.iter().filter(|line| line.starts_with("grant")).cloned().collect::<Vec<_>>();
    assert_eq!(facts(&after), facts(&before));
    assert_eq!(after.iter().filter(|line| line.starts_with("session")).count(), 1);
}

/// WB-10: a NUL is no character that any of ours holds.
#[tokio::test]
async fn a_nul_is_refused_wherever_it_stands() {
    let app = TestApp::start().await;
    for name in ["client_id", "redirect_uri", "scope", "state", "nonce", "aud", "login_hint"] {
        let challenge = challenge(VERIFIER);
        let mut params = request("spa", SPA, SCOPE, &challenge);
        params.retain(|(own, _)| *own != name);
        params.push((name, "a\0b"));
        let reply = app.get(&format!("/authorize?{}", encode(&params))).await;
        let refused = reply.status.as_u16() == 400 || reply.param("error").is_some();
        assert!(refused, "{name}: {}", reply.status);
    }
    app.post("/token", None, &[("grant_type", "refresh_token"), ("client_id", "spa"), ("refresh_token", "a\0")])
        .await
        .assert_token_error(400, "invalid_request");
    app.post("/token", Some(("bs\0c", "x")), &[("grant_type", "client_credentials")]).await.assert_token_error(400, "invalid_request");
}

/// Collects log lines as JSON, as the server writes them.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic while writing").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// WB-12: nobody writes lines of their own into the log; and no secret stands in it.
#[tokio::test]
async fn the_log_holds_one_line_an_event_and_no_secrets() {
    let app = TestApp::start().await;
    // With a single subscriber in the process, the library would let other tests' threads decide what
    // is of interest; a second one that wants nothing keeps it from that.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);

    let nasty = "x\n{\"level\":\"INFO\",\"event\":\"login.success\"}";
    let mut browser = app.browser();
    browser.headers.push(("user-agent".to_owned(), "x {\"event\":\"login.success\"}".to_owned()));
    let page = login_page(&mut browser).await;
    browser.log_in_with(&page, nasty, "a wrong and secret password").await;
    browser.go(&format!("/nowhere%0a%7b%22event%22:%22login.success%22%7d?{}", encode(&[("state", nasty)]))).await;
    browser.go(&format!("/authorize?{}", encode(&[("client_id", nasty), ("redirect_uri", nasty)]))).await;
    let landing = browser.launch("spa", SPA, SCOPE, "dr.a", Some("p1")).await;
    let code = landing.code();
    let tokens = redeem(&app, &code).await.json();
    app.token("spa", &[("grant_type", "refresh_token"), ("refresh_token", "sr_nonsense-that-looks-like-a-secret")]).await;
    app.introspect("a-token-that-nobody-issued").await;
    drop(guard);

    let log = String::from_utf8(lines.0.lock().expect("no panic while writing").clone()).expect("UTF-8");
    assert!(log.lines().count() > 5, "something is logged: {log}");
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(line["timestamp"].is_string() && line.get("event").is_none(), "{line}");
    }
    let sid = browser.cookie("__Host-sid").expect("a session");
    let secrets = [PASSWORD, "a wrong and secret password", &code, &sid, VERIFIER, "sr_nonsense", "a-token-that-nobody", "a-state"];
    let issued = ["access_token", "refresh_token", "id_token"].map(|name| tokens[name].as_str().expect("a token").to_owned());
    for secret in secrets.into_iter().chain(issued.iter().map(String::as_str)) {
        assert!(!log.contains(secret), "{secret}");
    }
}
