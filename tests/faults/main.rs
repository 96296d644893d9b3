//! Faults: the real server is killed, cut off and lied to while clients use it, and a verifier that
//! keeps its own record of what they were told looks for anything that was lost or came twice.
//!
//! Each fault has its own file, says in [`Fault`] what is done and what has to hold, and gives a
//! figure. `docs/reliability.md` says how to run them and how to read them.
#![allow(clippy::panic, reason = "a test that cannot go on says why")]

mod clock;
mod commit;
mod durable;
mod failover;
mod failpoints;
mod full_disk;
mod kill;
mod locked;
mod long_reader;
mod network;
mod overload;
mod postgres_killed;
mod postgres_start;
mod power_loss;
mod races;
mod restore;
mod rolling;
mod rotation;
mod support;
mod upgrade;

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;

use support::{Kind, Plan};

/// One fault.
pub struct Fault {
    /// Its name in the threat catalogue.
    pub id: &'static str,
    /// What is done to the server.
    pub what: &'static str,
    /// What has to hold.
    pub pass: &'static str,
    /// The stores that it is done on.
    pub on: &'static [Kind],
    /// Does it. What comes back is the figure; where something does not hold, it panics.
    pub run: fn(Plan) -> LocalBoxFuture<'static, String>,
}

/// Every fault, in the order in which they run: one after the other.
const ALL: &[Fault] = &[
    kill::FAULT,
    failpoints::FAULT,
    durable::FAULT,
    power_loss::FAULT,
    races::FAULT,
    locked::FAULT,
    full_disk::FAULT,
    long_reader::FAULT,
    clock::FAULT,
    restore::FAULT,
    rotation::FAULT,
    overload::FAULT,
    upgrade::FAULT,
    commit::FAULT,
    postgres_killed::FAULT,
    failover::FAULT,
    network::FAULT,
    rolling::FAULT,
    postgres_start::TLS,
    postgres_start::KF_12,
];

/// Faults: the server is killed, cut off and lied to while clients use it.
#[derive(Parser)]
struct Options {
    /// The long form: as often and as long as the threat catalogue asks for
    #[arg(long)]
    long: bool,
    /// Only on this store
    #[arg(long, value_enum)]
    store: Option<Kind>,
    /// The program, such as target/release/admit
    #[arg(long, default_value = env!("CARGO_BIN_EXE_admit"))]
    program: PathBuf,
    /// Only these, such as F-01
    faults: Vec<String>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(unknown) = options.faults.iter().find(|id| !ALL.iter().any(|fault| fault.id == **id)) {
        eprintln!("faults: there is no fault {unknown}; there are {}", ALL.iter().map(|fault| fault.id).collect::<Vec<_>>().join(" "));
        return ExitCode::FAILURE;
    }
    if support::PROGRAM.set(options.program.canonicalize().expect("the program")).is_err() {
        unreachable!("it is set once");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let mut failures = 0;
    for fault in ALL.iter().filter(|fault| options.faults.is_empty() || options.faults.iter().any(|id| id == fault.id)) {
        for &store in fault.on.iter().filter(|store| options.store.is_none_or(|only| only == **store)) {
            let plan = Plan { is_long: options.long, store };
            let (id, what, pass) = (fault.id, fault.what, fault.pass);
            // Where one panics, the others still run.
            match runtime.block_on(AssertUnwindSafe((fault.run)(plan)).catch_unwind()) {
                Ok(figure) => println!("{id}  {what}, {store}  {figure}  (pass: {pass})"),
                Err(panic) => {
                    failures += 1;
                    let why = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
                    println!("{id}  {what}, {store}  FAILED: {}  (pass: {pass})", why.unwrap_or("see above"));
                }
            }
        }
    }
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
