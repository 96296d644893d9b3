//! nginx before several instances, with the configuration that the documentation shows.

use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::installation::free_port;
use super::pause;
use super::server::signal;

/// What administrators are shown.
const SHOWN: &str = include_str!("../../../docs/nginx.conf");

/// What stands around it in `/etc/nginx/nginx.conf`, for a server that keeps to its own folder.
const AROUND: &str = "daemon off; pid pid; worker_processes 2;
events {}
http {
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    include admit.conf;
}";

/// An nginx on loopback; dropped, it is stopped.
pub struct Nginx {
    folder: TempDir,
    child: Child,
    pub port: u16,
}

/// What nginx wrote down.
#[derive(Clone, Copy, Debug, Default)]
pub struct Passed {
    pub requests: usize,
    /// Those that were answered with 500 and above.
    pub failed: usize,
    /// Those for which more than one instance was asked.
    pub tried_again: usize,
}

impl Nginx {
    /// Starts one before these instances.
    pub async fn start(instances: [u16; 3]) -> Self {
        let folder = tempfile::Builder::new().prefix("admit-nginx").tempdir_in("/var/tmp").expect("a folder");
        // As root, its workers run as somebody else.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("its mode");
        let port = free_port();
        let [first, second, third] = instances.map(|port| format!("server 127.0.0.1:{port} "));
        let here = [
            ("server 10.0.0.11:8080 ", first),
            ("server 10.0.0.12:8080 ", second),
            ("server 10.0.0.13:8080 ", third),
            ("listen 443 ssl;", format!("listen 127.0.0.1:{port};")),
            ("ssl_certificate     /etc/nginx/auth.example.org.pem;", String::new()),
            ("ssl_certificate_key /etc/nginx/auth.example.org.key;", String::new()),
            ("/var/log/nginx/admit.log", "admit.log".to_owned()),
            ("/var/log/nginx/admit-error.log", "admit-error.log".to_owned()),
        ];
        let own = here.iter().fold(SHOWN.to_owned(), |text, (shown, here)| {
            assert_eq!(text.matches(shown).count(), 1, "docs/nginx.conf has one: {shown}");
            text.replace(shown, here)
        });
        for (name, text) in [("nginx.conf", AROUND), ("admit.conf", &own)] {
            std::fs::write(folder.path().join(name), text).expect("written");
        }
        let mut command = Command::new("/usr/sbin/nginx"); // not in everybody's PATH
        command.arg("-p").arg(folder.path()).args(["-c", "nginx.conf", "-e", "error.log"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let nginx = Self { folder, child: child.expect("there is no nginx; on Debian: apt-get install nginx"), port };
        let begin = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(begin.elapsed() < Duration::from_secs(10), "nginx does not start: {}", nginx.read("error.log"));
            pause(5).await;
        }
        nginx
    }

    /// What it has written down so far.
    pub fn passed(&self) -> Passed {
        let mut passed = Passed::default();
        for line in self.read("admit.log").lines() {
            // "METHOD path" STATUS TIME from "address[, address]" "status[, status]" id
            let parts: Vec<&str> = line.split('"').collect();
            let [_, _, status, addresses, ..] = parts[..] else { panic!("a line of the log: {line}") };
            let status: u16 = status.split_whitespace().next().and_then(|status| status.parse().ok()).expect("a status");
            passed.requests += 1;
            passed.failed += usize::from(status >= 500);
            passed.tried_again += usize::from(addresses.contains(','));
        }
        passed
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Killed, it would leave its workers behind.
        signal("TERM", self.child.id());
        let _ = self.child.wait();
    }
}
