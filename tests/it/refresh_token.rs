//! Refresh tokens: good once, for their own client, within what was granted; and gone with the
//! person, the session or the family.

use admit::client::{Client, ClientAuth};
use admit::id::{ClientId, UserId};
use serde_json::Value;
use time::Duration;

use crate::support::{PASSWORD, SCOPE, TestApp, claims, client};

fn same_context(before: &Value, after: &Value) {
    for member in ["scope", "patient", "encounter", "token_type", "expires_in"] {
        assert_eq!(before[member], after[member], "{member}");
    }
    let (before, after) = (claims(&before["access_token"]), claims(&after["access_token"]));
    for claim in ["iss", "sub", "aud", "client_id", "patient", "fhirUser", "scope", "tenant_id", "launch_response_patient"] {
        assert_eq!(before[claim], after[claim], "{claim}");
    }
    assert_ne!(before["jti"], after["jti"]);
}

/// RT-01
#[tokio::test]
async fn a_refresh_gives_a_new_token_and_keeps_the_context() {
    let app = TestApp::start().await;
    for client in ["spa", "webq", "post", "strict"] {
        let first = app.tokens(client, SCOPE).await;
        app.advance(Duration::minutes(20));
        let second = app.refresh(client, &first["refresh_token"]).await.tokens();
        assert_ne!(first["refresh_token"], second["refresh_token"]);
        same_context(&first, &second);
        assert!(app.is_active(&second["access_token"]).await);
    }
}

/// RT-01, RT-09: three months, counted anew at each use.
#[tokio::test]
async fn a_refresh_token_slides_and_ends_when_it_rests_for_three_months() {
    let app = TestApp::start().await;
    let mut tokens = app.tokens("spa", SCOPE).await;
    for _ in 0..3 {
        app.advance(Duration::days(93) - Duration::seconds(1));
        tokens = app.refresh("spa", &tokens["refresh_token"]).await.tokens();
    }
    app.advance(Duration::days(93) + Duration::seconds(1));
    app.refresh("spa", &tokens["refresh_token"]).await.assert_invalid_grant();
    assert!(app.audit("refresh.reuse").await.is_empty(), "being late is not a theft");
}

/// RT-01, RT-09: a cap counts from the approval, and no use extends it.
#[tokio::test]
async fn an_absolute_cap_is_not_extended_by_use() {
    let app = TestApp::start().await;
    let capped = client("capped", ClientAuth::None, &["https://app.test/cb"]);
    app.register(Client { refresh_max_life: Some(Duration::days(10)), ..capped }).await;
    let mut tokens = app.tokens("capped", SCOPE).await;
    for _ in 0..2 {
        app.advance(Duration::days(5) - Duration::seconds(1));
        tokens = app.refresh("capped", &tokens["refresh_token"]).await.tokens();
    }
    app.advance(Duration::seconds(3));
    app.refresh("capped", &tokens["refresh_token"]).await.assert_invalid_grant();
}

/// RT-02
#[tokio::test]
async fn a_used_refresh_token_that_comes_back_ends_the_family() {
    let app = TestApp::start().await;
    let first = app.tokens("strict", SCOPE).await;
    let second = app.refresh("strict", &first["refresh_token"]).await.tokens();

    app.refresh("strict", &first["refresh_token"]).await.assert_invalid_grant();

    app.refresh("strict", &second["refresh_token"]).await.assert_invalid_grant();
    for tokens in [&first, &second] {
        assert!(!app.is_active(&tokens["access_token"]).await);
    }
    let entries = app.audit("refresh.reuse").await;
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!((entries[0].outcome.as_str(), entries[0].client_id.as_deref()), ("refused", Some("strict")));
    assert!(entries[0].grant_id.is_some());
}

/// RT-02: the family is one grant; the person's other grants are none of it.
#[tokio::test]
async fn reuse_ends_no_other_grant_of_the_same_person() {
    let app = TestApp::start().await;
    let (stolen, other) = (app.tokens("strict", SCOPE).await, app.tokens("strict", SCOPE).await);
    app.refresh("strict", &stolen["refresh_token"]).await.tokens();
    app.refresh("strict", &stolen["refresh_token"]).await.assert_invalid_grant();
    assert!(app.is_active(&other["access_token"]).await);
    app.refresh("strict", &other["refresh_token"]).await.tokens();
}

/// RT-04
#[tokio::test]
async fn another_clients_refresh_token_is_worthless_and_stays_good_for_its_owner() {
    let app = TestApp::start().await;
    let tokens = app.tokens("webq", SCOPE).await;
    for thief in ["evil", "post", "spa", "strict"] {
        app.refresh(thief, &tokens["refresh_token"]).await.assert_invalid_grant();
    }
    let refused = app.audit("token.refreshed").await.into_iter().filter(|entry| entry.outcome == "refused").count();
    assert_eq!(refused, 4);

    let next = app.refresh("webq", &tokens["refresh_token"]).await.tokens();
    // A used one does not become a weapon in the wrong hands either, within the grace or after it.
    app.refresh("evil", &tokens["refresh_token"]).await.assert_invalid_grant();
    app.advance(Duration::minutes(1));
    app.refresh("evil", &tokens["refresh_token"]).await.assert_invalid_grant();
    app.refresh("webq", &next["refresh_token"]).await.tokens();
}

/// RT-05
#[tokio::test]
async fn without_authentication_a_refresh_token_is_neither_good_nor_spent() {
    let app = TestApp::start().await;
    let tokens = app.tokens("webq", SCOPE).await;
    let token = tokens["refresh_token"].as_str().expect("a token");
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    let as_public = [&form[..], &[("client_id", "webq")]].concat();
    app.post("/token", None, &as_public).await.assert_token_error(401, "invalid_client");
    app.post("/token", None, &form).await.assert_token_error(401, "invalid_client");
    app.post("/token", Some(("webq", "cs_wrong")), &form).await.assert_token_error(401, "invalid_client");
    app.refresh("webq", &tokens["refresh_token"]).await.tokens();
}

/// RT-06
#[tokio::test]
async fn asking_for_more_than_was_granted_is_refused_and_costs_nothing() {
    let app = TestApp::start().await;
    let tokens = app.tokens("spa", "openid launch/patient offline_access patient/Patient.rs").await;
    for more in [
        "openid patient/Patient.rs patient/Observation.rs",
        "patient/Patient.cruds",
        "patient/*.rs",
        "user/Patient.rs",
        "system/Patient.rs",
        "fhirUser",
        "patient/Foo.rs",
    ] {
        app.refresh_to("spa", &tokens["refresh_token"], Some(more)).await.assert_token_error(400, "invalid_scope");
    }
    app.refresh_to("spa", &tokens["refresh_token"], Some("openid\u{a0}")).await.assert_token_error(400, "invalid_scope");
    app.refresh("spa", &tokens["refresh_token"]).await.tokens();
}

/// RT-07
#[tokio::test]
async fn a_narrowed_refresh_narrows_the_access_token_alone() {
    let app = TestApp::start().await;
    let first = app.tokens("spa", SCOPE).await;
    let narrow = app.refresh_to("spa", &first["refresh_token"], Some("patient/Patient.r")).await.tokens();
    assert_eq!(narrow["scope"], "patient/Patient.r");
    assert_eq!(claims(&narrow["access_token"])["scope"], "patient/Patient.r");
    assert!(narrow.get("id_token").is_none() && claims(&narrow["access_token"]).get("fhirUser").is_none());
    assert_eq!(narrow["patient"], "p2", "the launch context goes on");
    let full = app.refresh("spa", &narrow["refresh_token"]).await.tokens();
    assert_eq!(full["scope"], SCOPE);
}

/// RT-08
#[tokio::test]
async fn no_scope_and_an_empty_scope_mean_what_was_granted() {
    let app = TestApp::start().await;
    let mut tokens = app.tokens("spa", SCOPE).await;
    for scope in [None, Some(""), Some(SCOPE)] {
        tokens = app.refresh_to("spa", &tokens["refresh_token"], scope).await.tokens();
        assert_eq!(tokens["scope"], SCOPE);
    }
}

/// RT-10
#[tokio::test]
async fn a_person_who_is_switched_off_is_refreshed_no_more() {
    let app = TestApp::start().await;
    let tokens = app.tokens("spa", SCOPE).await;
    assert!(app.store().disable_user(&app.origin(), &UserId::new("u-dr.a")).await.expect("switched off"));
    app.refresh("spa", &tokens["refresh_token"]).await.assert_invalid_grant();
    assert!(!app.is_active(&tokens["access_token"]).await);
    // Being switched on again does not bring the tokens back.
    app.sql("update user_account set disabled_at = null where user_id = 'u-dr.a'").await;
    app.refresh("spa", &tokens["refresh_token"]).await.assert_invalid_grant();
    assert!(!app.is_active(&tokens["access_token"]).await);
}

/// RT-10: the account itself is asked, not only its grants.
#[tokio::test]
async fn a_disabled_account_is_not_refreshed_even_if_its_grant_was_missed() {
    let app = TestApp::start().await;
    let tokens = app.tokens("spa", SCOPE).await;
    let used = app.refresh("spa", &tokens["refresh_token"]).await.tokens();
    app.sql("update user_account set disabled_at = 1 where user_id = 'u-dr.a'").await;
    app.refresh("spa", &used["refresh_token"]).await.assert_invalid_grant();
    app.refresh("spa", &tokens["refresh_token"]).await.assert_invalid_grant();
    assert!(!app.is_active(&used["access_token"]).await);
}

/// RT-10: the same for the app.
#[tokio::test]
async fn a_client_that_is_switched_off_is_refreshed_no_more() {
    let app = TestApp::start().await;
    let tokens = app.tokens("spa", SCOPE).await;
    assert!(app.store().disable_client(&app.origin(), &ClientId::new("spa")).await.expect("switched off"));
    app.refresh("spa", &tokens["refresh_token"]).await.assert_token_error(401, "invalid_client");
    assert!(!app.is_active(&tokens["access_token"]).await);
}

/// RT-11
#[tokio::test]
async fn a_new_password_ends_every_family_of_the_person() {
    let app = TestApp::start().await;
    let mine = [("spa", app.tokens("spa", SCOPE).await), ("webq", app.tokens("webq", SCOPE).await)];
    let landing = app.browser().launch("spa", "https://app.test/cb", SCOPE, "pat1", None).await;
    let theirs = app.redeem("spa", &landing.code()).await.tokens();

    let hash = app.app.passwords.hash("another four words in a row").await.expect("a hash");
    assert!(app.store().set_password(&app.origin(), &UserId::new("u-dr.a"), &hash).await.expect("set"));

    for (client, tokens) in &mine {
        app.refresh(client, &tokens["refresh_token"]).await.assert_invalid_grant();
        assert!(!app.is_active(&tokens["access_token"]).await);
    }
    app.refresh("spa", &theirs["refresh_token"]).await.tokens();
}

/// RT-12
#[tokio::test]
async fn signing_out_ends_online_access_and_not_offline_access() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let offline = browser.code("spa", SCOPE).await;
    let offline = app.redeem("spa", &offline).await.tokens();
    let online = browser.code("spa", "openid launch/patient online_access patient/Patient.rs").await;
    let online = app.redeem("spa", &online).await.tokens();
    let online = app.refresh("spa", &online["refresh_token"]).await.tokens();

    let page = browser.go("/logout").await;
    browser.submit("/logout", &[("csrf", &page.csrf())]).await;
    app.advance(Duration::seconds(1));

    app.refresh("spa", &online["refresh_token"]).await.assert_invalid_grant();
    assert!(!app.is_active(&online["access_token"]).await);
    assert!(app.is_active(&offline["access_token"]).await);
    app.refresh("spa", &offline["refresh_token"]).await.tokens();
}

/// RT-12: so does staying away for longer than the session rests.
#[tokio::test]
async fn online_access_ends_when_the_session_times_out() {
    let app = TestApp::start().await;
    let tokens = app.tokens("spa", "openid launch/patient online_access patient/Patient.rs").await;
    app.advance(Duration::minutes(14));
    let tokens = app.refresh("spa", &tokens["refresh_token"]).await.tokens();
    // An app that refreshes is not a person who is there.
    app.advance(Duration::minutes(2));
    app.refresh("spa", &tokens["refresh_token"]).await.assert_invalid_grant();
}

/// RT-12: the browser's next sign-in ends the session before it.
#[tokio::test]
async fn online_access_does_not_pass_to_the_next_person_at_the_browser() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let scope = "openid launch/patient online_access patient/Patient.rs";
    let code = browser.code("spa", scope).await;
    let tokens = app.redeem("spa", &code).await.tokens();

    let challenge = crate::support::challenge(crate::support::VERIFIER);
    let again = [
        ("response_type", "code"),
        ("client_id", "spa"),
        ("redirect_uri", "https://app.test/cb"),
        ("scope", scope),
        ("aud", crate::support::FHIR1),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("prompt", "login"),
    ];
    app.advance(Duration::seconds(1));
    let page = browser.authorize(&again).await;
    browser.log_in_with(&page, "dr.b", PASSWORD).await;

    app.refresh("spa", &tokens["refresh_token"]).await.assert_invalid_grant();
}

/// RT-17
#[tokio::test]
async fn tokens_of_one_kind_are_not_good_as_another() {
    let app = TestApp::start().await;
    let tokens = app.tokens("spa", SCOPE).await;
    for other in ["access_token", "id_token"] {
        app.refresh("spa", &tokens[other]).await.assert_invalid_grant();
    }
    let refresh = tokens["refresh_token"].as_str().expect("a token");
    app.redeem("spa", refresh).await.assert_invalid_grant();
    for other in ["refresh_token", "id_token"] {
        let reply = app.userinfo(tokens[other].as_str().expect("a token")).await;
        reply.assert_token_error(401, "invalid_token");
        assert_eq!(reply.header("www-authenticate"), r#"Bearer error="invalid_token""#);
    }
    app.refresh("spa", &tokens["refresh_token"]).await.tokens();
}

/// RT-19
#[tokio::test]
async fn a_refreshed_id_token_is_the_same_sign_in() {
    let app = TestApp::start().await;
    let challenge = crate::support::challenge(crate::support::VERIFIER);
    let request = [
        ("response_type", "code"),
        ("client_id", "spa"),
        ("redirect_uri", "https://app.test/cb"),
        ("scope", "openid offline_access fhirUser"),
        ("state", "a-state"),
        ("nonce", "a-nonce"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let mut browser = app.browser();
    let page = browser.authorize(&request).await;
    let page = browser.log_in(&page, "dr.a").await;
    let landing = browser.approve(&page).await;
    let first = app.redeem("spa", &landing.code()).await.tokens();
    app.advance(Duration::hours(2));
    let second = app.refresh("spa", &first["refresh_token"]).await.tokens();

    let (before, after) = (claims(&first["id_token"]), claims(&second["id_token"]));
    for claim in ["iss", "sub", "aud", "auth_time", "fhirUser"] {
        assert_eq!(before[claim], after[claim], "{claim}");
        assert!(!before[claim].is_null(), "{claim}");
    }
    assert_eq!(before["nonce"], "a-nonce");
    assert!(after.get("nonce").is_none());
    assert_eq!(after["iat"].as_i64().zip(before["iat"].as_i64()).map(|(after, before)| after - before), Some(7200));
    assert_eq!(after["iat"], app.clock.now().unix_timestamp());
}

/// A FHIR base that is removed takes along what was allowed there, also where no patient was chosen. One that comes back under
/// its name is another one.
#[tokio::test]
async fn a_fhir_base_that_is_removed_ends_what_was_allowed_there() {
    let app = TestApp::start().await;
    let with_patient = app.tokens("spa", SCOPE).await;
    let without = app.tokens("spa", "openid offline_access user/Patient.rs").await;
    let base = app.store().fhir_bases(&app.origin().tenant).await.expect("bases").into_iter().find(|base| base.name == "one");
    assert!(app.store().remove_fhir_base(&app.origin(), "one", true).await.expect("removed"));
    app.refresh("spa", &without["refresh_token"]).await.assert_token_error(400, "invalid_grant");
    app.store().add_fhir_base(&app.origin(), &base.expect("a FHIR base")).await.expect("another one");
    app.refresh("spa", &with_patient["refresh_token"]).await.assert_token_error(400, "invalid_grant");
    assert!(!app.is_active(&without["access_token"]).await);
}
