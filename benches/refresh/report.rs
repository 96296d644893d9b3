//! The figures beside what is wanted of them.

use std::fmt::Write as _;

use crate::disk::Sync;
use crate::holder::Run;
use crate::process::Memory;

/// With how many clients a batch is full, and what is wanted then: refreshes per sync, and the share
/// of what one sync per batch would allow.
const FULL: usize = 64;
const PER_SYNC: f64 = 32.0;
const OF_BOUND: f64 = 0.8;
/// With so few clients, p99 in syncs.
const FEW: usize = 8;
const P99_SYNCS: f64 = 3.0;

/// Everything that was measured.
#[derive(Default)]
pub struct Report {
    pub idle: Memory,
    pub loaded: Memory,
    pub lines: Vec<Line>,
}

/// One run: what the clients saw, how many syncs the server made, and how long the disk takes for one.
#[derive(Clone)]
pub struct Measured {
    pub run: Run,
    pub syncs: u64,
    pub sync: Sync,
}

/// The medians of the runs with one number of clients.
pub struct Line {
    clients: usize,
    per_second: f64,
    slowest: f64,
    fastest: f64,
    cpu_us: f64,
    p50_ms: f64,
    p99_ms: f64,
    sync_ms: f64,
    sync_p99_ms: f64,
    per_sync: f64,
}

impl Line {
    pub fn new(clients: usize, runs: &[Measured]) -> Self {
        let of = |what: &dyn Fn(&Measured) -> f64| median(runs.iter().map(what).collect());
        let rates = || runs.iter().map(|measured| measured.run.per_second);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let per_sync = |measured: &Measured| measured.run.count as f64 / measured.syncs.max(1) as f64;
        Self {
            clients,
            per_second: of(&|measured| measured.run.per_second),
            slowest: rates().fold(f64::INFINITY, f64::min),
            fastest: rates().fold(0.0, f64::max),
            cpu_us: of(&|measured| measured.run.cpu_us),
            p50_ms: of(&|measured| measured.run.percentile(0.5)),
            p99_ms: of(&|measured| measured.run.percentile(0.99)),
            sync_ms: of(&|measured| measured.sync.mean()),
            sync_p99_ms: of(&|measured| measured.sync.percentile(0.99)),
            per_sync: of(&per_sync),
        }
    }

    /// What as many refreshes per second would be if those of all clients shared one sync, and the
    /// server did nothing else: `n / (T_sync + n · t_request)`.
    fn bound(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "some hundreds")]
        let clients = self.clients.min(FULL) as f64;
        clients / (self.sync_ms / 1e3 + clients * self.cpu_us / 1e6)
    }

    /// The same if each had a sync of its own: `1 / (T_sync + t_request)`.
    fn alone(&self) -> f64 {
        1.0 / (self.sync_ms / 1e3 + self.cpu_us / 1e6)
    }

    /// Each thing that is wanted of it, and whether it is so.
    fn goals(&self) -> Vec<(String, bool)> {
        let mut goals = Vec::new();
        if self.clients == FULL {
            let share = self.per_second / self.bound();
            goals.push((format!("{:.0} % of the bound (wanted: {:.0} %)", share * 100.0, OF_BOUND * 100.0), share >= OF_BOUND));
            goals.push((format!("{:.1} refreshes per sync (wanted: {PER_SYNC:.0})", self.per_sync), self.per_sync >= PER_SYNC));
        }
        if self.clients <= FEW {
            let (slow, mean) = (self.p99_ms / self.sync_p99_ms, self.p99_ms / self.sync_ms);
            let words = format!("p99 is {slow:.1} syncs at their own p99 (wanted: at most {P99_SYNCS:.0}), {mean:.1} at their mean");
            goals.push((words, slow <= P99_SYNCS));
        }
        goals
    }
}

impl Report {
    /// Whether every goal is met.
    pub fn passes(&self) -> bool {
        self.lines.iter().flat_map(Line::goals).all(|(_, is_met)| is_met)
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = "durable refreshes on SQLite, synchronous=FULL; medians; no errors\n\n".to_owned();
        let titles =
            ("clients", "1/s", "from – to", "CPU µs", "p50 ms", "p99 ms", "sync mean/p99 ms", "per sync", "bound 1/s", "alone 1/s");
        let (a, b, c, d, e, f, g, h, i, j) = titles;
        let _ = writeln!(text, "{a:>7}{b:>8}{c:>15}{d:>9}{e:>9}{f:>9}{g:>18}{h:>10}{i:>11}{j:>11}");
        for line in &self.lines {
            let _ = writeln!(
                text,
                "{:>7}{:>8.0}{:>15}{:>9.0}{:>9.2}{:>9.2}{:>18}{:>10}{:>11.0}{:>11.0}",
                line.clients,
                line.per_second,
                format!("{:.0} – {:.0}", line.slowest, line.fastest),
                line.cpu_us,
                line.p50_ms,
                line.p99_ms,
                format!("{:.2} / {:.2}", line.sync_ms, line.sync_p99_ms),
                format!("{:.1}", line.per_sync),
                line.bound(),
                line.alone(),
            );
        }
        text.push('\n');
        for line in &self.lines {
            for (goal, is_met) in line.goals() {
                let _ = writeln!(text, "{:>7} clients: {goal}: {}", line.clients, if is_met { "met" } else { "MISSED" });
            }
        }
        let _ = writeln!(text, "memory: {:.1} MB idle, {:.1} MB after load (peak {:.1})", self.idle.now, self.loaded.now, self.loaded.peak);
        text
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
