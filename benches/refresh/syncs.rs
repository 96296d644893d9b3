//! How often the server syncs its disk, told by a library that is loaded into it (`syncs.c`), which can also let each
//! sync take longer.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Where the library counts.
pub struct Syncs {
    file: PathBuf,
    library: PathBuf,
    longer: Duration,
}

impl Syncs {
    /// Compiles the library beside the database.
    pub fn beside(database: &Path, longer: Duration) -> Result<Self, String> {
        let (source, library) = (database.with_extension("syncs.c"), database.with_extension("syncs.so"));
        let file = database.with_extension("syncs");
        let written = fs::write(&source, include_str!("syncs.c")).and_then(|()| fs::write(&file, 0_u64.to_ne_bytes()));
        written.map_err(|error| error.to_string())?;
        let compiled = Command::new("cc").args(["-O2", "-shared", "-fPIC", "-o"]).arg(&library).arg(&source).arg("-ldl").status();
        if !compiled.as_ref().is_ok_and(std::process::ExitStatus::success) {
            return Err("the syncs are counted by a library in C, and `cc` does not compile it".to_owned());
        }
        Ok(Self { file, library, longer })
    }

    /// What stands before the server's command.
    pub fn words(&self) -> Vec<String> {
        vec![
            "env".to_owned(),
            format!("LD_PRELOAD={}", self.library.display()),
            format!("SYNCS_FILE={}", self.file.display()),
            format!("SYNCS_LONGER_US={}", self.longer.as_micros()),
        ]
    }

    /// How many there were since the server started.
    pub fn count(&self) -> Result<u64, String> {
        let bytes = fs::read(&self.file).map_err(|error| error.to_string())?;
        bytes.try_into().map(u64::from_ne_bytes).map_err(|_| "the file of the syncs is of another length".to_owned())
    }
}
