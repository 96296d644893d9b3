//! A FHIR base that knows the words of SMART v1 only (`SMART_ON_FHIR_V1`): no token for it has letters or a query.

use admit::client::{Client, ClientAuth, GrantType};
use admit::scope::ScopeSet;

use crate::support::ask::{Ask, claims};
use crate::support::{Browser, Landing, SECRET, TestApp, client};

/// Where the FHIR base of the seed knows v1 only.
async fn app() -> TestApp {
    let app = TestApp::start().await;
    becomes_v1(&app).await;
    app
}

async fn becomes_v1(app: &TestApp) {
    app.sql("update fhir_base set strategy = 'SMART_ON_FHIR_V1' where name = 'one'").await;
    app.advance(time::Duration::seconds(2));
}

async fn consent(browser: &mut Browser<'_>, client: &str, scope: &str) -> Landing {
    let page = browser.ask(&Ask::of(client).with("scope", scope)).await;
    let page = browser.log_in(&page, "dr.a").await;
    if page.path() == "/patient" { browser.pick(&page, "p2").await } else { page }
}

/// SC-01, SC-05: what the base does not know is dropped, and the answer says so.
#[tokio::test]
async fn an_app_gets_the_words_of_v1_and_nothing_else() {
    let app = app().await;
    let asked = "openid launch/patient offline_access patient/Observation.read patient/Condition.write user/Patient.* patient/Patient.rs \
                 user/Observation.r patient/Condition.rs?category=laboratory";
    let tokens = app.tokens("spa", asked).await;
    let granted = "openid launch/patient offline_access patient/Observation.read patient/Condition.write user/Patient.*";
    assert_eq!((&tokens["scope"], &claims(&tokens["access_token"])["scope"]), (&granted.into(), &granted.into()));

    let nothing = Ask::of("spa").with("scope", "patient/Patient.rs user/*.cruds");
    app.assert_app_is_told(&app.ask(&nothing).await, &nothing, "invalid_scope");
    // Nor where it is our own narrowing that would need letters.
    let narrow = Client {
        scopes: ScopeSet::parse("openid user/Patient.r").expect("scopes"),
        ..client("narrow", ClientAuth::None, &["https://app.test/cb"])
    };
    app.register(narrow).await;
    let nothing = Ask::of("narrow").with("scope", "user/Patient.read");
    app.assert_app_is_told(&app.ask(&nothing).await, &nothing, "invalid_scope");
}

/// A refresh asks for less, and still in words.
#[tokio::test]
async fn a_refresh_does_not_bring_letters_in() {
    let app = app().await;
    let tokens = app.tokens("spa", "openid launch/patient offline_access patient/Observation.* patient/Patient.read").await;
    app.refresh_to("spa", &tokens["refresh_token"], Some("patient/Observation.rs")).await.assert_token_error(400, "invalid_scope");
    let less = app.refresh_to("spa", &tokens["refresh_token"], Some("patient/Observation.read patient/Patient.r")).await.tokens();
    assert_eq!(less["scope"], "patient/Observation.read");
}

/// A base that is switched over: what was granted in letters before is not given any more.
#[tokio::test]
async fn an_old_grant_loses_its_letters() {
    let app = TestApp::start().await;
    let tokens = app.tokens("spa", "openid launch/patient offline_access patient/Observation.rs patient/Patient.read").await;
    becomes_v1(&app).await;
    assert_eq!(
        app.refresh("spa", &tokens["refresh_token"]).await.tokens()["scope"],
        "openid launch/patient offline_access patient/Patient.read"
    );
}

/// There are no categories in v1: they are not offered, and not taken.
#[tokio::test]
async fn nobody_is_offered_categories() {
    let app = app().await;
    let mut browser = app.browser();
    let page = consent(&mut browser, "spa", "openid launch/patient patient/Condition.read user/*.read").await;
    let offered: Vec<String> = page.boxes().into_iter().map(|(value, _)| value).collect();
    assert!(offered.contains(&"patient/Condition.read".to_owned()) && offered.contains(&"user/Observation.read".to_owned()), "{offered:?}");
    assert!(offered.iter().all(|value| value.ends_with(".read")), "{offered:?}");
    let category = "patient/Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item";
    browser.approve_only(&page, &[category]).await.reply.assert_page(403, None);
    let landing = browser.approve_only(&page, &["user/Observation.read"]).await;
    assert_eq!(app.tokens_of("spa", &landing).await["scope"], "openid launch/patient user/Observation.read");
}

#[tokio::test]
async fn a_service_gets_the_words_of_v1_and_nothing_else() {
    let app = app().await;
    let service = Client {
        grant_types: vec![GrantType::ClientCredentials],
        scopes: ScopeSet::parse("system/*.cruds").expect("scopes"),
        ..client("service", ClientAuth::ClientSecretBasic, &[])
    };
    app.register(service).await;
    let ask = async |scope| app.post("/token", Some(("service", SECRET)), &[("grant_type", "client_credentials"), ("scope", scope)]).await;
    let tokens = ask("system/Patient.read system/Observation.rs system/*.cud").await.tokens();
    assert_eq!(
        (&tokens["scope"], &claims(&tokens["access_token"])["scope"]),
        (&"system/Patient.read".into(), &"system/Patient.read".into())
    );
    ask("system/Observation.rs").await.assert_token_error(400, "invalid_scope");
}
