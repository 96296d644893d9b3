//! `admit backup`: the whole database in one encrypted file, while servers run.

use std::fs::File;
use std::io::{self, BufReader, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use tempfile::{NamedTempFile, TempDir};
use time::OffsetDateTime;
use time::macros::format_description;

use super::desk::{Desk, refuse_missing};
use super::output::{Output, Record, at, note};
use super::{Failure, input, prompt};
use crate::backup::{Manifest, Protection, Recipient};
use crate::clock::Clock;
use crate::config::Config;
use crate::store::{Location, Schema, snapshot};

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Backup {
    #[command(flatten)]
    output: Output,
    /// The new file, or - for standard output [default: admit-TIME.backup.age in this folder]
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// An age recipient (age1…), whose identity opens the backup; may be given several times
    #[arg(long, value_name = "RECIPIENT")]
    recipient: Vec<String>,
    /// A file with such recipients, one on each line
    #[arg(long, value_name = "FILE")]
    recipient_file: Vec<PathBuf>,
    /// A file with a passphrase that opens the backup, or - for standard input [default: asked for, on a terminal]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["recipient", "recipient_file"])]
    passphrase_file: Option<PathBuf>,
    /// Write it so that whoever has the file reads it
    #[arg(long, conflicts_with_all = ["recipient", "recipient_file", "passphrase_file"])]
    unencrypted: bool,
}

const EXAMPLES: &str = "\
Examples:
  admit backup                                               asks for a passphrase
  admit backup --recipient-file recipients.txt --to /backups/monday.age
  admit backup --recipient age1… --to - | aws s3 cp - s3://backups/admit.age

The master key is not in a backup: keep a copy of it elsewhere. Without it, the signing keys are lost.";

pub(super) async fn run(config: Config, asked: Backup) -> Result<(), Failure> {
    let now = Clock::System.now();
    refuse_missing(&config.database)?;
    let protection = asked.protection()?;
    let to = asked.target(now, &protection)?;
    // Beside the database, whatever the backup is written to: nothing in clear gets there.
    let folder = match &config.database {
        Location::Sqlite(path) => folder_of(path).to_owned(),
        Location::Postgres(_) => std::env::temp_dir(),
    };
    let work = private_folder(&folder)?;
    let copy = work.path().join("snapshot.db");
    private_file(&copy)?;
    if let Err(why) = write_down(&config).await {
        note(&format!("the audit trail does not say that this backup was made: {why}"));
    }
    let taken = snapshot(&config.database, &copy, now).await?;
    let is_stream = to.is_none();
    let record = tokio::task::spawn_blocking(move || {
        let cannot = |error: io::Error| Failure::failed(&format!("the backup cannot be written: {error}"));
        let database = File::open(&copy).map_err(cannot)?;
        // From here on, nothing in clear stays behind, however this ends.
        work.close().map_err(cannot)?;
        let manifest = Manifest::of(&database, taken.schema, taken.rows, now).map_err(cannot)?;
        write(&manifest, database, to.as_deref(), &protection)?;
        Ok::<_, Failure>(describe(&manifest, to.as_deref(), &protection))
    });
    let record = record.await.map_err(|error| Failure::failed(&error))??;
    note("The master key is not in the backup: keep a copy of it elsewhere. Without it, the signing keys are lost.");
    if is_stream { Ok(()) } else { asked.output.one(&record) }
}

/// Writes into the trail that everything is read. Tables of another version stay as they are; and a full disk or
/// a damaged database is no reason to go without a backup.
async fn write_down(config: &Config) -> Result<(), Failure> {
    let schema = Schema::of(&config.database).await?;
    if !schema.pending.is_empty() || !schema.unknown.is_empty() {
        return Err(Failure::unavailable("its tables are those of another version"));
    }
    let desk = Desk::open(config.clone()).await?;
    let written = desk.reads("backup").await;
    desk.store.close().await;
    written
}

impl Backup {
    fn protection(&self) -> Result<Protection, Failure> {
        if self.unencrypted {
            return Ok(Protection::Nothing);
        }
        let mut recipients = Vec::new();
        for text in &self.recipient {
            recipients.push(text.parse().map_err(|why: crate::backup::Unusable| Failure::usage(format!("--recipient: {why}")))?);
        }
        for path in &self.recipient_file {
            let text = String::from_utf8(input::read(path)?).unwrap_or_default();
            recipients.extend(Recipient::of_file(&text).map_err(|why| Failure::usage(format!("{}: {why}", path.display())))?);
        }
        if !recipients.is_empty() {
            return Ok(Protection::Recipients(recipients));
        }
        if self.passphrase_file.is_none() && !io::stdin().is_terminal() {
            return Err(Failure::usage(
                "say who can open the backup: --recipient, --recipient-file or --passphrase-file. It has personal data and password hashes in it; --unencrypted lets everybody read them who gets hold of it",
            ));
        }
        prompt::passphrase(self.passphrase_file.as_deref(), true).map(Protection::Passphrase)
    }

    /// Where it goes; none is the standard output.
    fn target(&self, now: OffsetDateTime, protection: &Protection) -> Result<Option<PathBuf>, Failure> {
        let path = match &self.to {
            Some(path) if path == Path::new("-") => {
                if io::stdout().is_terminal() {
                    return Err(Failure::usage("a backup is nothing to look at: send it to a file or to another program"));
                }
                return Ok(None);
            }
            Some(path) => path.clone(),
            None => {
                let end = if matches!(protection, Protection::Nothing) { "backup" } else { "backup.age" };
                PathBuf::from(format!("admit-{}.{end}", stamp(now)))
            }
        };
        if path.symlink_metadata().is_ok() {
            return Err(Failure::conflict(format!("{} is there already, and a backup takes the place of nothing", path.display())));
        }
        Ok(Some(path))
    }
}

/// A moment, as it stands in the names of files.
pub(super) fn stamp(now: OffsetDateTime) -> String {
    now.format(format_description!("[year][month][day]T[hour][minute][second]Z")).unwrap_or_else(|_| now.unix_timestamp().to_string())
}

/// The folder that a file is in.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A folder that nobody else can look into, and that goes away with the value.
pub(super) fn private_folder(within: &Path) -> Result<TempDir, Failure> {
    let made = tempfile::Builder::new().prefix(".admit-").tempdir_in(within);
    made.map_err(|error| Failure::failed(&format!("nothing can be written to {}: {error}", within.display())))
}

/// A new and empty file for its owner alone.
pub(super) fn private_file(path: &Path) -> Result<File, Failure> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.map_err(|error| Failure::failed(&format!("{} cannot be written: {error}", path.display())))
}

/// A file is there whole and for good, or not at all.
fn write(manifest: &Manifest, database: File, to: Option<&Path>, protection: &Protection) -> Result<(), Failure> {
    use std::io::Seek as _;
    let cannot = |error: io::Error| Failure::failed(&format!("the backup cannot be written: {error}"));
    let mut database = database;
    database.rewind().map_err(cannot)?;
    let database = BufReader::new(database);
    let Some(path) = to else {
        return manifest.write(database, io::BufWriter::new(io::stdout().lock()), protection).map_err(cannot);
    };
    let folder = folder_of(path);
    // Only its owner can read a temporary file, and so it stays.
    let file = NamedTempFile::new_in(folder).map_err(cannot)?;
    let mut buffered = io::BufWriter::new(file.as_file());
    manifest.write(database, &mut buffered, protection).and_then(|()| buffered.flush()).map_err(cannot)?;
    drop(buffered);
    file.as_file().sync_all().map_err(cannot)?;
    file.persist_noclobber(path).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => Failure::conflict(format!("{} came to be meanwhile, and stays as it is", path.display())),
        _ => cannot(error.error),
    })?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(cannot)
}

fn describe(manifest: &Manifest, to: Option<&Path>, protection: &Protection) -> Record {
    let opens = match protection {
        Protection::Nothing => "anybody".to_owned(),
        Protection::Recipients(all) if all.len() == 1 => "1 identity".to_owned(),
        Protection::Recipients(all) => format!("each of {} identities", all.len()),
        Protection::Passphrase(_) => "the passphrase".to_owned(),
    };
    Record::default()
        .with("file", to.map(|path| path.to_string_lossy().into_owned()))
        .with("opened_by", opens)
        .with("taken_at", at(manifest.taken_at))
        .with("program", manifest.program.as_str())
        .with("schema", manifest.schema)
        .with("rows", manifest.rows.values().sum::<i64>())
        .with("database_bytes", manifest.bytes)
        .with("database_sha256", manifest.sha256.as_str())
}
