//! `admit client`: keys, and apps that register themselves.

use admit::token::Algorithm;
use serde_json::{Value, json};

use super::Admin;
use crate::support::Forge;

/// A file with this text, and the arguments that register a service with the keys in it.
fn service(admin: &Admin, jwks: &str) -> Vec<&'static str> {
    std::fs::write(admin.0.path().join("keys.json"), jwks).expect("written");
    vec!["client", "create", "export", "--name", "Export", "--auth", "private_key_jwt", "--scope", "system/*.rs", "--jwks", "keys.json"]
}

fn set(keys: &[&Value]) -> String {
    json!({ "keys": keys }).to_string()
}

#[test]
fn a_client_is_registered_with_its_keys() {
    let (admin, key) = (Admin::with_base(), Forge::new(Algorithm::Es384));
    let created = admin.json(
        &[&service(&admin, &key.jwks_text())[..], &["--assertion-alg", "PS384", "--assertion-alg", "ES256", "--issuer-only"]].concat(),
    );
    assert_eq!((&created["key_ids"], &created["jwks_uri"]), (&json!([key.kid]), &Value::Null));
    assert_eq!((&created["assertion_algs"], &created["issuer_only"]), (&json!(["ES256", "PS384"]), &json!(true)));
    assert_eq!((created.get("client_secret"), &created["grants"]), (None, &json!(["client_credentials"])));
    admin.fails(4, &["client", "rotate-secret", "export"]);

    let new = Forge::new(Algorithm::Es384);
    std::fs::write(admin.0.path().join("new.json"), set(&[&key.public_jwk, &new.public_jwk])).expect("written");
    let mut kids = [key.kid.clone(), new.kid];
    kids.sort();
    assert_eq!(admin.json(&["client", "set-keys", "export", "--jwks", "new.json"])["key_ids"], json!(kids));
    let uri = "https://export.test/jwks.json?v=1";
    let published = admin.json(&["client", "set-keys", "export", "--jwks-uri", uri]);
    assert_eq!((&published["key_ids"], &published["jwks_uri"]), (&json!([]), &json!(uri)));
}

/// CA-9: private keys, twins and keys that are of no use are refused, and said to be.
#[test]
fn a_key_set_is_looked_at_before_it_is_registered() {
    let (admin, key) = (Admin::with_base(), Forge::new(Algorithm::Es384));
    let with = |member: &str, value: Value| {
        let mut jwk = key.public_jwk.clone();
        jwk[member] = value;
        jwk
    };
    for (jwks, why) in [
        (set(&[&with("d", json!("AAAA"))]), "private key"),
        (set(&[&key.public_jwk, &key.public_jwk]), "same kid"),
        (set(&[]), "none of them can be used"),
        (set(&[&with("use", json!("enc"))]), "none of them can be used"),
        (set(&[&with("kid", json!(""))]), "none of them can be used"),
        (key.public_jwk.to_string(), "not a JSON Web Key Set"),
        (key.private_pem(), "not a JSON Web Key Set"),
    ] {
        let refused = admin.fails(2, &service(&admin, &jwks));
        assert!(refused.contains(why) && !refused.contains("AAAA"), "{refused}");
    }
    admin.fails(3, &[&service(&admin, "")[..9], &["--jwks", "missing.json"]].concat());
    assert_eq!(admin.json(&["client", "list"]), json!([]));
}

#[test]
fn keys_belong_to_clients_that_prove_themselves_by_them() {
    let (admin, key) = (Admin::with_base(), Forge::new(Algorithm::Es384));
    let good = service(&admin, &key.jwks_text());
    admin.fails(2, &good[..9]); // no keys
    admin.fails(2, &[&good[..], &["--jwks-uri", "https://export.test/jwks"]].concat());
    for uri in ["http://export.test/jwks", "ftp://export.test/", "https://u:p@export.test/", "https://export.test/#x"] {
        admin.fails(2, &[&good[..9], &["--jwks-uri", uri]].concat());
    }
    for more in
        [["--jwks", "keys.json"].as_slice(), &["--jwks-uri", "https://export.test/jwks"], &["--issuer-only"], &["--assertion-alg", "ES256"]]
    {
        let secret = ["client", "create", "export", "--name", "Export", "--auth", "client_secret_basic", "--scope", "system/*.rs"];
        let refused = admin.fails(2, &[&secret[..], more].concat());
        assert!(refused.contains("private_key_jwt"), "{refused}");
    }
    admin.fails(2, &[&good[..], &["--assertion-alg", "HS256"]].concat());
    admin.json(&good);
    admin.fails(2, &["client", "set-keys", "export"]);
    admin.create_app("app");
    admin.fails(4, &["client", "set-keys", "app", "--jwks", "keys.json"]);
    admin.fails(3, &["client", "set-keys", "nobody", "--jwks", "keys.json"]);
}

#[test]
fn a_registration_token_is_made_listed_and_ended() {
    let admin = Admin::with_base();
    let made = admin.json(&["client", "registration-token", "create", "Synthetic maker", "--uses", "3", "--days", "2"]);
    let token = made["registration_token"].as_str().expect("a token").to_owned();
    assert!(token.starts_with("si_") && token.len() == 46);
    let listed = admin.json(&["client", "registration-token", "list"]);
    assert_eq!(
        (&listed[0]["token_id"], &listed[0]["uses_left"], &listed[0]["name"]),
        (&made["token_id"], &json!(3), &json!("Synthetic maker"))
    );
    assert!(!listed.to_string().contains("si_"));
    let id = made["token_id"].as_str().expect("an id");
    admin.json(&["client", "registration-token", "delete", id]);
    admin.fails(3, &["client", "registration-token", "delete", id]);
    assert_eq!(admin.json(&["client", "registration-token", "list"]), json!([]));
    admin.fails(2, &["client", "registration-token", "create", "x", "--uses", "0"]);
    admin.create_app("app");
    let refused = admin.fails(4, &["client", "approve", "app"]);
    assert!(refused.contains("does not wait"), "{refused}");
    admin.fails(3, &["client", "approve", "nobody"]);
}
