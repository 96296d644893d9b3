//! The writer alone, on a database with one small table.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use tempfile::TempDir;

use super::*;

/// A writer, and how many commits it has made.
struct Bench {
    writer: Writer,
    commits: Arc<AtomicUsize>,
    dir: TempDir,
}

impl Bench {
    async fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let mut connection = connect(&dir).await;
        sqlx::query("create table thing (name text not null primary key) strict").execute(&mut connection).await.expect("a table");
        let commits = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&commits);
        connection.lock_handle().await.expect("the connection").set_commit_hook(move || {
            count.fetch_add(1, Ordering::SeqCst);
            true
        });
        Self { writer: Writer::start(connection), commits, dir }
    }

    /// Inserts a name, and then does something else.
    async fn insert(&self, name: &str, then: fn() -> Result<(), Error>) -> Result<(), Error> {
        let name = name.to_owned();
        self.writer
            .run(move |conn| {
                Box::pin(async move {
                    execute(conn, sqlx::query("insert into thing (name) values ($1)").bind(name)).await?;
                    then()
                })
            })
            .await
    }

    async fn run(&self, statement: &'static str) -> Result<(), Error> {
        self.writer.run(move |conn| Box::pin(async move { execute(conn, sqlx::query(statement)).await })).await
    }

    /// What another connection sees.
    async fn names(&self) -> Vec<String> {
        let mut reader = connect(&self.dir).await;
        let names = sqlx::query_scalar("select name from thing order by name").fetch_all(&mut reader).await.expect("names");
        reader.close().await.expect("closed");
        names
    }
}

async fn execute<'q>(conn: Conn<'_>, query: sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>) -> Result<(), Error> {
    let Conn::Sqlite(connection) = conn else { unreachable!("this is SQLite") };
    Ok(query.execute(connection).await.map(|_| ())?)
}

async fn connect(dir: &TempDir) -> SqliteConnection {
    let options =
        SqliteConnectOptions::new().filename(dir.path().join("x.db")).create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
    options.connect().await.expect("a database")
}

fn fine() -> Result<(), Error> {
    Ok(())
}

#[tokio::test]
async fn writes_that_wait_together_share_a_commit() {
    let bench = Bench::start().await;
    let names: Vec<String> = (0..100).map(|i| format!("{i:03}")).collect();
    let answers = join_all(names.iter().map(|name| bench.insert(name, fine))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(bench.names().await, names);
    assert_eq!(bench.commits.load(Ordering::SeqCst), 100_usize.div_ceil(BATCH));
}

#[tokio::test]
async fn a_write_that_fails_in_a_batch_fails_alone() {
    let bench = Bench::start().await;
    bench.insert("taken", fine).await.expect("the first");
    let refuse: fn() -> Result<(), Error> = || Err(Error::InUse);
    let (a, taken, refused, b) =
        tokio::join!(bench.insert("a", fine), bench.insert("taken", fine), bench.insert("refused", refuse), bench.insert("b", fine));
    assert!(a.is_ok() && b.is_ok());
    assert!(matches!(taken, Err(Error::Exists)));
    assert!(matches!(refused, Err(Error::InUse)));
    assert_eq!(bench.names().await, ["a", "b", "taken"]);
    assert_eq!(bench.commits.load(Ordering::SeqCst), 2);
}

/// A panic half-way undoes that write alone; its caller is told, and the writer writes on.
#[tokio::test]
#[expect(clippy::panic, reason = "the panic is the test")]
async fn a_panic_in_one_write_does_not_stop_the_writer() {
    let bench = Bench::start().await;
    let (a, broken, b) = tokio::join!(bench.insert("a", fine), bench.insert("half", || panic!("on purpose")), bench.insert("b", fine));
    assert!(a.is_ok() && b.is_ok());
    assert!(matches!(broken, Err(Error::Unavailable(_))));
    bench.insert("c", fine).await.expect("the writer is there");
    assert_eq!(bench.names().await, ["a", "b", "c"]);
}

/// KF-08: nothing is acknowledged that is not kept, and with space comes recovery.
#[tokio::test]
async fn a_full_database_refuses_writes_until_there_is_room() {
    let bench = Bench::start().await;
    bench.insert("before", fine).await.expect("room");
    bench.run("pragma max_page_count = 2").await.expect("a bound");
    let long = |i: usize| format!("{i:04}{}", "x".repeat(2000));
    let names: Vec<String> = (0..20).map(long).collect();
    let answers = join_all(names.iter().map(|name| bench.insert(name, fine))).await;
    let kept: Vec<&String> = names.iter().zip(&answers).filter(|(_, answer)| answer.is_ok()).map(|(name, _)| name).collect();
    assert!(kept.len() < names.len());
    assert!(answers.iter().all(|answer| matches!(answer, Ok(()) | Err(Error::Unavailable(_)))), "{answers:?}");
    assert_eq!(bench.names().await.len(), kept.len() + 1);
    bench.run("pragma max_page_count = 100000").await.expect("room again");
    bench.insert("later", fine).await.expect("room");
}

#[tokio::test]
async fn after_the_close_the_journal_is_gone_and_writes_are_refused() {
    let bench = Bench::start().await;
    let journal = bench.dir.path().join("x.db-wal");
    let other = bench.writer.clone();
    let (written, ()) = tokio::join!(bench.insert("a", fine), other.close());
    written.expect("asked for before the close");
    assert!(!journal.exists());
    assert!(matches!(bench.insert("b", fine).await, Err(Error::Unavailable(_))));
    other.close().await; // once more is no harm
    assert_eq!(bench.names().await, ["a"]);
}
