//! What is restored from: an encrypted backup, one in clear, or a database as it is.

use std::io::{self, BufReader, IsTerminal as _, Write as _};
use std::path::Path;

use time::OffsetDateTime;

use crate::backup::{BadBackup, Keys, Source};
use crate::cli::backup::private_file;
use crate::cli::{Failure, input, prompt};

/// Writes the database into a new file. The moment is the one that the backup was made at; a database says none.
pub(super) fn unpack(
    from: &Path,
    identities: Option<&Path>,
    passphrase: Option<&Path>,
    file: &Path,
) -> Result<Option<OffsetDateTime>, Failure> {
    let is_stdin = |path: &Path| path == Path::new("-");
    if is_stdin(from) && [identities, passphrase].into_iter().flatten().any(is_stdin) {
        return Err(Failure::usage("the backup and what opens it cannot both come from standard input"));
    }
    if is_stdin(from) && io::stdin().is_terminal() {
        return Err(Failure::usage("a backup is nothing to type: give it on standard input, or name its file with --from"));
    }
    refuse_half(from)?;
    let bad = |bad: BadBackup| Failure::failed(&format!("{} cannot be restored: {bad}", from.display()));
    let source = Source::of(input::open(from)?).map_err(bad)?;
    let keys = match (identities, &source) {
        (_, Source::Database(_) | Source::Plain(_)) => Keys::Nothing,
        (Some(path), Source::Encrypted(_)) => {
            Keys::of_file(BufReader::new(&input::read(path)?[..])).map_err(|why| Failure::usage(format!("{}: {why}", path.display())))?
        }
        (None, sealed) if passphrase.is_some() || (sealed.wants_passphrase() && io::stdin().is_terminal()) => {
            Keys::Passphrase(prompt::passphrase(passphrase, false)?)
        }
        _ => Keys::Nothing,
    };
    let mut to = private_file(file)?;
    let taken_at = match source.open(&keys).map_err(bad)? {
        Ok(backup) => {
            let taken_at = backup.manifest.taken_at;
            backup.unpack(&mut to).map_err(bad)?;
            Some(taken_at)
        }
        Err(mut database) => {
            io::copy(&mut database, &mut to).map_err(|error| bad(BadBackup::CannotWrite(error)))?;
            None
        }
    };
    to.flush().map_err(|error| bad(BadBackup::CannotWrite(error)))?;
    Ok(taken_at)
}

/// A database whose last commits are in a journal beside it is not whole without that.
fn refuse_half(from: &Path) -> Result<(), Failure> {
    for end in ["-wal", "-journal"] {
        let mut journal = from.as_os_str().to_owned();
        journal.push(end);
        if std::fs::metadata(&journal).is_ok_and(|journal| journal.len() > 0) {
            return Err(Failure::conflict(format!(
                "{} is not whole: its last changes are in {} beside it. Make a backup of it (`admit --database {} backup`), and restore that",
                from.display(),
                Path::new(&journal).display(),
                from.display()
            )));
        }
    }
    Ok(())
}
