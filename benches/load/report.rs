//! The figures, as a table for people and as JSON for machines.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::load::Run;
use crate::measurement::median;
use crate::process::Memory;
use crate::scenario::Scenario;

/// Budgets of the process as a whole.
const START_MS: f64 = 50.0;
const IDLE_MB: f64 = 20.0;
const LOADED_MB: f64 = 60.0;

/// Everything that was measured.
#[derive(Default)]
pub struct Report {
    pub connections: u16,
    pub runs: u16,
    pub lines: Vec<Line>,
    pub idle: Memory,
    pub loaded: Memory,
    /// One check of a password by itself, in µs.
    pub hash_us: f64,
    pub start_ms: Option<f64>,
    pub database_mb: f64,
}

/// One scenario's medians.
pub struct Line {
    pub scenario: Scenario,
    pub count: u64,
    pub cpu_us: f64,
    /// The cheapest and the dearest run: how far the medians can be trusted.
    pub range: (f64, f64),
    pub per_second: f64,
    pub p50_us: f64,
    pub p99_us: f64,
    /// CPU time of the bare server for one.
    pub bare_us: Option<f64>,
    pub syncs: Option<f64>,
}

impl Line {
    pub fn new(scenario: Scenario, runs: &[Run], floors: &[Run]) -> Self {
        let of = |runs: &[Run], what: &dyn Fn(&Run) -> f64| median(&runs.iter().map(what).collect::<Vec<_>>());
        let cpu = |run: &Run| run.cpu_us;
        Self {
            scenario,
            count: runs.iter().map(|run| run.count).sum(),
            cpu_us: of(runs, &cpu),
            range: (runs.iter().map(cpu).fold(f64::INFINITY, f64::min), runs.iter().map(cpu).fold(0.0, f64::max)),
            per_second: of(runs, &|run| run.per_second),
            p50_us: of(runs, &|run| run.percentile(0.5)),
            p99_us: of(runs, &|run| run.percentile(0.99)),
            bare_us: (!floors.is_empty()).then(|| of(floors, &cpu)),
            syncs: None,
        }
    }

    fn json(&self) -> Value {
        json!({
            "scenario": self.scenario.name,
            "requests_each": self.scenario.requests,
            "count": self.count,
            "cpu_us": round(self.cpu_us),
            "cpu_us_range": [round(self.range.0), round(self.range.1)],
            "budget_us": self.scenario.budget,
            "bare_axum_us": self.bare_us.map(round),
            "times_bare_axum": self.bare_us.map(|bare| round(self.cpu_us / bare)),
            "budget_times_bare_axum": self.scenario.of_bare,
            "per_second": round(self.per_second),
            "p50_us": round(self.p50_us),
            "p99_us": round(self.p99_us),
            "syncs": self.syncs.map(round),
            "errors": 0,
        })
    }
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// A figure beside its budget.
fn beside(value: f64, budget: Option<f64>) -> String {
    budget.map_or_else(|| "–".to_owned(), |budget| format!("{budget:.0} ({:.2}×)", value / budget))
}

impl Report {
    /// For people.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{} connections, medians of {} runs, no errors; CPU time of the server process, user and system\n\n",
            self.connections, self.runs,
        );
        let titles = ("scenario", "CPU µs", "from – to", "budget (share)", "bare axum", "1/s", "p50 µs", "p99 µs", "syncs");
        let (a, b, c, d, e, f, g, h, i) = titles;
        let _ = writeln!(text, "{a:<26}{b:>9}{c:>18}{d:>18}{e:>18}{f:>9}{g:>10}{h:>10}{i:>8}");
        for line in &self.lines {
            let bare = line.bare_us.map_or_else(|| "–".to_owned(), |bare| format!("{bare:.1} ({:.2}×)", line.cpu_us / bare));
            let _ = writeln!(
                text,
                "{:<26}{:>9.1}{:>18}{:>18}{bare:>18}{:>9.0}{:>10.0}{:>10.0}{:>8}",
                line.scenario.name,
                line.cpu_us,
                format!("{:.1} – {:.1}", line.range.0, line.range.1),
                beside(line.cpu_us, line.scenario.budget),
                line.per_second,
                line.p50_us,
                line.p99_us,
                line.syncs.map_or_else(|| "–".to_owned(), |count| format!("{count:.2}")),
            );
        }
        let _ = writeln!(text, "\none password check by itself: {:.0} µs", self.hash_us);
        for line in self.lines.iter().filter(|line| line.scenario.hashes) {
            let _ = writeln!(text, "{} less one such check: {:.0} µs", line.scenario.name, line.cpu_us - self.hash_us);
        }
        if let Some(start) = self.start_ms {
            let _ = writeln!(text, "start to first 200: {start:.1} ms, budget {}", beside(start, Some(START_MS)));
        }
        let _ = writeln!(text, "memory idle: {:.1} MB, budget {}", self.idle.now, beside(self.idle.now, Some(IDLE_MB)));
        let _ = writeln!(
            text,
            "memory after load: {:.1} MB (peak {:.1}), budget {}",
            self.loaded.now,
            self.loaded.peak,
            beside(self.loaded.now, Some(LOADED_MB)),
        );
        let _ = writeln!(text, "database after load: {:.0} MB", self.database_mb);
        text
    }

    /// For machines.
    pub fn json(&self) -> String {
        let report = json!({
            "connections": self.connections,
            "runs": self.runs,
            "scenarios": self.lines.iter().map(Line::json).collect::<Vec<_>>(),
            "password_check_us": round(self.hash_us),
            "start_ms": self.start_ms.map(round),
            "start_ms_budget": START_MS,
            "memory_mb": { "idle": round(self.idle.now), "after_load": round(self.loaded.now), "peak": round(self.loaded.peak) },
            "memory_mb_budget": { "idle": IDLE_MB, "after_load": LOADED_MB },
            "database_mb": round(self.database_mb),
        });
        format!("{report:#}\n")
    }
}
