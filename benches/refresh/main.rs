//! The refresh bench: how many durable refreshes per second the server makes on SQLite, by how many
//! ask at once, and how many syncs of the disk that takes. On PostgreSQL, beside what that does of itself.
//!
//! Server, disk and client are those of the load harness. `benches/README.md` says how to run it
//! and how to read it.

#[path = "../load/browser.rs"]
#[allow(dead_code, reason = "the load harness asks about access tokens as well")]
mod browser;
#[path = "../load/connection.rs"]
mod connection;
mod disk;
mod holder;
mod postgres;
#[path = "../load/process.rs"]
#[allow(dead_code, reason = "the load harness has further servers")]
mod process;
mod report;
#[path = "../load/stage.rs"]
#[allow(dead_code, reason = "the load harness has further clients")]
mod stage;
mod syncs;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;

use disk::Disk;
use process::Server;
use report::{Line, Measured, Report};
use stage::Stage;
use syncs::Syncs;

/// Measures durable refreshes of a release build of the server
#[derive(Parser)]
#[command(name = "refresh")]
struct Options {
    /// How many clients ask at once
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 64, 256])]
    clients: Vec<usize>,
    /// How long each run lasts, in seconds
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Runs for each number of clients, of which the median counts
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Lets each sync of the server take so many ms longer, as on a slower disk
    #[arg(long, value_name = "MS", default_value_t = 0)]
    slow_by: u64,
    /// Measures on PostgreSQL instead, in this empty database, with `pgbench` beside it
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
    /// Where the database lives; its disk is part of what is measured
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Another build of the server, for a comparison; without it, the one that was built with the bench
    #[arg(long, value_name = "FILE", default_value = env!("CARGO_BIN_EXE_admit"))]
    server: PathBuf,
    /// What `cargo bench` says to every bench
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    process::pin_this_process();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.map_err(|error| error.to_string()).and_then(|runtime| {
        runtime.block_on(async {
            match &options.postgres {
                None => measure(&options).await.map(|report| (report.text(), report.passes())),
                Some(url) => postgres::measure(&options, url).await.map(|report| (report.text(), report.passes())),
            }
        })
    });
    match done {
        Ok((text, passes)) => {
            print!("{text}");
            if passes { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(why) => {
            eprintln!("refresh: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(options: &Options) -> Result<Report, String> {
    let stage = Stage::set(options.folder.as_deref()).await?;
    let most = options.clients.iter().copied().max().unwrap_or(1);
    let longer = Duration::from_millis(options.slow_by);
    let syncs = Syncs::beside(&stage.database(), longer)?;
    let mut server = Server::admit(&options.server, &stage.database(), &syncs.words())?;
    server.wait_until_ready(Instant::now())?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let idle = server.memory()?;
    eprintln!("{most} people sign in …");
    let mut holders = holder::sign_in(&server, most).await.map_err(|why| format!("{why}\n{}", stage.last_of_log()))?;
    let disk = Disk::beside(&stage.database())?;
    let length = Duration::from_secs(options.seconds);
    let mut report = Report { idle, ..Report::default() };
    let mut runs: Vec<Vec<Measured>> = vec![Vec::new(); options.clients.len()];
    for round in 0..=options.runs {
        for (clients, runs) in options.clients.iter().zip(&mut runs) {
            eprintln!("round {round} of {}, {clients} clients …", options.runs);
            let (before, count) = (disk.syncs()?, syncs.count()?);
            let run = holder::run(&server, &mut holders, *clients, length).await;
            let run = run.map_err(|why| format!("{clients} clients: {why}\n{}", stage.last_of_log()))?;
            let count = syncs.count()? - count;
            if round > 0 {
                runs.push(Measured { run, syncs: count, sync: before.and(disk.syncs()?).slower_by(longer) });
            } // the first round warms up
        }
    }
    report.loaded = server.memory()?;
    report.lines = options.clients.iter().zip(&runs).map(|(clients, runs)| Line::new(*clients, runs)).collect();
    Ok(report)
}
