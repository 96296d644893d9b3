//! Scopes: never more than the client may have, the person can give, and the person did give.

use admit::client::{Client, ClientAuth, GrantType};
use admit::scope::ScopeSet;
use serde_json::Value;

use crate::support::{FHIR1, Landing, SCOPE, TestApp, VERIFIER, challenge, claims, client, redirect_uri, request};

const CB: &str = "https://app.test/cb";

/// A public client that may have these scopes.
fn app_with(id: &str, scopes: &str) -> Client {
    Client { scopes: ScopeSet::parse(scopes).expect("scopes"), ..client(id, ClientAuth::None, &[CB]) }
}

/// What dr.a's token for this request says it is good for; the answer and the token agree.
async fn granted(app: &TestApp, client: &str, scope: &str) -> String {
    let tokens = app.tokens(client, scope).await;
    let granted = tokens["scope"].as_str().expect("a scope").to_owned();
    assert_eq!(claims(&tokens["access_token"])["scope"], granted);
    granted
}

/// The app is told at once that there is nothing to be had.
async fn assert_nothing(app: &TestApp, client: &str, scope: &str) {
    let challenge = challenge(VERIFIER);
    let landing = app.browser().authorize(&request(client, CB, scope, &challenge)).await;
    landing.reply.assert_redirect_error(CB, "invalid_scope");
}

/// The consent page that this person sees.
async fn consent(browser: &mut crate::support::Browser<'_>, scope: &str, username: &str) -> Landing {
    let challenge = challenge(VERIFIER);
    let page = browser.authorize(&request("spa", CB, scope, &challenge)).await;
    let mut page = browser.log_in(&page, username).await;
    if page.path() == "/patient" {
        page = browser.pick(&page, "p2").await;
    }
    assert_eq!(page.path(), "/consent", "{}", page.reply.body);
    page
}

/// SC-01
#[tokio::test]
async fn what_is_unknown_or_not_registered_is_dropped_and_the_answer_says_so() {
    let app = TestApp::start().await;
    let mixed = "foo openid patient/Patient.rs launch/patient patient/Foo.rs https://x.test/scope __own email address launch/imagingstudy";
    assert_eq!(granted(&app, "spa", mixed).await, "openid patient/Patient.rs launch/patient");
    for nothing in ["foo", "foo bar", "email", "system/Patient.rs", "OPENID", "admin", "launch/imagingstudy"] {
        assert_nothing(&app, "spa", nothing).await;
    }

    app.register(app_with("small", "openid patient/Observation.rs user/Patient.r")).await;
    let asked = "openid fhirUser launch/patient patient/Observation.cruds patient/Patient.rs user/*.rs offline_access";
    assert_eq!(granted(&app, "small", asked).await, "openid patient/Observation.rs user/Patient.r");
    assert_nothing(&app, "small", "fhirUser patient/Patient.rs patient/Observation.cud").await;
}

/// SC-04
#[tokio::test]
async fn a_scope_outside_of_the_grammar_is_never_partly_understood() {
    let app = TestApp::start().await;
    for bad in [
        "patient/Observation.sr",
        "patient/Observation.rr",
        "patient/Observation.dus",
        "patient/Observation.x",
        "patient/Observation.rsx",
        "patient/Observation.",
        "patient/Observation..cruds.",
        "patient/Observation.READ",
        "patient/Observation.reads",
        "patient/Observation",
        "patient/Observation.rs.rs",
        "patient/observation.rs",
        "patient/Foo.rs",
        "patient/*Observation.rs",
        "patient/**.rs",
        "patient/*",
        "patient/",
        "patient",
        "Patient/Observation.rs",
        "/Observation.rs",
        "practitioner/Observation.rs",
        "patient/Observation/x.rs",
        "patient/Observation.rs,user/Observation.rs",
    ] {
        assert_nothing(&app, "spa", bad).await;
    }
}

/// SC-04: a query is part of the scope, and what is wrong with it is wrong with the whole.
#[tokio::test]
async fn a_granular_scope_does_not_become_the_whole_type() {
    let app = TestApp::start().await;
    let category = "http://terminology.hl7.org/CodeSystem/observation-category";
    let granular = format!("patient/Observation.rs?category={category}|laboratory");
    assert_eq!(granted(&app, "spa", &format!("{granular} patient/Patient.rs")).await, format!("{granular} patient/Patient.rs"));
    for bad in [
        "patient/Observation.rs?",
        "patient/Observation.rs?category",
        "patient/Observation.rs?category=",
        "patient/Observation.rs?category=a&",
        "patient/Observation.rs?code:in=a",
        "patient/Observation.rs?patient.birthdate=2000",
        "patient/Observation.rs?_filter=a",
        "patient/Observation.read?category=a",
        "patient/*.rs?category=a",
        "patient/Observation.rs#category=a",
    ] {
        assert_nothing(&app, "spa", bad).await;
    }
    // Byte for byte: the form of the request is decoded once, and the scope never.
    let escaped = "patient/Observation.rs?category=a%7Cb&date=ge2023-01-01&date=lt2024-01-01";
    assert_eq!(granted(&app, "spa", escaped).await, escaped);
}

/// SC-01, SC-04: a client that may have a part of a type gets that part at most.
#[tokio::test]
async fn a_client_of_a_part_gets_no_more_than_the_part() {
    let app = TestApp::start().await;
    app.register(app_with("lab", "patient/Observation.rs?category=laboratory patient/Condition.rs")).await;
    for (asked, given) in [
        ("patient/Observation.rs?category=laboratory", "patient/Observation.rs?category=laboratory"),
        ("patient/Observation.rs", "patient/Observation.rs?category=laboratory"),
        ("patient/Observation.read", "patient/Observation.rs?category=laboratory"),
        ("patient/Observation.cruds?code=1", "patient/Observation.rs?code=1&category=laboratory"),
        ("patient/Observation.r?code=1&category=laboratory", "patient/Observation.r?code=1&category=laboratory"),
        ("patient/Observation.rs?category=laboratory,survey", "patient/Observation.rs?category=laboratory"),
        ("patient/Condition.rs?category=a", "patient/Condition.rs?category=a"),
        ("patient/*.rs", "patient/Observation.rs?category=laboratory patient/Condition.rs"),
    ] {
        assert_eq!(granted(&app, "lab", asked).await, given, "{asked}");
    }
    assert_nothing(&app, "lab", "patient/Observation.cud").await;
}

/// A type that the registration does not name, at the level that it does.
#[tokio::test]
async fn a_registered_wildcard_is_good_for_every_type() {
    let app = TestApp::start().await;
    app.register(app_with("imaging", "openid user/*.rs")).await;
    assert_eq!(granted(&app, "imaging", "user/ImagingStudy.rs").await, "user/ImagingStudy.rs");
    assert_eq!(granted(&app, "imaging", "user/ImagingStudy.cruds").await, "user/ImagingStudy.rs");
    assert_eq!(granted(&app, "imaging", "user/ImagingStudy.r?status=available").await, "user/ImagingStudy.r?status=available");
    for more in ["patient/ImagingStudy.rs", "system/ImagingStudy.rs", "user/ImagingStudy.cud"] {
        assert_nothing(&app, "imaging", more).await;
    }
}

/// What is in the language and has nothing behind it here is not given, whoever registers it.
#[tokio::test]
async fn a_scope_that_nothing_stands_behind_is_never_given() {
    let app = TestApp::start().await;
    let hollow = "email phone address __launch __introspect";
    app.register(app_with("hollow", &format!("openid {hollow}"))).await;
    assert_eq!(granted(&app, "hollow", &format!("openid {hollow}")).await, "openid");
    for scope in hollow.split(' ') {
        assert_nothing(&app, "hollow", scope).await;
    }
}

/// SC-05
#[tokio::test]
async fn the_words_of_v1_are_given_back_as_they_were_asked_for() {
    let app = TestApp::start().await;
    let v1 = "patient/Observation.read patient/Condition.write patient/Procedure.* user/*.read";
    assert_eq!(granted(&app, "spa", v1).await, v1);

    // `.read` is `.rs`, `.write` is `.cud`, `.*` is `.cruds`: no more, and no less.
    app.register(app_with("reader", "patient/*.rs")).await;
    assert_eq!(granted(&app, "reader", "patient/Observation.read").await, "patient/Observation.read");
    assert_eq!(granted(&app, "reader", "patient/Observation.*").await, "patient/Observation.read");
    assert_nothing(&app, "reader", "patient/Observation.write").await;
    app.register(app_with("writer", "patient/*.write")).await;
    assert_eq!(granted(&app, "writer", "patient/Observation.cud").await, "patient/Observation.cud");
    assert_nothing(&app, "writer", "patient/Observation.read").await;
    app.register(app_with("words", "patient/*.read")).await;
    assert_eq!(granted(&app, "words", "patient/Observation.rs patient/Condition.r").await, "patient/Observation.rs patient/Condition.r");
    assert_nothing(&app, "words", "patient/Observation.d").await;
}

/// SC-08; the other half stands in `client_credentials.rs`.
#[tokio::test]
async fn nobody_can_allow_an_app_the_systems_level() {
    let app = TestApp::start().await;
    let both = app_with("both", "openid system/*.cruds patient/Patient.rs launch");
    app.register(Client { grant_types: vec![GrantType::AuthorizationCode, GrantType::ClientCredentials], ..both }).await;
    assert_eq!(granted(&app, "both", "system/*.rs openid system/Patient.cruds").await, "openid");
    assert_nothing(&app, "both", "system/*.rs").await;
}

/// SC-09
#[tokio::test]
async fn nobody_gives_more_than_they_have() {
    let app = TestApp::start().await;
    for (who, asked, given) in [
        ("pat1", "openid user/*.*", "openid user/*.read"),
        ("pat1", "openid user/Observation.cruds", "openid user/Observation.rs"),
        ("pat1", "openid user/Patient.cud", "openid"),
        ("pat1", "patient/*.*", "patient/*.*"),
        ("dr.a", "openid user/*.*", "openid user/*.*"),
        // Nobody is a FHIR resource by asking for it.
        ("clerk", "openid fhirUser", "openid"),
    ] {
        let mut browser = app.browser();
        let page = consent(&mut browser, asked, who).await;
        let shown = page.scopes();
        let landing = browser.approve(&page).await;
        let tokens = app.redeem("spa", &landing.code()).await.tokens();
        assert_eq!(tokens["scope"], given, "{who}: {asked}");
        // What the person saw is what the app got.
        let resources: Vec<String> = given.split(' ').filter(|scope| scope.contains('/')).map(str::to_owned).collect();
        assert_eq!(shown, resources, "{who}: {asked}");
    }
}

/// SC-10
#[tokio::test]
async fn a_consent_form_that_says_more_than_the_page_is_refused() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = consent(&mut browser, "openid launch/patient patient/Patient.rs patient/Observation.rs", "dr.a").await;
    for forged in [
        vec!["patient/Patient.rs", "patient/Condition.rs"],
        vec!["patient/Patient.cruds"],
        vec!["patient/*.rs"],
        vec!["patient/Patient.read"],
        vec!["patient/Patient.r"],
        vec!["user/Patient.rs"],
        vec!["patient/Patient.rs patient/Observation.rs"],
        vec!["offline_access"],
        vec!["openid"],
        vec!["nonsense"],
    ] {
        let refused = browser.approve_only(&page, &forged).await;
        refused.reply.assert_page(403, None);
    }
    assert!(app.audit("code.issued").await.is_empty());
    // The honest form still works, and fields that the page does not have change nothing.
    let csrf = page.csrf();
    let form = [
        ("csrf", csrf.as_str()),
        ("decision", "approve"),
        ("scope", "patient/Patient.rs"),
        ("patient", "p3"),
        ("redirect_uri", "https://evil.test/cb"),
        ("client_id", "evil"),
        ("user", "u-dr.b"),
    ];
    let landing = browser.submit(&page.at, &form).await;
    assert!(landing.reply.header("location").starts_with("https://app.test/cb?code="), "{:?}", landing.reply);
    let tokens = app.redeem("spa", &landing.code()).await.tokens();
    assert_eq!((&tokens["patient"], claims(&tokens["access_token"])["sub"].as_str()), (&Value::from("p2"), Some("u-dr.a")));
}

/// SC-10: an approval that was refused leaves no trace of what it asked for.
#[tokio::test]
async fn a_forged_approval_cannot_be_picked_up_later() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = consent(&mut browser, "openid launch/patient patient/Patient.rs", "dr.a").await;
    browser.approve_only(&page, &["patient/*.cruds"]).await.reply.assert_page(403, None);
    let again = browser.go(&page.at).await;
    assert_eq!((again.path(), again.scopes()), ("/consent", vec!["patient/Patient.rs".to_owned()]));
}

/// SC-11
#[tokio::test]
async fn what_the_person_unticks_the_app_does_not_get() {
    let app = TestApp::start().await;
    for (ticked, given) in [
        (vec!["patient/Observation.rs", "offline_access"], "openid launch/patient offline_access patient/Observation.rs"),
        (
            vec!["patient/Patient.rs", "patient/Observation.rs", "offline_access"],
            "openid launch/patient offline_access patient/Patient.rs patient/Observation.rs",
        ),
        (vec!["offline_access"], "openid launch/patient offline_access"),
    ] {
        let mut browser = app.browser();
        let asked = "openid launch/patient offline_access patient/Patient.rs patient/Observation.rs";
        let page = consent(&mut browser, asked, "dr.a").await;
        let landing = browser.approve_only(&page, &ticked).await;
        let tokens = app.redeem("spa", &landing.code()).await.tokens();
        assert_eq!(tokens["scope"], given);
        assert_eq!(claims(&tokens["access_token"])["scope"], given);
        assert!(tokens["id_token"].is_string() && tokens["patient"] == "p2");
        // Nor by refreshing.
        app.refresh_to("spa", &tokens["refresh_token"], Some("patient/Condition.rs")).await.assert_token_error(400, "invalid_scope");
        assert_eq!(app.refresh("spa", &tokens["refresh_token"]).await.tokens()["scope"], given);
    }
}

/// SC-11: nothing ticked, and nothing else that was asked for, is no approval.
#[tokio::test]
async fn an_empty_approval_is_asked_again() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = consent(&mut browser, "launch/patient patient/Patient.rs", "dr.a").await;
    let again = browser.approve_only(&page, &[]).await;
    assert_eq!((again.reply.status.as_u16(), again.path()), (400, "/consent"));
    assert!(app.audit("code.issued").await.is_empty());
}

/// SC-12: where no approval is remembered, none can be stretched.
#[tokio::test]
async fn an_earlier_approval_does_not_cover_a_later_request() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let landing = browser.launch("spa", CB, "openid", "dr.a", None).await;
    app.redeem("spa", &landing.code()).await.tokens();

    let challenge = challenge(VERIFIER);
    for scope in ["openid", "openid fhirUser", "openid offline_access"] {
        let silent = [&request("spa", CB, scope, &challenge)[..], &[("prompt", "none")]].concat();
        browser.authorize(&silent).await.reply.assert_redirect_error(CB, "consent_required");
        assert_eq!(browser.authorize(&request("spa", CB, scope, &challenge)).await.path(), "/consent");
    }
    assert_eq!(app.audit("code.issued").await.len(), 1);
}

/// SC-12: where the administrator has decided for clinicians, nobody else is covered by that.
#[tokio::test]
async fn a_pre_approval_is_for_clinicians_and_for_what_is_registered() {
    let app = TestApp::start().await;
    let uri = redirect_uri("clinic");
    let challenge = challenge(VERIFIER);
    let silent = [&request("clinic", uri, "openid user/Patient.rs system/*.rs", &challenge)[..], &[("prompt", "none")]].concat();
    let mut clinician = app.browser();
    clinician.launch("clinic", uri, "openid", "dr.a", None).await.code();
    let code = clinician.authorize(&silent).await.code();
    assert_eq!(app.redeem("clinic", &code).await.tokens()["scope"], "openid user/Patient.rs");

    for person in ["pat1", "proxy", "clerk"] {
        let mut browser = app.browser();
        assert!(browser.launch("clinic", uri, "openid", person, None).await.reply.param("code").is_some());
        browser.authorize(&silent).await.reply.assert_redirect_error(uri, "consent_required");
    }
}

/// SC-13
#[tokio::test]
async fn a_client_that_may_not_stay_gets_no_refresh_token() {
    let app = TestApp::start().await;
    app.register(app_with("brief", "openid patient/Patient.rs")).await;
    let once = app_with("once", "openid offline_access online_access patient/Patient.rs");
    app.register(Client { grant_types: vec![GrantType::AuthorizationCode], ..once }).await;
    for client in ["brief", "once"] {
        let tokens = app.tokens(client, "openid offline_access online_access patient/Patient.rs").await;
        assert_eq!(tokens["scope"], "openid patient/Patient.rs");
        assert!(tokens.get("refresh_token").is_none());
    }
    // Nor does one that may, and did not ask.
    assert!(app.tokens("spa", "openid patient/Patient.rs").await.get("refresh_token").is_none());
}

/// SC-15
#[tokio::test]
async fn a_client_that_may_have_less_by_now_gets_less() {
    let app = TestApp::start().await;
    let code = app.code("spa", SCOPE).await;
    app.sql("update client set scopes = 'openid launch/patient offline_access patient/Patient.r' where client_id = 'spa'").await;
    let given = "openid launch/patient offline_access patient/Patient.r";
    let tokens = app.redeem("spa", &code).await.tokens();
    assert_eq!(tokens["scope"], given);
    assert_eq!(claims(&tokens["access_token"])["scope"], given);
    assert!(claims(&tokens["id_token"]).get("fhirUser").is_none());

    app.sql("update client set scopes = 'openid offline_access' where client_id = 'spa'").await;
    let tokens = app.refresh("spa", &tokens["refresh_token"]).await.tokens();
    assert_eq!(tokens["scope"], "openid offline_access");
    // It asks for what it was once granted.
    app.refresh_to("spa", &tokens["refresh_token"], Some("patient/Patient.r")).await.assert_token_error(400, "invalid_scope");
}

/// SC-15: nothing is left.
#[tokio::test]
async fn a_client_that_may_have_nothing_by_now_gets_nothing() {
    let app = TestApp::start().await;
    let code = app.code("spa", SCOPE).await;
    let tokens = app.tokens("spa", SCOPE).await;
    app.sql("update client set scopes = 'user/Condition.rs' where client_id = 'spa'").await;
    app.redeem("spa", &code).await.assert_invalid_grant();
    app.refresh("spa", &tokens["refresh_token"]).await.assert_invalid_grant();
}

/// SC-15: nor does it stay for longer than it may by now.
#[tokio::test]
async fn a_client_that_may_not_stay_any_more_gets_no_refresh_token() {
    for change in [
        "update client set scopes = 'openid fhirUser launch/patient patient/*.cruds' where client_id = 'spa'",
        "update client set grant_types = 'authorization_code' where client_id = 'spa'",
    ] {
        let app = TestApp::start().await;
        let code = app.code("spa", SCOPE).await;
        let before = app.tokens("spa", SCOPE).await;
        app.sql(change).await;
        let tokens = app.redeem("spa", &code).await.tokens();
        assert!(!tokens["scope"].as_str().expect("a scope").contains("offline_access"));
        assert!(tokens.get("refresh_token").is_none(), "{change}");
        assert_eq!(app.refresh("spa", &before["refresh_token"]).await.status.as_u16(), 400, "{change}");
    }
}

/// SC-15: the FHIR base is part of what a client may have.
#[tokio::test]
async fn a_client_that_may_not_use_the_base_any_more_gets_no_token_for_it() {
    let app = TestApp::start().await;
    let code = app.code("spa", SCOPE).await;
    let tokens = app.tokens("spa", SCOPE).await;
    assert_eq!(claims(&tokens["access_token"])["aud"], format!("{FHIR1}/"));
    app.sql(r#"update client set fhir_bases = '["two"]' where client_id = 'spa'"#).await;
    app.redeem("spa", &code).await.assert_invalid_grant();
    app.refresh("spa", &tokens["refresh_token"]).await.assert_invalid_grant();
}
