//! CD-12: whoever reads the log, at whatever level, learns nothing that they could use.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tracing::Dispatch;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::support::{Browser, PASSWORD, Reply, SCOPE, SECRET, TestApp, VERIFIER, challenge, redirect_uri, request};

const WRONG_PASSWORD: &str = "five words in a row instead";
const WRONG_SECRET: &str = "cs_a-secret-that-somebody-guessed";
const WRONG_CODE: &str = "sc_a-code-that-somebody-guessed";
const WRONG_TOKEN: &str = "sr_a-token-that-somebody-guessed";
const WRONG_VERIFIER: &str = "another-verifier-of-at-least-43-characters-4567";

/// What was logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Everything is logged, for as long as both live; the test has to stay on its thread.
    ///
    /// The second listener hears nothing. While there is only one, `tracing` asks whichever thread
    /// comes first to a line of code whether anybody listens to it; that thread may be another
    /// test's, and the "no" would be remembered for us as well.
    fn listen(&self) -> (DefaultGuard, Dispatch) {
        let log = self.clone();
        let lines = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_writer(move || log.clone()).with_ansi(false);
        let second = Dispatch::new(tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_writer(std::io::sink).finish());
        (tracing::subscriber::set_default(lines.with_span_events(FmtSpan::FULL).finish()), second)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

/// What nobody may read, and what to call it if somebody can.
#[derive(Default)]
struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    fn of_everybody() -> Self {
        let mut secrets = Self::default();
        for (name, value) in [
            ("password", PASSWORD),
            ("mistyped password", WRONG_PASSWORD),
            ("client secret", SECRET),
            ("wrong client secret", WRONG_SECRET),
            ("wrong code", WRONG_CODE),
            ("wrong token", WRONG_TOKEN),
            ("verifier", VERIFIER),
            ("wrong verifier", WRONG_VERIFIER),
        ] {
            secrets.add(name, value);
        }
        for secret in [SECRET, WRONG_SECRET] {
            secrets.add("Basic credentials", &STANDARD.encode(format!("webq:{secret}")));
        }
        secrets
    }

    fn add(&mut self, name: &'static str, value: &str) {
        assert!(value.len() > 12, "{name} is too short to be looked for");
        self.0.push((name, value.to_owned()));
    }

    fn add_cookies(&mut self, browser: &Browser<'_>) {
        for cookie in browser.cookies().split("; ") {
            self.add("cookie", cookie.split_once('=').expect("a cookie").1);
        }
    }

    #[track_caller]
    fn assert_none_in(&self, text: &str) {
        for (name, value) in &self.0 {
            for spelling in [value.clone(), url::form_urlencoded::byte_serialize(value.as_bytes()).collect()] {
                assert!(
                    !text.contains(&spelling),
                    "a {name} is in: {}",
                    text.lines().find(|line| line.contains(&spelling)).unwrap_or(text)
                );
            }
        }
    }
}

/// A whole flow with every kind of secret in it, and most mistakes that can be made on the way.
async fn live_through_everything(app: &TestApp, secrets: &mut Secrets) {
    let challenge = challenge(VERIFIER);
    let mut browser = app.browser();
    let page = browser.authorize(&request("webq", redirect_uri("webq"), SCOPE, &challenge)).await;
    secrets.add("CSRF token", &page.csrf());
    let page = browser.log_in_with(&page, "dr.a", WRONG_PASSWORD).await;
    secrets.add_cookies(&browser);
    let forged = [("csrf", WRONG_TOKEN), ("username", "dr.a"), ("password", PASSWORD)];
    browser.submit(&page.at, &forged).await.reply.assert_page(403, None);
    let page = browser.log_in(&page, "dr.a").await;
    secrets.add_cookies(&browser);
    let page = browser.pick(&page, "p2").await;
    let code = browser.approve(&page).await.code();
    secrets.add("code", &code);

    let mut refusals = Vec::new();
    refusals.push(app.redeem_with("webq", &code, redirect_uri("webq"), WRONG_VERIFIER).await);
    refusals.push(app.redeem_with("webq", &code, WRONG_CODE, VERIFIER).await);
    refusals.push(app.redeem_with("evil", &code, redirect_uri("webq"), VERIFIER).await);
    refusals.push(app.redeem("webq", WRONG_CODE).await);
    refusals
        .push(app.post("/token", Some(("webq", WRONG_SECRET)), &[("grant_type", "refresh_token"), ("refresh_token", WRONG_TOKEN)]).await);
    refusals.push(app.post("/token", None, &[("grant_type", WRONG_TOKEN), ("client_id", "spa"), ("code", &code)]).await);
    refusals.push(app.post("/token", None, &[("grant_type", "refresh_token"), ("client_id", WRONG_SECRET)]).await);
    refusals.push(app.post("/token", Some(("webq", SECRET)), &[("client_secret", SECRET), ("client_assertion", WRONG_TOKEN)]).await);
    let tokens = app.redeem("webq", &code).await.tokens();
    for kind in ["access_token", "refresh_token", "id_token"] {
        secrets.add(kind, tokens[kind].as_str().expect("a token"));
    }
    let next = app.refresh("webq", &tokens["refresh_token"]).await.tokens();
    for kind in ["access_token", "refresh_token", "id_token"] {
        secrets.add(kind, next[kind].as_str().expect("a token"));
    }
    let (access, refresh) = (next["access_token"].as_str().expect("a token"), next["refresh_token"].as_str().expect("a token"));

    assert_eq!(app.userinfo(access).await.status.as_u16(), 200);
    refusals.push(app.userinfo(refresh).await);
    refusals.push(app.userinfo(&format!("{access}x")).await);
    refusals.push(app.get(&format!("/userinfo?access_token={access}")).await);
    refusals.push(app.get(&format!("/nowhere?code={code}")).await);
    for token in [access, refresh, WRONG_TOKEN] {
        app.introspect(token).await;
        refusals.push(app.as_client("/introspect", "evil", &[("token", token)]).await);
        refusals.push(app.as_client("/revoke", "evil", &[("token", token)]).await);
    }
    let hint = [("id_token_hint", next["id_token"].as_str().expect("a token")), ("prompt", "none")];
    let again = [&request("webq", redirect_uri("webq"), SCOPE, &challenge)[..], &hint].concat();
    refusals.push(browser.authorize(&again).await.reply);
    let bad_hint = [&request("webq", redirect_uri("webq"), SCOPE, &challenge)[..], &[("id_token_hint", access)]].concat();
    refusals.push(browser.authorize(&bad_hint).await.reply);
    refusals.push(app.call(Request::get("/token").header("cookie", browser.cookies()).body(Body::empty()).expect("a request")).await);

    // A row that is damaged: the fault is logged with everything that is known of it.
    let code = app.code("spa", SCOPE).await;
    secrets.add("code", &code);
    app.sql("update access_grant set auth_time = 9000000000000000 where client_id = 'spa'").await;
    let broken = app.redeem("spa", &code).await;
    broken.assert_token_error(500, "server_error");
    refusals.push(broken);

    app.redeem("webq", &tokens["access_token"].as_str().expect("a token")[..40]).await.assert_invalid_grant();
    refusals.push(app.redeem_with("webq", secrets_code(secrets), redirect_uri("webq"), VERIFIER).await);
    refusals.push(app.refresh("webq", &next["refresh_token"]).await);
    let page = browser.go("/logout").await;
    browser.submit("/logout", &[("csrf", &page.csrf())]).await;
    refusals.iter().for_each(|reply: &Reply| secrets.assert_none_in(&format!("{}\n{:?}", reply.body, reply.headers)));
}

/// The first code: used by now, so that presenting it is a replay.
fn secrets_code(secrets: &Secrets) -> &str {
    secrets.0.iter().find(|(name, _)| *name == "code").map(|(_, code)| code.as_str()).expect("a code")
}

/// CD-12
#[tokio::test]
async fn no_secret_is_ever_logged_or_written_into_the_books() {
    let log = Log::default();
    let app = TestApp::start().await;
    let mut secrets = Secrets::of_everybody();
    let listening = log.listen();
    live_through_everything(&app, &mut secrets).await;
    drop(listening);

    let text = log.text();
    for expected in ["request refused", "page refused", "request failed", "answered", "/token"] {
        assert!(text.contains(expected), "{expected} was not captured: {text}");
    }
    secrets.assert_none_in(&text);
    let entries = app.store().audit_tail(&app.origin(), 10_000).await.expect("the books");
    assert!(entries.len() > 10);
    secrets.assert_none_in(&format!("{entries:#?}"));
}

/// CD-12: nor is any kept in the database, where whoever reads it could use it.
#[tokio::test]
async fn no_secret_is_in_the_database_file() {
    let app = TestApp::start().await;
    let mut secrets = Secrets::of_everybody();
    let mut browser = app.browser();
    let code = browser.code("webq", SCOPE).await;
    secrets.add("code", &code);
    secrets.add_cookies(&browser);
    let tokens = app.redeem("webq", &code).await.tokens();
    let next = app.refresh("webq", &tokens["refresh_token"]).await.tokens();
    for tokens in [&tokens, &next] {
        for kind in ["access_token", "refresh_token", "id_token"] {
            secrets.add(kind, tokens[kind].as_str().expect("a token"));
        }
    }
    let admit::store::Location::Sqlite(path) = app.location() else {
        // PostgreSQL's files are not ours to read: there, the tables are asked.
        for table in ["flow", "access_grant", "refresh_token", "session", "client_secret", "audit", "user_account"] {
            secrets.assert_none_in(&app.dump(table).await);
        }
        return;
    };
    let mut text = String::new();
    for end in ["", "-wal"] {
        let bytes = std::fs::read(format!("{}{end}", path.display())).expect("the database's file");
        text += &String::from_utf8_lossy(&bytes);
    }
    assert!(text.contains("code.redeemed"), "this is not what was written to");
    secrets.assert_none_in(&text);
}
