//! F-09: PostgreSQL is killed under load and comes back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use admit::secret::random;

use crate::Fault;
use crate::support::{
    AppOfOurs, Installation, Kind, Ledger, Load, Particulars, Plan, Server, Traffic, assert_assertions_are_spent, pause, verify,
    verify_store,
};

pub const FAULT: Fault = Fault {
    id: "F-09",
    what: "kill -9 of PostgreSQL and all its processes under load",
    pass: "nothing acknowledged lost, nothing twice, tokens again within 10 s of the database, by the same process",
    on: &[Kind::Postgres],
    run: |plan| Box::pin(run(plan)),
};

const CLIENTS: u64 = 8;
/// How long it may take from the moment at which the database is back.
const RECOVERY: Duration = Duration::from_secs(10);

async fn run(plan: Plan) -> String {
    let kills = plan.either(3, 30);
    let installation = Installation::with(Kind::Postgres, patient()).await;
    let postgres = installation.postgres.as_ref().expect("PostgreSQL");
    let mut under_load = UnderLoad::start(&installation).await;
    for _ in 0..kills {
        under_load.go_on().await;
        postgres.kill().await;
        postgres.again().await;
        under_load.recover().await;
    }
    under_load.end(&format!("{kills} kills")).await
}

/// With clients whose refresh tokens give their successor again for as long as the database may be away.
pub fn patient() -> Particulars {
    Particulars { refresh_grace: time::Duration::minutes(1), ..Particulars::default() }
}

/// A server with clients, whose database is taken away again and again.
pub struct UnderLoad {
    installation: Arc<Installation>,
    server: Server,
    app: AppOfOurs,
    traffic: Traffic,
    slowest: Duration,
}

impl UnderLoad {
    pub async fn start(installation: &Arc<Installation>) -> Self {
        let server = Server::start(installation).await;
        // Who is answered 503 asks again, for longer than the database is away.
        let app = AppOfOurs { patience: Duration::from_secs(30), ..installation.clients(&[server.port]) };
        let traffic = Traffic::start(&app, Load::without_end(CLIENTS));
        Self { installation: Arc::clone(installation), server, app, traffic, slowest: Duration::ZERO }
    }

    /// Some authorizations more, up to a moment that nobody can foresee.
    pub async fn go_on(&mut self) {
        let [some, more] = random::<2>();
        let goal = self.traffic.done() + 10 + u64::from(some % 16);
        while self.traffic.done() < goal {
            assert!(!self.traffic.is_over(), "the traffic has ended");
            pause(1).await;
        }
        pause(u64::from(more % 16)).await;
    }

    /// The database is back at this moment: tokens have to come again.
    pub async fn recover(&mut self) {
        let back = Instant::now();
        while self.app.assert(&self.app.assertion()).await.is_err() {
            assert!(back.elapsed() <= RECOVERY, "no token {:?} after the database was back", back.elapsed());
            pause(5).await;
        }
        self.slowest = self.slowest.max(back.elapsed());
        assert!(self.server.is_running(), "the server has ended");
        verify_store(&self.installation).await;
        let recent = self.traffic.look(|ledger| ledger.assertions.iter().rev().take(5).cloned().collect::<Vec<_>>());
        assert_assertions_are_spent(&self.app, &recent).await;
    }

    /// Looks for everything that was acknowledged. Gives the figure.
    pub async fn end(self, what: &str) -> String {
        let ledger = self.traffic.stop().await;
        let Ledger { answered, abandoned, unanswered, turned_away, .. } = ledger;
        let flows = ledger.families.len();
        // The server was there all the time, and said what it could not do.
        assert_eq!(unanswered, 0, "requests without an answer");
        assert!(abandoned <= turned_away, "{abandoned} authorizations ended, {turned_away} requests were answered 503");
        assert!(turned_away > 0, "nobody has noticed");
        verify(&self.app, ledger).await;
        format!(
            "{what}, {flows} authorizations, {answered} answers kept, 0 lost, 0 twice; {turned_away} answered 503, {abandoned} begun again; \
             tokens again within {} ms of the database",
            self.slowest.as_millis()
        )
    }
}
