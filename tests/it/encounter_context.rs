//! Which encounter a token is about (SMART App Launch 2.2, `launch/encounter`).

use admit::id::PatientId;
use admit::person::Encounter;
use serde_json::json;

use crate::support::ask::{Ask, claims};
use crate::support::{Browser, Landing, TestApp};

const ENCOUNTER: &str = "openid launch/encounter patient/Patient.rs";

/// The list of visits, with dr.a in front of it and p1 chosen.
async fn at_the_visits<'a>(app: &'a TestApp) -> (Browser<'a>, Landing) {
    let mut browser = app.browser();
    let page = browser.ask(&Ask::of("spa").with("scope", ENCOUNTER)).await;
    let page = browser.log_in(&page, "dr.a").await;
    let page = browser.pick(&page, "p1").await;
    assert_eq!(page.path(), "/encounter", "{}", page.reply.body);
    (browser, page)
}

/// A patient without visits: the page says so, and who goes on is not told of any; the answer says that too.
#[tokio::test]
async fn without_a_visit_the_scope_is_not_given() {
    let app = TestApp::start().await;
    let (mut browser, page) = at_the_visits(&app).await;
    assert!(page.reply.body.contains("There are no visits of this patient here") && page.reply.body.contains("Ada Test"));
    let page = browser.submit(&page.at, &[("csrf", &page.csrf()), ("none", "1")]).await;
    assert_eq!(page.path(), "/consent");
    let landing = browser.approve(&page).await;
    let tokens = app.tokens_of("spa", &landing).await;
    assert_eq!(tokens["scope"], "openid patient/Patient.rs");
    assert_eq!(tokens["patient"], "p1");
    assert!(tokens.get("encounter").is_none() && claims(&tokens["access_token"]).get("encounter").is_none());
}

/// SL-16 for encounters: there is no way round the page.
#[tokio::test]
async fn the_page_cannot_be_passed_by() {
    let app = TestApp::start().await;
    let (mut browser, page) = at_the_visits(&app).await;
    for path in ["/authorize", "/consent", "/login", "/patient"] {
        assert_eq!(browser.go(&format!("{path}?flow={}", page.flow())).await.path(), "/encounter", "{path}");
    }
    for encounter in ["e-of-another", "../e1", "Encounter/e1", "e1,e2"] {
        let told = browser.submit(&page.at, &[("csrf", &page.csrf()), ("encounter", encounter)]).await;
        told.reply.assert_page(403, None);
    }
    for form in [&[][..], &[("encounter", "e1"), ("none", "1")], &[("encounter", "")]] {
        let csrf = page.csrf();
        let form = [&[("csrf", csrf.as_str())], form].concat();
        browser.submit(&page.at, &form).await.reply.assert_page(403, None);
    }
    browser.submit(&page.at, &[("none", "1")]).await.reply.assert_page(403, None);
    assert!(app.audit("code.issued").await.is_empty());
}

/// A change of mind, and a silent request.
#[tokio::test]
async fn whoever_cancels_gives_nothing() {
    let app = TestApp::start().await;
    let (mut browser, page) = at_the_visits(&app).await;
    let told = browser.submit(&page.at, &[("csrf", &page.csrf()), ("cancel", "1")]).await;
    told.reply.assert_redirect_error("https://app.test/cb?", "access_denied");
    let (mut browser, page) = at_the_visits(&app).await;
    let page = browser.submit(&page.at, &[("csrf", &page.csrf()), ("switch_user", "1")]).await;
    assert_eq!(page.path(), "/login");
    // Another person begins anew.
    assert_eq!(browser.log_in(&page, "dr.b").await.path(), "/patient");
    let silent = browser.ask(&Ask::of("spa").with("scope", ENCOUNTER).with("prompt", "none")).await;
    assert_eq!(silent.reply.param("error").as_deref(), Some("interaction_required"));
    assert!(app.audit("code.issued").await.is_empty());
}

/// Who went on without a visit did so for one patient and as one person.
#[tokio::test]
async fn going_on_without_a_visit_is_one_person_s_word() {
    let app = TestApp::start().await;
    let (mut browser, page) = at_the_visits(&app).await;
    let consent = browser.submit(&page.at, &[("csrf", &page.csrf()), ("none", "1")]).await;
    let page = browser.submit(&consent.at, &[("csrf", &consent.csrf()), ("decision", "switch_user")]).await;
    let page = browser.log_in(&page, "dr.b").await;
    let page = browser.pick(&page, "p3").await;
    assert_eq!(page.path(), "/encounter");
    assert!(page.reply.body.contains("Cy Test"));
}

/// LCH-5: in an EHR launch the encounter is the EHR's; only where it has none open is one chosen.
#[tokio::test]
async fn the_encounter_of_an_ehr_is_nobody_s_to_choose() {
    let app = TestApp::with_ehr().await;
    let mut browser = app.browser();
    browser.sign_in("dr.a").await;
    let scope = "launch launch/encounter patient/Patient.rs";
    let wish = json!({ "client_id": "clinic", "username": "dr.a", "patient": "p1", "encounter": "e7" });
    let landing = browser.ask(&Ask::launched("clinic", &app.launch_of(&wish).await).with("scope", scope)).await;
    let tokens = app.tokens_of("clinic", &landing).await;
    assert_eq!((tokens["encounter"].as_str(), tokens["scope"].as_str()), (Some("e7"), Some(scope)));

    let page = browser.ask(&Ask::launched("clinic", &app.launch("clinic", "p1").await).with("scope", scope)).await;
    assert_eq!(page.path(), "/encounter");
    let landing = browser.submit(&page.at, &[("csrf", &page.csrf()), ("none", "1")]).await;
    let tokens = app.tokens_of("clinic", &landing).await;
    assert_eq!((tokens["patient"].as_str(), tokens["scope"].as_str()), (Some("p1"), Some("launch patient/Patient.rs")));
    assert!(tokens.get("encounter").is_none());
}

/// Two visits of p1, and one of p2.
async fn with_visits() -> TestApp {
    let app = TestApp::with_ehr().await;
    let visit = |patient: &str, id: &str, reason: &str, started: &str| {
        let (status, class) = ("finished".to_owned(), "ambulatory".to_owned());
        let visit =
            Encounter { id: id.to_owned(), status, class, reason: reason.to_owned(), started: started.to_owned(), ended: String::new() };
        (PatientId::new(patient), visit)
    };
    let visits = vec![
        visit("p1", "e1", "Cough", "2026-01-02T09:00:00Z"),
        visit("p1", "e2", "", "2026-03-04"),
        visit("p2", "e3", "Fever", "2026-05-06"),
    ];
    assert_eq!(app.store().import_encounters(&app.origin(), "one", visits).await.expect("visits"), 0);
    app
}

/// `context-standalone-encounter`: the visits of the chosen patient, the latest first, and the one that was chosen in
/// the tokens, again at each refresh.
#[tokio::test]
async fn a_visit_of_the_chosen_patient_is_chosen() {
    let app = with_visits().await;
    let mut browser = app.browser();
    let scope = "openid offline_access launch/encounter patient/Patient.rs";
    let page = browser.ask(&Ask::of("spa").with("scope", scope)).await;
    let page = browser.log_in(&page, "dr.a").await;
    let page = browser.pick(&page, "p1").await;
    let place = |text: &str| page.reply.body.find(text).unwrap_or_else(|| panic!("no {text} in {}", page.reply.body));
    // One without a reason goes by its kind.
    assert!(place("ambulatory") < place("Cough") && page.reply.body.contains("2026-01-02") && !page.reply.body.contains("Fever"));

    // SL-11 for visits: another patient's is none of this one's.
    browser.submit(&page.at, &[("csrf", &page.csrf()), ("encounter", "e3")]).await.reply.assert_page(403, None);
    let page = browser.submit(&page.at, &[("csrf", &page.csrf()), ("encounter", "e1")]).await;
    assert_eq!(page.path(), "/consent");
    let landing = browser.approve(&page).await;
    let tokens = app.tokens_of("spa", &landing).await;
    assert_eq!((tokens["patient"].as_str(), tokens["encounter"].as_str(), tokens["scope"].as_str()), (Some("p1"), Some("e1"), Some(scope)));
    assert_eq!(claims(&tokens["access_token"])["encounter"], "e1");
    assert_eq!(app.refresh("spa", &tokens["refresh_token"]).await.tokens()["encounter"], "e1");
    let entry = &app.audit("encounter.selected").await[0];
    assert_eq!((entry.patient_id.as_deref(), entry.detail.as_deref()), (Some("p1"), Some("e1")));
}

/// The visit of one person's patient does not go over to the next person who signs in.
#[tokio::test]
async fn a_visit_does_not_outlast_the_person_who_chose_it() {
    let app = with_visits().await;
    let (mut browser, page) = at_the_visits(&app).await;
    let consent = browser.submit(&page.at, &[("csrf", &page.csrf()), ("encounter", "e1")]).await;
    let page = browser.submit(&consent.at, &[("csrf", &consent.csrf()), ("decision", "switch_user")]).await;
    let page = browser.log_in(&page, "dr.b").await;
    assert_eq!(page.path(), "/patient");
    let page = browser.pick(&page, "p3").await;
    assert_eq!(page.path(), "/encounter");
    browser.submit(&page.at, &[("csrf", &page.csrf()), ("encounter", "e1")]).await.reply.assert_page(403, None);
}

/// The launch pad opens an app for one of the patient's visits, and for nobody else's.
#[tokio::test]
async fn the_launch_pad_opens_an_app_for_a_visit() {
    let app = with_visits().await;
    let mut browser = app.browser();
    browser.sign_in("dr.a").await;
    let page = browser.go("/launch-pad?base=one&patient=p1").await;
    assert!(page.reply.body.contains("Cough") && !page.reply.body.contains("Fever"));
    let csrf = page.csrf();
    let form = |encounter| [("csrf", csrf.as_str()), ("base", "one"), ("patient", "p1"), ("encounter", encounter), ("app", "clinic")];
    browser.submit("/launch-pad", &form("e3")).await.reply.assert_page(403, None);
    let launch = browser.submit("/launch-pad", &form("e1")).await.reply.param("launch").expect("a launch");
    let landing = browser.ask(&Ask::launched("clinic", &launch)).await;
    let tokens = app.tokens_of("clinic", &landing).await;
    assert_eq!((tokens["patient"].as_str(), tokens["encounter"].as_str()), (Some("p1"), Some("e1")));
}

/// SL-10 for visits: an EHR that mixes up two patients' visits is told so. Of a visit that is not known here, the EHR has the say.
#[tokio::test]
async fn an_ehr_cannot_open_a_visit_of_another_patient() {
    let app = with_visits().await;
    let open = async |patient: &str, encounter: &str| {
        app.ask_launch(&json!({ "client_id": "spa", "username": "dr.a", "patient": patient, "encounter": encounter })).await
    };
    for (patient, encounter) in [("p1", "e3"), ("p2", "e1")] {
        open(patient, encounter).await.assert_token_error(400, "invalid_request");
    }
    assert_eq!(app.count("select count(*) from launch").await, 0);
    for (patient, encounter) in [("p1", "e1"), ("p2", "e3"), ("p1", "of-today")] {
        assert_eq!(open(patient, encounter).await.status.as_u16(), 201, "{patient} {encounter}");
    }
}
