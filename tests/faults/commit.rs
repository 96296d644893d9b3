//! F-10: the connection to PostgreSQL is cut while a transaction commits, so that nobody was told
//! whether it did.

use std::sync::Arc;

use admit::store::Location;

use crate::Fault;
use crate::support::{Cut, Installation, Kind, Load, Plan, Proxy, Server, Start, Traffic, pause, verify};

pub const FAULT: Fault = Fault {
    id: "F-10",
    what: "the connection is cut during COMMIT",
    pass: "every commit that happened is found, 0 false 200, 0 double-spend, no authorization lost",
    on: &[Kind::Postgres],
    run: |plan| Box::pin(run(plan)),
};

const CLIENTS: u64 = 4;

async fn run(plan: Plan) -> String {
    let cuts: u64 = plan.either(50, 500);
    let installation = Installation::new(plan.store).await;
    let proxy = Proxy::start(installation.postgres.as_ref().expect("PostgreSQL").port()).await;
    let server = through(&installation, &proxy).await;
    let app = installation.clients(&[server.port]);
    let traffic = Traffic::start(&app, Load::without_end(CLIENTS));
    for nth in 0..cuts {
        proxy.cut_next([Cut::Before, Cut::During, Cut::After][usize::try_from(nth % 3).expect("a third")]);
        while !proxy.is_cut() {
            pause(1).await;
        }
        pause(20).await;
    }
    let ledger = traffic.stop().await;
    let log = installation.log();
    let searches =
        |found: &str| log.lines().filter(|line| line.contains("a connection was lost during a commit") && line.contains(found)).count();
    let (seen, unseen) = (searches("\"is_seen\":true"), searches("\"is_seen\":false"));
    let (abandoned, turned_away, answered) = (ledger.abandoned, ledger.turned_away, ledger.answered);
    assert_eq!(ledger.unanswered, 0, "everybody has an answer");
    // A code whose redemption happened and was answered 503 would be lost by the next try.
    assert_eq!(abandoned, 0, "no authorization is lost");
    assert!(seen > 0 && unseen > 0, "both ends were seen: {seen}, {unseen}");
    verify(&app, ledger).await;
    format!(
        "{cuts} cuts: {seen} commits found and answered, {unseen} not found, {turned_away} answers 503, {answered} kept; 0 lost, 0 twice"
    )
}

/// A server whose way to its database is this one.
pub async fn through(installation: &Arc<Installation>, proxy: &Proxy) -> Server {
    let Location::Postgres(url) = &installation.location else { unreachable!("it is on PostgreSQL") };
    let port = installation.postgres.as_ref().expect("PostgreSQL").port();
    let database = url.replace(&format!(":{port}/"), &format!(":{}/", proxy.port));
    Server::start_with(installation, Start { database: Some(database), ..Start::default() }).await
}
