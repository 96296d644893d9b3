//! What a code is good for: once, for a minute, for the client and the person that it was made for.

use admit::id::{ClientId, GrantId, UserId};
use serde_json::Value;
use time::Duration;

use crate::support::{SCOPE, TestApp, VERIFIER, redirect_uri};

/// The grant behind the code that was made last.
async fn latest_grant(app: &TestApp) -> GrantId {
    let entries = app.audit("code.issued").await;
    GrantId::new(entries.first().and_then(|entry| entry.grant_id.clone()).expect("a grant"))
}

async fn assert_all_dead(app: &TestApp, client: &str, tokens: &[&Value]) {
    for tokens in tokens {
        assert!(!app.is_active(&tokens["access_token"]).await);
        assert_eq!(app.userinfo(tokens["access_token"].as_str().expect("a token")).await.status.as_u16(), 401);
        app.refresh(client, &tokens["refresh_token"]).await.assert_invalid_grant();
    }
}

/// CD-01
#[tokio::test]
async fn a_replayed_code_ends_everything_that_it_bought() {
    let app = TestApp::start().await;
    let code = app.code("spa", SCOPE).await;
    let tokens = app.redeem("spa", &code).await.tokens();
    assert!(app.is_active(&tokens["access_token"]).await);

    app.redeem("spa", &code).await.assert_invalid_grant();

    assert_all_dead(&app, "spa", &[&tokens]).await;
    let entries = app.audit("code.replay").await;
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!((entries[0].outcome.as_str(), entries[0].client_id.as_deref()), ("refused", Some("spa")));
}

/// CD-01: half a minute, or an hour, later; and what was refreshed meanwhile dies as well.
#[tokio::test]
async fn a_replay_long_after_the_code_expired_ends_the_descendants_too() {
    for wait in [Duration::seconds(30), Duration::hours(1)] {
        let app = TestApp::start().await;
        let code = app.code("spa", SCOPE).await;
        let first = app.redeem("spa", &code).await.tokens();
        app.advance(wait);
        let second = app.refresh("spa", &first["refresh_token"]).await.tokens();

        app.redeem("spa", &code).await.assert_invalid_grant();

        assert_all_dead(&app, "spa", &[&second]).await;
    }
}

/// CD-01: whoever merely saw a code cannot end what its owner bought with it.
#[tokio::test]
async fn a_replay_that_is_otherwise_wrong_revokes_nothing() {
    let app = TestApp::start().await;
    let code = app.code("webq", SCOPE).await;
    let tokens = app.redeem("webq", &code).await.tokens();
    let right = redirect_uri("webq");

    let other_verifier = "another-verifier-of-at-least-43-characters-4567";
    app.redeem_with("webq", &code, right, other_verifier).await.assert_invalid_grant();
    app.redeem_with("webq", &code, "https://web.test/cb", VERIFIER).await.assert_invalid_grant();
    app.redeem_with("evil", &code, right, VERIFIER).await.assert_invalid_grant();
    app.redeem_with("spa", &code, right, VERIFIER).await.assert_invalid_grant();
    let no_verifier = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", right)];
    app.token("webq", &no_verifier).await.assert_invalid_grant();
    let form = [&no_verifier[..], &[("code_verifier", VERIFIER)]].concat();
    app.post("/token", Some(("webq", "cs_wrong")), &form).await.assert_token_error(401, "invalid_client");

    assert!(app.is_active(&tokens["access_token"]).await);
    app.refresh("webq", &tokens["refresh_token"]).await.tokens();
    assert!(app.audit("code.replay").await.is_empty());
}

/// CD-03
#[tokio::test]
async fn a_code_dies_after_a_minute() {
    let app = TestApp::start().await;
    let code = app.code("spa", SCOPE).await;
    app.advance(Duration::seconds(59));
    app.redeem("spa", &code).await.tokens();

    for late in [Duration::seconds(60), Duration::seconds(61)] {
        let code = app.code("spa", SCOPE).await;
        app.advance(late);
        app.redeem("spa", &code).await.assert_invalid_grant();
    }
}

/// CD-04
#[tokio::test]
async fn another_clients_code_is_worthless_and_stays_good_for_its_owner() {
    let app = TestApp::start().await;
    let code = app.code("webq", SCOPE).await;
    for thief in ["evil", "post", "spa", "pub"] {
        app.redeem_with(thief, &code, redirect_uri("webq"), VERIFIER).await.assert_invalid_grant();
        app.redeem_with(thief, &code, redirect_uri(thief), VERIFIER).await.assert_invalid_grant();
    }
    app.redeem("webq", &code).await.tokens();
}

/// Wrong tries by the code's own client cost nothing, until the fifth.
#[tokio::test]
async fn five_wrong_tries_kill_a_code() {
    let app = TestApp::start().await;
    let wrong = "another-verifier-of-at-least-43-characters-4567";
    for (tries, survives) in [(4, true), (5, false)] {
        let code = app.code("spa", SCOPE).await;
        for _ in 0..tries {
            app.redeem_with("spa", &code, redirect_uri("spa"), wrong).await.assert_invalid_grant();
        }
        let reply = app.redeem("spa", &code).await;
        if survives { drop(reply.tokens()) } else { reply.assert_invalid_grant() }
    }
}

/// CD-06
#[tokio::test]
async fn a_code_that_is_no_code_is_refused_and_nothing_breaks() {
    let app = TestApp::start().await;
    let form = |code: Option<&str>| {
        let rest = format!("grant_type=authorization_code&client_id=spa&redirect_uri=https%3A%2F%2Fapp.test%2Fcb&code_verifier={VERIFIER}");
        code.map_or(rest.clone(), |code| format!("{rest}&code={code}"))
    };
    let long = "a".repeat(60_000);
    let cases = [
        (None, 400, "invalid_request"),
        (Some(""), 400, "invalid_request"),
        (Some("%27%20OR%201%3D1--"), 400, "invalid_grant"),
        (Some("sc_"), 400, "invalid_grant"),
        (Some("%F0%9F%92%89"), 400, "invalid_grant"),
        (Some(long.as_str()), 400, "invalid_grant"),
        // Parameters with a NUL or a broken encoding are malformed wherever they stand.
        (Some("%00"), 400, "invalid_request"),
        (Some("%ff"), 400, "invalid_request"),
    ];
    for (code, status, error) in cases {
        app.post_raw("/token", form(code)).await.assert_token_error(status, error);
    }
    app.post_raw("/token", form(Some(&"a".repeat(1 << 20)))).await.assert_token_error(413, "invalid_request");
}

/// CD-08: the account is switched off, the consent taken back, or the password changed.
#[tokio::test]
async fn a_code_is_worthless_once_its_person_is_gone() {
    let user = UserId::new("u-dr.a");

    let app = TestApp::start().await;
    let code = app.code("spa", SCOPE).await;
    assert!(app.store().disable_user(&app.origin(), &user).await.expect("switched off"));
    app.redeem("spa", &code).await.assert_invalid_grant();

    let app = TestApp::start().await;
    let code = app.code("spa", SCOPE).await;
    app.store().revoke_grant(&app.origin(), &latest_grant(&app).await, "a test").await.expect("revoked");
    app.redeem("spa", &code).await.assert_invalid_grant();

    let app = TestApp::start().await;
    let code = app.code("spa", SCOPE).await;
    assert!(app.store().set_password(&app.origin(), &user, "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$AAAA").await.expect("set"));
    app.redeem("spa", &code).await.assert_invalid_grant();
}

/// CD-08: the account itself is asked, not only its grants.
#[tokio::test]
async fn a_code_of_a_disabled_account_is_worthless_even_if_its_grant_was_missed() {
    let app = TestApp::start().await;
    let code = app.code("spa", SCOPE).await;
    app.sql("update user_account set disabled_at = 1 where user_id = 'u-dr.a'").await;
    app.redeem("spa", &code).await.assert_invalid_grant();
}

/// CD-08 and RT-12: what was allowed for as long as the session lasts ends with it, code and all.
#[tokio::test]
async fn a_code_for_online_access_is_worthless_after_the_person_signed_out() {
    let scope = "openid launch/patient online_access patient/Patient.rs";
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let code = browser.code("spa", scope).await;
    let page = browser.go("/logout").await;
    browser.submit("/logout", &[("csrf", &page.csrf())]).await;
    app.redeem("spa", &code).await.assert_invalid_grant();
}

/// CD-09
#[tokio::test]
async fn a_client_that_is_switched_off_cannot_redeem_its_code() {
    let app = TestApp::start().await;
    for client in ["spa", "webq"] {
        let code = app.code(client, SCOPE).await;
        assert!(app.store().disable_client(&app.origin(), &ClientId::new(client)).await.expect("switched off"));
        app.redeem(client, &code).await.assert_token_error(401, "invalid_client");
    }
}

/// A fault of ours is nobody's loss: the code is spent by an answer and by nothing else.
#[tokio::test]
async fn a_fault_of_ours_does_not_spend_the_code() {
    let app = TestApp::start().await;
    let code = app.code("spa", SCOPE).await;
    app.sql("update access_grant set auth_time = auth_time + 9000000000000000").await;
    app.redeem("spa", &code).await.assert_token_error(500, "server_error");
    app.sql("update access_grant set auth_time = auth_time - 9000000000000000").await;
    app.redeem("spa", &code).await.tokens();
}
