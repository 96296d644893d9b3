//! What the validator costs as a Lambda function: its start, an event, its memory and its size, beside a validator in Python.
//!
//! The real `bootstrap` of `scripts/package-lambda` runs against a stand-in of AWS's Runtime API. Whoever is compared
//! takes turns. `benches/README.md` says how to run it and how to read it.

mod candidate;
#[path = "../../tests/it/support/certificate.rs"]
mod certificate;
mod endpoint;
mod issuer;
mod measurement;
mod options;
mod process;
mod python;
mod report;
mod service;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let options = options::Options::parse();
    process::pin_this_process();
    match measurement::run(&options) {
        Ok(report) => {
            print!("{}", if options.json { report.json() } else { report.text() });
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("lambda: {why}");
            ExitCode::FAILURE
        }
    }
}
