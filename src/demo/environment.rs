//! What an HTTP client needs to talk to this demonstration, as files: a Postman environment, and
//! the same for the REST clients of editors (`docs/try`). Secrets are made up at every start, so
//! the files are as well.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;

/// A value, by the name that the requests of `docs/try` know it by.
pub(super) struct Variable<'a> {
    pub name: &'static str,
    pub value: &'a str,
    /// Whether a client should hide it.
    pub is_secret: bool,
}

/// The two files, gone with the demonstration.
pub struct EnvironmentFiles {
    /// For Postman and newman.
    pub postman: PathBuf,
    /// For REST Client and httpyac, which look for `.env` beside the requests.
    pub dotenv: PathBuf,
}

/// Writes both. The folder is ours alone.
pub(super) fn write(dir: &Path, variables: &[Variable]) -> io::Result<EnvironmentFiles> {
    let files = EnvironmentFiles { postman: dir.join("demo.postman_environment.json"), dotenv: dir.join("demo.env") };
    fs::write(&files.postman, postman(variables).to_string())?;
    fs::write(&files.dotenv, dotenv(variables))?;
    Ok(files)
}

fn postman(variables: &[Variable]) -> serde_json::Value {
    let values: Vec<_> = variables
        .iter()
        .map(|variable| {
            let kind = if variable.is_secret { "secret" } else { "default" };
            json!({ "key": variable.name, "value": variable.value, "type": kind, "enabled": true })
        })
        .collect();
    json!({ "name": "Admit demo", "values": values, "_postman_variable_scope": "environment" })
}

/// Quoted, because a value may have spaces; none of ours has a quotation mark.
fn dotenv(variables: &[Variable]) -> String {
    variables.iter().map(|variable| format!("{}='{}'\n", variable.name, variable.value)).collect()
}
