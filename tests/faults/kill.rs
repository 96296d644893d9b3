//! F-01: the server is killed again and again while clients go through whole authorizations.

use std::time::{Duration, Instant};

use admit::secret::random;

use crate::Fault;
use crate::support::{Installation, Kind, Load, Plan, Server, Traffic, assert_assertions_are_spent, pause, verify, verify_store};

pub const FAULT: Fault = Fault {
    id: "F-01",
    what: "kill -9 at random during whole authorizations",
    pass: "I1-I10, nothing acknowledged lost, ready again within 2 s, only requests under way fail",
    on: &[Kind::Sqlite, Kind::Postgres],
    run: |plan| Box::pin(run(plan)),
};

const CLIENTS: u64 = 8;

async fn run(plan: Plan) -> String {
    let (kills, flows) = plan.either((5, 200), (100, 10_000));
    let installation = Installation::new(plan.store).await;
    let mut server = Server::start(&installation).await;
    let app = installation.clients(&[server.port]);
    let mut traffic = Traffic::start(&app, Load::without_end(CLIENTS));
    let (mut slowest, mut outages) = (Duration::ZERO, Vec::new());
    for nth in 0..kills {
        // Each within its own share of the flows, at a moment that nobody can foresee.
        let share = flows / kills;
        let [some] = random::<1>();
        until_done(&mut traffic, nth * share + u64::from(some) * share / 256).await;
        pause(u64::from(some % 16)).await;
        let killed = Instant::now();
        server.kill();
        outages.push((killed, Instant::now()));
        slowest = slowest.max(server.again().await);
        verify_store(&installation).await;
        let recent = traffic.look(|ledger| ledger.assertions.iter().rev().take(5).cloned().collect::<Vec<_>>());
        assert_assertions_are_spent(&app, &recent).await;
    }
    until_done(&mut traffic, flows).await;
    let flows = traffic.done();
    let ledger = traffic.stop().await;
    let (abandoned, unanswered, acknowledged) = (ledger.abandoned, ledger.unanswered, ledger.answered);
    // A client may reach a process that is killed and not quite gone.
    let was_under_way = |(asked, lost): &(Instant, Instant)| outages.iter().any(|(killed, gone)| asked <= gone && lost >= killed);
    assert!(ledger.unanswered_at.iter().all(was_under_way), "a request that was not under way at a kill had no answer");
    let turned_away = ledger.turned_away;
    let (failed, because) = (unanswered + turned_away, &ledger.abandoned_because);
    assert!(abandoned <= failed, "{abandoned} authorizations ended, {failed} requests failed: {because:?}");
    verify(&app, ledger).await;
    assert!(slowest <= plan.ready_within(), "ready after {slowest:?}");
    let figure = format!(
        "{kills} kills, {flows} authorizations, {acknowledged} answers kept, 0 lost, 0 twice; {unanswered} requests were under way, \
         {turned_away} were turned away; ready within {} ms",
        slowest.as_millis()
    );
    // A machine that is busy with other things may keep somebody waiting for longer than two seconds.
    assert!(turned_away == 0 || !plan.is_long, "{figure}");
    figure
}

/// Waits until so many authorizations have come to their end.
async fn until_done(traffic: &mut Traffic, flows: u64) {
    while traffic.done() < flows {
        assert!(!traffic.is_over(), "the traffic has ended");
        pause(1).await;
    }
}
