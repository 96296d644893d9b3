//! `admit`: the server, its administration, and the demo.

use std::process::ExitCode;

use admit::cli::{Cli, run};
use clap::Parser as _;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if failure.is_told() {
                eprintln!("admit: {failure}");
            }
            failure.exit_code()
        }
    }
}
