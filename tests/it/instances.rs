//! Several instances on one database: no request minds which of them answers, and what one changes
//! the others know within a second.

use admit::id::{ClientId, UserId};
use admit::jobs;
use admit::keys::Schedule;
use admit::store::{Location, Selection};
use serde_json::{Value, json};
use time::Duration;

use crate::support::visit::{SPA, refresh, silently, text, tokens_in};
use crate::support::{FHIR1, Log, SCOPE, SECRET, TestApp};

/// An instance, and another one that has just looked at everything that it keeps for a while.
async fn two() -> (TestApp, TestApp) {
    let app = TestApp::start().await;
    let other = app.another().await;
    let token = issue(&other).await;
    assert_eq!(other.introspect(&token).await["active"], true);
    assert_eq!(other.get("/.well-known/smart-configuration").await.status.as_u16(), 200);
    assert_eq!(other.get("/.well-known/jwks.json").await.status.as_u16(), 200);
    (app, other)
}

/// A backend service's token.
async fn issue(app: &TestApp) -> String {
    let reply = app.token("bsc", &[("grant_type", "client_credentials"), ("scope", "system/Patient.rs")]).await;
    text(&reply.tokens(), "access_token").to_owned()
}

/// Whoever distributes the requests need not know who spoke to whom before: a browser and an app
/// never meet the same instance twice in a row.
#[tokio::test]
async fn a_whole_flow_goes_well_where_every_request_meets_the_other_instance() {
    let (app, other) = two().await;
    let both = app.in_turn_with(&other);
    for shift in 0..2 {
        for _ in 0..shift {
            both.get("/livez").await; // whoever had the first request has the second now
        }
        let mut browser = both.browser();
        let tokens = tokens_in(&both, &mut browser, SCOPE, "dr.a", Some("p1")).await;
        assert_eq!(both.introspect(text(&tokens, "access_token")).await["patient"], "p1");
        let fresh = refresh(&both, text(&tokens, "refresh_token")).await.tokens();
        // The answer was lost: whoever is asked again gives the same successor.
        let again = refresh(&both, text(&tokens, "refresh_token")).await.tokens();
        assert_eq!(fresh["refresh_token"], again["refresh_token"]);
        // The session is known to both: the next app of the same person asks for no password.
        let landing = browser.launch("webq", "https://web.test/cb?tenant=1", SCOPE, "nobody", Some("p2")).await;
        assert!(landing.reply.header("location").starts_with("https://web.test/cb?tenant=1&code="), "{}", landing.at);
        let revoked = both.as_client("/revoke", "spa", &[("token", text(&fresh, "refresh_token"))]).await;
        assert_eq!(revoked.status.as_u16(), 200);
        refresh(&both, text(&fresh, "refresh_token")).await.assert_token_error(400, "invalid_grant");
        assert_eq!(both.introspect(text(&fresh, "access_token")).await, json!({ "active": false }));
    }
}

/// SS-40: what is taken away at one instance is taken away at the other; not within a second, but at once.
#[tokio::test]
async fn what_is_revoked_at_one_instance_is_worth_nothing_at_the_other() {
    let (app, other) = two().await;
    let is_over = async |tokens: &Value, what: &str| {
        assert_eq!(other.introspect(text(tokens, "access_token")).await, json!({ "active": false }), "{what}");
        refresh(&other, text(tokens, "refresh_token")).await.assert_token_error(400, "invalid_grant");
    };
    let tokens = async || {
        let tokens = tokens_in(&app, &mut app.browser(), SCOPE, "dr.a", Some("p1")).await;
        assert_eq!(other.introspect(text(&tokens, "access_token")).await["active"], true);
        tokens
    };

    let single = tokens().await;
    let done = app.as_client("/revoke", "spa", &[("token", text(&single, "access_token"))]).await;
    assert_eq!(done.status.as_u16(), 200);
    assert_eq!(other.introspect(text(&single, "access_token")).await, json!({ "active": false }), "one access token");

    let family = tokens().await;
    app.as_client("/revoke", "spa", &[("token", text(&family, "refresh_token"))]).await;
    is_over(&family, "the family of a refresh token").await;

    let reused = tokens().await;
    refresh(&app, text(&reused, "refresh_token")).await.tokens();
    app.advance(Duration::seconds(10));
    refresh(&app, text(&reused, "refresh_token")).await.assert_token_error(400, "invalid_grant");
    is_over(&reused, "a refresh token that was used twice").await;

    let withdrawn = tokens().await;
    let which = Selection { user: Some(UserId::new("u-dr.a")), client: Some(ClientId::new("spa")), ..Selection::default() };
    app.store().revoke_standing(&app.origin(), which, "a test").await.expect("withdrawn");
    is_over(&withdrawn, "a consent that was withdrawn").await;

    let of_base = tokens().await;
    app.store().remove_fhir_base(&app.origin(), "one", true).await.expect("removed");
    is_over(&of_base, "what was for a FHIR base that is gone").await;
}

/// SS-40: a session that ends at one instance is over at the other.
#[tokio::test]
async fn a_session_that_ends_at_one_instance_is_over_at_the_other() {
    let (app, other) = two().await;
    let mut here = app.browser();
    tokens_in(&app, &mut here, SCOPE, "dr.a", Some("p1")).await;
    let mut there = other.browser();
    there.set_cookie("__Host-sid", &here.cookie("__Host-sid").expect("a session"));
    let error = silently(&mut there).await.reply.param("error");
    assert_eq!(error.as_deref(), Some("consent_required"), "signed in");
    let page = here.go("/logout").await;
    here.submit("/logout", &[("csrf", &page.csrf())]).await;
    let error = silently(&mut there).await.reply.param("error");
    assert_eq!(error.as_deref(), Some("login_required"), "signed out");
}

/// A client's record is read for every request.
#[tokio::test]
async fn what_becomes_of_a_client_is_known_everywhere_at_once() {
    let (app, other) = two().await;
    let token = issue(&other).await;
    let new = admit::secret::ClientSecret::generate();
    let rotated = app.store().rotate_client_secret(&app.origin(), &ClientId::new("bsc"), new.digest(), app.clock.now()).await;
    assert!(rotated.expect("the store"));
    let form = [("grant_type", "client_credentials"), ("scope", "system/Patient.rs")];
    other.post("/token", Some(("bsc", SECRET)), &form).await.assert_token_error(401, "invalid_client");
    assert_eq!(other.post("/token", Some(("bsc", new.expose())), &form).await.status.as_u16(), 200);

    app.store().disable_client(&app.origin(), &ClientId::new("bsc")).await.expect("switched off");
    other.post("/token", Some(("bsc", new.expose())), &form).await.assert_token_error(401, "invalid_client");
    assert_eq!(other.introspect(&token).await, json!({ "active": false }));
}

/// FHIR bases are what an instance keeps in its memory, for a second. So are keys (see `keys`).
#[tokio::test]
async fn fhir_bases_are_known_everywhere_within_a_second() {
    let (app, other) = two().await;
    app.store().remove_fhir_base(&app.origin(), "one", true).await.expect("removed");
    app.advance(Duration::seconds(1));
    let document = other.get("/fhir-bases/one/.well-known/smart-configuration").await;
    assert_eq!(document.status.as_u16(), 404);
    let challenge = crate::support::challenge(crate::support::VERIFIER);
    let landing = other.browser().authorize(&crate::support::request("spa", SPA, SCOPE, &challenge)).await;
    assert_eq!(landing.reply.param("error").as_deref(), Some("invalid_request"), "no token is for {FHIR1} any more");
}

/// KF-06: an instance whose clock is not the database's says so. SQLite goes by the machine's own.
#[tokio::test]
async fn an_instance_whose_clock_is_not_the_database_s_says_so() {
    let log = Log::listen();
    let app = TestApp::start().await;
    let is_postgres = matches!(app.location(), Location::Postgres(_));
    // Far from any clock that the database may have.
    app.advance(Duration::weeks(5200));
    let jobs = jobs::start(&app.app, Schedule::default());
    let database_time = app.store().database_time().await.expect("the store");
    assert_eq!(database_time.is_some(), is_postgres);
    let said = async {
        while database_time.is_some() && log.lines_with("this machine's clock is not the database's").is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), said).await.expect("a warning");
    drop(jobs);
}
