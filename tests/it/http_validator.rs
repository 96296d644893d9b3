//! `POST /validate`: what the validator answers, over HTTP.

use admit::audit::Origin;
use admit::client::ClientAuth;
use admit::id::{ClientId, UserId};
use admit::key::Purpose;
use admit::token::{Algorithm, Jwks};
use admit::validate::{KeySource, Profile, Trust, Validator};
use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use serde_json::{Value, json};
use time::Duration;

use crate::support::visit::{SCOPE, plain, text, tokens};
use crate::support::{FHIR1, FHIR2, Forge, ISSUER, READER, ROLE, Reply, SECRET, TestApp, compact};

fn store() -> String {
    format!("{FHIR1}/")
}

fn event(token: &str) -> Value {
    event_at(&store(), token)
}

fn event_at(endpoint: &str, token: &str) -> Value {
    json!({ "datastoreEndpoint": endpoint, "operationName": "ReadResource", "bearerToken": token })
}

fn basic(client: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{client}:{SECRET}")))
}

/// Asks as this client.
async fn ask_as(app: &TestApp, client: &str, body: impl Into<Body>) -> Reply {
    let request = Request::post("/validate").header("content-type", "application/json").header("authorization", basic(client));
    app.call(request.body(body.into()).expect("a request")).await
}

/// Asks as the resource server; the answer as it was sent.
async fn ask(app: &TestApp, event: &Value) -> String {
    let reply = ask_as(app, "rs", event.to_string()).await;
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.body);
    assert_eq!((reply.header("content-type"), reply.header("cache-control")), ("application/json", "no-store"));
    reply.body
}

fn refusal(why: &str) -> String {
    json!({ "authPayload": { "isAuthorized": "false", "error": why } }).to_string()
}

pub async fn is_let_in(app: &TestApp, token: &str) -> bool {
    ask(app, &event(token)).await.contains("\"isAuthorized\":\"true\"")
}

/// The function that HealthLake would call, with the keys that this server publishes.
async fn function(app: &TestApp) -> Validator {
    let keys = app.get("/.well-known/jwks.json").await;
    let trust = Trust {
        tenant: Some("default".to_owned()),
        datastores: vec![store(), format!("{FHIR2}/")],
        read_only_role: Some(READER.to_owned()),
        ..Trust::new(ISSUER, Profile::Admit, ROLE)
    };
    Validator::new(trust, KeySource::embedded(Jwks::parse(keys.body.as_bytes()).expect("a key set")))
}

async fn access_token(app: &TestApp) -> String {
    text(&tokens(app, SCOPE, "dr.a", Some("p1")).await, "access_token").to_owned()
}

#[tokio::test]
async fn a_good_token_gets_the_functions_answer() {
    let app = TestApp::start().await;
    let token = access_token(&app).await;
    let function = function(&app).await;
    for token in [token.clone(), format!("Bearer {token}")] {
        for endpoint in [store(), FHIR1.to_owned()] {
            let event = event_at(&endpoint, &token);
            let answer = ask(&app, &event).await;
            assert_eq!(answer, function.answer(&event, app.clock.now()).await.to_string());
            let answer: Value = serde_json::from_str(&answer).expect("JSON");
            assert_eq!((&answer["authPayload"]["aud"], &answer["iamRoleARN"]), (&json!(endpoint), &json!(READER)));
            assert_eq!((&answer["authPayload"]["isAuthorized"], &answer["authPayload"]["patient"]), (&json!("true"), &json!("p1")));
        }
    }
    let writes = text(&tokens(&app, "openid user/*.cruds", "dr.a", None).await, "access_token").to_owned();
    let answer = ask(&app, &event(&writes)).await;
    assert_eq!(answer, function.answer(&event(&writes), app.clock.now()).await.to_string());
    assert!(answer.contains(&format!("\"iamRoleARN\":\"{ROLE}\"")), "{answer}");
    // What was allowed is not in the books: each read of the store would be.
    assert!(app.audit("token.validated").await.is_empty());
}

/// Each kind of bad token, and of event that is none, is refused in the function's words.
#[tokio::test]
async fn whatever_is_bad_gets_the_functions_refusal() {
    let app = TestApp::start().await;
    let tokens = tokens(&app, SCOPE, "dr.a", Some("p1")).await;
    let good = text(&tokens, "access_token").to_owned();
    let (access, stranger) = (Forge::of(&app, Purpose::Access).await, Forge::new(Algorithm::Es256));
    let own = crate::support::claims(&tokens["access_token"]);
    let changed = |name: &str, value: Value| {
        let mut claims = own.clone();
        claims[name] = value;
        access.access_token(&claims)
    };
    let now = app.clock.now().unix_timestamp();
    let mut without_patient = own.clone();
    without_patient.as_object_mut().expect("an object").remove("patient");
    let mut events: Vec<(&str, Value)> = [
        ("token is malformed", "garbage".to_owned()),
        ("holds no token", String::new()),
        ("token is too long", "x".repeat(9000)),
        ("of another type", text(&tokens, "id_token").to_owned()),
        ("token is malformed", text(&tokens, "refresh_token").to_owned()),
        ("signature is wrong", format!("{}AAAA", &good[..good.len() - 4])),
        ("key is unknown", stranger.access_token(&own)),
        ("algorithm does not", compact(&json!({ "alg": "none", "kid": access.kid, "typ": "at+jwt" }), &own, b"x")),
        ("member that is not allowed", access.token(&json!({ "alg": "ES256", "kid": access.kid, "typ": "at+jwt", "crit": ["x"] }), &own)),
        ("another issuer", changed("iss", json!("https://evil.test"))),
        ("another audience", changed("aud", json!(format!("{FHIR2}/")))),
        ("another tenant", changed("tenant_id", json!("other"))),
        ("has expired", changed("exp", json!(now - 6))),
        ("not valid yet", changed("nbf", json!(now + 6))),
        ("lives too long", changed("exp", json!(now + 4000))),
        ("claim jti", changed("jti", json!(7))),
        ("no FHIR scope", changed("scope", json!("openid"))),
        ("no patient", access.access_token(&without_patient)),
    ]
    .into_iter()
    .map(|(why, token)| (why, event(&token)))
    .collect();
    events.extend([
        ("another audience", event_at(&format!("{FHIR2}/"), &good)),
        ("not one that the validator serves", event_at("https://third.test/r4/", &good)),
        ("Missing required fields", json!({})),
        ("Missing required fields", json!([event(&good)])),
        ("Missing required fields", json!(null)),
        ("Missing required fields", json!("x")),
        ("Missing required fields", json!({ "datastoreEndpoint": store(), "operationName": 5, "bearerToken": good })),
    ]);
    let function = function(&app).await;
    for (why, event) in events {
        let answer = ask(&app, &event).await;
        assert_eq!(answer, function.answer(&event, app.clock.now()).await.to_string(), "{why}");
        assert!(answer.contains(why) && answer.contains("\"isAuthorized\":\"false\"") && !answer.contains("iamRoleARN"), "{why}: {answer}");
    }
    // The keys for ID tokens are published too, and are none for access tokens.
    let id = Forge::of(&app, Purpose::Id).await;
    assert!(ask(&app, &event(&id.token(&id.header("at+jwt"), &own))).await.contains("key is unknown"));
    assert!(is_let_in(&app, &good).await, "the good one is still good");
}

/// What the function learns at a token's end, the server knows at once.
#[tokio::test]
async fn a_token_that_no_longer_stands_is_refused_at_once() {
    let gone = refusal("the token is not active");
    let app = TestApp::start().await;
    let function = function(&app).await;

    let revoked = access_token(&app).await;
    app.as_client("/revoke", "spa", &[("token", &revoked)]).await;
    assert_eq!(ask(&app, &event(&revoked)).await, gone);
    assert!(function.answer(&event(&revoked), app.clock.now()).await["iamRoleARN"].is_string(), "by itself it is good");

    let tokens = tokens(&app, SCOPE, "dr.a", Some("p1")).await;
    let of_grant = text(&tokens, "access_token");
    assert!(is_let_in(&app, of_grant).await);
    app.as_client("/revoke", "spa", &[("token", text(&tokens, "refresh_token"))]).await;
    assert_eq!(ask(&app, &event(of_grant)).await, gone, "its grant was revoked");

    let of_user = access_token(&app).await;
    let service = app.token("bsc", &[("grant_type", "client_credentials"), ("scope", "system/Patient.rs")]).await.json();
    let of_service = text(&service, "access_token");
    assert!(is_let_in(&app, &of_user).await && is_let_in(&app, of_service).await);
    app.store().disable_user(&app.origin(), &UserId::new("u-dr.a")).await.expect("switched off");
    assert_eq!(ask(&app, &event(&of_user)).await, gone, "its user was switched off");
    assert!(is_let_in(&app, of_service).await);
    app.store().disable_client(&app.origin(), &ClientId::new("bsc")).await.expect("switched off");
    assert_eq!(ask(&app, &event(of_service)).await, gone, "its client was switched off");

    // Whoever had our key could still not make up a grant.
    let mut claims = crate::support::genuine_claims(app.clock.now().unix_timestamp());
    claims["jti"] = json!("no-such-grant.1");
    let unknown = Forge::of(&app, Purpose::Access).await.access_token(&claims);
    assert_eq!(ask(&app, &event(&unknown)).await, gone, "no grant of ours bought it");
}

/// The end of a token is the function's, leeway and all: one decision, wherever it is asked for.
#[tokio::test]
async fn time_passes_as_it_does_for_the_function() {
    let app = TestApp::start().await;
    let token = access_token(&app).await;
    let function = function(&app).await;
    app.advance(Duration::minutes(10) - Duration::seconds(1));
    for _ in 0..10 {
        let event = event(&token);
        assert_eq!(ask(&app, &event).await, function.answer(&event, app.clock.now()).await.to_string());
        app.advance(Duration::seconds(1));
    }
    assert_eq!(ask(&app, &event(&token)).await, refusal("the token has expired"));
}

#[tokio::test]
async fn fhir_bases_come_and_go_while_it_runs() {
    let app = TestApp::start().await;
    let token = access_token(&app).await;
    let unknown = refusal("this data store is not one that the validator serves");
    assert_eq!(ask(&app, &event_at("https://new.test/r4/", &token)).await, unknown);
    let mut new = app.store().fhir_bases(&app.origin().tenant).await.expect("bases").remove(0);
    (new.name, new.audience, new.public_urls) =
        ("new".to_owned(), "https://new.test/r4/".to_owned(), vec!["https://new.test/r4".to_owned()]);
    app.store().add_fhir_base(&app.origin(), &new).await.expect("a base");
    assert_eq!(ask(&app, &event_at("https://new.test/r4/", &token)).await, refusal("the token is for another audience"));
    // With none at all, none is served: not every one.
    for name in ["one", "two", "new"] {
        let gone = app.store().remove_fhir_base(&app.origin(), name, true).await;
        assert!(gone.expect("removed") || name == "two", "{name}");
    }
    for base in app.store().fhir_bases(&app.origin().tenant).await.expect("bases") {
        app.store().remove_fhir_base(&app.origin(), &base.name, true).await.expect("removed");
    }
    assert_eq!(ask(&app, &event(&token)).await, unknown);
}

/// A rotation shows at once: nothing is fetched, and nothing has to be restarted.
#[tokio::test]
async fn keys_are_the_servers_own_as_they_are_now() {
    let app = TestApp::start().await;
    let old = access_token(&app).await;
    app.advance(Duration::seconds(1));
    let now = app.clock.now();
    let origin = Origin { now, ..app.origin() };
    let rotated = app.app.keys.rotate(app.store(), &origin, (Purpose::Access, Algorithm::Es256), now).await;
    rotated.expect("a new key");
    let new = access_token(&app).await;
    assert_ne!(old.split('.').next(), new.split('.').next(), "another key signed it");
    assert!(is_let_in(&app, &old).await && is_let_in(&app, &new).await);
}

#[tokio::test]
async fn only_a_registered_resource_server_may_ask() {
    let app = TestApp::start().await;
    let token = access_token(&app).await;
    let body = event(&token).to_string();
    let nobody = plain("POST", "/validate", &[("content-type", "application/json")]);
    let (parts, _) = nobody.into_parts();
    let nobody = app.call(Request::from_parts(parts, Body::from(body.clone()))).await;
    nobody.assert_token_error(401, "invalid_client");
    assert!(nobody.header("www-authenticate").starts_with("Basic realm="), "{:?}", nobody.headers);
    // A client that is not there, public ones, and one that authenticates in the body elsewhere.
    for client in ["ghost", "spa", "post"] {
        let reply = ask_as(&app, client, body.clone()).await;
        reply.assert_token_error(401, "invalid_client");
        assert!(reply.header("www-authenticate").starts_with("Basic realm="));
    }
    let request = Request::post("/validate").header("authorization", format!("Bearer {token}"));
    app.call(request.body(Body::from(body.clone())).expect("a request")).await.assert_token_error(400, "invalid_request");
    // Neither the query nor the body says who asks.
    let request = Request::post(format!("/validate?client_id=rs&client_secret={SECRET}"));
    app.call(request.body(Body::from(body.clone())).expect("a request")).await.assert_token_error(401, "invalid_client");

    for client in ["webq", "evil", "bsc"] {
        ask_as(&app, client, body.clone()).await.assert_token_error(403, "unauthorized_client");
    }
    let mut refused: Vec<_> = app.audit("token.validated").await.into_iter().map(|row| (row.client_id, row.outcome)).collect();
    refused.sort();
    let expected = ["bsc", "evil", "webq"].map(|client| (Some(client.to_owned()), "refused".to_owned()));
    assert_eq!(refused, expected);

    app.store().disable_client(&app.origin(), &ClientId::new("rs")).await.expect("switched off");
    ask_as(&app, "rs", body).await.assert_token_error(401, "invalid_client");
}

#[tokio::test]
async fn what_is_no_json_is_no_request() {
    let app = TestApp::start().await;
    for bad in ["", "not JSON", "{", "{\"datastoreEndpoint\":}", "token=x&client_id=rs", "\u{0}", "{} {}"] {
        ask_as(&app, "rs", bad).await.assert_token_error(400, "invalid_request");
    }
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    ask_as(&app, "rs", deep).await.assert_token_error(400, "invalid_request");
    ask_as(&app, "rs", vec![0xff, 0xfe]).await.assert_token_error(400, "invalid_request");
    let large = event(&"x".repeat(64 * 1024)).to_string();
    for announced in [true, false] {
        let mut request = Request::post("/validate").header("authorization", basic("rs"));
        if announced {
            request = request.header("content-length", large.len());
        }
        app.call(request.body(Body::from(large.clone())).expect("a request")).await.assert_token_error(413, "invalid_request");
    }
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
        let reply = app.call(plain(method, "/validate", &[("authorization", &basic("rs"))])).await;
        assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, "POST"), "{method}");
    }
    app.get("/validate").await.assert_token_error(405, "invalid_request");
}

/// Browsers have no business here, and apps need not know.
#[tokio::test]
async fn it_is_neither_advertised_nor_open_to_browsers() {
    let app = TestApp::start().await;
    let request = Request::post("/validate").header("authorization", basic("rs")).header("origin", "https://app.test");
    let reply = app.call(request.body(Body::from("{}")).expect("a request")).await;
    assert_eq!(reply.status.as_u16(), 200);
    assert!(!reply.headers.keys().any(|name| name.as_str().starts_with("access-control")), "{:?}", reply.headers);
    for document in ["smart-configuration", "openid-configuration", "oauth-authorization-server"] {
        assert!(!app.get(&format!("/.well-known/{document}")).await.body.contains("/validate"), "{document}");
    }
}

/// LM-20: who runs no validator needs no role; who asks for one without it is told.
#[tokio::test]
async fn without_a_role_no_token_is_let_in() {
    let app = TestApp::start().await;
    let token = access_token(&app).await;
    let bare = app.another_with(|setup| setup.validation = admit::app::Validation::default()).await;
    let log = crate::support::Log::listen();
    assert_eq!(ask(&bare, &event(&token)).await, refusal("the validator is not configured"));
    assert_eq!(ask(&bare, &event(&token)).await, refusal("the validator is not configured"));
    assert_eq!(ask(&bare, &event("x")).await, refusal("the token is malformed"));
    // Once, not for each read of the store.
    assert_eq!(log.lines_with("--role-arn").len(), 1, "{}", log.text());
    let boolean = app.another_with(|setup| setup.validation.boolean_is_authorized = true).await;
    assert!(ask(&boolean, &event(&token)).await.contains("\"isAuthorized\":true"));
    assert!(ask(&boolean, &event("x")).await.contains("\"isAuthorized\":false"));
}

/// LM-17: neither at debug nor at trace.
#[tokio::test]
async fn no_token_gets_into_the_log() {
    let app = TestApp::start().await;
    let token = access_token(&app).await;
    let spoilt = format!("{}AAAA", &token[..token.len() - 4]);
    let log = crate::support::Log::listen();
    for token in [&token, &spoilt] {
        ask(&app, &event(token)).await;
    }
    assert!(!log.lines_with("a token was refused at /validate").is_empty(), "{}", log.text());
    for part in token.split('.') {
        assert!(!log.text().contains(part));
    }
    assert!(!log.text().contains(SECRET));
}

/// A resource server that is registered for the form is none here: the body is JSON.
#[tokio::test]
async fn a_resource_server_authenticates_as_it_is_registered() {
    let app = TestApp::start().await;
    let auth = ClientAuth::ClientSecretPost;
    app.register(admit::client::Client { may_introspect: true, ..crate::support::client("rs-post", auth, &[]) }).await;
    ask_as(&app, "rs-post", "{}").await.assert_token_error(401, "invalid_client");
    let auth = ClientAuth::ClientSecretBasic;
    app.register(admit::client::Client { may_introspect: true, ..crate::support::client("rs-basic", auth, &[]) }).await;
    assert_eq!(ask_as(&app, "rs-basic", "{}").await.status.as_u16(), 200);
}
