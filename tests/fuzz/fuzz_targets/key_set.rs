//! Whatever an issuer publishes is a key set or refused.
#![no_main]

use admit::token::{Jwks, MAX_KEYS};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(keys) = Jwks::parse(bytes) {
        let kids = keys.kids();
        assert!(kids.len() <= MAX_KEYS && kids.is_empty() == keys.is_empty());
        assert!(kids.iter().all(|kid| !kid.is_empty() && keys.get(kid).is_some()));
    }
});
