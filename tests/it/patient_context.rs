//! Which patient a token is about: one whom the person may open, and whom they chose.

use std::collections::HashSet;
use std::sync::Arc;

use admit::client::{Client, ClientAuth};
use admit::id::PatientId;
use admit::person::Patient;
use admit::store::{ImportedPatient, NewClient, Opener};
use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use time::Duration;

use crate::support::ask::{Ask, claims, client, encode};
use crate::support::{Browser, FHIR2, ISSUER, Landing, TestApp, at_once, rounds};

const PATIENT: &str = "openid fhirUser launch/patient patient/*.rs";

async fn at_the_picker<'a>(app: &'a TestApp, username: &str) -> (Browser<'a>, Landing) {
    let mut browser = app.browser();
    let page = browser.ask(&Ask::of("spa").with("scope", PATIENT)).await;
    let page = browser.log_in(&page, username).await;
    assert_eq!(page.path(), "/patient", "{}", page.reply.body);
    (browser, page)
}

/// SL-11
#[tokio::test]
async fn a_patient_who_is_not_on_the_list_cannot_be_chosen() {
    let app = TestApp::start().await;
    let (mut browser, page) = at_the_picker(&app, "dr.a").await;
    assert!(page.reply.body.contains("Ada Test") && !page.reply.body.contains("Cy Test"));
    let huge = "p".repeat(10_000);
    for patient in ["p3", "p4", "p1,p3", "p1 p3", "../p3", "Patient/p1", "P1", "p1%", "%", "_1", "p1'--", "nobody", " p1", &huge] {
        let told = browser.submit(&page.at, &[("csrf", &page.csrf()), ("patient", patient)]).await;
        told.reply.assert_page(403, None);
        assert!(!told.reply.body.contains("Cy Test"));
    }
    // No patient at all, or two of them.
    browser.submit(&page.at, &[("csrf", &page.csrf())]).await.reply.assert_page(403, None);
    browser.submit(&page.at, &[("csrf", &page.csrf()), ("patient", "")]).await.reply.assert_page(403, None);
    let two = [("csrf", page.csrf()), ("patient", "p1".to_owned()), ("patient", "p3".to_owned())];
    let two: Vec<(&str, &str)> = two.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.submit(&page.at, &two).await.reply.assert_page(400, Some("invalid_request"));

    assert!(app.audit("code.issued").await.is_empty());
    let trace = app.audit("patient.selected").await;
    assert_eq!(trace.len(), 14);
    assert!(trace.iter().all(|row| row.outcome == "refused" && row.user_id.as_deref() == Some("u-dr.a")));
    // Who was tried is on record, as far as it is the name of somebody.
    assert!(trace.iter().any(|row| row.patient_id.as_deref() == Some("p3")));
    assert!(trace.iter().all(|row| row.patient_id.as_ref().is_none_or(|id| id.len() <= 64)));

    // The flow is where it was: a patient of theirs can still be chosen.
    assert_eq!(browser.pick(&page, "p1").await.path(), "/consent");
}

/// SL-11: searching finds nobody else either.
#[tokio::test]
async fn a_search_stays_within_the_list() {
    let app = TestApp::start().await;
    let (mut browser, page) = at_the_picker(&app, "dr.a").await;
    for typed in ["Cy", "MRN-p3", "1950", "%", "_", "Test", "' or 1=1 --", "\\"] {
        let query = encode(&[("flow", &page.flow()), ("q", typed)]);
        let found = browser.go(&format!("/patient?{query}")).await;
        assert_eq!(found.reply.status.as_u16(), 200, "{typed}");
        assert!(!found.reply.body.contains("Cy Test") && !found.reply.body.contains("Di Test"), "{typed}");
    }
    let query = encode(&[("flow", &page.flow()), ("q", "bo")]);
    let found = browser.go(&format!("/patient?{query}")).await;
    assert!(found.reply.body.contains("Bo Test") && !found.reply.body.contains("Ada Test"));
}

/// SL-11: a choice is made by a form; an address chooses nobody.
#[tokio::test]
async fn a_patient_in_the_address_is_not_a_choice() {
    let app = TestApp::start().await;
    let (mut browser, page) = at_the_picker(&app, "dr.a").await;
    for path in [format!("/patient?flow={}&patient=p1", page.flow()), format!("/consent?flow={}&patient=p1", page.flow())] {
        assert_eq!(browser.go(&path).await.path(), "/patient");
    }
    let ask = Ask::of("spa").with("scope", PATIENT).and("patient", "p1");
    assert_eq!(browser.ask(&ask).await.path(), "/patient");
    assert!(app.audit("patient.selected").await.is_empty());
}

/// SL-11: nor is a patient who has left the list since the page was drawn.
#[tokio::test]
async fn a_patient_who_has_been_taken_off_the_list_cannot_be_chosen() {
    let app = TestApp::start().await;
    let (mut browser, page) = at_the_picker(&app, "dr.a").await;
    assert!(page.reply.body.contains("Ada Test"));
    import(&app, "one", patient("p1"), false, &["Practitioner/b"]).await;
    browser.submit(&page.at, &[("csrf", &page.csrf()), ("patient", "p1")]).await.reply.assert_page(403, None);
}

/// SL-13
#[tokio::test]
async fn somebody_who_cares_for_others_chooses_one_of_them() {
    let app = TestApp::start().await;
    let (mut browser, page) = at_the_picker(&app, "proxy").await;
    assert!(page.reply.body.contains("Ada Test") && page.reply.body.contains("Di Test") && !page.reply.body.contains("Bo Test"));
    let page = browser.pick(&page, "p4").await;
    let landing = browser.approve(&page).await;
    let tokens = app.exchange("spa", &landing).await;
    assert_eq!(tokens["patient"], "p4");
    assert_eq!(claims(&tokens["access_token"])["patient"], "p4");
    let id = claims(&tokens["id_token"]);
    assert_eq!(id["fhirUser"], "https://fhir.test/r4/RelatedPerson/x");
}

/// SL-13: a clinician always looks; somebody with one patient only has nothing to choose.
#[tokio::test]
async fn the_only_patient_of_a_clinician_is_still_chosen_by_hand() {
    let app = TestApp::start().await;
    let (_, page) = at_the_picker(&app, "dr.b").await;
    assert!(page.reply.body.contains("Cy Test"));
}

/// SL-16
#[tokio::test]
async fn no_scope_for_a_patient_s_data_is_given_without_a_patient() {
    let app = TestApp::start().await;
    for scope in ["patient/*.rs", "openid patient/Observation.read", "launch/patient openid"] {
        let mut browser = app.browser();
        let page = browser.ask(&Ask::of("spa").with("scope", scope)).await;
        let page = browser.log_in(&page, "dr.a").await;
        assert_eq!(page.path(), "/patient", "{scope}");
        // Whatever is tried instead of choosing, there is no way round.
        for path in ["/authorize", "/consent", "/login"] {
            assert_eq!(browser.go(&format!("{path}?flow={}", page.flow())).await.path(), "/patient", "{scope} by {path}");
        }
        let approved = [("csrf", page.csrf()), ("decision", "approve".to_owned()), ("scope", "patient/*.rs".to_owned())];
        let approved: Vec<(&str, &str)> = approved.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let there = browser.submit(&format!("/consent?flow={}", page.flow()), &approved).await;
        assert_eq!(there.path(), "/patient", "{scope}");
        assert!(app.audit("code.issued").await.is_empty());
    }
}

/// SL-16
#[tokio::test]
async fn somebody_without_any_patients_gets_no_code_for_a_patient_s_data() {
    let app = TestApp::start().await;
    for username in ["clerk", "dr.none"] {
        let (mut browser, page) = at_the_picker(&app, username).await;
        assert!(page.reply.body.contains("There are no patients that you may open"));
        browser.submit(&page.at, &[("csrf", &page.csrf()), ("patient", "p1")]).await.reply.assert_page(403, None);
        let told = browser.submit(&page.at, &[("csrf", &page.csrf()), ("cancel", "1")]).await;
        told.reply.assert_redirect_error("https://app.test/cb?", "access_denied");
    }
    assert!(app.audit("code.issued").await.is_empty());
}

/// SL-16: what is left when the patient's data are not allowed needs no patient.
#[tokio::test]
async fn a_patient_is_not_told_of_where_nothing_about_a_patient_was_allowed() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = browser.ask(&Ask::of("spa").with("scope", "openid patient/Patient.rs user/Observation.rs")).await;
    let page = browser.log_in(&page, "dr.a").await;
    let page = browser.pick(&page, "p1").await;
    let landing = browser.approve_only(&page, &["user/Observation.rs"]).await;
    let tokens = app.exchange("spa", &landing).await;
    assert_eq!(tokens["scope"], "openid user/Observation.rs");
    assert!(tokens.get("patient").is_none() && claims(&tokens["access_token"]).get("patient").is_none());
}

/// The patient whom one person chose is not the patient of another who goes on in their place.
#[tokio::test]
async fn a_choice_does_not_pass_to_whoever_signs_in_next() {
    let app = TestApp::start().await;
    let (mut browser, page) = at_the_picker(&app, "dr.a").await;
    let page = browser.pick(&page, "p1").await;
    let page = browser.submit(&page.at, &[("csrf", &page.csrf()), ("decision", "switch_user")]).await;
    let page = browser.log_in(&page, "dr.b").await;
    assert_eq!(page.path(), "/patient");
    assert!(page.reply.body.contains("Cy Test") && !page.reply.body.contains("Ada Test"));
}

/// SL-17
#[tokio::test]
async fn the_patient_stays_the_same_through_refresh_and_introspection() {
    let app = TestApp::start().await;
    let (mut browser, page) = {
        let mut browser = app.browser();
        let page = browser.ask(&Ask::of("spa").with("scope", &format!("{PATIENT} offline_access"))).await;
        let page = browser.log_in(&page, "dr.a").await;
        (browser, page)
    };
    let page = browser.pick(&page, "p2").await;
    let landing = browser.approve(&page).await;
    let mut tokens = app.exchange("spa", &landing).await;
    for _ in 0..3 {
        assert_eq!(tokens["patient"], "p2");
        let token = tokens["access_token"].as_str().expect("a token");
        let seen = app.introspect(token).await;
        let access = claims(&tokens["access_token"]);
        assert_eq!(seen["active"], true);
        for name in ["patient", "fhirUser", "scope", "client_id", "exp", "iss", "sub"] {
            assert!(seen.get(name).is_some(), "{name} in {seen}");
            assert_eq!(seen[name], access[name], "{name}");
        }
        assert_eq!((&seen["patient"], &seen["client_id"], &seen["sub"]), (&json!("p2"), &json!("spa"), &json!("u-dr.a")));
        assert_eq!(seen["scope"], tokens["scope"]);
        app.advance(Duration::hours(1));
        let refresh = tokens["refresh_token"].as_str().expect("a refresh token").to_owned();
        // A refresh cannot change whom it is about.
        let form = [("grant_type", "refresh_token"), ("refresh_token", &refresh), ("patient", "p1"), ("launch", "p1")];
        tokens = app.token("spa", &form).await.json();
    }
}

fn patient(id: &str) -> Patient {
    Patient {
        id: PatientId::new(id),
        name: format!("Synthetic {id}"),
        birth_date: "1984-03-09".to_owned(),
        sex: "female".to_owned(),
        mrn: format!("MRN-{id}"),
    }
}

async fn import(app: &TestApp, base: &str, patient: Patient, is_inactive: bool, opened_by: &[&str]) {
    let opened_by = opened_by.iter().map(|person| Opener { who: (*person).to_owned(), since: Some(app.clock.now()) }).collect();
    app.store()
        .import_patients(&app.origin(), base, vec![ImportedPatient { patient, is_inactive, opened_by }], true)
        .await
        .expect("a patient");
}

/// A patient's own record is one that this FHIR base has.
#[tokio::test]
async fn a_patient_has_no_record_where_nobody_knows_them() {
    let app = TestApp::start().await;
    let wide = Client { fhir_bases: vec![], ..client("wide", ClientAuth::None, &["https://app.test/cb"]) };
    app.store().create_client(&app.origin(), NewClient { client: wide, secret: None }).await.expect("a client");
    let mut browser = app.browser();
    let page = browser.ask(&Ask::of("wide").with("scope", PATIENT).with("aud", FHIR2)).await;
    let page = browser.log_in(&page, "pat1").await;
    assert_eq!(page.path(), "/patient");
    browser.submit(&page.at, &[("csrf", &page.csrf()), ("patient", "p1")]).await.reply.assert_page(403, None);
    assert!(app.audit("code.issued").await.is_empty());
}

/// A record that was closed, or merged into another, is nobody's to open.
#[tokio::test]
async fn a_patient_whose_record_is_closed_gets_no_token_for_it() {
    let app = TestApp::start().await;
    import(&app, "one", patient("p1"), true, &["Practitioner/a"]).await;
    let mut browser = app.browser();
    let page = browser.ask(&Ask::of("spa").with("scope", PATIENT)).await;
    let page = browser.log_in(&page, "pat1").await;
    assert_eq!(page.path(), "/patient");
    let (mut browser, page) = at_the_picker(&app, "dr.a").await;
    browser.submit(&page.at, &[("csrf", &page.csrf()), ("patient", "p1")]).await.reply.assert_page(403, None);
}

/// SL-11: the picker's form comes from the picker's page.
#[tokio::test]
async fn a_choice_from_another_site_is_no_choice() {
    let app = TestApp::start().await;
    let (mut browser, page) = at_the_picker(&app, "dr.a").await;
    let form = encode(&[("csrf", &page.csrf()), ("patient", "p1")]);
    let request = Request::post(&page.at)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", "https://evil.test")
        .body(Body::from(form));
    browser.send(request.expect("a request")).await.assert_page(403, None);
    browser.submit(&page.at, &[("patient", "p1")]).await.reply.assert_page(403, None);
    assert!(app.audit("patient.selected").await.is_empty());
}

/// CC-11: two tabs that choose two patients at the same moment: the flow is about one of them, and stays so.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_patients_who_are_chosen_at_once_one_is() {
    let app = Arc::new(TestApp::start().await);
    for round in rounds(&app) {
        let before = app.audit("patient.selected").await.iter().map(|row| row.audit_id).max();
        let (mut browser, page) = at_the_picker(&app, "dr.a").await;
        let (at, csrf, cookies) = (page.at.clone(), page.csrf(), browser.cookies());
        let replies = at_once(16, |nth| {
            let (app, at, cookies) = (Arc::clone(&app), at.clone(), cookies.clone());
            let form = encode(&[("csrf", &csrf), ("patient", if nth % 2 == 0 { "p1" } else { "p2" })]);
            let request = Request::post(at).header("cookie", cookies).header("origin", ISSUER);
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            async move { app.call(request.body(Body::from(form)).expect("a request")).await }
        });
        assert!(replies.await.iter().any(|reply| reply.header("location").starts_with("/consent")));
        let selected = app.audit("patient.selected").await;
        let chosen: HashSet<_> = selected.iter().filter(|row| Some(row.audit_id) > before).map(|row| &row.patient_id).collect();
        assert_eq!(chosen.len(), 1, "round {round}: {chosen:?}");
        let page = browser.go(&format!("/consent?flow={}", page.flow())).await;
        let landing = browser.approve(&page).await;
        assert_eq!(app.tokens_of("spa", &landing).await["patient"].as_str(), chosen.into_iter().next().and_then(|id| id.as_deref()));
    }
}
