//! Patients who live in the FHIR server itself: who is found, who may open whom, and what happens when it fails.

mod faults;
mod rules;
mod token;

use crate::support::{Browser, Landing, TestApp, encode};

/// The picker of the app `live`, with this person in front of it.
async fn picker<'a>(app: &'a TestApp, username: &str) -> (Browser<'a>, Landing) {
    let mut browser = app.browser();
    let page = browser.ask(&app.live().await).await;
    let page = browser.log_in(&page, username).await;
    (browser, page)
}

/// The ids of the patients on the page, as they are shown.
fn shown(page: &Landing) -> Vec<String> {
    let buttons = page.reply.body.split("name=\"patient\" value=\"").skip(1);
    buttons.map(|rest| rest.split('"').next().unwrap_or_default().to_owned()).collect()
}

/// The same, in the order of ids.
fn sorted(page: &Landing) -> Vec<String> {
    let mut ids = shown(page);
    ids.sort();
    ids
}

async fn search(browser: &mut Browser<'_>, page: &Landing, typed: &str) -> Landing {
    browser.go(&format!("/patient?{}", encode(&[("flow", &page.flow()), ("q", typed)]))).await
}
