//! Who can open a backup: the holders of age identities, or whoever knows a passphrase.

use std::fmt;
use std::io::{self, BufRead};
use std::iter;
use std::str::FromStr;

use age::secrecy::SecretString;
use age::{Encryptor, scrypt, x25519};

/// What scrypt costs who opens or guesses: N = 2^18, which takes a second and 256 MiB. The age tool does the same.
const WORK: u8 = 18;
/// The most that is spent on a file of somebody else's.
const MOST_WORK: u8 = 22;

/// Whom a backup is encrypted to: the public half of an age identity.
#[derive(Clone)]
pub struct Recipient(x25519::Recipient);

/// A recipient or an identity that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(String);

impl FromStr for Recipient {
    type Err = Unusable;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("AGE-SECRET-KEY-") {
            return Err(Unusable("that is an identity, which opens backups: a recipient, which makes them, begins with age1".to_owned()));
        }
        text.parse().map(Self).map_err(|_| Unusable("that is not an age recipient, such as age1… from `age-keygen`".to_owned()))
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({})", self.0)
    }
}

impl Recipient {
    /// The recipients of a file, one on each line; empty lines and those that begin with `#` do not count.
    ///
    /// # Errors
    /// [`Unusable`] names the line.
    pub fn of_file(text: &str) -> Result<Vec<Self>, Unusable> {
        let lines = text.lines().enumerate().map(|(number, line)| (number + 1, line.trim()));
        let meant = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let found: Vec<Self> = meant
            .map(|(number, line)| line.parse().map_err(|Unusable(why)| Unusable(format!("line {number}: {why}"))))
            .collect::<Result<_, _>>()?;
        if found.is_empty() { Err(Unusable("there is no recipient in it".to_owned())) } else { Ok(found) }
    }
}

/// How a backup is protected.
pub enum Protection {
    /// Whoever has it reads it.
    Nothing,
    /// Each of these alone can open it.
    Recipients(Vec<Recipient>),
    /// Whoever knows this.
    Passphrase(String),
}

impl Protection {
    pub(super) fn encryptor(&self) -> io::Result<Option<Encryptor>> {
        let encryptor = match self {
            Self::Nothing => return Ok(None),
            Self::Recipients(recipients) => Encryptor::with_recipients(recipients.iter().map(|own| &own.0 as _)),
            Self::Passphrase(passphrase) => {
                let mut recipient = scrypt::Recipient::new(SecretString::from(passphrase.clone()));
                recipient.set_work_factor(WORK);
                Encryptor::with_recipients(iter::once(&recipient as _))
            }
        };
        encryptor.map(Some).map_err(io::Error::other)
    }
}

/// What opens an encrypted backup.
pub enum Keys {
    /// Nothing is at hand.
    Nothing,
    /// Identities of age.
    Identities(Vec<x25519::Identity>),
    /// A passphrase.
    Passphrase(String),
}

impl Keys {
    /// The identities of a file, as `age-keygen` writes it.
    ///
    /// # Errors
    /// [`Unusable`] names the line, and nothing of what stands in it.
    pub fn of_file(file: impl BufRead) -> Result<Self, Unusable> {
        let mut found = Vec::new();
        for (line, number) in file.lines().zip(1..) {
            let line = line.map_err(|_| Unusable("it is not text".to_owned()))?;
            match line.trim() {
                comment if comment.is_empty() || comment.starts_with('#') => {}
                line => found.push(
                    line.parse()
                        .map_err(|_| Unusable(format!("line {number} is no identity of age, which begins with AGE-SECRET-KEY-1")))?,
                ),
            }
        }
        if found.is_empty() { Err(Unusable("there is no identity in it".to_owned())) } else { Ok(Self::Identities(found)) }
    }

    /// Calls `with` with what age asks for.
    pub(super) fn identities(&self) -> Vec<Box<dyn age::Identity>> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Identities(own) => own.iter().map(|own| Box::new(own.clone()) as _).collect(),
            Self::Passphrase(passphrase) => {
                let mut identity = scrypt::Identity::new(SecretString::from(passphrase.clone()));
                identity.set_max_work_factor(MOST_WORK);
                vec![Box::new(identity)]
            }
        }
    }
}
