//! F-11: PostgreSQL has no connection to give, says nothing for five seconds, or is far away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinSet;

use crate::Fault;
use crate::commit::through;
use crate::support::{AppOfOurs, Installation, Kind, Lost, Plan, Proxy, pause, tokens_of};

pub const FAULT: Fault = Fault {
    id: "F-11",
    what: "no connections, 5 s of silence, 200 ms on the way",
    pass: "503 within 2 s (and half a second for a busy machine), recovery without a restart, key set and discovery p99 < 50 ms",
    on: &[Kind::Postgres],
    run: |plan| Box::pin(run(plan)),
};

/// More than the server's own budget of connections.
const CLIENTS: u64 = 32;
const PATIENCE: Duration = Duration::from_millis(2500);
/// For the documents that everybody else starts with.
const DOCUMENTS: Duration = Duration::from_millis(50);

/// How long answers took, and how many came as 503.
#[derive(Default)]
struct Waits {
    done: usize,
    turned_away: usize,
    longest: Duration,
    documents: Vec<Duration>,
}

async fn run(plan: Plan) -> String {
    let seconds = plan.either(3, 30);
    let installation = Installation::new(Kind::Postgres).await;
    let postgres = installation.postgres.as_ref().expect("PostgreSQL");
    let proxy = Proxy::start(postgres.port()).await;
    let server = through(&installation, &proxy).await;
    let app = installation.clients(&[server.port]);

    // Everybody else has taken what there is.
    let mut others = Vec::new();
    while let Ok(other) = PgConnection::connect(&postgres.url()).await {
        others.push(other);
    }
    let full = watch(&app, Duration::from_secs(seconds)).await;
    for other in others {
        other.close().await.expect("closed");
    }
    recovered(&app).await;

    let working = Duration::from_millis(500);
    let silence = async {
        pause(500).await;
        proxy.silence(true);
        pause(5000).await;
        proxy.silence(false);
    };
    let (silent, ()) = tokio::join!(watch(&app, working + Duration::from_secs(5)), silence);
    recovered(&app).await;

    proxy.slow_down(Duration::from_millis(200));
    let far = watch(&app, Duration::from_secs(seconds)).await;
    proxy.slow_down(Duration::ZERO);
    recovered(&app).await;

    assert!(silent.turned_away > 0, "somebody was told to come again");
    assert!(full.done > 0 && far.done > 0, "a few connections serve some, and far away is not gone: {}, {}", full.done, far.done);
    format!("{}; {}; {}", figure("full", full), figure("silent", silent), figure("far", far))
}

fn figure(what: &str, mut waits: Waits) -> String {
    waits.documents.sort_unstable();
    let p99 = waits.documents[waits.documents.len() * 99 / 100];
    // Far away, an answer needs many round trips, and nobody waits in vain.
    assert!(what == "far" || waits.longest <= PATIENCE, "{what}: somebody waited for {:?}", waits.longest);
    assert!(p99 < DOCUMENTS, "{what}: key set or discovery took {p99:?}");
    format!(
        "{what}: {} done, {} turned away, longest {} ms, documents p99 {:.1} ms of {}",
        waits.done,
        waits.turned_away,
        waits.longest.as_millis(),
        p99.as_secs_f64() * 1000.0,
        waits.documents.len()
    )
}

/// Many ask for tokens all the time, and one for the key set and discovery.
async fn watch(app: &AppOfOurs, during: Duration) -> Waits {
    let is_over = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(ask(app.clone(), Arc::clone(&is_over)));
    }
    let mut waits = Waits::default();
    let begin = Instant::now();
    while begin.elapsed() < during {
        for document in ["/.well-known/jwks.json", "/.well-known/smart-configuration"] {
            let asked = Instant::now();
            let reply = app.http.get(document, &[]).await.expect("the document");
            waits.documents.push(asked.elapsed());
            assert_eq!(reply.status, 200);
        }
        pause(5).await;
    }
    is_over.store(true, Ordering::Relaxed);
    while let Some(own) = clients.join_next().await {
        let own = own.expect("a client was told something wrong");
        waits.done += own.done;
        waits.turned_away += own.turned_away;
        waits.longest = waits.longest.max(own.longest);
    }
    waits
}

async fn ask(app: AppOfOurs, is_over: Arc<AtomicBool>) -> Waits {
    let mut waits = Waits::default();
    while !is_over.load(Ordering::Relaxed) {
        let asked = Instant::now();
        match app.assert(&app.assertion()).await {
            Ok(reply) => {
                assert_eq!(reply.status, 200, "{}", reply.body);
                waits.done += 1;
            }
            Err(Lost::TurnedAway) => waits.turned_away += 1,
            Err(why) => panic!("no answer: {why:?}"),
        }
        waits.longest = waits.longest.max(asked.elapsed());
    }
    waits
}

/// It works again at once, without a restart: a whole authorization, and everything that hangs on it.
async fn recovered(app: &AppOfOurs) {
    let begin = Instant::now();
    let mut family = loop {
        match app.authorize(1, false).await {
            Ok(family) => break family,
            Err(_) => assert!(begin.elapsed() < Duration::from_secs(2), "it does not recover"),
        }
        pause(50).await;
    };
    let reply = app.redeem(&family).await.expect("an answer");
    family.tokens.push(tokens_of(&reply, &family));
    let reply = app.refresh(family.client, &family.latest().refresh).await.expect("an answer");
    tokens_of(&reply, &family);
}
