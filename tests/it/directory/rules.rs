//! Who may open whom, against the stand-in.

use admit::demo::people::World;
use admit::directory::Access;
use admit::id::PatientId;
use admit::person::FhirUser;
use admit::store::Opener;
use admit::tenant::Panel;
use serde_json::{Value, json};
use time::Duration;

use super::{picker, search, shown, sorted};
use crate::support::visit::text;
use crate::support::{Authority, LIVE, Saying, TestApp, claims};

/// The patients of whom this is true, by id.
fn patients(world: &World, is_meant: impl Fn(&Value) -> bool) -> Vec<String> {
    let meant = world.resources("Patient").iter().filter(|patient| is_meant(patient));
    let mut ids: Vec<String> = meant.map(|patient| patient["id"].as_str().expect("an id").to_owned()).collect();
    ids.sort();
    ids
}

fn names_as_doctor(practitioner: &str) -> impl Fn(&Value) -> bool {
    move |patient| patient["generalPractitioner"].as_array().expect("doctors").iter().any(|doctor| doctor["reference"] == practitioner)
}

/// SL-11: a search finds whom the clinician treats, by name, birth date and MRN, and nobody else.
#[tokio::test]
async fn a_clinician_finds_those_who_name_them_as_their_doctor() {
    let app = TestApp::start().await;
    let world = app.stand_in(&[Panel::GeneralPractitioner]).await;
    app.is_now("dr.a", "Practitioner/prac-larkspur").await;
    let (mut browser, page) = picker(&app, "dr.a").await;
    let own = patients(&world, names_as_doctor("Practitioner/prac-larkspur"));
    assert!(own.len() > 20);
    assert_eq!(sorted(&page), own);

    let one = world.get("Patient", &own[3]).expect("a patient");
    let (family, given) = (text(&one["name"][0], "family"), one["name"][0]["given"][0].as_str().expect("a name"));
    let (born, mrn) = (text(one, "birthDate"), text(&one["identifier"][0], "value"));
    for typed in [
        family.to_uppercase(),
        format!("{family}, {given}"),
        format!("{given} {family}"),
        format!("{} {born}", &given[..2]),
        born.to_owned(),
        mrn.to_owned(),
    ] {
        let found = search(&mut browser, &page, &typed).await;
        assert!(shown(&found).contains(&own[3]), "{typed}: {}", found.reply.body);
        assert!(shown(&found).iter().all(|id| own.contains(id)), "{typed}");
    }
    // Others are there, and are not found by anything.
    let other = world.resources("Patient").iter().find(|patient| !own.contains(&patient["id"].as_str().expect("an id").to_owned()));
    let other = other.expect("another doctor's patient");
    for typed in [text(&other["identifier"][0], "value"), text(other, "birthDate"), "%", "*", "' or 1=1", "\\", "a,b", "|", "name:contains"]
    {
        let found = search(&mut browser, &page, typed).await;
        assert_eq!(found.reply.status.as_u16(), 200, "{typed}");
        assert!(shown(&found).iter().all(|id| own.contains(id)), "{typed}");
    }

    // Nor can they be posted.
    let stranger = text(other, "id").to_owned();
    for id in [stranger.as_str(), &format!("{},{stranger}", own[0]), &format!("{}|", own[0]), "../metadata", ""] {
        browser.submit(&page.at, &[("csrf", &page.csrf()), ("patient", id)]).await.reply.assert_page(403, None);
    }
    let page = browser.pick(&page, &own[3]).await;
    assert!(page.reply.body.contains(mrn), "the question names the patient: {}", page.reply.body);
    let landing = browser.approve(&page).await;
    let tokens = app.exchange(LIVE, &landing).await;
    assert_eq!(tokens["patient"], own[3].as_str());
}

/// A care team is a panel where the administrator says so; any of several is enough.
#[tokio::test]
async fn a_care_team_and_a_list_are_panels_too() {
    let app = TestApp::start().await;
    let world = app.stand_in(&[Panel::CareTeam, Panel::List]).await;
    app.is_now("dr.a", "Practitioner/prac-fernsby").await;
    let teams = world.resources("CareTeam").iter().filter(|team| {
        team["participant"].as_array().expect("members").iter().any(|member| member["member"]["reference"] == "Practitioner/prac-fernsby")
    });
    let mut on_teams: Vec<String> = teams.map(|team| text(&team["subject"], "reference")["Patient/".len()..].to_owned()).collect();
    on_teams.sort();
    on_teams.dedup();
    assert!(!on_teams.is_empty());
    let by_doctor = patients(&world, names_as_doctor("Practitioner/prac-fernsby"));
    assert!(by_doctor.iter().any(|id| !on_teams.contains(id)), "{by_doctor:?} {on_teams:?}");
    let listed = patients(&world, |_| true).into_iter().find(|id| !on_teams.contains(id)).expect("a patient of somebody else");

    let (mut browser, page) = picker(&app, "dr.a").await;
    assert_eq!(sorted(&page), on_teams);
    browser.submit(&page.at, &[("csrf", &page.csrf()), ("patient", &listed)]).await.reply.assert_page(403, None);

    let opener = Opener { who: "Practitioner/prac-fernsby".to_owned(), since: None };
    let id = PatientId::new(listed.as_str());
    assert!(app.store().open_patient_to(&app.origin(), LIVE, &id, &opener).await.expect("a list"));
    let found = search(&mut browser, &page, "").await;
    assert_eq!(shown(&found).len(), on_teams.len() + 1);
    let page = browser.pick(&found, &listed).await;
    let landing = browser.approve(&page).await;
    let tokens = app.exchange(LIVE, &landing).await;

    // Whoever is taken off the list is lost at the next refresh.
    let tokens = app.refresh(LIVE, &tokens["refresh_token"]).await.tokens();
    assert!(app.store().close_patient_to(&app.origin(), LIVE, &id, &opener.who.parse().expect("a person")).await.expect("a list"));
    app.refresh(LIVE, &tokens["refresh_token"]).await.assert_invalid_grant();
    let ended = app.audit("grant.revoked").await;
    assert_eq!(ended[0].detail.as_deref(), Some("the user may not open the patient"));
    assert!(!app.is_active(&tokens["access_token"]).await);
}

/// SL-13: a patient's own record, and a parent's child, without a choice; a parent ends when the child comes of age.
#[tokio::test]
async fn patients_open_themselves_and_parents_their_children() {
    let app = TestApp::start().await;
    let world = app.stand_in(&[Panel::GeneralPractitioner]).await;
    app.is_now("pat1", "Patient/p001").await;
    let (_, page) = picker(&app, "pat1").await;
    assert_eq!(page.path(), "/consent");
    assert!(page.reply.body.contains("Your own record"));

    let today = app.clock.now().date();
    let is_child = |carer: &&Value| {
        let child = world.get("Patient", &text(&carer["patient"], "reference")["Patient/".len()..]).expect("a patient");
        text(child, "birthDate") > (today - Duration::days(17 * 365)).to_string().as_str()
    };
    let parent = world.resources("RelatedPerson").iter().find(is_child).expect("a parent");
    let child = &text(&parent["patient"], "reference")["Patient/".len()..];
    app.is_now("proxy", &format!("RelatedPerson/{}", text(parent, "id"))).await;
    let (mut browser, page) = picker(&app, "proxy").await;
    assert_eq!(page.path(), "/consent", "{}", page.reply.body);
    let landing = browser.approve(&page).await;
    let tokens = app.exchange(LIVE, &landing).await;
    assert_eq!((&tokens["patient"], claims(&tokens["access_token"])["patient"].as_str()), (&child.into(), Some(child)));

    // Time goes on, and the refresh token is used often enough.
    let born = text(world.get("Patient", child).expect("a patient"), "birthDate");
    let came = admit::person::comes_of_age(born, 18).expect("a day");
    let mut tokens = tokens;
    while app.clock.now().date() + Duration::days(90) < came {
        app.advance(Duration::days(90));
        tokens = app.refresh(LIVE, &tokens["refresh_token"]).await.tokens();
    }
    app.advance(Duration::days((came - app.clock.now().date()).whole_days() - 1));
    tokens = app.refresh(LIVE, &tokens["refresh_token"]).await.tokens();
    app.advance(Duration::days(1));
    app.refresh(LIVE, &tokens["refresh_token"]).await.assert_invalid_grant();
    assert_eq!(app.audit("grant.revoked").await[0].detail.as_deref(), Some("the patient has come of age"));
    // Nor is there a new grant.
    let (_, page) = picker(&app, "proxy").await;
    assert_eq!(page.path(), "/patient");
    assert!(shown(&page).is_empty());
}

/// Encounters come from where the patient is.
#[tokio::test]
async fn visits_are_looked_up_latest_first() {
    let app = TestApp::start().await;
    let world = app.stand_in(&[Panel::GeneralPractitioner]).await;
    let patient = PatientId::new("p001");
    let found = app.app.directory.encounters(&app.origin(), LIVE, &patient).await.expect("visits");
    let mut own: Vec<&str> = world.of_patient("Encounter", "p001").map(|visit| text(visit, "id")).collect();
    let mut ids: Vec<&str> = found.iter().map(|visit| visit.id.as_str()).collect();
    assert!(found.windows(2).all(|pair| pair[0].started >= pair[1].started) && !found[0].started.is_empty());
    own.sort_unstable();
    ids.sort_unstable();
    assert_eq!(ids, own);
    let of = app.app.directory.patient_of_encounter(&app.origin(), LIVE, own[0]).await.expect("a visit");
    assert_eq!(of, Some(patient));
    assert_eq!(app.app.directory.patient_of_encounter(&app.origin(), LIVE, "nobody-s").await.expect("none"), None);
    assert!(found.iter().all(|visit| !visit.class.is_empty() && !visit.status.is_empty()));

    let visit = |id: &str, started: &str| admit::person::Encounter {
        id: id.to_owned(),
        status: "finished".to_owned(),
        class: "ambulatory".to_owned(),
        reason: "Cough".to_owned(),
        started: started.to_owned(),
        ended: String::new(),
    };
    let (p1, gone) = (PatientId::new("p1"), PatientId::new("nobody"));
    let visits = vec![(p1.clone(), visit("e1", "2026-01-01")), (p1.clone(), visit("e2", "2026-02-01")), (gone, visit("e3", ""))];
    assert_eq!(app.store().import_encounters(&app.origin(), "one", visits.clone()).await.expect("visits"), 1);
    assert_eq!(app.store().import_encounters(&app.origin(), "one", visits).await.expect("the same again"), 1);
    let found = app.app.directory.encounters(&app.origin(), "one", &p1).await.expect("visits");
    assert_eq!(found, [visit("e2", "2026-02-01"), visit("e1", "2026-01-01")]);
    assert!(app.app.directory.encounters(&app.origin(), "one", &PatientId::new("p2")).await.expect("none").is_empty());
}

/// What was given anew after a birthday counts, wherever the first time is written down.
#[tokio::test]
async fn a_list_renews_what_was_given_over_a_child() {
    let app = TestApp::start().await;
    let entries = [
        json!({ "resourceType": "Patient", "id": "x", "birthDate": "2000-03-09", "name": [{ "text": "Synthetic X" }] }),
        json!({ "resourceType": "RelatedPerson", "id": "r", "patient": { "reference": "Patient/x" }, "period": { "start": "2005" } }),
    ];
    let entries: Vec<Value> = entries.iter().map(|resource| json!({ "resource": resource })).collect();
    let fhir = Authority::start(Saying::Json(json!({ "resourceType": "Bundle", "type": "searchset", "entry": entries }))).await;
    app.live_at(&fhir.endpoint(), &[Panel::GeneralPractitioner]).await;
    let (id, who): (_, FhirUser) = (PatientId::new("x"), "RelatedPerson/r".parse().expect("a person"));
    let directory = &app.app.directory;
    for (since, is_open) in [(None, false), (Some(app.clock.now()), true)] {
        let opener = Opener { who: who.to_string(), since };
        app.store().open_patient_to(&app.origin(), LIVE, &id, &opener).await.expect("a list");
        let access = directory.access(&app.origin(), LIVE, &who, &id, false).await.expect("an answer");
        assert_eq!(matches!(access, Access::Open(_)), is_open, "{since:?}: {access:?}");
        assert_eq!(directory.search(&app.origin(), LIVE, &who, "", 9).await.expect("an answer").len(), usize::from(is_open));
    }
}
