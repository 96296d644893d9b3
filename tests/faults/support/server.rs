//! The real program, as a process that can be ended in every way.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use admit::store::Location;

use super::installation::free_port;
use super::{Installation, pause};

/// How long a server may take until it is ready, and until it is gone, before that is a failure.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a server is started.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// What stands before the program, such as `strace` and its options.
    pub before: Vec<String>,
    /// Further arguments of `admit serve`.
    pub arguments: Vec<String>,
    /// Another way to the database than the installation's own.
    pub database: Option<String>,
    /// Further variables.
    pub environment: Vec<(String, String)>,
}

/// A server that runs; dropped, it is killed.
pub struct Server {
    installation: Arc<Installation>,
    start: Start,
    child: Child,
    pub port: u16,
    /// From the start of the process to the first 200 of `/readyz`.
    pub ready_in: Duration,
}

impl Server {
    /// Starts one on a port of its own, and waits until it is ready.
    pub async fn start(installation: &Arc<Installation>) -> Self {
        Self::start_with(installation, Start::default()).await
    }

    pub async fn start_with(installation: &Arc<Installation>, start: Start) -> Self {
        let port = free_port();
        let child = spawn(installation, &start, port);
        let mut server = Self { installation: Arc::clone(installation), start, child, port, ready_in: Duration::ZERO };
        server.ready_in = server.wait_until_ready().await;
        server
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it where it stands: SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("its end");
    }

    /// Asks it to end (SIGTERM), and waits until it has. Says how long that took.
    pub async fn terminate(&mut self) -> (Duration, ExitStatus) {
        let begin = Instant::now();
        signal("TERM", self.child.id());
        (begin.elapsed(), self.gone().await)
    }

    /// Waits until it has ended by itself.
    pub async fn gone(&mut self) -> ExitStatus {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("its state") {
                return status;
            }
            assert!(begin.elapsed() < PATIENCE, "the server does not end");
            pause(2).await;
        }
    }

    /// Whether it runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("its state").is_none()
    }

    /// Whether a signal has ended it. One that was sent and has not had its effect yet counts: who
    /// was killed answers no more.
    pub async fn has_died(&mut self) -> bool {
        let begin = Instant::now();
        while self.is_running() {
            if is_ready(self.port, &self.installation) {
                return false;
            }
            assert!(begin.elapsed() < PATIENCE, "the server neither answers nor ends: {}", last_lines(&self.installation));
            pause(1).await;
        }
        true
    }

    /// Starts it again at the same port, the same way, and waits until it is ready.
    pub async fn again(&mut self) -> Duration {
        assert!(!self.is_running(), "it still runs");
        self.child = spawn(&self.installation, &self.start, self.port);
        self.ready_in = self.wait_until_ready().await;
        self.ready_in
    }

    async fn wait_until_ready(&mut self) -> Duration {
        let begin = Instant::now();
        while !is_ready(self.port, &self.installation) {
            if let Some(status) = self.child.try_wait().expect("its state") {
                panic!("the server ended at once, with {status}: {}", last_lines(&self.installation));
            }
            assert!(begin.elapsed() < PATIENCE, "the server is not ready: {}", last_lines(&self.installation));
            pause(1).await;
        }
        begin.elapsed()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal, such as `KILL`, to a process of ours.
pub fn signal(name: &str, id: u32) {
    // Where it has not been waited for, its number is still its own, even when it has ended.
    let sent = Command::new("kill").args([&format!("-{name}"), &id.to_string()]).status().expect("kill");
    assert!(sent.success(), "SIG{name} cannot be sent");
}

/// A command of the program on this installation's database.
pub fn command(installation: &Installation, before: &[String]) -> Command {
    let own = super::PROGRAM.get().expect("main sets it").to_string_lossy();
    let mut words: Vec<&str> = before.iter().map(String::as_str).collect();
    words.push(&own);
    let (program, rest) = words.split_first().expect("the program");
    let database = match &installation.location {
        Location::Sqlite(path) => path.display().to_string(),
        Location::Postgres(url) => url.clone(),
    };
    let mut command = Command::new(program);
    command.args(rest).env_clear().env("ADMIT_MASTER_KEY", &installation.master_key).env("ADMIT_DATABASE", database);
    command.current_dir(installation.folder()).stdin(Stdio::null());
    command
}

fn spawn(installation: &Installation, start: &Start, port: u16) -> Child {
    let log = OpenOptions::new().create(true).append(true).open(installation.folder().join("admit.log")).expect("a log");
    let mut command = command(installation, &start.before);
    if let Some(another) = &start.database {
        command.env("ADMIT_DATABASE", another);
    }
    command
        .args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--issuer", &installation.issuer])
        .args(["--trusted-proxies", "127.0.0.1"])
        .args(&start.arguments)
        .envs(start.environment.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("the program")
}

/// Whether `/readyz` is answered with 200.
pub fn is_ready(port: u16, installation: &Installation) -> bool {
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return false };
    let host = installation.issuer.trim_start_matches("http://");
    let request = format!("GET /readyz HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    let mut status = [0u8; 12];
    stream.write_all(request.as_bytes()).is_ok() && stream.read_exact(&mut status).is_ok() && status.ends_with(b"200")
}

fn last_lines(installation: &Installation) -> String {
    let log = installation.log();
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}
