//! Why a command failed: a sentence that says what to do, and an exit code that scripts can tell apart.

use std::fmt;
use std::process::ExitCode;

use super::redact::redact;
use crate::app::StartError;
use crate::config::BadConfig;
use crate::keys::KeyError;
use crate::password::PasswordError;
use crate::store;

/// A command that failed.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    text: String,
}

impl Failure {
    /// 1: something went wrong.
    #[must_use]
    pub fn failed(why: &dyn fmt::Display) -> Self {
        Self { code: 1, text: why.to_string() }
    }

    /// 2: what was asked makes no sense.
    #[must_use]
    pub fn usage(text: impl Into<String>) -> Self {
        Self { code: 2, text: text.into() }
    }

    /// 3: what was named is not there.
    #[must_use]
    pub fn not_found(text: impl Into<String>) -> Self {
        Self { code: 3, text: text.into() }
    }

    /// 4: it is there already, or still in use.
    #[must_use]
    pub fn conflict(text: impl Into<String>) -> Self {
        Self { code: 4, text: text.into() }
    }

    /// 5: the database cannot be used.
    #[must_use]
    pub fn unavailable(text: impl Into<String>) -> Self {
        Self { code: 5, text: text.into() }
    }

    /// 1, and nothing to say: the answer is "no", and stands where answers stand.
    #[must_use]
    pub fn refused() -> Self {
        Self { code: 1, text: String::new() }
    }

    /// The same of a command whose 1 is an answer: whatever kept it from answering is something else.
    #[must_use]
    pub(super) fn instead_of_an_answer(self) -> Self {
        Self { code: if self.code == 1 { 2 } else { self.code }, ..self }
    }

    /// The same, with one more thing that could be done.
    #[must_use]
    pub(super) fn or_else(self, advice: &str) -> Self {
        Self { text: format!("{}; {advice}", self.text), ..self }
    }

    /// Whether there is something to say.
    #[must_use]
    pub fn is_told(&self) -> bool {
        !self.text.is_empty()
    }

    /// For the shell.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redact(&self.text))
    }
}

impl From<BadConfig> for Failure {
    fn from(bad: BadConfig) -> Self {
        Self::usage(bad.to_string())
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        let code = match &error {
            store::Error::Exists | store::Error::InUse | store::Error::NotEmpty { .. } => 4,
            store::Error::Unavailable(_) | store::Error::Unusable(_) => 5,
            store::Error::Corrupt { .. } | store::Error::Database(_) => 1,
        };
        let text = match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        Self { code, text }
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Store(error) => error.into(),
            other => Self::failed(&other),
        }
    }
}

impl From<PasswordError> for Failure {
    fn from(error: PasswordError) -> Self {
        Self::failed(&error)
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Store(error) => error.into(),
            StartError::Keys(error) => error.into(),
            StartError::Passwords(error) => error.into(),
            StartError::Http(error) => Self::failed(&error),
        }
    }
}
