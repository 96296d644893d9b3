//! What was asked for on the command line.

use clap::Parser;

/// Measures what requests cost a release build of the server
#[derive(Parser)]
#[command(name = "load")]
pub struct Options {
    /// Only these scenarios; all of them where none is named
    pub scenarios: Vec<String>,
    /// Connections that ask at the same time
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub connections: u16,
    /// Runs per scenario, of which the median counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=50))]
    pub runs: u16,
    /// CPU seconds of the server that a run is made to last
    #[arg(long, default_value_t = 1.6)]
    pub cpu_seconds: f64,
    /// Counts the syncs of the disk as well (needs strace)
    #[arg(long)]
    pub syncs: bool,
    /// Neither starts nor memory are measured
    #[arg(long)]
    pub requests_only: bool,
    /// JSON on stdout in place of the table
    #[arg(long)]
    pub json: bool,
    /// Where the database lives; its disk is part of what is measured
    #[arg(long, value_name = "FOLDER")]
    pub folder: Option<std::path::PathBuf>,
    /// Another build of the server, for a comparison; without it, the one that was built with the bench
    #[arg(long, value_name = "FILE", default_value = env!("CARGO_BIN_EXE_admit"))]
    pub server: std::path::PathBuf,
    /// What `cargo bench` says to every bench
    #[arg(long, hide = true)]
    pub bench: bool,
    /// Be the bare axum server that static documents are compared with, answering so many bytes
    #[arg(long, hide = true, value_name = "BYTES")]
    pub bare_axum: Option<usize>,
}

impl Options {
    /// Whether this scenario was asked for.
    pub fn want(&self, name: &str) -> bool {
        self.scenarios.is_empty() || self.scenarios.iter().any(|own| own == name)
    }
}
