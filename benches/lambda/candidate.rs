//! Who is measured: a program, and where its keys come from.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::endpoint::{Endpoint, Endpoints};
use crate::issuer::{DATASTORE, ISSUER, ROLE};
use crate::options::Options;
use crate::python;

/// A build of the function.
struct Build {
    name: String,
    /// What runs it, where it is of another architecture.
    emulator: Option<String>,
    program: PathBuf,
    zip: Option<PathBuf>,
}

/// Where cargo and `scripts/package-lambda` build.
pub fn target_folder() -> &'static Path {
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    tmp.parent().unwrap_or(tmp)
}

/// Where the keys come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    Embedded,
    Http,
    Https,
}

impl Keys {
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// How it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The function of this machine's architecture.
    Native,
    /// The function of another one, whose processor qemu imitates: that it works is all that can be said.
    Emulated,
    /// The validator in Python.
    Python,
}

/// One of those that are compared.
pub struct Candidate {
    pub name: String,
    pub kind: Kind,
    pub keys: Keys,
    /// The program; of Python, its handler.
    pub program: PathBuf,
    pub zip: Option<PathBuf>,
    /// What is started.
    words: Vec<OsString>,
    settings: Vec<(&'static str, OsString)>,
}

impl Candidate {
    /// The command that starts it. What it says goes to a file.
    pub fn command(&self, service: &str, log: &Path) -> Result<Command, String> {
        let log = fs::File::create(log).map_err(|error| error.to_string())?;
        let errors = log.try_clone().map_err(|error| error.to_string())?;
        let (program, arguments) = self.words.split_first().ok_or("no program")?;
        let mut command = Command::new(program);
        command.args(arguments).env_clear().stdin(Stdio::null()).stdout(log).stderr(errors);
        command.env("AWS_LAMBDA_RUNTIME_API", service).env("AWS_LAMBDA_FUNCTION_NAME", "validator");
        command.env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256").env("AWS_LAMBDA_FUNCTION_VERSION", "1");
        command.env("ADMIT_ISSUER", ISSUER).env("ADMIT_DATASTORES", DATASTORE).env("USER_ROLE_ARN", ROLE);
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }

    /// The endpoint that it asks for keys.
    pub fn endpoint<'a>(&self, endpoints: &'a Endpoints) -> Option<&'a Endpoint> {
        match self.keys {
            Keys::Embedded => None,
            Keys::Http => Some(&endpoints.http),
            Keys::Https => Some(&endpoints.https),
        }
    }

    /// Which part of the events it gets: the slower ones would keep everybody waiting.
    pub fn share(&self) -> u32 {
        match (self.kind, self.keys) {
            (Kind::Native, _) => 1,
            (Kind::Python, Keys::Http) => 4,
            (Kind::Python, _) => 20,
            (Kind::Emulated, _) => 40,
        }
    }
}

/// Everybody who can run here.
pub fn all(options: &Options, jwks: &str, endpoints: &Endpoints) -> Result<Vec<Candidate>, String> {
    let mut candidates = Vec::new();
    for build in builds(options)? {
        let kind = if build.emulator.is_some() { Kind::Emulated } else { Kind::Native };
        let words: Vec<OsString> = build.emulator.into_iter().map(OsString::from).chain([build.program.clone().into()]).collect();
        for keys in [Keys::Embedded, Keys::Http, Keys::Https] {
            let settings = match keys {
                Keys::Embedded => vec![("ADMIT_JWKS", jwks.into())],
                Keys::Http => vec![("JWKS_URI", endpoints.http.url.clone().into())],
                Keys::Https => {
                    vec![("JWKS_URI", endpoints.https.url.clone().into()), ("ADMIT_CA_FILE", endpoints.authority.clone().into())]
                }
            };
            let (name, program, zip, words) = (build.name.clone(), build.program.clone(), build.zip.clone(), words.clone());
            candidates.push(Candidate { name, kind, keys, program, zip, words, settings });
        }
    }
    if !options.no_python {
        let python = python::Python::prepare()?;
        for (keys, endpoint) in [(Keys::Http, &endpoints.http), (Keys::Https, &endpoints.https)] {
            candidates.push(Candidate {
                name: "Python".to_owned(),
                kind: Kind::Python,
                keys,
                program: python.handler.clone(),
                zip: Some(python.zip.clone()),
                words: vec![python.interpreter.clone().into(), python.runtime.clone().into()],
                settings: vec![("JWKS_URI", endpoint.url.clone().into()), ("SSL_CERT_FILE", endpoints.authorities.clone().into())],
            });
        }
    }
    Ok(candidates)
}

/// The builds of the function that can run here.
fn builds(options: &Options) -> Result<Vec<Build>, String> {
    if !options.functions.is_empty() {
        let build = |path: &PathBuf| {
            let program = path.canonicalize().map_err(|error| format!("{}: {error}", path.display()))?;
            Ok(Build { name: path.display().to_string(), emulator: None, program, zip: None })
        };
        return options.functions.iter().map(build).collect();
    }
    let mut found = Vec::new();
    for (name, processor) in [("x86_64", "x86_64"), ("arm64", "aarch64")] {
        let program = target_folder().join(format!("{processor}-unknown-linux-musl/lambda/bootstrap"));
        let zip = target_folder().join(format!("lambda/admit-validator-{name}.zip"));
        let emulator = format!("qemu-{processor}-static");
        let is_native = processor == std::env::consts::ARCH;
        if !program.exists() || !zip.exists() {
            let missing = format!("{} is not built: run scripts/package-lambda {name} first", zip.display());
            if is_native {
                return Err(missing);
            }
            eprintln!("lambda: {missing}");
        } else if is_native {
            found.push(Build { name: name.to_owned(), emulator: None, program, zip: Some(zip) });
        } else if Command::new(&emulator).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok() {
            found.push(Build { name: name.to_owned(), emulator: Some(emulator), program, zip: Some(zip) });
        } else {
            eprintln!("lambda: {name} cannot run here without {emulator} (Debian: qemu-user-static)");
        }
    }
    Ok(found)
}
