//! Apps that hold a refresh token each, and refresh as fast as they are answered.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::browser::{Browser, expect};
use crate::connection::{Connection, post};
use crate::process::Server;
use crate::stage::Hash;

/// Its ID tokens are signed with ES256: an RSA signature costs as much as all the rest.
const APP: &str = "app-es256";
/// How many sign in at once.
const AT_ONCE: usize = 16;

/// An app on one device.
pub struct Holder {
    refresh: String,
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Run {
    pub count: u64,
    pub per_second: f64,
    /// CPU time of the server for one, in µs.
    pub cpu_us: f64,
    /// Sorted; in ms.
    latencies: Vec<f64>,
}

impl Run {
    /// The latency that this share of the refreshes stays below, in ms.
    pub fn percentile(&self, share: f64) -> f64 {
        percentile(&self.latencies, share)
    }
}

/// The value that this share of the sorted values stays below.
pub fn percentile(sorted: &[f64], share: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "an index")]
    let place = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
    sorted.get(place).copied().unwrap_or_default()
}

/// So many people come through the whole flow, and their apps have a token.
pub async fn sign_in(server: &Server, count: usize) -> Result<Vec<Holder>, String> {
    let mut coming = JoinSet::new();
    for place in 0..AT_ONCE {
        let (port, count) = (server.port, (count + AT_ONCE - 1 - place) / AT_ONCE);
        coming.spawn(async move {
            let mut connection = Connection::open(port).await.map_err(|error| error.to_string())?;
            let mut holders = Vec::new();
            for _ in 0..count {
                let tokens = Browser::new(&mut connection, port).launch(APP, Hash::Cheap).await?;
                holders.push(Holder { refresh: tokens.refresh });
            }
            Ok::<_, String>(holders)
        });
    }
    let mut holders = Vec::new();
    while let Some(joined) = coming.join_next().await {
        holders.extend(joined.map_err(|error| error.to_string())??);
    }
    Ok(holders)
}

/// The first `clients` of them refresh for so long; any error fails the run.
pub async fn run(server: &Server, holders: &mut Vec<Holder>, clients: usize, length: Duration) -> Result<Run, String> {
    let mut open = Vec::new();
    for holder in holders.drain(..clients) {
        open.push((Connection::open(server.port).await.map_err(|error| error.to_string())?, holder));
    }
    let (cpu, begin) = (server.cpu()?, Instant::now());
    let mut asking = JoinSet::new();
    for (connection, holder) in open {
        asking.spawn(ask(connection, server.port, holder, begin + length));
    }
    let mut latencies = Vec::new();
    while let Some(joined) = asking.join_next().await {
        let (holder, own) = joined.map_err(|error| error.to_string())??;
        holders.push(holder);
        latencies.extend(own);
    }
    let (wall, cpu) = (begin.elapsed().as_secs_f64(), server.cpu()? - cpu);
    latencies.sort_unstable_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let count = latencies.len() as f64;
    Ok(Run { count: latencies.len() as u64, per_second: count / wall, cpu_us: cpu * 1e6 / count.max(1.0), latencies })
}

async fn ask(mut connection: Connection, port: u16, mut holder: Holder, end: Instant) -> Result<(Holder, Vec<f64>), String> {
    let mut latencies = Vec::new();
    while Instant::now() < end {
        let form = [("grant_type", "refresh_token"), ("client_id", APP), ("refresh_token", holder.refresh.as_str())];
        let request = post(port, "/token", "", &form);
        let sent = Instant::now();
        let answer = connection.ask(&request).await.map_err(|error| error.to_string())?;
        latencies.push(sent.elapsed().as_secs_f64() * 1e3);
        expect(&answer, 200)?;
        // Every answer is used: the next refresh fails unless this one gave a token that is good.
        let successor = answer.body.split_once("\"refresh_token\":\"").and_then(|(_, rest)| rest.split('"').next());
        let successor = successor.ok_or_else(|| format!("no refresh token in {}", answer.body))?;
        if successor == holder.refresh {
            return Err("the refresh token was not rotated".to_owned());
        }
        successor.clone_into(&mut holder.refresh);
    }
    Ok((holder, latencies))
}
