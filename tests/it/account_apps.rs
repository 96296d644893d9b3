//! `/account/apps`: a person sees what apps can do, and takes it back.

use admit::client::{Asking, Client, ClientAuth};
use admit::id::ClientId;
use admit::store::Selection;
use admit::tenant::Panel;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use time::Duration;

use crate::support::visit::form_with;
use crate::support::{Authority, Browser, ISSUER, LIVE, Landing, SCOPE, Saying, TestApp, client, redirect_uri};

const PAGE: &str = "/account/apps";
const OURS: [(&str, &str); 2] = [("origin", ISSUER), ("sec-fetch-site", "same-origin")];

/// The tokens that this person allows an app, in a browser that lives on.
async fn tokens(app: &TestApp, browser: &mut Browser<'_>, client: &str, username: &str, patient: Option<&str>) -> Value {
    let code = browser.launch(client, redirect_uri(client), SCOPE, username, patient).await.code();
    app.redeem(client, &code).await.tokens()
}

async fn remove(browser: &mut Browser<'_>, page: &Landing, client: &str, patient: &str) -> Landing {
    browser.submit(PAGE, &[("csrf", &page.csrf()), ("client", client), ("base", "one"), ("patient", patient)]).await
}

#[tokio::test]
async fn nobody_sees_it_without_signing_in() {
    let app = TestApp::start().await;
    let reply = app.get(PAGE).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, "/login?to=account"));
    let reply = app.browser().send(form_with(PAGE, &[("client", "spa")], &OURS)).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, "/login?to=account"));
    assert_eq!(app.get("/account").await.header("location"), PAGE);
    assert_eq!(app.call(Request::head(PAGE).body(Body::empty()).expect("a request")).await.status.as_u16(), 405);
}

#[tokio::test]
async fn a_person_sees_who_can_read_what_since_when_and_until_when() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    tokens(&app, &mut browser, "spa", "pat1", None).await;
    app.advance(Duration::minutes(5));
    let page = browser.go(PAGE).await;
    assert_eq!((page.reply.status.as_u16(), page.reply.header("cross-origin-opener-policy")), (200, "same-origin"));
    assert_eq!(page.reply.header("cache-control"), "no-store");
    for word in [
        "App spa",
        "Your own record",
        "2026-11-22",
        "Also while you are away",
        "2027-02-23",
        "See name, birth date and contact details",
        "Which patient this is about.",
    ] {
        assert!(page.reply.body.contains(word), "{word} in {}", page.reply.body);
    }
    assert!(!page.reply.body.contains("App strict"));
    browser.headers.push(("accept-language".to_owned(), "es".to_owned()));
    let page = browser.go(PAGE).await;
    assert!(page.reply.body.contains("<html lang=\"es\"") && page.reply.body.contains("Sus aplicaciones"));
}

/// What was used later is later; what is used up is not listed.
#[tokio::test]
async fn it_shows_the_last_use_and_only_what_still_stands() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let mut issued = tokens(&app, &mut browser, "spa", "pat1", None).await;
    for _ in 0..2 {
        app.advance(Duration::days(40));
        issued = app.refresh("spa", &issued["refresh_token"]).await.tokens();
    }
    browser.sign_in("pat1").await;
    let body = browser.go(PAGE).await.reply.body;
    assert!(body.contains("2027-02-10") && body.contains("2026-11-22"), "{body}");
    app.advance(Duration::days(94));
    let mut browser = app.browser();
    browser.sign_in("pat1").await;
    assert!(!browser.go(PAGE).await.reply.body.contains("App spa"));
}

/// RT-21
#[tokio::test]
async fn removing_an_app_ends_its_tokens_at_once() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let (first, second) = (tokens(&app, &mut browser, "spa", "pat1", None).await, tokens(&app, &mut browser, "spa", "pat1", None).await);
    let other = tokens(&app, &mut browser, "strict", "pat1", None).await;
    let foreign = app.tokens("spa", SCOPE).await;
    let page = browser.go(PAGE).await;
    let after = remove(&mut browser, &page, "spa", "p1").await;
    assert_eq!((after.reply.status.as_u16(), after.reply.header("cross-origin-opener-policy")), (200, "same-origin"));
    assert!(after.reply.body.contains("App spa</bdi> was removed") && after.reply.body.matches("value=\"spa\"").count() == 0);
    for gone in [&first, &second] {
        assert!(!app.is_active(&gone["access_token"]).await);
        app.refresh("spa", &gone["refresh_token"]).await.assert_invalid_grant();
    }
    // Another app, and another person's grant to the same app, are not touched.
    assert!(app.is_active(&other["access_token"]).await && app.is_active(&foreign["access_token"]).await);
    app.refresh("strict", &other["refresh_token"]).await.tokens();
    let revoked = app.audit("grant.revoked").await;
    assert_eq!(revoked.len(), 2);
    assert!(revoked.iter().all(|row| row.user_id.as_deref() == Some("u-pat1") && row.detail.as_deref() == Some("removed by the user")));
    // A second time there is nothing left to be done.
    remove(&mut browser, &page, "spa", "p1").await;
    assert_eq!(app.audit("grant.revoked").await.len(), 2);
}

/// A code that is still on its way is worth nothing either.
#[tokio::test]
async fn removing_an_app_ends_codes_that_are_on_their_way() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    tokens(&app, &mut browser, "spa", "pat1", None).await;
    let code = browser.launch("spa", redirect_uri("spa"), SCOPE, "pat1", None).await.code();
    let page = browser.go(PAGE).await;
    remove(&mut browser, &page, "spa", "p1").await;
    app.redeem("spa", &code).await.assert_invalid_grant();
}

/// A parent takes one child's record back, and not the other's.
#[tokio::test]
async fn one_record_can_be_taken_back_without_the_other() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let one = tokens(&app, &mut browser, "spa", "proxy", Some("p1")).await;
    let four = tokens(&app, &mut browser, "spa", "proxy", Some("p4")).await;
    let page = browser.go(PAGE).await;
    assert!(page.reply.body.contains("Ada Test") && page.reply.body.contains("Di Test"));
    let after = remove(&mut browser, &page, "spa", "p4").await;
    assert!(after.reply.body.contains("Ada Test") && !after.reply.body.contains("Di Test"));
    app.refresh("spa", &four["refresh_token"]).await.assert_invalid_grant();
    app.refresh("spa", &one["refresh_token"]).await.tokens();
}

/// Nothing comes back without asking.
#[tokio::test]
async fn removing_an_app_forgets_what_was_decided_about_it() {
    let app = TestApp::start().await;
    app.register(Client { asks_patients: Asking::Remembered, ..client("keeps", ClientAuth::None, &["https://app.test/cb"]) }).await;
    let mut browser = app.browser();
    browser.launch("keeps", "https://app.test/cb", "openid patient/Patient.rs", "pat1", None).await.code();
    let again = browser.launch("keeps", "https://app.test/cb", "openid patient/Patient.rs", "pat1", None).await;
    assert_eq!(again.path(), "/authorize");
    app.advance(Duration::minutes(20));
    // Its tokens have ended, and still it could come back.
    let page = browser.go(PAGE).await;
    assert!(page.reply.body.contains("App keeps") && page.reply.body.contains("without asking you again"));
    let after = remove(&mut browser, &page, "keeps", "p1").await;
    assert!(after.reply.body.contains("No app has access at the moment"));
    let page = browser
        .authorize(&crate::support::request(
            "keeps",
            "https://app.test/cb",
            "openid patient/Patient.rs",
            &crate::support::challenge(crate::support::VERIFIER),
        ))
        .await;
    assert_eq!(page.path(), "/consent");
}

/// SS-04, SS-05, SS-07
#[tokio::test]
async fn a_form_that_is_not_ours_removes_nothing() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let issued = tokens(&app, &mut browser, "spa", "pat1", None).await;
    let token = browser.go(PAGE).await.csrf();
    let mut elsewhere = app.browser();
    elsewhere.sign_in("dr.b").await;
    tokens(&app, &mut elsewhere, "spa", "dr.b", Some("p3")).await;
    let foreign = elsewhere.go(PAGE).await.csrf();
    let logout = browser.go("/logout").await.csrf();
    let filled = [("client", "spa"), ("base", "one"), ("patient", "p1")];
    for wrong in ["", "x", &token[1..], &foreign, &logout] {
        browser.send(form_with(PAGE, &[&[("csrf", wrong)][..], &filled].concat(), &OURS)).await.assert_page(403, None);
    }
    let right = [&[("csrf", token.as_str())][..], &filled].concat();
    for from in [("origin", "https://evil.test"), ("origin", "null"), ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site")] {
        browser.send(form_with(PAGE, &right, &[from])).await.assert_page(403, None);
    }
    browser.go(&format!("{PAGE}?csrf={token}&client=spa&base=one&patient=p1")).await;
    let query = format!("{PAGE}?csrf={token}");
    browser.send(form_with(&query, &filled, &OURS)).await.assert_page(403, None);
    browser.send(form_with(PAGE, &[("csrf", &token)], &OURS)).await.assert_page(403, None);
    assert!(app.audit("grant.revoked").await.is_empty());
    app.refresh("spa", &issued["refresh_token"]).await.tokens();

    // Whatever a form says, it is about the person who sends it.
    let form = [&[("csrf", foreign.as_str()), ("user", "u-pat1")][..], &filled].concat();
    elsewhere.send(form_with(PAGE, &form, &OURS)).await;
    assert!(app.audit("grant.revoked").await.is_empty());
}

/// PAR-1, (g)(10) 9.3: staff end it for a patient, for one app and whoever allowed it, with the reason.
#[tokio::test]
async fn an_administrator_ends_it_at_the_patient_s_direction() {
    let app = TestApp::start().await;
    let own = tokens(&app, &mut app.browser(), "spa", "pat1", None).await;
    let carer = tokens(&app, &mut app.browser(), "spa", "proxy", Some("p1")).await;
    let other_app = tokens(&app, &mut app.browser(), "strict", "pat1", None).await;
    let other_patient = tokens(&app, &mut app.browser(), "spa", "proxy", Some("p4")).await;
    let which = Selection { client: Some(ClientId::new("spa")), patient: Some("p1".to_owned()), ..Selection::default() };
    let listed = app.store().standing(&app.origin().tenant, &which, app.clock.now(), 100).await.expect("the store");
    assert_eq!(listed.iter().map(|grant| grant.username.as_str()).collect::<Vec<_>>(), ["pat1", "proxy"]);
    let revoked = app.store().revoke_standing(&app.origin(), which, "ticket 4711").await.expect("the store");
    assert_eq!((revoked.grants, revoked.decisions), (2, 0));
    for gone in [&own, &carer] {
        assert!(!app.is_active(&gone["access_token"]).await);
        app.refresh("spa", &gone["refresh_token"]).await.assert_invalid_grant();
    }
    app.refresh("strict", &other_app["refresh_token"]).await.tokens();
    app.refresh("spa", &other_patient["refresh_token"]).await.tokens();
    let entries = app.audit("grant.revoked").await;
    assert!(
        entries.len() == 2
            && entries.iter().all(|row| row.detail.as_deref() == Some("ticket 4711") && row.patient_id.as_deref() == Some("p1"))
    );
    assert_eq!(app.count("select count(*) from access_grant where revoked_why = 'ticket 4711'").await, 2);

    // One grant by its name, and none a second time.
    let all = app.store().standing(&app.origin().tenant, &Selection::default(), app.clock.now(), 100).await.expect("the store");
    let one = Selection { grant: Some(all[0].id.clone()), ..Selection::default() };
    for left in [1, 0] {
        assert_eq!(app.store().revoke_standing(&app.origin(), one.clone(), "x").await.expect("the store").grants, left);
    }
    assert_eq!(
        app.store().standing(&app.origin().tenant, &Selection::default(), app.clock.now(), 100).await.expect("the store").len(),
        all.len() - 1
    );
}

/// One grant takes the decision along that it came of, and no other.
#[tokio::test]
async fn one_grant_takes_its_own_decision_along() {
    let app = TestApp::start().await;
    app.register(Client { asks_patients: Asking::Remembered, ..client("keeps", ClientAuth::None, &["https://app.test/cb"]) }).await;
    for patient in ["p1", "p4"] {
        app.browser().launch("keeps", "https://app.test/cb", SCOPE, "proxy", Some(patient)).await.code();
    }
    app.sql("update access_grant set code_used_at = created_at").await;
    let which = Selection { patient: Some("p1".to_owned()), ..Selection::default() };
    let listed = app.store().standing(&app.origin().tenant, &which, app.clock.now(), 100).await.expect("the store");
    let one = Selection { grant: Some(listed[0].id.clone()), ..Selection::default() };
    let revoked = app.store().revoke_standing(&app.origin(), one, "x").await.expect("the store");
    assert_eq!((revoked.grants, revoked.decisions), (1, 1));
    assert_eq!(app.count("select count(*) from remembered_consent where patient_id = 'p4'").await, 1);
    assert_eq!(app.count("select count(*) from remembered_consent").await, 1);
}

/// WB-08
#[tokio::test]
async fn names_are_only_ever_text() {
    let app = TestApp::start().await;
    let nasty = "<svg onload=alert(1)>\"'{{7*7}}";
    app.register(Client {
        name: nasty.to_owned(),
        developer: Some(nasty.to_owned()),
        ..client("nasty", ClientAuth::None, &["https://app.test/cb"])
    })
    .await;
    app.sql("update patient set name = '<img src=x onerror=alert(1)>' where patient_id = 'p4'").await;
    let mut browser = app.browser();
    tokens(&app, &mut browser, "nasty", "proxy", Some("p4")).await;
    let page = browser.go(PAGE).await;
    assert!(!page.reply.body.contains("<svg onload") && !page.reply.body.contains("<img src=x") && page.reply.body.contains("{{7*7}}"));
    let after = remove(&mut browser, &page, "nasty", "p4").await;
    assert!(after.reply.body.contains("was removed") && !after.reply.body.contains("<svg onload"));
}

/// An app that was switched off can do nothing, and is not listed.
#[tokio::test]
async fn an_app_that_was_switched_off_is_not_listed() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    tokens(&app, &mut browser, "spa", "pat1", None).await;
    app.store().disable_client(&app.origin(), &ClientId::new("spa")).await.expect("the store");
    assert!(!browser.go(PAGE).await.reply.body.contains("App spa"));
}

/// While the record system does not answer, the page comes without names, and is not waited for once per app.
#[tokio::test]
async fn a_record_system_that_does_not_answer_is_waited_for_once() {
    let app = TestApp::start().await;
    let of = |id: &str| json!({ "resourceType": "Patient", "id": id, "generalPractitioner": [{ "reference": "Practitioner/a" }] });
    let entries: Vec<Value> = ["x", "y", "z"].iter().map(|id| json!({ "resource": of(id) })).collect();
    let fhir = Authority::start(Saying::Json(json!({ "resourceType": "Bundle", "type": "searchset", "entry": entries }))).await;
    app.live_at(&fhir.endpoint(), &[Panel::GeneralPractitioner]).await;
    let mut browser = app.browser();
    for id in ["x", "y", "z"] {
        let page = browser.ask(&app.live().await).await;
        let landing = browser.go_through(page, "dr.a", id).await;
        app.exchange(LIVE, &landing).await;
    }
    fhir.turn(Saying::Nothing);
    let begun = std::time::Instant::now();
    let page = browser.go(PAGE).await;
    assert_eq!(page.reply.body.matches("name=\"patient\" value=").count(), 3, "{}", page.reply.body);
    assert!(begun.elapsed() < std::time::Duration::from_secs(9));
}
