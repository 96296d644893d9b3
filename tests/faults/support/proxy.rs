//! The way to PostgreSQL, which can be cut, slowed down, and made to swallow everything.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// `COMMIT` as a simple query of PostgreSQL's protocol.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

/// Where the connection of a commit is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Cut {
    /// The server never hears of the commit.
    Before = 1,
    /// The client is cut off while the server commits.
    During = 2,
    /// The server has committed, and its answer is swallowed.
    After = 3,
}

/// On loopback, before a server on loopback; dropped, it and every connection through it are gone.
pub struct Proxy {
    pub port: u16,
    ways: Arc<Ways>,
    task: JoinHandle<()>,
}

struct Ways {
    /// The next commit is cut so; zero is not at all.
    next: AtomicU8,
    /// How long everything takes in each direction, in milliseconds.
    delay: AtomicU64,
    /// Whether nothing goes through.
    is_silent: watch::Sender<bool>,
}

impl Proxy {
    pub async fn start(to: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let ways = Arc::new(Ways { next: AtomicU8::new(0), delay: AtomicU64::new(0), is_silent: watch::Sender::new(false) });
        let shared = Arc::clone(&ways);
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(pass(client, to, Arc::clone(&shared)));
                while connections.try_join_next().is_some() {}
            }
        });
        Self { port, ways, task }
    }

    /// Cuts the connection of the commit that comes next.
    pub fn cut_next(&self, cut: Cut) {
        self.ways.next.store(cut as u8, Ordering::SeqCst);
    }

    /// Whether it has been cut.
    pub fn is_cut(&self) -> bool {
        self.ways.next.load(Ordering::SeqCst) == 0
    }

    /// Whether nothing goes through, in either direction, and nobody is told.
    pub fn silence(&self, is_silent: bool) {
        self.ways.is_silent.send_replace(is_silent);
    }

    /// How much longer every round trip takes.
    pub fn slow_down(&self, round_trip: Duration) {
        self.ways.delay.store(u64::try_from(round_trip.as_millis() / 2).expect("a short time"), Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Ways {
    /// How the commit at hand is to be cut, if it is.
    fn take(&self) -> Option<Cut> {
        match self.next.swap(0, Ordering::SeqCst) {
            1 => Some(Cut::Before),
            2 => Some(Cut::During),
            3 => Some(Cut::After),
            _ => None,
        }
    }

    async fn travel(&self) {
        let _ = self.is_silent.subscribe().wait_for(|is_silent| !is_silent).await;
        let delay = self.delay.load(Ordering::SeqCst);
        if delay > 0 {
            super::pause(delay).await;
        }
    }
}

/// What goes wrong on the way ends the connection; that is what it is for.
async fn pass(mut client: TcpStream, to: u16, ways: Arc<Ways>) {
    let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).await else { return };
    let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let Ok(1..) = read else { return };
                let sent = &up[..read.unwrap_or_default()];
                ways.travel().await;
                let cut = sent.windows(COMMIT.len()).any(|part| part == COMMIT).then(|| ways.take()).flatten();
                if cut == Some(Cut::Before) {
                    return reset(&client);
                }
                if server.write_all(sent).await.is_err() {
                    return;
                }
                if cut == Some(Cut::During) {
                    reset(&client);
                    drop(client);
                    let _ = server.read(&mut down).await; // it commits in peace
                    return;
                }
                if cut == Some(Cut::After) {
                    let _ = server.read(&mut down).await;
                    return reset(&client);
                }
            }
            read = server.read(&mut down) => {
                let Ok(1..) = read else { return };
                ways.travel().await;
                if client.write_all(&down[..read.unwrap_or_default()]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// The connection ends with a reset, not in good order.
fn reset(client: &TcpStream) {
    let _ = client.set_zero_linger();
}
