//! Refreshes on PostgreSQL, beside what PostgreSQL does of itself: bare transactions of as many
//! statements, by `pgbench` with as many clients, in turns.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection};

use crate::Options;
use crate::holder::{self, Run, percentile};
use crate::process::Server;
use crate::stage::Stage;

/// How many times as long a refresh may take as a bare transaction.
const WANTED: f64 = 2.0;
const TABLES: &str = include_str!("bare_tables.sql");
const BARE: &str = include_str!("bare.sql");

/// Everything that was measured.
pub struct Report(Vec<Line>);

/// The runs with one number of clients.
struct Line {
    clients: usize,
    runs: Vec<(Run, f64)>,
}

pub async fn measure(options: &Options, url: &str) -> Result<Report, String> {
    let stage = Stage::set_on(options.folder.as_deref(), Some(url)).await?;
    let script = stage.database().with_extension("sql");
    std::fs::write(&script, BARE).map_err(|error| error.to_string())?;
    let mut connection = PgConnection::connect(url).await.map_err(|error| error.to_string())?;
    let durable: String = sqlx::query_scalar("select current_setting('fsync') || current_setting('synchronous_commit')")
        .fetch_one(&mut connection)
        .await
        .map_err(|error| error.to_string())?;
    if durable != "onon" {
        return Err("this server does not sync what it commits: there is nothing to compare".to_owned());
    }
    sqlx::raw_sql(TABLES).execute(&mut connection).await.map_err(|error| error.to_string())?;
    let most = options.clients.iter().copied().max().unwrap_or(1);
    let mut server = Server::admit_on(&options.server, OsStr::new(url), &stage.database(), &[])?;
    server.wait_until_ready(Instant::now()).map_err(|why| format!("{why}\n{}", stage.last_of_log()))?;
    eprintln!("{most} people sign in …");
    let mut holders = holder::sign_in(&server, most).await.map_err(|why| format!("{why}\n{}", stage.last_of_log()))?;
    let length = Duration::from_secs(options.seconds);
    let mut lines: Vec<Line> = options.clients.iter().map(|clients| Line { clients: *clients, runs: Vec::new() }).collect();
    for round in 0..=options.runs {
        for line in &mut lines {
            eprintln!("round {round} of {}, {} clients …", options.runs, line.clients);
            let bare = bare(url, &script, line.clients, length)?;
            let run = holder::run(&server, &mut holders, line.clients, length).await;
            let run = run.map_err(|why| format!("{} clients: {why}\n{}", line.clients, stage.last_of_log()))?;
            if round > 0 {
                line.runs.push((run, bare));
            } // the first round warms up
        }
    }
    Ok(Report(lines))
}

/// How many bare transactions there are per second.
fn bare(url: &str, script: &Path, clients: usize, length: Duration) -> Result<f64, String> {
    let out = Command::new("pgbench")
        .args(["--no-vacuum", "--protocol=prepared", &format!("--client={clients}"), &format!("--time={}", length.as_secs())])
        .arg("--file")
        .arg(script)
        .arg(url)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("pgbench: {error}"))?;
    let text = String::from_utf8_lossy(&out.stdout);
    let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split_whitespace().next()?.parse().ok());
    rate.filter(|_| out.status.success()).ok_or_else(|| format!("pgbench: {text}{}", String::from_utf8_lossy(&out.stderr)))
}

impl Line {
    fn median(&self, of: impl Fn(&(Run, f64)) -> f64) -> f64 {
        let mut values: Vec<f64> = self.runs.iter().map(of).collect();
        values.sort_unstable_by(f64::total_cmp);
        percentile(&values, 0.5)
    }

    /// How many bare transactions there are to a refresh: of two runs that follow on one another.
    fn times(&self) -> f64 {
        self.median(|(run, bare)| bare / run.per_second)
    }
}

impl Report {
    /// Whether the goal is met for each number of clients.
    pub fn passes(&self) -> bool {
        self.0.iter().all(|line| line.times() <= WANTED)
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = "durable refreshes on PostgreSQL beside bare transactions of as many statements; medians; no errors\n\n".to_owned();
        let titles = ("clients", "refreshes/s", "CPU µs", "p50 ms", "p99 ms", "pgbench/s", "times");
        let (a, b, c, d, e, f, g) = titles;
        let _ = writeln!(text, "{a:>7}{b:>13}{c:>9}{d:>9}{e:>9}{f:>11}{g:>7}");
        for line in &self.0 {
            let _ = writeln!(
                text,
                "{:>7}{:>13.0}{:>9.0}{:>9.2}{:>9.2}{:>11.0}{:>7.2}  (wanted: at most {WANTED:.0}) {}",
                line.clients,
                line.median(|(run, _)| run.per_second),
                line.median(|(run, _)| run.cpu_us),
                line.median(|(run, _)| run.percentile(0.5)),
                line.median(|(run, _)| run.percentile(0.99)),
                line.median(|(_, bare)| *bare),
                line.times(),
                if line.times() <= WANTED { "met" } else { "MISSED" },
            );
        }
        text
    }
}
