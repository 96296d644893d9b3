//! Tokens that are not what they seem, before everybody who reads tokens: their form, their
//! headers, their signatures.

mod claims;
mod keyset;
mod stage;

use admit::token::{Algorithm, MAX_TOKEN_BYTES, base64url, from_base64url};
use aws_lc_rs::hmac;
use serde_json::{Value, json};

use crate::support::{Forge, KeyServer, Mood, compact};
pub use stage::{Stage, assert_refused};

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().expect("an object").remove(name);
    object
}

#[tokio::test]
async fn the_genuine_tokens_are_believed_by_everybody() {
    let stage = Stage::start().await;
    let again = stage.access.token(&stage.access.header("application/AT+JWT"), &stage.access_claims());
    for token in [&stage.access_token, &again] {
        assert_eq!(stage.userinfo(token).await.json()["sub"], "u-dr.a");
        assert_eq!(stage.app.introspect(token).await["active"], true);
        assert_eq!(stage.validate(token).await["authPayload"]["isAuthorized"], "true");
    }
    let again = stage.id.token(&stage.id.header("JWT"), &stage.id_claims());
    for hint in [&stage.id_token, &again] {
        // Nobody is signed in here: a hint that is believed leads to another error.
        stage.hinted(&mut stage.app.browser(), hint).await.assert_redirect_error(stage::SPA, "login_required");
        assert!(Stage::is_believed_at_logout(&stage.signed_out(hint).await));
    }
}

/// JW-01
#[tokio::test]
async fn a_token_that_names_no_algorithm_is_refused() {
    let stage = Stage::start().await;
    for alg in [json!("none"), json!("None"), json!("nOnE"), json!("NONE"), json!(""), json!(null), json!(0), json!(["ES256", "RS256"])] {
        let header = |forge: &Forge, typ: &str| with(forge.header(typ), "alg", alg.clone());
        stage.refuse(&format!("{alg} without a signature"), |forge, claims, typ| compact(&header(forge, typ), claims, b"")).await;
        stage.refuse(&format!("{alg} with a signature"), |forge, claims, typ| forge.token(&header(forge, typ), claims)).await;
    }
    stage.refuse("alg is absent", |forge, claims, typ| forge.token(&without(forge.header(typ), "alg"), claims)).await;
    stage.refuse("only alg is there", |_, claims, _| compact(&json!({ "alg": "none" }), claims, b"")).await;
}

/// JW-01
#[tokio::test]
async fn a_token_whose_signature_was_dropped_is_refused() {
    let stage = Stage::start().await;
    stage.refuse("the signature is empty", |forge, claims, typ| compact(&forge.header(typ), claims, b"")).await;
    stage
        .refuse("its dot has gone too", |forge, claims, typ| {
            let token = forge.token(&forge.header(typ), claims);
            token.rsplit_once('.').expect("three parts").0.to_owned()
        })
        .await;
    stage
        .refuse("the payload was exchanged", |forge, claims, typ| {
            let token = forge.token(&forge.header(typ), claims);
            let forged = with(claims.clone(), "sub", json!("u-dr.b"));
            let parts: Vec<&str> = token.split('.').collect();
            format!("{}.{}.{}", parts[0], base64url(forged.to_string().as_bytes()), parts[2])
        })
        .await;
}

/// JW-02: the public key is no shared secret, however it is written down.
#[tokio::test]
async fn the_public_key_as_an_hmac_secret_signs_nothing() {
    let stage = Stage::start().await;
    let pem = |der: &[u8]| {
        let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der);
        let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----", lines.join("\n"))
    };
    let secrets = |forge: &Forge| {
        let member = |name: &str| forge.public_jwk[name].as_str().unwrap_or("-").as_bytes().to_vec();
        let der = forge.public_der();
        let (n, x) = (member("n"), member("x"));
        let raw = from_base64url(std::str::from_utf8(if n == b"-" { &x } else { &n }).expect("ASCII")).expect("base64url");
        vec![
            pem(&der).into_bytes(),
            format!("{}\n", pem(&der)).into_bytes(),
            der,
            forge.public_jwk.to_string().into_bytes(),
            n,
            x,
            raw,
            forge.kid.clone().into_bytes(),
        ]
    };
    for (alg, hash) in [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)] {
        for which in 0..secrets(&stage.access).len() {
            stage
                .refuse(&format!("{alg}, secret {which}"), |forge, claims, typ| {
                    let header = with(forge.header(typ), "alg", json!(alg));
                    let unsigned = compact(&header, claims, b"");
                    let message = unsigned.trim_end_matches('.');
                    let tag = hmac::sign(&hmac::Key::new(hash, &secrets(forge)[which]), message.as_bytes());
                    format!("{message}.{}", base64url(tag.as_ref()))
                })
                .await;
        }
    }
}

/// JW-03 (CVE-2022-21449): the numbers that a careless verifier believes for every message.
#[tokio::test]
async fn degenerate_ecdsa_signatures_are_refused() {
    let stage = Stage::start().await;
    let header = stage.access.header("at+jwt");
    let message = compact(&header, &stage.access_claims(), b"").trim_end_matches('.').to_owned();
    let good = stage.access.signature(&message, Algorithm::Es256);
    let (r, s) = good.split_at(32);
    let (zero, n) = ([0; 32], ORDER_P256);
    let der = |r: &[u8], s: &[u8]| {
        let number = |n: &[u8]| [&[0x02, 33, 0], n].concat();
        [vec![0x30, 70], number(r), number(s)].concat()
    };
    for (why, signature) in [
        ("r = s = 0", [zero, zero].concat()),
        ("r = 0", [&zero, s].concat()),
        ("s = 0", [r, &zero].concat()),
        ("r = n", [&n, s].concat()),
        ("s = n", [r, &n].concat()),
        ("r = s = n", [n, n].concat()),
        ("DER", der(r, s)),
        ("63 bytes", good[..63].to_vec()),
        ("65 bytes", [good.as_slice(), &[0]].concat()),
        ("65 bytes, zero first", [&[0], good.as_slice()].concat()),
        ("r and s exchanged", [s, r].concat()),
        ("all ones", vec![0xFF; 64]),
    ] {
        stage.refuse_access(why, &format!("{message}.{}", base64url(&signature))).await;
    }
    let untouched = format!("{message}.{}", base64url(&good));
    assert_eq!(stage.validate(&untouched).await["authPayload"]["isAuthorized"], "true");
}

/// The order of P-256 (SEC 2 §2.4.2).
const ORDER_P256: [u8; 32] = [
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17,
    0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
];

/// JW-23: whoever negates `s` gets another text for the same token, not another token.
#[tokio::test]
async fn a_malleated_signature_is_no_way_around_a_revocation() {
    let stage = Stage::start().await;
    let (message, signature) = stage.access_token.rsplit_once('.').expect("three parts");
    let signature = from_base64url(signature).expect("base64url");
    let mut negated = [0; 32];
    let mut borrow = 0;
    for i in (0..32).rev() {
        let digit = i32::from(ORDER_P256[i]) - i32::from(signature[32 + i]) - borrow;
        borrow = i32::from(digit < 0);
        negated[i] = u8::try_from(digit.rem_euclid(256)).expect("a byte");
    }
    let malleated = format!("{message}.{}", base64url(&[&signature[..32], &negated].concat()));
    assert_ne!(malleated, stage.access_token);
    let reply = stage.app.as_client("/revoke", "spa", &[("token", &stage.access_token)]).await;
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.body);
    assert_eq!(stage.app.introspect(&malleated).await, json!({ "active": false }));
    assert_eq!(stage.userinfo(&malleated).await.status.as_u16(), 401);
}

/// JW-04: no Edwards curve is known, so there is none whose small-order points could be believed.
#[tokio::test]
async fn eddsa_is_refused() {
    let stage = Stage::start().await;
    stage
        .refuse("EdDSA", |forge, claims, typ| {
            compact(&with(forge.header(typ), "alg", json!("EdDSA")), claims, &[[1; 32], [0; 32]].concat())
        })
        .await;
}

/// JW-05: keys that a token brings along, or says where to fetch.
#[tokio::test]
async fn a_key_that_the_token_brings_along_is_refused_and_fetched_from_nowhere() {
    let stage = Stage::start().await;
    for mine in [Forge::new(Algorithm::Es256), Forge::new(Algorithm::Rs256)] {
        let server = KeyServer::start(Mood::Publishes(mine.jwks_text())).await;
        let der = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, mine.public_der());
        for (name, value) in [
            ("jwk", mine.public_jwk.clone()),
            ("x5c", json!([der])),
            ("jku", json!(server.uri())),
            ("x5u", json!(server.uri())),
            ("iss", json!("https://idp.test")),
        ] {
            // Under the attacker's own name for the key, and under ours.
            stage.refuse(name, |_, claims, typ| mine.token(&with(mine.header(typ), name, value.clone()), claims)).await;
            stage
                .refuse(name, |forge, claims, typ| {
                    mine.token(&with(with(mine.header(typ), "kid", json!(forge.kid)), name, value.clone()), claims)
                })
                .await;
            // Even with a good signature: nothing here acts on such a member, so it says something else than we read.
            stage.refuse(name, |forge, claims, typ| forge.token(&with(forge.header(typ), name, value.clone()), claims)).await;
        }
        assert_eq!(server.asked(), 0);
    }
}

/// JW-06
#[tokio::test]
async fn a_kid_is_a_name_and_nothing_else() {
    let stage = Stage::start().await;
    let other = Forge::new(Algorithm::Es256);
    for kid in [
        json!("../../../../dev/null"),
        json!("' UNION SELECT 'key' --"),
        json!("a\u{0}b"),
        json!("x".repeat(256)),
        json!(""),
        json!(5),
        json!(null),
        json!([stage.access.kid]),
        json!({ "kid": stage.access.kid }),
        json!(other.kid),
        json!(format!("{} ", stage.access.kid)),
        json!(stage.access.kid.to_ascii_uppercase()),
    ] {
        stage.refuse(&format!("kid {kid}"), |forge, claims, typ| forge.token(&with(forge.header(typ), "kid", kid.clone()), claims)).await;
    }
    stage.refuse("no kid", |forge, claims, typ| forge.token(&without(forge.header(typ), "kid"), claims)).await;
    stage
        .refuse("another key under our name", |forge, claims, typ| {
            other.token(&with(with(other.header(typ), "kid", json!(forge.kid)), "alg", json!("ES256")), claims)
        })
        .await;
    let endless = with(stage.access.header("at+jwt"), "kid", json!("x".repeat(1 << 20)));
    stage.refuse_by_validator("a kid of 1 MB", &stage.access.token(&endless, &stage.access_claims())).await;
}

/// JW-08: what is meant for one reader is not believed by another.
#[tokio::test]
async fn a_token_of_another_type_is_refused() {
    let stage = Stage::start().await;
    for typ in
        ["JWT", "logout+jwt", "dpop+jwt", "client-authentication+jwt", "at+jwt ", "at+jwt\u{0}", "application/application/at+jwt", ""]
    {
        stage.refuse_access(typ, &stage.access.token(&stage.access.header(typ), &stage.access_claims())).await;
    }
    for typ in ["at+jwt", "logout+jwt", "dpop+jwt", "client-authentication+jwt", ""] {
        stage.refuse_hint(typ, &stage.id.token(&stage.id.header(typ), &stage.id_claims())).await;
    }
    for typ in [json!(5), json!(null), json!(["at+jwt", "JWT"])] {
        stage.refuse("typ is no text", |forge, claims, right| forge.token(&with(forge.header(right), "typ", typ.clone()), claims)).await;
    }
    stage.refuse("no typ", |forge, claims, typ| forge.token(&without(forge.header(typ), "typ"), claims)).await;
}

/// JW-12: we know signed tokens and no others; nothing is decrypted, inflated or derived.
#[tokio::test]
async fn encrypted_compressed_and_nested_tokens_are_refused() {
    let stage = Stage::start().await;
    stage
        .refuse("five parts", |forge, claims, _| {
            let header =
                json!({ "alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 2_147_483_647_u32, "p2s": "AAAA", "kid": forge.kid });
            format!("{}.AAAA.AAAA.AAAA", compact(&header, claims, b"").trim_end_matches('.'))
        })
        .await;
    for (name, value) in [
        ("zip", json!("DEF")),
        ("p2c", json!(2_147_483_647_u32)),
        ("enc", json!("A128GCM")),
        ("cty", json!("JWT")),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
    ] {
        stage.refuse(name, |forge, claims, typ| forge.token(&with(forge.header(typ), name, value.clone()), claims)).await;
    }
    stage
        .refuse("a token in a token", |forge, claims, typ| {
            let inner = forge.token(&forge.header(typ), claims);
            forge.raw(forge.header(typ).to_string().as_bytes(), inner.as_bytes())
        })
        .await;
}

/// JW-11: too long is too long before anything is decoded.
#[tokio::test]
async fn a_token_that_is_too_long_is_refused_unread() {
    let stage = Stage::start().await;
    let padded = |by: usize| {
        let claims = with(stage.access_claims(), "padding", json!("x".repeat(by)));
        stage.access.token(&stage.access.header("at+jwt"), &claims)
    };
    let by = (0..MAX_TOKEN_BYTES).rev().find(|by| padded_length(&padded(0), *by) <= MAX_TOKEN_BYTES).expect("some padding");
    let longest = padded(by);
    assert!(longest.len() <= MAX_TOKEN_BYTES && longest.len() > MAX_TOKEN_BYTES - 4);
    assert_eq!(stage.validate(&longest).await["authPayload"]["isAuthorized"], "true");
    stage.refuse_access("some bytes more", &padded(by + 4)).await;
    for part in 0..3 {
        for length in [MAX_TOKEN_BYTES, 1 << 20, 50 << 20] {
            let mut parts = ["e30", "e30", "AAAA"].map(str::to_owned);
            parts[part] = "!".repeat(length); // not base64url: decoding would be another error
            let answer = stage.validate(&parts.join(".")).await;
            assert_eq!(answer["authPayload"]["error"], "the token is too long", "part {part}");
        }
    }
}

/// How long a token gets when its payload grows by so many bytes.
fn padded_length(token: &str, by: usize) -> usize {
    let payload = token.split('.').nth(1).expect("three parts");
    let bytes = from_base64url(payload).expect("base64url").len() + by;
    token.len() - payload.len() + (bytes * 4).div_ceil(3)
}

/// What is done to a JSON object's text.
type Spoil = Box<dyn Fn(&str) -> Vec<u8>>;

/// JW-10
#[tokio::test]
async fn odd_json_is_refused_in_header_and_payload() {
    let stage = Stage::start().await;
    let text = |value: &Value| value.to_string();
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let odd: Vec<(&str, Spoil)> = vec![
        ("a byte-order mark", Box::new(|json| format!("\u{feff}{json}").into_bytes())),
        ("UTF-16", Box::new(utf16)),
        ("something after the end", Box::new(|json| format!("{json} {{}}").into_bytes())),
        ("NaN", Box::new(|json| json.replacen('{', "{\"odd\":NaN,", 1).into_bytes())),
        ("a number beyond measure", Box::new(|json| json.replacen('{', "{\"odd\":1e400,", 1).into_bytes())),
        ("nesting", Box::new(|json| json.replacen('{', &format!("{{\"odd\":{}{},", "[".repeat(900), "]".repeat(900)), 1).into_bytes())),
        ("a name twice", Box::new(|json| json.replacen('{', "{\"alg\":\"none\",\"sub\":\"x\",", 1).into_bytes())),
        ("a list", Box::new(|json| format!("[{json}]").into_bytes())),
        ("no JSON", Box::new(|_| b"\xff\xfe".to_vec())),
        ("an unfinished object", Box::new(|json| json.trim_end_matches('}').as_bytes().to_vec())),
        (
            "bytes that are no UTF-8",
            Box::new(|json| json.replacen('{', "{\"odd\":\"?\",", 1).bytes().map(|b| if b == b'?' { 0xff } else { b }).collect()),
        ),
    ];
    for (why, spoil) in odd {
        let in_header = |forge: &Forge, claims: &Value, typ: &str| forge.raw(&spoil(&text(&forge.header(typ))), text(claims).as_bytes());
        let in_payload = |forge: &Forge, claims: &Value, typ: &str| forge.raw(text(&forge.header(typ)).as_bytes(), &spoil(&text(claims)));
        stage.refuse(why, in_header).await;
        stage.refuse(why, in_payload).await;
    }
    stage.refuse("padding", |forge, claims, typ| format!("{}=", forge.token(&forge.header(typ), claims))).await;
}
