//! F-02: the server dies at every boundary of every step that changes something: before each write,
//! before each sync, and before the answer. The tracer kills it there, so that the product has no
//! code for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::Fault;
use crate::support::{AppOfOurs, Family, Installation, Kind, Lost, Plan, Reply, Server, Start, Tracer, tokens_of, verify_store};

pub const FAULT: Fault = Fault {
    id: "F-02",
    what: "killed before each write, each sync and each answer of a step",
    pass: "I1-I10; a refresh that is tried again gives the successor that was committed; ready again within 2 s",
    on: &[Kind::Sqlite, Kind::Postgres],
    run: |plan| Box::pin(run(plan)),
};

/// A step that changes something.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    SignInAndConsent,
    Redeem,
    Refresh,
    Revoke,
    Assert,
}

const STEPS: [Step; 5] = [Step::Redeem, Step::Refresh, Step::Revoke, Step::Assert, Step::SignInAndConsent];

/// Where it dies.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Boundary {
    Write,
    Sync,
    Answer,
}

/// What a step needs before it can be done.
struct Prepared {
    /// Whose turn it is: a sign-in that was cut off counts as one that failed, and five of them lock an account.
    person: u64,
    family: Family,
    assertion: String,
}

async fn run(plan: Plan) -> String {
    let (rounds, stride) = plan.either((1, 4), (5, 1));
    let installation = Installation::new(plan.store).await;
    // One thread: the same call is then the same boundary each time.
    let start = Start { environment: vec![("TOKIO_WORKER_THREADS".to_owned(), "1".to_owned())], ..Start::default() };
    let mut server = Server::start_with(&installation, start).await;
    let app = installation.clients(&[server.port]);
    let boundaries: &[Boundary] = match plan.store {
        Kind::Sqlite => &[Boundary::Write, Boundary::Sync, Boundary::Answer],
        // There, everything goes over sockets.
        Kind::Postgres => &[Boundary::Write, Boundary::Answer],
    };
    let (mut kills, mut points, mut slowest) = (0, 0, Duration::ZERO);
    for round in 0..rounds {
        for step in STEPS {
            for boundary in boundaries {
                let mut nth = 1;
                while dies(&mut server, &app, step, *boundary, nth).await {
                    kills += 1;
                    points += u32::from(round == 0);
                    slowest = slowest.max(server.ready_in);
                    nth += stride;
                }
                assert!(nth > 1, "{step:?} has no {boundary:?}");
            }
        }
    }
    assert!(slowest <= plan.ready_within(), "ready after {slowest:?}");
    format!("{points} points, {kills} kills, 0 lost, 0 twice; ready within {} ms", slowest.as_millis())
}

/// Does a step on a server that is to die at the `nth` boundary of this kind. Says whether there is
/// one; if so, what the client does next has been looked at, and what the database holds.
async fn dies(server: &mut Server, app: &AppOfOurs, step: Step, boundary: Boundary, nth: u32) -> bool {
    let prepared = prepare(app, step).await;
    let call = match (boundary, app.installation.postgres.is_some()) {
        (Boundary::Write, false) => "pwrite64",
        (Boundary::Write, true) => "sendto",
        (Boundary::Sync, _) => "fsync,fdatasync",
        (Boundary::Answer, _) => "writev",
    };
    let inject = format!("inject={call}:signal=KILL:when={nth}");
    let tracer = Tracer::attach(&app.installation, server, &["-e", &format!("trace={call}"), "-e", &inject]).await;
    let is_answered = act(app, step, &prepared).await.is_ok();
    if is_answered {
        if !tracer.detach_from(server).await {
            return false;
        }
    } else {
        // With its tracer still there, a thread of the dead may be kept from ending.
        drop(tracer);
    }
    server.gone().await;
    server.again().await;
    settle(app, step, is_answered || boundary == Boundary::Answer, prepared).await;
    verify_store(&app.installation).await;
    true
}

async fn prepare(app: &AppOfOurs, step: Step) -> Prepared {
    static TURN: AtomicU64 = AtomicU64::new(0);
    let person = TURN.fetch_add(1, Ordering::Relaxed);
    let mut family = app.authorize(person, false).await.expect("a server that answers");
    if [Step::Refresh, Step::Revoke].contains(&step) {
        let reply = app.redeem(&family).await.expect("a server that answers");
        family.tokens.push(tokens_of(&reply, &family));
    }
    Prepared { person, family, assertion: app.assertion() }
}

async fn act(app: &AppOfOurs, step: Step, prepared: &Prepared) -> Result<(), Lost> {
    let family = &prepared.family;
    let reply = match step {
        Step::SignInAndConsent => return app.authorize(prepared.person, true).await.map(drop),
        Step::Redeem => app.redeem(family).await?,
        Step::Refresh => app.refresh(family.client, &family.latest().refresh).await?,
        Step::Revoke => app.revoke(family.client, &family.latest().refresh).await?,
        Step::Assert => app.assert(&prepared.assertion).await?,
    };
    assert_eq!(reply.status, 200, "{step:?}: {}", reply.brief());
    Ok(())
}

/// The client had no answer, and asks again. Where the answer was being sent, everything was
/// certain (`is_done`); before a write or a sync it may have been, or not.
async fn settle(app: &AppOfOurs, step: Step, is_done: bool, prepared: Prepared) {
    let Prepared { mut family, assertion, .. } = prepared;
    let answered = |reply: Result<Reply, Lost>| reply.expect("a server that answers");
    match step {
        Step::SignInAndConsent => drop(answered(app.redeem(&family).await)),
        Step::Redeem => {
            let reply = answered(app.redeem(&family).await);
            match reply.status.as_u16() {
                200 if !is_done => drop(tokens_of(&reply, &family)),
                // Nobody has what it bought: a code is good once, whether or not the answer came.
                400 => assert_eq!(reply.text("error"), "invalid_grant"),
                status => panic!("{status} {}", reply.brief()),
            }
        }
        Step::Refresh => {
            let (before, parent) = (refresh_tokens(app, &family).await, family.latest().refresh.clone());
            let made = if is_done { "was" } else { "may have been" };
            assert!(before == 2 || (before == 1 && !is_done), "{before} refresh tokens where the second {made} committed");
            let reply = answered(app.refresh(family.client, &parent).await);
            family.tokens.push(tokens_of(&reply, &family));
            assert_eq!(refresh_tokens(app, &family).await, 2, "the retry gives the successor that was made");
            let again = tokens_of(&answered(app.refresh(family.client, &parent).await), &family);
            assert_eq!(again.refresh, family.latest().refresh, "each retry gives the same");
            let reply = answered(app.refresh(family.client, &family.latest().refresh).await);
            tokens_of(&reply, &family);
        }
        Step::Revoke => {
            if is_done {
                let reply = answered(app.introspect(&family.latest().access).await);
                assert_eq!(reply.json()["active"], false, "a revocation that was made is lost");
            }
            assert_eq!(answered(app.revoke(family.client, &family.latest().refresh).await).status, 200);
            let reply = answered(app.refresh(family.client, &family.latest().refresh).await);
            assert_eq!(reply.text("error"), "invalid_grant", "{}", reply.brief());
        }
        Step::Assert => {
            let reply = answered(app.assert(&assertion).await);
            assert!(reply.status == 401 || (reply.status == 200 && !is_done), "{} {}", reply.status, reply.brief());
            let reply = answered(app.assert(&assertion).await);
            assert_eq!(reply.status, 401, "an assertion was accepted twice: {}", reply.brief());
        }
    }
}

/// How many of them a family has in the database.
async fn refresh_tokens(app: &AppOfOurs, family: &Family) -> i64 {
    let jti = family.tokens[0].jti();
    let grant = admit::grant::grant_of(&jti).expect("a person's token names its grant");
    let statement = format!("select count(*) from refresh_token where grant_id = '{grant}'");
    app.installation.database().await.count(&statement).await
}
