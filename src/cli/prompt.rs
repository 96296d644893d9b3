//! What a person is asked for at a terminal: a yes, or a password.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

use super::{Failure, input};
use crate::password::check_strength;

/// Goes on only where somebody said yes.
pub(super) fn confirm(question: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::usage("this cannot be undone, and there is no terminal to ask on: say --yes if it is meant"));
    }
    let cannot = |error: io::Error| Failure::failed(&format!("the terminal cannot be read: {error}"));
    let mut stderr = io::stderr();
    write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush()).map_err(cannot)?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(cannot)?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::failed(&"nothing was changed")),
    }
}

/// A password that is good enough, from a file or typed twice. It is never a flag's value: those
/// stand in the process list and in the shell's history.
pub(super) fn password(file: Option<&Path>, username: &str) -> Result<String, Failure> {
    let check = |password: &str| check_strength(password, username).map_err(|weak| Failure::usage(weak.to_string()));
    if let Some(path) = file {
        let text = String::from_utf8(input::read(path)?).map_err(|_| Failure::usage("the password is not UTF-8 text"))?;
        let password = without_newline(&text);
        check(password)?;
        return Ok(password.to_owned());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::usage("there is no terminal to ask for the password on: give --password-file FILE, or - for standard input"));
    }
    let ask = |prompt: &str| {
        rpassword::prompt_password(prompt).map_err(|error| Failure::failed(&format!("the password cannot be read: {error}")))
    };
    let password = ask(&format!("Password for {username}: "))?;
    check(&password)?;
    if ask("The same again: ")? != password {
        return Err(Failure::usage("the two passwords differ; nothing was changed"));
    }
    Ok(password)
}

/// The passphrase of a backup, from a file or typed: a new one, which has to be good enough, twice.
pub(super) fn passphrase(file: Option<&Path>, is_new: bool) -> Result<String, Failure> {
    let check = |passphrase: &str| match is_new {
        true => check_strength(passphrase, "").map_err(|weak| Failure::usage(weak.to_string())),
        false => Ok(()),
    };
    if let Some(path) = file {
        let text = String::from_utf8(input::read(path)?).map_err(|_| Failure::usage("the passphrase is not UTF-8 text"))?;
        let passphrase = without_newline(&text);
        check(passphrase)?;
        return Ok(passphrase.to_owned());
    }
    let ask = |prompt: &str| {
        rpassword::prompt_password(prompt).map_err(|error| Failure::failed(&format!("the passphrase cannot be read: {error}")))
    };
    let passphrase = ask("Passphrase of the backup: ")?;
    check(&passphrase)?;
    if is_new && ask("The same again: ")? != passphrase {
        return Err(Failure::usage("the two passphrases differ; nothing was written"));
    }
    Ok(passphrase)
}

/// A client's secret, from a file or typed.
pub(super) fn client_secret(file: Option<&Path>, client_id: &str) -> Result<String, Failure> {
    let secret = match file {
        Some(path) => String::from_utf8(input::read(path)?).map_err(|_| Failure::usage("the secret is not UTF-8 text"))?,
        None if !io::stdin().is_terminal() => {
            return Err(Failure::usage("there is no terminal to ask for the secret on: give --secret-file FILE, or - for standard input"));
        }
        None => rpassword::prompt_password(format!("Secret of {client_id}: "))
            .map_err(|error| Failure::failed(&format!("the secret cannot be read: {error}")))?,
    };
    match without_newline(&secret) {
        "" => Err(Failure::usage("there is no secret")),
        secret => Ok(secret.to_owned()),
    }
}

/// The newline that editors and `echo` put at the end is not part of the password. All else is.
fn without_newline(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_newline_at_the_end_is_not_part_of_a_password() {
        for (text, password) in [(" a b ", " a b "), ("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("\na", "\na")] {
            assert_eq!(without_newline(text), password);
        }
    }
}
