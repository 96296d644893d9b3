//! The figures, as tables for people and as JSON for machines.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::candidate::{Candidate, Keys, Kind};
use crate::measurement::{Event, bytes};

/// Everything that was measured.
pub struct Report {
    pub starts: u16,
    pub events: u32,
    pub runs: u16,
    pub rows: Vec<Row>,
}

/// One candidate's figures.
pub struct Row {
    pub name: String,
    pub keys: &'static str,
    kind: Kind,
    pub starts: Vec<Start>,
    /// Those of each run, by what was asked.
    pub warm: Vec<(Event, Warm)>,
    pub peak_mb: f64,
    program_bytes: Option<u64>,
    zip_bytes: Option<u64>,
}

/// From the start of a process to its first answer.
pub struct Start {
    pub whole: Duration,
    /// The key endpoint's own work therein.
    pub endpoint: Duration,
}

/// An event, once the function is warm.
#[derive(Clone, Copy)]
pub struct Warm {
    pub p50: Duration,
    pub p99: Duration,
    /// CPU time of the function's process.
    pub cpu: Duration,
}

/// A figure that something is expected of.
struct Goal {
    what: &'static str,
    value: f64,
    goal: f64,
    stretch: Option<f64>,
    /// Of times less than Python there may be more; of anything else, less.
    more: bool,
}

impl Row {
    pub fn new(candidate: &Candidate) -> Self {
        Self {
            name: candidate.name.clone(),
            keys: candidate.keys.name(),
            kind: candidate.kind,
            starts: Vec::new(),
            warm: Vec::new(),
            peak_mb: 0.0,
            program_bytes: bytes(&candidate.program),
            zip_bytes: candidate.zip.as_deref().and_then(bytes),
        }
    }

    /// Median, first and last quarter of the starts in ms, without the endpoint's work.
    fn start_ms(&self) -> [f64; 3] {
        let times: Vec<f64> = self.starts.iter().map(|start| start.whole.saturating_sub(start.endpoint).as_secs_f64() * 1e3).collect();
        [0.5, 0.25, 0.75].map(|part| quantile(&times, part))
    }

    fn endpoint_ms(&self) -> f64 {
        median(self.starts.iter().map(|start| start.endpoint.as_secs_f64() * 1e3))
    }

    /// Medians of the runs in µs: p50, p99 and CPU time.
    fn warm_us(&self, event: Event) -> Option<[f64; 3]> {
        let runs: Vec<&Warm> = self.warm.iter().filter(|(kind, _)| *kind == event).map(|(_, warm)| warm).collect();
        let of = |what: fn(&Warm) -> Duration| median(runs.iter().map(|warm| what(warm).as_secs_f64() * 1e6));
        (!runs.is_empty()).then(|| [of(|warm| warm.p50), of(|warm| warm.p99), of(|warm| warm.cpu)])
    }

    fn zip_mb(&self) -> Option<f64> {
        self.zip_bytes.map(megabytes)
    }

    fn json(&self) -> Value {
        let [start, from, to] = self.start_ms();
        let warm = Event::ALL.into_iter().filter_map(|event| {
            let [p50, p99, cpu] = self.warm_us(event)?.map(round);
            Some((event.name().to_owned(), json!({ "p50_us": p50, "p99_us": p99, "cpu_us": cpu })))
        });
        json!({
            "name": self.name,
            "keys": self.keys,
            "is_comparable": self.kind != Kind::Emulated,
            "start_ms": round(start),
            "start_ms_quartiles": [round(from), round(to)],
            "endpoint_ms": round(self.endpoint_ms()),
            "warm": warm.collect::<serde_json::Map<_, _>>(),
            "peak_mb": round(self.peak_mb),
            "program_bytes": self.program_bytes,
            "zip_bytes": self.zip_bytes,
        })
    }
}

impl Goal {
    fn is_met_by(&self, wanted: f64) -> bool {
        if self.more { self.value >= wanted } else { self.value <= wanted }
    }

    fn json(&self) -> Value {
        json!({
            "what": self.what, "value": round(self.value), "goal": self.goal, "stretch": self.stretch, "met": self.is_met_by(self.goal),
            "stretch_met": self.stretch.map(|wanted| self.is_met_by(wanted)),
        })
    }
}

impl Report {
    fn row(&self, kind: Kind, keys: Keys) -> Option<&Row> {
        self.rows.iter().find(|row| row.kind == kind && row.keys == keys.name())
    }

    /// What is expected of this machine's function (the first one), and of it beside Python as it is deployed: with https.
    fn goals(&self) -> Vec<Goal> {
        let (Some(embedded), Some(https)) = (self.row(Kind::Native, Keys::Embedded), self.row(Kind::Native, Keys::Https)) else {
            return Vec::new();
        };
        let start = |row: &Row| row.start_ms()[0];
        let p50 = |row: &Row, event| row.warm_us(event).map_or(f64::NAN, |[p50, ..]| p50);
        let at_most = |what, value, goal, stretch| Goal { what, value, goal, stretch, more: false };
        let mut goals = vec![
            at_most("start, keys embedded, ms", start(embedded), 8.0, Some(3.0)),
            at_most("start, keys over https, ms", start(https), 25.0, None),
            at_most("warm p50, ES256, µs", p50(embedded, Event::Es256), 200.0, Some(100.0)),
            at_most("warm p50, RS256, µs", p50(embedded, Event::Rs256), 200.0, Some(100.0)),
            at_most("memory at its peak, keys over https, MB", https.peak_mb, 9.0, None),
        ];
        goals.extend(embedded.zip_mb().map(|zip| at_most("zip, MB", zip, 3.2, Some(2.0))));
        if let Some(python) = self.row(Kind::Python, Keys::Https) {
            let times = |what, value, goal, stretch| Goal { what, value, goal, stretch, more: true };
            goals.push(times("start, keys embedded, times less than Python", start(python) / start(embedded), 15.0, Some(40.0)));
            let less = p50(python, Event::Rs256) / p50(https, Event::Rs256);
            goals.push(times("warm p50, RS256, times less than Python", less, 100.0, None));
        }
        goals
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = format!(
            "Medians of {} starts (process start to first answer, less the key endpoint's own work) and of {} warm runs of {} events\n\n",
            self.starts, self.runs, self.events,
        );
        let _ = writeln!(
            text,
            "{:<12}{:<10}{:>9}{:>16}{:>10}{:>9}{:>12}{:>9}",
            "function", "keys", "start ms", "quartiles", "endpoint", "peak MB", "program MB", "zip MB"
        );
        for row in &self.rows {
            let [start, from, to] = row.start_ms();
            let (program, zip) =
                (figure(row.program_bytes.filter(|_| row.kind != Kind::Python).map(megabytes), 2), figure(row.zip_mb(), 2));
            let (quartiles, endpoint) = (format!("{from:.2} – {to:.2}"), row.endpoint_ms());
            let _ = writeln!(
                text,
                "{:<12}{:<10}{start:>9.2}{quartiles:>16}{endpoint:>10.2}{:>9.1}{program:>12}{zip:>9}",
                row.name, row.keys, row.peak_mb
            );
        }
        let _ = writeln!(text, "\n{:<12}{:<10}{:<14}{:>9}{:>9}{:>9}", "function", "keys", "event", "p50 µs", "p99 µs", "CPU µs");
        for row in &self.rows {
            for event in Event::ALL {
                if let Some([p50, p99, cpu]) = row.warm_us(event) {
                    let _ = writeln!(text, "{:<12}{:<10}{:<14}{p50:>9.0}{p99:>9.0}{cpu:>9.0}", row.name, row.keys, event.name());
                }
            }
        }
        if self.rows.iter().any(|row| row.kind == Kind::Emulated) {
            let _ = writeln!(text, "\nOf the architecture that is not this machine's these figures say that it works: they are qemu's.");
        }
        text.push('\n');
        for goal in self.goals() {
            let stretch =
                goal.stretch.map_or_else(String::new, |wanted| format!(", stretch {wanted} ({})", verdict(goal.is_met_by(wanted))));
            let (sign, met) = (if goal.more { "≥" } else { "≤" }, verdict(goal.is_met_by(goal.goal)));
            let _ = writeln!(text, "{:<48}{:>9.2}   goal {sign} {} ({met}){stretch}", goal.what, goal.value, goal.goal);
        }
        text
    }

    /// For machines.
    pub fn json(&self) -> String {
        let report = json!({
            "starts": self.starts,
            "events": self.events,
            "runs": self.runs,
            "rows": self.rows.iter().map(Row::json).collect::<Vec<_>>(),
            "goals": self.goals().iter().map(Goal::json).collect::<Vec<_>>(),
        });
        format!("{report:#}\n")
    }
}

fn verdict(is_met: bool) -> &'static str {
    if is_met { "met" } else { "missed" }
}

fn figure(value: Option<f64>, places: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.places$}"))
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52 bytes")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    quantile(&values.collect::<Vec<_>>(), 0.5)
}

fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in the list")]
    let place = (sorted.len() as f64 * part) as usize;
    sorted.get(place).copied().unwrap_or_default()
}
