//! Proof Key for Code Exchange, S256 only (RFC 7636).

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::secret::Digest;

/// A `code_challenge`: the SHA-256 of a verifier, 43 characters of base64url.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Challenge(String);

/// A `code_verifier`: 43 to 128 unreserved characters.
pub struct Verifier(String);

impl Challenge {
    /// `None` where the text cannot be the SHA-256 of anything.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_base64url = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        (text.len() == 43 && is_base64url).then(|| Self(text.to_owned()))
    }

    /// As it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the challenge of that verifier.
    #[must_use]
    pub fn is_met_by(&self, verifier: &Verifier) -> bool {
        verifier.challenge().0.as_bytes().ct_eq(self.0.as_bytes()).into()
    }
}

impl Verifier {
    /// `None` where the text is no verifier (RFC 7636 §4.1).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_unreserved = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
        ((43..=128).contains(&text.len()) && is_unreserved).then(|| Self(text.to_owned()))
    }

    /// The challenge that belongs to it.
    #[must_use]
    pub fn challenge(&self) -> Challenge {
        Challenge(Digest::of(&self.0).as_str().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7636, appendix B.
    #[test]
    fn the_rfc_s_example_matches() {
        let verifier = Verifier::parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").expect("a verifier");
        assert_eq!(verifier.challenge().as_str(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert!(verifier.challenge().is_met_by(&verifier));
        assert!(!verifier.challenge().is_met_by(&Verifier(verifier.0.replace('d', "e"))));
    }

    /// PK-05, PK-10
    #[test]
    fn lengths_and_characters_are_those_of_the_rfc() {
        for bad in ["a".repeat(42), "a".repeat(44), "a".repeat(128), format!("{}=", "a".repeat(42)), format!("{}+", "a".repeat(42))] {
            assert!(Challenge::parse(&bad).is_none(), "{bad}");
        }
        for bad in ["a".repeat(42), "a".repeat(129), format!("{} ", "a".repeat(50)), format!("{}ä", "a".repeat(50))] {
            assert!(Verifier::parse(&bad).is_none(), "{bad}");
        }
        assert!(Challenge::parse(&"a".repeat(43)).is_some() && Verifier::parse(&"~".repeat(128)).is_some());
    }
}
