//! Backend services: a token for the client itself, at the system's level and for a short time.

use admit::client::{Client, ClientAuth, GrantType};
use admit::scope::ScopeSet;
use time::Duration;

use crate::support::{FHIR1, FHIR2, Reply, SECRET, TestApp, claims, client};

/// Asks for a token as the seed's backend service.
async fn ask(app: &TestApp, more: &[(&str, &str)]) -> Reply {
    app.token("bsc", &[&[("grant_type", "client_credentials")], more].concat()).await
}

/// A backend service that may have more than most.
fn service(id: &str, scopes: &str, fhir_bases: &[&str]) -> Client {
    Client {
        grant_types: vec![GrantType::ClientCredentials],
        scopes: ScopeSet::parse(scopes).expect("scopes"),
        fhir_bases: fhir_bases.iter().map(|name| (*name).to_owned()).collect(),
        ..client(id, ClientAuth::ClientSecretBasic, &[])
    }
}

async fn ask_as(app: &TestApp, id: &str, more: &[(&str, &str)]) -> Reply {
    app.post("/token", Some((id, SECRET)), &[&[("grant_type", "client_credentials")], more].concat()).await
}

/// RT-18
#[tokio::test]
async fn a_service_gets_an_access_token_for_five_minutes_and_nothing_else() {
    let app = TestApp::start().await;
    let tokens = ask(&app, &[("scope", "system/Patient.rs")]).await.tokens();
    assert_eq!(tokens["expires_in"], 300);
    let mut members: Vec<&str> = tokens.as_object().expect("an object").keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["access_token", "expires_in", "scope", "token_type"]);

    let access = claims(&tokens["access_token"]);
    assert_eq!((&access["sub"], &access["client_id"]), (&"bsc".into(), &"bsc".into()));
    assert_eq!(access["aud"], format!("{FHIR1}/"));
    assert_eq!(access["exp"].as_i64().zip(access["iat"].as_i64()).map(|(exp, iat)| exp - iat), Some(300));
    for personal in ["patient", "fhirUser", "launch_response_patient", "encounter"] {
        assert!(access.get(personal).is_none(), "{personal}");
    }

    assert!(app.is_active(&tokens["access_token"]).await);
    app.advance(Duration::seconds(299));
    assert!(app.is_active(&tokens["access_token"]).await);
    app.advance(Duration::seconds(1));
    assert!(!app.is_active(&tokens["access_token"]).await);
}

/// RT-18: `offline_access` does not help, registered or not.
#[tokio::test]
async fn a_service_gets_no_refresh_token_even_if_it_may_refresh() {
    let app = TestApp::start().await;
    let both = service("both", "system/Patient.rs offline_access online_access openid", &["one"]);
    app.register(Client { grant_types: vec![GrantType::ClientCredentials, GrantType::RefreshToken], ..both }).await;
    let tokens = ask_as(&app, "both", &[("scope", "system/Patient.rs offline_access online_access openid")]).await.tokens();
    assert_eq!(tokens["scope"], "system/Patient.rs");
    assert!(tokens.get("refresh_token").is_none() && tokens.get("id_token").is_none());
}

/// SC-08
#[tokio::test]
async fn a_service_gets_the_systems_level_only_whatever_it_is_registered_with() {
    let app = TestApp::start().await;
    let everything =
        "system/Patient.rs patient/*.cruds user/*.cruds launch launch/patient openid fhirUser profile offline_access online_access";
    app.register(service("greedy", everything, &["one"])).await;
    assert_eq!(ask_as(&app, "greedy", &[("scope", everything)]).await.tokens()["scope"], "system/Patient.rs");
    for scope in ["patient/*.rs", "user/*.rs", "launch/patient", "launch", "openid", "openid fhirUser profile", "offline_access"] {
        ask_as(&app, "greedy", &[("scope", scope)]).await.assert_token_error(400, "invalid_scope");
    }
}

/// SC-14
#[tokio::test]
async fn a_service_gets_what_was_agreed_and_no_more() {
    let app = TestApp::start().await;
    for (asked, given) in [
        ("system/Patient.rs system/Observation.rs", "system/Patient.rs system/Observation.rs"),
        ("system/Patient.rs system/Condition.rs", "system/Patient.rs"),
        ("system/Patient.cruds", "system/Patient.rs"),
        ("system/Patient.read", "system/Patient.read"),
        ("system/Patient.*", "system/Patient.read"),
        ("system/*.rs", "system/Patient.rs system/Observation.rs"),
        ("system/*.read", "system/Patient.read system/Observation.read"),
        ("system/Patient.r", "system/Patient.r"),
        ("nonsense system/Observation.s", "system/Observation.s"),
    ] {
        let tokens = ask(&app, &[("scope", asked)]).await.tokens();
        assert_eq!(tokens["scope"], given, "{asked}");
        assert_eq!(claims(&tokens["access_token"])["scope"], given, "{asked}");
    }
    for asked in ["system/Condition.rs", "system/*.cud", "system/Patient.write", "system/Patient.sr", "system/Patient", "nonsense"] {
        ask(&app, &[("scope", asked)]).await.assert_token_error(400, "invalid_scope");
    }
    for missing in [&[][..], &[("scope", "")]] {
        ask(&app, missing).await.assert_token_error(400, "invalid_scope");
    }
}

/// RFC 8707: a token is for one FHIR base, which has to be clear.
#[tokio::test]
async fn a_token_is_for_the_base_that_is_named_or_for_the_only_one() {
    let app = TestApp::start().await;
    let scope = ("scope", "system/Patient.rs");
    app.register(service("wide", "system/Patient.rs", &[])).await;
    app.register(service("second", "system/Patient.rs", &["two"])).await;
    app.register(service("lost", "system/Patient.rs", &["three"])).await;

    let audience = |reply: Reply| claims(&reply.tokens()["access_token"])["aud"].as_str().expect("an audience").to_owned();
    assert_eq!(audience(ask(&app, &[scope]).await), format!("{FHIR1}/"));
    assert_eq!(audience(ask_as(&app, "second", &[scope]).await), format!("{FHIR2}/"));
    for (named, expected) in [(FHIR1, FHIR1), ("https://fhir.test/r4/", FHIR1), (FHIR2, FHIR2)] {
        assert_eq!(audience(ask_as(&app, "wide", &[scope, ("resource", named)]).await), format!("{expected}/"));
    }

    ask_as(&app, "wide", &[scope]).await.assert_token_error(400, "invalid_target");
    ask_as(&app, "lost", &[scope]).await.assert_token_error(400, "invalid_target");
    for elsewhere in [FHIR2, "https://evil.test/r4", "https://fhir.test", "https://fhir.test/r4/Patient", "https://fhir.test/r4//", "x"] {
        ask(&app, &[scope, ("resource", elsewhere)]).await.assert_token_error(400, "invalid_target");
    }
    ask(&app, &[scope, ("resource", FHIR1), ("resource", FHIR2)]).await.assert_token_error(400, "invalid_request");
}

/// CA-26
#[tokio::test]
async fn a_client_without_the_grant_gets_no_token_of_its_own() {
    let app = TestApp::start().await;
    let form = [("grant_type", "client_credentials"), ("scope", "system/Patient.rs")];
    for client in ["webq", "post", "evil", "rs", "spa"] {
        app.token(client, &form).await.assert_token_error(400, "unauthorized_client");
    }
    // Nor does one that keeps no secret, even if it was registered with the grant by mistake.
    app.register(Client { auth: ClientAuth::None, ..service("open", "system/Patient.rs", &["one"]) }).await;
    app.token("open", &form).await.assert_token_error(400, "unauthorized_client");
}

/// A service's token speaks for nobody.
#[tokio::test]
async fn a_services_token_is_no_persons() {
    let app = TestApp::start().await;
    let tokens = ask(&app, &[("scope", "system/Patient.rs")]).await.tokens();
    let reply = app.userinfo(tokens["access_token"].as_str().expect("a token")).await;
    reply.assert_token_error(403, "insufficient_scope");
}
