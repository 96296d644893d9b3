//! F-09: PostgreSQL's primary is lost, and a synchronous standby takes its place.

use crate::Fault;
use crate::postgres_killed::{UnderLoad, patient};
use crate::support::{Installation, Kind, Plan, Postgres};

pub const FAULT: Fault = Fault {
    id: "F-09",
    what: "PostgreSQL's primary is killed, its synchronous standby is promoted",
    pass: "nothing acknowledged lost, nothing twice, tokens again within 10 s of the promotion, by the same process",
    on: &[Kind::Postgres],
    run: |plan| Box::pin(run(plan)),
};

async fn run(plan: Plan) -> String {
    let failovers = plan.either(1, 10);
    let mut primary = Postgres::start().await;
    let mut standby = Postgres::standby_of(&primary).await;
    primary.wait_for_standby().await;
    let hosts = format!("127.0.0.1:{},127.0.0.1:{}", primary.port(), standby.port());
    let installation = Installation::on_postgres_at(&hosts, patient()).await;
    let mut under_load = UnderLoad::start(&installation).await;
    for nth in 0..failovers {
        under_load.go_on().await;
        primary.kill().await;
        standby.run("pg_ctl", &["-w", "promote"]);
        under_load.recover().await;
        std::mem::swap(&mut primary, &mut standby);
        if nth + 1 < failovers {
            // What was the primary starts anew, as a copy of the one that has taken its place.
            standby.follow(&primary).await;
            primary.wait_for_standby().await;
        }
    }
    under_load.end(&format!("{failovers} failovers")).await
}
