//! F-06: another process holds SQLite's write lock.

use std::time::{Duration, Instant};

use sqlx::{Connection as _, SqliteConnection};

use crate::Fault;
use crate::support::{Installation, Kind, Load, Lost, Plan, Server, Traffic, pause, verify};

pub const FAULT: Fault = Fault {
    id: "F-06",
    what: "another process holds the write lock",
    pass: "writes are answered 503 within 2 s, reads go on, as before within 1 s, nothing acknowledged lost",
    on: &[Kind::Sqlite],
    run: |plan| Box::pin(run(plan)),
};

/// What a busy machine may add to the two seconds.
const ALLOWANCE: Duration = Duration::from_millis(500);

async fn run(plan: Plan) -> String {
    let installation = Installation::new(plan.store).await;
    let server = Server::start(&installation).await;
    let app = installation.clients(&[server.port]);
    let traffic = Traffic::start(&app, Load::without_end(8));
    let (mut refused, mut slowest, mut back) = (0, Duration::ZERO, Duration::ZERO);
    for seconds in plan.either(vec![1, 5], vec![1, 5, 30]) {
        pause(1000).await;
        let mut other = SqliteConnection::connect(&installation.sqlite().to_string_lossy()).await.expect("the database");
        sqlx::raw_sql("pragma busy_timeout = 10000; begin immediate").execute(&mut other).await.expect("the lock");
        let held = Instant::now();
        while held.elapsed() < Duration::from_secs(seconds) {
            let keys = app.http.get("/.well-known/jwks.json", &[]).await.expect("reads go on");
            assert_eq!(keys.status, 200, "{}", keys.body);
            let asked = Instant::now();
            let answer = app.assert(&app.assertion()).await;
            // Later, the lock may have been let go of meanwhile.
            if held.elapsed() < Duration::from_secs(seconds) {
                assert_eq!(answer.err(), Some(Lost::TurnedAway), "a write while another process holds the lock");
                refused += 1;
            }
            slowest = slowest.max(asked.elapsed());
        }
        sqlx::raw_sql("rollback").execute(&mut other).await.expect("unlocked");
        other.close().await.expect("closed");
        let free = Instant::now();
        while app.assert(&app.assertion()).await.is_err() {
            assert!(free.elapsed() < Duration::from_secs(10), "writes are still refused");
        }
        back = back.max(free.elapsed());
    }
    let ledger = traffic.stop().await;
    let acknowledged = ledger.answered;
    verify(&app, ledger).await;
    assert!(slowest <= Duration::from_secs(2) + ALLOWANCE, "an answer took {slowest:?}");
    assert!(back <= Duration::from_secs(1), "as before only after {back:?}");
    format!(
        "{refused} writes refused, the slowest within {:.2} s; as before within {} ms; {acknowledged} answers kept, 0 lost",
        slowest.as_secs_f64(),
        back.as_millis()
    )
}
