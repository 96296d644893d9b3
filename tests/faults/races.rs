//! F-05: sixty-four at the same moment want what is good once.

use std::sync::Arc;

use time::Duration;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::Fault;
use crate::support::{AppOfOurs, Family, Installation, Kind, Lost, Particulars, Plan, Reply, Server, Tokens, tokens_of, verify_store};

pub const FAULT: Fault = Fault {
    id: "F-05",
    what: "64 at once for each code, refresh token, client assertion and launch",
    pass: "exactly 1 success each, 0 x 5xx",
    on: &[Kind::Sqlite, Kind::Postgres],
    run: |plan| Box::pin(run(plan)),
};

const RACERS: usize = 64;

async fn run(plan: Plan) -> String {
    let rounds = plan.either(10, 200);
    // Without grace, a refresh token is good once for everybody.
    let particulars = Particulars { refresh_grace: Duration::ZERO, ..Particulars::default() };
    let installation = Installation::with(plan.store, particulars).await;
    let mut servers = vec![Server::start(&installation).await];
    if plan.store == Kind::Postgres {
        servers.push(Server::start(&installation).await);
    }
    // Requests go to the instances in turn.
    let app = installation.clients(&servers.iter().map(|server| server.port).collect::<Vec<_>>());
    for nth in 0..rounds {
        race_for_a_code(&app, nth).await;
        race_for_a_refresh(&app, nth).await;
        race_for_an_assertion(&app).await;
        race_for_a_launch(&app, nth).await;
    }
    verify_store(&installation).await;
    assert!(!installation.log().contains("panicked"), "a panic in the log");
    let instances = servers.len();
    format!("4 x {rounds} races at {instances} instance(s), 1 success each, 0 x 5xx (one-time passwords do not exist yet)")
}

/// CC-01, CC-02: one redeems it, and the others' replays end what it bought.
async fn race_for_a_code(app: &AppOfOurs, nth: u64) {
    let family = app.authorize(nth, false).await.expect("an answer");
    let replies = at_once(app, |app| {
        let family = family.clone();
        async move { app.redeem(&family).await }
    });
    let tokens = tokens_of(the_only(&replies.await, |reply| reply.status == 200, is_invalid_grant), &family);
    assert_is_over(app, &family, &tokens).await;
}

/// CC-04: one gets the successor, and the others' replays end the family.
async fn race_for_a_refresh(app: &AppOfOurs, nth: u64) {
    let family = app.authorize(nth, false).await.expect("an answer");
    let first = tokens_of(&app.redeem(&family).await.expect("an answer"), &family);
    let replies = at_once(app, |app| {
        let (client, token) = (family.client, first.refresh.clone());
        async move { app.refresh(client, &token).await }
    });
    let second = tokens_of(the_only(&replies.await, |reply| reply.status == 200, is_invalid_grant), &family);
    assert_ne!(second.refresh, first.refresh);
    assert_is_over(app, &family, &first).await;
    assert_is_over(app, &family, &second).await;
}

/// CC-06
async fn race_for_an_assertion(app: &AppOfOurs) {
    let assertion = app.assertion();
    let replies = at_once(app, |app| {
        let assertion = assertion.clone();
        async move { app.assert(&assertion).await }
    });
    let is_replay = |reply: &Reply| {
        (reply.status.as_u16(), reply.text("error").as_str()) == (401, "invalid_client")
            && reply.text("error_description").contains("used before")
    };
    the_only(&replies.await, |reply| reply.status == 200, is_replay);
}

/// CC-11: one browser goes on to the sign-in, the others are sent back to the app.
async fn race_for_a_launch(app: &AppOfOurs, nth: u64) {
    let launch = app.launch(&app.installation.person(nth), &app.installation.patient(nth)).await.expect("an answer");
    let replies = at_once(app, |app| {
        let launch = launch.clone();
        async move { app.begin(&launch).await }
    });
    let has_it = |reply: &Reply| reply.status == 303 && reply.header("location").contains("/login?flow=");
    let is_refused = |reply: &Reply| {
        (reply.status.as_u16(), reply.parameter("error").as_deref()) == (303, Some("invalid_request"))
            && reply.headers.get("set-cookie").is_none()
    };
    the_only(&replies.await, has_it, is_refused);
}

/// All of them send at the same moment, each over a connection of its own, and each gets an answer.
async fn at_once<F>(app: &AppOfOurs, ask: impl Fn(AppOfOurs) -> F) -> Vec<Reply>
where
    F: Future<Output = Result<Reply, Lost>> + Send + 'static,
{
    let line = Arc::new(Barrier::new(RACERS));
    let mut racers = JoinSet::new();
    for _ in 0..RACERS {
        let (line, asked) = (Arc::clone(&line), ask(app.clone()));
        racers.spawn(async move {
            line.wait().await;
            asked.await.expect("an answer, and not 503")
        });
    }
    racers.join_all().await
}

/// The one that has won, where every other one is told what the standard says.
fn the_only(replies: &[Reply], won: impl Fn(&Reply) -> bool, lost: impl Fn(&Reply) -> bool) -> &Reply {
    let (winners, losers): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| won(reply));
    assert_eq!((winners.len(), losers.len()), (1, RACERS - 1), "{:?}", replies.iter().map(|reply| reply.status).collect::<Vec<_>>());
    for loser in losers {
        assert!(lost(loser), "{} {} {}", loser.status, loser.header("location"), loser.brief());
    }
    winners[0]
}

fn is_invalid_grant(reply: &Reply) -> bool {
    (reply.status.as_u16(), reply.text("error").as_str()) == (400, "invalid_grant")
}

/// At every instance.
async fn assert_is_over(app: &AppOfOurs, family: &Family, tokens: &Tokens) {
    for _ in 0..2 {
        let reply = app.introspect(&tokens.access).await.expect("an answer");
        assert_eq!(reply.json()["active"], false, "after a replay, {} is active: {}", tokens.jti(), reply.brief());
    }
    for _ in 0..2 {
        let reply = app.refresh(family.client, &tokens.refresh).await.expect("an answer");
        assert!(is_invalid_grant(&reply), "after a replay, a refresh token is good: {}", reply.brief());
    }
}
