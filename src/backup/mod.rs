//! A backup file: a line of JSON that says what follows, and the database as one SQLite file; compressed (gzip), and
//! encrypted (age, <https://age-encryption.org/v1>) unless somebody wanted it otherwise.
//!
//! Ordinary tools open it as well: `age --decrypt --identity key.txt FILE | gunzip | tail --lines=+2 > admit.db`. Such a
//! database still has everything in it that was good once; `admit restore` sees to that.
//!
//! Reading and writing take little memory, however large the database is.

mod key;
mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Read, Write};

use aws_lc_rs::digest::{Context, SHA256};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

pub use key::{Keys, Protection, Recipient, Unusable};
pub use read::{BadBackup, Opened, Source};

/// The number of this form of backup. A program reads all up to its own.
const FORMAT: u32 = 1;
/// What is copied at once.
const CHUNK: usize = 64 * 1024;

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    format: u32,
    /// The version of Admit that wrote it.
    pub program: String,
    /// The last migration that its tables have seen.
    pub schema: i64,
    /// The moment whose data it has.
    #[serde(with = "time::serde::rfc3339")]
    pub taken_at: OffsetDateTime,
    /// How many rows each table has.
    pub rows: BTreeMap<String, i64>,
    /// The size of the database, in bytes.
    pub bytes: u64,
    /// The SHA-256 of the database, in hexadecimal.
    pub sha256: String,
}

impl Manifest {
    /// Reads the database once, to say what it is.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn of(database: impl Read, schema: i64, rows: BTreeMap<String, i64>, taken_at: OffsetDateTime) -> io::Result<Self> {
        let mut sum = Sum::default();
        sum.copy(database, io::sink())?;
        let program = env!("CARGO_PKG_VERSION").to_owned();
        let (bytes, sha256) = sum.finish();
        Ok(Self { format: FORMAT, program, schema, taken_at, rows, bytes, sha256 })
    }

    /// Writes the backup of this database.
    ///
    /// # Errors
    /// Where one cannot be read or the other not be written.
    pub fn write(&self, database: impl Read, to: impl Write, protection: &Protection) -> io::Result<()> {
        match protection.encryptor()? {
            None => self.compress(database, to)?.flush(),
            Some(encryptor) => self.compress(database, encryptor.wrap_output(to)?)?.finish()?.flush(),
        }
    }

    fn compress<W: Write>(&self, database: impl Read, to: W) -> io::Result<W> {
        let mut packed = GzEncoder::new(to, Compression::default());
        serde_json::to_writer(&mut packed, self)?;
        packed.write_all(b"\n")?;
        let mut sum = Sum::default();
        sum.copy(database, &mut packed)?;
        if sum.finish() != (self.bytes, self.sha256.clone()) {
            return Err(io::Error::other("the database was changed while it was read"));
        }
        packed.finish()
    }
}

/// Counts and digests what passes.
struct Sum {
    bytes: u64,
    digest: Context,
}

impl Default for Sum {
    fn default() -> Self {
        Self { bytes: 0, digest: Context::new(&SHA256) }
    }
}

impl Sum {
    fn copy(&mut self, mut from: impl Read, mut to: impl Write) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK];
        loop {
            match from.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(count) => {
                    self.bytes += count as u64;
                    self.digest.update(&chunk[..count]);
                    to.write_all(&chunk[..count])?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn finish(self) -> (u64, String) {
        let mut text = String::with_capacity(64);
        for byte in self.digest.finish().as_ref() {
            let _ = write!(text, "{byte:02x}"); // a String takes everything
        }
        (self.bytes, text)
    }
}
