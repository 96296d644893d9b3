//! Whose key signed, and how: nothing that comes along with an assertion decides that.

use admit::client::Client;
use admit::key::Purpose;
use admit::token::{Algorithm, base64url};
use serde_json::{Value, json};

use super::stage;
use crate::support::asserting::{claims, service};
use crate::support::{Forge, KeyServer, Mood, TestApp, compact};

/// A key set of these keys.
fn set(keys: &[&Value]) -> String {
    json!({ "keys": keys }).to_string()
}

/// A public key with one member changed; `null` takes it away.
fn with(key: &Forge, member: &str, value: Value) -> Value {
    let mut jwk = key.public_jwk.clone();
    match value {
        Value::Null => drop(jwk.as_object_mut().expect("an object").remove(member)),
        value => jwk[member] = value,
    }
    jwk
}

/// SMART: RS384 and ES384 for everybody; ES256 and PS384 where a client is registered so.
#[tokio::test]
async fn four_algorithms_are_known_and_two_are_usual() {
    let app = TestApp::start().await;
    let (rsa, p384, p256) = (Forge::new(Algorithm::Rs384), Forge::new(Algorithm::Es384), Forge::new(Algorithm::Es256));
    let keys = set(&[&with(&rsa, "alg", Value::Null), &p384.public_jwk, &p256.public_jwk]);
    app.register(service("usual", &keys)).await;
    let all = vec![Algorithm::Rs384, Algorithm::Es384, Algorithm::Es256, Algorithm::Ps384];
    app.register(Client { assertion_algs: all, ..service("wide", &keys) }).await;
    app.register(Client { assertion_algs: vec![Algorithm::Es256], ..service("narrow", &keys) }).await;

    let signed = |id: &str, key: &Forge, algorithm: Algorithm| {
        let header = json!({ "alg": algorithm.as_str(), "kid": key.kid, "typ": "JWT" });
        let message = compact(&header, &claims(&app, id), b"");
        let message = message.trim_end_matches('.');
        format!("{message}.{}", base64url(&key.signature(message, algorithm)))
    };
    for (algorithm, key) in [(Algorithm::Rs384, &rsa), (Algorithm::Es384, &p384), (Algorithm::Es256, &p256), (Algorithm::Ps384, &rsa)] {
        app.assert(&signed("wide", key, algorithm)).await.tokens();
        let is_usual = [Algorithm::Rs384, Algorithm::Es384].contains(&algorithm);
        let reply = app.assert(&signed("usual", key, algorithm)).await;
        if is_usual {
            drop(reply.tokens());
        } else {
            reply.assert_turned_away("alg");
        }
        let reply = app.assert(&signed("narrow", key, algorithm)).await;
        if algorithm == Algorithm::Es256 { drop(reply.tokens()) } else { reply.assert_turned_away("alg") }
    }
    // CA-19: RS256 is what many libraries take unless told otherwise.
    app.assert(&signed("wide", &rsa, Algorithm::Rs256)).await.assert_turned_away("alg of the client assertion must be RS384 or ES384");
}

/// CA-19, JW-01, JW-02
#[tokio::test]
async fn no_algorithm_is_taken_from_the_assertion() {
    let (app, key) = stage().await;
    let said = |alg: Value| json!({ "alg": alg, "kid": key.kid, "typ": "JWT" });
    let good = claims(&app, "pkj");
    for alg in ["none", "None", "nOnE", "", "HS256", "HS384", "RS256", "ES512", "EdDSA", "es384", "ES384 "] {
        for signature in [&b""[..], b"x", &[0; 96]] {
            app.assert(&compact(&said(json!(alg)), &good, signature)).await.assert_token_error(401, "invalid_client");
        }
    }
    for alg in [Value::Null, json!(384), json!(["ES384"])] {
        app.assert(&key.token(&said(alg), &good)).await.assert_turned_away("alg");
    }
    // The public key as a shared secret, in every writing that people have of it.
    let der = key.public_der();
    for secret in [der.clone(), key.public_jwk.to_string().into_bytes(), base64url(&der).into_bytes()] {
        let message = compact(&said(json!("HS384")), &good, b"");
        let message = message.trim_end_matches('.');
        let tag = aws_lc_rs::hmac::sign(&aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA384, &secret), message.as_bytes());
        app.assert(&format!("{message}.{}", base64url(tag.as_ref()))).await.assert_turned_away("alg");
    }
    // A key is for the algorithm of its curve.
    let p256 = Forge::new(Algorithm::Es256);
    app.register(Client { assertion_algs: vec![Algorithm::Es384, Algorithm::Es256], ..service("p256", &p256.jwks_text()) }).await;
    let header = json!({ "alg": "ES384", "kid": p256.kid, "typ": "JWT" });
    app.assert(&p256.token(&header, &claims(&app, "p256"))).await.assert_turned_away("no key");
}

/// JW-03, JW-10, JW-11, JW-12: what is no assertion at all.
#[tokio::test]
async fn what_is_malformed_is_refused() {
    let (app, key) = stage().await;
    let good = app.assertion("pkj", &key);
    let (message, signature) = good.rsplit_once('.').expect("three parts");
    let order = [&[0; 47][..], &[1]].concat(); // r = s = 1 is no signature of anything
    for bad in [vec![0; 96], [order.clone(), order].concat(), vec![0; 95], vec![0; 97], vec![0xff; 96], vec![]] {
        app.assert(&format!("{message}.{}", base64url(&bad))).await.assert_token_error(401, "invalid_client");
    }
    for bad in [
        String::new(),
        "x".to_owned(),
        "..".to_owned(),
        message.to_owned(),
        format!("{message}."),
        format!("{good}.{signature}"),
        format!("{good}="),
        format!("{message}. {signature}"),
        format!("{message}.{signature}.a.b"),
        good.replace('.', ".."),
    ] {
        app.assert(&bad).await.assert_token_error(401, "invalid_client");
    }
    let header = key.header("JWT").to_string();
    let deep = format!("{}{}", "{\"a\":".repeat(1500), "}".repeat(1500));
    for payload in ["[]", "\"x\"", "null", "{} x", "\u{feff}{}", "{\"iss\":\"pkj\",\"iss\":\"pkj\"}", &deep] {
        app.assert(&key.raw(header.as_bytes(), payload.as_bytes())).await.assert_token_error(401, "invalid_client");
    }
    // 16 KiB are looked at, one byte more is not.
    let padded = |length: usize| {
        let mut claims = claims(&app, "pkj");
        claims["pad"] = json!("x".repeat(length));
        key.token(&key.header("JWT"), &claims)
    };
    let fits = (16 * 1024 - good.len() - 20) * 3 / 4;
    assert!((16_000..=16_384).contains(&padded(fits).len()));
    app.assert(&padded(fits)).await.tokens();
    app.assert(&padded(13_000)).await.assert_turned_away("longer than 16 KiB");
}

/// CA-18: another client's key, our own, one that is not for signatures.
#[tokio::test]
async fn only_the_client_s_own_keys_count() {
    let (app, key) = stage().await;
    let other = Forge::new(Algorithm::Es384);
    app.register(service("other", &other.jwks_text())).await;
    app.assert(&other.token(&other.header("JWT"), &claims(&app, "pkj"))).await.assert_turned_away("no key");
    app.assert(&other.token(&key.header("JWT"), &claims(&app, "pkj"))).await.assert_turned_away("no key");
    for purpose in [Purpose::Access, Purpose::Id] {
        let ours = Forge::of(&app, purpose).await;
        let header = json!({ "alg": "ES384", "kid": ours.kid, "typ": "JWT" });
        app.assert(&ours.token(&header, &claims(&app, "pkj"))).await.assert_turned_away("no key");
    }
    for (id, jwk) in [
        ("for-encryption", with(&key, "use", json!("enc"))),
        ("not-to-verify", with(&key, "key_ops", json!(["sign"]))),
        ("other-algorithm", with(&key, "alg", json!("ES256"))),
        ("other-kind", with(&key, "kty", json!("RSA"))),
        ("other-curve", with(&key, "crv", json!("P-256"))),
        ("off-the-curve", with(&key, "x", json!(base64url(&[7; 48])))),
        ("nameless", with(&key, "kid", Value::Null)),
        ("other-name", with(&key, "kid", json!("another"))),
    ] {
        app.register(service(id, &set(&[&jwk]))).await;
        app.assert(&app.assertion(id, &key)).await.assert_turned_away("no key");
    }
    let verify = with(&key, "key_ops", json!(["verify"]));
    app.register(service("to-verify", &set(&[&verify]))).await;
    app.assert(&app.assertion("to-verify", &key)).await.tokens();
}

/// JW-24: a set with two keys of one name, a private key, or too many keys is no set.
#[tokio::test]
async fn a_key_set_that_is_not_sound_is_not_used_at_all() {
    let (app, key) = stage().await;
    let other = Forge::new(Algorithm::Es384);
    let twin = with(&other, "kid", json!(key.kid));
    let crowd: Vec<Value> = (0..51).map(|nth| with(&key, "kid", json!(format!("{nth}")))).collect();
    for (id, keys) in [
        ("twins", set(&[&key.public_jwk, &twin])),
        ("private", set(&[&with(&key, "d", json!("AAAA"))])),
        ("crowd", set(&crowd.iter().chain([&key.public_jwk]).collect::<Vec<_>>())),
        ("no-set", key.public_jwk.to_string()),
        ("nothing", String::new()),
        ("empty", set(&[])),
    ] {
        app.register(service(id, &keys)).await;
        app.assert(&app.assertion(id, &key)).await.assert_turned_away("no key");
    }
}

/// CA-20, JW-06
#[tokio::test]
async fn the_key_is_named() {
    let (app, key) = stage().await;
    let named = |kid: Value| key.token(&json!({ "alg": "ES384", "kid": kid, "typ": "JWT" }), &claims(&app, "pkj"));
    for none in [Value::Null, json!(""), json!(7), json!(["x"]), json!("x".repeat(256))] {
        app.assert(&named(none)).await.assert_turned_away("kid");
    }
    let nameless = key.token(&json!({ "alg": "ES384", "typ": "JWT" }), &claims(&app, "pkj"));
    app.assert(&nameless).await.assert_turned_away("kid of the client assertion is missing");
    for unknown in ["unknown", "../../dev/null", "' union select 1 --", "a\u{0}b", &key.kid.to_lowercase()] {
        app.assert(&named(json!(unknown))).await.assert_turned_away("no key");
    }
}

/// CA-22, JW-05: keys and addresses that come along are not looked at, and nobody is asked.
#[tokio::test]
async fn a_key_that_comes_along_is_not_looked_at() {
    let (app, key) = stage().await;
    let evil = Forge::new(Algorithm::Es384);
    let trap = KeyServer::start(Mood::Publishes(evil.jwks_text())).await;
    let der = base64url(&evil.public_der());
    for (member, value) in [("jwk", evil.public_jwk.clone()), ("x5c", json!([der])), ("x5u", json!(trap.uri()))] {
        let mut header = evil.header("JWT");
        header[member] = value.clone();
        app.assert(&evil.token(&header, &claims(&app, "pkj"))).await.assert_turned_away("no key");
        header["kid"] = json!(key.kid);
        app.assert(&evil.token(&header, &claims(&app, "pkj"))).await.assert_turned_away("no key");
        // With the registered key it is but ballast.
        let mut header = key.header("JWT");
        header[member] = value;
        app.assert(&key.token(&header, &claims(&app, "pkj"))).await.tokens();
    }
    // `jku` is compared, and here there is nothing to compare it with.
    for jku in [json!(trap.uri()), json!(""), json!(7)] {
        let mut header = key.header("JWT");
        header["jku"] = jku;
        app.assert(&key.token(&header, &claims(&app, "pkj"))).await.assert_turned_away("jku");
    }
    assert_eq!(trap.asked(), 0);
}

/// CA-5 of docs/conformance.md, JW-08, RFC 7515 §4.1.11: another kind of token, or one that is to be read in another way.
#[tokio::test]
async fn a_header_that_says_something_else_is_refused() {
    let (app, key) = stage().await;
    for member in ["crit", "b64", "zip", "enc"] {
        let mut header = key.header("JWT");
        header[member] = json!("x");
        app.assert(&key.token(&header, &claims(&app, "pkj"))).await.assert_turned_away("header");
    }
    for typ in ["at+jwt", "dpop+jwt", "logout+jwt", "JWS", "application/json"] {
        app.assert(&key.token(&key.header(typ), &claims(&app, "pkj"))).await.assert_turned_away("typ");
    }
}
