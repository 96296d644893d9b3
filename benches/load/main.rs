//! The load harness: what a request costs the server in CPU time, beside its budget.
//!
//! It prepares a database through the library, starts the real `admit serve` on one core, asks from
//! another over connections that are kept, and looks at the server's own account of its CPU time.
//! `benches/README.md` says how to run it and how to read it.

mod bare;
mod browser;
mod connection;
mod load;
mod measurement;
mod options;
mod process;
mod report;
mod scenario;
mod stage;
mod start;
mod syncs;

use std::process::ExitCode;

use clap::Parser as _;

use options::Options;

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(length) = options.bare_axum {
        return bare::serve(length);
    }
    process::pin_this_process();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.map_err(|error| error.to_string()).and_then(|runtime| runtime.block_on(measurement::run(&options)));
    match done {
        Ok(report) => {
            print!("{}", if options.json { report.json() } else { report.text() });
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("load: {why}");
            ExitCode::FAILURE
        }
    }
}
