//! Failed sign-ins: what an account and a network owe before the next try.

use admit::secret::Digest;
use time::Duration;

use crate::support::visit::login_page;
use crate::support::{Browser, PASSWORD, Reply, TestApp};

/// One try from this address, on a page of its own.
async fn attempt(app: &TestApp, address: &str, name: &str, password: &str) -> Reply {
    // No two failures at the same microsecond.
    app.advance(Duration::microseconds(1));
    let mut browser = at(app, address);
    let page = login_page(&mut browser).await;
    browser.log_in_with(&page, name, password).await.reply
}

fn at<'a>(app: &'a TestApp, address: &str) -> Browser<'a> {
    let mut browser = app.browser();
    browser.peer = Some(address.to_owned());
    browser
}

fn passed(reply: &Reply) -> bool {
    match reply.status.as_u16() {
        // The picker.
        200 => true,
        403 | 429 => false,
        other => panic!("{other}: {}", reply.body),
    }
}

/// SS-24: after a few failures the account waits, longer each time; the right password is refused
/// meanwhile by the same words, from any address.
#[tokio::test]
async fn guessing_at_one_account_gets_slower_and_slower() {
    let app = TestApp::start().await;
    for _ in 0..5 {
        assert!(!passed(&attempt(&app, "192.0.2.1", "dr.a", "wrong").await));
    }
    let refused = attempt(&app, "192.0.2.1", "dr.a", PASSWORD).await;
    assert!(!passed(&refused) && refused.body.contains("or there were too many tries"));
    assert!(!passed(&attempt(&app, "198.51.100.1", "dr.a", PASSWORD).await), "another address is no way around");
    app.advance(Duration::seconds(3));
    // The next failure is the sixth, and costs three seconds again; from the ninth on it is five, then ten.
    for (failures, wait) in [(6..9, 3), (9..25, 5), (25..40, 10)] {
        for _ in failures {
            app.advance(Duration::minutes(1));
            attempt(&app, "192.0.2.1", "dr.a", "wrong").await;
        }
        app.advance(Duration::seconds(wait - 1));
        assert!(!passed(&attempt(&app, "198.51.100.1", "dr.a", PASSWORD).await), "{wait}");
        app.advance(Duration::seconds(1));
    }
    assert!(passed(&attempt(&app, "198.51.100.1", "dr.a", PASSWORD).await));
    // A success closes the books.
    for _ in 0..4 {
        attempt(&app, "192.0.2.1", "dr.a", "wrong").await;
    }
    assert!(passed(&attempt(&app, "192.0.2.1", "dr.a", PASSWORD).await));
}

/// SS-24: a hundred failures in a day, and the account waits for the next.
#[tokio::test]
async fn after_a_hundred_failures_an_account_waits_for_the_next_day() {
    let app = TestApp::start().await;
    for n in 0..100 {
        app.advance(Duration::seconds(11));
        // Spread over networks, so that none of them has to wait.
        attempt(&app, &format!("198.51.{}.1", n % 50), "dr.a", "wrong").await;
    }
    for hours in [1, 6, 12] {
        app.advance(Duration::hours(hours) - Duration::minutes(1));
        assert!(!passed(&attempt(&app, "192.0.2.1", "dr.a", PASSWORD).await));
    }
    assert!(passed(&attempt(&app, "192.0.2.1", "dr.b", PASSWORD).await), "nobody else's matter");
    app.advance(Duration::hours(6));
    assert!(passed(&attempt(&app, "192.0.2.1", "dr.a", PASSWORD).await));
}

/// SS-24: the lock does not betray whether there is such an account.
#[tokio::test]
async fn an_account_that_does_not_exist_is_locked_alike() {
    let app = TestApp::start().await;
    for name in ["dr.a", "dr.x"] {
        for _ in 0..6 {
            attempt(&app, "192.0.2.1", name, "wrong").await;
        }
    }
    let details = |name: Option<&str>| {
        let name = name.map(str::to_owned);
        let app = &app;
        async move { app.audit("login").await.into_iter().filter(|row| row.user_id == name).map(|row| row.detail).collect::<Vec<_>>() }
    };
    assert_eq!(details(Some("u-dr.a")).await.first(), details(None).await.first());
}

/// SS-24, RC: a hundred tries at once are a handful of looks at the password.
#[tokio::test]
async fn tries_at_the_same_time_are_charged_one_by_one() {
    let app = TestApp::start().await;
    let attempt = admit::store::Attempt { account: Digest::of("dr.a"), network: "192.0.2.0/24".to_owned() };
    let origin = app.origin();
    let tries = (0..100).map(|_| app.store().charge_attempt(&origin, &attempt));
    let allowed = futures_util::future::join_all(tries).await;
    let granted = allowed.iter().filter(|allowance| matches!(allowance, Ok(admit::store::Allowance::Granted))).count();
    assert_eq!(granted, 5);
    assert!(allowed.iter().all(Result::is_ok));
}

/// SS-25: one password tried on many accounts of one network: the network waits, says for how long,
/// and each refusal stands in the books.
#[tokio::test]
async fn spraying_makes_the_network_wait() {
    let app = TestApp::start().await;
    for n in 0..21 {
        assert_eq!(attempt(&app, &format!("192.0.2.{n}"), &format!("user{n}"), "Winter2026!").await.status.as_u16(), 403);
        app.advance(Duration::seconds(10));
    }
    let reply = attempt(&app, "192.0.2.200", "user99", "Winter2026!").await;
    reply.assert_page(429, None);
    let wait: i64 = reply.header("retry-after").parse().expect("seconds");
    assert_eq!(wait, 600 - 210);
    // A hit would not be told either.
    assert!(!passed(&attempt(&app, "192.0.2.200", "dr.a", PASSWORD).await));
    let waited = app.audit("login").await.into_iter().filter(|row| row.detail.as_deref() == Some("the network has to wait"));
    assert_eq!(waited.count(), 2);
    // Elsewhere the world goes on.
    assert!(passed(&attempt(&app, "198.51.100.1", "dr.a", PASSWORD).await));
    assert!(passed(&attempt(&app, "2001:db8::1", "dr.b", PASSWORD).await));
}

/// SS-25: many failures from one network within a minute.
#[tokio::test]
async fn a_burst_of_failures_makes_the_network_wait_for_a_minute() {
    let app = TestApp::start().await;
    for n in 0..16 {
        attempt(&app, "192.0.2.1", &format!("user{}", n % 4), "wrong").await;
    }
    let reply = attempt(&app, "192.0.2.77", "dr.a", PASSWORD).await;
    reply.assert_page(429, None);
    assert_eq!(reply.header("retry-after"), "60");
    app.advance(Duration::seconds(60));
    assert!(passed(&attempt(&app, "192.0.2.77", "dr.a", PASSWORD).await));
}

/// A hospital behind one address: the wait ends when it was said to end, however often its people
/// try meanwhile, and mistakes that were made good do not count.
#[tokio::test]
async fn a_hospital_behind_one_address_is_not_shut_out_for_long() {
    let app = TestApp::start().await;
    for n in 0..21 {
        attempt(&app, "192.0.2.1", &format!("user{n}"), "wrong").await;
        app.advance(Duration::seconds(10));
    }
    let first: i64 = attempt(&app, "192.0.2.1", "dr.a", PASSWORD).await.header("retry-after").parse().expect("seconds");
    for _ in 0..30 {
        app.advance(Duration::seconds(first / 31));
        assert_eq!(attempt(&app, "192.0.2.1", "dr.b", "wrong").await.status.as_u16(), 429);
    }
    app.advance(Duration::seconds(first - first / 31 * 30));
    assert!(passed(&attempt(&app, "192.0.2.1", "dr.a", PASSWORD).await));
}

/// The morning shift: people mistype and then sign in. Their number is no attack.
#[tokio::test]
async fn mistakes_that_were_made_good_are_not_held_against_the_network() {
    let app = TestApp::start().await;
    for n in 0..40 {
        let name = ["dr.a", "dr.b", "pat1", "proxy", "dr.none"][n % 5];
        attempt(&app, "192.0.2.1", name, "mistyped").await;
        let reply = attempt(&app, "192.0.2.1", name, PASSWORD).await;
        assert_eq!(reply.status.as_u16(), 200, "{n}: {}", reply.body);
    }
    // Those of others stay: an attacker's own account does not wash the network clean.
    for n in 0..16 {
        attempt(&app, "192.0.2.1", &format!("user{n}"), "wrong").await;
        if n % 4 == 0 {
            attempt(&app, "192.0.2.1", "dr.a", PASSWORD).await;
        }
    }
    assert_eq!(attempt(&app, "192.0.2.1", "dr.a", PASSWORD).await.status.as_u16(), 429);
}

/// SS-27: an address that the client made up is neither counted nor written down.
#[tokio::test]
async fn a_forwarded_address_from_a_stranger_is_ignored() {
    let app = TestApp::start().await;
    let mut last = 0;
    for n in 0..17 {
        app.advance(Duration::microseconds(1));
        let mut browser = at(&app, "192.0.2.1");
        browser.headers.push(("x-forwarded-for".to_owned(), format!("203.0.{n}.1")));
        browser.headers.push(("forwarded".to_owned(), format!("for=203.0.{n}.1")));
        browser.headers.push(("x-real-ip".to_owned(), format!("203.0.{n}.1")));
        let page = login_page(&mut browser).await;
        last = browser.log_in_with(&page, &format!("user{n}"), "wrong").await.reply.status.as_u16();
    }
    assert_eq!(last, 429);
    assert!(app.audit("login").await.iter().all(|row| row.address.as_deref() == Some("192.0.2.1")));
}

/// SS-27: behind our own proxy it is the proxy's word that counts, not what stood there before.
#[tokio::test]
async fn behind_a_known_proxy_the_client_s_own_address_counts() {
    let app = TestApp::start().await;
    for n in 0..17 {
        app.advance(Duration::microseconds(1));
        let mut browser = at(&app, "10.0.0.1");
        browser.headers.push(("x-forwarded-for".to_owned(), format!("1.2.3.{n}, 203.0.{n}.1")));
        let page = login_page(&mut browser).await;
        let reply = browser.log_in_with(&page, &format!("user{n}"), "wrong").await.reply;
        assert_eq!(reply.status.as_u16(), 403);
    }
    let rows = app.audit("login").await;
    assert_eq!(rows[0].address.as_deref(), Some("203.0.16.1"));
}

/// What is told of failures goes when it is old: the table does not grow with made-up names.
#[tokio::test]
async fn old_failures_are_forgotten() {
    let app = TestApp::start().await;
    for n in 0..10 {
        attempt(&app, "192.0.2.1", &format!("made-up-{n}"), "wrong").await;
    }
    app.advance(Duration::days(3));
    app.store().purge(&app.origin()).await.expect("purged");
    let attempts = app.store().attempts(&app.origin(), &Digest::of("made-up-1")).await.expect("a number");
    assert_eq!(attempts, 0);
}
