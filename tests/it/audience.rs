//! Which FHIR server a token is for, and which launch it comes of.

use admit::token::Jwks;
use admit::validate::{KeySource, Profile, Trust, Validator};
use serde_json::json;

use crate::support::ask::{Ask, claims};
use crate::support::{FHIR1, FHIR2, TestApp};

const PATIENT: &str = "openid fhirUser launch/patient patient/*.rs";

/// SL-01
#[tokio::test]
async fn a_request_for_data_says_which_fhir_server_it_means() {
    let app = TestApp::start().await;
    for scope in ["user/Observation.rs", "patient/*.read", "launch/patient", "openid launch/patient", "openid user/*.cruds"] {
        for ask in [Ask::of("spa").without("aud"), Ask::of("spa").with("aud", "")] {
            let ask = ask.with("scope", scope);
            app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");
        }
    }
}

/// SL-01
#[tokio::test]
async fn a_plain_sign_in_needs_no_fhir_server() {
    let app = TestApp::start().await;
    let ask = Ask::of("spa").without("aud").with("scope", "openid profile");
    let mut browser = app.browser();
    let page = browser.ask(&ask).await;
    let landing = browser.go_through(page, "dr.a", "p1").await;
    let tokens = app.exchange("spa", &landing).await;
    let access = claims(&tokens["access_token"]);
    assert_eq!(access["aud"], "https://idp.test");
    assert!(access.get("patient").is_none() && tokens.get("patient").is_none());
}

/// SL-02
#[tokio::test]
async fn an_audience_that_is_not_exactly_a_fhir_base_of_ours_is_refused() {
    let app = TestApp::start().await;
    for aud in [
        "https://evil.test/r4",
        "https://fhir.test/r4/metadata",
        "https://fhir.test/",
        "https://fhir.test",
        "https://fhir.test/R4",
        "https://FHIR.test/r4",
        "HTTPS://fhir.test/r4",
        "https://fhir.test:443/r4",
        "https://fhir.test:8443/r4",
        "http://fhir.test/r4",
        "https://fhir.test/r4?x=1",
        "https://fhir.test/r4#x",
        "https://fhir.test/r4//",
        "https://fhir.test/r4/../r4",
        "https://fhir.test/r4%2f",
        "https://fhir.test@evil.test/r4",
        "https://fhir.test/r4 https://evil.test/r4",
        "one",
        "https://idp.test",
        "https://inferno.healthit.gov/invalid_aud",
    ] {
        let ask = Ask::of("spa").with("aud", aud);
        app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");
    }
    for second in [FHIR1, FHIR2, "https://evil.test/r4"] {
        let ask = Ask::of("spa").and("aud", second);
        app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");
    }
    // Not even where no data are asked for.
    let ask = Ask::of("spa").with("scope", "openid").with("aud", "https://evil.test/r4");
    app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");
}

/// SL-02
#[tokio::test]
async fn one_trailing_slash_is_tolerated_and_resource_is_another_name_for_aud() {
    let app = TestApp::start().await;
    let slash = format!("{FHIR1}/");
    for ask in
        [Ask::of("spa").with("aud", &slash), Ask::of("spa").without("aud").with("resource", FHIR1), Ask::of("spa").with("resource", FHIR1)]
    {
        assert_eq!(app.browser().ask(&ask).await.path(), "/login", "{ask:?}");
    }
    let ask = Ask::of("spa").with("resource", FHIR2);
    app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");
}

/// SL-03
#[tokio::test]
async fn an_app_of_one_fhir_base_gets_nothing_for_another() {
    let app = TestApp::start().await;
    for ask in [Ask::of("spa").with("aud", FHIR2), Ask::of("spa").without("aud").with("resource", FHIR2)] {
        app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");
    }
}

async fn validator(app: &TestApp, datastore: &str) -> Validator {
    let keys = Jwks::parse(app.get("/.well-known/jwks.json").await.body.as_bytes()).expect("a key set");
    let trust = Trust {
        datastores: vec![datastore.to_owned()],
        ..Trust::new("https://idp.test", Profile::Admit, "arn:aws:iam::000000000000:role/synthetic")
    };
    Validator::new(trust, KeySource::embedded(keys))
}

/// SL-04
#[tokio::test]
async fn a_token_for_one_fhir_server_opens_no_other() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = browser.ask(&Ask::of("spa").with("aud", &format!("{FHIR1}/")).with("scope", PATIENT)).await;
    let landing = browser.go_through(page, "dr.a", "p1").await;
    let tokens = app.exchange("spa", &landing).await;
    // Whichever way the app spelt it, the audience is spelt as the data store is.
    assert_eq!(claims(&tokens["access_token"])["aud"], "https://fhir.test/r4/");
    for (datastore, opens) in [("https://fhir.test/r4/", true), ("https://other.test/r4/", false)] {
        let event = json!({
            "datastoreEndpoint": datastore,
            "operationName": "ReadResource",
            "bearerToken": tokens["access_token"],
        });
        let answer = validator(&app, datastore).await.answer(&event, app.clock.now()).await;
        assert_eq!(answer["authPayload"]["isAuthorized"], if opens { "true" } else { "false" }, "{answer}");
        assert_eq!(answer.get("iamRoleARN").is_some(), opens, "{answer}");
    }
}

/// SL-05, SL-06: to drop the scope and show the picker would let the app open another patient than
/// the EHR has.
#[tokio::test]
async fn an_ehr_launch_that_was_never_begun_is_refused() {
    let app = TestApp::start().await;
    for scope in ["launch", "openid launch patient/*.rs", "launch launch/patient openid fhirUser offline_access"] {
        let ask = Ask::of("spa").with("scope", scope);
        app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");
        for launch in ["xyz", "sl_0123456789", "' or 1=1 --"] {
            let ask = ask.clone().with("launch", launch);
            let reply = app.ask(&ask).await;
            app.assert_app_is_told(&reply, &ask, "invalid_request");
            assert!(!reply.header("location").contains("xyz"));
        }
    }
    assert!(app.audit("code.issued").await.is_empty());
}

/// SL-05
#[tokio::test]
async fn a_launch_without_its_scope_brings_no_context() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = browser.ask(&Ask::of("spa").with("launch", "p3")).await;
    let landing = browser.go_through(page, "dr.a", "p1").await;
    let without = app.exchange("spa", &landing).await;
    assert!(without.get("patient").is_none() && claims(&without["access_token"]).get("patient").is_none());
    // With a patient to choose, it is the person who chooses.
    let page = browser.ask(&Ask::of("spa").with("scope", PATIENT).with("launch", "p3")).await;
    assert_eq!(page.path(), "/patient");
    let landing = browser.go_through(page, "dr.a", "p2").await;
    assert_eq!(app.exchange("spa", &landing).await["patient"], "p2");
}
