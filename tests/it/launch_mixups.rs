//! The patient of a launch reaches the user and the app that it was begun for, and nobody else.

use serde_json::{Value, json};

use crate::support::ask::{Ask, claims};
use crate::support::{Browser, Landing, TestApp, at_once};

async fn signed_in<'a>(app: &'a TestApp, username: &str) -> Browser<'a> {
    let mut browser = app.browser();
    browser.sign_in(username).await;
    browser
}

/// No code was made for anybody but dr.a, and none for another patient than this one.
async fn assert_only_for(app: &TestApp, patient: &str) {
    for row in app.audit("code.issued").await.iter().filter(|row| row.patient_id.is_some()) {
        assert_eq!((row.user_id.as_deref(), row.patient_id.as_deref()), (Some("u-dr.a"), Some(patient)), "{row:?}");
    }
}

/// A foreign app gets nothing by another's launch, and takes nothing from it.
#[tokio::test]
async fn a_launch_of_one_app_is_worth_nothing_to_another() {
    let app = TestApp::with_ehr().await;
    let mut browser = signed_in(&app, "dr.a").await;
    let launch = app.launch("clinic", "p1").await;
    for foreign in ["evil", "spa", "webq"] {
        let told = browser.ask(&Ask::launched(foreign, &launch)).await;
        assert_eq!(told.reply.param("error").as_deref(), Some("invalid_request"), "{foreign}");
        assert!(told.reply.param("code").is_none());
    }
    let landing = browser.ask(&Ask::launched("clinic", &launch)).await;
    assert_eq!(app.tokens_of("clinic", &landing).await["patient"], "p1");
}

/// A second browser is refused, though the same person is signed in there, and the first goes on.
#[tokio::test]
async fn another_browser_is_refused_and_the_first_one_goes_on() {
    let app = TestApp::with_ehr().await;
    let launch = app.launch("spa", "p2").await;
    let mut first = app.browser();
    let page = first.ask(&Ask::launched("spa", &launch)).await;
    assert_eq!(page.path(), "/login");

    let mut second = signed_in(&app, "dr.a").await;
    assert_eq!(second.ask(&Ask::launched("spa", &launch)).await.reply.param("error").as_deref(), Some("invalid_request"));
    // Nor does it help to know the address of the first one's pages.
    second.go(&page.at).await.reply.assert_page(400, None);
    // CC-11: a reload goes on where it was.
    let page = first.go(&page.at).await;
    let page = first.log_in(&page, "dr.a").await;
    let page = first.go(&page.at).await;
    let landing = first.approve(&page).await;
    assert_eq!(app.tokens_of("spa", &landing).await["patient"], "p2");
}

/// Somebody else is signed in in this browser: they see nothing of the patient, and get no code.
#[tokio::test]
async fn whoever_else_is_signed_in_does_not_get_the_launch() {
    let app = TestApp::with_ehr().await;
    for other in ["dr.b", "pat1", "proxy", "clerk"] {
        let mut browser = signed_in(&app, other).await;
        let launch = app.launch("clinic", "p1").await;
        let page = browser.ask(&Ask::launched("clinic", &launch)).await;
        assert_eq!(page.path(), "/login", "{other}");
        assert!(!page.reply.body.contains("Ada Test") && page.reply.body.contains("same user"), "{other}");
        for path in ["/authorize", "/patient", "/encounter", "/consent"] {
            assert_eq!(browser.go(&format!("{path}?flow={}", page.flow())).await.path(), "/login", "{other} at {path}");
        }
        // They sign in once more as themselves, and the app is told.
        let told = browser.log_in(&page, other).await;
        told.reply.assert_redirect_error("https://clinic.test/cb?", "access_denied");
        assert_eq!(app.audit("code.issued").await.iter().filter(|row| row.patient_id.is_some()).count(), 0, "{other}");
    }
}

/// The right user takes the browser over from another one.
#[tokio::test]
async fn the_right_user_signs_in_over_another_one() {
    let app = TestApp::with_ehr().await;
    let mut browser = signed_in(&app, "dr.b").await;
    let launch = app.launch("clinic", "p1").await;
    let page = browser.ask(&Ask::launched("clinic", &launch)).await;
    let landing = browser.log_in(&page, "dr.a").await;
    let tokens = app.tokens_of("clinic", &landing).await;
    assert_eq!((tokens["patient"].as_str(), claims(&tokens["access_token"])["sub"].as_str()), (Some("p1"), Some("u-dr.a")));
}

/// "Not you?" on the consent page of a launch leads to nobody else.
#[tokio::test]
async fn switching_the_user_does_not_hand_the_launch_over() {
    let app = TestApp::with_ehr().await;
    let mut browser = signed_in(&app, "dr.a").await;
    let launch = app.launch("spa", "p1").await;
    let consent = browser.ask(&Ask::launched("spa", &launch)).await;
    let page = browser.submit(&consent.at, &[("csrf", &consent.csrf()), ("decision", "switch_user")]).await;
    assert_eq!(page.path(), "/login");
    let told = browser.log_in(&page, "dr.b").await;
    told.reply.assert_redirect_error("https://app.test/cb?", "access_denied");
    assert_only_for(&app, "p1").await;
}

/// Another user signs in in a second tab while the first one's question is open: the answer counts for nobody.
#[tokio::test]
async fn an_answer_given_after_another_user_signed_in_is_not_taken() {
    let app = TestApp::with_ehr().await;
    let mut browser = signed_in(&app, "dr.a").await;
    let launch = app.launch("spa", "p1").await;
    let consent = browser.ask(&Ask::launched("spa", &launch)).await;
    assert_eq!(consent.path(), "/consent");
    let tab = browser.ask(&Ask::of("clinic").with("scope", "openid").with("prompt", "login")).await;
    browser.log_in(&tab, "dr.b").await.code();

    let there = browser.approve(&consent).await;
    assert_eq!(there.path(), "/login");
    assert!(!there.reply.body.contains("Ada Test"));
    assert_only_for(&app, "p1").await;
    assert_eq!(app.audit("code.issued").await.len(), 2, "the two sign-ins of this test");
}

/// Two records are open in two tabs of one browser, and the answers come crosswise.
#[tokio::test]
async fn two_launches_in_two_tabs_keep_their_patients() {
    let app = TestApp::with_ehr().await;
    let mut browser = signed_in(&app, "dr.a").await;
    let (one, two) = (app.launch("spa", "p1").await, app.launch("spa", "p2").await);
    let first = browser.ask(&Ask::launched("spa", &one).with("state", "one")).await;
    let second = browser.ask(&Ask::launched("spa", &two).with("state", "two")).await;
    assert!(first.reply.body.contains("Ada Test") && !first.reply.body.contains("Bo Test"));
    assert!(second.reply.body.contains("Bo Test") && !second.reply.body.contains("Ada Test"));

    // The form of one tab, sent to the address of the other, is no answer there.
    let crossed = Landing { at: second.at.clone(), ..first.clone() };
    browser.approve(&crossed).await.reply.assert_page(403, None);

    let second = browser.approve(&second).await;
    let first = browser.approve(&first).await;
    for (landing, state, patient) in [(first, "one", "p1"), (second, "two", "p2")] {
        assert_eq!(landing.reply.param("state").as_deref(), Some(state));
        assert_eq!(app.tokens_of("spa", &landing).await["patient"], patient);
    }
}

/// What the EHR has open is no question: whatever the browser sends, it is that patient.
#[tokio::test]
async fn nobody_can_choose_another_patient_than_the_ehr_has_open() {
    let app = TestApp::with_ehr().await;
    let mut browser = signed_in(&app, "dr.a").await;
    let launch = app.launch("spa", "p1").await;
    let ask = Ask::launched("spa", &launch).and("patient", "p2").with("scope", "launch launch/patient openid patient/*.rs");
    let page = browser.ask(&ask).await;
    assert_eq!(page.path(), "/consent");
    for path in ["/patient", "/encounter"] {
        assert_eq!(browser.go(&format!("{path}?flow={}&patient=p2", page.flow())).await.path(), "/consent");
        let address = format!("{path}?flow={}", page.flow());
        for field in ["patient", "encounter", "none"] {
            let there = browser.submit(&address, &[("csrf", &page.csrf()), (field, "p2")]).await;
            assert_eq!(there.path(), "/consent", "{field} at {path}");
            assert!(there.reply.body.contains("Ada Test") && !there.reply.body.contains("Bo Test"));
        }
    }
    assert!(app.audit("patient.selected").await.is_empty());
    let landing = browser.approve(&page).await;
    assert_eq!(app.tokens_of("spa", &landing).await["patient"], "p1");
    assert_only_for(&app, "p1").await;
}

/// A patient who was written into the flow's row behind everybody's back is not the launch's.
#[tokio::test]
async fn the_launch_has_the_last_word_over_the_flow_s_own_row() {
    let app = TestApp::with_ehr().await;
    let mut browser = signed_in(&app, "dr.a").await;
    let launch = app.launch("spa", "p1").await;
    let page = browser.ask(&Ask::launched("spa", &launch)).await;
    app.sql("update flow set patient_id = 'p2'").await;
    let landing = browser.approve(&page).await;
    assert_eq!(app.tokens_of("spa", &landing).await["patient"], "p1");
}

/// The EHR turns to another patient: what was opened stays with the first, what is opened now is the second's.
#[tokio::test]
async fn an_ehr_that_turns_to_another_patient_changes_no_launch() {
    let app = TestApp::with_ehr().await;
    let mut browser = signed_in(&app, "dr.a").await;
    let mut told = Vec::new();
    let launches = [app.launch("clinic", "p1").await, app.launch("clinic", "p2").await];
    for launch in launches.iter().rev() {
        let landing = browser.ask(&Ask::launched("clinic", launch)).await;
        told.push(app.tokens_of("clinic", &landing).await);
    }
    assert_eq!((told[0]["patient"].as_str(), told[1]["patient"].as_str()), (Some("p2"), Some("p1")));
    // Refreshed later, each keeps its own.
    for (tokens, patient) in told.iter().zip(["p2", "p1"]) {
        assert_eq!(app.refresh("clinic", &tokens["refresh_token"]).await.tokens()["patient"], patient);
    }
}

/// The user has lost the patient between the EHR's word and the app's request.
#[tokio::test]
async fn a_patient_who_was_taken_off_the_list_meanwhile_is_not_told() {
    let app = TestApp::with_ehr().await;
    let mut browser = signed_in(&app, "dr.a").await;
    let launch = app.launch("clinic", "p1").await;
    app.sql("delete from panel where patient_id = 'p1'").await;
    let told = browser.ask(&Ask::launched("clinic", &launch)).await;
    told.reply.assert_redirect_error("https://clinic.test/cb?", "access_denied");
    assert_only_for(&app, "nobody").await;
}

/// A row that is gone, or another flow's, does not turn an EHR launch into one where the person chooses.
#[tokio::test]
async fn a_request_that_has_lost_its_launch_ends() {
    let app = TestApp::with_ehr().await;
    for change in ["delete from launch", "update launch set flow_id = 'another'"] {
        let mut browser = signed_in(&app, "dr.a").await;
        let launch = app.launch("spa", "p1").await;
        let page = browser.ask(&Ask::launched("spa", &launch)).await;
        app.sql(change).await;
        browser.approve(&page).await.reply.assert_page(400, None);
        assert_only_for(&app, "nobody").await;
    }
}

/// The launch of a patient's own portal: their record, and theirs alone.
#[tokio::test]
async fn a_patient_is_opened_from_a_portal_with_their_own_record() {
    let app = TestApp::with_ehr().await;
    let wish = |patient: &str| json!({ "client_id": "spa", "fhirUser": "Patient/p1", "patient": patient });
    assert_eq!(app.ask_launch(&wish("p2")).await.status.as_u16(), 403);
    let launch = app.launch_of(&wish("p1")).await;
    let mut browser = app.browser();
    let page = browser.ask(&Ask::launched("spa", &launch)).await;
    let landing = browser.go_through(page, "pat1", "p1").await;
    let tokens: Value = app.tokens_of("spa", &landing).await;
    assert_eq!(tokens["patient"], "p1");
    assert_eq!(claims(&tokens["id_token"])["fhirUser"], "https://fhir.test/r4/Patient/p1");
}

/// Denied once, the launch is spent: it cannot be tried again until somebody says yes.
#[tokio::test]
async fn a_launch_that_was_denied_is_not_asked_about_again() {
    let app = TestApp::with_ehr().await;
    let mut browser = signed_in(&app, "dr.a").await;
    let launch = app.launch("spa", "p1").await;
    let page = browser.ask(&Ask::launched("spa", &launch)).await;
    let told = browser.submit(&page.at, &[("csrf", &page.csrf()), ("decision", "deny")]).await;
    told.reply.assert_redirect_error("https://app.test/cb?", "access_denied");
    assert_eq!(browser.ask(&Ask::launched("spa", &launch)).await.reply.param("error").as_deref(), Some("invalid_request"));
}

/// A busy browser: eight launches of two patients at once, each answer in its own tab.
#[tokio::test(flavor = "multi_thread")]
async fn many_launches_at_once_in_one_browser_keep_their_patients() {
    let app = std::sync::Arc::new(TestApp::with_ehr().await);
    let mut launches = Vec::new();
    for nth in 0..8 {
        let patient = if nth % 2 == 0 { "p1" } else { "p2" };
        launches.push((app.launch("clinic", patient).await, patient));
    }
    let cookies = signed_in(&app, "dr.a").await.cookies();
    let landed = at_once(8, |nth| {
        let (app, cookies, launch) = (std::sync::Arc::clone(&app), cookies.clone(), launches[nth].0.clone());
        let path = Ask::launched("clinic", &launch).path();
        async move {
            let request = axum::http::Request::get(path).header("cookie", cookies).body(axum::body::Body::empty());
            app.call(request.expect("a request")).await
        }
    });
    for (reply, (_, patient)) in landed.await.into_iter().zip(&launches) {
        let landing = Landing { reply, at: "/authorize".to_owned() };
        assert_eq!(app.tokens_of("clinic", &landing).await["patient"], *patient);
    }
}
