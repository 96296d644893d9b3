//! The validator in Python that `bootstrap` is measured beside: installed and packed as a Lambda function is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::candidate::target_folder;

const SOURCES: [(&str, &str); 3] = [
    ("handler.py", include_str!("python/handler.py")),
    ("runtime.py", include_str!("python/runtime.py")),
    ("requirements.txt", include_str!("python/requirements.txt")),
];

/// An installed validator in Python.
pub struct Python {
    /// The interpreter itself, not a script that looks for it.
    pub interpreter: PathBuf,
    pub handler: PathBuf,
    pub runtime: PathBuf,
    pub zip: PathBuf,
}

impl Python {
    /// Installs what it needs below the target folder, once for every change of what it needs.
    pub fn prepare() -> Result<Self, String> {
        let here = run(Command::new("python3").args(["-c", "import sys; print(sys.executable)"]))?;
        let interpreter = PathBuf::from(here.trim());
        let (folder, zip) = (target_folder().join("lambda/python"), target_folder().join("lambda/python.zip"));
        let is_current = SOURCES.iter().all(|(name, text)| fs::read_to_string(folder.join(name)).is_ok_and(|old| old == *text));
        if !is_current || !zip.exists() {
            eprintln!("lambda: installing the validator in Python in {} …", folder.display());
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
            for (name, text) in SOURCES {
                fs::write(folder.join(name), text).map_err(|error| error.to_string())?;
            }
            let mut install = Command::new(&interpreter);
            install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action", "ignore", "--target"]);
            run(install.arg(&folder).arg("--requirement").arg(folder.join("requirements.txt")))?;
            pack(&folder, &zip)?;
        }
        Ok(Self { interpreter, handler: folder.join("handler.py"), runtime: folder.join("runtime.py"), zip })
    }
}

/// Without what the interpreter compiled: few pack that.
fn pack(folder: &Path, zip: &Path) -> Result<(), String> {
    let _ = fs::remove_file(zip);
    run(Command::new("zip").current_dir(folder).args(["-q", "-r", "-9"]).arg(zip).args([".", "-x", "*/__pycache__/*", "bin/*"]))?;
    Ok(())
}

/// What the command says.
fn run(command: &mut Command) -> Result<String, String> {
    let why = match command.output() {
        Ok(output) if output.status.success() => return Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    Err(format!("{:?} fails: {why} (--no-python does without)", command.get_program()))
}
