//! The writer alone, on a database with one small table.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions as _, Connection as _};
use tempfile::TempDir;

use super::super::journal::LARGE;
use super::*;

/// How long a caller waits here: longer than a busy machine takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A writer, and how many commits it has made.
struct Bench {
    writer: Writer,
    commits: Arc<AtomicUsize>,
    dir: TempDir,
}

impl Bench {
    async fn start() -> Self {
        Self::with(PATIENCE).await
    }

    async fn with(patience: Duration) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let options = options(&dir).busy_timeout(busy_timeout(patience));
        let mut connection = options.connect().await.expect("a database");
        sqlx::query("create table thing (name text not null primary key) strict").execute(&mut connection).await.expect("a table");
        let commits = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&commits);
        connection.lock_handle().await.expect("the connection").set_commit_hook(move || {
            count.fetch_add(1, Ordering::SeqCst);
            true
        });
        Self { writer: Writer::start(connection, options, patience), commits, dir }
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

fn options(dir: &TempDir) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new().filename(dir.path().join("x.db")).create_if_missing(true);
    // Of all that the server sets, what the tests are about.
    options.journal_mode(SqliteJournalMode::Wal).pragma("wal_autocheckpoint", "0").pragma("journal_size_limit", LARGE.to_string())
}

async fn connect(dir: &TempDir) -> SqliteConnection {
    options(dir).connect().await.expect("a database")
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

/// Work that does nothing.
fn nothing() -> Message {
    Message::Work(Job { asked: Instant::now(), work: Box::new(|_| Box::pin(async { None })) })
}

fn waiting(company: usize) -> (mpsc::Sender<Message>, Waiting) {
    let (queue, messages) = mpsc::channel(QUEUE);
    (queue, Waiting { messages, turn: busy_timeout(PATIENCE), company, closing: None })
}

#[tokio::test]
async fn a_batch_waits_for_those_who_are_about_and_for_nobody_else() {
    let (queue, mut waiting) = waiting(2);
    let comes = || async { assert!(queue.send(nothing()).await.is_ok()) };
    let now = Instant::now();
    let (second, ()) = tokio::join!(waiting.another(1, now), comes());
    assert!(second.is_some());
    let (third, ()) = tokio::join!(waiting.another(2, now), comes());
    assert!(third.is_none(), "nobody waits for more than are about");
    assert!(waiting.another(2, now).await.is_some(), "who is there already comes along");
    assert!(waiting.another(1, now).await.is_none(), "nobody comes after all");
    comes().await;
    assert!(waiting.another(BATCH, now).await.is_none(), "the batch is full");
    assert!(waiting.another(1, now).await.is_some());
    if let Some(long_ago) = now.checked_sub(LINGER) {
        let (late, ()) = tokio::join!(waiting.another(1, long_ago), comes());
        assert!(late.is_none(), "this batch has waited enough");
    }
}

/// A pause, and nobody waits any more; a batch that ends, and the next waits for most of it and for
/// those who wait already.
#[tokio::test]
async fn how_many_are_about_is_learnt_from_the_last_batch() {
    let (queue, mut waiting) = waiting(1);
    for (count, about) in [(1, 1), (2, 2), (4, 3), (8, 6), (64, 48)] {
        waiting.end(count);
        assert_eq!(waiting.company, about);
    }
    assert!(queue.send(nothing()).await.is_ok());
    waiting.end(1);
    assert_eq!(waiting.company, 2);
    assert!(matches!(waiting.first(Duration::MAX).await, Next::Work(_)));
    assert_eq!(waiting.company, 2);
    let late = async {
        timeout(2 * LINGER, std::future::pending::<()>()).await.expect_err("time has passed");
        assert!(queue.send(nothing()).await.is_ok());
    };
    let (first, ()) = tokio::join!(waiting.first(Duration::MAX), late);
    assert!(matches!(first, Next::Work(_)));
    assert_eq!(waiting.company, 1);
}

/// The word to close may come while a batch is open.
#[tokio::test]
async fn after_the_word_to_close_nothing_more_is_begun() {
    let (queue, mut waiting) = waiting(2);
    let (done, _wait) = oneshot::channel();
    assert!(queue.send(Message::Close(done)).await.is_ok());
    assert!(queue.send(nothing()).await.is_ok());
    assert!(waiting.another(1, Instant::now()).await.is_none());
    assert!(matches!(waiting.first(Duration::MAX).await, Next::End));
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

/// Holds SQLite's write lock, as another process would.
async fn hold(bench: &Bench) -> SqliteConnection {
    let mut other = connect(&bench.dir).await;
    sqlx::raw_sql("begin immediate").execute(&mut other).await.expect("the lock");
    other
}

async fn let_go(mut other: SqliteConnection) {
    sqlx::raw_sql("rollback").execute(&mut other).await.expect("unlocked");
    other.close().await.expect("closed");
}

/// F-06: nobody waits longer than their patience, and nothing of what was refused is done later.
#[tokio::test]
async fn while_another_process_writes_everybody_is_refused_in_time() {
    let patience = Duration::from_millis(700);
    let bench = Bench::with(patience).await;
    let other = hold(&bench).await;
    let begin = Instant::now();
    let names: Vec<String> = (0..QUEUE + 100).map(|i| i.to_string()).collect();
    let answers = join_all(names.iter().map(|name| bench.insert(name, fine))).await;
    assert!(begin.elapsed() < patience + Duration::from_millis(400), "{:?}", begin.elapsed());
    assert!(answers.iter().all(|answer| matches!(answer, Err(Error::Unavailable(_)))));
    let is_full = |answer: &&Result<(), Error>| matches!(answer, Err(Error::Unavailable(why)) if why == "too many writes are waiting");
    assert!(answers.iter().filter(is_full).count() >= 99);
    let_go(other).await;
    bench.insert("later", fine).await.expect("nobody is in the way");
    assert_eq!(bench.names().await, ["later"]);
}

/// Whoever has gone is not worked for.
#[tokio::test]
async fn what_nobody_waits_for_any_more_is_not_done() {
    let bench = Bench::start().await;
    let other = hold(&bench).await;
    let given_up = timeout(Duration::from_millis(20), bench.insert("given up", fine)).await;
    assert!(given_up.is_err());
    let_go(other).await;
    bench.insert("later", fine).await.expect("nobody is in the way");
    assert_eq!(bench.names().await, ["later"]);
}

/// As after an I/O error: SQLite has rolled back by itself in the middle of a batch.
#[tokio::test]
async fn a_batch_that_lost_its_transaction_fails_as_a_whole_and_the_next_one_succeeds() {
    let bench = Bench::start().await;
    let (a, broken, b) = tokio::join!(bench.insert("a", fine), bench.run("rollback"), bench.insert("b", fine));
    assert!(matches!(a, Err(Error::Unavailable(_))) && matches!(broken, Err(Error::Unavailable(_))), "{a:?} {broken:?}");
    // It was behind the break: in the same batch it failed with it, in the next one it was kept.
    bench.insert("c", fine).await.expect("the writer is there");
    let names = bench.names().await;
    assert_eq!(names, if b.is_ok() { vec!["b", "c"] } else { vec!["c"] });
}

/// A commit that fails, fails for everybody in it; then the writer has a new connection.
#[tokio::test]
async fn a_commit_that_fails_is_nobodys_success() {
    let bench = Bench::start().await;
    bench
        .writer
        .run(|conn| {
            Box::pin(async move {
                let Conn::Sqlite(connection) = conn else { unreachable!("this is SQLite") };
                connection.lock_handle().await?.set_commit_hook(|| false);
                Ok(())
            })
        })
        .await
        .expect_err("this commit is the first that the hook refuses");
    bench.insert("later", fine).await.expect("the connection is a new one");
    assert_eq!(bench.names().await, ["later"]);
}

/// KF-07: without its journal the database is what was last brought in, for everybody but us.
#[tokio::test]
async fn nothing_is_acknowledged_once_the_journal_is_gone_and_nothing_is_lost_that_was() {
    for end in ["-wal", "-shm"] {
        let bench = Bench::start().await;
        bench.insert("before", fine).await.expect("written");
        std::fs::remove_file(bench.dir.path().join(format!("x.db{end}"))).expect("removed");
        let refused = bench.insert("after", fine).await;
        assert!(matches!(&refused, Err(Error::Unavailable(why)) if why.contains("removed")), "{refused:?}");
        assert!(matches!(bench.insert("later", fine).await, Err(Error::Unavailable(_))));
        // What a copy of the database alone holds.
        let copy = tempfile::tempdir().expect("a temporary folder");
        std::fs::copy(bench.dir.path().join("x.db"), copy.path().join("x.db")).expect("copied");
        let mut reader = connect(&copy).await;
        let names: Vec<String> = sqlx::query_scalar("select name from thing").fetch_all(&mut reader).await.expect("names");
        assert!(names.contains(&"before".to_owned()) && !names.contains(&"later".to_owned()), "{end}: {names:?}");
    }
}

#[tokio::test]
async fn a_database_that_was_replaced_is_not_written_to() {
    let bench = Bench::start().await;
    bench.insert("before", fine).await.expect("written");
    let path = bench.dir.path().join("x.db");
    std::fs::copy(&path, bench.dir.path().join("other")).expect("copied");
    std::fs::rename(bench.dir.path().join("other"), &path).expect("replaced");
    let refused = bench.insert("after", fine).await;
    assert!(matches!(&refused, Err(Error::Unavailable(why)) if why.contains("replaced")), "{refused:?}");
}

/// F-08: a reader who stays makes the journal grow, and nobody wait; once it has gone, the journal is short again.
#[tokio::test]
async fn a_reader_who_stays_holds_up_nobody() {
    let bench = Bench::start().await;
    bench.insert("0", fine).await.expect("written");
    let mut reader = connect(&bench.dir).await;
    sqlx::raw_sql("begin; select * from thing").execute(&mut reader).await.expect("a snapshot");
    for i in 0..70 {
        bench.insert(&format!("{i:04}{}", "x".repeat(1 << 20)), fine).await.expect("the reader is in nobody's way");
    }
    let journal = || std::fs::metadata(bench.dir.path().join("x.db-wal")).expect("the journal").len();
    assert!(journal() > 70 << 20);
    reader.close().await.expect("the reader has ended");
    let gone = Instant::now();
    let mut others = 0;
    while journal() > LARGE {
        assert!(gone.elapsed() < PATIENCE, "the journal still has {} bytes", journal());
        others += 1;
        bench.insert(&format!("meanwhile {others}"), fine).await.expect("written");
    }
    assert_eq!(bench.names().await.len(), 1 + 70 + others);
}

/// Nobody reads, and everybody writes: the journal is begun anew, again and again.
#[tokio::test]
async fn a_journal_stays_short_while_much_is_written() {
    let bench = Bench::start().await;
    let journal = || std::fs::metadata(bench.dir.path().join("x.db-wal")).expect("the journal").len();
    let mut largest = 0;
    for i in 0..120 {
        bench.insert(&format!("{i:04}{}", "x".repeat(1 << 20)), fine).await.expect("written");
        largest = largest.max(journal());
    }
    assert!(largest > LARGE && largest < 4 * LARGE, "{largest}");
    assert_eq!(bench.names().await.len(), 120);
}
