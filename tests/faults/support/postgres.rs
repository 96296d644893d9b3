//! A PostgreSQL of one fault's own, which syncs as one in production does, and can be killed.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;

use super::installation::free_port;
use super::pause;
use super::server::signal;

/// A server; dropped, it is stopped and its data is gone.
pub struct Postgres {
    folder: TempDir,
    bin: PathBuf,
    /// Whom it runs as, where we are root: it refuses that.
    owner: Option<(u32, u32)>,
    port: u16,
}

impl Postgres {
    /// A new one on loopback.
    pub async fn start() -> Self {
        let postgres = Self::in_a_folder();
        postgres.run("initdb", &["-U", "admit", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]);
        postgres.again().await;
        let mut connection = PgConnection::connect(&postgres.url()).await.expect("a server that answers");
        // With it the verifier looks at every index. Some faults empty the schema `public`.
        sqlx::raw_sql("create schema amcheck; create extension amcheck schema amcheck")
            .execute(&mut connection)
            .await
            .expect("an extension of PostgreSQL's own");
        postgres
    }

    /// Another one, which has everything that this one has.
    pub async fn standby_of(primary: &Self) -> Self {
        let standby = Self::in_a_folder();
        standby.follow(primary).await;
        standby
    }

    fn in_a_folder() -> Self {
        let folder = tempfile::Builder::new().prefix("admit-postgres").tempdir_in("/var/tmp").expect("a folder");
        let postgres = Self { owner: owner(), bin: bin(), folder, port: free_port() };
        if let Some((user, group)) = postgres.owner {
            std::os::unix::fs::chown(postgres.folder.path(), Some(user), Some(group)).expect("its owner");
        }
        postgres
    }

    /// Becomes a standby of that one, whatever it was. It must not run.
    pub async fn follow(&self, primary: &Self) {
        let data = self.data();
        if data.exists() {
            std::fs::remove_dir_all(data).expect("removed");
        }
        let from = format!("host=127.0.0.1 port={} user=admit application_name=standby", primary.port);
        self.run("pg_basebackup", &["-d", &from, "-R", "-c", "fast"]);
        self.again().await;
    }

    /// From now on, what is acknowledged is on the standby as well. Waits until what was acknowledged before is there.
    pub async fn wait_for_standby(&self) {
        let mut connection = PgConnection::connect(&self.url()).await.expect("a server that answers");
        for statement in ["alter system set synchronous_standby_names = 'standby'", "select pg_reload_conf()"] {
            sqlx::raw_sql(statement).execute(&mut connection).await.expect("set");
        }
        let written: String = sqlx::query_scalar("select pg_current_wal_lsn()::text").fetch_one(&mut connection).await.expect("its place");
        let statement = "select count(*) from pg_stat_replication where sync_state = 'sync' and flush_lsn >= $1::pg_lsn";
        let begin = Instant::now();
        while sqlx::query_scalar::<_, i64>(statement).bind(&written).fetch_one(&mut connection).await.expect("its state") == 0 {
            assert!(begin.elapsed() < Duration::from_secs(30), "the standby does not follow");
            pause(20).await;
        }
    }

    /// The URL of its database.
    pub fn url(&self) -> String {
        format!("postgres://admit@127.0.0.1:{}/postgres", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its data is.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("db")
    }

    /// Starts it, after a new one was made or this one was killed.
    pub async fn again(&self) {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=200 -c log_min_messages=fatal",
            self.port
        );
        let log = self.folder.path().join("log").display().to_string();
        for _ in 0..50 {
            if self.tries("pg_ctl", &["-w", "-l", &log, "-o", &options, "start"]) {
                return;
            }
            pause(100).await; // what was killed may still hold its shared memory
        }
        panic!("PostgreSQL does not start: {}", std::fs::read_to_string(log).unwrap_or_default());
    }

    /// Ends it where it stands: SIGKILL to the server and to everything that it has started.
    pub async fn kill(&self) {
        let text = std::fs::read_to_string(self.data().join("postmaster.pid")).expect("its number");
        let id: u32 = text.lines().next().and_then(|line| line.trim().parse().ok()).expect("its number");
        for child in children(id) {
            signal_if_there(child);
        }
        signal("KILL", id);
        while Path::new(&format!("/proc/{id}")).exists() {
            pause(2).await;
        }
    }

    /// One of its programs, which has to succeed.
    pub fn run(&self, program: &str, arguments: &[&str]) {
        assert!(self.tries(program, arguments), "{program} {arguments:?} fails");
    }

    /// Whether one of its programs succeeds.
    pub fn tries(&self, program: &str, arguments: &[&str]) -> bool {
        let mut command = Command::new(self.bin.join(program));
        command.arg("-D").arg(self.data()).args(arguments).current_dir(self.folder.path());
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.tries("pg_ctl", &["-m", "immediate", "-w", "stop"]);
    }
}

/// Debian keeps the server's programs away from the others, by version.
fn bin() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).filter(|bin| bin.join("initdb").exists()).collect();
    found.sort();
    found.pop().expect("there is no PostgreSQL server; on Debian: apt-get install postgresql")
}

/// The user that Debian made for it, where we are root.
fn owner() -> Option<(u32, u32)> {
    let number = |what: &str, of: &str| {
        let out = Command::new("id").args([what, of]).stderr(Stdio::null()).output().expect("id");
        String::from_utf8_lossy(&out.stdout).trim().parse::<u32>().ok()
    };
    let own = Command::new("id").arg("-u").output().expect("id");
    if own.stdout != b"0\n" {
        return None;
    }
    number("-u", "postgres").zip(number("-g", "postgres"))
}

fn children(id: u32) -> Vec<u32> {
    let text = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}

/// A child may end by itself meanwhile.
fn signal_if_there(id: u32) {
    let _ = Command::new("kill").args(["-KILL", &id.to_string()]).stderr(Stdio::null()).status();
}
