//! Apps that register themselves (RFC 7591) and manage their registration (RFC 7592).

use admit::client::Asking;
use admit::id::ClientId;
use admit::secret::InitialAccessToken;
use admit::store::{ClientPage, RegistrationToken};
use admit::token::{Algorithm, CLIENT_ASSERTION_TYPE};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use time::Duration;

use crate::support::ask::Ask;
use crate::support::{Forge, Reply, TestApp, VERIFIER, at_once};

/// A token that registers so many apps within a week.
async fn initial_token(app: &TestApp, uses: i64) -> String {
    let token = InitialAccessToken::generate();
    let made = RegistrationToken {
        id: admit::secret::unique_id(app.clock.now()),
        label: "Synthetic maker".to_owned(),
        uses_left: uses,
        created_at: app.clock.now(),
        expires_at: app.clock.now() + Duration::days(7),
    };
    app.store().add_registration_token(&app.origin(), made, token.digest()).await.expect("a token");
    token.expose().to_owned()
}

/// A browser app, as it describes itself.
fn browser_app() -> Value {
    json!({
        "client_name": "Growth chart",
        "redirect_uris": ["https://growth.test/cb"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": "openid fhirUser launch/patient offline_access patient/Patient.rs",
    })
}

fn with(changes: &Value) -> Value {
    let mut metadata = browser_app();
    for (name, value) in changes.as_object().expect("an object") {
        metadata[name] = value.clone();
    }
    metadata
}

async fn send(app: &TestApp, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let body = body.map(Value::to_string).unwrap_or_default();
    app.call(request.body(Body::from(body)).expect("a request")).await
}

async fn register(app: &TestApp, metadata: &Value) -> Reply {
    let token = initial_token(app, 1).await;
    send(app, "POST", "/register", Some(&token), Some(metadata)).await
}

/// What was registered; a refusal fails the test.
async fn registered(app: &TestApp, metadata: &Value) -> Value {
    let reply = register(app, metadata).await;
    assert_eq!(reply.status.as_u16(), 201, "{}", reply.body);
    assert_eq!((reply.header("content-type"), reply.header("cache-control")), ("application/json", "no-store"));
    reply.json()
}

fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap_or_else(|| panic!("no {member} in {value}"))
}

/// The path of the registration, and the token that manages it.
fn management(registered: &Value) -> (String, String) {
    let path = text(registered, "registration_client_uri").strip_prefix("https://idp.test").expect("our own").to_owned();
    (path, text(registered, "registration_access_token").to_owned())
}

/// RFC 7591 §3.2.1: everything that is registered is said back, and nothing that is not.
#[tokio::test]
async fn an_app_is_told_what_is_registered() {
    let app = TestApp::start().await;
    let metadata = with(&json!({
        "client_uri": "https://growth.test/about?lang=en", "policy_uri": "https://growth.test/privacy", "tos_uri": "https://growth.test/terms",
        "post_logout_redirect_uris": ["https://growth.test/bye"], "id_token_signed_response_alg": "ES384",
        "logo_uri": "https://tracker.test/pixel.png", "software_id": "x", "contacts": ["someone@growth.test"], "jwks": null,
        "may_introspect": true, "is_verified": true, "awaits_approval": false, "fhir_bases": ["two"],
        "scope": "openid fhirUser launch/patient offline_access patient/Patient.rs nonsense system/*.rs __introspect __launch",
    }));
    let told = registered(&app, &metadata).await;
    for member in
        ["client_name", "redirect_uris", "grant_types", "response_types", "token_endpoint_auth_method", "client_uri", "policy_uri"]
    {
        assert_eq!(told[member], metadata[member], "{member}");
    }
    assert_eq!(told["scope"], "openid fhirUser launch/patient offline_access patient/Patient.rs");
    assert_eq!((&told["id_token_signed_response_alg"], &told["tos_uri"]), (&json!("ES384"), &json!("https://growth.test/terms")));
    for member in ["logo_uri", "software_id", "contacts", "jwks", "client_secret", "may_introspect", "fhir_bases"] {
        assert!(told.get(member).is_none(), "{member}");
    }
    let client = app.store().client(&app.origin().tenant, &ClientId::new(text(&told, "client_id"))).await.expect("read").expect("there");
    assert!(client.awaits_approval && !client.is_verified && !client.may_introspect && !client.is_pkce_exempt);
    assert_eq!(client.created_at.unix_timestamp(), told["client_id_issued_at"]);
    // Neither token stands in the database.
    let (path, token) = management(&told);
    let statement = "select count(*) from client_registration where digest like 'sm_%'";
    assert_eq!(app.count(statement).await, 0);
    let again = send(&app, "GET", &path, Some(&token), None).await;
    assert_eq!((again.status.as_u16(), again.json()), (200, told));
}

/// A confidential app gets its secret, once.
#[tokio::test]
async fn a_secret_is_said_once() {
    let app = TestApp::start().await;
    let told = registered(&app, &with(&json!({ "token_endpoint_auth_method": null }))).await;
    assert_eq!(told["token_endpoint_auth_method"], "client_secret_basic", "RFC 7591 §2: the default");
    assert!(text(&told, "client_secret").starts_with("cs_"));
    assert_eq!(told["client_secret_expires_at"], 0);
    let (path, token) = management(&told);
    assert!(send(&app, "GET", &path, Some(&token), None).await.json().get("client_secret").is_none());
}

/// The door is shut unless it was opened.
#[tokio::test]
async fn without_the_switch_there_is_no_registration() {
    let app = TestApp::start().await;
    let told = registered(&app, &browser_app()).await;
    let (path, token) = management(&told);
    let shut = app.another_with(|setup| setup.is_open_to_registration = false).await;
    let initial = initial_token(&app, 1).await;
    send(&shut, "POST", "/register", Some(&initial), Some(&browser_app())).await.assert_token_error(404, "not_found");
    for method in ["GET", "DELETE"] {
        send(&shut, method, &path, Some(&token), None).await.assert_token_error(404, "not_found");
    }
    send(&shut, "PUT", &path, Some(&token), Some(&browser_app())).await.assert_token_error(404, "not_found");
    send(&app, "POST", "/register", Some(&initial), Some(&browser_app())).await;
}

/// RFC 7591 §3: an initial access token, and only as often and as long as it was made for.
#[tokio::test]
async fn only_who_holds_a_token_registers() {
    let app = TestApp::start().await;
    let reply = send(&app, "POST", "/register", None, Some(&browser_app())).await;
    reply.assert_token_error(401, "invalid_token");
    assert_eq!(reply.header("www-authenticate"), "Bearer");
    let told = registered(&app, &browser_app()).await;
    for bad in ["si_unknown", "nonsense", text(&told, "registration_access_token")] {
        let reply = send(&app, "POST", "/register", Some(bad), Some(&browser_app())).await;
        reply.assert_token_error(401, "invalid_token");
        assert_eq!(reply.header("www-authenticate"), "Bearer error=\"invalid_token\"");
    }
    let token = initial_token(&app, 2).await;
    let sent = async |metadata: &Value| send(&app, "POST", "/register", Some(&token), Some(metadata)).await.status.as_u16();
    assert_eq!(sent(&with(&json!({ "redirect_uris": ["http://growth.test"] }))).await, 400, "and costs nothing");
    assert_eq!((sent(&browser_app()).await, sent(&browser_app()).await, sent(&browser_app()).await), (201, 201, 401));
    let late = initial_token(&app, 5).await;
    app.advance(Duration::days(7));
    send(&app, "POST", "/register", Some(&late), Some(&browser_app())).await.assert_token_error(401, "invalid_token");
    assert_eq!(app.audit("client.registered").await.iter().filter(|row| row.outcome == "success").count(), 3);
}

/// Of any number at once, so many are registered as the token is good for.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_registers_no_more_than_it_was_made_for() {
    let app = std::sync::Arc::new(TestApp::start().await);
    let token = initial_token(&app, 3).await;
    let replies = at_once(12, |_| {
        let (app, token) = (std::sync::Arc::clone(&app), token.clone());
        async move { send(&app, "POST", "/register", Some(&token), Some(&browser_app())).await.status.as_u16() }
    })
    .await;
    assert_eq!(replies.iter().filter(|status| **status == 201).count(), 3, "{replies:?}");
    assert_eq!(replies.iter().filter(|status| **status == 401).count(), 9, "{replies:?}");
}

/// RFC 7591 §3.2.2, WB-08, and the rules that administrators are held to.
#[tokio::test]
async fn what_does_not_fit_together_is_refused() {
    let app = TestApp::start().await;
    let token = initial_token(&app, 1).await;
    let key = Forge::new(Algorithm::Es384);
    let mut private = key.public_jwk.clone();
    private["d"] = json!("AAAA");
    let set = json!({ "keys": [key.public_jwk] });
    let service = json!({ "redirect_uris": null, "grant_types": ["client_credentials"], "response_types": [], "scope": "system/*.rs" });
    let service_with = |more: Value| {
        let mut metadata = with(&service);
        metadata.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        metadata
    };
    for uri in [
        "http://growth.test/cb",
        "https://growth.test/cb#x",
        "https://u:p@growth.test/",
        "growth.test",
        "javascript:alert(1)",
        "myapp:/cb",
        "https://*.test/",
    ] {
        let metadata = with(&json!({ "redirect_uris": [uri] }));
        send(&app, "POST", "/register", Some(&token), Some(&metadata)).await.assert_token_error(400, "invalid_redirect_uri");
    }
    let many: Vec<String> = (0..21).map(|nth| format!("https://growth.test/{nth}")).collect();
    for changes in [
        json!({ "redirect_uris": many }),
        json!({ "redirect_uris": [] }),
        json!({ "redirect_uris": [format!("https://growth.test/{}", "x".repeat(2048))] }),
    ] {
        send(&app, "POST", "/register", Some(&token), Some(&with(&changes))).await.assert_token_error(400, "invalid_redirect_uri");
    }
    for metadata in [
        with(&json!({ "redirect_uris": "https://growth.test/cb" })),
        with(&json!({ "redirect_uris": [7] })),
        with(&json!({ "client_name": null })),
        with(&json!({ "client_name": "" })),
        with(&json!({ "client_name": "Growth\u{202e}chart" })),
        with(&json!({ "client_name": "x".repeat(201) })),
        with(&json!({ "client_name": 7 })),
        with(&json!({ "grant_types": ["implicit"] })),
        with(&json!({ "grant_types": ["password", "authorization_code"] })),
        with(&json!({ "grant_types": [] })),
        with(&json!({ "response_types": ["token"] })),
        with(&json!({ "response_types": [] })),
        with(&json!({ "grant_types": ["authorization_code", "client_credentials"] })),
        with(&json!({ "token_endpoint_auth_method": "tls_client_auth" })),
        with(&json!({ "scope": null })),
        with(&json!({ "scope": "nonsense system/*.rs" })),
        with(&json!({ "client_uri": "javascript:alert(1)" })),
        with(&json!({ "policy_uri": "http://growth.test/" })),
        with(&json!({ "tos_uri": ["https://growth.test/"] })),
        with(&json!({ "id_token_signed_response_alg": "none" })),
        with(&json!({ "jwks": set, "jwks_uri": "https://growth.test/jwks" })),
        service_with(json!({})),
        service_with(json!({ "token_endpoint_auth_method": "private_key_jwt" })),
        service_with(json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [] } })),
        service_with(json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [private] } })),
        service_with(json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [key.public_jwk, key.public_jwk] } })),
        service_with(json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "http://10.0.0.1/jwks" })),
        service_with(json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": set, "token_endpoint_auth_signing_alg": "RS256" })),
        service_with(json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": set, "scope": "__introspect __launch" })),
    ] {
        let reply = send(&app, "POST", "/register", Some(&token), Some(&metadata)).await;
        assert_eq!(reply.status.as_u16(), 400, "{metadata}: {}", reply.body);
        reply.assert_token_error(400, "invalid_client_metadata");
    }
    let statement = with(&json!({ "software_statement": "eyJ" }));
    send(&app, "POST", "/register", Some(&token), Some(&statement)).await.assert_token_error(400, "unapproved_software_statement");
    for raw in ["", "[]", "{", "{\"client_name\":\"a\",\"client_name\":\"b\"}"] {
        let request =
            Request::post("/register").header("authorization", format!("Bearer {token}")).header("content-type", "application/json");
        app.call(request.body(Body::from(raw)).expect("a request")).await.assert_token_error(400, "invalid_client_metadata");
    }
    let form = Request::post("/register").header("authorization", format!("Bearer {token}")).header("content-type", "text/plain");
    app.call(form.body(Body::from("{}")).expect("a request")).await.assert_token_error(400, "invalid_request");
    let large = with(&json!({ "software_id": "x".repeat(70_000) }));
    send(&app, "POST", "/register", Some(&token), Some(&large)).await.assert_token_error(413, "invalid_request");
    assert_eq!(send(&app, "POST", "/register", Some(&token), Some(&browser_app())).await.status.as_u16(), 201, "none of it cost a use");
    assert_eq!(app.count("select count(*) from client_registration").await, 1);
}

/// Until an administrator has approved it, an app gets no token, no page, and no redirect, not even with an error.
#[tokio::test]
async fn until_it_is_approved_an_app_gets_nothing() {
    let app = TestApp::start().await;
    let told = registered(&app, &browser_app()).await;
    let id = text(&told, "client_id");
    let ask = |scope: &str| Ask::of("spa").with("client_id", id).with("redirect_uri", "https://growth.test/cb").with("scope", scope);
    let before = app.state().await;
    for ask in
        [ask("openid fhirUser launch/patient patient/Patient.rs"), ask("openid").with("prompt", "none"), ask("openid").with("aud", "x")]
    {
        let reply = app.ask(&ask).await;
        app.assert_person_is_told(&reply, "unauthorized_client", "an app that nobody has approved");
        assert!(reply.body.contains("approval"), "{}", reply.body);
    }
    assert_eq!(app.state().await, before);
    let reply = app.get(&format!("/logout?client_id={id}&post_logout_redirect_uri=https://growth.test/bye")).await;
    assert!(reply.headers.get("location").is_none(), "{:?}", reply.headers);
    let form =
        [("grant_type", "authorization_code"), ("code", "sc_x"), ("redirect_uri", "https://growth.test/cb"), ("code_verifier", VERIFIER)];
    for path in ["/token", "/introspect", "/revoke"] {
        let form = [&form[..], &[("client_id", id), ("token", "x")]].concat();
        app.post(path, None, &form).await.assert_token_error(400, "unauthorized_client");
    }
    // WB-03: nor may its web pages call us.
    let preflight = Request::builder().method("OPTIONS").uri("/token").header("origin", "https://growth.test");
    let preflight = preflight.header("access-control-request-method", "POST").body(Body::empty()).expect("a request");
    assert!(app.call(preflight).await.headers.get("access-control-allow-origin").is_none());

    assert!(app.store().approve_client(&app.origin(), &ClientId::new(id)).await.expect("approved"));
    assert!(!app.store().approve_client(&app.origin(), &ClientId::new(id)).await.expect("asked"), "once");
    let landing = app.browser().launch(id, "https://growth.test/cb", text(&told, "scope"), "dr.a", Some("p1")).await;
    let code = landing.code();
    let form =
        [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", "https://growth.test/cb"), ("code_verifier", VERIFIER)];
    let tokens = app.post("/token", None, &[&form[..], &[("client_id", id)]].concat()).await.tokens();
    assert_eq!(tokens["patient"], "p1");
    assert_eq!(app.audit("client.approved").await.len(), 1);
}

/// A service proves itself by its key, and still waits.
#[tokio::test]
async fn a_service_that_registered_itself_waits_as_well() {
    let app = TestApp::start().await;
    let key = Forge::new(Algorithm::Es384);
    let told = registered(
        &app,
        &json!({
            "client_name": "Export", "grant_types": ["client_credentials"], "scope": "system/*.rs", "token_endpoint_auth_method": "private_key_jwt",
            "jwks": { "keys": [key.public_jwk] }, "token_endpoint_auth_signing_alg": "ES384",
        }),
    )
    .await;
    assert_eq!((&told["jwks"]["keys"][0], &told["token_endpoint_auth_signing_alg"]), (&key.public_jwk, &json!("ES384")));
    let id = text(&told, "client_id");
    let ask = async || {
        let assertion = app.assertion(id, &key);
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", "system/Patient.rs"),
            ("resource", "https://fhir.test/r4"),
            ("client_assertion_type", CLIENT_ASSERTION_TYPE),
            ("client_assertion", &assertion),
        ];
        app.post("/token", None, &form).await
    };
    ask().await.assert_token_error(400, "unauthorized_client");
    app.store().approve_client(&app.origin(), &ClientId::new(id)).await.expect("approved");
    assert_eq!(ask().await.tokens()["scope"], "system/Patient.rs");
}

/// RFC 7592 §2.2: what is sent replaces what was there; and nobody has approved that yet.
#[tokio::test]
async fn what_an_app_changes_has_to_be_approved_again() {
    let app = TestApp::start().await;
    let told = registered(&app, &browser_app()).await;
    let id = text(&told, "client_id");
    let (path, token) = management(&told);
    app.store().approve_client(&app.origin(), &ClientId::new(id)).await.expect("approved");
    let landing = app.browser().launch(id, "https://growth.test/cb", text(&told, "scope"), "dr.a", Some("p1")).await;
    let code = landing.code();
    let form =
        [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", "https://growth.test/cb"), ("code_verifier", VERIFIER)];
    let tokens = app.post("/token", None, &[&form[..], &[("client_id", id)]].concat()).await.tokens();
    assert!(app.is_active(&tokens["access_token"]).await);

    let change = json!({ "client_id": id, "redirect_uris": ["https://evil.test/cb"] });
    let changed = send(&app, "PUT", &path, Some(&token), Some(&with(&change))).await;
    assert_eq!(changed.status.as_u16(), 200, "{}", changed.body);
    let changed = changed.json();
    assert_eq!((&changed["redirect_uris"], &changed["registration_access_token"]), (&json!(["https://evil.test/cb"]), &json!(token)));
    assert_eq!(changed["client_id_issued_at"], told["client_id_issued_at"]);
    for uri in ["https://growth.test/cb", "https://evil.test/cb"] {
        let ask = Ask::of("spa").with("client_id", id).with("redirect_uri", uri);
        app.assert_person_is_told(&app.ask(&ask).await, "unauthorized_client", uri);
    }
    assert!(!app.is_active(&tokens["access_token"]).await, "nor are its tokens good meanwhile");
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", text(&tokens, "refresh_token"))];
    app.post("/token", None, &[&refresh[..], &[("client_id", id)]].concat()).await.assert_token_error(400, "unauthorized_client");
    app.post("/token", None, &refresh).await.assert_token_error(400, "unauthorized_client");
}

/// Nor is what an administrator said of the app before: that people need not be asked, and that it is known.
#[tokio::test]
async fn what_an_app_changes_has_to_be_asked_about_again() {
    let app = TestApp::start().await;
    let told = registered(&app, &browser_app()).await;
    let id = ClientId::new(text(&told, "client_id"));
    let (path, token) = management(&told);
    let trusted = ClientPage {
        asks_clinicians: Some(Asking::PreApproved),
        asks_patients: Some(Asking::Remembered),
        is_verified: Some(true),
        developer: Some("Known Makers".to_owned()),
        attested: Some(true),
        launch_uri: Some("https://app.test/launch".to_owned()),
        ..ClientPage::default()
    };
    assert!(app.store().change_client_page(&app.origin(), &id, trusted).await.expect("a client"));
    app.store().approve_client(&app.origin(), &id).await.expect("approved");
    let change = json!({ "client_id": id, "scope": "openid user/*.cruds", "redirect_uris": ["https://evil.test/cb"] });
    assert_eq!(send(&app, "PUT", &path, Some(&token), Some(&with(&change))).await.status.as_u16(), 200);
    app.store().approve_client(&app.origin(), &id).await.expect("approved again");
    let client = app.store().client(&app.origin().tenant, &id).await.expect("the store").expect("a client");
    assert_eq!((client.asks_clinicians, client.asks_patients, client.is_verified), (Asking::Always, Asking::Always, false));
    assert_eq!((client.developer, client.attested, client.launch_uri), (None, None, None));
}

/// RFC 7592 §2.2: the id stays, the secret is ours, and the way of proving itself is for good.
#[tokio::test]
async fn not_everything_can_be_changed() {
    let app = TestApp::start().await;
    let told = registered(&app, &with(&json!({ "token_endpoint_auth_method": "client_secret_basic" }))).await;
    let (id, secret) = (text(&told, "client_id"), text(&told, "client_secret"));
    let (path, token) = management(&told);
    let same = json!({ "client_id": id, "token_endpoint_auth_method": "client_secret_basic" });
    let put = async |more: Value| {
        let mut metadata = with(&same);
        metadata.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        send(&app, "PUT", &path, Some(&token), Some(&metadata)).await
    };
    assert_eq!(put(json!({ "client_secret": secret, "client_name": "Renamed" })).await.json()["client_name"], "Renamed");
    for bad in [
        json!({ "client_id": null }),
        json!({ "client_id": "spa" }),
        json!({ "client_secret": "cs_mine" }),
        json!({ "client_secret": 7 }),
        json!({ "token_endpoint_auth_method": "none" }),
        json!({ "grant_types": ["implicit"] }),
    ] {
        put(bad).await.assert_token_error(400, "invalid_client_metadata");
    }
    assert_eq!(send(&app, "GET", &path, Some(&token), None).await.json()["client_name"], "Renamed");
}

/// RFC 7592 §2: each registration has a token of its own, and after its end there is nothing to be said.
#[tokio::test]
async fn only_its_own_token_manages_a_registration() {
    let app = TestApp::start().await;
    let (first, second) = (registered(&app, &browser_app()).await, registered(&app, &browser_app()).await);
    let ((path, token), (other_path, other)) = (management(&first), management(&second));
    let initial = initial_token(&app, 1).await;
    for method in ["GET", "PUT", "DELETE"] {
        let body = (method == "PUT").then(|| with(&json!({ "client_id": first["client_id"] })));
        send(&app, method, &path, None, body.as_ref()).await.assert_token_error(401, "invalid_token");
        for bad in [other.as_str(), &initial, "sm_unknown"] {
            send(&app, method, &path, Some(bad), body.as_ref()).await.assert_token_error(401, "invalid_token");
        }
        for path in ["/register/spa", "/register/nobody", "/register/%00"] {
            send(&app, method, path, Some(&token), body.as_ref()).await.assert_token_error(401, "invalid_token");
        }
    }
    assert_eq!(send(&app, "DELETE", &path, Some(&token), None).await.status.as_u16(), 204);
    send(&app, "GET", &path, Some(&token), None).await.assert_token_error(401, "invalid_token");
    assert_eq!(send(&app, "GET", &other_path, Some(&other), None).await.status.as_u16(), 200);
    app.store().disable_client(&app.origin(), &ClientId::new(text(&second, "client_id"))).await.expect("switched off");
    send(&app, "GET", &other_path, Some(&other), None).await.assert_token_error(401, "invalid_token");
}
