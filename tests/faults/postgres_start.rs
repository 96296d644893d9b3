//! Starts on PostgreSQL: who is on the other side (TLS), and who else is at the migrations (KF-12).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use admit::clock::Clock;
use admit::store::{Error, Location, Store};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::Fault;
use crate::support::{Kind, Plan, Postgres, pause};

pub const TLS: Fault = Fault {
    id: "TLS",
    what: "a PostgreSQL that is not who it should be",
    pass: "verify-full takes the right authority and the right name, and nothing else",
    on: &[Kind::Postgres],
    run: |plan| Box::pin(tls(plan)),
};

pub const KF_12: Fault = Fault {
    id: "KF-12",
    what: "an instance starts during another one's long migration",
    pass: "it waits, longer than any statement may take, and then starts",
    on: &[Kind::Postgres],
    run: |plan| Box::pin(migration(plan)),
};

async fn open(url: &str) -> Result<(), String> {
    let store = Store::open(&Location::Postgres(url.to_owned()), Clock::System.now()).await.map_err(|error: Error| error.to_string())?;
    store.ping().await.expect("it answers");
    store.close().await;
    Ok(())
}

/// An instance that starts while something else goes on.
fn beside(url: String) -> JoinHandle<Result<(), String>> {
    tokio::task::spawn_blocking(move || Handle::current().block_on(open(&url)))
}

async fn tls(_: Plan) -> String {
    let postgres = Postgres::start().await;
    let folder = tempfile::tempdir_in("/var/tmp").expect("a folder");
    let (right, wrong) = (authority(folder.path(), "right"), authority(folder.path(), "wrong"));
    let url = |host: &str, rest: &str| postgres.url().replace("127.0.0.1", host).replace("admit@", "admit:hunter2@") + "?sslmode=" + rest;
    let with = |mode: &str, authority: &Path| format!("{mode}&sslrootcert={}", authority.display());

    let refused = open(&url("localhost", &with("verify-full", &right))).await.expect_err("the server has no TLS");
    assert!(refused.contains("TLS"), "{refused}");

    encrypt(&postgres, folder.path(), "right");
    postgres.again().await;
    let mut accepted = 0;
    for good in [with("verify-full", &right), with("verify-ca", &right), with("require", &right), "require".to_owned()] {
        open(&url("localhost", &good)).await.unwrap_or_else(|error| panic!("{good}: {error}"));
        accepted += 1;
    }
    // The name is what `verify-ca` does not look at.
    open(&url("127.0.0.1", &with("verify-ca", &right))).await.expect("the right authority");
    let bad = [
        ("a wrong authority", url("localhost", &with("verify-full", &wrong))),
        ("a wrong name", url("127.0.0.1", &with("verify-full", &right))),
        ("an authority that nobody knows", url("localhost", "verify-full")),
        ("a wrong authority, by `verify-ca`", url("localhost", &with("verify-ca", &wrong))),
        ("a wrong authority, by `require`", url("localhost", &with("require", &wrong))),
    ];
    for (what, url) in &bad {
        let error = open(url).await.expect_err(what);
        assert!(error.contains("certificate"), "{what}: {error}");
        assert!(!error.contains("hunter2"), "{what}: {error}");
    }
    format!("{} accepted, {} refused", accepted + 1, bad.len() + 1)
}

/// A new authority; its certificate.
fn authority(folder: &Path, name: &str) -> PathBuf {
    let (key, certificate) = (folder.join(format!("{name}.key")), folder.join(format!("{name}.pem")));
    let subject = format!("/CN=synthetic authority {name}");
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    openssl(
        &[&["req", "-x509", "-days", "2", "-subj", &subject], &curve[..], &["-keyout", text(&key), "-out", text(&certificate)]].concat(),
    );
    certificate
}

/// Gives the server a certificate for `localhost`, signed by this authority.
fn encrypt(postgres: &Postgres, folder: &Path, authority: &str) {
    let data = postgres.data();
    let (request, names) = (folder.join("request"), folder.join("names"));
    let (key, certificate) = (data.join("server.key"), data.join("server.crt"));
    let (signer, of_signer) = (folder.join(format!("{authority}.pem")), folder.join(format!("{authority}.key")));
    std::fs::write(&names, "subjectAltName=DNS:localhost").expect("written");
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    openssl(&[&["req", "-subj", "/CN=localhost"], &curve[..], &["-keyout", text(&key), "-out", text(&request)]].concat());
    let signed = ["x509", "-req", "-days", "2", "-in", text(&request), "-CA", text(&signer), "-CAkey", text(&of_signer)];
    openssl(&[&signed[..], &["-CAcreateserial", "-extfile", text(&names), "-out", text(&certificate)]].concat());
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let owner = std::fs::metadata(&data).expect("the data");
    for file in [&key, &certificate] {
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).expect("its mode");
        std::os::unix::fs::chown(file, Some(owner.uid()), Some(owner.gid())).expect("its owner");
    }
    postgres.run("pg_ctl", &["-m", "fast", "-w", "stop"]);
    let settings = data.join("postgresql.conf");
    let text = std::fs::read_to_string(&settings).expect("its settings");
    std::fs::write(&settings, format!("{text}\nssl = on\n")).expect("written");
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn openssl(arguments: &[&str]) {
    let status = Command::new("openssl").args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(status.is_ok_and(|status| status.success()), "openssl {arguments:?} fails");
}

async fn migration(_: Plan) -> String {
    let postgres = Postgres::start().await;
    open(&postgres.url()).await.expect("it starts");
    // The lock that the first instance takes, seen while it has it, and kept as if a migration went on.
    let mut first = PgConnection::connect(&postgres.url()).await.expect("the database");
    let lock = "select pg_advisory_lock($1)";
    sqlx::query(lock).bind(lock_of_migrations(&postgres).await).execute(&mut first).await.expect("the lock");
    let begin = Instant::now();
    let url = postgres.url();
    let second = beside(url);
    // Longer than a statement, and than the wait for any other lock.
    pause(6000).await;
    assert!(!second.is_finished(), "it does not start meanwhile");
    first.close().await.expect("closed, and the lock let go");
    second.await.expect("a task").expect("it starts");
    let waited = begin.elapsed();
    assert!(waited < Duration::from_secs(9), "it goes on at once: {waited:?}");
    format!("waited for {} ms, and started", waited.as_millis())
}

/// The number of sqlx's lock follows from the database's name: it is read from an instance that waits for it.
async fn lock_of_migrations(postgres: &Postgres) -> i64 {
    let mut look = PgConnection::connect(&postgres.url()).await.expect("the database");
    // Whoever wants the table of the migrations waits, with sqlx's lock in its hands.
    sqlx::raw_sql("begin; lock table _sqlx_migrations").execute(&mut look).await.expect("the lock");
    let url = postgres.url();
    let instance = beside(url);
    let statement = "select (classid::bigint << 32) | objid::bigint from pg_locks where locktype = 'advisory' and granted";
    let number = loop {
        let found: Option<i64> = sqlx::query_scalar(AssertSqlSafe(statement)).fetch_optional(&mut look).await.expect("the locks");
        if let Some(number) = found {
            break number;
        }
        pause(5).await;
    };
    look.close().await.expect("closed");
    instance.await.expect("a task").expect("it starts");
    number
}
