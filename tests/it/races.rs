//! Many at once: what is good once is good once, on one instance and on two.
//!
//! `TEST_ROUNDS` says how often each race is run; three times if it does not.

use std::collections::HashSet;
use std::sync::Arc;

use admit::id::UserId;
use admit::keys::Schedule;
use admit::secret::Digest;
use axum::body::Body;
use axum::http::Request;
use serde_json::Value;
use time::Duration;

use crate::support::{ISSUER, Landing, PASSWORD, Reply, SCOPE, TestApp, VERIFIER, at_once, challenge, redirect_uri, request, rounds};

/// One winner, and for everybody else the standard's error; nobody is told that we failed.
fn the_only_winner(replies: &[Reply]) -> Value {
    let (won, lost): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status.as_u16() == 200);
    assert_eq!(won.len(), 1, "{:?}", replies.iter().map(|reply| reply.status).collect::<Vec<_>>());
    lost.iter().for_each(|reply| reply.assert_invalid_grant());
    won[0].tokens()
}

/// Redeems one code 64 times at once, in turn at each of these instances.
async fn race_for_a_code(apps: [Arc<TestApp>; 2], client: &'static str) {
    let code = apps[0].code(client, SCOPE).await;
    let replies = at_once(64, |nth| {
        let (app, code) = (Arc::clone(&apps[nth % 2]), code.clone());
        async move { app.redeem(client, &code).await }
    });
    let tokens = the_only_winner(&replies.await);
    // Sixty-three replays: whoever won, what they bought is dead, at both instances.
    for app in &apps {
        assert!(!app.is_active(&tokens["access_token"]).await);
        app.refresh(client, &tokens["refresh_token"]).await.assert_invalid_grant();
    }
}

/// CC-01
#[tokio::test(flavor = "multi_thread")]
async fn of_sixty_four_who_redeem_one_code_one_wins_and_loses_it_again() {
    let app = Arc::new(TestApp::start().await);
    for _ in rounds(&app) {
        race_for_a_code([Arc::clone(&app), Arc::clone(&app)], "spa").await;
        race_for_a_code([Arc::clone(&app), Arc::clone(&app)], "webq").await;
    }
}

/// CC-02
#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_once_across_two_instances() {
    let app = Arc::new(TestApp::start().await);
    let other = Arc::new(app.another().await);
    for _ in rounds(&app) {
        race_for_a_code([Arc::clone(&app), Arc::clone(&other)], "spa").await;
    }
}

/// Five failures kill a code, however many come at once.
#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_a_verifier_are_counted_when_they_come_at_once() {
    let app = Arc::new(TestApp::start().await);
    for _ in rounds(&app) {
        let code = app.code("spa", SCOPE).await;
        let wrong = at_once(16, |_| {
            let (app, code) = (Arc::clone(&app), code.clone());
            async move { app.redeem_with("spa", &code, redirect_uri("spa"), "another-verifier-of-at-least-43-characters-4567").await }
        });
        wrong.await.iter().for_each(Reply::assert_invalid_grant);
        app.redeem("spa", &code).await.assert_invalid_grant();
    }
}

/// Refreshes one token fifty times at once, in turn at each of these instances.
async fn refresh_at_once(apps: [&Arc<TestApp>; 2], client: &'static str, token: &Value) -> Vec<Reply> {
    at_once(50, |nth| {
        let (app, token) = (Arc::clone(apps[nth % 2]), token.clone());
        async move { app.refresh(client, &token).await }
    })
    .await
}

/// CC-04
#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_who_refresh_one_token_without_grace_one_wins_and_the_family_ends() {
    let app = Arc::new(TestApp::start().await);
    let other = Arc::new(app.another().await);
    for _ in rounds(&app) {
        for apps in [[&app, &app], [&app, &other]] {
            let first = app.tokens("strict", SCOPE).await;
            let second = the_only_winner(&refresh_at_once(apps, "strict", &first["refresh_token"]).await);
            app.refresh("strict", &second["refresh_token"]).await.assert_invalid_grant();
            for tokens in [&first, &second] {
                assert!(!other.is_active(&tokens["access_token"]).await);
            }
        }
    }
}

/// CC-04 with ten seconds' grace: one successor, and everybody is given it.
#[tokio::test(flavor = "multi_thread")]
async fn fifty_who_refresh_one_token_within_the_grace_get_one_successor() {
    let app = Arc::new(TestApp::start().await);
    let other = Arc::new(app.another().await);
    for _ in rounds(&app) {
        let first = app.tokens("spa", SCOPE).await;
        let replies = refresh_at_once([&app, &other], "spa", &first["refresh_token"]).await;
        let successors: HashSet<String> = replies.iter().map(|reply| reply.tokens()["refresh_token"].to_string()).collect();
        assert_eq!(successors.len(), 1);
        let second = replies[49].tokens();
        assert!(app.is_active(&second["access_token"]).await);
        app.refresh("spa", &second["refresh_token"]).await.tokens();
    }
    assert!(app.audit("refresh.reuse").await.is_empty());
}

/// Keycloak CVE-2026-1035: a refresh that races a revocation gives nothing that outlives it.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_survives_a_revocation_that_races_refreshes() {
    let app = Arc::new(TestApp::start().await);
    for _ in rounds(&app) {
        let first = app.tokens("spa", SCOPE).await;
        let token = first["refresh_token"].clone();
        let replies = at_once(16, |nth| {
            let (app, token) = (Arc::clone(&app), token.clone());
            async move {
                if nth == 5 {
                    let form = [("token", token.as_str().expect("a token"))];
                    assert_eq!(app.as_client("/revoke", "spa", &form).await.status.as_u16(), 200);
                    return None;
                }
                Some(app.refresh("spa", &token).await).filter(|reply| reply.status.as_u16() == 200)
            }
        });
        for reply in replies.await.into_iter().flatten() {
            let tokens = reply.tokens();
            assert!(!app.is_active(&tokens["access_token"]).await);
            app.refresh("spa", &tokens["refresh_token"]).await.assert_invalid_grant();
        }
    }
}

/// A form of ours, sent by the browser with these cookies.
fn form(page: &Landing, cookies: &str, form: &[(&str, &str)]) -> Request<Body> {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    Request::post(&page.at)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", ISSUER)
        .header("cookie", cookies)
        .body(Body::from(body))
        .expect("a request")
}

/// The consent page for dr.a and patient p2.
async fn consent_page(browser: &mut crate::support::Browser<'_>, password: &str) -> Landing {
    let challenge = challenge(VERIFIER);
    let mut page = browser.authorize(&request("spa", redirect_uri("spa"), SCOPE, &challenge)).await;
    if page.path() == "/login" {
        page = browser.log_in_with(&page, "dr.a", password).await;
    }
    browser.pick(&page, "p2").await
}

fn approval<'p>(page: &'p Landing, csrf: &'p str, scopes: &'p [String]) -> Vec<(&'p str, &'p str)> {
    assert_eq!(page.path(), "/consent", "{}", page.reply.body);
    let mut fields = vec![("csrf", csrf), ("decision", "approve")];
    fields.extend(scopes.iter().map(|scope| ("scope", scope.as_str())));
    fields
}

/// CC-10
#[tokio::test(flavor = "multi_thread")]
async fn a_double_click_on_consent_makes_one_code() {
    let app = Arc::new(TestApp::start().await);
    let other = Arc::new(app.another().await);
    for _ in rounds(&app) {
        let mut browser = app.browser();
        let page = consent_page(&mut browser, PASSWORD).await;
        let (csrf, scopes, cookies) = (page.csrf(), page.scopes(), browser.cookies());
        let replies = at_once(8, |nth| {
            let app = Arc::clone(if nth % 2 == 0 { &app } else { &other });
            let request = form(&page, &cookies, &approval(&page, &csrf, &scopes));
            async move { app.call(request).await }
        });
        let replies = replies.await;
        let codes: Vec<String> = replies.iter().filter_map(|reply| reply.param("code")).collect();
        assert_eq!(codes.len(), 1, "{:?}", replies.iter().map(|reply| reply.status).collect::<Vec<_>>());
        for reply in replies.iter().filter(|reply| reply.param("code").is_none()) {
            reply.assert_page(409, None);
            assert!(reply.body.contains("already completed"), "{}", reply.body);
        }
        app.redeem("spa", &codes[0]).await.tokens();
    }
}

/// A password that changes while its old owner presses Allow: no code of theirs is worth anything.
#[tokio::test(flavor = "multi_thread")]
async fn a_consent_that_races_a_change_of_password_leaves_nothing_behind() {
    let app = Arc::new(TestApp::start().await);
    let other = Arc::new(app.another().await);
    let hash = app.app.passwords.hash(PASSWORD).await.expect("a hash");
    for _ in rounds(&app) {
        let mut browser = app.browser();
        let page = consent_page(&mut browser, PASSWORD).await;
        let (csrf, scopes, cookies) = (page.csrf(), page.scopes(), browser.cookies());
        let replies = at_once(2, |nth| {
            let (app, other, hash) = (Arc::clone(&app), Arc::clone(&other), hash.clone());
            let request = form(&page, &cookies, &approval(&page, &csrf, &scopes));
            async move {
                if nth == 0 {
                    return Some(app.call(request).await);
                }
                other.store().set_password(&other.origin(), &UserId::new("u-dr.a"), &hash).await.expect("set");
                None
            }
        });
        for code in replies.await.into_iter().flatten().filter_map(|reply| reply.param("code")) {
            app.redeem("spa", &code).await.assert_invalid_grant();
        }
    }
}

/// Every wrong password that was compared with the right one.
const LOOKED_AT: &str = "select count(*) from audit where event = 'login' and detail = 'wrong password'";

/// CC-08
#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_wrong_passwords_at_once_five_are_looked_at() {
    let app = Arc::new(TestApp::start().await);
    let other = Arc::new(app.another().await);
    for _ in rounds(&app) {
        let before = app.count(LOOKED_AT).await;
        let challenge = challenge(VERIFIER);
        let mut browser = app.browser();
        let page = browser.authorize(&request("spa", redirect_uri("spa"), SCOPE, &challenge)).await;
        let (csrf, cookies) = (page.csrf(), browser.cookies());
        let tries = at_once(100, |nth| {
            let app = Arc::clone(if nth % 2 == 0 { &app } else { &other });
            let password = format!("a wrong password, number {nth}");
            // Two spellings of one name are one account.
            let username = if nth % 3 == 0 { " DR.A" } else { "dr.a" };
            let request = form(&page, &cookies, &[("csrf", &csrf), ("username", username), ("password", &password)]);
            async move { app.call(request).await }
        });
        for reply in tries.await {
            assert_eq!(reply.status.as_u16(), 403, "{}", reply.body);
        }
        assert_eq!(app.count(LOOKED_AT).await - before, 5);
        assert_eq!(app.store().attempts(&app.origin(), &Digest::of("dr.a")).await.expect("a count"), 100);

        // The right password waits as well, and is good afterwards.
        let waiting = browser.log_in(&page, "dr.a").await;
        assert_eq!((waiting.reply.status.as_u16(), waiting.path()), (403, "/login"));
        app.advance(Duration::minutes(1));
        assert_eq!(browser.log_in(&page, "dr.a").await.path(), "/patient");
    }
}

/// CC-13: keys take over from one another every minute, at two instances that both see to it, amid a thousand tokens.
#[tokio::test(flavor = "multi_thread")]
async fn key_rotations_amid_traffic_fail_nobody_and_no_key_is_used_before_it_is_published() {
    let app = Arc::new(TestApp::start().await);
    let other = Arc::new(app.another().await);
    app.sql("delete from signing_key where purpose <> 'access'").await; // RSA keys take their time to make
    let every_minute = Schedule::every(Duration::minutes(1)).expect("a schedule");
    let mut seen = HashSet::new();
    let mut count = 0;
    for _ in rounds(&app) {
        let kids = at_once(18, |nth| {
            let (app, other) = (Arc::clone(&app), Arc::clone(&other));
            async move {
                let mut kids = HashSet::new();
                for _ in 0..21 {
                    if let Some(instance) = [&app, &other].get(nth) {
                        app.advance(Duration::seconds(20));
                        instance.app.keys.keep_up(instance.store(), &instance.origin(), every_minute).await.expect("kept up");
                        continue;
                    }
                    let form = [("grant_type", "client_credentials"), ("scope", "system/Patient.rs")];
                    let tokens = [&app, &other][nth % 2].token("bsc", &form).await.tokens();
                    let header = tokens["access_token"].as_str().and_then(|token| token.split('.').next()).expect("a JWT");
                    let header: Value = serde_json::from_slice(&admit::token::from_base64url(header).expect("base64url")).expect("JSON");
                    let kid = header["kid"].as_str().expect("a kid").to_owned();
                    // Whichever instance a validator asks, and at once.
                    for asked in [&app, &other] {
                        let published = asked.get("/.well-known/jwks.json").await;
                        assert!(published.body.contains(&kid), "{kid} is not in {}", published.body);
                    }
                    kids.insert(kid);
                }
                kids
            }
        });
        seen.extend(kids.await.into_iter().flatten());
        count += 1;
        let token = app.token("bsc", &[("grant_type", "client_credentials"), ("scope", "system/Patient.rs")]).await.tokens();
        assert!(other.is_active(&token["access_token"]).await);
    }
    assert!(seen.len() >= count, "each round takes fourteen minutes: {seen:?}");
}
