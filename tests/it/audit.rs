//! The audit trail: one entry per event, in the transaction of what it records.

use std::process::Stdio;
use std::time::Duration;

use admit::audit::Origin;
use admit::clock::Clock;
use admit::id::{ClientId, TenantId, UserId};
use admit::key::MasterKey;
use admit::store::{AuditRow, Location};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::visit::{SCOPE, SPA, claims, consent_page, form_with, login_page, patient_page, redeem, refresh, text};
use crate::support::wire::stocked;
use crate::support::{SECRET, TestApp, encode, request};

/// Everything that was written since the server was set up, oldest first.
async fn entries(app: &TestApp) -> Vec<AuditRow> {
    let mut rows = app.store().audit_tail(&app.origin(), 1000).await.expect("the audit trail");
    rows.reverse();
    let setup = ["key.", "client.created", "user.created", "user.disabled", "fhir_base.", "patient.imported"];
    rows.retain(|row| !setup.iter().any(|own| row.event.starts_with(own)));
    rows
}

fn events(rows: &[AuditRow]) -> Vec<String> {
    rows.iter().map(|row| format!("{} {}", row.event, row.outcome)).collect()
}

/// AU-01: a whole visit, from sign-in to sign-out: one entry each, with who, what, when, where.
#[tokio::test]
async fn a_visit_leaves_one_entry_per_event() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.peer = Some("192.0.2.7".to_owned());
    let mut at = vec![];
    let mut tick = |app: &TestApp| {
        app.advance(time::Duration::milliseconds(1001));
        at.push(admit::clock::micros(app.clock.now()));
    };
    let page = login_page(&mut browser).await;
    tick(&app);
    let page = browser.log_in(&page, "dr.a").await;
    tick(&app);
    let page = browser.pick(&page, "p1").await;
    tick(&app);
    let landing = browser.approve(&page).await;
    tick(&app);
    let first = redeem(&app, &landing.code()).await.json();
    tick(&app);
    let second = refresh(&app, text(&first, "refresh_token")).await.json();
    app.introspect(text(&second, "access_token")).await;
    tick(&app);
    app.as_client("/revoke", "spa", &[("token", text(&second, "access_token"))]).await;
    let page = browser.go("/logout").await;
    tick(&app);
    browser.submit("/logout", &[("csrf", &page.csrf())]).await;

    let rows = entries(&app).await;
    assert_eq!(
        events(&rows),
        [
            "login success",
            "patient.selected success",
            "consent.granted success",
            "code.issued success",
            "code.redeemed success",
            "token.refreshed success",
            "grant.revoked success",
            "logout success",
        ]
    );
    // When: the moment of the request. Consent and code are one request.
    let when: Vec<i64> = rows.iter().map(|row| row.at_us).collect();
    assert_eq!(when, [at[0], at[1], at[2], at[2], at[3], at[4], at[5], at[6]]);
    assert!(rows.windows(2).all(|pair| pair[0].audit_id < pair[1].audit_id));
    for row in &rows {
        assert_eq!(row.request_id.as_deref().map(str::len), Some(22), "{row:?}");
        let by_browser = ["login", "patient.selected", "consent.granted", "code.issued", "logout"].contains(&row.event.as_str());
        assert_eq!(row.address.as_deref(), by_browser.then_some("192.0.2.7"), "{row:?}");
        assert_eq!(row.user_id.as_deref(), (row.event != "grant.revoked").then_some("u-dr.a"), "{row:?}");
        if !["login", "logout", "grant.revoked"].contains(&row.event.as_str()) {
            assert_eq!(row.client_id.as_deref(), Some("spa"), "{row:?}");
        }
        if ["patient.selected", "consent.granted", "code.issued", "code.redeemed", "token.refreshed"].contains(&row.event.as_str()) {
            assert_eq!(row.patient_id.as_deref(), Some("p1"), "{row:?}");
        }
    }
    assert_eq!(rows[2].request_id, rows[3].request_id);
    assert_eq!(rows[0].session_id, rows[7].session_id);
    assert_eq!(rows[4].jti.as_deref(), claims(text(&first, "access_token"))["jti"].as_str());
    assert_eq!(rows[5].jti.as_deref(), claims(text(&second, "access_token"))["jti"].as_str());
    assert_eq!(rows[6].grant_id, rows[3].grant_id);
    // Nothing of what is secret is kept.
    let all = format!("{rows:?}");
    for secret in [text(&first, "refresh_token"), text(&first, "access_token"), &landing.code(), "four words", "ss_", "sc_", "sr_"] {
        assert!(!all.contains(secret), "{secret}");
    }
}

/// AU-01: what was refused, once each, with the reason that the person was not told.
#[tokio::test]
async fn each_refusal_leaves_one_entry() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = login_page(&mut browser).await;
    browser.log_in_with(&page, "dr.a", "wrong").await;
    browser.log_in_with(&page, "nobody", "wrong").await;
    browser.log_in(&page, "dis").await;
    let page = patient_page(&mut browser).await;
    browser.pick(&page, "p3").await.reply.assert_page(403, None);
    let page = browser.pick(&page, "p1").await;
    browser.submit(&page.at, &[("csrf", &page.csrf()), ("decision", "deny")]).await;
    browser.go(&format!("/authorize?{}", encode(&request("spa", "https://evil.test/cb", SCOPE, "x")))).await;
    app.post("/token", Some(("webq", "wrong")), &[("grant_type", "refresh_token")]).await.assert_token_error(401, "invalid_client");
    app.post("/token", Some(("no-such-client", "wrong")), &[("grant_type", "refresh_token")])
        .await
        .assert_token_error(401, "invalid_client");

    let rows = entries(&app).await;
    let told: Vec<(String, [Option<&str>; 3])> = rows
        .iter()
        .map(|row| (format!("{} {}", row.event, row.outcome), [row.user_id.as_deref(), row.client_id.as_deref(), row.detail.as_deref()]))
        .collect();
    let entry = |event: &str, user, client, detail| (event.to_owned(), [user, client, detail]);
    assert_eq!(
        told,
        [
            entry("login refused", Some("u-dr.a"), None, Some("wrong password")),
            entry("login refused", None, None, Some("unknown user name")),
            entry("login refused", Some("u-dis"), None, Some("the account is disabled")),
            entry("login success", Some("u-dr.a"), None, None),
            entry("patient.selected refused", Some("u-dr.a"), Some("spa"), Some("the user may not open the patient")),
            entry("patient.selected success", Some("u-dr.a"), Some("spa"), None),
            entry("authorize refused", Some("u-dr.a"), Some("spa"), Some("access_denied")),
            entry("authorize.redirect_mismatch refused", None, Some("spa"), None),
            entry("client.authenticated refused", None, Some("webq"), None),
            entry("client.authenticated refused", None, None, None),
        ]
    );
    assert_eq!(rows[4].patient_id.as_deref(), Some("p3"), "which patient was asked for");
}

/// AU-01: stolen codes and tokens that come back.
#[tokio::test]
async fn a_replay_leaves_an_entry() {
    let app = TestApp::start().await;
    let code = app.browser().launch("spa", SPA, SCOPE, "dr.a", Some("p1")).await.code();
    redeem(&app, &code).await;
    redeem(&app, &code).await.assert_token_error(400, "invalid_grant");
    let strict = app.browser().launch("strict", "https://strict.test/cb", SCOPE, "dr.a", Some("p1")).await.code();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &strict),
        ("redirect_uri", "https://strict.test/cb"),
        ("code_verifier", crate::support::VERIFIER),
    ];
    let tokens = app.token("strict", &form).await.json();
    let again = [("grant_type", "refresh_token"), ("refresh_token", text(&tokens, "refresh_token"))];
    app.token("strict", &again).await;
    app.token("strict", &again).await.assert_token_error(400, "invalid_grant");
    assert_eq!(app.audit("code.replay").await.len(), 1);
    assert_eq!(app.audit("refresh.reuse").await.len(), 1);
    assert!(
        app.audit("code.replay")
            .await
            .iter()
            .chain(&app.audit("refresh.reuse").await)
            .all(|row| row.outcome == "refused" && row.grant_id.is_some())
    );
}

/// AU-01: what an administrator does.
#[tokio::test]
async fn what_an_administrator_changes_leaves_an_entry() {
    let app = TestApp::start().await;
    let origin = app.origin();
    app.store().set_password(&origin, &UserId::new("u-dr.b"), "$argon2id$x").await.expect("set");
    app.store().disable_user(&origin, &UserId::new("u-dr.b")).await.expect("switched off");
    app.store().disable_client(&origin, &ClientId::new("webq")).await.expect("switched off");
    app.store().rotate_client_secret(&origin, &ClientId::new("post"), admit::secret::Digest::of("x"), origin.now).await.expect("rotated");
    app.store().delete_client(&origin, &ClientId::new("evil")).await.expect("gone");
    for (event, user, client) in [
        ("user.password_set", Some("u-dr.b"), None),
        ("user.disabled", Some("u-dr.b"), None),
        ("client.disabled", None, Some("webq")),
        ("client.secret_rotated", None, Some("post")),
        ("client.deleted", None, Some("evil")),
    ] {
        let rows = app.audit(event).await;
        let own: Vec<&AuditRow> = rows.iter().filter(|row| row.request_id.as_deref() == Some(&origin.request_id)).collect();
        assert_eq!(own.len(), 1, "{event}");
        assert_eq!((own[0].user_id.as_deref(), own[0].client_id.as_deref(), own[0].outcome.as_str()), (user, client, "success"));
    }
}

/// A form that is refused as forged changes nothing, and so is no event; asking again neither.
#[tokio::test]
async fn looking_and_asking_leave_no_entry() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = consent_page(&mut browser).await;
    let before = entries(&app).await.len();
    browser.go(&page.at).await;
    browser.send(form_with(&page.at, &[("decision", "approve")], &[])).await;
    browser.go("/logout").await;
    app.get("/.well-known/jwks.json").await;
    app.introspect("nothing").await;
    assert_eq!(entries(&app).await.len(), before);
}

/// A server in a process of its own, to be killed.
struct Process(std::process::Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// AU-06: what was answered stands in the books, even if the server is killed at that moment.
#[tokio::test]
async fn an_entry_is_written_before_the_answer_is_sent() {
    let stocked = stocked().await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
    let database = match &stocked.location {
        Location::Sqlite(path) => path.display().to_string(),
        Location::Postgres(url) => url.clone(),
    };
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_admit"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ADMIT_")) {
        command.env_remove(name);
    }
    command.args(["serve", "--issuer", "https://idp.test", "--listen", &format!("127.0.0.1:{port}"), "--database", &database]);
    command
        .env("ADMIT_MASTER_KEY", MasterKey::generate().expose().as_str())
        .env("ADMIT_LOG", "error")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut server = Process(command.spawn().expect("the server starts"));

    let credentials = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("bsc:{SECRET}"));
    let body = "grant_type=client_credentials&scope=system%2FPatient.rs";
    let request = format!(
        "POST /token HTTP/1.1\r\nHost: idp.test\r\nAuthorization: Basic {credentials}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = connect(port).await;
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    while !answer.ends_with('}') {
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).await.expect("an answer");
        assert!(count > 0, "{answer}");
        answer.push_str(std::str::from_utf8(&buffer[..count]).expect("ASCII"));
    }
    server.0.kill().expect("killed");
    server.0.wait().expect("dead");

    let (head, tokens) = answer.split_once("\r\n\r\n").expect("a body");
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    let tokens: serde_json::Value = serde_json::from_str(tokens).expect("JSON");
    let jti = claims(text(&tokens, "access_token"))["jti"].clone();
    let now = Clock::System.now();
    let store = stocked.open(now).await;
    let rows = store.audit_tail(&Origin::command(TenantId::default_tenant(), now), 10).await.expect("the audit trail");
    assert_eq!(rows.iter().filter(|row| row.event == "token.issued" && row.jti.as_deref() == jti.as_str()).count(), 1);
}

/// Knocks until the server has come up.
async fn connect(port: u16) -> TcpStream {
    let up = async {
        let mut every = tokio::time::interval(Duration::from_millis(20));
        loop {
            every.tick().await;
            if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)).await {
                return stream;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(6), up).await.expect("the server comes up")
}
