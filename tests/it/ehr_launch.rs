//! An EHR launch from the app's request to its tokens (SMART App Launch 2.2, "EHR Launch").

use admit::client::{Client, ClientAuth};
use admit::scope::ScopeSet;
use serde_json::{Value, json};
use time::Duration;

use crate::support::ask::{Ask, claims};
use crate::support::launch::LAUNCH_SCOPE;
use crate::support::{FHIR2, TestApp, client};

fn full_wish(client: &str) -> Value {
    json!({
        "client_id": client, "username": "dr.a", "iss": "https://fhir.test/r4", "patient": "p2", "encounter": "e7",
        "intent": "reconcile-medications", "need_patient_banner": false, "smart_style_url": "https://ehr.test/style/1.json",
        "tenant": "ward-7",
        "fhirContext": [
            { "reference": "ImagingStudy/1" },
            { "canonical": "https://forms.test/phq9|2", "type": "Questionnaire" },
        ],
    })
}

/// LCH-3, LCH-4: all that the EHR has open, though only `launch` was asked for, and again at
/// each refresh.
#[tokio::test]
async fn an_app_is_told_what_the_ehr_has_open() {
    let app = TestApp::with_ehr().await;
    let mut browser = app.browser();
    browser.sign_in("dr.a").await;
    let launch = app.launch_of(&full_wish("clinic")).await;
    let landing = browser.ask(&Ask::launched("clinic", &launch)).await;
    let tokens = app.tokens_of("clinic", &landing).await;
    assert_eq!(tokens["scope"], LAUNCH_SCOPE);
    assert_eq!((tokens["patient"].as_str(), tokens["encounter"].as_str()), (Some("p2"), Some("e7")));
    assert_eq!(tokens["need_patient_banner"], json!(false));
    assert_eq!(tokens["intent"], "reconcile-medications");
    assert_eq!(tokens["smart_style_url"], "https://ehr.test/style/1.json");
    assert_eq!(tokens["tenant"], "ward-7");
    assert_eq!(tokens["fhirContext"], full_wish("clinic")["fhirContext"]);
    let access = claims(&tokens["access_token"]);
    assert_eq!((access["patient"].as_str(), access["encounter"].as_str()), (Some("p2"), Some("e7")));
    // Absolute, at the FHIR base of the launch.
    assert_eq!(claims(&tokens["id_token"])["fhirUser"], "https://fhir.test/r4/Practitioner/a");

    // IN-4: whoever introspects is told the same.
    let again = app.refresh("clinic", &tokens["refresh_token"]).await.tokens();
    let seen = app.introspect(again["access_token"].as_str().expect("a token")).await;
    assert_eq!(seen["active"], true);
    for member in ["patient", "encounter", "need_patient_banner", "intent", "smart_style_url", "tenant", "fhirContext", "scope"] {
        assert_eq!(again[member], tokens[member], "{member}");
        assert_eq!(seen[member], tokens[member], "{member}");
    }
}

/// LCH-7: the EHR's user is signed in, the app is pre-approved: the first answer is the code.
#[tokio::test]
async fn a_pre_approved_app_is_opened_without_any_page() {
    let app = TestApp::with_ehr().await;
    let mut browser = app.browser();
    browser.sign_in("dr.a").await;
    let launch = app.launch("clinic", "p1").await;
    let request = axum::http::Request::get(Ask::launched("clinic", &launch).path()).body(axum::body::Body::empty());
    let reply = browser.send(request.expect("a request")).await;
    assert!(reply.header("location").starts_with("https://clinic.test/cb?code="), "{}", reply.header("location"));
}

/// NEG-5: another app is still asked about, and the page says whose record it is.
#[tokio::test]
async fn any_other_app_is_asked_about_and_no_patient_has_to_be_chosen() {
    let app = TestApp::with_ehr().await;
    let launch = app.launch("spa", "p2").await;
    let mut browser = app.browser();
    let page = browser.ask(&Ask::launched("spa", &launch)).await;
    assert!(!page.reply.body.contains("Bo Test"), "who is open is not said before the sign-in");
    let page = browser.log_in(&page, "dr.a").await;
    assert_eq!(page.path(), "/consent");
    assert!(page.reply.body.contains("Bo Test"));
    let landing = browser.approve(&page).await;
    assert_eq!(app.tokens_of("spa", &landing).await["patient"], "p2");
}

/// LCH-4: also where nothing of the patient's is asked for; LCH-5: the hints are no questions.
#[tokio::test]
async fn the_patient_is_told_whatever_else_is_asked_for() {
    let app = TestApp::with_ehr().await;
    let mut browser = app.browser();
    browser.sign_in("dr.a").await;
    for scope in ["launch openid", "launch user/Observation.rs", "launch launch/patient patient/*.rs", "launch/patient launch openid"] {
        let launch = app.launch("clinic", "p1").await;
        let landing = browser.ask(&Ask::launched("clinic", &launch).with("scope", scope)).await;
        let tokens = app.tokens_of("clinic", &landing).await;
        assert_eq!((tokens["patient"].as_str(), tokens["scope"].as_str()), (Some("p1"), Some(scope)));
        assert_eq!(tokens["need_patient_banner"], json!(true), "an app that is told nothing says who the patient is");
        assert!(tokens["smart_style_url"].as_str().is_some_and(|url| url.starts_with("https://idp.test/style/")), "{tokens}");
        assert!(tokens.get("encounter").is_none() && tokens.get("intent").is_none() && tokens.get("fhirContext").is_none(), "{tokens}");
    }
}

/// SL-16: where the EHR has no patient open, one is chosen, or there is no code.
#[tokio::test]
async fn a_launch_without_a_patient_leads_to_the_picker_where_one_is_needed() {
    let app = TestApp::with_ehr().await;
    let mut browser = app.browser();
    browser.sign_in("dr.a").await;
    let wish = json!({ "client_id": "clinic", "username": "dr.a" });
    let page = browser.ask(&Ask::launched("clinic", &app.launch_of(&wish).await)).await;
    assert_eq!(page.path(), "/patient");
    let landing = browser.pick(&page, "p2").await;
    assert_eq!(app.tokens_of("clinic", &landing).await["patient"], "p2");

    let ask = Ask::launched("clinic", &app.launch_of(&wish).await).with("scope", "launch openid");
    let tokens = app.tokens_of("clinic", &browser.ask(&ask).await).await;
    assert!(tokens.get("patient").is_none(), "{tokens}");
}

/// SL-05, LCH-6
#[tokio::test]
async fn launch_is_asked_for_by_parameter_and_scope() {
    let app = TestApp::with_ehr().await;
    let launch = app.launch("spa", "p1").await;
    let ask = Ask::launched("spa", &launch).without("launch");
    app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");

    // The parameter alone brings nothing along, and takes nothing either.
    let mut browser = app.browser();
    let ask = Ask::launched("spa", &launch).with("scope", "openid user/Observation.rs");
    let page = browser.ask(&ask).await;
    let landing = browser.go_through(page, "dr.a", "p2").await;
    let tokens = app.tokens_of("spa", &landing).await;
    assert!(tokens.get("patient").is_none() && tokens.get("need_patient_banner").is_none(), "{tokens}");
    let page = browser.ask(&Ask::launched("spa", &launch)).await;
    let landing = browser.go_through(page, "dr.a", "p2").await;
    assert_eq!(app.tokens_of("spa", &landing).await["patient"], "p1");
}

/// SL-06: nobody is asked to sign in for it.
#[tokio::test]
async fn a_launch_that_is_not_good_is_refused_at_once() {
    let app = TestApp::with_ehr().await;
    let launch = app.launch("clinic", "p1").await;
    let cut = &launch[..launch.len() - 1];
    let longer = format!("{launch}A");
    let other_case = launch.to_uppercase();
    for bad in ["xyz", cut, &longer, &other_case, "p1", "sl_", "' or 1=1 --"] {
        let ask = Ask::launched("clinic", bad);
        app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");
    }
    // Used before.
    let mut browser = app.browser();
    browser.sign_in("dr.a").await;
    let ask = Ask::launched("clinic", &launch);
    browser.ask(&ask).await.code();
    assert_eq!(browser.ask(&ask).await.reply.param("error").as_deref(), Some("invalid_request"));
    // Too late, by a second and by a day.
    let (late, later) = (app.launch("clinic", "p1").await, app.launch("clinic", "p1").await);
    app.outlive_a_launch();
    let ask = Ask::launched("clinic", &late);
    app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");
    app.advance(Duration::days(1));
    let ask = Ask::launched("clinic", &later);
    app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");

    let refused = app.audit("launch.presented").await;
    assert_eq!(refused.len(), 10);
    assert!(refused.iter().all(|row| row.outcome == "refused" && row.client_id.as_deref() == Some("clinic")));
}

/// A launch lasts five minutes to the second.
#[tokio::test]
async fn a_launch_is_good_until_its_last_second() {
    let app = TestApp::with_ehr().await;
    let launch = app.launch("clinic", "p1").await;
    app.advance(Duration::seconds(299));
    let mut browser = app.browser();
    let page = browser.ask(&Ask::launched("clinic", &launch)).await;
    // From here on it is the request's own life that counts.
    app.advance(Duration::minutes(4));
    browser.log_in(&page, "dr.a").await.code();
}

/// SL-09, AUD-4: a launch is for one FHIR base, and an attempt at another takes nothing.
#[tokio::test]
async fn a_launch_is_good_for_its_own_fhir_base_alone() {
    let app = TestApp::with_ehr().await;
    app.register(Client {
        fhir_bases: vec![],
        launch_uri: Some("https://app.test/launch".to_owned()),
        ..client("both", ClientAuth::None, &["https://app.test/cb"])
    })
    .await;
    let wish = json!({ "client_id": "both", "username": "dr.a", "patient": "p1", "iss": "https://fhir.test/r4/" });
    let launch = app.launch_of(&wish).await;
    let ask = Ask::launched("both", &launch).with("aud", FHIR2);
    app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");
    let ask = Ask::launched("both", &launch).without("aud");
    app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");

    let mut browser = app.browser();
    let page = browser.ask(&Ask::launched("both", &launch)).await;
    let landing = browser.go_through(page, "dr.a", "p2").await;
    let tokens = app.tokens_of("both", &landing).await;
    assert_eq!((tokens["patient"].as_str(), claims(&tokens["access_token"])["aud"].as_str()), (Some("p1"), Some("https://fhir.test/r4/")));
}

/// `fhirContext` has the form of the version that the app speaks.
#[tokio::test]
async fn fhir_context_has_the_form_of_the_app_s_version() {
    let app = TestApp::with_ehr().await;
    for (version, expected) in [
        (Some("1.0.0"), None),
        (Some("2.0"), Some(json!(["ImagingStudy/1"]))),
        (Some("2.1"), Some(full_wish("")["fhirContext"].clone())),
        (None, Some(full_wish("")["fhirContext"].clone())),
    ] {
        let id = format!("app-{}", version.unwrap_or("of-its-base"));
        app.register(Client {
            smart_version: version.map(str::to_owned),
            launch_uri: Some("https://app.test/launch".to_owned()),
            ..client(&id, ClientAuth::None, &["https://app.test/cb"])
        })
        .await;
        let launch = app.launch_of(&full_wish(&id)).await;
        let mut browser = app.browser();
        let page = browser.ask(&Ask::launched(&id, &launch)).await;
        let landing = browser.go_through(page, "dr.a", "p2").await;
        let tokens = app.tokens_of(&id, &landing).await;
        assert_eq!(tokens.get("fhirContext"), expected.as_ref(), "{id}");
        let again = app.refresh(&id, &tokens["refresh_token"]).await.tokens();
        assert_eq!(again.get("fhirContext"), expected.as_ref(), "{id}, refreshed");
        app.advance(Duration::seconds(1));
    }
}

/// RT-12: `online_access` dies with the session in which the app was opened.
#[tokio::test]
async fn an_app_that_was_opened_online_ends_with_the_session() {
    let app = TestApp::with_ehr().await;
    let mut browser = app.browser();
    browser.sign_in("dr.a").await;
    let launch = app.launch("clinic", "p1").await;
    let ask = Ask::launched("clinic", &launch).with("scope", "launch openid online_access patient/Patient.rs");
    let tokens = app.tokens_of("clinic", &browser.ask(&ask).await).await;
    let tokens = app.refresh("clinic", &tokens["refresh_token"]).await.tokens();
    assert_eq!(tokens["patient"], "p1");
    let page = browser.go("/logout").await;
    browser.submit("/logout", &[("csrf", &page.csrf())]).await;
    app.refresh("clinic", &tokens["refresh_token"]).await.assert_invalid_grant();
    assert!(!app.is_active(&tokens["access_token"]).await);
}

/// A client that may not ask for `launch` is told so: without the scope, the person would be shown a picker.
#[tokio::test]
async fn an_app_without_the_scope_launch_is_not_shown_another_way() {
    let app = TestApp::with_ehr().await;
    let scopes = ScopeSet::parse("openid launch/patient patient/*.rs").expect("scopes");
    app.register(Client { scopes, ..client("standalone", ClientAuth::None, &["https://app.test/cb"]) }).await;
    let ask = Ask::launched("standalone", "sl_x").with("scope", "launch openid patient/*.rs");
    app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_scope");
}

/// AR-13: an EHR that opens apps in the background is told what is missing.
#[tokio::test]
async fn a_silent_launch_answers_at_once() {
    let app = TestApp::with_ehr().await;
    let ask = Ask::launched("clinic", &app.launch("clinic", "p1").await).with("prompt", "none");
    let mut browser = app.browser();
    assert_eq!(browser.ask(&ask).await.reply.param("error").as_deref(), Some("login_required"));
    browser.sign_in("dr.a").await;
    let ask = Ask::launched("clinic", &app.launch("clinic", "p1").await).with("prompt", "none");
    let landing = browser.ask(&ask).await;
    assert_eq!(app.tokens_of("clinic", &landing).await["patient"], "p1");
}

/// STU1 knew no PKCE; an exempt client is opened without.
#[tokio::test]
async fn an_exempt_app_of_stu1_is_opened_without_pkce() {
    let app = TestApp::with_ehr().await;
    app.register(Client {
        is_pkce_exempt: true,
        smart_version: Some("1.0".to_owned()),
        launch_uri: Some("https://app.test/launch".to_owned()),
        ..client("stu1", ClientAuth::None, &["https://app.test/cb"])
    })
    .await;
    let launch = app.launch("stu1", "p2").await;
    let mut browser = app.browser();
    let ask = Ask::launched("stu1", &launch).with("scope", "launch openid fhirUser profile patient/*.read");
    let page = browser.ask(&ask.without("code_challenge").without("code_challenge_method")).await;
    let landing = browser.go_through(page, "dr.a", "p1").await;
    let form = [("grant_type", "authorization_code"), ("code", &landing.code()), ("redirect_uri", "https://app.test/cb")];
    let tokens = app.token("stu1", &form).await.tokens();
    assert_eq!((tokens["patient"].as_str(), tokens["scope"].as_str()), (Some("p2"), Some("launch openid fhirUser profile patient/*.read")));
    let id = claims(&tokens["id_token"]);
    assert_eq!(id["profile"], "https://fhir.test/r4/Practitioner/a");
}
