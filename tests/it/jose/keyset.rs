//! Published key sets that hold what no key set should.

use admit::key::NewKey;
use admit::token::{Algorithm, BadKeySet, Jwks, MAX_KEYS, Rejection, Unverified, base64url};
use serde_json::{Value, json};

use super::{with, without};
use crate::support::{Forge, genuine_claims};

fn set(keys: &[Value]) -> Result<Jwks, BadKeySet> {
    Jwks::parse(json!({ "keys": keys }).to_string().as_bytes())
}

/// JW-24: such a key is left out; those beside it serve.
#[test]
fn weak_foreign_and_broken_keys_are_left_out() {
    let (good, ec, rsa) = (Forge::new(Algorithm::Es256), Forge::new(Algorithm::Es256), Forge::new(Algorithm::Rs256));
    let (ec_jwk, rsa_jwk) = (ec.public_jwk.clone(), rsa.public_jwk.clone());
    let bytes = |n: usize| json!(base64url(&[vec![0xC1; n - 1], vec![1]].concat()));
    for (why, key) in [
        ("RSA of 1024 bits", with(rsa_jwk.clone(), "n", bytes(128))),
        ("RSA of 2047 bits", with(rsa_jwk.clone(), "n", json!(base64url(&[vec![0x7F], vec![0xC1; 255]].concat())))),
        ("RSA of 2048 bits, half of them zero", with(rsa_jwk.clone(), "n", json!(base64url(&[vec![0; 128], vec![0xC1; 128]].concat())))),
        ("RSA of 16384 bits", with(rsa_jwk.clone(), "n", bytes(2048))),
        ("RSA with e = 1", with(rsa_jwk.clone(), "e", json!(base64url(&[1])))),
        ("RSA with e = 0", with(rsa_jwk.clone(), "e", json!("AA"))),
        ("RSA with an even e", with(rsa_jwk.clone(), "e", json!(base64url(&[4])))),
        ("RSA without n", without(rsa_jwk.clone(), "n")),
        ("RSA for an elliptic algorithm", with(rsa_jwk.clone(), "alg", json!("ES256"))),
        ("RSA for HS256", with(rsa_jwk.clone(), "alg", json!("HS256"))),
        ("a point off the curve", with(ec_jwk.clone(), "y", json!(base64url(&[1; 32])))),
        ("the point at the origin", with(with(ec_jwk.clone(), "x", json!(base64url(&[0; 32]))), "y", json!(base64url(&[0; 32])))),
        ("a coordinate of 31 bytes", with(ec_jwk.clone(), "x", json!(base64url(&[1; 31])))),
        ("P-384 with the numbers of P-256", with(ec_jwk.clone(), "crv", json!("P-384"))),
        ("an unknown curve", with(ec_jwk.clone(), "crv", json!("secp256k1"))),
        ("an Edwards curve", json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(&[0; 32]), "kid": ec.kid })),
        ("a symmetric key", json!({ "kty": "oct", "k": base64url(b"a secret for everybody"), "kid": ec.kid, "alg": "HS256" })),
        ("a key for encryption", with(ec_jwk.clone(), "use", json!("enc"))),
        ("a key for other operations", with(ec_jwk.clone(), "key_ops", json!(["encrypt"]))),
        ("no kid", without(ec_jwk.clone(), "kid")),
        ("an empty kid", with(ec_jwk.clone(), "kid", json!(""))),
        ("a kid that is no text", with(ec_jwk.clone(), "kid", json!(5))),
        ("no kty", without(ec_jwk, "kty")),
    ] {
        let kid = key.get("kid").and_then(Value::as_str).unwrap_or_default().to_owned();
        let keys = set(&[key, good.public_jwk.clone()]).unwrap_or_else(|error| panic!("{why}: {error}"));
        assert!(keys.get(&kid).is_none(), "{why}");
        assert!(keys.get(&good.kid).is_some(), "{why}");
    }
}

/// JW-24: whoever publishes these has lost control; nothing of the set is believed.
#[test]
fn a_private_key_or_two_of_one_name_spoil_the_whole_set() {
    let (one, two) = (Forge::new(Algorithm::Es256), Forge::new(Algorithm::Rs256));
    for member in ["d", "p", "q"] {
        let private = with(two.public_jwk.clone(), member, json!("AAAA"));
        assert_eq!(set(&[one.public_jwk.clone(), private]).err(), Some(BadKeySet::Private), "{member}");
    }
    let same_name = with(two.public_jwk.clone(), "kid", json!(one.kid));
    assert_eq!(set(&[one.public_jwk.clone(), same_name]).err(), Some(BadKeySet::DuplicateKid));
    let useless = with(with(two.public_jwk.clone(), "kid", json!(one.kid)), "use", json!("enc"));
    assert_eq!(set(&[useless, one.public_jwk.clone()]).err(), Some(BadKeySet::DuplicateKid));
}

/// JW-24
#[test]
fn a_key_set_has_its_bounds_and_its_form() {
    let one = Forge::new(Algorithm::Es256).public_jwk;
    let many = |n: usize| (0..n).map(|i| with(one.clone(), "kid", json!(i.to_string()))).collect::<Vec<_>>();
    assert!(set(&many(MAX_KEYS)).is_ok());
    assert_eq!(set(&many(MAX_KEYS + 1)).err(), Some(BadKeySet::TooLarge));
    assert_eq!(set(&many(1000)).err(), Some(BadKeySet::TooLarge));
    let padded = format!("{}{}", json!({ "keys": [one] }), " ".repeat(64 * 1024));
    assert_eq!(Jwks::parse(padded.as_bytes()).err(), Some(BadKeySet::TooLarge));
    for bad in ["", "null", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":["x"]}"#, r#"{"keys":[]} x"#, r#"{"keys":[],"keys":[]}"#, "<html>"] {
        assert_eq!(Jwks::parse(bad.as_bytes()).err(), Some(BadKeySet::Malformed), "{bad}");
    }
}

/// JW-25: a key is for one algorithm, whatever else it could do.
#[test]
fn the_key_decides_the_algorithm_and_never_the_token() {
    let rsa = Forge::new(Algorithm::Rs256);
    let claims = genuine_claims(1_795_305_600);
    let token = |algorithm: Algorithm| {
        let header = with(rsa.header("at+jwt"), "alg", json!(algorithm.as_str()));
        let message = format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()));
        format!("{message}.{}", base64url(&rsa.signature(&message, algorithm)))
    };
    let check = |token: &str, keys: &Jwks| Unverified::parse(token).and_then(|token| token.verify(keys)).map(|_| ());
    assert_eq!(check(&token(Algorithm::Rs256), &rsa.jwks()), Ok(()));
    assert_eq!(check(&token(Algorithm::Rs384), &rsa.jwks()), Err(Rejection::Algorithm));
    // A key that names no algorithm is for those of its kind.
    let unpinned = set(&[without(rsa.public_jwk.clone(), "alg")]).expect("a key set");
    assert_eq!(check(&token(Algorithm::Rs384), &unpinned), Ok(()));
    // The header says one, the signature is the other.
    let (head, tail) = (token(Algorithm::Rs384), token(Algorithm::Rs256));
    let mixed = format!("{}.{}", head.rsplit_once('.').expect("parts").0, tail.rsplit_once('.').expect("parts").1);
    assert_eq!(check(&mixed, &unpinned), Err(Rejection::Signature));
}

/// What we publish ourselves is what others may rely on: no private member, one use, one algorithm.
#[test]
fn our_own_public_keys_are_public() {
    for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::Rs256] {
        let key: Value = serde_json::from_str(&NewKey::generate(algorithm).expect("a key").public_jwk).expect("JSON");
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(key.get(private).is_none(), "{algorithm}");
        }
        assert_eq!((key["use"].as_str(), key["alg"].as_str()), (Some("sig"), Some(algorithm.as_str())));
    }
}
