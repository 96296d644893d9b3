//! One launch, many requests at the same moment: exactly one gets it.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;

use crate::support::ask::Ask;
use crate::support::{Reply, TestApp, at_once, rounds};

fn get(path: &str, cookies: &str) -> Request<Body> {
    let mut request = Request::get(path);
    if !cookies.is_empty() {
        request = request.header("cookie", cookies);
    }
    request.body(Body::empty()).expect("a request")
}

/// All but `won` were told that the launch is not theirs, and nobody that we failed.
fn assert_losers(replies: &[Reply], won: impl Fn(&Reply) -> bool) {
    let (winners, losers): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| won(reply));
    assert_eq!(winners.len(), 1, "{:?}", replies.iter().map(|reply| reply.header("location").to_owned()).collect::<Vec<_>>());
    for loser in losers {
        assert_eq!(loser.param("error").as_deref(), Some("invalid_request"), "{} {}", loser.status, loser.header("location"));
        assert!(loser.headers.get("set-cookie").is_none());
    }
}

/// F-05: sixty-four requests of one launch, at two instances, in a browser where its user is signed in: one code.
#[tokio::test(flavor = "multi_thread")]
async fn of_sixty_four_who_redeem_one_launch_one_gets_a_code() {
    let app = Arc::new(TestApp::with_ehr().await);
    let other = Arc::new(app.another().await);
    for _ in rounds(&app) {
        let mut browser = app.browser();
        browser.sign_in("dr.a").await;
        let cookies = browser.cookies();
        let path = Ask::launched("clinic", &app.launch("clinic", "p2").await).path();
        let replies = at_once(64, |nth| {
            let app = Arc::clone(if nth % 2 == 0 { &app } else { &other });
            let request = get(&path, &cookies);
            async move { app.call(request).await }
        });
        let replies = replies.await;
        assert_losers(&replies, |reply| reply.param("code").is_some());
        let code = replies.iter().find_map(|reply| reply.param("code")).expect("one code");
        assert_eq!(app.redeem("clinic", &code).await.tokens()["patient"], "p2");
    }
    let rounds = std::env::var("TEST_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    let issued = app.audit("code.issued").await;
    assert_eq!(issued.iter().filter(|row| row.patient_id.as_deref() == Some("p2")).count(), rounds);
}

/// CC-11: ten browsers in which nobody is signed in: one of them gets the request.
#[tokio::test(flavor = "multi_thread")]
async fn of_ten_browsers_with_one_launch_one_binds_it() {
    let app = Arc::new(TestApp::with_ehr().await);
    let other = Arc::new(app.another().await);
    for _ in rounds(&app) {
        let path = Ask::launched("spa", &app.launch("spa", "p2").await).path();
        let replies = at_once(10, |nth| {
            let app = Arc::clone(if nth % 2 == 0 { &app } else { &other });
            let request = get(&path, "");
            async move { app.call(request).await }
        });
        assert_losers(&replies.await, |reply| reply.header("location").starts_with("/login?flow="));
    }
}

/// Of an app and a thief who come at the same moment, the thief never gets it.
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_app_never_wins_the_race() {
    let app = Arc::new(TestApp::with_ehr().await);
    for _ in rounds(&app) {
        let mut browser = app.browser();
        browser.sign_in("dr.a").await;
        let cookies = browser.cookies();
        let launch = app.launch("clinic", "p2").await;
        let replies = at_once(32, |nth| {
            let app = Arc::clone(&app);
            let request = get(&Ask::launched(if nth == 16 { "clinic" } else { "evil" }, &launch).path(), &cookies);
            async move { app.call(request).await }
        });
        let replies = replies.await;
        assert_losers(&replies, |reply| reply.param("code").is_some());
        assert!(replies[16].header("location").starts_with("https://clinic.test/cb?code="));
    }
}
