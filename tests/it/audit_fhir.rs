//! AU-02: exported `AuditEvent`s against what the IHE profiles (BALP 1.1.4) and FHIR R4 demand.
//!
//! The checks are written from the profiles' own element definitions: cardinalities, fixed codes,
//! slices, and what must not be there.

use admit::audit::Entry;
use admit::id::UserId;
use base64::Engine as _;
use serde_json::Value;

use crate::audit_command::ask;
use crate::support::visit::{SCOPE, SPA, redeem, refresh, text};
use crate::support::{ISSUER, TestApp};

const IUA_71: &str = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.IUA.71";
const MINIMAL: &str = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.OAUTHaccessTokenUse.Minimal";
const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const AGENTS: &str = "https://profiles.ihe.net/ITI/BALP/CodeSystem/UserAgentTypes";
const IRCP: (&str, &str) = ("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP");

/// The exported events, each checked against the resource and the profiles that it names.
async fn export(app: &TestApp) -> Vec<Value> {
    let config = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(config.path(), format!("issuer = \"{ISSUER}\"\n")).expect("written");
    let path = config.path().to_str().expect("a path");
    let lines = ask(app, &["--config", path, "audit", "export", "--format", "fhir"]).await;
    let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    for event in &events {
        check_resource(event);
        let profiles = event["meta"]["profile"].as_array().cloned().unwrap_or_default();
        for profile in profiles {
            match profile.as_str() {
                Some(IUA_71) => check_iua_71(event),
                Some(MINIMAL) => check_minimal(event),
                other => panic!("an unknown profile: {other:?}"),
            }
        }
    }
    events
}

fn list<'v>(event: &'v Value, name: &str) -> &'v [Value] {
    event[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Whether a coding is the one that a pattern demands.
fn is(coding: &Value, (system, code): (&str, &str)) -> bool {
    coding["system"] == system && coding["code"] == code
}

/// The agents of a slice, by the pattern of their type.
fn agents<'v>(event: &'v Value, pattern: (&str, &str)) -> Vec<&'v Value> {
    let has = |agent: &&Value| agent["type"]["coding"].as_array().is_some_and(|types| types.iter().any(|own| is(own, pattern)));
    list(event, "agent").iter().filter(has).collect()
}

/// FHIR R4 `AuditEvent`: what is required of every one, and the invariant sev-1.
fn check_resource(event: &Value) {
    const ELEMENTS: [&str; 13] = [
        "resourceType",
        "id",
        "meta",
        "type",
        "subtype",
        "action",
        "period",
        "recorded",
        "outcome",
        "outcomeDesc",
        "agent",
        "source",
        "entity",
    ];
    assert_eq!(event["resourceType"], "AuditEvent");
    for name in event.as_object().expect("an object").keys() {
        assert!(ELEMENTS.contains(&name.as_str()), "{name}");
    }
    let id = event["id"].as_str().expect("an id");
    assert!((1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.'));
    assert!(event["type"]["system"].is_string() && event["type"]["code"].is_string());
    assert!(["C", "R", "U", "D", "E"].contains(&event["action"].as_str().expect("an action")));
    assert!(["0", "4", "8", "12"].contains(&event["outcome"].as_str().expect("an outcome")));
    let recorded = event["recorded"].as_str().expect("an instant");
    assert!(recorded.len() == 27 && recorded.ends_with('Z') && recorded.as_bytes()[19] == b'.', "{recorded}");
    assert!(!list(event, "agent").is_empty());
    let requestors = list(event, "agent").iter().filter(|agent| agent["requestor"].as_bool().expect("requestor is required"));
    assert_eq!(requestors.count(), 1, "{event}");
    for agent in list(event, "agent") {
        assert!(agent["who"]["identifier"]["value"].as_str().is_some_and(|value| !value.is_empty()));
        if let Some(kind) = agent["network"].get("type") {
            assert!(["1", "2", "3", "4", "5"].contains(&kind.as_str().expect("a code")));
            assert!(agent["network"]["address"].is_string());
        }
    }
    assert!(event["source"]["observer"]["identifier"]["value"] == ISSUER);
    for entity in list(event, "entity") {
        assert!(entity.get("name").is_none() || entity.get("query").is_none(), "sev-1");
    }
}

/// `IHE.IUA.71`: a token was issued.
fn check_iua_71(event: &Value) {
    assert!(is(&event["type"], (DCM, "110114")), "{event}");
    assert_eq!(list(event, "subtype").len(), 1);
    assert!(is(&event["subtype"][0], ("urn:ihe:event-type-code", "ITI-71")));
    assert_eq!((event["action"].as_str(), event["outcome"].as_str()), (Some("E"), Some("0")));

    let (clients, servers, users) = (agents(event, (DCM, "110150")), agents(event, (AGENTS, "AuthzOauthService")), agents(event, IRCP));
    let all = list(event, "agent").len();
    assert!((2..=3).contains(&all));
    assert_eq!((clients.len(), servers.len()), (1, 1));
    assert!(users.len() <= 1);
    assert_eq!(clients.len() + servers.len() + users.len(), all, "the slicing is closed");
    for machine in [clients[0], servers[0]] {
        assert!(machine["who"].is_object() && machine["network"].is_object() && machine.get("media").is_none());
    }
    for user in users {
        assert!(user["who"].is_object() && user["requestor"] == true && user["name"].is_string());
        assert!(["altId", "media", "network"].iter().all(|name| user.get(name).is_none()));
    }

    let entities = list(event, "entity");
    assert_eq!(entities.len(), 1);
    assert!(is(&entities[0]["type"], ("http://terminology.hl7.org/CodeSystem/audit-entity-type", "2")));
    assert!(is(&entities[0]["role"], ("http://terminology.hl7.org/CodeSystem/object-role", "24")));
    assert!(entities[0].get("what").is_none());
    let request = raw_request(event);
    assert!(request.starts_with("POST /token HTTP/1.1\r\n") && request.contains("\r\n\r\ngrant_type="), "{request}");
    for secret in ["code_verifier", "client_secret", "client_assertion", "refresh_token=", "code=", "sr_", "sc_"] {
        assert!(!request.contains(secret), "{request}");
    }
}

/// `OAUTHaccessTokenUse.Minimal`: something was done by or with a token.
fn check_minimal(event: &Value) {
    let users = agents(event, (AGENTS, "UserOauthAgent"));
    assert!(!users.is_empty(), "{event}");
    for user in users {
        assert_eq!(user["requestor"], true);
        assert_eq!(user["policy"].as_array().map(Vec::len), Some(1));
        let policy = user["policy"][0].as_str().expect("a URI");
        let jti = policy.strip_prefix("urn:ietf:params:oauth:jti:").expect("the prefix of RFC 3553");
        assert!(!jti.is_empty());
        assert!(["media", "network"].iter().all(|name| user.get(name).is_none()));
    }
}

fn raw_request(event: &Value) -> String {
    let query = event["entity"][0]["query"].as_str().expect("a query");
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(query).expect("base64")).expect("UTF-8")
}

fn of<'v>(events: &'v [Value], system: &str, code: &str) -> Vec<&'v Value> {
    events.iter().filter(|event| is(&event["subtype"][0], (system, code))).collect()
}

#[tokio::test]
async fn tokens_that_were_issued_follow_the_profiles() {
    let app = TestApp::start().await;
    let code = app.browser().launch("spa", SPA, SCOPE, "dr.a", Some("p1")).await.code();
    let first = redeem(&app, &code).await.json();
    refresh(&app, text(&first, "refresh_token")).await;
    app.token("bsc", &[("grant_type", "client_credentials"), ("scope", "system/Patient.rs")]).await;
    let events = export(&app).await;
    let issued = of(&events, "urn:ihe:event-type-code", "ITI-71");
    let told: Vec<(String, &str, &str)> = issued
        .iter()
        .map(|event| {
            assert_eq!(event["meta"]["profile"], serde_json::json!([IUA_71, MINIMAL]));
            let user = agents(event, IRCP)[0]["who"]["identifier"]["value"].as_str().expect("who");
            let client = agents(event, (DCM, "110150"))[0]["who"]["identifier"]["value"].as_str().expect("which app");
            (raw_request(event).split("\r\n\r\n").nth(1).expect("a form").to_owned(), user, client)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("grant_type=authorization_code&client_id=spa".to_owned(), "u-dr.a", "spa"),
            ("grant_type=refresh_token&client_id=spa".to_owned(), "u-dr.a", "spa"),
            ("grant_type=client_credentials&client_id=bsc&scope=system%2FPatient%2Ers".to_owned(), "bsc", "bsc"),
        ]
    );
    let jti = app.audit("code.redeemed").await[0].jti.clone().expect("a jti");
    assert_eq!(agents(issued[0], IRCP)[0]["policy"][0], format!("urn:ietf:params:oauth:jti:{jti}"));
}

#[tokio::test]
async fn every_other_event_has_its_codes() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.peer = Some("192.0.2.7".to_owned());
    let page = crate::support::visit::login_page(&mut browser).await;
    browser.log_in_with(&page, "dr.a", "wrong").await;
    let code = browser.launch("spa", SPA, SCOPE, "dr.a", Some("p1")).await.code();
    let tokens = redeem(&app, &code).await.json();
    app.as_client("/introspect", "webq", &[("token", text(&tokens, "access_token"))]).await;
    let page = browser.go("/logout").await;
    browser.submit("/logout", &[("csrf", &page.csrf())]).await;
    let by = app.origin().by("alice (uid 1000)".to_owned());
    app.store().audit(&by, Entry::done("user.disabled").user(&UserId::new("u-dr.b"))).await.expect("written");
    let events = export(&app).await;

    let logins = of(&events, DCM, "110122");
    assert_eq!(logins.iter().map(|event| event["outcome"].as_str().expect("a code")).collect::<Vec<_>>(), ["4", "0"]);
    assert_eq!(logins[0]["outcomeDesc"], "wrong password");
    assert_eq!(logins[0]["agent"][0]["network"], serde_json::json!({ "address": "192.0.2.7", "type": "2" }));
    assert_eq!(of(&events, DCM, "110123").len(), 1, "logout");
    let consents = of(&events, "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType", "AuthZ-Consent");
    assert_eq!(consents.len(), 2, "consent and code");
    assert!(consents.iter().all(|event| is(&event["type"], (DCM, "110113")) && event["entity"][0]["what"]["reference"] == "Patient/p1"));

    // A token that was tried by somebody else is named, and nothing else of it.
    let used: Vec<&Value> = events.iter().filter(|event| event["meta"]["profile"] == serde_json::json!([MINIMAL])).collect();
    assert_eq!(used.len(), 1);
    assert_eq!((used[0]["outcome"].as_str(), used[0]["outcomeDesc"].as_str()), (Some("4"), Some("another client's token")));

    let disabled =
        of(&events, DCM, "110137").into_iter().find(|event| event["agent"][0]["name"] == "alice (uid 1000)").expect("the command");
    let acted_upon =
        disabled["entity"].as_array().expect("entities").iter().any(|entity| entity["what"]["identifier"]["value"] == "u-dr.b");
    assert!(acted_upon, "{disabled}");
    let all = events.iter().map(Value::to_string).collect::<String>();
    for secret in [text(&tokens, "access_token"), text(&tokens, "refresh_token"), &code] {
        assert!(!all.contains(secret));
    }
}
