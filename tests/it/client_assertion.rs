//! `private_key_jwt` (RFC 7523, SMART App Launch 2.2 "Client Authentication: Asymmetric"): what an assertion has to say.
//! Case ids are those of the threat catalogue.

mod once;
mod signed;

use admit::client::{Client, ClientAuth};
use admit::token::Algorithm;
use serde_json::{Value, json};

use crate::support::asserting::{bent, claims, form, service};
use crate::support::{Forge, ISSUER, SCOPE, SECRET, TestApp, VERIFIER, client, redirect_uri};

const TOKEN_ENDPOINT: &str = "https://idp.test/token";

/// A server with the service `pkj`, and its key.
async fn stage() -> (TestApp, Forge) {
    let (app, key) = (TestApp::start().await, Forge::new(Algorithm::Es384));
    app.register(service("pkj", &key.jwks_text())).await;
    (app, key)
}

/// CA-11: the issuer or the token endpoint, alone or as the only one of a list. The type is JWT, the one of the draft, or
/// not said. Some libraries name the issuer, SMART the token endpoint.
#[tokio::test]
async fn a_good_assertion_gets_a_token() {
    let (app, key) = stage().await;
    for aud in [json!(ISSUER), json!([ISSUER]), json!(TOKEN_ENDPOINT), json!([TOKEN_ENDPOINT])] {
        let assertion = key.token(&key.header("JWT"), &bent(&app, "pkj", &json!({ "aud": aud })));
        let tokens = app.assert(&assertion).await.tokens();
        assert_eq!((&tokens["scope"], &tokens["expires_in"]), (&json!("system/Patient.rs"), &json!(300)));
        assert!(tokens.get("refresh_token").is_none());
    }
    let untyped = json!({ "alg": "ES384", "kid": key.kid });
    for header in [untyped, key.header("jwt"), key.header("client-authentication+jwt"), key.header("application/client-authentication+jwt")]
    {
        app.assert(&key.token(&header, &claims(&app, "pkj"))).await.tokens();
    }
    // The client's own name beside it is no second authentication.
    app.assert_with(&app.assertion("pkj", &key), &[("client_id", "pkj")]).await.tokens();
}

/// CA-11: a client can be registered so that its assertions name the issuer alone.
#[tokio::test]
async fn a_client_may_be_held_to_the_issuer() {
    let (app, key) = stage().await;
    app.register(Client { is_issuer_only: true, ..service("careful", &key.jwks_text()) }).await;
    app.assert(&app.assertion("careful", &key)).await.tokens();
    let other = key.token(&key.header("JWT"), &bent(&app, "careful", &json!({ "aud": TOKEN_ENDPOINT })));
    app.assert(&other).await.assert_turned_away("must be the issuer");
}

/// CA-07
#[tokio::test]
async fn half_an_assertion_is_none() {
    let (app, key) = stage().await;
    let ask = [("grant_type", "client_credentials"), ("scope", "system/Patient.rs"), ("client_id", "pkj")];
    let assertion = app.assertion("pkj", &key);
    let [kind, presented] = form(&assertion);
    for more in [
        vec![presented],
        vec![kind],
        vec![kind, ("client_assertion", "")],
        vec![("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"), presented],
        vec![("client_assertion_type", "jwt-bearer"), presented],
    ] {
        app.post("/token", None, &[&ask[..], &more].concat()).await.assert_turned_away("client_assertion");
    }
    let twice = [&ask[..], &[kind, presented, presented]].concat();
    app.post("/token", None, &twice).await.assert_token_error(400, "invalid_request");
    app.assert(&assertion).await.tokens();
}

/// CA-02, CA-03, CA-06: one method, the registered one, and one name.
#[tokio::test]
async fn an_assertion_stands_alone_and_for_its_own_client() {
    let (app, key) = stage().await;
    app.register(service("other", &key.jwks_text())).await;
    let fresh = || app.assertion("pkj", &key);
    app.assert_with(&fresh(), &[("client_id", "other")]).await.assert_turned_away("iss and sub");
    app.assert_with(&fresh(), &[("client_secret", SECRET)]).await.assert_token_error(400, "invalid_request");
    let assertion = fresh();
    let both = [&[("grant_type", "client_credentials")][..], &form(&assertion)].concat();
    app.post("/token", Some(("pkj", SECRET)), &both).await.assert_token_error(400, "invalid_request");
    // Registered for a key: a secret, or nothing but the name.
    for form in [vec![("client_id", "pkj"), ("client_secret", SECRET)], vec![("client_id", "pkj")]] {
        let ask = [("grant_type", "client_credentials"), ("scope", "system/Patient.rs")];
        app.post("/token", None, &[&ask[..], &form].concat()).await.assert_token_error(401, "invalid_client");
    }
    // Registered for something else: an assertion, whoever signed it. The answer is that of an unknown client.
    let unknown = app.assert(&app.assertion("nobody", &key)).await;
    for id in ["bsc", "spa", "post"] {
        assert_eq!(app.assert(&app.assertion(id, &key)).await.body, unknown.body, "{id}");
    }
    unknown.assert_turned_away("the client is unknown, or no key");
}

/// CA-08
#[tokio::test]
async fn no_claim_may_be_missing() {
    let (app, key) = stage().await;
    for claim in ["iss", "sub", "aud", "exp", "jti"] {
        for value in [Value::Null, json!(""), json!(7.5), json!({}), json!([])] {
            let changes = json!({ claim: value });
            app.assert(&key.token(&key.header("JWT"), &bent(&app, "pkj", &changes))).await.assert_token_error(401, "invalid_client");
        }
    }
    let missing = key.token(&key.header("JWT"), &bent(&app, "pkj", &json!({ "jti": null })));
    app.assert(&missing).await.assert_turned_away("the claim jti");
}

/// CA-09
#[tokio::test]
async fn an_assertion_is_about_whoever_signs_it() {
    let (app, key) = stage().await;
    let evil = Forge::new(Algorithm::Es384);
    app.register(service("wicked", &evil.jwks_text())).await;
    for changes in [json!({ "iss": "wicked" }), json!({ "sub": "wicked" }), json!({ "iss": "nobody" })] {
        for signer in [&key, &evil] {
            let assertion = signer.token(&signer.header("JWT"), &bent(&app, "pkj", &changes));
            app.assert(&assertion).await.assert_turned_away("iss and sub");
        }
    }
    let own = app.assertion("wicked", &evil);
    app.assert_with(&own, &[("client_id", "pkj")]).await.assert_turned_away("iss and sub");
    app.assert(&evil.token(&evil.header("JWT"), &claims(&app, "pkj"))).await.assert_turned_away("no key that is registered");
}

/// CA-10
#[tokio::test]
async fn the_audience_is_exactly_one_of_two() {
    let (app, key) = stage().await;
    for aud in [
        json!("https://other.test"),
        json!([ISSUER, "x"]),
        json!([TOKEN_ENDPOINT, "x"]),
        json!([ISSUER, TOKEN_ENDPOINT]),
        json!([ISSUER, ISSUER]),
        json!(format!("{ISSUER}/")),
        json!(format!("{TOKEN_ENDPOINT}/")),
        json!("https://idp.tes"),
        json!("https://IDP.test"),
        json!("http://idp.test"),
        json!("https://idp.test/par"),
        json!("https://idp.test/introspect"),
        json!(7),
        json!([]),
        json!([7]),
        json!([[ISSUER]]),
        json!({ "aud": ISSUER }),
        Value::Null,
    ] {
        let assertion = key.token(&key.header("JWT"), &bent(&app, "pkj", &json!({ "aud": aud })));
        app.assert(&assertion).await.assert_turned_away("aud");
    }
    // At the siblings as well: their own URL is nobody's name.
    for path in ["/introspect", "/revoke"] {
        let assertion = key.token(&key.header("JWT"), &bent(&app, "pkj", &json!({ "aud": format!("{ISSUER}{path}") })));
        let form = [&[("token", "x")][..], &form(&assertion)].concat();
        app.post(path, None, &form).await.assert_turned_away("aud");
    }
}

/// CA-12: an assertion of an hour is told which rule it breaks.
#[tokio::test]
async fn an_assertion_lives_five_minutes_at_most() {
    let (app, key) = stage().await;
    let now = app.clock.now().unix_timestamp();
    let with = |exp: Value| key.token(&key.header("JWT"), &bent(&app, "pkj", &json!({ "exp": exp })));
    for good in [json!(now - 10), json!(now), json!(now + 310), json!(f64::from(i32::try_from(now).expect("before 2038")) + 60.0)] {
        app.assert(&with(good)).await.tokens();
    }
    app.assert(&with(json!(now + 3600))).await.assert_turned_away("exp of the client assertion is more than 5 minutes ahead");
    app.assert(&with(json!(now + 311))).await.assert_turned_away("5 minutes");
    app.assert(&with(json!(now - 11))).await.assert_turned_away("has passed");
    app.assert(&with(json!(now - 300))).await.assert_turned_away("has passed");
    for bad in [json!("9999999999"), json!(1e18), json!(-1), json!(1.5), json!(u64::MAX), json!(1e300), json!(true)] {
        app.assert(&with(bad)).await.assert_turned_away("the claim exp");
    }
    let odd = |exp: &str| {
        let text = claims(&app, "pkj").to_string().replace(&format!("\"exp\":{}", now + 300), &format!("\"exp\":{exp}"));
        key.raw(key.header("JWT").to_string().as_bytes(), text.as_bytes())
    };
    for bad in ["null", "1e400", "NaN"] {
        app.assert(&odd(bad)).await.assert_token_error(401, "invalid_client");
    }
}

/// CA-13
#[tokio::test]
async fn the_client_s_clock_may_be_a_little_ahead() {
    let (app, key) = stage().await;
    let now = app.clock.now().unix_timestamp();
    for claim in ["nbf", "iat"] {
        for (ahead, is_good) in [(0, true), (8, true), (30, true), (31, false), (61, false)] {
            let assertion = key.token(&key.header("JWT"), &bent(&app, "pkj", &json!({ claim: now + ahead })));
            let reply = app.assert(&assertion).await;
            if is_good { drop(reply.tokens()) } else { reply.assert_turned_away(&format!("{claim} of the client assertion lies")) }
        }
        let assertion = key.token(&key.header("JWT"), &bent(&app, "pkj", &json!({ claim: "now" })));
        app.assert(&assertion).await.assert_turned_away(&format!("the claim {claim}"));
    }
    app.assert(&key.token(&key.header("JWT"), &bent(&app, "pkj", &json!({ "iat": null, "nbf": now - 3600 })))).await.tokens();
}

/// The same proof opens every endpoint for apps: codes, refreshing, introspection, revocation.
#[tokio::test]
async fn a_confidential_app_uses_its_key_everywhere() {
    let (app, key) = stage().await;
    let registered = Client { jwks: Some(key.jwks_text()), ..client("pkapp", ClientAuth::PrivateKeyJwt, &["https://app.test/cb"]) };
    app.register(registered).await;
    let code = app.code("pkapp", SCOPE).await;
    let redeem = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", redirect_uri("pkapp")),
        ("code_verifier", VERIFIER),
    ];
    let proven = async |path: &str, ask: &[(&str, &str)]| {
        let assertion = app.assertion("pkapp", &key);
        app.post(path, None, &[ask, &form(&assertion)].concat()).await
    };
    // Its name alone does not redeem, and does not spoil the code.
    app.post("/token", None, &[&redeem[..], &[("client_id", "pkapp")]].concat()).await.assert_token_error(401, "invalid_client");
    let tokens = proven("/token", &redeem).await.tokens();
    let refresh = tokens["refresh_token"].as_str().expect("a refresh token");
    let ask = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    app.post("/token", None, &ask).await.assert_token_error(401, "invalid_client");
    let second = proven("/token", &ask).await.tokens();
    let token = [("token", second["access_token"].as_str().expect("a token"))];
    assert_eq!(proven("/introspect", &token).await.json()["active"], true);
    assert_eq!(proven("/revoke", &token).await.body, "{}");
    assert_eq!(proven("/introspect", &token).await.json(), json!({ "active": false }));
}

/// What went wrong stands in the books, without anything of the assertion.
#[tokio::test]
async fn refusals_are_written_down() {
    let (app, key) = stage().await;
    app.assert("nonsense").await.assert_turned_away("three parts");
    let evil = Forge::new(Algorithm::Es384);
    app.assert(&evil.token(&key.header("JWT"), &claims(&app, "pkj"))).await.assert_turned_away("no key");
    app.store().disable_client(&app.origin(), &admit::id::ClientId::new("pkj")).await.expect("switched off");
    app.assert(&app.assertion("pkj", &key)).await.assert_turned_away("the client is unknown, or no key");
    let entries = app.audit("client.authenticated").await;
    assert_eq!(entries.len(), 3);
    assert!(entries.iter().all(|entry| entry.outcome == "refused"));
    let clients: Vec<_> = entries.iter().map(|entry| entry.client_id.as_deref()).collect();
    assert_eq!(clients, [Some("pkj"), Some("pkj"), None], "newest first");
}
