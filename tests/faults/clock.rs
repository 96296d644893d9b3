//! F-14: clocks that jump, that are stepped, and that differ between instances.

use std::path::Path;

use crate::Fault;
use crate::support::{
    AppOfOurs, Installation, Kind, Load, Plan, Reply, Server, Start, Traffic, assert_assertions_are_spent, pause, tokens_of, verify,
};

pub const FAULT: Fault = Fault {
    id: "F-14",
    what: "a clock one hour ahead, one hour behind, stepped by seconds, 30 s off between instances",
    pass: "nothing is accepted after its end, no replay is accepted, no panic",
    on: &[Kind::Sqlite, Kind::Postgres],
    run: |plan| Box::pin(run(plan)),
};

/// Debian's place for it, whatever the processor is.
fn library() -> String {
    let places = std::fs::read_dir("/usr/lib").into_iter().flatten().filter_map(Result::ok);
    let mut found = places.map(|place| place.path().join("faketime/libfaketime.so.1")).filter(|path| path.exists());
    found.next().expect("there is no libfaketime; on Debian: apt-get install libfaketime").display().to_string()
}

/// A server whose clock is off by what the file says, such as `+3600`. Its timers are not.
pub fn with_clock(offset: &Path) -> Start {
    let variables = [
        ("LD_PRELOAD", library()),
        ("FAKETIME_TIMESTAMP_FILE", offset.display().to_string()),
        ("FAKETIME_NO_CACHE", "1".to_owned()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ];
    Start { environment: variables.map(|(name, value)| (name.to_owned(), value)).to_vec(), ..Start::default() }
}

async fn run(plan: Plan) -> String {
    let installation = Installation::new(plan.store).await;
    let offset = installation.folder().join("clock");
    // In one go: the server reads it at every look at the clock.
    let set = |seconds: i64| {
        let new = offset.with_extension("new");
        std::fs::write(&new, format!("{seconds:+}")).and_then(|()| std::fs::rename(new, &offset)).expect("written");
    };
    // One that has been running for a while: its keys were made some hours ago.
    set(-4 * 3600);
    let mut server = Server::start_with(&installation, with_clock(&offset)).await;
    set(0);
    let app = installation.clients(&[server.port]);
    let told = jumps(&app, &mut server, &set).await;
    let stepped = steps(&app, plan, &set).await;
    let skewed = if plan.store == Kind::Postgres { two_instances(&app, plan, &server).await } else { String::new() };
    assert!(!installation.log().contains("panicked"), "a panic in the log");
    format!("{told}, {stepped}{skewed}, 0 accepted after the end, 0 twice")
}

/// An hour ahead and back, an hour behind and back.
async fn jumps(app: &AppOfOurs, server: &mut Server, set: &impl Fn(i64)) -> &'static str {
    let mut family = app.authorize(0, false).await.expect("an answer");
    family.tokens.push(tokens_of(&app.redeem(&family).await.expect("an answer"), &family));
    let mut revoked = app.authorize(1, false).await.expect("an answer");
    revoked.tokens.push(tokens_of(&app.redeem(&revoked).await.expect("an answer"), &revoked));
    assert_eq!(app.revoke(revoked.client, &revoked.latest().refresh).await.expect("an answer").status, 200);
    let assertion = app.assertion();
    assert_eq!(app.assert(&assertion).await.expect("an answer").status, 200);
    let first = family.latest().access.clone();
    assert_eq!(active(app, &first).await, true, "a new token is good");

    // What is an hour old is over, and the purge of an instance whose clock is ahead runs.
    set(3610);
    server.kill();
    server.again().await;
    pause(500).await;
    assert_eq!(active(app, &first).await, false, "a token is good after its end");
    family.tokens.push(tokens_of(&refresh(app, &family.latest().refresh).await, &family));

    // The clock is right again: what was purged in the future must not come back to life.
    set(0);
    assert_replay_is_seen(app, &assertion).await;
    assert_eq!(refresh(app, &revoked.latest().refresh).await.status, 400, "a revoked token lives again");
    assert_eq!(active(app, &revoked.latest().access).await, false, "a revoked token lives again");
    family.tokens.push(tokens_of(&refresh(app, &family.latest().refresh).await, &family));

    // An hour behind: what is made there is over when the clock is right again.
    set(-3600);
    assert_refused(app, &assertion).await;
    family.tokens.push(tokens_of(&refresh(app, &family.latest().refresh).await, &family));
    let behind = family.latest().access.clone();
    set(0);
    assert_eq!(active(app, &behind).await, false, "a token is good after its end");
    let reply = refresh(app, &family.latest().refresh).await;
    tokens_of(&reply, &family);
    assert_eq!(refresh(app, &family.tokens[0].refresh).await.status, 400, "a refresh token was accepted twice");
    "one hour ahead and behind"
}

/// Seconds back and forth while everybody goes on.
async fn steps(app: &AppOfOurs, plan: Plan, set: &impl Fn(i64)) -> String {
    let mut traffic = Traffic::start(app, Load::of(4, plan.either(40, 1000)));
    let mut steps = 0;
    while !traffic.is_over() {
        set(steps % 2);
        steps += 1;
        pause(50).await;
    }
    set(0);
    let ledger = traffic.finish().await;
    assert_eq!(ledger.abandoned, 0, "a step of a second ends nothing");
    let done = ledger.families.len();
    verify(app, ledger).await;
    format!("{steps} steps of 1 s in {done} authorizations")
}

/// A second instance whose clock is off, in both directions.
async fn two_instances(app: &AppOfOurs, plan: Plan, right: &Server) -> String {
    let mut done = 0;
    for seconds in [30, -30] {
        let offset = app.installation.folder().join("other-clock");
        std::fs::write(&offset, format!("{seconds:+}")).expect("written");
        let other = Server::start_with(&app.installation, with_clock(&offset)).await;
        let both = app.installation.clients(&[right.port, other.port]);
        let ledger = Traffic::start(&both, Load::of(4, plan.either(30, 500))).finish().await;
        assert!(!ledger.families.is_empty(), "nobody came through");
        done += ledger.families.len();
        assert_assertions_are_spent(&both, &ledger.assertions).await;
        verify(&both, ledger).await;
    }
    format!(", {done} authorizations over two instances 30 s apart")
}

async fn refresh(app: &AppOfOurs, token: &str) -> Reply {
    app.refresh("app", token).await.expect("an answer")
}

async fn active(app: &AppOfOurs, token: &str) -> serde_json::Value {
    app.introspect(token).await.expect("an answer").json()["active"].clone()
}

async fn assert_replay_is_seen(app: &AppOfOurs, assertion: &str) {
    let reply = app.assert(assertion).await.expect("an answer");
    assert_eq!(reply.status, 401, "an assertion was accepted twice: {}", reply.brief());
    assert!(reply.text("error_description").contains("used before"), "it is too late to show anything: {}", reply.brief());
}

/// An hour ago it was not good yet; that is refused as well.
async fn assert_refused(app: &AppOfOurs, assertion: &str) {
    let reply = app.assert(assertion).await.expect("an answer");
    assert_eq!(reply.status, 401, "an assertion was accepted twice: {}", reply.brief());
}
