//! Reading a backup: what it is, whether it is whole, and what it says of itself.

use std::io::{self, BufRead, BufReader, Read, Write};

use age::{DecryptError, Decryptor};
use flate2::bufread::GzDecoder;

use super::{FORMAT, Keys, Manifest, Sum};

/// The longest manifest, in bytes: some forty tables.
const MAX_MANIFEST: u64 = 64 * 1024;

/// Why a backup cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadBackup {
    /// Neither a backup nor a database.
    #[error("it is neither a backup made by `admit backup` nor an SQLite database")]
    Foreign,
    /// Encrypted to recipients, and no identity was given.
    #[error("it is encrypted: say with --identity-file which age identity opens it")]
    NeedsIdentity,
    /// Encrypted with a passphrase, and none was given.
    #[error("it is encrypted with a passphrase: say with --passphrase-file where that is")]
    NeedsPassphrase,
    /// Encrypted to somebody else.
    #[error("no identity in the file opens it: it was encrypted to other recipients")]
    WrongIdentity,
    /// Not this passphrase.
    #[error("this is not its passphrase")]
    WrongPassphrase,
    /// By a later program.
    #[error("it was made by Admit {0}, in a form that this version does not know; use that version")]
    Newer(String),
    /// Part of it is missing, or is not what was written.
    #[error("it is damaged or incomplete: {0}")]
    Damaged(String),
    /// The copy could not be written.
    #[error("its database cannot be unpacked: {0}")]
    CannotWrite(#[source] io::Error),
}

/// What was given to restore from, as its first bytes say.
pub enum Source<R> {
    /// A database as it is.
    Database(R),
    /// A backup as it is.
    Plain(R),
    /// An encrypted one.
    Encrypted(Decryptor<R>),
}

/// A backup whose manifest has been read.
pub struct Opened<'r> {
    /// What it says of itself.
    pub manifest: Manifest,
    rest: BufReader<GzDecoder<Box<dyn BufRead + 'r>>>,
}

impl<'r, R: BufRead + 'r> Source<R> {
    /// Looks at how it begins.
    ///
    /// # Errors
    /// [`BadBackup`]
    pub fn of(mut from: R) -> Result<Self, BadBackup> {
        let start = from.fill_buf().map_err(damaged)?;
        if start.starts_with(b"SQLite format 3\0") {
            Ok(Self::Database(from))
        } else if start.starts_with(&[0x1f, 0x8b]) {
            Ok(Self::Plain(from))
        } else if start.starts_with(b"age-encryption.org/") {
            Decryptor::new_buffered(from).map(Self::Encrypted).map_err(|error| match error {
                DecryptError::Io(error) => damaged(error),
                _ => BadBackup::Damaged("its header is not one of age".to_owned()),
            })
        } else {
            Err(BadBackup::Foreign)
        }
    }

    /// Whether a passphrase opens it.
    #[must_use]
    pub fn wants_passphrase(&self) -> bool {
        matches!(self, Self::Encrypted(sealed) if sealed.is_scrypt())
    }

    /// Decrypts it where it has to be, and reads what it says of itself. A database as it is says nothing: `Err` has it
    /// back.
    ///
    /// # Errors
    /// [`BadBackup`]
    pub fn open(self, keys: &Keys) -> Result<Result<Opened<'r>, R>, BadBackup> {
        let packed: Box<dyn BufRead + 'r> = match self {
            Self::Database(database) => return Ok(Err(database)),
            Self::Plain(packed) => Box::new(packed),
            Self::Encrypted(sealed) => Box::new(BufReader::new(decrypt(sealed, keys)?)),
        };
        let mut rest = BufReader::new(GzDecoder::new(packed));
        let mut line = Vec::new();
        rest.by_ref().take(MAX_MANIFEST).read_until(b'\n', &mut line).map_err(damaged)?;
        let value: serde_json::Value = serde_json::from_slice(&line).map_err(|_| BadBackup::Foreign)?;
        // What a later form is like, nobody knows yet but for its number.
        if value["format"].as_u64().is_none_or(|format| format > u64::from(FORMAT)) {
            return Err(match (value["format"].as_u64(), value["program"].as_str()) {
                (Some(_), Some(program)) => BadBackup::Newer(program.chars().filter(|c| !c.is_control()).take(32).collect()),
                _ => BadBackup::Foreign,
            });
        }
        let manifest = serde_json::from_value(value).map_err(|_| BadBackup::Foreign)?;
        Ok(Ok(Opened { manifest, rest }))
    }
}

fn decrypt<'r, R: BufRead + 'r>(sealed: Decryptor<R>, keys: &Keys) -> Result<impl Read + 'r, BadBackup> {
    let is_by_passphrase = sealed.is_scrypt();
    match (is_by_passphrase, keys) {
        (true, Keys::Nothing | Keys::Identities(_)) => return Err(BadBackup::NeedsPassphrase),
        (false, Keys::Nothing | Keys::Passphrase(_)) => return Err(BadBackup::NeedsIdentity),
        _ => {}
    }
    let identities = keys.identities();
    sealed.decrypt(identities.iter().map(AsRef::as_ref)).map_err(|error| match error {
        DecryptError::KeyDecryptionFailed | DecryptError::DecryptionFailed | DecryptError::NoMatchingKeys if is_by_passphrase => {
            BadBackup::WrongPassphrase
        }
        DecryptError::NoMatchingKeys => BadBackup::WrongIdentity,
        DecryptError::ExcessiveWork { .. } => BadBackup::Damaged("to try a passphrase would take hours".to_owned()),
        DecryptError::Io(error) => damaged(error),
        _ => BadBackup::Damaged("its header was changed".to_owned()),
    })
}

impl Opened<'_> {
    /// Writes the database, to its last byte, and checks that it is the one that the manifest speaks of.
    ///
    /// # Errors
    /// [`BadBackup`]; what was written then is worth nothing.
    pub fn unpack(mut self, to: impl Write) -> Result<(), BadBackup> {
        let mut sum = Sum::default();
        let mut to = Target { to, failed: false };
        // One byte more than there should be is one too many, and no bomb.
        let copied = sum.copy(self.rest.by_ref().take(self.manifest.bytes.saturating_add(1)), &mut to);
        copied.map_err(|error| if to.failed { BadBackup::CannotWrite(error) } else { damaged(error) })?;
        // Reading on to the end lets age and gzip check their own.
        let excess = io::copy(&mut self.rest.by_ref().take(1), &mut io::sink()).map_err(damaged)?;
        let (bytes, sha256) = sum.finish();
        if excess > 0 || bytes != self.manifest.bytes {
            return Err(BadBackup::Damaged("its database is not as long as it says".to_owned()));
        }
        if sha256 != self.manifest.sha256 {
            return Err(BadBackup::Damaged("its database is not the one that it says".to_owned()));
        }
        let mut packed = self.rest.into_inner().into_inner();
        match packed.fill_buf().map_err(damaged)? {
            [] => Ok(()),
            _ => Err(BadBackup::Damaged("something follows after its end".to_owned())),
        }
    }
}

/// Remembers on which side an error was.
struct Target<W> {
    to: W,
    failed: bool,
}

impl<W: Write> Write for Target<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to.write(bytes).inspect_err(|_| self.failed = true)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush().inspect_err(|_| self.failed = true)
    }
}

fn damaged(error: impl std::fmt::Display) -> BadBackup {
    BadBackup::Damaged(error.to_string())
}
