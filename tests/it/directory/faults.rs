//! A FHIR server that fails, or is not to be trusted: nobody is shown by accident, nothing is lost.

use admit::id::{ClientId, UserId};
use admit::store::Selection;
use admit::tenant::Panel;
use serde_json::{Value, json};
use time::Duration;

use super::{picker, search, shown};
use crate::support::{Authority, LIVE, Saying, TestApp};

fn patient(id: &str, doctor: &str) -> Value {
    json!({
        "resourceType": "Patient", "id": id, "birthDate": "1984-03-09", "gender": "female",
        "name": [{ "family": "Synthetic", "given": [id] }],
        "identifier": [{ "value": format!("MRN-{id}") }],
        "generalPractitioner": [{ "reference": doctor }],
    })
}

fn bundle(resources: &[Value]) -> Value {
    let entries: Vec<Value> = resources.iter().map(|resource| json!({ "resource": resource })).collect();
    json!({ "resourceType": "Bundle", "type": "searchset", "entry": entries })
}

/// A search that found nobody because it failed.
fn failed() -> Saying {
    Saying::Json(bundle(&[json!({ "resourceType": "OperationOutcome", "issue": [{ "severity": "error", "code": "timeout" }] })]))
}

/// Tokens for patient `x`, whom dr.a may open, and the server that says so.
async fn tokens_for_x(app: &TestApp) -> (Authority, Value) {
    let fhir = Authority::start(Saying::Json(bundle(&[patient("x", "Practitioner/a")]))).await;
    app.live_at(&fhir.endpoint(), &[Panel::GeneralPractitioner]).await;
    let (mut browser, page) = picker(app, "dr.a").await;
    let page = browser.pick(&page, "x").await;
    let landing = browser.approve(&page).await;
    let tokens = app.exchange(LIVE, &landing).await;
    (fhir, tokens)
}

/// A server that overlooks what it is asked for gives its whole store: what is not the clinician's is not shown.
#[tokio::test]
async fn a_server_that_overlooks_the_panel_opens_nothing() {
    let app = TestApp::start().await;
    let everybody = bundle(&[
        patient("x", "Practitioner/a"),
        patient("y", "Practitioner/b"),
        patient("z", "https://elsewhere.test/Practitioner/a"),
        patient("a b", "Practitioner/a"),
        json!({ "resourceType": "Patient", "id": "gone", "active": false, "generalPractitioner": [{ "reference": "Practitioner/a" }] }),
        json!({ "resourceType": "Practitioner", "id": "a" }),
    ]);
    let fhir = Authority::start(Saying::Json(everybody)).await;
    app.live_at(&fhir.endpoint(), &[Panel::GeneralPractitioner, Panel::CareTeam, Panel::List]).await;
    let (mut browser, page) = picker(&app, "dr.a").await;
    assert_eq!(shown(&page), ["x"]);
    assert_eq!(shown(&search(&mut browser, &page, "y").await), ["x"]);
    for id in ["y", "z", "gone", "a b"] {
        browser.submit(&page.at, &[("csrf", &page.csrf()), ("patient", id)]).await.reply.assert_page(403, None);
    }
    // Somebody whom nothing ties to a patient, and a patient whom it did not find.
    app.is_now("proxy", "RelatedPerson/r").await;
    app.is_now("pat1", "Patient/other").await;
    for username in ["proxy", "pat1"] {
        let (_, page) = picker(&app, username).await;
        assert!(page.path() == "/patient" && shown(&page).is_empty(), "{username}");
    }
}

/// The page says so, says when to come back, and the flow goes on from where it was.
#[tokio::test]
async fn while_the_server_fails_the_flow_waits() {
    let app = TestApp::start().await;
    let fhir = Authority::start(Saying::Json(bundle(&[patient("x", "Practitioner/a")]))).await;
    app.live_at(&fhir.endpoint(), &[Panel::GeneralPractitioner]).await;
    let (mut browser, page) = picker(&app, "dr.a").await;
    let other = Authority::start(Saying::Nothing).await;
    let next = |url: &str| {
        let mut bundle = bundle(&[]);
        bundle["link"] = json!([{ "relation": "next", "url": url }]);
        Saying::Json(bundle)
    };
    let failing = [
        Saying::Text(500, "application/fhir+json", json!({ "resourceType": "OperationOutcome" }).to_string()),
        Saying::Text(401, "application/fhir+json", "{}".to_owned()),
        Saying::Text(403, "text/html", "<p>no</p>".to_owned()),
        Saying::Text(404, "text/html", "<p>no</p>".to_owned()),
        Saying::Text(200, "text/html", "<!doctype html><p>Sign in to the wireless network".to_owned()),
        Saying::Text(200, "application/fhir+json", "{\"resourceType\":\"Bundle\"".to_owned()),
        Saying::Text(200, "application/fhir+json", String::new()),
        Saying::Json(json!({ "resourceType": "OperationOutcome" })),
        failed(),
        Saying::Endless,
        Saying::Redirect(other.endpoint()),
        next(&format!("{}/Patient?page=2", other.endpoint())),
        next("https://fhir.test/r4/Patient?page=2"),
        next("/admin"),
        next("https://["),
    ];
    for saying in failing {
        let what = format!("{saying:?}");
        fhir.turn(saying);
        let told = search(&mut browser, &page, "x").await;
        told.reply.assert_page(503, None);
        assert_eq!(told.reply.header("retry-after"), "5", "{what}");
        assert!(told.reply.body.contains("The patients cannot be looked up"), "{what}");
        assert!(!told.reply.body.contains("127.0.0.1") && !told.reply.body.contains("wireless"), "{what}");
        let told = browser.submit(&page.at, &[("csrf", &page.csrf()), ("patient", "x")]).await;
        told.reply.assert_page(503, None);
    }
    assert_eq!(other.asked(), 0, "no token goes to a server that an answer names");
    assert!(app.audit("patient.selected").await.is_empty() && app.audit("authorize").await.is_empty());

    fhir.turn(Saying::Json(bundle(&[patient("x", "Practitioner/a")])));
    assert_eq!(browser.pick(&page, "x").await.path(), "/consent");
}

/// A server that takes the question and never answers is given up in time.
#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let app = TestApp::start().await;
    let fhir = Authority::start(Saying::Nothing).await;
    app.live_at(&fhir.endpoint(), &[Panel::GeneralPractitioner]).await;
    let begun = std::time::Instant::now();
    let (_, page) = picker(&app, "dr.a").await;
    page.reply.assert_page(503, None);
    assert!(begun.elapsed() < std::time::Duration::from_secs(8));
}

/// Pages without end are not read without end.
#[tokio::test]
async fn pages_without_end_are_not_read_without_end() {
    let app = TestApp::start().await;
    let fhir = Authority::start(Saying::Nothing).await;
    let mut page = bundle(&[patient("x", "Practitioner/a"), patient("y", "Practitioner/b")]);
    page["link"] = json!([{ "relation": "next", "url": format!("{}/Patient?page=again", fhir.endpoint()) }]);
    fhir.turn(Saying::Json(page));
    app.live_at(&fhir.endpoint(), &[Panel::GeneralPractitioner]).await;
    let (_, page) = picker(&app, "dr.a").await;
    assert_eq!(shown(&page), ["x"]);
    assert_eq!(fhir.asked(), 10);
}

/// Fail closed, and take nothing away for it: the refresh token is as good as before.
#[tokio::test]
async fn while_the_server_fails_nothing_is_refreshed_and_nothing_revoked() {
    let app = TestApp::start().await;
    let (fhir, tokens) = tokens_for_x(&app).await;
    for saying in [Saying::Text(500, "text/plain", String::new()), Saying::Json(json!({})), failed(), Saying::Endless] {
        fhir.turn(saying);
        let refused = app.refresh(LIVE, &tokens["refresh_token"]).await;
        refused.assert_token_error(503, "temporarily_unavailable");
        assert!(!refused.header("retry-after").is_empty());
    }
    assert!(app.audit("grant.revoked").await.is_empty() && app.audit("token.refreshed").await.is_empty());
    fhir.turn(Saying::Json(bundle(&[patient("x", "Practitioner/a")])));
    app.advance(Duration::minutes(1));
    assert_eq!(app.refresh(LIVE, &tokens["refresh_token"]).await.tokens()["patient"], "x");
}

/// A record that was merged or closed, and a doctor who was left, end the grants that hang on them.
#[tokio::test]
async fn what_the_server_says_of_a_patient_ends_grants() {
    let merged = json!({ "link": [{ "type": "replaced-by", "other": { "reference": "Patient/y" } }] });
    for (change, why) in [
        (merged, "the patient's record was closed or merged into another"),
        (json!({ "active": false }), "the patient's record was closed or merged into another"),
        (json!({ "id": "y" }), "the patient's record was closed or merged into another"),
        (json!({ "generalPractitioner": [{ "reference": "Practitioner/b" }] }), "the user may not open the patient"),
    ] {
        let app = TestApp::start().await;
        let (fhir, tokens) = tokens_for_x(&app).await;
        let mut changed = patient("x", "Practitioner/a");
        changed.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
        fhir.turn(Saying::Json(bundle(&[changed])));
        app.refresh(LIVE, &tokens["refresh_token"]).await.assert_invalid_grant();
        assert_eq!(app.audit("grant.revoked").await[0].detail.as_deref(), Some(why), "{change}");
        assert!(!app.is_active(&tokens["access_token"]).await);
        // The patient coming back does not bring the grant back.
        fhir.turn(Saying::Json(bundle(&[patient("x", "Practitioner/a")])));
        app.refresh(LIVE, &tokens["refresh_token"]).await.assert_invalid_grant();
    }
}

/// Between the choice and the code, a patient can be lost.
#[tokio::test]
async fn a_patient_who_was_lost_after_the_choice_gets_no_code() {
    let app = TestApp::start().await;
    let fhir = Authority::start(Saying::Json(bundle(&[patient("x", "Practitioner/a")]))).await;
    app.live_at(&fhir.endpoint(), &[Panel::GeneralPractitioner]).await;
    let (mut browser, page) = picker(&app, "dr.a").await;
    let page = browser.pick(&page, "x").await;
    fhir.turn(Saying::Text(503, "text/plain", String::new()));
    browser.approve(&page).await.reply.assert_page(503, None);
    fhir.turn(Saying::Json(bundle(&[patient("x", "Practitioner/b")])));
    browser.go(&page.at).await.reply.assert_redirect_error("https://app.test/cb?", "access_denied");
    assert!(app.audit("code.issued").await.is_empty());
}

/// What was allowed while the server failed has no answer yet; taking the app's access away takes that along.
#[tokio::test]
async fn taking_access_away_ends_what_is_on_its_way() {
    let app = TestApp::start().await;
    let fhir = Authority::start(Saying::Json(bundle(&[patient("x", "Practitioner/a")]))).await;
    app.live_at(&fhir.endpoint(), &[Panel::GeneralPractitioner]).await;
    let (mut browser, page) = picker(&app, "dr.a").await;
    let page = browser.pick(&page, "x").await;
    fhir.turn(Saying::Text(503, "text/plain", String::new()));
    browser.approve(&page).await.reply.assert_page(503, None);
    let of = |user: &str, patient: &str| Selection {
        user: Some(UserId::new(user)),
        client: Some(ClientId::new(LIVE)),
        patient: Some(patient.to_owned()),
        ..Selection::default()
    };
    let pending = "select count(*) from flow where approved_scopes is not null and finished_at is null";
    for (which, left) in [(of("u-dr.b", "x"), 1), (of("u-dr.a", "y"), 1), (of("u-dr.a", "x"), 0)] {
        app.store().revoke_standing(&app.origin(), which, "a test").await.expect("the store");
        assert_eq!(app.count(pending).await, left);
    }
    fhir.turn(Saying::Json(bundle(&[patient("x", "Practitioner/a")])));
    assert_eq!(browser.go(&page.at).await.reply.status.as_u16(), 200, "the person is asked again");
    assert!(app.audit("code.issued").await.is_empty());
}
