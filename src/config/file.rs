//! The settings file (TOML): its keys are the flags, with underscores.

use std::path::{Path, PathBuf};

use clap::{Arg, Command};
use toml::{Table, Value};

use super::{BadConfig, settings};

/// What the file says. It stands beneath flags and variables: clap takes its values for defaults,
/// and reads them as it reads the flags.
pub struct File {
    path: PathBuf,
    settings: Vec<(String, Vec<String>)>,
}

impl File {
    /// Reads the file.
    ///
    /// # Errors
    /// [`BadConfig`], where it is not there, no TOML, or has a key that is no setting.
    pub fn read(path: &Path) -> Result<Self, BadConfig> {
        let bad = |why: &dyn std::fmt::Display| BadConfig(format!("the settings in {} cannot be read: {why}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| bad(&error))?;
        let table: Table = toml::from_str(&text).map_err(|error| bad(&error))?;
        let known = settings();
        let is_known = |key: &str| key != "config" && known.get_arguments().any(|setting| setting.get_id() == key);
        let settings = table.into_iter().map(|(key, value)| match words(&value) {
            _ if !is_known(&key) => Err(bad(&format!("{key:?} is no setting"))),
            None => Err(bad(&format!("{key} has to be a text, a number, true or false, or a list of these"))),
            Some(words) => Ok((key, words)),
        });
        Ok(Self { path: path.to_owned(), settings: settings.collect::<Result<_, _>>()? })
    }

    /// The command, for which the file speaks where neither flag nor variable does.
    #[must_use]
    pub fn beneath(&self, command: Command) -> Command {
        command.mut_args(|argument: Arg| match self.settings.iter().find(|(key, _)| argument.get_id() == key.as_str()) {
            Some((_, words)) => argument.default_values(words.clone()),
            None => argument,
        })
    }

    /// A value of the file is not what its setting takes.
    pub fn blame(&self, error: &clap::Error) -> BadConfig {
        BadConfig(format!("the settings in {} cannot be read: {}", self.path.display(), super::first_line(error)))
    }
}

/// A value as it would stand on the command line.
fn words(value: &Value) -> Option<Vec<String>> {
    let word = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(answer) => Some(answer.to_string()),
        _ => None,
    };
    match value {
        Value::Array(list) => list.iter().map(word).collect(),
        single => word(single).map(|word| vec![word]),
    }
}
