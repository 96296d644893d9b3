//! The ten seconds after a rotation: a lost answer is given again, and a theft is still seen.

use time::Duration;

use crate::support::{SCOPE, TestApp};

/// RT-03
#[tokio::test]
async fn the_grace_covers_the_parent_and_not_the_grandparent() {
    let app = TestApp::start().await;
    let first = app.tokens("spa", SCOPE).await;
    let second = app.refresh("spa", &first["refresh_token"]).await.tokens();
    let third = app.refresh("spa", &second["refresh_token"]).await.tokens();

    app.refresh("spa", &first["refresh_token"]).await.assert_invalid_grant();

    app.refresh("spa", &third["refresh_token"]).await.assert_invalid_grant();
    for tokens in [&first, &second, &third] {
        assert!(!app.is_active(&tokens["access_token"]).await);
    }
    assert_eq!(app.audit("refresh.reuse").await.len(), 1);
}

/// RT-16
#[tokio::test]
async fn a_lost_answer_is_given_again_for_ten_seconds() {
    let app = TestApp::start().await;
    for client in ["spa", "webq"] {
        let first = app.tokens(client, SCOPE).await;
        let lost = app.refresh(client, &first["refresh_token"]).await.tokens();
        app.advance(Duration::seconds(9));
        let again = app.refresh(client, &first["refresh_token"]).await.tokens();
        assert_eq!(lost["refresh_token"], again["refresh_token"]);
        assert_ne!(lost["access_token"], again["access_token"]);
        app.refresh(client, &again["refresh_token"]).await.tokens();
    }
    assert!(app.audit("refresh.reuse").await.is_empty());
}

/// RT-16: afterwards it is a theft.
#[tokio::test]
async fn eleven_seconds_later_it_is_reuse() {
    for wait in [10, 11] {
        let app = TestApp::start().await;
        let first = app.tokens("spa", SCOPE).await;
        let second = app.refresh("spa", &first["refresh_token"]).await.tokens();
        app.advance(Duration::seconds(wait));
        app.refresh("spa", &first["refresh_token"]).await.assert_invalid_grant();
        app.refresh("spa", &second["refresh_token"]).await.assert_invalid_grant();
        assert!(!app.is_active(&second["access_token"]).await);
        assert_eq!(app.audit("refresh.reuse").await.len(), 1);
    }
}

/// RT-16: where there is no grace, there is none for whoever came a moment earlier and was late, either.
#[tokio::test]
async fn without_a_grace_a_token_is_good_once_whatever_the_clock_says() {
    for behind in [0, 1, 30] {
        let app = TestApp::start().await;
        let first = app.tokens("strict", SCOPE).await;
        let second = app.refresh("strict", &first["refresh_token"]).await.tokens();
        app.advance(Duration::seconds(-behind));
        app.refresh("strict", &first["refresh_token"]).await.assert_invalid_grant();
        app.refresh("strict", &second["refresh_token"]).await.assert_invalid_grant();
        assert_eq!(app.audit("refresh.reuse").await.len(), 1);
    }
}

/// RT-16: giving an answer again does not lengthen the ten seconds.
#[tokio::test]
async fn the_grace_is_counted_from_the_rotation_and_not_from_the_last_retry() {
    let app = TestApp::start().await;
    let first = app.tokens("spa", SCOPE).await;
    app.refresh("spa", &first["refresh_token"]).await.tokens();
    app.advance(Duration::seconds(8));
    app.refresh("spa", &first["refresh_token"]).await.tokens();
    app.advance(Duration::seconds(8));
    app.refresh("spa", &first["refresh_token"]).await.assert_invalid_grant();
}

/// RT-16, RT-03: the use of the successor ends the grace.
#[tokio::test]
async fn once_the_successor_is_used_the_parent_is_reuse_even_at_once() {
    let app = TestApp::start().await;
    let first = app.tokens("spa", SCOPE).await;
    let second = app.refresh("spa", &first["refresh_token"]).await.tokens();
    let third = app.refresh("spa", &second["refresh_token"]).await.tokens();
    // The parent of the latest still is in its grace …
    assert_eq!(app.refresh("spa", &second["refresh_token"]).await.tokens()["refresh_token"], third["refresh_token"]);
    // … its own parent is not.
    app.refresh("spa", &first["refresh_token"]).await.assert_invalid_grant();
    app.refresh("spa", &second["refresh_token"]).await.assert_invalid_grant();
}

/// RT-16: within the grace nothing is given that could not be given without it.
#[tokio::test]
async fn the_grace_is_no_way_around_revocation_or_scope() {
    let app = TestApp::start().await;
    let first = app.tokens("spa", SCOPE).await;
    let second = app.refresh("spa", &first["refresh_token"]).await.tokens();
    app.refresh_to("spa", &first["refresh_token"], Some("user/*.cruds")).await.assert_token_error(400, "invalid_scope");
    let revoke = [("token", second["refresh_token"].as_str().expect("a token"))];
    assert_eq!(app.as_client("/revoke", "spa", &revoke).await.status.as_u16(), 200);
    app.refresh("spa", &first["refresh_token"]).await.assert_invalid_grant();
    assert!(app.audit("refresh.reuse").await.is_empty());
}

/// RT-16: nothing from which a token could be made is kept for longer than it is needed.
#[tokio::test]
async fn the_salt_of_a_successor_is_forgotten_after_its_use_or_its_time() {
    let app = TestApp::start().await;
    let first = app.tokens("spa", SCOPE).await;
    let second = app.refresh("spa", &first["refresh_token"]).await.tokens();
    assert_eq!(app.count("select count(*) from refresh_token where successor_salt is not null").await, 1);
    app.refresh("spa", &second["refresh_token"]).await.tokens();
    assert_eq!(app.count("select count(*) from refresh_token where successor_salt is not null").await, 1, "the parent's is gone");
    app.advance(Duration::seconds(3611)); // the grace, and an hour, by which another instance's clock may be behind
    app.store().purge(&app.origin()).await.expect("purged");
    assert_eq!(app.count("select count(*) from refresh_token where successor_salt is not null").await, 0);
}
