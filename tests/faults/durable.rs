//! F-03: no answer leaves before what it says is on the disk. `kill -9` cannot show that: the kernel
//! keeps what was written. So every system call is looked at.

use crate::Fault;
use crate::support::{CALLS, Call, Event, Installation, Kind, Load, Plan, Server, Tracer, Traffic, exchanges, jti};

pub const FAULT: Fault = Fault {
    id: "F-03",
    what: "a sync between the commit and the answer",
    pass: "every token that was given stood in a committed and synced frame of the journal before its answer left",
    on: &[Kind::Sqlite],
    run: |plan| Box::pin(run(plan)),
};

/// What SQLite writes before each page: 24 bytes, among them, in the last frame of a transaction,
/// the size of the database after it.
const FRAME_HEADER: usize = 24;

/// What lies in the journal after a transaction, when it is certain to.
struct Committed<'e> {
    pages: Vec<&'e [u8]>,
    synced: usize,
}

async fn run(plan: Plan) -> String {
    let (flows, least) = plan.either((60, 200), (320, 1000));
    let installation = Installation::new(plan.store).await;
    let server = Server::start(&installation).await;
    let app = installation.clients(&[server.port]);
    let tracer = Tracer::attach(&installation, &server, &["-e", CALLS]).await;
    Traffic::start(&app, Load::of(8, flows)).finish().await;
    let events = tracer.detach().await;

    let committed = committed(&events);
    let exchanges = exchanges(&events);
    let mut issued = 0;
    for exchange in &exchanges {
        let Some(token) = exchange.text("access_token") else { continue };
        issued += 1;
        let jti = jti(&token);
        let is_durable = committed
            .iter()
            .rev()
            .skip_while(|transaction| transaction.synced > exchange.answered)
            .any(|transaction| transaction.pages.iter().any(|page| holds(page, jti.as_bytes())));
        assert!(is_durable, "a token was given before it was certain to be on the disk");
    }
    assert!(issued >= least, "{issued} tokens are too few to show anything");
    let syncs = events.iter().filter(|event| matches!(event.call, Call::Sync { .. })).count();
    format!("{issued} tokens, 0 given too early; {} transactions, {syncs} syncs, {} answers", committed.len(), exchanges.len())
}

/// The transactions of the journal in order, each with the moment from which on a sync that began
/// after its last write had ended.
fn committed(events: &[Event]) -> Vec<Committed<'_>> {
    let mut done = Vec::new();
    let mut pages = Vec::new();
    // Those that were written and not synced yet, and where the last write of each ended.
    let mut waiting: Vec<(Vec<&[u8]>, usize)> = Vec::new();
    let mut is_last_frame = false;
    for event in events {
        match &event.call {
            Call::Write { path, data, .. } if path.ends_with("-wal") => {
                if data.len() == FRAME_HEADER {
                    is_last_frame = data[4..8] != [0; 4];
                } else {
                    pages.push(data.as_slice());
                    if is_last_frame {
                        waiting.push((std::mem::take(&mut pages), event.ended));
                        is_last_frame = false;
                    }
                }
            }
            Call::Sync { path } if path.ends_with("-wal") => {
                let (synced, rest) = waiting.into_iter().partition(|(_, written)| event.begun > *written);
                waiting = rest;
                let synced: Vec<(Vec<&[u8]>, usize)> = synced;
                done.extend(synced.into_iter().map(|(pages, _)| Committed { pages, synced: event.ended }));
            }
            _ => {}
        }
    }
    done
}

fn holds(page: &[u8], text: &[u8]) -> bool {
    page.windows(text.len()).any(|window| window == text)
}
