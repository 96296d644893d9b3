//! Whatever is presented as a token is taken apart or refused, and never printed.
#![no_main]

use admit::token::{Jwks, MAX_TOKEN_BYTES, Unverified};
use admit::validate::BearerToken;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(token) = BearerToken::read(text) {
        assert!(token.expose().len() <= MAX_TOKEN_BYTES && !token.expose().is_empty());
        assert_eq!(format!("{token:?}"), "BearerToken(…)");
    }
    if let Ok(token) = Unverified::parse(text) {
        assert!(!token.kid().is_empty());
        let _ = (token.issuer(), token.typ(), token.algorithm());
        assert!(token.verify(&Jwks::default()).is_err());
    }
});
