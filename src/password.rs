//! Passwords of people: argon2id, off the async threads, in a bounded number of slots.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use subtle::ConstantTimeEq as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The longest password that is looked at, in bytes.
pub const MAX_PASSWORD_BYTES: usize = 1024;
/// The shortest that can be set, in characters (NIST SP 800-63B-4, without a second factor).
pub const MIN_PASSWORD_CHARS: usize = 15;
/// How long a sign-in waits for a slot.
const QUEUE: Duration = Duration::from_secs(2);
/// How many may wait for each slot: who comes after them would hardly have a turn in time (a check
/// takes 15 ms and more), and is told so at once, which costs next to nothing.
const WAITING_PER_SLOT: usize = 64;

/// Hashes and compares passwords.
pub struct Passwords {
    slots: Arc<Semaphore>,
    /// Places for those at work and for those who wait.
    places: Arc<Semaphore>,
    /// The memory of hashes that are done, for those to come: 19 MiB for each that was ever at work
    /// at once. Given back to the allocator, every thread that ever hashed would keep as much.
    memory: Arc<Mutex<Vec<Vec<Block>>>>,
}

/// A place among those whose turn will come in time.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "held, and given back when it is dropped")] OwnedSemaphorePermit);

/// What there is to compare with where there is no account: it takes as long, and no password is
/// behind it.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$IqC9sXZWejPJfrvYpl9X8w$uuWxmp+if3PwQqXQgdNf2hebih9oCd8RQFkl3I3bnao";

/// Why a password was not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Every slot was taken for too long, or too many are waiting already.
    #[error("too many sign-ins at once")]
    Busy,
    /// The stored hash cannot be read, or the library failed.
    #[error("a password hash could not be computed")]
    Broken,
}

/// Why a password cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Fewer than [`MIN_PASSWORD_CHARS`].
    #[error("a password has at least 15 characters; a few words in a row are fine")]
    Short,
    /// More than [`MAX_PASSWORD_BYTES`].
    #[error("a password has at most 1,024 bytes")]
    Long,
    /// It holds the user name.
    #[error("the password must not contain the user name")]
    Username,
    /// It is one character over and over, or well known.
    #[error("this password is too easy to guess")]
    Common,
}

/// OWASP's first choice for argon2id: 19 MiB, two passes, one lane.
fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

impl Passwords {
    /// With so many slots; one per core is right.
    ///
    /// # Errors
    /// [`PasswordError::Broken`], where the library cannot read its own hashes.
    pub fn new(slots: usize) -> Result<Self, PasswordError> {
        PasswordHash::new(DECOY).map_err(|_| PasswordError::Broken)?;
        let slots = slots.max(1);
        let places = Arc::new(Semaphore::new(slots * (1 + WAITING_PER_SLOT)));
        Ok(Self { slots: Arc::new(Semaphore::new(slots)), places, memory: Arc::default() })
    }

    /// A place for one who wants to sign in: to be taken before anything is looked up or written, so
    /// that those who are turned away take nothing from those who are served.
    ///
    /// # Errors
    /// [`PasswordError::Busy`]: there would be no turn in time.
    pub fn place(&self) -> Result<Place, PasswordError> {
        Arc::clone(&self.places).try_acquire_owned().map(Place).map_err(|_| PasswordError::Busy)
    }

    /// A PHC string for this password.
    ///
    /// # Errors
    /// [`PasswordError`]
    pub async fn hash(&self, password: &str) -> Result<String, PasswordError> {
        let password = password.to_owned();
        self.run(move || hash_now(&password)).await
    }

    /// Whether this is the password behind `hash`. Without a hash the answer is no, and takes as
    /// long as any other. The place is given back at the end.
    ///
    /// # Errors
    /// [`PasswordError`]
    pub async fn matches(&self, _place: Place, password: &str, hash: Option<&str>) -> Result<bool, PasswordError> {
        let (password, hash, is_real) = (password.to_owned(), hash.unwrap_or(DECOY).to_owned(), hash.is_some());
        let memory = Arc::clone(&self.memory);
        self.run(move || {
            let kept = || memory.lock().unwrap_or_else(PoisonError::into_inner);
            let mut blocks = kept().pop().unwrap_or_default();
            let matches = compare(&password, &hash, &mut blocks);
            kept().push(blocks);
            Ok(matches? && is_real)
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static) -> Result<T, PasswordError> {
        let slot = tokio::time::timeout(QUEUE, Arc::clone(&self.slots).acquire_owned()).await;
        let slot = slot.map_err(|_| PasswordError::Busy)?.map_err(|_| PasswordError::Busy)?;
        // The slot goes along: a request that gives up does not free a core that is still at work.
        let work = move || {
            let _slot = slot;
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| PasswordError::Broken)?
    }
}

/// Whether this is the password behind a PHC string, by the parameters that stand in it.
fn compare(password: &str, hash: &str, blocks: &mut Vec<Block>) -> Result<bool, PasswordError> {
    let parsed = PasswordHash::new(hash).map_err(|_| PasswordError::Broken)?;
    let (Some(salt), Some(expected)) = (&parsed.salt, &parsed.hash) else { return Err(PasswordError::Broken) };
    let algorithm = Algorithm::try_from(parsed.algorithm.as_str()).map_err(|_| PasswordError::Broken)?;
    let version = parsed.version.map_or(Ok(Version::default()), Version::try_from).map_err(|_| PasswordError::Broken)?;
    let params = Params::try_from(&parsed).map_err(|_| PasswordError::Broken)?;
    // What is left there of another password is overwritten in the first pass, before it is read.
    blocks.resize(params.block_count(), Block::new());
    let mut computed = vec![0; expected.len()];
    let hasher = Argon2::new(algorithm, version, params);
    hasher.hash_password_into_with_memory(password.as_bytes(), salt, &mut computed, &mut blocks[..]).map_err(|_| PasswordError::Broken)?;
    Ok(computed.ct_eq(expected.as_bytes()).into())
}

fn hash_now(password: &str) -> Result<String, PasswordError> {
    Ok(argon2().hash_password(password.as_bytes()).map_err(|_| PasswordError::Broken)?.to_string())
}

/// Whether a person may choose this password (NIST SP 800-63B-4 §3.1.1.2): length and context, no
/// rules of composition.
///
/// # Errors
/// [`WeakPassword`] says what to change.
pub fn check_strength(password: &str, username: &str) -> Result<(), WeakPassword> {
    let lower = password.to_lowercase();
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(WeakPassword::Long);
    }
    if password.chars().count() < MIN_PASSWORD_CHARS {
        return Err(WeakPassword::Short);
    }
    if username.len() >= 3 && lower.contains(&username.to_lowercase()) {
        return Err(WeakPassword::Username);
    }
    let mut distinct: Vec<char> = lower.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let is_row = "abcdefghijklmnopqrstuvwxyz0123456789012345678901234567890qwertyuiopasdfghjklzxcvbnm".contains(lower.as_str());
    if distinct.len() < 5 || is_row || lower.starts_with("passwordpassword") {
        return Err(WeakPassword::Common);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hash with the smallest parameters that there are.
    const CHEAP: &str = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAA";

    /// SS-31
    #[test]
    fn weak_passwords_are_refused_with_a_reason() {
        assert_eq!(check_strength("short", "ann"), Err(WeakPassword::Short));
        assert_eq!(check_strength("my name is dr.ann ok", "dr.ann"), Err(WeakPassword::Username));
        assert_eq!(check_strength("aaaaaaaaaaaaaaaaaaaa", "ann"), Err(WeakPassword::Common));
        assert_eq!(check_strength(&"x".repeat(1025), "ann"), Err(WeakPassword::Long));
        assert_eq!(check_strength("all lower case and no digit", "ann"), Ok(()));
    }

    /// SS-30: those for whom there is no turn in time are told at once, and those before them are served.
    #[tokio::test]
    async fn who_comes_when_too_many_wait_is_told_at_once() {
        let passwords = Passwords::new(1).expect("argon2 works");
        let slot = Arc::clone(&passwords.slots).acquire_owned().await.expect("the only slot");
        let mut waiting = Vec::new();
        for _ in 0..=WAITING_PER_SLOT {
            let mut sign_in = Box::pin(passwords.matches(passwords.place().expect("a place"), "one of many", Some(CHEAP)));
            assert!(futures_util::poll!(&mut sign_in).is_pending());
            waiting.push(sign_in);
        }
        assert_eq!(passwords.place().err(), Some(PasswordError::Busy));
        drop(slot);
        for sign_in in waiting {
            assert_eq!(sign_in.await, Ok(false));
        }
        assert!(passwords.place().is_ok());
    }

    /// SS-29: two passwords that begin with the same 72 bytes are different, and every byte counts.
    #[tokio::test]
    async fn passwords_are_compared_whole_and_exactly_as_typed() {
        let passwords = Passwords::new(2).expect("argon2 works");
        let start = "a".repeat(72);
        let hash = passwords.hash(&format!("{start}1")).await.expect("a hash");
        let place = || passwords.place().expect("a place");
        assert_eq!(passwords.matches(place(), &format!("{start}1"), Some(&hash)).await, Ok(true));
        for other in [format!("{start}2"), format!("{start}1 "), format!(" {start}1"), format!("{start}1\0")] {
            assert_eq!(passwords.matches(place(), &other, Some(&hash)).await, Ok(false));
        }
        assert_eq!(passwords.matches(place(), "no password at all", None).await, Ok(false));
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    }
}
