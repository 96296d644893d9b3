//! What the server asks of the kernel, as `strace` sees it: writes with every byte, syncs, and what
//! goes over its sockets, in an order in which nothing comes before its cause.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::server::signal;
use super::{Installation, Server, pause};

/// How long a tracer may take to let go of a server.
const LONGEST: Duration = Duration::from_secs(10);

/// A tracer at work on a server.
pub struct Tracer {
    child: Child,
    log: PathBuf,
}

impl Tracer {
    /// Attaches to a server that is at rest, and returns when it sees everything.
    pub async fn attach(installation: &Installation, server: &Server, options: &[&str]) -> Self {
        let log = installation.folder().join("strace.log");
        let said = installation.folder().join("strace.err");
        let tracer = Command::new("strace")
            .args(["-f", "-y", "-xx", "-s", "65536", "-p", &server.id().to_string(), "-o"])
            .arg(&log)
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&said).expect("a file"))
            .spawn()
            .map(|child| Self { child, log })
            .expect("there is no strace; on Debian: apt-get install strace");
        for _ in 0..5000 {
            if fs::read_to_string(&said).is_ok_and(|said| said.contains("Process ") && said.contains(" attached")) {
                return tracer;
            }
            pause(1).await;
        }
        panic!("strace does not attach: {}", fs::read_to_string(said).unwrap_or_default());
    }

    /// Lets go of the server, which lives on, and gives what was seen.
    pub async fn detach(mut self) -> Vec<Event> {
        signal("INT", self.child.id());
        self.wait().await;
        parse(&self.log)
    }

    /// Lets go of the server, and says whether it has died meanwhile.
    pub async fn detach_from(mut self, server: &mut Server) -> bool {
        signal("INT", self.child.id());
        self.wait().await;
        server.has_died().await
    }

    /// Until it has ended. Where the server died under its hands, it may wait for what will not come.
    async fn wait(&mut self) {
        let begin = Instant::now();
        while self.child.try_wait().expect("its state").is_none() {
            if begin.elapsed() > LONGEST {
                let _ = self.child.kill();
            }
            pause(1).await;
        }
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Something that was done.
#[derive(Clone, Debug)]
pub enum Call {
    Write {
        path: String,
        at: usize,
        data: Vec<u8>,
    },
    Sync {
        path: String,
    },
    Truncate {
        path: String,
        length: usize,
    },
    /// To a client; the path names the connection.
    Send {
        path: String,
        data: Vec<u8>,
    },
    /// From a client.
    Receive {
        path: String,
        data: Vec<u8>,
    },
}

/// The same, and when: in lines of the trace.
#[derive(Clone, Debug)]
pub struct Event {
    pub call: Call,
    pub begun: usize,
    pub ended: usize,
}

/// What [`parse`] understands.
pub const CALLS: &str = "trace=pwrite64,fsync,fdatasync,ftruncate,writev,sendto,recvfrom";

fn parse(log: &PathBuf) -> Vec<Event> {
    let mut events = Vec::new();
    let mut unfinished: HashMap<String, (usize, String)> = HashMap::new();
    for (number, line) in BufReader::new(fs::File::open(log).expect("a trace")).lines().enumerate() {
        let line = line.expect("ASCII");
        let Some((process, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        if let Some(begin) = rest.strip_suffix("<unfinished ...>") {
            unfinished.insert(process.to_owned(), (number, begin.trim_end().to_owned()));
        } else if let Some((_, end)) = rest.strip_prefix("<... ").and_then(|rest| rest.split_once("resumed>")) {
            if let Some((begun, begin)) = unfinished.remove(process) {
                events.extend(call(&format!("{begin}{}", end.trim_start())).map(|call| Event { call, begun, ended: number }));
            }
        } else {
            events.extend(call(rest).map(|call| Event { call, begun: number, ended: number }));
        }
    }
    events
}

/// A whole call that did what it was asked to.
fn call(text: &str) -> Option<Call> {
    let (name, rest) = text.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    let result: usize = result.split(' ').next()?.parse().ok()?;
    let arguments = arguments.trim_end().strip_suffix(')')?;
    let path = unescape(arguments.split_once('<')?.1.split_once('>')?.0);
    let path = String::from_utf8(path).ok()?;
    let data = || {
        let strings = arguments.split('"').skip(1).step_by(2);
        let mut data: Vec<u8> = strings.flat_map(unescape).collect();
        data.truncate(result);
        data
    };
    let last = || arguments.rsplit_once(", ")?.1.parse::<usize>().ok();
    let is_socket = path.starts_with("socket:");
    match name {
        "pwrite64" => Some(Call::Write { at: last()?, data: data(), path }),
        "fsync" | "fdatasync" => Some(Call::Sync { path }),
        "ftruncate" => Some(Call::Truncate { length: last()?, path }),
        "writev" | "sendto" if is_socket => Some(Call::Send { data: data(), path }),
        "recvfrom" if is_socket => Some(Call::Receive { data: data(), path }),
        _ => None,
    }
}

/// `\x41\x42` is `AB`.
fn unescape(text: &str) -> Vec<u8> {
    text.split("\\x").skip(1).filter_map(|digits| u8::from_str_radix(digits.get(..2)?, 16).ok()).collect()
}

/// A request and its answer, as they went over one connection.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub request: String,
    pub answer: String,
    /// When the last of the request came.
    pub asked: usize,
    /// When the answer began to leave.
    pub answered: usize,
}

/// Every request that was answered; each had its own connection.
pub fn exchanges(events: &[Event]) -> Vec<Exchange> {
    let mut open: HashMap<&str, (Vec<u8>, usize)> = HashMap::new();
    let mut done = Vec::new();
    for event in events {
        match &event.call {
            Call::Receive { path, data } => {
                let entry = open.entry(path).or_default();
                entry.0.extend(data);
                entry.1 = event.begun;
            }
            Call::Send { path, data } => {
                let Some((request, asked)) = open.remove(path.as_str()) else { continue };
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                done.push(Exchange { request: text(&request), answer: text(data), asked, answered: event.begun });
            }
            _ => {}
        }
    }
    done
}

impl Exchange {
    /// A text of the answer's JSON object.
    pub fn text(&self, member: &str) -> Option<String> {
        let body = self.answer.split_once("\r\n\r\n")?.1;
        let json: serde_json::Value = serde_json::from_str(body).ok()?;
        json[member].as_str().map(str::to_owned)
    }
}
