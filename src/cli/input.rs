//! Where a command reads from: a file, or `-` for its standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use super::Failure;

/// The most that is read at once; a file of patients is read line by line instead.
const MOST: u64 = 1024 * 1024;

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
