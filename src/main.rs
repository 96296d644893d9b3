//! `admit`: the server, its administration, and the demo.

use std::process::ExitCode;

use admit::cli::{Cli, run, usage};
use clap::Parser as _;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if failure.is_told() {
                eprintln!("admit: {failure}");
            }
            failure.exit_code()
        }
    }
}
