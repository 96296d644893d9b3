//! What was asked for on the command line.

use std::path::PathBuf;

use clap::Parser;

/// Measures what the validator costs as a Lambda function
#[derive(Parser)]
#[command(name = "lambda")]
pub struct Options {
    /// Starts of each candidate, of which the median counts
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub starts: u16,
    /// Events of each kind in a warm run; the slower candidates have a fraction of it
    #[arg(long, default_value_t = 4000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    pub events: u32,
    /// Warm runs of each candidate, of which the median counts
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=50))]
    pub runs: u16,
    /// Without the validator in Python
    #[arg(long)]
    pub no_python: bool,
    /// Other builds of the function in place of scripts/package-lambda's, to be compared [repeatable]
    #[arg(long = "function", value_name = "FILE")]
    pub functions: Vec<PathBuf>,
    /// JSON on stdout in place of the tables
    #[arg(long)]
    pub json: bool,
    /// What `cargo bench` says to every bench
    #[arg(long, hide = true)]
    pub bench: bool,
}
