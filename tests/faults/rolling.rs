//! F-12: three instances behind nginx are restarted one after the other, and nobody notices.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Fault;
use crate::support::{Installation, Kind, Load, Nginx, Plan, Server, Traffic, is_ready, pause, signal, verify};

pub const FAULT: Fault = Fault {
    id: "F-12",
    what: "three instances behind nginx, restarted one after the other",
    pass: "0 failed flows; readiness goes first, what is under way is done, gone within 10 s",
    on: &[Kind::Postgres],
    run: |plan| Box::pin(run(plan)),
};

/// So many that the machine is busy.
const CLIENTS: u64 = 8;

async fn run(plan: Plan) -> String {
    let rounds = plan.either(1, 20);
    let installation = Installation::new(Kind::Postgres).await;
    let mut servers = [Server::start(&installation).await, Server::start(&installation).await, Server::start(&installation).await];
    let nginx = Nginx::start(servers.each_ref().map(|server| server.port)).await;
    let app = installation.clients(&[nginx.port]);
    let mut traffic = Traffic::start(&app, Load::without_end(CLIENTS));
    let begin = Instant::now();
    let mut slowest = Duration::ZERO;
    for _ in 0..rounds {
        for server in &mut servers {
            slowest = slowest.max(restart(&installation, server).await);
            assert!(!traffic.is_over(), "the traffic has ended");
        }
    }
    let took = begin.elapsed();
    let ledger = traffic.stop().await;
    let flows = ledger.families.len();
    let passed = nginx.passed();
    assert_eq!((ledger.abandoned, ledger.unanswered, ledger.turned_away), (0, 0, 0), "abandoned, unanswered, turned away");
    assert_eq!(passed.failed, 0, "nginx answered with an error: {passed:?}");
    assert!(passed.requests > flows, "the requests went through nginx: {passed:?}");
    verify(&app, ledger).await;
    #[expect(clippy::cast_precision_loss, reason = "a figure to read")]
    let per_second = flows as f64 / took.as_secs_f64();
    format!(
        "{} restarts in {flows} whole authorizations ({per_second:.0}/s, {} requests, {} of them tried at another instance), 0 failed; \
         gone within {:.1} s",
        3 * rounds,
        passed.requests,
        passed.tried_again,
        slowest.as_secs_f64()
    )
}

/// Says how long it took from the signal to the end.
async fn restart(installation: &Arc<Installation>, server: &mut Server) -> Duration {
    let begin = Instant::now();
    signal("TERM", server.id());
    while is_ready(server.port, installation) {
        assert!(begin.elapsed() < Duration::from_secs(1), "it still says that it is ready");
        pause(5).await;
    }
    // Who has not seen that yet is served all the same.
    let direct = installation.clients(&[server.port]);
    let reply = direct.assert(&direct.assertion()).await.expect("an answer");
    assert_eq!((reply.status.as_u16(), reply.header("connection")), (200, "close"), "{}", reply.brief());
    let status = server.gone().await;
    let took = begin.elapsed();
    assert!(status.success(), "it ended with {status}");
    assert!(took <= Duration::from_secs(10), "it took {took:?}");
    server.again().await;
    took
}
