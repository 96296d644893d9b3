//! The processes that are measured: each on a core of its own, ended by its own number.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The core of the servers, and that of whoever asks.
const SERVER_CORE: &str = "0";
const CLIENT_CORE: &str = "1";
/// Linux counts in hundredths of a second towards programs (`USER_HZ`), whatever its own tick is.
pub const TICKS_PER_SECOND: f64 = 100.0;

/// A server that runs.
pub struct Server {
    child: Child,
    pub port: u16,
}

/// What a process holds in memory, in MB.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    pub now: f64,
    pub peak: f64,
}

/// Whether this program can be started here.
pub fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Leaves the servers' core to them. Called before there are further threads: they inherit it.
pub fn pin_this_process() {
    let pin = Command::new("taskset").args(["-cp", CLIENT_CORE, &std::process::id().to_string()]).stdout(Stdio::null()).status();
    if !pin.is_ok_and(|status| status.success()) {
        eprintln!("load: no taskset, or no second core: server and client share the machine, and the figures are worse for it");
    }
}

/// A command on the servers' core, with what stands before it (such as `strace` and its options).
fn on_its_core(before: &[String], program: &Path) -> Command {
    let mut words: Vec<&str> = before.iter().map(String::as_str).collect();
    if is_there("taskset") {
        words.extend(["taskset", "-c", SERVER_CORE]);
    }
    match words.split_first() {
        None => Command::new(program),
        Some((first, rest)) => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
    }
}

impl Server {
    /// `admit serve` on a free port, with SQLite; not yet ready.
    pub fn admit(program: &Path, database: &Path, before: &[String]) -> Result<Self, String> {
        Self::admit_on(program, database.as_os_str(), database, before)
    }

    /// The same on whichever database; its log and its master key have the name of `files`.
    pub fn admit_on(program: &Path, database: &OsStr, files: &Path, before: &[String]) -> Result<Self, String> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let port = free.map_err(|error| error.to_string())?.port();
        let log = fs::File::create(files.with_extension("log")).map_err(|error| error.to_string())?;
        let child = on_its_core(before, program)
            .args(["serve", "--shutdown-delay", "0", "--listen", &format!("127.0.0.1:{port}"), "--database"])
            .arg(database)
            .arg("--master-key-file")
            .arg(files.with_extension("key"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        Ok(Self { child: child.map_err(|error| format!("the server does not start: {error}"))?, port })
    }

    /// This very program as a bare axum server.
    pub fn bare_axum(length: usize) -> Result<Self, String> {
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = on_its_core(&[], &own);
        let child = command.args(["--bare-axum", &length.to_string()]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| error.to_string())?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut line).map_err(|error| error.to_string())?;
        }
        let port = line.trim().parse().map_err(|_| "the bare server did not say its port".to_owned())?;
        Ok(Self { child, port })
    }

    /// Asks until there is an answer; says how long it took.
    pub fn wait_until_ready(&mut self, since: Instant) -> Result<Duration, String> {
        while since.elapsed() < Duration::from_secs(30) {
            if let Some(status) = self.child.try_wait().map_err(|error| error.to_string())? {
                return Err(format!("the server ended at once: {status}"));
            }
            if is_ready(self.port) {
                return Ok(since.elapsed());
            }
            pause(Duration::from_micros(200));
        }
        Err("the server is not ready after half a minute".to_owned())
    }

    /// CPU time so far, in seconds: user and system, of all its threads.
    pub fn cpu(&self) -> Result<f64, String> {
        let stat = self.read("stat")?;
        // The name of the program may hold anything; what counts begins after its last bracket.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |place: usize| fields.get(place).and_then(|text| text.parse::<f64>().ok()).ok_or("stat cannot be read");
        Ok((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
    }

    pub fn memory(&self) -> Result<Memory, String> {
        let status = self.read("status")?;
        let megabytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).map_or(0.0, |kib| kib * 1024.0 / 1e6)
        };
        Ok(Memory { now: megabytes("VmRSS:"), peak: megabytes("VmHWM:") })
    }

    fn read(&self, file: &str) -> Result<String, String> {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).map_err(|error| format!("/proc: {error}"))
    }
}

/// Whether the discovery document is answered with 200.
fn is_ready(port: u16) -> bool {
    use std::io::{Read as _, Write as _};
    let Ok(mut stream) = std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return false };
    let request = format!("GET /.well-known/smart-configuration HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n");
    let mut status = [0u8; 12];
    stream.write_all(request.as_bytes()).is_ok() && stream.read_exact(&mut status).is_ok() && status.ends_with(b"200")
}

impl Drop for Server {
    /// Asks it to end in good order, and insists after a while.
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).stderr(Stdio::null()).status();
        for _ in 0..300 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            pause(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits without burning the core that the server is measured beside.
#[expect(clippy::disallowed_methods, reason = "a harness waits for a process; the product never does")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}
