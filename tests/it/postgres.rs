//! PostgreSQL as it is found in the field: roles that may do little, servers that only read,
//! servers that come and go. On SQLite there is nothing to try.

use std::pin::Pin;
use std::task::Poll;

use admit::store::{Error, Location, Options, Store};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use time::{Duration, OffsetDateTime};

use crate::support::{Database, TestApp, fresh, postgres_url};

/// A role that owns its schema and nothing else.
struct Role {
    name: String,
    admin: PgConnection,
    location: Location,
    _database: Database,
}

impl Role {
    /// A new one; `None` where the run is not for PostgreSQL.
    async fn new() -> Option<Self> {
        let url = postgres_url()?;
        let database = fresh().await;
        let Location::Postgres(own) = &database.location else { return None };
        let schema = own.rsplit("%3D").next().expect("a schema").to_owned();
        let name = format!("r{schema}");
        let mut admin = PgConnection::connect(&url).await.expect("the server");
        run(&mut admin, &format!("create role {name} login password 'hunter2'; alter schema {schema} owner to {name}")).await;
        let (_, host) = url.rsplit_once('@').expect("a user");
        let mark = if host.contains('?') { '&' } else { '?' };
        let location = Location::Postgres(format!("postgres://{name}:hunter2@{host}{mark}options=-csearch_path%3D{schema}"));
        Some(Self { name, admin, location, _database: database })
    }

    async fn open(&self) -> Result<Store, Error> {
        Store::open(&self.location, OffsetDateTime::UNIX_EPOCH).await
    }

    /// From the next connection on.
    async fn set(&mut self, setting: &str) {
        let statement = format!("alter role {} set {setting}", self.name);
        run(&mut self.admin, &statement).await;
    }

    /// As a server does that goes down, or hands over to another one.
    async fn end_connections(&mut self) {
        let statement = format!("select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = '{}'", self.name);
        run(&mut self.admin, &statement).await;
    }

    /// So many ask at once, and none is answered before this many connections wait.
    async fn ask_at_once(&mut self, store: &Store, many: usize, connections: i64) {
        let mut lock = PgConnection::connect(&postgres_url().expect("a server")).await.expect("the server");
        run(&mut lock, &format!("begin; lock table {}.tenant in access exclusive mode", &self.name[1..])).await;
        let waiting = format!("select count(*) from pg_stat_activity where usename = '{}' and wait_event_type = 'Lock'", self.name);
        let let_go = async {
            while self.count(&waiting).await < connections {
                tokio::task::yield_now().await;
            }
            run(&mut lock, "rollback").await;
        };
        let (answers, ()) = tokio::join!(futures_util::future::join_all((0..many).map(|_| store.ping())), let_go);
        assert!(answers.iter().all(Result::is_ok));
    }

    async fn connections(&mut self) -> i64 {
        let open = format!("select count(*) from pg_stat_activity where usename = '{}'", self.name);
        self.count(&open).await
    }

    async fn count(&mut self, statement: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(statement.to_owned())).fetch_one(&mut self.admin).await.expect("a number")
    }
}

async fn run(connection: &mut PgConnection, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(connection).await.expect("the statement");
}

async fn write(store: &Store) -> Result<bool, Error> {
    let origin = admit::audit::Origin::command(admit::id::TenantId::default_tenant(), OffsetDateTime::UNIX_EPOCH);
    store.claim_job(&origin, "a test", Duration::ZERO).await
}

/// A role of its own, which owns its schema, is all that Admit asks for.
#[tokio::test]
async fn a_role_without_privileges_is_enough() {
    let Some(role) = Role::new().await else { return };
    let store = role.open().await.expect("it opens");
    assert!(write(&store).await.expect("it writes"));
    store.close().await;
    assert!(matches!(write(&store).await, Err(Error::Unavailable(_))), "it is closed");
}

/// KF-10: a standby, or a server that only reads, is refused at the start, in words.
#[tokio::test]
async fn a_server_that_only_reads_is_refused() {
    let Some(mut role) = Role::new().await else { return };
    role.set("default_transaction_read_only = on").await;
    let error = role.open().await.err().expect("refused").to_string();
    assert!(error.contains("only reads") && error.contains("primary"), "{error}");
}

/// KF-10: after a failover, what has become read-only is not read from: it may be behind.
#[tokio::test]
async fn a_server_that_becomes_read_only_is_left_and_a_new_primary_is_found_without_a_restart() {
    let Some(mut role) = Role::new().await else { return };
    let store = role.open().await.expect("it opens");
    assert!(write(&store).await.expect("it writes"));
    role.set("default_transaction_read_only = on").await;
    role.end_connections().await;
    let _ = store.ping().await; // finds out that its connection is gone; from then on each is asked for a sign of life first
    let error = store.ping().await.expect_err("it does not read");
    assert!(matches!(error, Error::Unavailable(_)) && error.to_string().contains("only reads"), "{error}");
    role.set("default_transaction_read_only = off").await;
    assert!(write(&store).await.expect("it writes again"));
    assert!(store.ping().await.is_ok());
}

/// A server that came back is used at once. Who was at work when it went is told to come again.
#[tokio::test]
async fn connections_that_were_cut_are_replaced_without_a_restart() {
    let Some(mut role) = Role::new().await else { return };
    let store = role.open().await.expect("it opens");
    role.ask_at_once(&store, 8, 8).await;
    assert_eq!(role.connections().await, 8);
    role.end_connections().await;
    // One finds out; from then on each is asked for a sign of life first.
    let _ = store.ping().await;
    for _ in 0..16 {
        assert!(store.ping().await.is_ok());
    }
}

/// The budget is kept, whoever comes; they wait for each other.
#[tokio::test(flavor = "multi_thread")]
async fn an_instance_holds_no_more_connections_than_its_budget() {
    let Some(mut role) = Role::new().await else { return };
    let options = Options { connections: 3, ..Options::from(&role.location) };
    let store = Store::open(options, OffsetDateTime::UNIX_EPOCH).await.expect("it opens");
    role.ask_at_once(&store, 64, 3).await;
    assert_eq!(role.connections().await, 3);
}

/// What is acknowledged is on the disk: a server that would forget it is told not to; what else the
/// administrator chose stands.
#[tokio::test]
async fn a_commit_is_acknowledged_when_it_is_durable() {
    for (chosen, used) in [("off", "on"), ("local", "local"), ("remote_apply", "remote_apply")] {
        let Some(mut role) = Role::new().await else { return };
        role.set(&format!("synchronous_commit = {chosen}")).await;
        let store = role.open().await.expect("it opens");
        let schema = &role.name[1..];
        let note = format!(
            "create table {schema}.noted (level text);
             grant all on {schema}.noted to {};
             create function {schema}.note() returns trigger language plpgsql
                 as $$ begin insert into noted values (current_setting('synchronous_commit')); return new; end $$;
             create trigger note before insert on {schema}.job for each row execute function {schema}.note()",
            role.name
        );
        run(&mut role.admin, &note).await;
        assert!(write(&store).await.expect("it writes"));
        let noted = format!("select count(*) from {schema}.noted where level = '{used}'");
        assert_eq!(role.count(&noted).await, 1, "{chosen}");
    }
}

/// A password in the URL stands in no error, whatever is wrong.
#[tokio::test]
async fn no_error_repeats_the_password() {
    let Some(role) = Role::new().await else { return };
    let Location::Postgres(url) = &role.location else { return };
    assert!(!format!("{:?}", role.location).contains("hunter2"));
    let nobody = url.replacen(&role.name, "nobody", 1);
    let nowhere = format!("postgres://{}:hunter2@127.0.0.1:1/postgres", role.name);
    for bad in [nobody, nowhere, format!("{url}&sslmode=verify-full")] {
        let error = Store::open(&Location::Postgres(bad), OffsetDateTime::UNIX_EPOCH).await.err().expect("it cannot be opened");
        assert!(!error.to_string().contains("hunter2") && !format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

/// KF-10, I10: two transactions that wait for each other do not both happen, and nobody is told 500.
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_not_to_be_had_is_a_reason_to_come_again() {
    let app = TestApp::start().await;
    let Location::Postgres(url) = app.location() else { return };
    let code = app.code("spa", crate::support::SCOPE).await;
    let mut other = PgConnection::connect(url).await.expect("the database");
    run(&mut other, "begin; update access_grant set code_failures = code_failures").await;
    let begin = std::time::Instant::now();
    let reply = app.redeem("spa", &code).await;
    assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (503, "2"), "{}", reply.body);
    assert!(begin.elapsed() < std::time::Duration::from_millis(2500), "{:?}", begin.elapsed());
    run(&mut other, "rollback").await;
    assert_eq!(app.redeem("spa", &code).await.status.as_u16(), 200, "nothing had happened");
}

/// Whoever gives up (a browser that closes its connection) leaves nothing behind that the next one would go on with: at
/// no moment of a transaction does its connection come back in the middle of it.
#[tokio::test]
async fn whoever_gives_up_leaves_no_transaction_behind() {
    let Some(mut role) = Role::new().await else { return };
    let options = Options { connections: 1, ..Options::from(&role.location) };
    let store = Store::open(options, OffsetDateTime::UNIX_EPOCH).await.expect("it opens");
    let open = format!("select count(*) from pg_stat_activity where usename = '{}' and state like 'idle in transaction%'", role.name);
    let mut steps = 0;
    let mut is_done = false;
    while !is_done {
        steps += 1;
        store.ping().await.expect("it answers");
        let mut writing = Box::pin(write(&store));
        for _ in 0..steps {
            if !is_done {
                is_done = step(&mut writing).await;
            }
        }
        drop(writing);
        store.ping().await.expect("it answers");
        let begin = std::time::Instant::now();
        while role.count(&open).await > 0 {
            assert!(begin.elapsed() < std::time::Duration::from_secs(2), "given up after {steps} steps");
        }
    }
    assert!(steps > 2, "it was given up before its transaction, in it, and at its end: {steps}");
}

/// Lets somebody's work go on until it waits for the server, and then until that has answered. Whether it came to its end.
async fn step<T>(work: &mut (impl Future<Output = T> + Unpin)) -> bool {
    let mut was_asked = false;
    std::future::poll_fn(|context| match std::mem::replace(&mut was_asked, true) {
        true => Poll::Ready(false),
        false => Pin::new(&mut *work).poll(context).map(|_| true),
    })
    .await
}
