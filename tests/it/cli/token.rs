//! `admit token inspect`

use admit::token::{Algorithm, base64url};
use serde_json::{Value, json};

use super::Admin;
use crate::support::{Forge, compact, genuine_claims};

/// A moment that has passed.
const THEN: i64 = 1_700_000_000;

#[test]
fn a_token_is_shown_with_its_times_and_not_believed() {
    let (admin, forge) = (Admin::new(), Forge::new(Algorithm::Es256));
    let token = forge.access_token(&genuine_claims(THEN));
    admin.write("token.txt", &format!("Bearer {token}\n"));
    let done = admin.run(&["token", "inspect", "--token", "@token.txt"]);
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""));
    assert!(done.out.starts_with("NOT VERIFIED"), "{}", done.out);
    for expected in [
        "It looks like an access token.",
        "  alg  ES256\n",
        "2023-11-14T22:23:20Z (",
        " days ago)",
        "patient/*.rs",
        "Warning: it has expired",
    ] {
        assert!(done.out.contains(expected), "{expected} is not in {}", done.out);
    }
    for (args, input) in [
        (vec!["token", "inspect", "--json"], token.as_str()),
        (vec!["token", "inspect", "--json", "--token", "-"], token.as_str()),
        (vec!["token", "inspect", "--json", "--token", &token], ""),
    ] {
        let done = admin.run_with(&args, input);
        assert_eq!(done.code, Some(0), "{}", done.err);
        assert_eq!(done.err.contains("process list"), input.is_empty(), "{}", done.err);
        let shown: Value = serde_json::from_str(&done.out).expect("JSON");
        assert_eq!((&shown["verified"], &shown["kind"]), (&json!(false), &json!("access_token")));
        assert_eq!((&shown["claims"], &shown["header"]), (&genuine_claims(THEN), &forge.header("at+jwt")));
        assert_eq!(shown["times"]["exp"], "2023-11-14T22:23:20Z");
        for part in token.split('.') {
            assert!(!done.out.contains(part) && !done.err.contains(part));
        }
    }
    assert!(!admin.0.path().join("test.db").exists());
}

#[test]
fn what_is_no_good_is_told_and_what_is_no_token_refused() {
    let admin = Admin::new();
    let inspect = |token: &str| admin.run_with(&["token", "inspect"], token);
    let unsigned = compact(&json!({ "alg": "none", "jku": "https://evil.test" }), &json!({ "exp": 1, "nonce": "n" }), b"");
    let shown = inspect(&unsigned);
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    for warning in ["\"jku\", which is not allowed", "alg is none", "no key (kid)", "no signature", "wants the access token"] {
        assert!(shown.out.contains(warning), "{warning} is not in {}", shown.out);
    }
    for (text, kind) in
        [("0123456789abcdef", "an opaque token"), ("sr_synthetic", "a refresh token of Admit's"), ("a.b", "an opaque token")]
    {
        let shown = inspect(text);
        assert!(shown.code == Some(0) && shown.out.contains(kind) && !shown.out.contains(text), "{}", shown.out);
    }
    for (text, code, error) in [
        ("eyJhbGciOiJFUzI1NiJ9.eyJ", 1, "has 2. Was it cut off?"),
        ("a.b.c", 1, "its header is not base64url"),
        ("e30.bm8.x", 1, "its payload is not JSON"),
        ("two words", 1, "white space"),
        ("", 2, "there is no token"),
        (" \n", 2, "there is no token"),
    ] {
        let done = inspect(text);
        assert_eq!((done.code, done.out.as_str()), (Some(code), ""), "{text}");
        assert!(done.err.contains(error), "{text}: {}", done.err);
    }
    admin.fails(3, &["token", "inspect", "--token", "@none.txt"]);
    admin.write("token.txt", "e30.e30.x");
    assert!(admin.fails(2, &["token", "inspect", "--token", "token.txt"]).contains("--token @token.txt"));
    assert_eq!(inspect(&"x".repeat(2 << 20)).code, Some(1));
    std::fs::write(admin.0.path().join("bytes"), [0xff, 0xfe]).expect("a file");
    assert!(admin.fails(2, &["token", "inspect", "--token", "@bytes"]).contains("not text"));
}

/// What others wrote into a token cannot steer the terminal, or hide what stands beside it.
#[test]
fn no_claim_steers_the_terminal() {
    let admin = Admin::new();
    let evil = "\u{1b}[2J\u{9b}31m\u{202e}\u{7f}\r\n\u{2028}";
    let claims = json!({ "sub": evil, evil: [evil], "exp": { evil: 1 } });
    let token = compact(&json!({ "alg": evil, "typ": evil, evil: 1 }), &claims, b"x");
    for args in [&["token", "inspect"][..], &["token", "inspect", "--json"]] {
        let done = admin.run_with(args, &token);
        assert_eq!(done.code, Some(0), "{}", done.err);
        assert!(!done.out.contains(|c: char| (c.is_control() && c != '\n') || matches!(c, '\u{2028}' | '\u{202e}')), "{:?}", done.out);
    }
    let shown: Value = serde_json::from_str(&admin.run_with(&["token", "inspect", "--json"], &token).out).expect("JSON");
    assert_eq!(shown["claims"], claims);
    let odd = format!("{}.{}.", base64url(b"\x1b[2J"), base64url(b"{}"));
    assert!(!admin.run_with(&["token", "inspect"], &odd).err.contains('\u{1b}'));
}
