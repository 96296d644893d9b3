//! How often the disk is synced, as `strace` sees it, in runs of their own: it stops the server at each sync,
//! and can let it take longer.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::holder::{self, Holder, Run};
use crate::process::{Server, is_there};
use crate::stage::Stage;

/// A run, and how many of its refreshes shared a sync.
pub struct Traced {
    pub run: Run,
    pub per_sync: f64,
}

/// One run for each number of clients, in which each sync takes `longer` than the disk needs; none
/// where there is no `strace`.
pub async fn runs(
    program: &Path,
    stage: &Stage,
    holders: &mut Vec<Holder>,
    clients: &[usize],
    length: Duration,
    longer: Duration,
) -> Result<Vec<Traced>, String> {
    if !is_there("strace") {
        eprintln!("refresh: no strace, so the syncs are not counted");
        return Ok(Vec::new());
    }
    let log = stage.database().with_extension("strace");
    // The tracer is the server's grandchild (-D), so that the server stays our own child, and only
    // the calls that count stop it (--seccomp-bpf).
    let mut before: Vec<String> = ["strace", "-D", "-f", "--seccomp-bpf", "-e", "trace=fdatasync,fsync"].map(str::to_owned).into();
    if !longer.is_zero() {
        before.extend(["-e".to_owned(), format!("inject=fdatasync,fsync:delay_exit={}", longer.as_micros())]);
    }
    before.extend(["-o".to_owned(), log.display().to_string()]);
    let mut server = Server::admit(program, &stage.database(), &before)?;
    server.wait_until_ready(Instant::now())?;
    let mut traced = Vec::new();
    for clients in clients {
        eprintln!("syncs, {clients} clients …");
        let syncs = lines(&log)?;
        let run = holder::run(&server, holders, *clients, length).await?;
        let syncs = lines(&log)?.saturating_sub(syncs);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let per_sync = run.count as f64 / syncs.max(1) as f64;
        traced.push(Traced { run, per_sync });
    }
    Ok(traced)
}

/// Calls in the tracer's log; one that another thread interrupted stands there in two halves.
fn lines(log: &Path) -> Result<usize, String> {
    let text = std::fs::read_to_string(log).map_err(|error| format!("strace has left no log: {error}"))?;
    Ok(text.lines().filter(|line| line.contains("sync(")).count())
}
