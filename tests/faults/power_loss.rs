//! F-04: the power fails. What was written and not synced is then lost, whole or in part, in any
//! order: every write of the server is recorded, and such disks are made of the record.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use admit::secret::random;

use crate::Fault;
use crate::support::{
    CALLS, Call, Event, Exchange, Installation, Kind, Ledger, Load, Particulars, Plan, Server, Tracer, Traffic, exchanges, verify,
};

pub const FAULT: Fault = Fault {
    id: "F-04",
    what: "loss of power: unsynced writes dropped, torn and reordered",
    pass: "I1-I10 on what the real server makes of each disk, nothing acknowledged lost",
    on: &[Kind::Sqlite],
    run: |plan| Box::pin(run(plan)),
};

/// What a disk writes as a whole.
const SECTOR: usize = 512;

type Disk = HashMap<String, Vec<u8>>;

async fn run(plan: Plan) -> String {
    let (cuts, flows) = plan.either((8, 40), (50, 150));
    // The answers of before are asked for again long after: the grace must not be over by then.
    let particulars = Particulars { refresh_grace: time::Duration::hours(12), ..Particulars::default() };
    let installation = Installation::with(plan.store, particulars).await;
    let server = Server::start(&installation).await;
    let app = installation.clients(&[server.port]);
    let (before, tracer) = record(&installation, &server).await;
    let ledger = Traffic::start(&app, Load::of(6, flows)).finish().await;
    let events = tracer.detach().await;
    drop(server);

    let exchanges = exchanges(&events);
    let (mut dropped, mut kept, mut slowest) = (0, 0, Duration::ZERO);
    for nth in 0..cuts {
        // Anywhere within its own share of what happened.
        let some = u16::from_be_bytes(random::<2>());
        let cut = &events[(events.len() * nth + events.len() * usize::from(some) / 65536) / cuts].begun;
        let (disk, lost) = cut_power(&before, &events, *cut);
        dropped += lost;
        let known = known_at(&ledger, &exchanges, *cut);
        kept += known.families.iter().map(|family| family.tokens.len()).sum::<usize>();
        let elsewhere = tempfile::tempdir_in("/var/tmp").expect("a folder");
        for (path, bytes) in disk {
            let name = path.rsplit('/').next().expect("a name");
            std::fs::write(elsewhere.path().join(name), bytes).expect("written");
        }
        let installation = Arc::new(installation.moved_to(elsewhere));
        let server = Server::start(&installation).await;
        slowest = slowest.max(server.ready_in);
        verify(&installation.clients(&[server.port]), known).await;
    }
    assert!(dropped > 0, "no cut came between a write and its sync: nothing was shown");
    assert!(slowest <= plan.ready_within(), "ready after {slowest:?}");
    format!(
        "{cuts} cuts, {dropped} writes lost or torn, {kept} acknowledged tokens kept, 0 lost, 0 twice; ready within {} ms",
        slowest.as_millis()
    )
}

/// Begins to record at a moment at which nothing was being written.
async fn record(installation: &Installation, server: &Server) -> (Disk, Tracer) {
    loop {
        let before = disk(installation);
        let tracer = Tracer::attach(installation, server, &["-e", CALLS]).await;
        if disk(installation) == before {
            return (before, tracer);
        }
        drop(tracer.detach().await);
    }
}

/// The database at rest: what the disk holds before anything is recorded.
fn disk(installation: &Installation) -> Disk {
    let database = installation.sqlite();
    let read = |end: &str| {
        let path = format!("{}{end}", database.display());
        let bytes = std::fs::read(&path).expect("a file of the database");
        (path, bytes)
    };
    HashMap::from([read(""), read("-wal")])
}

/// What is on the disk after a cut: everything that a sync had finished for, and of the rest what
/// chance leaves. Says also how many writes were lost or torn.
fn cut_power(before: &Disk, events: &[Event], cut: usize) -> (Disk, usize) {
    let mut disk = before.clone();
    let mut dropped = 0;
    for (path, bytes) in &mut disk {
        let mut pending: Vec<&Event> = Vec::new();
        for event in events.iter().filter(|event| event.begun < cut) {
            match &event.call {
                Call::Write { path: own, .. } | Call::Truncate { path: own, .. } if own == path => pending.push(event),
                Call::Sync { path: own } if own == path && event.ended < cut => {
                    let (synced, rest): (Vec<&Event>, Vec<&Event>) = pending.into_iter().partition(|write| write.ended < event.begun);
                    synced.iter().for_each(|write| apply(bytes, write, |_| true));
                    pending = rest;
                }
                _ => {}
            }
        }
        // In any order: the disk's own.
        pending.sort_by_cached_key(|_| random::<4>());
        for write in pending {
            let [chance, ..] = random::<4>();
            match chance % 3 {
                0 => dropped += 1,
                1 => apply(bytes, write, |_| true),
                _ => {
                    dropped += 1;
                    apply(bytes, write, |_| random::<1>()[0].is_multiple_of(2));
                }
            }
        }
    }
    (disk, dropped)
}

/// Writes those sectors of it that are chosen.
fn apply(bytes: &mut Vec<u8>, event: &Event, is_chosen: impl Fn(usize) -> bool) {
    match &event.call {
        Call::Write { at, data, .. } => {
            let mut from = *at;
            while from < at + data.len() {
                let end = (at + data.len()).min((from / SECTOR + 1) * SECTOR);
                if is_chosen(from) {
                    if bytes.len() < end {
                        bytes.resize(end, 0);
                    }
                    bytes[from..end].copy_from_slice(&data[from - at..end - at]);
                }
                from = end;
            }
        }
        Call::Truncate { length, .. } => bytes.resize(*length, 0),
        _ => {}
    }
}

/// What the clients had been told by then. Where something was under way that cannot be asked for
/// twice, a family is left out.
fn known_at(ledger: &Ledger, exchanges: &[Exchange], cut: usize) -> Ledger {
    let acknowledged: HashMap<String, usize> =
        exchanges.iter().filter_map(|exchange| Some((exchange.text("refresh_token")?, exchange.answered))).collect();
    let revocations: Vec<&Exchange> = exchanges.iter().filter(|exchange| exchange.request.starts_with("POST /revoke")).collect();
    let mut known = Ledger::default();
    for family in &ledger.families {
        let mut family = family.clone();
        let asked = revocations.iter().find(|exchange| exchange.request.ends_with(&family.latest().refresh));
        family.is_revoked = asked.is_some_and(|exchange| exchange.answered < cut);
        let is_under_way = asked.is_some_and(|exchange| exchange.asked < cut && !family.is_revoked);
        family.tokens.retain(|tokens| acknowledged.get(&tokens.refresh).is_some_and(|at| *at < cut));
        if !family.tokens.is_empty() && !is_under_way {
            known.families.push(family);
        }
    }
    known
}
