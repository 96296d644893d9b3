//! Where a command reads from: a file, or `-` for its standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal as _, Read as _};
use std::path::Path;

use super::Failure;
use super::output::note;

/// The most that is read at once; a file of patients is read line by line instead.
const MOST: u64 = 1024 * 1024;

/// A token that was named: itself, `@` and the file that it is in, or `-` for the standard input. White space around
/// it is no part of it.
pub(super) fn token(named: &str) -> Result<String, Failure> {
    let bytes = match named.strip_prefix('@') {
        Some(file) => read(Path::new(file))?,
        None if named == "-" => {
            if io::stdin().is_terminal() {
                note("Paste the token, then press Enter and Ctrl-D.");
            }
            read(Path::new("-"))?
        }
        None if Path::new(named).exists() => {
            return Err(Failure::usage(format!("{named} is a file: --token @{named} reads the token that is in it")));
        }
        None => {
            note("The token stands in the process list and in the shell's history: --token @FILE and --token - keep it out of both.");
            named.as_bytes().to_vec()
        }
    };
    let text = String::from_utf8(bytes).map_err(|_| Failure::usage("that is no token: it is not text"))?;
    match text.trim() {
        "" => Err(Failure::usage("there is no token: give it as --token @FILE, or on standard input with --token -")),
        token => Ok(token.to_owned()),
    }
}

/// Opens the file, or the standard input.
pub(super) fn open(path: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    match File::open(path) {
        Ok(file) => Ok(Box::new(BufReader::new(file))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Failure::not_found(format!("there is no file {}", path.display()))),
        Err(error) => Err(cannot_read(path, &error)),
    }
}

/// Everything that is in it.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    open(path)?.take(MOST + 1).read_to_end(&mut bytes).map_err(|error| cannot_read(path, &error))?;
    match bytes.len() as u64 {
        ..=MOST => Ok(bytes),
        _ => Err(Failure::failed(&format!("{} is larger than 1 MiB; is it the right file?", path.display()))),
    }
}

pub(super) fn cannot_read(path: &Path, error: &io::Error) -> Failure {
    Failure::failed(&format!("{} cannot be read: {error}", path.display()))
}
