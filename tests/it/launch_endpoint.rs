//! `POST /launch`: which EHR may begin a launch, for whom, and what it is told.

use admit::client::{Client, ClientAuth};
use admit::id::{ClientId, UserId};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use time::Duration;

use crate::support::launch::ehr_claims;
use crate::support::{FHIR1, FHIR2, Log, Reply, TestApp, client};

fn wish() -> Value {
    json!({ "client_id": "spa", "username": "dr.a", "patient": "p1" })
}

fn with(member: &str, value: Value) -> Value {
    let mut wish = wish();
    wish[member] = value;
    wish
}

/// The standard's JSON error, and no launch.
#[track_caller]
fn assert_refused(reply: &Reply, status: u16, error: &str) {
    reply.assert_token_error(status, error);
    assert!(!reply.body.contains("launch_url") && !reply.body.contains("sl_"), "{}", reply.body);
}

/// LCH-1: the app's registered launch URL, with what it needs behind its own query.
#[tokio::test]
async fn an_ehr_is_told_where_to_open_the_app() {
    let app = TestApp::with_ehr().await;
    let reply = app.ask_launch(&json!({ "client_id": "webq", "username": "DR.A ", "patient": "p1", "encounter": "e1" })).await;
    assert_eq!(reply.status.as_u16(), 201, "{}", reply.body);
    assert_eq!((reply.header("content-type"), reply.header("cache-control")), ("application/json", "no-store"));
    let answer = reply.json();
    let launch = answer["launch"].as_str().expect("a launch");
    assert!(launch.starts_with("sl_") && launch.len() == 46, "{launch}");
    let expected = format!("https://web.test/launch?tenant=1&iss=https%3A%2F%2Ffhir.test%2Fr4&launch={launch}");
    assert_eq!(answer, json!({ "launch": launch, "launch_url": expected, "expires_in": 300 }));

    let entry = &app.audit("launch.begun").await[0];
    assert_eq!(
        (entry.user_id.as_deref(), entry.client_id.as_deref(), entry.patient_id.as_deref()),
        (Some("u-dr.a"), Some("webq"), Some("p1"))
    );
    assert_eq!(entry.outcome, "success");
}

/// SL-10: without a credential 401; RFC 6750 §3 says what is asked for.
#[tokio::test]
async fn nobody_begins_a_launch_without_a_good_token() {
    let app = TestApp::with_ehr().await;
    let none = app.post_launch(None, &wish().to_string()).await;
    assert_refused(&none, 401, "invalid_token");
    assert_eq!(none.header("www-authenticate"), "Bearer");

    let now = app.clock.now().unix_timestamp();
    let good = ehr_claims(now);
    let spoilt = |member: &str, value: Value| {
        let mut claims = good.clone();
        claims[member] = value;
        claims
    };
    for bad in [
        spoilt("exp", json!(now)),
        spoilt("nbf", json!(now + 60)),
        spoilt("iss", json!("https://idp.evil.test")),
        spoilt("tenant_id", json!("another")),
        spoilt("client_id", json!("nobody")),
    ] {
        let token = app.token_of(&bad).await;
        let reply = app.post_launch(Some(&token), &wish().to_string()).await;
        assert_refused(&reply, 401, "invalid_token");
        assert_eq!(reply.header("www-authenticate"), r#"Bearer error="invalid_token""#, "{bad}");
    }
    for garbage in ["x", "a.b.c", "sl_x"] {
        assert_refused(&app.post_launch(Some(garbage), &wish().to_string()).await, 401, "invalid_token");
    }
    // An EHR that was switched off.
    let token = app.token_of(&good).await;
    app.store().disable_client(&app.origin(), &ClientId::new("ehr")).await.expect("the store");
    assert_refused(&app.post_launch(Some(&token), &wish().to_string()).await, 401, "invalid_token");
    assert_eq!(app.count("select count(*) from launch").await, 0);
}

/// SL-10: a person's token is no EHR's, whatever its scopes say, and neither is another service's.
#[tokio::test]
async fn a_person_s_token_begins_no_launch() {
    let app = TestApp::with_ehr().await;
    let wish = wish().to_string();
    let mut tokens = Vec::new();
    for username in ["pat1", "dr.a"] {
        let landing = app.browser().launch("spa", "https://app.test/cb", "openid launch/patient patient/*.rs", username, Some("p1")).await;
        tokens.push(app.redeem("spa", &landing.code()).await.tokens()["access_token"].as_str().expect("a token").to_owned());
    }
    let grant = app.count("select count(*) from access_grant").await;
    assert_eq!(grant, 2);
    let service = app.token("bsc", &[("grant_type", "client_credentials"), ("scope", "system/Patient.rs")]).await.tokens();
    tokens.push(service["access_token"].as_str().expect("a token").to_owned());
    // A service's token for the FHIR base; one with another scope; one whose subject is a person.
    let now = app.clock.now().unix_timestamp();
    for (member, value) in [("aud", format!("{FHIR1}/")), ("scope", "system/*.cruds __launcher".to_owned()), ("sub", "u-dr.a".to_owned())] {
        let mut claims = ehr_claims(now);
        claims[member] = value.into();
        tokens.push(app.token_of(&claims).await);
    }
    for token in &tokens {
        let reply = app.post_launch(Some(token), &wish).await;
        assert_refused(&reply, 403, "insufficient_scope");
        assert_eq!(reply.header("www-authenticate"), r#"Bearer error="insufficient_scope", scope="__launch""#);
    }
    assert_eq!(app.count("select count(*) from launch").await, 0);
    assert_eq!(app.audit("launch.begun").await.iter().filter(|row| row.outcome == "refused").count(), tokens.len());
}

/// What an EHR was given may be taken back while its token lasts.
#[tokio::test]
async fn a_right_that_was_taken_back_begins_no_launch() {
    let app = TestApp::with_ehr().await;
    let token = app.token_of(&ehr_claims(app.clock.now().unix_timestamp())).await;
    app.sql("update client set scopes = 'system/Patient.rs' where client_id = 'ehr'").await;
    assert_refused(&app.post_launch(Some(&token), &wish().to_string()).await, 403, "insufficient_scope");
}

/// A person's token into which somebody has got the scope is still a person's.
#[tokio::test]
async fn the_scope_alone_makes_nobody_an_ehr() {
    let app = TestApp::with_ehr().await;
    let landing = app.browser().launch("spa", "https://app.test/cb", "openid", "dr.a", None).await;
    let tokens = app.redeem("spa", &landing.code()).await.tokens();
    let own = crate::support::claims(&tokens["access_token"]);
    let mut claims = ehr_claims(app.clock.now().unix_timestamp());
    claims["jti"] = own["jti"].clone();
    claims["client_id"] = "spa".into();
    claims["sub"] = "spa".into();
    let token = app.token_of(&claims).await;
    assert_refused(&app.post_launch(Some(&token), &wish().to_string()).await, 403, "insufficient_scope");
}

/// SL-10: the EHR's user has to be able to open the patient here as well.
#[tokio::test]
async fn an_ehr_cannot_open_a_patient_whom_its_user_may_not() {
    let app = TestApp::with_ehr().await;
    for (username, patient) in
        [("dr.a", "p3"), ("dr.b", "p1"), ("dr.none", "p1"), ("clerk", "p1"), ("pat1", "p2"), ("proxy", "p2"), ("dr.a", "nobody")]
    {
        let reply = app.ask_launch(&json!({ "client_id": "spa", "username": username, "patient": patient })).await;
        assert_refused(&reply, 403, "access_denied");
    }
    assert_eq!(app.count("select count(*) from launch").await, 0);
    let refused = app.audit("launch.begun").await;
    assert!(refused.len() == 7 && refused.iter().all(|row| row.outcome == "refused" && row.patient_id.is_some()));
}

/// What is wrong with the wish is said, and nothing of it repeated.
#[tokio::test]
async fn a_wish_that_is_not_good_is_refused() {
    let app = TestApp::with_ehr().await;
    let long = "x".repeat(300);
    for bad in [
        json!({}),
        json!([]),
        json!({ "username": "dr.a" }),
        json!({ "client_id": "spa" }),
        with("client_id", json!("nobody")),
        with("client_id", json!("pub")),
        with("client_id", json!("bsc")),
        with("client_id", json!("spa\0")),
        with("username", json!("nobody")),
        with("username", json!("dr.a\0")),
        with("username", json!("dis")),
        with("fhirUser", json!("Practitioner/a")),
        json!({ "client_id": "spa", "fhirUser": "Practitioner/nobody" }),
        json!({ "client_id": "spa", "fhirUser": "PractitionerRole/a" }),
        json!({ "client_id": "spa", "fhirUser": "https://elsewhere.test/Practitioner/a" }),
        with("iss", json!(FHIR2)),
        with("iss", json!("https://evil.test/r4")),
        with("patient", json!("Patient/p1")),
        with("patient", json!("../p1")),
        with("patient", json!("")),
        with("patient", json!(["p1"])),
        with("encounter", json!("e 1")),
        json!({ "client_id": "spa", "username": "dr.a", "encounter": "e1" }),
        with("intent", json!(long)),
        with("intent", json!("")),
        with("tenant", json!("a\u{7}b")),
        with("smart_style_url", json!("javascript:alert(1)")),
        with("smart_style_url", json!("http://ehr.test/style")),
        with("need_patient_banner", json!("true")),
        with("fhirContext", json!([{ "reference": "Patient/p2" }])),
        with("fhirContext", json!(["ImagingStudy/1"])),
        with("fhirContext", json!([{}])),
        with("fhirContext", json!(vec![json!({ "reference": "ImagingStudy/1" }); 21])),
        with("patientId", json!("p2")),
    ] {
        let reply = app.ask_launch(&bad).await;
        assert_refused(&reply, 400, "invalid_request");
        assert!(!reply.body.contains("evil") && !reply.body.contains("alert"), "{}", reply.body);
    }
    assert_eq!(app.count("select count(*) from launch").await, 0);
}

#[tokio::test]
async fn only_json_is_read_and_each_member_once() {
    let app = TestApp::with_ehr().await;
    let token = app.token_of(&ehr_claims(app.clock.now().unix_timestamp())).await;
    for body in ["", "{", "null", "client_id=spa", r#"{"client_id":"spa","username":"dr.a","patient":"p1","patient":"p2"}"#] {
        assert_refused(&app.post_launch(Some(&token), body).await, 400, "invalid_request");
    }
    let huge = with("intent", json!("x".repeat(70_000))).to_string();
    assert_refused(&app.post_launch(Some(&token), &huge).await, 413, "invalid_request");
    for kind in ["application/x-www-form-urlencoded", "text/plain", "application/jsonp"] {
        let request = Request::post("/launch").header("content-type", kind).header("authorization", format!("Bearer {token}"));
        let reply = app.call(request.body(Body::from(wish().to_string())).expect("a request")).await;
        assert_refused(&reply, 400, "invalid_request");
    }
    let get = app.call(Request::get("/launch").body(Body::empty()).expect("a request")).await;
    assert_eq!((get.status.as_u16(), get.header("allow")), (405, "POST"));
}

/// The user by their FHIR resource, relative or at the FHIR base.
#[tokio::test]
async fn the_user_is_named_by_resource_as_well() {
    let app = TestApp::with_ehr().await;
    for who in ["Practitioner/a", "https://fhir.test/r4/Practitioner/a"] {
        app.launch_of(&json!({ "client_id": "spa", "fhirUser": who, "patient": "p1" })).await;
    }
    assert!(app.audit("launch.begun").await.iter().all(|row| row.user_id.as_deref() == Some("u-dr.a")));
    // Two accounts of one practitioner: which one is meant cannot be guessed.
    app.sql("update user_account set fhir_user = 'Practitioner/a' where user_id = 'u-dr.b'").await;
    let wish = json!({ "client_id": "spa", "fhirUser": "Practitioner/a", "patient": "p1" });
    assert_refused(&app.ask_launch(&wish).await, 400, "invalid_request");
    app.store().disable_user(&app.origin(), &UserId::new("u-dr.b")).await.expect("the store");
    app.launch_of(&wish).await;
}

/// An app without a launch URL, switched off, not yet approved, or of another FHIR base is not opened.
#[tokio::test]
async fn only_an_app_that_can_be_launched_is() {
    let app = TestApp::with_ehr().await;
    let launchable = |id: &str| Client {
        launch_uri: Some("https://app.test/launch".to_owned()),
        ..client(id, ClientAuth::None, &["https://app.test/cb"])
    };
    app.register(Client { launch_uri: None, ..launchable("nowhere") }).await;
    app.register(Client { awaits_approval: true, ..launchable("newcomer") }).await;
    app.register(Client { grant_types: vec![], ..launchable("idle") }).await;
    app.register(Client { fhir_bases: vec!["two".to_owned()], ..launchable("other") }).await;
    app.register(launchable("off")).await;
    app.store().disable_client(&app.origin(), &ClientId::new("off")).await.expect("the store");
    for id in ["nowhere", "newcomer", "idle", "off"] {
        assert_refused(&app.ask_launch(&with("client_id", json!(id))).await, 400, "invalid_request");
    }
    let mut there = with("client_id", json!("other"));
    there["iss"] = FHIR1.into();
    assert_refused(&app.ask_launch(&there).await, 400, "invalid_request");

    // One that may use every base has to be told which.
    app.register(Client { fhir_bases: vec![], ..launchable("both") }).await;
    assert_refused(&app.ask_launch(&with("client_id", json!("both"))).await, 400, "invalid_request");
    let mut there = with("client_id", json!("both"));
    there["iss"] = FHIR1.into();
    app.launch_of(&there).await;
}

/// The launch itself is in nobody's books: not in the database, not in the log.
#[tokio::test]
async fn a_launch_is_kept_as_a_digest_only() {
    let log = Log::listen();
    let app = TestApp::with_ehr().await;
    let launch = app.launch("spa", "p1").await;
    let mut browser = app.browser();
    let page = browser.ask(&crate::support::ask::Ask::launched("spa", &launch)).await;
    assert!(!page.at.contains(&launch) && !page.reply.body.contains(&launch));
    assert!(!log.text().contains(&launch), "{}", log.text());
    assert_eq!(app.count("select count(*) from launch where digest like 'sl!_%' escape '!' or context like '%sl!_%' escape '!'").await, 0);
    assert_eq!(app.count("select count(*) from flow where ask like '%sl!_%' escape '!'").await, 0);
    assert_eq!(app.count("select count(*) from audit where detail like '%sl!_%' escape '!'").await, 0);

    // A day later nothing is left of it.
    app.advance(Duration::days(2));
    app.store().purge(&app.origin()).await.expect("the store");
    assert_eq!(app.count("select count(*) from launch").await, 0);
}
