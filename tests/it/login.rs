//! Signing in with a password.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use admit::id::UserId;
use admit::password::Passwords;
use admit::person::User;
use admit::store::NewUser;
use futures_util::future::join_all;
use time::Duration;

use crate::support::visit::{consent_page, form_with, from_peer, login_page, patient_page};
use crate::support::{Landing, PASSWORD, Reply, TestApp};

/// Status, headers and body without what is random in every response.
fn shape(reply: &Reply, csrf: &str, flow: &str) -> (u16, BTreeSet<String>, String) {
    let headers = reply.headers.iter().filter(|(name, _)| *name != "x-request-id");
    let headers = headers.map(|(name, value)| format!("{name}: {}", value.to_str().expect("text"))).collect();
    (reply.status.as_u16(), headers, reply.body.replace(csrf, "CSRF").replace(flow, "FLOW"))
}

/// SS-21: whether a name exists, is switched off, or has to wait cannot be told from the answer.
#[tokio::test]
async fn all_failed_sign_ins_look_the_same() {
    let app = TestApp::start().await;
    let mut shapes = Vec::new();
    // "dis ": the name is echoed as it was typed, and here all are of one length.
    for (name, password) in [("dr.a", "wrong"), ("dr.x", "wrong"), ("dis ", PASSWORD), ("dis ", "wrong"), ("dr.b", PASSWORD)] {
        let mut browser = app.browser();
        if name == "dr.b" {
            // Locked by earlier failures: the right password is refused like a wrong one.
            for _ in 0..5 {
                let page = login_page(&mut browser).await;
                browser.log_in_with(&page, name, "wrong").await;
                app.advance(Duration::milliseconds(1));
            }
        }
        let page = login_page(&mut browser).await;
        let landing = browser.log_in_with(&page, name, password).await;
        assert!(browser.cookie("__Host-sid").is_none());
        let (status, headers, body) = shape(&landing.reply, &page.csrf(), &page.flow());
        shapes.push((status, headers, body.replace(&format!("value=\"{name}\""), "value=\"NAME\"")));
    }
    assert_eq!(shapes[0].0, 403);
    for other in &shapes[1..] {
        assert_eq!(other, &shapes[0]);
    }
}

/// SS-29: more than 1,024 bytes are refused before any hashing: nothing is charged.
#[tokio::test]
async fn an_overlong_password_is_not_looked_at() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = login_page(&mut browser).await;
    for (name, password) in [("dr.a", "x".repeat(1025)), ("dr.a", "é".repeat(513)), (&"n".repeat(257)[..], PASSWORD.to_owned())] {
        let landing = browser.log_in_with(&page, name, &password).await;
        assert_eq!(landing.reply.status.as_u16(), 400, "{}", landing.reply.body);
    }
    let landing = browser.log_in_with(&page, "dr.a", &"x".repeat(1 << 20)).await;
    landing.reply.assert_page(413, None);
    let attempts = app.store().attempts(&app.origin(), &admit::secret::Digest::of("dr.a")).await.expect("a number");
    assert_eq!((attempts, app.audit("login").await.len()), (0, 0));
}

/// SS-29: long, in any script, with spaces at its ends: as it was typed, and not otherwise.
#[tokio::test]
async fn a_password_counts_exactly_as_it_was_typed() {
    let app = TestApp::start().await;
    let long = "a".repeat(72);
    let longest = "é".repeat(512);
    for (name, password, others) in [
        ("spaces", " four words in a row ", vec!["four words in a row", " four words in a row", "four words in a row "]),
        ("script", "пароль из пяти слов 🙂", vec!["пароль из пяти слов", "Пароль из пяти слов 🙂"]),
        ("long", &format!("{long}1")[..], vec![&long[..], "aaa"]),
        ("longest", &longest, vec![&longest[2..]]),
        ("signs", "a+b&c=d%20e\"'<>\\\n", vec!["a b&c=d%20e\"'<>\\\n", "a+b&c=d e\"'<>\\\n"]),
    ] {
        let password_hash = Passwords::new(1).expect("argon2").hash(password).await.expect("a hash");
        let user = User {
            id: UserId::new(name),
            username: name.to_owned(),
            display_name: "Synthetic".to_owned(),
            fhir_user: Some("Practitioner/a".parse().expect("a reference")),
            disabled_at: None,
            created_at: app.clock.now(),
        };
        app.store().create_user(&app.origin(), NewUser { user, password_hash }).await.expect("a user");
        let mut browser = app.browser();
        let page = login_page(&mut browser).await;
        for other in others {
            let landing = browser.log_in_with(&page, name, other).await;
            assert_eq!(landing.reply.status.as_u16(), 403, "{name} {other}");
        }
        assert_eq!(browser.log_in_with(&page, name, password).await.path(), "/patient", "{name}");
    }
}

/// SS-29: a NUL is refused with the whole form.
#[tokio::test]
async fn a_password_with_a_nul_is_refused() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = login_page(&mut browser).await;
    let landing = browser.log_in_with(&page, "dr.a", "four words in a row\0").await;
    landing.reply.assert_page(400, Some("invalid_request"));
    assert!(browser.cookie("__Host-sid").is_none());
}

/// The name is one name however it is spelt, so that failures are counted once (Authelia CVE-2025-24806).
#[tokio::test]
async fn spellings_of_a_name_share_one_account_and_one_count() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = login_page(&mut browser).await;
    for spelling in ["dr.a", "DR.A", " dr.a ", "Dr.a\t"] {
        browser.log_in_with(&page, spelling, "wrong").await;
    }
    let attempts = app.store().attempts(&app.origin(), &admit::secret::Digest::of("dr.a")).await.expect("a number");
    assert_eq!(attempts, 4);
    assert_eq!(browser.log_in_with(&page, " Dr.A ", PASSWORD).await.path(), "/patient");
}

/// SS-09: where the browser goes after a sign-in stands in the database, not in the address.
#[tokio::test]
async fn no_address_in_a_parameter_is_ever_followed() {
    let app = TestApp::start().await;
    let long = format!("/{}", "x".repeat(5000));
    for target in [
        "//evil.test",
        "https:evil.test",
        "/\\evil.test",
        "/%5cevil.test",
        "/%09/evil.test",
        "javascript:alert(1)",
        "https://idp.test@evil.test",
        "/login?next=/login",
        &long,
    ] {
        let target = url::form_urlencoded::byte_serialize(target.as_bytes()).collect::<String>();
        for name in ["return_to", "next", "redirect", "continue", "url", "RelayState"] {
            let mut browser = app.browser();
            let page = login_page(&mut browser).await;
            let with = format!("{}&{name}={target}", page.at);
            let page = browser.go(&with).await;
            let body = &page.reply.body;
            assert!(!body.contains("evil.test") && !body.contains("alert(1)") && !body.contains("xxxxx"), "{body}");
            if name == "next" {
                let landing = browser.log_in(&page, "dr.a").await;
                assert_eq!(landing.path(), "/patient");
            }
            let landing = browser.go(&format!("/login?{name}={target}")).await;
            assert_eq!((landing.reply.status.as_u16(), landing.reply.header("location")), (200, ""));
        }
    }
}

/// SS-13: the back button after the answer, and the same form once more.
#[tokio::test]
async fn an_answered_flow_gives_no_second_code() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = consent_page(&mut browser).await;
    browser.approve(&page).await.code();
    let before = app.state().await;
    for path in ["/authorize", "/login", "/patient", "/consent"] {
        let landing = browser.go(&format!("{path}?flow={}", page.flow())).await;
        landing.reply.assert_page(409, None);
        assert!(landing.reply.body.contains("already completed"), "{}", landing.reply.body);
    }
    browser.approve(&page).await.reply.assert_page(409, None);
    assert_eq!(app.state().await, before);
    assert_eq!(app.audit("code.issued").await.len(), 1);
}

/// SS-14: five tabs, five apps' flows, each to its own end.
#[tokio::test]
async fn tabs_do_not_disturb_one_another() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let clients = [
        ("spa", "https://app.test/cb"),
        ("strict", "https://strict.test/cb"),
        ("post", "https://post.test/cb"),
        ("evil", "https://evil.test/cb"),
        ("spa", "https://app.test/cb"),
    ];
    let challenge = crate::support::challenge(crate::support::VERIFIER);
    let mut pages = Vec::new();
    for (client, uri) in clients {
        pages.push(browser.authorize(&crate::support::request(client, uri, "openid launch/patient patient/*.rs", &challenge)).await);
    }
    let tokens: BTreeSet<String> = pages.iter().map(Landing::csrf).collect();
    assert_eq!(tokens.len(), 5);
    // All five sign in at once; the last tab to do so is first to go on.
    let mut pickers = Vec::new();
    for page in &pages {
        pickers.push(browser.log_in(page, "dr.a").await);
    }
    for ((client, uri), page) in clients.iter().zip(&pickers).rev() {
        let consent = browser.pick(page, if *client == "post" { "p2" } else { "p1" }).await;
        let landing = browser.approve(&consent).await;
        assert!(landing.reply.header("location").starts_with(uri), "{client}: {}", landing.reply.header("location"));
        landing.code();
    }
    let codes = app.audit("code.issued").await;
    assert_eq!(codes.len(), 5);
    assert!(codes.iter().all(|row| row.patient_id.as_deref() == Some(if row.client_id.as_deref() == Some("post") { "p2" } else { "p1" })));
}

/// SS-30: a flood of sign-ins waits for a slot, two seconds at most; apps get their tokens meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_sign_ins_is_told_to_come_back_and_does_not_stop_the_rest() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = login_page(&mut browser).await;
    let server = Arc::clone(&app.app);
    // Two slots; even a fast machine takes longer than the queue lasts. These take no places: those are
    // for the sign-ins to come.
    let flood = (0..1500).map(move |_| {
        let server = Arc::clone(&server);
        async move { server.passwords.hash("wrong").await }
    });
    let mut flood = Box::pin(tokio::task::unconstrained(join_all(flood)));
    // Looked at once, so that all of them stand in the queue before the next one comes.
    let first = poll_fn(|cx| Poll::Ready(flood.as_mut().poll(cx).is_pending())).await;
    let flood = tokio::spawn(flood);
    assert!(first, "they wait");
    let others = async {
        for _ in 0..20 {
            let reply = app.token("bsc", &[("grant_type", "client_credentials"), ("scope", "system/Patient.rs")]).await;
            assert_eq!(reply.status.as_u16(), 200);
            assert_eq!(app.get("/.well-known/jwks.json").await.status.as_u16(), 200);
        }
    };
    let cookie = format!("__Host-tx-{}={}", page.flow(), browser.cookie(&format!("__Host-tx-{}", page.flow())).expect("a cookie"));
    let csrf = page.csrf();
    let sign_ins = join_all((0..100).map(|n| {
        let name = format!("user{n}");
        let request = form_with(&page.at, &[("csrf", &csrf), ("username", &name), ("password", "wrong")], &[("cookie", &cookie)]);
        app.call(from_peer(request, &format!("192.0.{n}.1")))
    }));
    // Whoever is done first says so: it has to be the apps.
    let (mut others, mut sign_ins) = (Box::pin(others), Box::pin(sign_ins));
    let replies = tokio::select! {
        () = &mut others => sign_ins.await,
        _ = &mut sign_ins => panic!("tokens waited for sign-ins"),
    };
    for reply in &replies {
        let status = reply.status.as_u16();
        assert!(status == 403 || (status == 503 && reply.header("retry-after") == "2"), "{status}: {}", reply.body);
    }
    assert!(replies.iter().any(|reply| reply.status.as_u16() == 503));
    // Every try stands in the books. Who was told to come back was not looked at, and owes nothing.
    let busy = replies.iter().filter(|reply| reply.status.as_u16() == 503).count();
    let entries = app.audit("login").await;
    assert_eq!(entries.len(), replies.len());
    assert_eq!(entries.iter().filter(|entry| entry.detail.as_deref() == Some("too many sign-ins at once")).count(), busy);
    let owed = app.count("select count(*) from login_throttle where tenant_id = 'default' and failures > 0").await;
    assert_eq!(usize::try_from(owed).expect("a count"), replies.len() - busy);
    let answers = flood.await.expect("no panic");
    assert!(answers.iter().any(Result::is_ok) && answers.iter().any(Result::is_err));
    // Later, the same person with the same page gets in.
    assert_eq!(patient_page(&mut browser).await.path(), "/patient");
}

/// SS-30: where there is no place to wait, that is said at once, and costs nothing.
#[tokio::test]
async fn who_finds_no_place_to_wait_is_told_at_once_and_nothing_is_written() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = login_page(&mut browser).await;
    let places: Vec<_> = std::iter::from_fn(|| app.app.passwords.place().ok()).collect();
    assert_eq!(places.len(), 130, "for two slots");
    let told = browser.log_in_with(&page, "dr.a", PASSWORD).await;
    told.reply.assert_page(503, None);
    assert_eq!(told.reply.header("retry-after"), "2");
    assert_eq!(app.audit("login").await.len(), 0);
    assert_eq!(app.count("select count(*) from login_throttle where tenant_id = 'default'").await, 0);
    drop(places);
    assert_eq!(browser.log_in(&page, "dr.a").await.path(), "/patient");
}
