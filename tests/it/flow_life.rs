//! How long a sign-in may be left open.

use time::Duration;

use crate::support::{TestApp, VERIFIER, challenge, request};

const SPA: &str = "https://app.test/cb";

#[tokio::test]
async fn a_sign_in_that_nobody_goes_on_with_ends_after_five_minutes() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let challenge = challenge(VERIFIER);
    let page = browser.authorize(&request("spa", SPA, "openid", &challenge)).await;
    app.advance(Duration::minutes(5) - Duration::seconds(1));
    assert_eq!(browser.go(&page.at).await.reply.status.as_u16(), 200);
    app.advance(Duration::seconds(1));
    let ended = browser.go(&page.at).await;
    ended.reply.assert_page(400, None);
    assert!(ended.reply.body.contains("This sign-in has ended"), "{}", ended.reply.body);
    // The right password is of no use any more.
    let late = browser.log_in(&page, "dr.a").await;
    late.reply.assert_page(400, None);
    assert!(browser.cookie("__Host-sid").is_none());
}

#[tokio::test]
async fn a_sign_in_ends_after_ten_minutes_however_busy_it_is() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let challenge = challenge(VERIFIER);
    let page = browser.authorize(&request("spa", SPA, "openid launch/patient patient/*.rs", &challenge)).await;
    app.advance(Duration::minutes(4));
    let page = browser.log_in(&page, "dr.a").await;
    app.advance(Duration::minutes(4));
    let consent = browser.pick(&page, "p1").await;
    assert_eq!(consent.path(), "/consent");
    app.advance(Duration::minutes(2));
    let late = browser.approve(&consent).await;
    late.reply.assert_page(400, None);
    assert!(app.audit("code.issued").await.is_empty());
}
