//! A whole measurement: the scenarios in turn, each warmed up, each several times.

use std::time::Instant;

use argon2::{Argon2, PasswordHasher as _};

use crate::connection::{Connection, get};
use crate::load::{self, Run};
use crate::options::Options;
use crate::process::Server;
use crate::report::{Line, Report};
use crate::scenario::{ALL, Scenario, Work};
use crate::stage::{PASSWORD, Stage};
use crate::{start, syncs};

/// How many requests, and how many flows, are sent to warm up and to see what one costs.
const WARM_UP: u64 = 2000;
const WARM_UP_FLOWS: u64 = 48;
/// The most that one run sends.
const MOST: f64 = 400_000.0;

/// Measures what was asked for.
pub async fn run(options: &Options) -> Result<Report, String> {
    if let Some(unknown) = options.scenarios.iter().find(|name| !ALL.iter().any(|scenario| scenario.name == **name)) {
        let known: Vec<&str> = ALL.iter().map(|scenario| scenario.name).collect();
        return Err(format!("there is no scenario {unknown}; there are {}", known.join(" ")));
    }
    let stage = Stage::set(options.folder.as_deref()).await?;
    let mut server = Server::admit(&options.server, &stage.database(), &[])?;
    server.wait_until_ready(Instant::now())?;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let mut report = Report { connections: options.connections, runs: options.runs, idle: server.memory()?, ..Report::default() };
    let bare = Server::bare_axum(document_length(server.port).await?)?;
    for scenario in ALL.iter().filter(|scenario| options.want(scenario.name)) {
        eprintln!("{} …", scenario.name);
        let line = measure(scenario, &stage, &server, &bare, options).await;
        report.lines.push(line.map_err(|why| format!("{}: {why}\n{}", scenario.name, stage.last_of_log()))?);
    }
    report.loaded = server.memory()?;
    report.database_mb = stage.megabytes();
    report.hash_us = hash();
    drop((server, bare));
    if !options.requests_only {
        eprintln!("start …");
        report.start_ms = Some(start::measure(&options.server, &stage)?);
    }
    if options.syncs {
        eprintln!("syncs …");
        for (name, count) in syncs::count(&stage, options).await? {
            if let Some(line) = report.lines.iter_mut().find(|line| line.scenario.name == name) {
                line.syncs = Some(count);
            }
        }
    }
    Ok(report)
}

async fn measure(scenario: &Scenario, stage: &Stage, server: &Server, bare: &Server, options: &Options) -> Result<Line, String> {
    let work = scenario.prepare(stage, server.port).await?;
    let floor = Work::bare(bare.port);
    let warm_up = if scenario.requests == 1 { WARM_UP } else { WARM_UP_FLOWS };
    load::run(server, &work, options.connections, warm_up).await?;
    let first = load::run(server, &work, options.connections, warm_up).await?;
    let count = enough(&first, options);
    let mut runs = Vec::new();
    let mut floors = Vec::new();
    for _ in 0..options.runs {
        runs.push(load::run(server, &work, options.connections, count).await?);
        if scenario.of_bare.is_some() {
            floors.push(load::run(bare, &floor, options.connections, count).await?);
        }
    }
    Ok(Line::new(*scenario, &runs, &floors))
}

/// So many that the server works long enough for its account, which is kept in hundredths of a
/// second, to be exact.
fn enough(first: &Run, options: &Options) -> u64 {
    let count = (options.cpu_seconds * 1e6 / first.cpu_us.max(1.0)).clamp(100.0, MOST);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 100 and 400,000")]
    let count = count.ceil() as u64;
    count
}

/// What one check of a password costs by itself, in µs: the same parameters, the same crate.
fn hash() -> f64 {
    let times: Vec<f64> = (0..31)
        .map(|_| {
            let begin = Instant::now();
            let _ = std::hint::black_box(Argon2::default().hash_password(PASSWORD.as_bytes()));
            begin.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    median(&times)
}

/// As many bytes as the discovery document has: what the bare server answers is of the same length.
async fn document_length(port: u16) -> Result<usize, String> {
    let mut connection = Connection::open(port).await.map_err(|error| error.to_string())?;
    let request = get(port, "/.well-known/smart-configuration", "");
    connection.ask(&request).await.map(|answer| answer.body.len()).map_err(|error| error.to_string())
}

/// The middle one of them.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}
