//! From the sign-in to the last error, a person reads one language.

use admit::tenant::Patients;
use axum::http::StatusCode;

use crate::support::ask::Ask;
use crate::support::{Browser, Landing, TestApp, encode};

const SCOPE: &str = "openid launch/encounter patient/Patient.rs";

/// What only an English page says: each text, beside what the Spanish page says in its place.
fn english() -> Vec<String> {
    let file = |language: &str| {
        let path = format!("{}/templates/words/{language}.ftl", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).expect("words");
        let texts = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = ").map(|(_, text)| text));
        texts.map(str::to_owned).collect::<Vec<_>>()
    };
    let spanish = file("es");
    file("en").into_iter().filter(|text| !text.contains('{') && !spanish.contains(text)).collect()
}

/// A page in Spanish, with this heading, and without a word of English.
#[track_caller]
fn assert_spanish(page: &Landing, status: StatusCode, heading: &str) {
    let body = page.reply.body.replace("&#39;", "'");
    assert_eq!(page.reply.status, status, "{}: {body}", page.at);
    assert!(body.contains("<html lang=\"es\""), "{}: {body}", page.at);
    let shown: Vec<&str> = body.split(['<', '>', '"']).map(str::trim).collect();
    let h1 = body.split("<h1").nth(1).and_then(|rest| rest.split("</h1>").next()).unwrap_or_default();
    assert!(h1.contains(heading), "{heading} at {}: {h1}", page.at);
    for text in english() {
        let is_sentence = text.split(' ').count() > 3;
        assert!(!(shown.contains(&text.as_str()) || is_sentence && body.contains(&text)), "{text} at {}: {body}", page.at);
    }
}

/// A browser of somebody who reads Spanish.
fn spanish(app: &TestApp) -> Browser<'_> {
    let mut browser = app.browser();
    browser.headers.push(("accept-language".to_owned(), "es-MX,es;q=0.9,en;q=0.5".to_owned()));
    browser
}

#[test]
fn there_is_english_to_look_for() {
    let english = english();
    assert!(
        english.len() > 200 && ["Choose a patient", "Signed in as", "finished"].iter().all(|text| english.contains(&(*text).to_owned()))
    );
}

/// NEG-7: every step of a flow, and what can go wrong on the way.
#[tokio::test]
async fn a_flow_is_spanish_from_the_first_page_to_the_last() {
    let app = TestApp::with_ehr().await;
    let patients = Patients { has_emergency_access: true, ..Patients::default() };
    assert!(app.store().update_patients(&app.origin(), "one", &patients).await.expect("a FHIR base"));
    let mut browser = spanish(&app);
    let page = browser.ask(&Ask::of("spa").with("scope", SCOPE)).await;
    assert_spanish(&page, StatusCode::OK, "Entre para seguir a");
    let wrong = browser.log_in_with(&page, "dr.a", "not it").await;
    assert_spanish(&wrong, StatusCode::FORBIDDEN, "Entre para seguir a");
    assert!(wrong.reply.body.contains("El usuario o la contraseña no son correctos") && wrong.reply.body.contains("<title>Error: Entrar"));

    let page = browser.log_in(&page, "dr.a").await;
    assert_spanish(&page, StatusCode::OK, "Elija un paciente");
    assert!(page.reply.body.contains("2 pacientes") && page.reply.body.contains(" años"), "{}", page.reply.body);
    assert_spanish(&browser.go(&format!("{}&q=nobody", page.at)).await, StatusCode::OK, "Elija un paciente");
    let emergency = browser.go(&page.at.replace("/patient?", "/patient/emergency?")).await;
    assert_spanish(&emergency, StatusCode::OK, "Acceso de urgencia");
    let unsaid = browser.submit(&emergency.at, &[("csrf", &emergency.csrf()), ("mrn", "MRN-p3")]).await;
    assert_spanish(&unsaid, StatusCode::BAD_REQUEST, "Acceso de urgencia");
    let found = [("csrf", emergency.csrf()), ("mrn", "MRN-p3".to_owned()), ("reason", "Sin conocimiento en urgencias".to_owned())];
    let found: Vec<(&str, &str)> = found.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_spanish(&browser.submit(&emergency.at, &found).await, StatusCode::OK, "Acceso de urgencia");
    let closed = browser.submit(&page.at, &[("csrf", &page.csrf()), ("patient", "p3")]).await;
    assert_spanish(&closed, StatusCode::FORBIDDEN, "No puede abrir a este paciente");

    let page = browser.pick(&page, "p1").await;
    assert_spanish(&page, StatusCode::OK, "Elija una visita");
    let foreign = browser.submit(&page.at, &[("csrf", &page.csrf()), ("encounter", "e-of-another")]).await;
    assert_spanish(&foreign, StatusCode::FORBIDDEN, "No se puede elegir esta visita");
    let page = browser.submit(&page.at, &[("csrf", &page.csrf()), ("none", "1")]).await;
    assert_spanish(&page, StatusCode::OK, "pide acceso");
    browser.approve(&page).await.code();
    assert_spanish(&browser.go(&page.at).await, StatusCode::CONFLICT, "Esta entrada ya está completa");
}

/// The pages beside a flow, and the errors of requests that never became one.
#[tokio::test]
async fn the_other_pages_are_spanish_as_well() {
    let app = TestApp::with_ehr().await;
    let mut browser = spanish(&app);
    assert_spanish(&browser.go("/login").await, StatusCode::OK, "Aquí no hay nada pendiente");
    assert_spanish(&browser.go("/nowhere").await, StatusCode::NOT_FOUND, "Esta página no existe");
    assert_spanish(&browser.submit("/favicon.ico", &[]).await, StatusCode::METHOD_NOT_ALLOWED, "Esta página no se usa así");
    let unknown = browser.ask(&Ask::of("spa").with("client_id", "nobody")).await;
    assert_spanish(&unknown, StatusCode::BAD_REQUEST, "Esta aplicación no puede darle entrada");
    let twice = browser.ask(&Ask::of("spa").and("client_id", "spa")).await;
    assert_spanish(&twice, StatusCode::BAD_REQUEST, "Esta aplicación no puede darle entrada");
    assert!(twice.reply.body.contains("El parámetro client_id vino dos veces."), "{}", twice.reply.body);
    let posted = browser.ask(&Ask::of("spa").with("scope", "openid").and("response_mode", "form_post").and("prompt", "none")).await;
    assert_spanish(&posted, StatusCode::OK, "Le llevamos de vuelta a la aplicación");

    let page = browser.go("/launch-pad").await;
    assert_spanish(&page, StatusCode::OK, "el panel de aplicaciones");
    let page = browser.log_in(&page, "dr.a").await;
    assert_spanish(&page, StatusCode::OK, "Panel de aplicaciones");
    let apps = browser.go(&format!("/launch-pad?{}", encode(&[("base", "one"), ("patient", "p1")]))).await;
    assert_spanish(&apps, StatusCode::OK, "Abrir una aplicación");
    assert_spanish(&browser.go("/account/apps").await, StatusCode::OK, "Sus aplicaciones");
    let page = browser.go("/logout").await;
    assert_spanish(&page, StatusCode::OK, "¿Quiere salir?");
    assert_spanish(&browser.submit("/logout", &[("csrf", &page.csrf())]).await, StatusCode::OK, "Ha salido");
}

/// `ui_locales` goes before what the browser says, and holds also for errors of a flow that is gone.
#[tokio::test]
async fn an_app_s_word_on_the_language_holds_to_the_end() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.headers.push(("accept-language".to_owned(), "en".to_owned()));
    let ask = Ask::of("spa").with("scope", SCOPE).with("ui_locales", "fr es-ES\"><en");
    let page = browser.ask(&ask).await;
    assert_spanish(&page, StatusCode::OK, "Entre para seguir a");
    assert!(page.at.ends_with("&ui_locales=es"), "nothing of what was sent stands in the address: {}", page.at);
    let page = browser.log_in(&page, "dr.a").await;
    assert_spanish(&page, StatusCode::OK, "Elija un paciente");
    assert!(page.reply.body.contains("name=\"ui_locales\" value=\"es\""), "the search keeps it");
    assert_spanish(&app.browser().go(&page.at).await, StatusCode::BAD_REQUEST, "Esta entrada ha terminado");
    let unknown = browser.ask(&ask.with("client_id", "nobody")).await;
    assert_spanish(&unknown, StatusCode::BAD_REQUEST, "Esta aplicación no puede darle entrada");

    // Whoever signs out at an app's wish (OpenID Connect RP-Initiated Logout §2).
    let page = browser.go("/logout?ui_locales=es").await;
    assert_spanish(&page, StatusCode::OK, "¿Quiere salir?");
    assert_spanish(&browser.submit("/logout", &[("csrf", &page.csrf()), ("ui_locales", "es")]).await, StatusCode::OK, "Ha salido");
}
