//! How often the disk is synced, as `strace` sees it.

use std::path::Path;
use std::time::Instant;

use crate::load;
use crate::options::Options;
use crate::process::{Server, is_there};
use crate::scenario::{ALL, Scenario};
use crate::stage::Stage;

/// How many of a scenario are sent while the syncs are counted: in flows, and in single requests.
const FLOWS: u64 = 200;
const REQUESTS: u64 = 4000;

/// Syncs per request (per flow, for flows) of each scenario that writes.
pub async fn count(stage: &Stage, options: &Options) -> Result<Vec<(&'static str, f64)>, String> {
    if !is_there("strace") {
        eprintln!("load: no strace, so the syncs are not counted");
        return Ok(Vec::new());
    }
    let log = stage.database().with_extension("strace");
    // The tracer is the server's grandchild (-D), so that the server stays our own child, and only
    // the calls that count stop it (--seccomp-bpf).
    let before = ["strace", "-D", "-f", "--seccomp-bpf", "-e", "trace=fdatasync,fsync", "-o"].map(str::to_owned);
    let before: Vec<String> = before.into_iter().chain([log.display().to_string()]).collect();
    let mut server = Server::admit(&options.server, &stage.database(), &before)?;
    server.wait_until_ready(Instant::now())?;
    let mut counted = Vec::new();
    for scenario in ALL.iter().filter(|scenario| scenario.writes && options.want(scenario.name)) {
        counted.push((scenario.name, of(scenario, stage, &server, options.connections, &log).await?));
    }
    Ok(counted)
}

async fn of(scenario: &Scenario, stage: &Stage, server: &Server, connections: u16, log: &Path) -> Result<f64, String> {
    let work = scenario.prepare(stage, server.port).await?;
    let before = lines(log)?;
    let run = load::run(server, &work, connections, if scenario.requests == 1 { REQUESTS } else { FLOWS }).await?;
    let syncs = lines(log)?.saturating_sub(before);
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    Ok(syncs as f64 / run.count as f64)
}

/// Calls in the tracer's log; one that another thread interrupted stands there in two halves.
fn lines(log: &Path) -> Result<usize, String> {
    let text = std::fs::read_to_string(log).map_err(|error| format!("strace has left no log: {error}"))?;
    Ok(text.lines().filter(|line| line.contains("sync(")).count())
}
