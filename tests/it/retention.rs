//! What can no longer matter goes, a little at a time, and takes nothing along that can.

use admit::audit::{Entry, Origin};
use admit::id::TenantId;
use admit::secret::RefreshToken;
use futures_util::future::join;
use serde_json::{Value, json};
use time::Duration;

use crate::support::visit::SPA;
use crate::support::{SCOPE, TestApp, VERIFIER, challenge, request};

async fn purge(app: &TestApp) -> u64 {
    app.store().purge(&app.origin()).await.expect("a purge")
}

#[tokio::test]
async fn the_purge_forgets_what_is_over_and_nothing_else() {
    let app = TestApp::start().await;
    let tokens = app.tokens("spa", SCOPE).await;
    let service = app.token("bsc", &[("grant_type", "client_credentials"), ("scope", "system/Patient.rs")]).await.json();
    let revoked = service["access_token"].as_str().expect("a token");
    app.as_client("/revoke", "bsc", &[("token", revoked)]).await;
    let mut browser = app.browser();
    let page = browser.authorize(&request("spa", SPA, "openid", &challenge(VERIFIER))).await;
    browser.log_in_with(&page, "dr.b", "not the password").await;
    let audited = app.store().audit_tail(&app.origin(), 1000).await.expect("the audit trail").len();

    assert_eq!(purge(&app).await, 0);
    assert_eq!(app.introspect(revoked).await["active"], false);
    app.advance(Duration::hours(11));
    // Two flows and a failed sign-in.
    assert_eq!(purge(&app).await, 3);
    app.advance(Duration::hours(11));
    assert_eq!(purge(&app).await, 1); // the session
    app.advance(Duration::days(2));
    assert_eq!(purge(&app).await, 3); // the revoked token, and what the account and the network owed
    assert_eq!(purge(&app).await, 0);
    assert_eq!(app.store().audit_tail(&app.origin(), 1000).await.expect("the audit trail").len(), audited);
    app.refresh("spa", &tokens["refresh_token"]).await.tokens();
    app.advance(Duration::days(93) + Duration::seconds(3601));
    assert_eq!(purge(&app).await, 3); // both refresh tokens, and the grant that nothing can come of any more
    app.refresh("spa", &tokens["refresh_token"]).await.assert_invalid_grant();
    assert_eq!(app.audit("token.refreshed").await[0].detail.as_deref(), Some("unknown token"));
}

/// RT-04, and what a year of it costs: an app that refreshes every five minutes has two rows, and each of its used tokens
/// still ends the family.
#[tokio::test]
async fn a_family_has_two_rows_and_knows_all_of_its_tokens() {
    let app = TestApp::start().await;
    let first = app.tokens("spa", SCOPE).await;
    let mut tokens = first.clone();
    for _ in 0..20 {
        app.advance(Duration::minutes(5));
        tokens = app.refresh("spa", &tokens["refresh_token"]).await.tokens();
        assert_eq!(app.count("select count(*) from refresh_token").await, 2);
    }
    app.advance(Duration::minutes(61));
    assert_eq!(app.count("select count(*) from refresh_token where rotated_at is not null").await, 1);
    purge(&app).await;
    assert_eq!(app.count("select count(*) from refresh_token").await, 1);
    tokens = app.refresh("spa", &tokens["refresh_token"]).await.tokens();
    assert!(app.is_active(&tokens["access_token"]).await);
    // Another client's attempt takes nothing from it.
    app.refresh("webq", &first["refresh_token"]).await.assert_invalid_grant();
    assert!(app.is_active(&tokens["access_token"]).await);
    app.refresh("spa", &first["refresh_token"]).await.assert_invalid_grant();
    assert_eq!(app.audit("refresh.reuse").await.len(), 1);
    assert!(!app.is_active(&tokens["access_token"]).await);
    app.refresh("spa", &tokens["refresh_token"]).await.assert_invalid_grant();
}

/// RFC 7009 §2.1: a used token stands for its grant, also once its row is gone.
#[tokio::test]
async fn a_used_token_revokes_its_grant_long_afterwards() {
    let app = TestApp::start().await;
    let first = app.tokens("spa", SCOPE).await;
    let second = app.refresh("spa", &first["refresh_token"]).await.tokens();
    let third = app.refresh("spa", &second["refresh_token"]).await.tokens();
    let token = first["refresh_token"].as_str().expect("a token");
    assert_eq!(app.as_client("/introspect", "spa", &[("token", token)]).await.json(), json!({ "active": false }));
    app.as_client("/revoke", "webq", &[("token", token)]).await;
    assert!(app.is_active(&third["access_token"]).await);
    assert_eq!(app.audit("token.revoked").await[0].detail.as_deref(), Some("another client's token"));
    app.as_client("/revoke", "spa", &[("token", token)]).await;
    assert!(!app.is_active(&third["access_token"]).await);
    assert!(app.audit("refresh.reuse").await.is_empty());
}

/// Tokens that were given before tokens said of which family they are.
#[tokio::test]
async fn a_token_from_before_families_goes_on_and_founds_one() {
    let app = TestApp::start().await;
    app.tokens("spa", SCOPE).await;
    let old = RefreshToken::generate();
    app.sql("update access_grant set refresh_family = null").await;
    app.sql(&format!("update refresh_token set digest = '{}'", old.digest().as_str())).await;
    let old = json!(old.expose());
    let second = app.refresh("spa", &old).await.tokens();
    assert_eq!(app.refresh("spa", &old).await.tokens()["refresh_token"], second["refresh_token"], "within the grace");
    let third = app.refresh("spa", &second["refresh_token"]).await.tokens();
    assert_eq!(app.count("select count(*) from refresh_token").await, 2);
    app.refresh("spa", &old).await.assert_invalid_grant();
    assert_eq!(app.audit("refresh.reuse").await.len(), 1);
    app.refresh("spa", &third["refresh_token"]).await.assert_invalid_grant();
}

/// RT-02: an upgrade forgets no used token.
#[tokio::test]
async fn a_token_that_was_used_before_families_still_ends_its_own() {
    let app = TestApp::start().await;
    app.tokens("spa", SCOPE).await;
    let (used, old) = (RefreshToken::generate(), RefreshToken::generate());
    app.sql("update access_grant set refresh_family = null").await;
    app.sql(&format!("update refresh_token set digest = '{}', parent_digest = '{}'", old.digest().as_str(), used.digest().as_str())).await;
    app.sql(&format!(
        "insert into refresh_token (tenant_id, digest, grant_id, issued_at, expires_at, rotated_at)
         select tenant_id, '{}', grant_id, issued_at, expires_at, issued_at from refresh_token",
        used.digest().as_str()
    ))
    .await;
    let tokens = app.refresh("spa", &json!(old.expose())).await.tokens();
    let tokens = app.refresh("spa", &tokens["refresh_token"]).await.tokens();
    app.refresh("spa", &json!(used.expose())).await.assert_invalid_grant();
    assert_eq!(app.audit("refresh.reuse").await.len(), 1);
    app.refresh("spa", &tokens["refresh_token"]).await.assert_invalid_grant();
}

/// Who knows what tokens have in common has held one of them; who makes something up that looks like a token has not.
#[tokio::test]
async fn a_made_up_token_ends_nobodys_family() {
    let app = TestApp::start().await;
    let tokens = app.tokens("spa", SCOPE).await;
    for made_up in [RefreshToken::first(), RefreshToken::generate(), RefreshToken::presented("sr_")] {
        app.refresh("spa", &Value::from(made_up.expose())).await.assert_invalid_grant();
    }
    assert!(app.audit("refresh.reuse").await.is_empty());
    app.refresh("spa", &tokens["refresh_token"]).await.tokens();
}

/// Grants that were never redeemed, that no token refreshes, or that were revoked.
#[tokio::test]
async fn grants_go_once_nothing_can_come_of_them() {
    let app = TestApp::start().await;
    app.code("spa", SCOPE).await;
    app.tokens("spa", "openid launch/patient patient/Patient.rs").await;
    let kept = app.tokens("spa", SCOPE).await;
    let ended = app.tokens("spa", SCOPE).await;
    app.as_client("/revoke", "spa", &[("token", ended["refresh_token"].as_str().expect("a token"))]).await;
    let grants = async || app.count("select count(*) from access_grant").await;
    app.advance(Duration::hours(23));
    purge(&app).await;
    assert_eq!(grants().await, 4);
    app.advance(Duration::hours(2));
    purge(&app).await;
    assert_eq!(grants().await, 2);
    app.refresh("spa", &ended["refresh_token"]).await.assert_invalid_grant();
    assert_eq!(app.audit("token.refreshed").await[0].detail.as_deref(), Some("expired or revoked"));
    app.advance(Duration::days(30));
    purge(&app).await;
    assert_eq!(grants().await, 1);
    app.refresh("spa", &kept["refresh_token"]).await.tokens();
}

/// A backlog, as an installation has it whose purge did not run for long.
async fn backlog(app: &TestApp, tenant: &str, rows: u32) {
    app.sql(&format!(
        "insert into flow (tenant_id, flow_id, browser_digest, client_id, ask, created_at, expires_at)
         with recursive n (i) as (select 1 union all select i + 1 from n where i < {rows})
         select '{tenant}', 'f' || i, '', 'spa', '{{}}', 1, i from n"
    ))
    .await;
}

/// Whoever writes while there is much to forget is not kept waiting for the end of it.
#[tokio::test]
async fn others_write_while_a_backlog_goes() {
    let app = TestApp::start().await;
    backlog(&app, "default", 3000).await;
    let origin = app.origin();
    let write = async {
        for _ in 0..3 {
            app.store().audit(&origin, Entry::done("login")).await.expect("written");
        }
        app.count("select count(*) from flow").await
    };
    let (gone, left) = join(purge(&app), write).await;
    assert_eq!(gone, 3000);
    assert!(left > 1000, "{left} were left when the others had written");
}

/// A purge that fails, or whose process dies, has done what it has done; the next one goes on.
#[tokio::test]
async fn a_purge_that_failed_half_way_is_continued() {
    let app = TestApp::start().await;
    backlog(&app, "default", 1000).await;
    // Something that no flow may be taken from.
    app.sql(
        "create table pin (tenant_id text, flow_id text, foreign key (tenant_id, flow_id) references flow (tenant_id, flow_id));
         insert into pin values ('default', 'f555')",
    )
    .await;
    app.store().purge(&app.origin()).await.expect_err("f555 cannot go");
    let left = app.count("select count(*) from flow").await;
    assert!((1..1000).contains(&left), "{left}");
    app.sql("drop table pin").await;
    assert_eq!(i64::try_from(purge(&app).await).expect("a number"), left);
}

/// One tenant's purge is none of another's.
#[tokio::test]
async fn another_tenants_rows_stay() {
    let app = TestApp::start().await;
    app.sql(
        "insert into tenant (tenant_id, created_at) values ('other', 1);
         insert into client (tenant_id, client_id, name, auth_method, grant_types, scopes, redirect_uris, post_logout_redirect_uris,
                             fhir_bases, id_token_alg, refresh_grace, created_at)
         values ('other', 'spa', 'Other', 'none', 'authorization_code', 'openid', '[]', '[]', '[]', 'RS256', 10, 1)",
    )
    .await;
    backlog(&app, "default", 3).await;
    backlog(&app, "other", 5).await;
    assert_eq!(purge(&app).await, 3);
    assert_eq!(app.count("select count(*) from flow").await, 5);
    let other = Origin { tenant: TenantId::new("other"), ..app.origin() };
    assert_eq!(app.store().purge(&other).await.expect("a purge"), 5);
}

/// However many died since the last look: each is in the books, once.
#[tokio::test]
async fn all_dead_sessions_are_ended_a_few_at_a_time() {
    let app = TestApp::start().await;
    let tokens = app.tokens("spa", "openid launch/patient online_access patient/Patient.rs").await;
    let now = app.clock.now().unix_timestamp();
    for (name, seen, expires) in [("rest", now, now + 86400), ("age", now + 3000, now + 1800), ("live", now + 3000, now + 86400)] {
        app.sql(&format!(
            "insert into session (tenant_id, session_id, digest, user_id, auth_time, seen_at, idle_life, expires_at)
             with recursive n (i) as (select 1 union all select i + 1 from n where i < 50)
             select 'default', '{name}' || n.i, '{name}' || n.i, u.user_id, {now}, {seen}, 900, {expires}
               from n join user_account u on u.username = 'dr.a'"
        ))
        .await;
    }
    app.advance(Duration::hours(1));
    assert_eq!(app.store().end_dead_sessions(&app.origin()).await.expect("an answer"), 101);
    assert_eq!(app.audit("session.ended").await.len(), 101);
    assert_eq!(app.store().end_dead_sessions(&app.origin()).await.expect("an answer"), 0);
    assert_eq!(app.count("select count(*) from session where ended_at is null").await, 50);
    app.refresh("spa", &tokens["refresh_token"]).await.assert_invalid_grant();
    assert_eq!(app.count("select count(*) from access_grant where revoked_why = 'session ended'").await, 1);
}
