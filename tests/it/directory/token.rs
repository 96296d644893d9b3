//! The token by which the server reads the FHIR server.

use admit::audit::Origin;
use admit::id::TenantId;
use admit::tenant::Panel;
use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use serde_json::json;
use time::Duration;

use super::picker;
use crate::support::{Authority, LIVE, Question, SECRET, Saying, TestApp, claims};

/// One type, one minute, one base; and nothing of a patient in an address.
#[tokio::test]
async fn the_server_s_own_token_reads_one_type_for_a_minute() {
    let app = TestApp::start().await;
    let nobody = json!({ "resourceType": "Bundle", "type": "searchset" });
    let fhir = Authority::start(Saying::Json(nobody)).await;
    app.live_at(&fhir.endpoint(), &[Panel::GeneralPractitioner, Panel::CareTeam]).await;
    let (mut browser, page) = picker(&app, "dr.a").await;
    super::search(&mut browser, &page, "Ada 1984-03-09").await;
    let questions = fhir.questions();
    assert_eq!(questions.len(), 4);
    for question in &questions {
        assert_eq!(question.method, "POST");
        assert_eq!(question.header("content-type"), Some("application/x-www-form-urlencoded"));
        assert_eq!(question.header("prefer"), Some("handling=strict"));
    }
    let paths: Vec<&str> = questions.iter().map(|question| question.path.rsplit("introspect").next().unwrap_or_default()).collect();
    assert_eq!(paths, ["/Patient/_search", "/CareTeam/_search", "/Patient/_search", "/CareTeam/_search"]);
    let asked = &questions[2].form;
    assert_eq!(
        (asked["general-practitioner"].as_str(), asked["name"].as_str(), asked["birthdate"].as_str(), asked["_count"].as_str()),
        ("Practitioner/a", "Ada", "1984-03-09", "51")
    );

    let token =
        |nth: usize| questions[nth].header("authorization").and_then(|value| value.strip_prefix("Bearer ")).expect("a token").to_owned();
    assert_eq!((token(0), token(1)), (token(2), token(3)), "a token is used again within its minute");
    let said = claims(&json!(token(0)));
    assert_eq!(
        (said["scope"].as_str(), claims(&json!(token(1)))["scope"].as_str()),
        (Some("system/Patient.rs"), Some("system/CareTeam.rs"))
    );
    assert_eq!(said["exp"].as_i64().expect("an end") - said["iat"].as_i64().expect("a beginning"), 60);
    assert_eq!(said["aud"], format!("{}/", fhir.endpoint()));
    assert_eq!((&said["sub"], &said["client_id"]), (&json!("admit@directory"), &json!("admit@directory")));
    for absent in ["patient", "fhirUser", "encounter"] {
        assert!(said.get(absent).is_none(), "{absent}");
    }
    // Each is in the books once.
    let issued = app.audit("token.issued").await;
    let details: Vec<_> = issued.iter().rev().map(|row| row.detail.as_deref().expect("a scope")).collect();
    assert_eq!(details, ["system/Patient.rs", "system/CareTeam.rs"]);
    assert_eq!(issued[1].jti.as_deref(), said["jti"].as_str());

    // Our own validator, which a data store asks, lets it in; introspection says the same; userinfo has nobody to tell of.
    let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("rs:{SECRET}")));
    let event = json!({ "datastoreEndpoint": format!("{}/", fhir.endpoint()), "operationName": "SearchWithPost", "bearerToken": token(0) });
    let request = Request::post("/validate").header("content-type", "application/json").header("authorization", basic);
    let answer = app.call(request.body(Body::from(event.to_string())).expect("a request")).await.json();
    assert_eq!(answer["authPayload"]["isAuthorized"], "true", "{answer}");
    assert!(app.is_active(&json!(token(0))).await);
    assert_eq!(app.userinfo(&token(0)).await.status.as_u16(), 403);

    app.advance(Duration::seconds(51));
    super::search(&mut browser, &page, "").await;
    assert_eq!(app.audit("token.issued").await.len(), 4, "nothing is sent that ends on its way");
    app.advance(Duration::seconds(15));
    assert!(!app.is_active(&json!(token(0))).await);
}

/// No app can take its name.
#[test]
fn no_app_is_called_as_the_server_itself() {
    assert!(!admit::client::DIRECTORY.bytes().all(|b| b.is_ascii_alphanumeric() || b"._~:/-".contains(&b)));
}

/// A server that knows version 1 only is asked in its words.
#[tokio::test]
async fn a_server_of_version_1_is_asked_in_its_scopes() {
    let app = TestApp::start().await;
    let fhir = Authority::start(Saying::Json(json!({ "resourceType": "Bundle", "type": "searchset" }))).await;
    app.live_at(&fhir.endpoint(), &[Panel::GeneralPractitioner]).await;
    app.sql("update fhir_base set strategy = 'SMART_ON_FHIR_V1' where name = 'live'").await;
    app.advance(Duration::seconds(2));
    picker(&app, "dr.a").await;
    let questions = fhir.questions();
    let token = questions[0].header("authorization").and_then(|value| value.strip_prefix("Bearer ")).expect("a token");
    assert_eq!(claims(&json!(token))["scope"], "system/Patient.read");
}

/// A token says whose it is: another tenant has one of its own, be it for the same audience.
#[tokio::test]
async fn each_tenant_has_a_token_of_its_own() {
    let app = TestApp::start().await;
    let fhir = Authority::start(Saying::Json(json!({ "resourceType": "Bundle", "type": "searchset" }))).await;
    app.live_at(&fhir.endpoint(), &[Panel::GeneralPractitioner]).await;
    let bases = app.store().fhir_bases(&app.origin().tenant).await.expect("FHIR bases");
    app.sql("insert into tenant (tenant_id, created_at) values ('other', 0)").await;
    let other = Origin { tenant: TenantId::new("other"), ..app.origin() };
    let live = bases.iter().find(|base| base.name == LIVE).expect("the live one");
    app.store().add_fhir_base(&other, live).await.expect("a FHIR base");
    let who = "Practitioner/a".parse().expect("a person");
    for origin in [app.origin(), other] {
        app.app.directory.search(&origin, LIVE, &who, "", 1).await.expect("an answer");
    }
    let bearer = |question: &Question| claims(&json!(question.header("authorization").expect("a token")["Bearer ".len()..]));
    let tenants: Vec<_> = fhir.questions().iter().map(|question| bearer(question)["tenant_id"].clone()).collect();
    assert_eq!(tenants, ["default", "other"]);
}
