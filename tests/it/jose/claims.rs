//! Validly signed tokens whose claims are wrong: only a fault of ours, or a stolen key, makes them.

use admit::validate::LEEWAY;
use serde_json::{Value, json};
use time::Duration;

use super::{Stage, assert_refused, with, without};

/// The genuine claims but for one, signed with the genuine key.
fn changed(stage: &Stage, name: &str, value: Value) -> String {
    stage.access.access_token(&with(stage.access_claims(), name, value))
}

/// JW-14
#[tokio::test]
async fn an_end_that_has_come_or_is_no_whole_number_is_refused() {
    let stage = Stage::start().await;
    let now = stage.app.clock.now().unix_timestamp();
    for exp in [
        json!(now - 600),
        json!(-1),
        json!(0),
        json!((now + 60).to_string()),
        json!(now as f64 + 60.5),
        json!(null),
        json!(true),
        json!([now + 60]),
        json!(1_000_000_000_000_000_000_i64),
        json!(u64::MAX),
        json!(i64::MAX),
        json!(1e18),
    ] {
        stage.refuse_access(&format!("exp {exp}"), &changed(&stage, "exp", exp.clone())).await;
    }
    let endless = stage.access.access_token(&without(stage.access_claims(), "exp"));
    stage.refuse_access("no exp", &endless).await;
}

/// JW-14: RFC 7519 §4.1.4, "on or after the expiration time it must not be accepted".
#[tokio::test]
async fn a_token_ends_at_its_end_and_at_the_validator_five_seconds_later() {
    let stage = Stage::start().await;
    let token = stage.access_token.clone();
    stage.app.advance(Duration::seconds(599));
    assert_eq!(stage.userinfo(&token).await.status.as_u16(), 200);
    assert_eq!(stage.app.introspect(&token).await["active"], true);
    stage.app.advance(Duration::seconds(1));
    assert_eq!(stage.userinfo(&token).await.status.as_u16(), 401);
    assert_eq!(stage.app.introspect(&token).await, json!({ "active": false }));
    stage.app.advance(Duration::seconds(LEEWAY - 1));
    assert_eq!(stage.validate(&token).await["authPayload"]["isAuthorized"], "true");
    stage.app.advance(Duration::seconds(1));
    stage.refuse_access("its time is over", &token).await;
}

/// JW-14: whoever could once sign gets no token for a year.
#[tokio::test]
async fn a_token_that_lives_longer_than_an_hour_is_refused() {
    let stage = Stage::start().await;
    let now = stage.app.clock.now().unix_timestamp();
    assert_eq!(stage.validate(&changed(&stage, "exp", json!(now + 3660))).await["authPayload"]["isAuthorized"], "true");
    for life in [3661, 86_400, 31_536_000] {
        stage.refuse_access(&format!("{life} s"), &changed(&stage, "exp", json!(now + life))).await;
    }
}

/// JW-16
#[tokio::test]
async fn a_token_from_the_future_is_refused() {
    let stage = Stage::start().await;
    let now = stage.app.clock.now().unix_timestamp();
    for name in ["nbf", "iat"] {
        for at in [json!(now + 31), json!(now + 599), json!(now.to_string()), json!(null), json!(-5), json!(now as f64 - 0.5)] {
            stage.refuse_access(&format!("{name} {at}"), &changed(&stage, name, at.clone())).await;
        }
        stage.refuse_access(&format!("no {name}"), &stage.access.access_token(&without(stage.access_claims(), name))).await;
        // Another instance's clock may be a little ahead of this one's.
        assert_eq!(stage.app.introspect(&changed(&stage, name, json!(now + 30))).await["active"], true, "{name}");
        // The validator's clock may be a little behind ours.
        assert_eq!(stage.validate(&changed(&stage, name, json!(now + LEEWAY))).await["authPayload"]["isAuthorized"], "true");
        stage.refuse_by_validator(name, &changed(&stage, name, json!(now + LEEWAY + 1))).await;
    }
}

/// JW-19, JW-21: who, for which app, and the token's own name must be there and be text.
#[tokio::test]
async fn a_claim_that_is_missing_or_no_text_is_refused() {
    let stage = Stage::start().await;
    for name in ["iss", "sub", "aud", "jti", "client_id", "scope", "tenant_id"] {
        stage.refuse_access(&format!("no {name}"), &stage.access.access_token(&without(stage.access_claims(), name))).await;
        let right = stage.access_claims()[name].clone();
        for value in [json!(""), json!(5), json!(null), json!(true), json!([right]), json!({ "value": right })] {
            stage.refuse_access(&format!("{name} {value}"), &changed(&stage, name, value.clone())).await;
        }
        // Scopes may be as many as fit into a token.
        if name != "scope" {
            stage.refuse_access(&format!("{name} of 4097 bytes"), &changed(&stage, name, json!("x".repeat(4097)))).await;
        }
    }
    stage.refuse_access("sub of 256 characters", &changed(&stage, "sub", json!("x".repeat(256)))).await;
    for name in ["patient", "encounter", "fhirUser", "launch_response_patient"] {
        for value in [json!(null), json!(5), json!(""), json!(["p1"])] {
            stage.refuse_access(&format!("{name} {value}"), &changed(&stage, name, value.clone())).await;
        }
    }
}

/// JW-21: the token of one app in the name of another.
#[tokio::test]
async fn a_client_that_the_grant_does_not_know_is_refused_by_the_server() {
    let stage = Stage::start().await;
    let token = changed(&stage, "client_id", json!("webq"));
    assert_eq!(stage.userinfo(&token).await.status.as_u16(), 401);
    assert_eq!(stage.app.introspect(&token).await, json!({ "active": false }));
}

/// JW-20: `scope` is one text; no other name and no other form counts.
#[tokio::test]
async fn scopes_in_another_form_are_refused() {
    let stage = Stage::start().await;
    let scope = stage.access_claims()["scope"].clone();
    let list: Vec<&str> = scope.as_str().expect("a text").split(' ').collect();
    stage.refuse_access("a list", &changed(&stage, "scope", json!(list))).await;
    for other in ["scp", "scopes", "Scope"] {
        let claims = with(without(stage.access_claims(), "scope"), other, scope.clone());
        stage.refuse_access(other, &stage.access.access_token(&claims)).await;
    }
    // HealthLake asks for at least one scope that is about resources.
    for scope in ["openid fhirUser", "launch/patient", "nonsense", " ", "patient/*", "patient/Patient.sr", "a\u{7f}b patient/*.rs"] {
        stage.refuse_by_validator(scope, &changed(&stage, "scope", json!(scope))).await;
    }
}

/// Another issuer, tenant or audience, byte for byte.
#[tokio::test]
async fn a_token_of_somebody_elses_is_refused() {
    let stage = Stage::start().await;
    for iss in ["https://idp.test/", "https://IDP.test", "http://idp.test", "https://idp.test.evil.test", "https://idp.test\u{0}"] {
        stage.refuse_access(iss, &changed(&stage, "iss", json!(iss))).await;
    }
    for tenant in ["other", "Default", "default "] {
        stage.refuse_access(tenant, &changed(&stage, "tenant_id", json!(tenant))).await;
    }
    for aud in
        ["https://other.test/r4/", "https://FHIR.test/r4/", "https://fhir.test/r4//", "https://fhir.test/", "https://idp.test", "spa"]
    {
        stage.refuse_by_validator(aud, &changed(&stage, "aud", json!(aud))).await;
    }
    // RFC 7519 §4.1.3 allows a list; our own tokens have one audience, and a list is not ours.
    for aud in [json!(["https://fhir.test/r4/"]), json!(["https://fhir.test/r4/", "https://evil.test"]), json!([])] {
        stage.refuse_access("aud is a list", &changed(&stage, "aud", aud)).await;
    }
    // For an ID token only the issuer is looked at, and it is looked at.
    for iss in [json!("https://idp.test/"), json!("https://evil.test"), json!(null), json!(["https://idp.test"])] {
        let hint = stage.id.token(&stage.id.header("JWT"), &with(stage.id_claims(), "iss", iss.clone()));
        stage.refuse_hint(&format!("iss {iss}"), &hint).await;
    }
}

/// JW-22: at the server at once; the validator, which asks nobody, learns of it when the token ends.
#[tokio::test]
async fn a_revoked_token_is_refused_at_once_here_and_at_its_end_there() {
    let stage = Stage::start().await;
    let reply = stage.app.as_client("/revoke", "spa", &[("token", &stage.access_token)]).await;
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.body);
    assert_eq!(stage.userinfo(&stage.access_token).await.status.as_u16(), 401);
    assert_eq!(stage.app.introspect(&stage.access_token).await, json!({ "active": false }));
    stage.app.advance(Duration::minutes(10) + Duration::seconds(LEEWAY));
    assert_refused("its ten minutes are over", &stage.validate(&stage.access_token).await);
}

/// JW-26, and its mirror: neither kind of token passes for the other.
#[tokio::test]
async fn an_id_token_is_no_access_token_and_an_access_token_no_hint() {
    let stage = Stage::start().await;
    stage.refuse_access("our own ID token", &stage.id_token).await;
    stage.refuse_hint("our own access token", &stage.access_token).await;
    // Not even where the key of one has signed what looks like the other.
    let dressed_up = stage.id.token(&stage.id.header("at+jwt"), &stage.id_claims());
    stage.refuse_access("an ID token that says it is an access token", &dressed_up).await;
    let dressed_up = stage.access.token(&stage.access.header("JWT"), &stage.id_claims());
    stage.refuse_hint("an ID token by the other key", &dressed_up).await;
    let dressed_up = stage.id.token(&stage.id.header("at+jwt"), &stage.access_claims());
    assert_eq!(stage.userinfo(&dressed_up).await.status.as_u16(), 401);
    assert_eq!(stage.app.introspect(&dressed_up).await, json!({ "active": false }));
}
