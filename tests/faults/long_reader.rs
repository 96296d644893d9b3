//! F-08: somebody reads SQLite's database for long, so that its journal cannot be brought in.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

use crate::Fault;
use crate::support::{Installation, Kind, Load, Plan, Server, Traffic, pause, verify};

pub const FAULT: Fault = Fault {
    id: "F-08",
    what: "a reader who stays, while the journal grows",
    pass: "nobody is refused, one alarm between 64 and 256 MiB, short again once the reader has gone",
    on: &[Kind::Sqlite],
    run: |plan| Box::pin(run(plan)),
};

const MIB: u64 = 1 << 20;
const ALARM: &str = "the database's journal grows";

async fn run(plan: Plan) -> String {
    let installation = Installation::new(plan.store).await;
    let server = Server::start(&installation).await;
    let app = installation.clients(&[server.port]);
    let journal = installation.sqlite().with_extension("db-wal");
    let size = || std::fs::metadata(&journal).map_or(0, |data| data.len());
    // Ten minutes of as much as goes would be 20 GiB of journal: the long form has some authorizations a second.
    let traffic = Traffic::start(&app, Load { pause: plan.either(0, 400), ..Load::without_end(4) });
    pause(500).await;

    let mut reader = open(&installation).await;
    sqlx::raw_sql("begin; select count(*) from tenant").execute(&mut reader).await.expect("a snapshot");
    let begin = Instant::now();
    // The traffic alone would take long: another program writes as well, without a sync of its own.
    let mut writer = open(&installation).await;
    sqlx::raw_sql("pragma synchronous = off; create table filler (text text not null)").execute(&mut writer).await.expect("a table");
    while size() < 80 * MIB {
        let statement = format!("insert into filler (text) values ('{}')", "x".repeat(1 << 20));
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut writer).await.expect("more to keep");
        pause(10).await;
    }
    sqlx::raw_sql("drop table filler").execute(&mut writer).await.expect("as it was");
    writer.close().await.expect("closed");
    while installation.log().matches(ALARM).count() == 0 {
        assert!(size() <= 256 * MIB, "no alarm, and the journal has {} MiB", size() / MIB);
        pause(10).await;
    }
    while begin.elapsed() < Duration::from_secs(plan.either(5, 600)) {
        pause(100).await;
    }
    let largest = size();
    reader.close().await.expect("the reader has gone");

    let gone = Instant::now();
    while size() > 17 * MIB {
        assert!(gone.elapsed() < Duration::from_secs(20), "the journal still has {} MiB", size() / MIB);
        pause(50).await;
    }
    let short = gone.elapsed();
    let ledger = traffic.stop().await;
    let (acknowledged, turned_away) = (ledger.answered, ledger.turned_away);
    verify(&app, ledger).await;
    assert_eq!(turned_away, 0, "somebody was refused");
    assert_eq!(installation.log().matches(ALARM).count(), 1, "one alarm");
    format!("{} MiB, 1 alarm; short again after {:.1} s; {acknowledged} answers kept, 0 refused", largest / MIB, short.as_secs_f64())
}

async fn open(installation: &Installation) -> SqliteConnection {
    let mut connection = SqliteConnection::connect(&installation.sqlite().to_string_lossy()).await.expect("the database");
    sqlx::raw_sql("pragma busy_timeout = 10000").execute(&mut connection).await.expect("patience");
    connection
}
