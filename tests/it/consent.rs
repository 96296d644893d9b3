//! The consent page: what it says of an app, and what a person's ticks come to.

use admit::client::{Client, ClientAuth};
use admit::grant::{CodeBinding, Grant, grant_of};
use admit::id::{FlowId, GrantId, PatientId};
use admit::secret::{AuthorizationCode, BrowserSecret};
use admit::store::{Fact, Finished, Logo, NewGrant};

use crate::support::ask::Ask;
use crate::support::{Browser, Landing, TestApp, claims, client};

const CB: &str = "https://app.test/cb";

/// The page that this person sees of `client`, with p2 chosen where somebody has to be.
async fn page_of(browser: &mut Browser<'_>, client: &str, scope: &str, username: &str) -> Landing {
    let page = browser.ask(&Ask::of(client).with("redirect_uri", CB).with("scope", scope)).await;
    let page = if page.path() == "/login" { browser.log_in(&page, username).await } else { page };
    let page = if page.path() == "/patient" { browser.pick(&page, "p2").await } else { page };
    assert_eq!(page.path(), "/consent", "{}", page.reply.body);
    page
}

/// (g)(10) 2.2: of everything that is asked for, one by one, exactly what is chosen is granted.
#[tokio::test]
async fn each_type_can_be_denied_by_itself() {
    let app = TestApp::start().await;
    let types = ["Patient", "AllergyIntolerance", "CarePlan", "CareTeam", "Condition", "Device", "Goal", "Observation", "Procedure"];
    let asked: Vec<String> = types.iter().map(|name| format!("patient/{name}.rs")).collect();
    let scope = format!("launch/patient openid fhirUser offline_access {}", asked.join(" "));
    let mut browser = app.browser();
    let page = page_of(&mut browser, "spa", &scope, "dr.a").await;
    for (one, is_ticked) in asked.iter().map(|one| (one, page.scopes().contains(one))) {
        assert!(is_ticked, "{one} is asked for");
    }
    let chosen = ["patient/Patient.rs", "patient/Condition.rs", "patient/Observation.rs", "offline_access"];
    let landing = browser.approve_only(&page, &chosen).await;
    let tokens = app.redeem("spa", &landing.code()).await.tokens();
    let given = "launch/patient openid fhirUser offline_access patient/Patient.rs patient/Condition.rs patient/Observation.rs";
    assert_eq!((&tokens["scope"], &claims(&tokens["access_token"])["scope"]), (&given.into(), &given.into()));
}

/// The same of an app that asks for everything at once: who narrows that gets single types.
#[tokio::test]
async fn everything_can_be_narrowed_to_single_types() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = page_of(&mut browser, "spa", "openid launch/patient patient/*.read", "dr.a").await;
    assert_eq!(page.scopes(), ["patient/*.read"], "the whole is asked for, none of its parts");
    assert!(page.boxes().iter().any(|(value, _)| value == "patient/Immunization.read"));
    assert!(page.reply.body.contains("All that is in the record now, and all that is added later."));
    let landing = browser.approve_only(&page, &["patient/Goal.read", "patient/Patient.read"]).await;
    let tokens = app.redeem("spa", &landing.code()).await.tokens();
    assert_eq!(tokens["scope"], "openid launch/patient patient/Patient.read patient/Goal.read");

    // What is granted whole keeps its spelling.
    let page = page_of(&mut browser, "spa", "openid launch/patient patient/*.read", "dr.a").await;
    let landing = browser.approve(&page).await;
    assert_eq!(app.redeem("spa", &landing.code()).await.tokens()["scope"], "openid launch/patient patient/*.read");
}

/// A form that says both "everything" and "only this" is no decision, and is asked again.
#[tokio::test]
async fn the_whole_and_a_part_of_it_are_no_decision() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = page_of(&mut browser, "spa", "openid patient/*.rs", "dr.a").await;
    let again = browser.approve_only(&page, &["patient/*.rs", "patient/Goal.rs"]).await;
    assert_eq!((again.reply.status.as_u16(), again.path()), (400, "/consent"));
    assert!(again.reply.body.contains("role=\"alert\"") && again.reply.body.contains("parts of it as well"));
    assert_eq!(again.scopes(), ["patient/*.rs"], "sent again as it stands, it is a decision");
    assert!(app.audit("consent.granted").await.is_empty());
    browser.approve(&again).await.code();
}

/// Who allows more single things than a token can hold is told so, and nothing breaks.
#[tokio::test]
async fn more_than_a_token_can_hold_is_not_granted() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = page_of(&mut browser, "spa", "openid patient/*.rs user/*.rs patient/*.cud user/*.cud", "dr.a").await;
    let parts: Vec<String> = page.boxes().into_iter().map(|(value, _)| value).filter(|value| !value.contains(['*', '?'])).collect();
    assert!(parts.iter().flat_map(|part| part.split(' ')).count() > 100, "{}", parts.len());
    let again = browser.approve_only(&page, &parts.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!((again.reply.status.as_u16(), again.path()), (400, "/consent"));
    assert!(again.reply.body.contains("Tick fewer boxes"));
}

/// A form may have a box for each of the scopes that a request may have.
#[tokio::test]
async fn the_longest_request_can_be_allowed() {
    let app = TestApp::start().await;
    let letters = ["c", "u", "d", "cu", "cd", "ud", "cud"];
    let types =
        ["Goal", "Flag", "List", "Task", "Slot", "Basic", "Media", "Group", "Account", "Patient", "Claim", "Device", "Person", "Bundle"];
    let scopes: Vec<String> = types.iter().flat_map(|name| letters.map(|letter| format!("user/{name}.{letter}"))).take(98).collect();
    // A scope that another one contains is no box of its own: one by one, without the last word.
    let scopes: Vec<String> = scopes.into_iter().filter(|scope| !scope.ends_with(".cud")).collect();
    let mut browser = app.browser();
    let page = page_of(&mut browser, "spa", &format!("openid {}", scopes.join(" ")), "dr.a").await;
    let landing = browser.approve(&page).await;
    let granted = app.redeem("spa", &landing.code()).await.tokens()["scope"].as_str().map(|scope| scope.split(' ').count());
    assert_eq!(granted, Some(scopes.len() + 1));
}

/// AUT-PAT-10, NEG-5: an access that goes on when the person is away is announced, with its length, and can be denied.
#[tokio::test]
async fn offline_access_can_be_denied() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = page_of(&mut browser, "spa", "openid offline_access patient/Patient.rs", "dr.a").await;
    assert!(page.reply.body.contains("while you are away") && page.reply.body.contains("93 days after the app last used it"));
    assert!(page.scopes().contains(&"offline_access".to_owned()));
    let landing = browser.approve_only(&page, &["patient/Patient.rs"]).await;
    let tokens = app.redeem("spa", &landing.code()).await.tokens();
    assert_eq!(tokens["scope"], "openid patient/Patient.rs");
    assert!(tokens.get("refresh_token").is_none());

    let page = page_of(&mut browser, "spa", "openid online_access patient/Patient.rs", "dr.a").await;
    assert!(page.reply.body.contains("until you sign out"));
    let page = page_of(&mut browser, "spa", "openid patient/Patient.rs", "dr.a").await;
    assert!(page.reply.body.contains("ends ten minutes after you allow it"));
}

/// What is announced is what is registered: an app that has an absolute end says so.
#[tokio::test]
async fn the_length_of_offline_access_is_the_app_s_own() {
    let app = TestApp::start().await;
    for (id, days, sentence) in
        [("brief", 10, "It ends in 10 days, "), ("long", 365, "93 days after the app last used it, and in 365 days at the latest")]
    {
        let life = Some(time::Duration::days(days));
        app.register(Client { refresh_max_life: life, ..client(id, ClientAuth::None, &[CB]) }).await;
        let page = page_of(&mut app.browser(), id, "openid offline_access patient/Patient.rs", "dr.a").await;
        assert!(page.reply.body.contains(sentence), "{}", page.reply.body);
    }
}

/// WB-07, WB-08, WB-09: what a developer says of an app is text, and leads nowhere but to web pages.
#[tokio::test]
async fn what_a_developer_says_is_only_ever_text() {
    let app = TestApp::start().await;
    let nasty = "<svg onload=alert(1)>\"'{{7*7}}</h1>";
    let app_of = |id: &str| Client { name: nasty.to_owned(), developer: Some(nasty.to_owned()), ..client(id, ClientAuth::None, &[CB]) };
    app.register(Client {
        website: Some("javascript:alert(1)".to_owned()),
        policy_uri: Some("https://a.test/\"onclick=\"x".to_owned()),
        tos_uri: Some("data:text/html,x".to_owned()),
        ..app_of("nasty")
    })
    .await;
    let mut browser = app.browser();
    let page = page_of(&mut browser, "nasty", "openid patient/Patient.rs", "dr.a").await;
    let body = &page.reply.body;
    assert!(!body.contains("<svg onload") && body.contains("{{7*7}}"), "{body}");
    assert!(!body.contains("javascript:") && !body.contains("data:text") && !body.contains("\"onclick=\""), "{body}");
}

/// 5.2: who made an app, what they promise, and where that can be read.
#[tokio::test]
async fn the_page_says_what_is_known_of_an_app() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    for (id, attested, sentence) in [
        ("yes", Some(true), "has promised to keep the rules of a code of conduct"),
        ("no", Some(false), "has not promised to keep the rules"),
        ("silent", None, "has not said if it keeps the rules"),
    ] {
        app.register(Client {
            attested,
            website: Some("https://maker.test/".to_owned()),
            policy_uri: Some("https://maker.test/privacy".to_owned()),
            tos_uri: Some("https://maker.test/terms".to_owned()),
            is_verified: true,
            ..client(id, ClientAuth::None, &[CB])
        })
        .await;
        let page = page_of(&mut browser, id, "openid patient/Patient.rs", "dr.a").await;
        assert!(page.reply.body.contains(sentence), "{id}: {}", page.reply.body);
        for link in ["https://maker.test/", "https://maker.test/privacy", "https://maker.test/terms"] {
            assert!(page.reply.body.contains(&format!("<a href=\"{link}\" rel=\"noreferrer\">")), "{link}");
        }
        assert!(page.reply.body.contains(">Verified by ") && !page.reply.body.contains("Not verified by"));
        assert!(!page.reply.body.contains("target="));
    }
}

/// WB-07: the picture comes from us, from an address that changes with it, and is only ever a picture.
#[tokio::test]
async fn a_logo_is_served_by_us_and_never_changes() {
    let app = TestApp::start().await;
    let spa = app.store().client(&app.origin().tenant, &admit::id::ClientId::new("spa")).await.expect("the store").expect("a client");
    let set = async |data: &[u8]| {
        let logo = Logo { kind: "image/png".to_owned(), data: data.to_vec() };
        format!("/client-logo/{}", app.store().set_logo(&app.origin(), &spa, logo).await.expect("the store").as_str())
    };
    let first = set(b"one").await;
    let mut browser = app.browser();
    let page = page_of(&mut browser, "spa", "openid", "dr.a").await;
    assert!(page.reply.body.contains(&format!("src=\"{first}\" alt=\"\"")));
    let picture = app.get(&first).await;
    assert_eq!((picture.status.as_u16(), picture.body.as_str()), (200, "one"));
    assert_eq!((picture.header("content-type"), picture.header("x-content-type-options")), ("image/png", "nosniff"));
    assert!(picture.header("cache-control").contains("immutable"));
    assert_eq!(picture.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
    let second = set(b"two").await;
    assert_eq!((app.get(&first).await.status.as_u16(), app.get(&second).await.body.as_str()), (404, "two"));
    for nothing in ["/client-logo/", "/client-logo/x", "/client-logo/..%2f", "/client-logo/%00", "/client-logo/a/b"] {
        assert_eq!(app.get(nothing).await.status.as_u16(), 404, "{nothing}");
    }
}

/// A pre-approval is a clinician's, whatever stands in the table.
#[tokio::test]
async fn nobody_but_a_clinician_is_ever_pre_approved() {
    let app = TestApp::start().await;
    app.sql("update client set asks_patients = 'pre-approved', asks_clinicians = 'pre-approved' where client_id = 'spa'").await;
    for person in ["pat1", "proxy", "clerk"] {
        let mut browser = app.browser();
        page_of(&mut browser, "spa", "openid", person).await;
    }
    let mut browser = app.browser();
    let page = browser.ask(&Ask::of("spa").with("scope", "openid")).await;
    browser.log_in(&page, "dr.a").await.code();
}

/// NEG-7: in the language that the person reads, and in the words that they use.
#[tokio::test]
async fn the_page_speaks_the_person_s_language() {
    let app = TestApp::start().await;
    let scope = "openid offline_access patient/Condition.rs patient/Encounter.rs";
    for (accepted, ui_locales, lang, words) in [
        ("es-MX,es;q=0.9,en;q=0.8", None, "es", ["pide acceso", "Qué puede hacer", "Rechazar"]),
        ("en", Some("fr es"), "es", ["pide acceso", "93 días", "Sobre la aplicación"]),
        ("es", Some("en-GB"), "en", ["asks for access", "93 days", "About the app"]),
        ("fr", None, "en", ["asks for access", "What it may do", "Deny"]),
    ] {
        let mut browser = app.browser();
        browser.headers.push(("accept-language".to_owned(), accepted.to_owned()));
        let ask = Ask::of("spa").with("redirect_uri", CB).with("scope", scope);
        let page = browser.ask(&ui_locales.into_iter().fold(ask, |ask, tags| ask.with("ui_locales", tags))).await;
        let page = browser.log_in(&page, "pat1").await;
        assert!(page.reply.body.contains(&format!("<html lang=\"{lang}\"")), "{accepted} {ui_locales:?}: {}", page.reply.body);
        for word in words {
            assert!(page.reply.body.contains(word), "{word} in {}", page.reply.body);
        }
        // Whatever the page says, its boxes are called the same.
        assert_eq!(page.scopes(), ["offline_access", "patient/Condition.rs", "patient/Encounter.rs"]);
        browser.approve(&page).await.code();
    }
    let patient = page_of(&mut app.browser(), "spa", scope, "pat1").await.reply.body;
    let clinician = page_of(&mut app.browser(), "spa", scope, "dr.a").await.reply.body;
    assert!(patient.contains("See visits and hospital stays") && !patient.contains("See encounters"));
    assert!(clinician.contains("See encounters") && !clinician.contains("See visits"));
    assert!(patient.contains("In your own record") && clinician.contains("In this patient&#39;s record"));
}

/// What was allowed for one patient is not allowed for another whom a second tab chooses.
#[tokio::test]
async fn another_patient_is_another_question() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = browser.ask(&Ask::of("spa").with("scope", "openid launch/patient patient/*.rs")).await;
    let page = browser.log_in(&page, "dr.a").await;
    let page = browser.pick(&page, "p1").await;
    let id = FlowId::new(page.flow());
    let secret = BrowserSecret::presented(&browser.cookie(&format!("__Host-tx-{id}")).expect("the flow's cookie"));
    let origin = app.origin();
    let flow = async || app.store().flow(&origin.tenant, &id, &secret.digest(), origin.now).await.expect("flows").expect("this one");
    let begun = flow().await;
    let person = (begun.user_id.as_ref().expect("a person"), begun.session_id.as_ref().expect("a session"));
    let learn = async |fact| assert!(app.store().learn(&origin, &begun, person, fact).await.expect("a flow"));
    learn(Fact::Approved(begun.ask.scopes.clone(), None)).await;
    learn(Fact::Person).await;
    assert!(flow().await.approved.is_some());
    // A tab that was shown the list before comes too late, and the same choice again is a new question.
    let other = Fact::Patient(PatientId::new("p2"));
    assert!(!app.store().learn(&origin, &begun, person, other).await.expect("a flow"));
    assert_eq!(flow().await.patient_id, Some(PatientId::new("p1")));
    learn(Fact::Patient(PatientId::new("p1"))).await;
    assert_eq!(flow().await.approved, None);
}

/// RT-21: what a person takes back while the answer is being made gives no code, and is asked about again.
#[tokio::test]
async fn an_answer_is_not_made_of_what_was_taken_back_meanwhile() {
    let app = TestApp::start().await;
    let scope = "openid launch/patient patient/*.rs";
    let mut browser = app.browser();
    let code = browser.launch("spa", CB, scope, "dr.a", Some("p1")).await.code();
    let tokens = app.redeem("spa", &code).await.tokens();
    let jti = claims(&tokens["access_token"])["jti"].clone();
    let origin = app.origin();
    let first = grant_of(jti.as_str().expect("a name")).expect("a grant");
    let grant = app.store().grant(&origin.tenant, &first).await.expect("the store").expect("a grant");

    let page = page_of(&mut browser, "spa", scope, "dr.a").await;
    let id = FlowId::new(page.flow());
    let secret = BrowserSecret::presented(&browser.cookie(&format!("__Host-tx-{id}")).expect("the flow's cookie"));
    let mut flow = app.store().flow(&origin.tenant, &id, &secret.digest(), origin.now).await.expect("flows").expect("this one");
    // The page was answered, and then the app was removed: the answer is known here, and no longer in the books.
    flow.approved = Some(flow.ask.scopes.clone());
    let new = NewGrant {
        grant: Grant { id: GrantId::new("a-second"), ..grant },
        binding: CodeBinding { redirect_uri: CB.to_owned(), challenge: flow.ask.challenge.clone() },
        code: AuthorizationCode::generate().digest(),
    };
    assert_eq!(app.store().finish_flow(&origin, &flow, new).await.expect("the store"), Finished::TakenBack);
    assert_eq!(app.count("select count(*) from access_grant").await, 1);
    assert_eq!(browser.go(&page.at).await.path(), "/consent");
}
