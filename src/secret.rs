//! Secrets that machines make and present: codes, refresh tokens, sessions. The only user of
//! randomness.

use std::fmt;
use std::marker::PhantomData;

use aws_lc_rs::{digest, hmac, rand};
use time::OffsetDateTime;

use crate::token::base64url;

/// 256 random bits behind a prefix that scanners for leaked secrets can find. We hand it out once
/// and keep only its [`Digest`].
///
/// `Kind` stops a refresh token from being used where a code is wanted.
pub struct Secret<Kind>(String, PhantomData<Kind>);

/// What a kind of secret begins with.
pub trait Kind {
    /// The prefix, with its underscore.
    const PREFIX: &'static str;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $prefix:literal $alias:ident)*) => {$(
        /// A kind of [`Secret`].
        pub enum $kind {}
        impl Kind for $kind {
            const PREFIX: &'static str = $prefix;
        }
        $(#[$doc])*
        pub type $alias = Secret<$kind>;
    )*};
}

kinds! {
    /// An authorization code.
    Code "sc_" AuthorizationCode
    /// A refresh token.
    Refresh "sr_" RefreshToken
    /// The value of a session cookie.
    Session "ss_" SessionSecret
    /// The value of the cookie that binds a flow to a browser.
    Browser "sb_" BrowserSecret
    /// The value of the parameter `launch`.
    Launch "sl_" LaunchToken
    /// A client's password.
    Client "cs_" ClientSecret
    /// What an app has to present to register itself (RFC 7591 §3).
    InitialAccess "si_" InitialAccessToken
    /// What it manages its registration with (RFC 7592 §3).
    RegistrationAccess "sm_" RegistrationAccessToken
}

impl<K: Kind> Secret<K> {
    /// A new one.
    #[must_use]
    pub fn generate() -> Self {
        Self(format!("{}{}", K::PREFIX, base64url(&random::<32>())), PhantomData)
    }

    /// One that somebody presented; whether it is any good is the store's to say.
    #[must_use]
    pub fn presented(text: &str) -> Self {
        Self(text.to_owned(), PhantomData)
    }

    /// The text itself. The one word to search for in a review.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What the store keeps.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }

    /// A value that only the holder of this secret can name, for one purpose.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_bytes());
        base64url(hmac::sign(&key, purpose.as_bytes()).as_ref())
    }
}

/// How many characters of a refresh token are its family's.
const FAMILY: usize = 22;

impl RefreshToken {
    /// The first one of a new family: 128 random bits that its successors have as well, and 256 of its own.
    #[must_use]
    pub fn first() -> Self {
        Self(format!("{}{}{}", Refresh::PREFIX, nonce(), base64url(&random::<32>())), PhantomData)
    }

    /// The token that follows this one: computable from the parent and a salt, so that a lost
    /// answer can be given again without the store ever holding a token.
    #[must_use]
    pub fn successor(&self, salt: &str) -> Self {
        Self(format!("{}{}{}", Refresh::PREFIX, self.family_part(), self.derive(salt)), PhantomData)
    }

    /// What a token has in common with those before and after it, and nobody knows who never held one of
    /// them: by it, a used token is known without a row of its own.
    #[must_use]
    pub fn family(&self) -> Digest {
        Digest::of(&self.family_part())
    }

    /// Whether it was made before tokens said of which family they are.
    #[must_use]
    pub fn is_without_family(&self) -> bool {
        self.0.len() != Refresh::PREFIX.len() + FAMILY + 43
    }

    /// Of a token without, what it gives its successors.
    fn family_part(&self) -> String {
        let own = if self.is_without_family() { self.derive("family") } else { self.0.chars().skip(Refresh::PREFIX.len()).collect() };
        own.chars().take(FAMILY).collect()
    }
}

impl<K> fmt::Debug for Secret<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// SHA-256 of a secret, base64url. Enough for 256 random bits; people's passwords get argon2id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest(String);

impl Digest {
    /// The digest of this text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(base64url(digest::digest(&digest::SHA256, text.as_bytes()).as_ref()))
    }

    /// As the store keeps it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Bytes from the operating system's generator.
///
/// # Panics
/// Where the operating system has no randomness to give: nothing safe can be done then.
#[must_use]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[expect(clippy::disallowed_methods, reason = "this is the one place that may ask for randomness")]
    rand::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}

/// A salt, a nonce, a request's number: random text that is no secret.
#[must_use]
pub fn nonce() -> String {
    base64url(&random::<16>())
}

/// A UUIDv7 that sorts by `now`.
#[must_use]
pub fn unique_id(now: OffsetDateTime) -> String {
    let millis = u64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random::<10>()).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// CD-10: unique, 256 bits, and no character more likely than another.
    #[test]
    fn codes_are_unique_and_evenly_spread() {
        let mut seen = HashSet::new();
        let mut counts = [0u32; 64];
        for _ in 0..10_000 {
            let code = AuthorizationCode::generate();
            let body = code.expose().strip_prefix("sc_").expect("the prefix of codes").to_owned();
            assert_eq!(body.len(), 43);
            for byte in body.bytes().take(42) {
                let place = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".iter().position(|b| *b == byte);
                counts[place.expect("base64url")] += 1;
            }
            assert!(seen.insert(body));
        }
        let expected = 10_000.0 * 42.0 / 64.0;
        let chi2: f64 = counts.iter().map(|n| (f64::from(*n) - expected).powi(2) / expected).sum();
        // 63 degrees of freedom: 1 in 100,000 fair runs is above 127.
        assert!(chi2 < 127.0, "chi² {chi2}");
    }

    #[test]
    fn a_secret_does_not_print_itself() {
        let secret = ClientSecret::generate();
        assert!(!format!("{secret:?}").contains(secret.expose()));
    }

    #[test]
    fn a_successor_follows_from_parent_and_salt_alone() {
        let parent = RefreshToken::generate();
        assert_eq!(parent.successor("a").expose(), parent.successor("a").expose());
        assert_ne!(parent.successor("a").expose(), parent.successor("b").expose());
        assert_ne!(parent.successor("a").expose(), RefreshToken::generate().successor("a").expose());
    }

    #[test]
    fn a_family_is_the_same_from_the_first_token_to_the_last() {
        for (first, is_old) in [(RefreshToken::first(), false), (RefreshToken::generate(), true)] {
            assert_eq!(first.is_without_family(), is_old);
            let second = first.successor("a");
            let third = second.successor("b");
            assert_eq!([first.family(), second.family()], [third.family(), third.family()]);
            assert!(!second.is_without_family() && !third.is_without_family());
            assert_ne!(second.expose(), third.expose());
            assert_ne!(RefreshToken::first().family(), third.family());
        }
        for odd in ["", "sr_", "é", &"é".repeat(34), &"x".repeat(10_000)] {
            let _ = RefreshToken::presented(odd).successor("a").family();
        }
    }
}
