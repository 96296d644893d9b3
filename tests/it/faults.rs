//! The database cannot take a write: somebody holds it, or the disk is full. These are SQLite's
//! faults, whatever the run is for.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use admit::store::Location;
use futures_util::future::join_all;
use sqlx::Connection as _;

use crate::support::{Database, Reply, TestApp, VERIFIER, challenge, request};

const SPA: &str = "https://app.test/cb";

async fn on_sqlite() -> TestApp {
    TestApp::start_on(Database::sqlite_in(tempfile::tempdir().expect("a temporary folder"))).await
}

fn path_of(app: &TestApp) -> PathBuf {
    match app.location() {
        Location::Sqlite(path) => path.clone(),
        Location::Postgres(_) => unreachable!("this is SQLite"),
    }
}

async fn for_itself(app: &TestApp) -> Reply {
    app.token("bsc", &[("grant_type", "client_credentials"), ("scope", "system/Patient.rs")]).await
}

async fn redeem(app: &TestApp, code: &str) -> Reply {
    app.token("spa", &[("grant_type", "authorization_code"), ("code", code), ("redirect_uri", SPA), ("code_verifier", VERIFIER)]).await
}

#[track_caller]
fn assert_come_back_later(reply: &Reply) {
    assert_eq!(reply.status.as_u16(), 503, "{}", reply.body);
    let seconds: u32 = reply.header("retry-after").parse().expect("a number of seconds");
    assert!((1..=30).contains(&seconds));
    for member in ["access_token", "refresh_token", "SQLITE", "locked", "full"] {
        assert!(!reply.body.contains(member), "{}", reply.body);
    }
}

/// Everything that only reads.
async fn assert_reads_go_on(app: &TestApp, token: &str) {
    let keys = app.get("/.well-known/jwks.json").await;
    assert_eq!(keys.json()["keys"].as_array().map(Vec::len), Some(2));
    assert_eq!(app.get("/.well-known/smart-configuration").await.status.as_u16(), 200);
    assert_eq!(app.get("/readyz").await.status.as_u16(), 200);
    assert_eq!(app.introspect(token).await["active"], true);
}

/// KF-07: another process holds the write lock, and lets go of it in the end.
#[tokio::test]
async fn a_locked_database_is_503_in_seconds_and_reads_go_on() {
    let app = on_sqlite().await;
    let code = app.browser().launch("spa", SPA, "openid launch/patient patient/*.rs", "dr.a", Some("p2")).await.code();
    let token = for_itself(&app).await.json()["access_token"].as_str().expect("a token").to_owned();
    let audited = app.store().audit_tail(&app.origin(), 1000).await.expect("the audit trail").len();

    let challenge = challenge(VERIFIER);
    let asked = request("spa", SPA, "openid", &challenge);
    let (mut early, mut late) = (app.browser(), app.browser());
    let sign_in = early.authorize(&asked).await;

    let mut other = sqlx::SqliteConnection::connect(&path_of(&app).to_string_lossy()).await.expect("the database");
    sqlx::raw_sql("begin immediate").execute(&mut other).await.expect("the lock");
    let begin = Instant::now();
    let (redeemed, sent_back, page, own, ()) = tokio::join!(
        redeem(&app, &code),
        late.authorize(&asked),
        early.log_in(&sign_in, "dr.a"),
        join_all((0..20).map(|_| for_itself(&app))),
        assert_reads_go_on(&app, &token)
    );
    assert!(begin.elapsed() < Duration::from_secs(6), "{:?}", begin.elapsed());
    assert_come_back_later(&redeemed);
    assert_eq!(redeemed.json()["error"], "temporarily_unavailable");
    own.iter().for_each(assert_come_back_later);
    // The app is told where it can be (RFC 6749 §4.1.2.1), the person where it cannot.
    sent_back.reply.assert_redirect_error(SPA, "temporarily_unavailable");
    assert_come_back_later(&page.reply);
    page.reply.assert_page(503, None);

    sqlx::raw_sql("rollback").execute(&mut other).await.expect("unlocked");
    other.close().await.expect("closed");
    // Nothing came of what was refused, and the code is still good.
    assert_eq!(app.store().audit_tail(&app.origin(), 1000).await.expect("the audit trail").len(), audited);
    assert_eq!(for_itself(&app).await.status.as_u16(), 200);
    assert_eq!(redeem(&app, &code).await.status.as_u16(), 200);
    assert_eq!(redeem(&app, &code).await.status.as_u16(), 400);
}

/// A small disk of our own, for as long as the test runs.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where mounting is not allowed.
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().expect("a temporary folder").keep();
        let options = ["-t", "tmpfs", "-o", "size=4m,mode=0700", "admit-test"];
        let mounted = Command::new("mount").args(options).arg(&dir).output().is_ok_and(|done| done.status.success());
        if mounted {
            return Some(Self(dir));
        }
        std::fs::remove_dir(&dir).expect("an empty folder");
        None
    }

    /// Leaves no room for one more page.
    fn fill(&self) -> PathBuf {
        use std::io::Write as _;
        let path = self.0.join("filler");
        let mut file = std::fs::File::create(&path).expect("a file");
        for size in [1 << 16, 1 << 12, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
        let _ = std::fs::remove_dir(&self.0);
    }
}

/// KF-08: the disk is full. Needs the right to mount a tmpfs; without it, the writer's own test
/// (`a_full_database_refuses_writes_until_there_is_room`) stands alone.
#[tokio::test]
async fn a_full_disk_refuses_writes_keeps_reading_and_recovers() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("no tmpfs can be mounted here: the full disk is tested by the writer's own test alone");
        return;
    };
    let dir = tempfile::tempdir_in(&disk.0).expect("a folder on the small disk");
    let app = TestApp::start_on(Database::sqlite_in(dir)).await;
    let code = app.browser().launch("spa", SPA, "openid launch/patient patient/*.rs", "dr.a", Some("p2")).await.code();
    let token = for_itself(&app).await.json()["access_token"].as_str().expect("a token").to_owned();

    let filler = disk.fill();
    let mut given = 0;
    let mut refused = 0;
    while refused < 20 {
        let reply = for_itself(&app).await;
        if reply.status.as_u16() == 200 {
            given += 1; // there was still room in what the journal has taken already
            assert!(given < 5000, "the disk does not get full");
        } else {
            assert_come_back_later(&reply);
            refused += 1;
        }
    }
    let replies = join_all((0..20).map(|_| redeem(&app, &code))).await;
    replies.iter().for_each(assert_come_back_later);
    assert_reads_go_on(&app, &token).await;

    std::fs::remove_file(filler).expect("room again");
    assert_eq!(redeem(&app, &code).await.status.as_u16(), 200);
    assert_eq!(for_itself(&app).await.status.as_u16(), 200);
    // No token without its line in the audit trail, and no line without its token.
    assert_eq!(app.audit("token.issued").await.iter().filter(|row| row.client_id.as_deref() == Some("bsc")).count(), given + 2);
    app.store().close().await;
    assert_eq!(integrity(&path_of(&app)).await, "ok");
}

async fn integrity(path: &Path) -> String {
    let mut connection = sqlx::SqliteConnection::connect(&path.to_string_lossy()).await.expect("the database");
    let answer = sqlx::query_scalar("pragma integrity_check").fetch_one(&mut connection).await.expect("an answer");
    connection.close().await.expect("closed");
    answer
}

/// I2 under load: those who write together are answered together, each with its own token.
#[tokio::test]
async fn many_writes_at_once_all_succeed() {
    let app = on_sqlite().await;
    let replies = join_all((0..200).map(|_| for_itself(&app))).await;
    assert!(replies.iter().all(|reply| reply.status.as_u16() == 200));
    let names: std::collections::HashSet<String> = app.audit("token.issued").await.into_iter().filter_map(|row| row.jti).collect();
    assert_eq!(names.len(), 200);
}
