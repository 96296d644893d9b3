//! F-19: yesterday's backup is brought back into a system that has gone on since.

use std::time::Instant;

use admit::store::Location;
use sqlx::{ConnectOptions as _, Connection as _};

use crate::Fault;
use crate::support::{AppOfOurs, Family, Installation, Kind, Ledger, Load, Plan, Reply, Server, Traffic, pause, tokens_of, verify_store};

pub const FAULT: Fault = Fault {
    id: "F-19",
    what: "a backup made under traffic is restored after more traffic",
    pass: "0 codes, refresh tokens, access tokens, launches or assertions of before are good, new ones are at once",
    on: &[Kind::Sqlite, Kind::Postgres],
    run: |plan| Box::pin(run(plan)),
};

async fn run(plan: Plan) -> String {
    let installation = Installation::new(plan.store).await;
    let mut server = Server::start(&installation).await;
    let app = installation.clients(&[server.port]);
    let flows = plan.either(40, 1000);

    let mut before = Traffic::start(&app, Load::of(4, flows)).finish().await;
    // Codes that nobody has used yet, one half of them launched.
    let mut unused = Vec::new();
    for nth in 0..8 {
        unused.push(app.authorize(flows + nth, nth % 2 == 1).await.expect("an answer"));
    }
    // Short, because codes live for a minute.
    let traffic = Traffic::start(&app, Load::of(4, 40));
    while traffic.done() < 10 {
        pause(1).await;
    }
    let begin = Instant::now();
    admit(&installation, &["backup", "--unencrypted", "--to", "yesterday.backup"]);
    let (made_in, during) = (begin.elapsed(), traffic.finish().await);
    assert_eq!(during.turned_away + during.unanswered, 0, "a backup turned somebody away");

    // What is good once is used, what can be revoked is revoked.
    for family in &mut unused[..4] {
        let reply = app.redeem(family).await.expect("an answer");
        family.tokens.push(tokens_of(&reply, family));
    }
    for family in before.families.iter_mut().filter(|family| !family.is_revoked).take(8) {
        let reply = app.refresh(family.client, &family.latest().refresh).await.expect("an answer");
        family.tokens.push(tokens_of(&reply, family));
        app.revoke(family.client, &family.latest().refresh).await.expect("an answer");
    }
    let after = Traffic::start(&app, Load::of(4, flows)).finish().await;
    let assertion = app.assertion();
    assert_eq!(app.assert(&assertion).await.expect("an answer").status, 200);

    server.kill();
    make_room(&installation).await;
    let begin = Instant::now();
    admit(&installation, &["restore", "--from", "yesterday.backup", "--replace"]);
    let back_in = begin.elapsed();
    let ready_in = server.again().await;
    verify_store(&installation).await;

    let mut tried = Tried::default();
    refused(&app.assert(&assertion).await.expect("an answer"), 401, "an assertion", &mut tried.assertions);
    for Ledger { families, assertions, .. } in [before, during, after] {
        for family in &families {
            assert_all_dead(&app, family, &mut tried).await;
        }
        for spent in assertions {
            let reply = app.assert(&spent.assertion).await.expect("an answer");
            refused(&reply, 401, "an assertion", &mut tried.assertions);
        }
    }
    for family in &unused {
        assert_all_dead(&app, family, &mut tried).await;
    }
    for nth in 0..4 {
        let mut family = app.authorize(nth, nth % 2 == 1).await.expect("an answer");
        family.tokens.push(tokens_of(&app.redeem(&family).await.expect("an answer"), &family));
        family.tokens.push(tokens_of(&app.refresh(family.client, &family.latest().refresh).await.expect("an answer"), &family));
        let reply = app.introspect(&family.latest().access).await.expect("an answer");
        assert_eq!(reply.json()["active"], true, "a new token is good at once");
    }
    verify_store(&installation).await;
    format!(
        "{tried}: 0 good again; backup in {} ms under traffic, restored in {} ms, ready in {} ms",
        made_in.as_millis(),
        back_in.as_millis(),
        ready_in.as_millis()
    )
}

/// How many of each were tried.
#[derive(Default)]
struct Tried {
    codes: u64,
    refresh_tokens: u64,
    access_tokens: u64,
    launches: u64,
    assertions: u64,
}

impl std::fmt::Display for Tried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { codes, refresh_tokens, access_tokens, launches, assertions } = self;
        write!(
            f,
            "{codes} codes, {refresh_tokens} refresh tokens, {access_tokens} access tokens, {launches} launches, {assertions} assertions"
        )
    }
}

/// Everything that one authorization gave, and each of it.
async fn assert_all_dead(app: &AppOfOurs, family: &Family, tried: &mut Tried) {
    let reply = app.redeem(family).await.expect("an answer");
    assert_eq!(reply.text("error"), "invalid_grant", "{}", reply.body);
    refused(&reply, 400, "a code", &mut tried.codes);
    for tokens in &family.tokens {
        let reply = app.refresh(family.client, &tokens.refresh).await.expect("an answer");
        refused(&reply, 400, "a refresh token", &mut tried.refresh_tokens);
        let reply = app.introspect(&tokens.access).await.expect("an answer");
        assert_eq!(reply.json()["active"], false, "an access token of before is active");
        tried.access_tokens += 1;
    }
    if let Some(launch) = &family.launch {
        let reply = app.begin(launch).await.expect("an answer");
        assert_eq!(reply.parameter("error").as_deref(), Some("invalid_request"), "a launch is good again: {}", reply.body);
        tried.launches += 1;
    }
}

fn refused(reply: &Reply, status: u16, what: &str, count: &mut u64) {
    assert_eq!(reply.status.as_u16(), status, "{what} of before is good again: {}", reply.body);
    *count += 1;
}

/// A command of the administrator's that has to succeed.
fn admit(installation: &Installation, arguments: &[&str]) {
    let done = installation.run(arguments);
    assert!(done.status.success(), "admit {}: {}", arguments.join(" "), String::from_utf8_lossy(&done.stderr));
}

/// A restore takes the place of an SQLite file; PostgreSQL gets an empty schema.
async fn make_room(installation: &Installation) {
    let Location::Postgres(url) = &installation.location else { return };
    let options: sqlx::postgres::PgConnectOptions = url.parse().expect("a URL");
    let mut connection = options.connect().await.expect("the database");
    sqlx::raw_sql("drop schema public cascade; create schema public").execute(&mut connection).await.expect("an empty schema");
    connection.close().await.expect("closed");
}
