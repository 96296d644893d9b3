//! How often the disk is synced, as `strace` sees it, in runs of their own: it stops the server at each sync.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::holder::{self, Holder};
use crate::process::{Server, is_there};
use crate::stage::Stage;

/// How many refreshes share a sync, for each number of clients; `None` where there is no `strace`.
pub async fn count(
    program: &Path,
    stage: &Stage,
    holders: &mut Vec<Holder>,
    clients: &[usize],
    length: Duration,
) -> Result<Vec<Option<f64>>, String> {
    if !is_there("strace") {
        eprintln!("refresh: no strace, so the syncs are not counted");
        return Ok(vec![None; clients.len()]);
    }
    let log = stage.database().with_extension("strace");
    // The tracer is the server's grandchild (-D), so that the server stays our own child, and only
    // the calls that count stop it (--seccomp-bpf).
    let before = ["strace", "-D", "-f", "--seccomp-bpf", "-e", "trace=fdatasync,fsync", "-o"].map(str::to_owned);
    let before: Vec<String> = before.into_iter().chain([log.display().to_string()]).collect();
    let mut server = Server::admit(program, &stage.database(), &before)?;
    server.wait_until_ready(Instant::now())?;
    let mut counted = Vec::new();
    for clients in clients {
        eprintln!("syncs, {clients} clients …");
        let syncs = lines(&log)?;
        let run = holder::run(&server, holders, *clients, length).await?;
        let syncs = lines(&log)?.saturating_sub(syncs);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        counted.push(Some(run.count as f64 / syncs.max(1) as f64));
    }
    Ok(counted)
}

/// Calls in the tracer's log; one that another thread interrupted stands there in two halves.
fn lines(log: &Path) -> Result<usize, String> {
    let text = std::fs::read_to_string(log).map_err(|error| format!("strace has left no log: {error}"))?;
    Ok(text.lines().filter(|line| line.contains("sync(")).count())
}
