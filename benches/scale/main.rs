//! What a request costs beside a thousand, a hundred thousand and a million people with all that apps were allowed in their
//! names: it must cost the same. And what a backlog of old data costs those who write while it goes.
//!
//! The database is filled by bulk SQL, the server is the real one, and asked as by the load harness, whose parts these are.

#[path = "../load/browser.rs"]
mod browser;
#[path = "../load/connection.rs"]
mod connection;
mod fill;
#[expect(dead_code, reason = "the load harness measures speed as well")]
#[path = "../load/load.rs"]
mod load;
#[expect(dead_code, reason = "the load harness measures a bare server as well")]
#[path = "../load/process.rs"]
mod process;
#[expect(dead_code, reason = "the load harness has budgets as well")]
#[path = "../load/scenario.rs"]
mod scenario;
#[path = "../load/stage.rs"]
mod stage;

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use admit::audit::{Entry, Origin};
use admit::clock::Clock;
use admit::id::{TenantId, UserId};
use admit::store::{Location, Store};
use clap::Parser;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use load::Run;
use process::Server;
use scenario::{ALL, Scenario};
use stage::Stage;

/// What is asked at each size: every statement of the token endpoint, the pages, and a sign-in, without the price of the password.
const SCENARIOS: [&str; 7] = [
    "client-credentials-es256",
    "client-credentials-key",
    "introspection",
    "refresh",
    "authorize",
    "login-besides-hash",
    "flow-besides-hash-es256",
];
/// What an administrator asks of the audit trail: `admit audit list` with this.
const LISTS: [&[&str]; 5] = [&[], &["--user", "u7"], &["--client", "app-es256"], &["--patient", "p7"], &["--event", "token.refreshed"]];
/// How often each is asked, and how many entries are written for the price of one.
const COMMANDS: u32 = 20;
const ENTRIES: u32 = 20_000;
/// How much dearer something may be among the most rows than among the fewest; more is more than noise.
const FLAT: f64 = 1.5;

#[derive(Parser)]
struct Options {
    /// How many people there are
    #[arg(default_values_t = [1000, 100_000, 1_000_000])]
    people: Vec<u64>,
    /// Entries of the audit trail for each of them
    #[arg(long, default_value_t = 10)]
    audit: u64,
    /// Connections that ask at the same time
    #[arg(long, default_value_t = 16)]
    connections: u16,
    /// Runs of each request
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// How long the server works in one run, in seconds of CPU time
    #[arg(long, default_value_t = 1.0)]
    cpu_seconds: f64,
    /// The server [default: the one that was built with this]
    #[arg(long, default_value = env!("CARGO_BIN_EXE_admit"))]
    server: PathBuf,
    /// Where the database lives [default: the folder for temporary files]
    #[arg(long)]
    folder: Option<PathBuf>,
    /// What cargo says to every bench
    #[arg(long, hide = true)]
    bench: bool,
}

/// What one size came to.
struct Size {
    people: u64,
    fill_s: f64,
    database_mb: f64,
    start_ms: f64,
    idle_mb: f64,
    loaded_mb: f64,
    /// CPU µs of each scenario.
    cpu_us: Vec<f64>,
    /// CPU µs of an audit entry, and CPU ms of each list.
    entry_us: f64,
    list_ms: Vec<f64>,
    /// Refreshes with nothing else to do, and beside a purge of all those people's grants; p50 and p99 in ms.
    quiet: [f64; 2],
    purging: [f64; 2],
    purged_s: f64,
}

fn main() -> ExitCode {
    let options = Options::parse();
    process::pin_this_process();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let mut sizes = Vec::new();
    for people in &options.people {
        eprintln!("{people} people …");
        let done = runtime.as_ref().map_err(ToString::to_string).and_then(|runtime| runtime.block_on(measure(*people, &options)));
        match done {
            Ok(size) => sizes.push(size),
            Err(why) => {
                eprintln!("scale: {why}");
                return ExitCode::FAILURE;
            }
        }
    }
    if report(&sizes) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn measure(people: u64, options: &Options) -> Result<Size, String> {
    let stage = Stage::set(options.folder.as_deref()).await?;
    let begun = Instant::now();
    fill::fill(&stage.database(), people, people * options.audit).await?;
    let fill_s = begun.elapsed().as_secs_f64();
    let database_mb = stage.megabytes();
    let (server, start) = start(&stage, options).await?;
    let idle = server.memory()?;
    let mut cpu_us = Vec::new();
    let mut quiet = [0.0; 2];
    for name in SCENARIOS {
        let scenario = ALL.iter().find(|scenario| scenario.name == name).ok_or_else(|| format!("no scenario {name}"))?;
        let runs = runs(scenario, &stage, &server, options).await.map_err(|why| format!("{name}: {why}\n{}", stage.last_of_log()))?;
        cpu_us.push(median(runs.iter().map(|run| run.cpu_us)));
        if name == "refresh" {
            quiet = latencies(&runs);
        }
    }
    let loaded = server.memory()?;
    drop(server);
    let list_ms = LISTS.iter().map(|asked| list(asked, &stage, options)).collect::<Result<_, _>>()?;
    let entry_us = entry(&stage).await?;

    // All that these people allowed has ended, and a purge is due: the server begins with it.
    fill::let_end(&stage.database()).await?;
    let (server, _) = start_at_once(&stage, options)?;
    let begun = Instant::now();
    let scenario = ALL.iter().find(|scenario| scenario.name == "refresh").ok_or("no scenario refresh")?;
    let purging = runs(scenario, &stage, &server, options).await.map_err(|why| format!("{why}\n{}", stage.last_of_log()))?;
    while fill::left(&stage.database()).await? > 0 && begun.elapsed() < Duration::from_secs(1200) {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let purged_s = begun.elapsed().as_secs_f64();
    Ok(Size {
        people,
        fill_s,
        database_mb,
        start_ms: start.as_secs_f64() * 1000.0,
        idle_mb: idle.now,
        loaded_mb: loaded.now,
        cpu_us,
        entry_us,
        list_ms,
        quiet,
        purging: latencies(&purging),
        purged_s,
    })
}

fn start_at_once(stage: &Stage, options: &Options) -> Result<(Server, Duration), String> {
    let begun = Instant::now();
    let mut server = Server::admit(&options.server, &stage.database(), &[])?;
    let start = server.wait_until_ready(begun)?;
    Ok((server, start))
}

/// The server, a second after its start.
async fn start(stage: &Stage, options: &Options) -> Result<(Server, Duration), String> {
    let (server, start) = start_at_once(stage, options)?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok((server, start))
}

async fn runs(scenario: &Scenario, stage: &Stage, server: &Server, options: &Options) -> Result<Vec<Run>, String> {
    let work = scenario.prepare(stage, server.port).await?;
    let warm_up = if scenario.requests == 1 { 1000 } else { 48 };
    let first = load::run(server, &work, options.connections, warm_up).await?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 100 and 100,000")]
    let count = (options.cpu_seconds * 1e6 / first.cpu_us.max(1.0)).clamp(100.0, 100_000.0).ceil() as u64;
    let mut runs = Vec::new();
    for _ in 0..options.runs {
        runs.push(load::run(server, &work, options.connections, count).await?);
    }
    Ok(runs)
}

/// What `admit audit list` costs, from its start to its end, in ms of CPU time.
fn list(asked: &[&str], stage: &Stage, options: &Options) -> Result<f64, String> {
    let before = own_cpu()?;
    for _ in 0..COMMANDS {
        let mut command = Command::new(&options.server);
        let printed = command.args(["audit", "list", "--json", "--database"]).arg(stage.database()).args(asked).output();
        let printed = printed.map_err(|error| error.to_string())?;
        if !printed.status.success() || !printed.stdout.starts_with(b"[") {
            return Err(format!("admit audit list {asked:?}: {}", String::from_utf8_lossy(&printed.stderr)));
        }
    }
    Ok((own_cpu()? - before) * 1e3 / f64::from(COMMANDS))
}

/// What an entry of the audit trail costs, written by many at once, in µs of CPU time.
async fn entry(stage: &Stage) -> Result<f64, String> {
    let now = Clock::System.now();
    let store = Store::open(&Location::Sqlite(stage.database()), now).await.map_err(|error| error.to_string())?;
    let origin = Origin::command(TenantId::default_tenant(), now);
    let before = own_cpu()?;
    let written = stream::iter(0..ENTRIES).map(Ok).try_for_each_concurrent(64, |number| {
        let entry = Entry::done("login").user(&UserId::new(format!("u{number}")));
        store.audit(&origin, entry)
    });
    written.await.map_err(|error| error.to_string())?;
    let spent = own_cpu()? - before;
    store.close().await;
    Ok(spent * 1e6 / f64::from(ENTRIES))
}

/// What this process and those that it waited for have used of all cores so far, in seconds (proc(5): fields 14 to 17, in ticks).
fn own_cpu() -> Result<f64, String> {
    let stat = std::fs::read_to_string("/proc/self/stat").map_err(|error| error.to_string())?;
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    Ok(fields.skip(11).take(4).filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / process::TICKS_PER_SECOND)
}

fn latencies(runs: &[Run]) -> [f64; 2] {
    [0.5, 0.99].map(|share| median(runs.iter().map(|run| run.percentile(share))) / 1000.0)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Prints a line per figure; `false` where one is not flat.
fn report(sizes: &[Size]) -> bool {
    let line = |name: &str, figure: &dyn Fn(&Size) -> f64| {
        let cells: Vec<String> = sizes.iter().map(|size| format!("{:>12.1}", figure(size))).collect();
        println!("{name:<36}{}", cells.concat());
    };
    println!("{:<36}{}", "people", sizes.iter().map(|size| format!("{:>12}", size.people)).collect::<String>());
    let mut is_flat = true;
    let mut flat = |name: &str, figure: &dyn Fn(&Size) -> f64| {
        line(name, figure);
        if let (Some(first), Some(last)) = (sizes.first(), sizes.last()) {
            is_flat &= figure(last) <= figure(first) * FLAT;
        }
    };
    for (place, name) in SCENARIOS.iter().enumerate() {
        flat(&format!("{name}, CPU µs"), &|size| size.cpu_us[place]);
    }
    flat("audit entry, CPU µs", &|size| size.entry_us);
    for (place, asked) in LISTS.iter().enumerate() {
        flat(&format!("audit list {}, CPU ms", asked.first().unwrap_or(&"")), &|size| size.list_ms[place]);
    }
    flat("memory loaded, MB", &|size| size.loaded_mb);
    line("start, ms", &|size| size.start_ms);
    line("memory idle, MB", &|size| size.idle_mb);
    line("refresh, p50 ms", &|size| size.quiet[0]);
    line("refresh, p99 ms", &|size| size.quiet[1]);
    line("refresh beside a purge, p50 ms", &|size| size.purging[0]);
    line("refresh beside a purge, p99 ms", &|size| size.purging[1]);
    line("purge of all of them, s", &|size| size.purged_s);
    line("database, MB", &|size| size.database_mb);
    line("filled in, s", &|size| size.fill_s);
    if !is_flat {
        println!("not flat: something costs more than {FLAT} times as much among the most people");
    }
    is_flat
}
