//! `admit health`: whether a server is ready, for whatever watches over it and has no other program at hand.

use std::time::Duration;

use clap::Args;

use super::Failure;
use super::output::print_lines;
use crate::http::{Fault, Http};

/// Ask whether a server is ready: the exit code is 0, or 1 and a line says why
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Health {
    /// The server's URL, without a path [default: where `admit serve` listens on this machine, by its variables or the file]
    url: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  admit health
  admit health https://auth.example.org";

/// Less than what container engines and supervisors wait for by default.
const DEADLINE: Duration = Duration::from_secs(3);
/// The answer is one word.
const MAX_BYTES: usize = 1024;

pub(super) async fn run(asked: Health, local_url: Option<String>) -> Result<(), Failure> {
    let speaks_tls = "the server speaks TLS: name the URL that its certificate is for, as in `admit health https://auth.example.org`";
    let url = asked.url.or(local_url).ok_or_else(|| Failure::failed(&speaks_tls))?;
    let http = Http::new(None, DEADLINE, MAX_BYTES).map_err(|error| Failure::failed(&error))?;
    let answer = http.fetch(&format!("{}/readyz", url.trim_end_matches('/')), &[]).await;
    answer.map_err(|fault| match fault {
        // It may have a password in it.
        Fault::Address => Failure::failed(&"this URL cannot be asked: it takes https, or http on this very machine, and no user name"),
        fault => Failure::failed(&format!("{url} is not ready: {fault}")),
    })?;
    print_lines(&["ready".to_owned()])
}
