//! One run: so many requests over so many connections, and what they cost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::connection::Connection;
use crate::process::Server;
use crate::scenario::Work;

/// No run is longer, whatever it was made for.
const LONGEST: Duration = Duration::from_secs(120);

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Run {
    pub count: u64,
    /// CPU time of the server for one, in µs.
    pub cpu_us: f64,
    pub per_second: f64,
    /// Sorted; in µs.
    pub latencies: Vec<f64>,
}

impl Run {
    /// The latency that this share of the requests stays below.
    pub fn percentile(&self, share: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "an index")]
        let place = (last as f64 * share).round() as usize;
        self.latencies.get(place).copied().unwrap_or_default()
    }
}

/// Sends `count` of them; any error fails the run.
pub async fn run(server: &Server, work: &Work, connections: u16, count: u64) -> Result<Run, String> {
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(server.port).await.map_err(|error| error.to_string())?);
    }
    let taken = Arc::new(AtomicU64::new(0));
    let before = server.cpu()?;
    let begin = Instant::now();
    let mut asking = JoinSet::new();
    for connection in open {
        asking.spawn(ask(connection, work.clone(), Arc::clone(&taken), count, begin));
    }
    let mut latencies = Vec::new();
    while let Some(joined) = asking.join_next().await {
        latencies.extend(joined.map_err(|error| error.to_string())??);
    }
    let wall = begin.elapsed().as_secs_f64();
    let cpu = server.cpu()? - before;
    latencies.sort_unstable_by(f64::total_cmp);
    if latencies.is_empty() {
        return Err("nothing was asked".to_owned());
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let answered = latencies.len() as f64;
    Ok(Run { count: latencies.len() as u64, cpu_us: cpu * 1e6 / answered, per_second: answered / wall, latencies })
}

async fn ask(mut connection: Connection, work: Work, taken: Arc<AtomicU64>, count: u64, begin: Instant) -> Result<Vec<f64>, String> {
    let mut latencies = Vec::new();
    while taken.fetch_add(1, Ordering::Relaxed) < count && begin.elapsed() < LONGEST {
        let sent = Instant::now();
        work.once(&mut connection).await?;
        latencies.push(sent.elapsed().as_secs_f64() * 1e6);
    }
    Ok(latencies)
}
