//! `admit serve` as a process: its master key, and an orderly stop.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

fn admit(dir: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_admit"));
    command.env_clear().current_dir(dir).args(["serve", "--listen", "127.0.0.1:0", "--issuer", "http://127.0.0.1"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts it and waits until it says that it is ready; returns what it said.
fn start(dir: &TempDir) -> (Child, String) {
    ready(admit(dir).args(["--shutdown-delay", "0"]))
}

fn ready(command: &mut Command) -> (Child, String) {
    let mut child = command.spawn().expect("the program");
    let mut said = String::new();
    let mut lines = BufReader::new(child.stderr.take().expect("its messages")).lines();
    while !said.contains("\"ready\"") {
        let line = lines.next().unwrap_or_else(|| panic!("it stopped: {said}")).expect("text");
        said.push_str(&line);
        said.push('\n');
    }
    // What it says from here on is nobody's; the pipe must not fill up.
    std::thread::spawn(move || lines.for_each(drop));
    (child, said)
}

fn stop(mut child: Child) {
    signal(&child, "TERM");
    assert!(child.wait().expect("its end").success());
}

fn signal(child: &Child, name: &str) {
    let told = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().expect("kill");
    assert!(told.success());
}

/// One that listens at a known port and would wait for a minute on SIGTERM.
fn listening(dir: &TempDir) -> (Child, SocketAddr) {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let mut command = Command::new(env!("CARGO_BIN_EXE_admit"));
    command.env_clear().current_dir(dir).args(["serve", "--issuer", "http://127.0.0.1", "--shutdown-delay", "60"]);
    command.args(["--listen", &free.to_string()]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    (ready(&mut command).0, free)
}

/// Sends this and reads until the server has nothing more to say, or closes.
fn ask(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).expect("sent");
    hear(stream)
}

fn hear(stream: &mut TcpStream) -> String {
    let mut heard = Vec::new();
    let mut chunk = [0; 4096];
    // An answer of these tests is short, and comes in one piece.
    let count = stream.read(&mut chunk).expect("an answer");
    heard.extend_from_slice(&chunk[..count]);
    String::from_utf8(heard).expect("UTF-8")
}

const READY: &str = "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

/// A start that fails.
fn fails(command: &mut Command) -> String {
    let Output { status, stderr, stdout } = command.output().expect("the program");
    assert!(!status.success() && stdout.is_empty());
    String::from_utf8(stderr).expect("UTF-8")
}

fn files(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn the_master_key_is_made_once_and_an_orderly_stop_leaves_no_journal() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (child, said) = start(&dir);
    assert!(said.contains("a master key was made"), "{said}");
    stop(child);
    assert_eq!(files(dir.path()), ["admit.db", "admit.db.lock", "admit.key"]);
    let key = std::fs::read_to_string(dir.path().join("admit.key")).expect("the key");
    assert!(!said.contains(key.trim()));
    for file in ["admit.db", "admit.db.lock", "admit.key"] {
        let mode = std::fs::metadata(dir.path().join(file)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let (child, said) = start(&dir);
    assert!(!said.contains("a master key was made"), "{said}");
    stop(child);
    assert_eq!(std::fs::read_to_string(dir.path().join("admit.key")).expect("the key"), key);
}

#[test]
fn without_its_master_key_the_server_does_not_start_and_makes_no_other() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (child, _) = start(&dir);
    stop(child);
    let (path, aside) = (dir.path().join("admit.key"), dir.path().join("aside"));
    std::fs::rename(&path, &aside).expect("moved");
    let said = fails(&mut admit(&dir));
    assert!(said.contains("the master key that opens them is not in admit.key") && said.contains("ADMIT_MASTER_KEY"), "{said}");
    assert!(!path.exists());

    for (wrong, words) in [
        ("", "a master key is 32 random bytes"),
        ("short", "a master key is 32 random bytes"),
        ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "Give the master key that this database was made with"),
    ] {
        std::fs::write(&path, wrong).expect("written");
        let said = fails(&mut admit(&dir));
        assert!(said.contains(words), "{said}");
        assert_eq!(std::fs::read_to_string(&path).expect("the file"), wrong);
        let said = fails(admit(&dir).env("ADMIT_MASTER_KEY", wrong));
        assert!(said.contains(words), "{said}");
    }
    std::fs::rename(&aside, &path).expect("moved back");
    let (child, _) = start(&dir);
    stop(child);
}

/// One server per SQLite database, whatever became of the one before.
#[test]
fn a_second_server_on_the_same_database_is_refused() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (mut child, _) = start(&dir);
    let Output { status, stderr, .. } = admit(&dir).output().expect("the program");
    let said = String::from_utf8(stderr).expect("UTF-8");
    assert_eq!(status.code(), Some(5), "{said}");
    let words = format!("the database admit.db is in use by another admit (process {}): stop that one first", child.id());
    assert!(said.contains(&words) && said.contains("PostgreSQL"), "{said}");
    // Other commands go on beside it.
    let mut list = Command::new(env!("CARGO_BIN_EXE_admit"));
    assert!(list.env_clear().current_dir(&dir).args(["user", "list"]).output().expect("the program").status.success());

    child.kill().expect("killed"); // SIGKILL
    child.wait().expect("its end");
    let (child, _) = start(&dir);
    stop(child);
}

/// A load balancer is told first, and everything is still answered; a second signal does not wait.
#[test]
fn on_sigterm_the_server_is_not_ready_and_still_answers_for_a_while() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (mut child, address) = listening(&dir);
    let connect = || TcpStream::connect(address).expect("a connection");
    let mut kept = connect();
    let before = ask(&mut kept, READY);
    assert!(before.starts_with("HTTP/1.1 200") && !before.to_lowercase().contains("connection: close"), "{before}");
    signal(&child, "TERM");
    let begin = Instant::now();
    let mut not_ready = ask(&mut kept, READY);
    while not_ready.starts_with("HTTP/1.1 200") {
        assert!(begin.elapsed() < Duration::from_secs(5), "{not_ready}");
        not_ready = ask(&mut kept, READY);
    }
    assert!(not_ready.starts_with("HTTP/1.1 503") && not_ready.ends_with("stopping\n"), "{not_ready}");
    assert!(not_ready.to_lowercase().contains("connection: close"), "{not_ready}");
    assert_eq!(hear(&mut kept), "", "the connection is closed after the answer that says so");
    for path in ["/livez", "/.well-known/smart-configuration"] {
        let answer = ask(&mut connect(), &format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 200") && answer.to_lowercase().contains("connection: close"), "{answer}");
    }
    signal(&child, "TERM");
    assert!(child.wait().expect("its end").success());
}

/// Ctrl-C does not wait; who is in the middle of a request gets an answer, who rests is let go, nobody new comes in.
#[test]
fn requests_under_way_are_answered_before_the_end() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (mut child, address) = listening(&dir);
    let connect = || TcpStream::connect(address).expect("a connection");
    let (mut resting, mut at_work) = (connect(), connect());
    assert!(ask(&mut resting, READY).starts_with("HTTP/1.1 200"));
    let half = "POST /token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                Content-Length: 10\r\nExpect: 100-continue\r\n\r\n";
    // That it goes on says that it is being worked on.
    assert!(ask(&mut at_work, half).starts_with("HTTP/1.1 100"));
    signal(&child, "INT");
    assert_eq!(hear(&mut resting), "", "a connection at rest is closed");
    let begin = Instant::now();
    while TcpStream::connect(address).is_ok() {
        assert!(begin.elapsed() < Duration::from_secs(5), "there are still new connections");
    }
    let answer = ask(&mut at_work, "grant_type");
    assert!(answer.starts_with("HTTP/1.1 401") && answer.to_lowercase().contains("connection: close"), "{answer}");
    assert!(child.wait().expect("its end").success());
    assert_eq!(files(dir.path()), ["admit.db", "admit.db.lock", "admit.key"], "the journal is back in the database");
}

/// `admit health`, with these variables.
fn health(dir: &TempDir, variables: &[(&str, &str)], args: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_admit"));
    command.env_clear().envs(variables.iter().copied()).current_dir(dir).arg("health").args(args);
    let Output { status, stdout, stderr } = command.output().expect("the program");
    (status.code(), String::from_utf8([stdout, stderr].concat()).expect("UTF-8"))
}

/// As an image does it: the platform says the port, and server and health check find each other by it.
#[test]
fn the_server_listens_at_the_platforms_port_and_health_asks_there() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port().to_string();
    let url = format!("http://127.0.0.1:{port}");
    let platform = [("PORT", port.as_str())];
    let nobody = (Some(1), format!("admit: {url} is not ready: no answer\n"));
    assert_eq!(health(&dir, &platform, &[]), nobody);

    let mut command = Command::new(env!("CARGO_BIN_EXE_admit"));
    command.env_clear().envs(platform).current_dir(&dir).args(["serve", "--issuer", "https://auth.test", "--shutdown-delay", "60"]);
    let (mut child, said) = ready(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()));
    assert!(said.contains(&format!("\"listen\":\"0.0.0.0:{port}\"")), "{said}");
    let yes = (Some(0), "ready\n".to_owned());
    for (variables, args) in [
        (&platform[..], &[][..]),
        (&[("ADMIT_LISTEN", &url["http://".len()..]), ("PORT", "1")], &[]),
        (&[("PORT", "1")], &[url.as_str()]),
        (&[], &[&format!("{url}/")]),
    ] {
        assert_eq!(health(&dir, variables, args), yes, "{variables:?} {args:?}");
    }
    signal(&child, "TERM");
    let begin = Instant::now();
    let mut answer = yes.clone();
    while answer == yes {
        assert!(begin.elapsed() < Duration::from_secs(5), "it still says that it is ready");
        answer = health(&dir, &platform, &[]);
    }
    assert_eq!(answer, (Some(1), format!("admit: {url} is not ready: the answer is not 200\n")));
    signal(&child, "TERM");
    assert!(child.wait().expect("its end").success());
    assert_eq!(health(&dir, &platform, &[]), nobody);
}

#[test]
fn health_does_not_wait_for_long_and_says_where_it_cannot_ask() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", silent.local_addr().expect("an address"));
    let begin = Instant::now();
    assert_eq!(health(&dir, &[], &[&url]), (Some(1), format!("admit: {url} is not ready: timeout\n")));
    assert!(begin.elapsed() < Duration::from_secs(5));
    let (code, said) = health(&dir, &[("ADMIT_TLS_CERTIFICATE_FILE", "tls.pem")], &[]);
    assert!(code == Some(1) && said.contains("name the URL that its certificate is for"), "{code:?} {said}");
    for url in ["http://auth.test", "https://admin:hunter2@auth.test", "auth.test"] {
        let (code, said) = health(&dir, &[], &[url]);
        assert!(code == Some(1) && said.contains("this URL cannot be asked") && !said.contains("hunter2"), "{code:?} {said}");
    }
}
