//! Where connections come in, and in what order that ends.
//!
//! The library gives up its socket and every connection that has not been read from at the same
//! moment. What a proxy has just sent down such a connection would be lost, and where that is a
//! POST, no proxy may send it again. So the door closes first: whoever is inside is served.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum_server::{AddrListener, Address};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Notify};

/// How long whoever came in last has until their request is here.
const LAST: Duration = Duration::from_millis(500);

/// A hold on a server that runs: it says when it listens, and ends it.
#[derive(Clone, Debug, Default)]
pub struct Handle {
    pub(super) server: axum_server::Handle<Peer>,
    closing: Arc<Notify>,
}

impl Handle {
    /// Of a server that is yet to be started.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits until the server listens.
    pub async fn listening(&self) {
        self.server.listening().await;
    }

    /// Ends it at once.
    pub fn shutdown(&self) {
        self.server.shutdown();
    }

    /// No new connections; requests under way may take so long.
    pub fn graceful_shutdown(&self, drain: Duration) {
        self.server.graceful_shutdown(Some(drain));
    }

    /// The same, but who has come in last is served as well, though their request is not here yet.
    pub async fn close(&self, drain: Duration) {
        self.closing.notify_one();
        tokio::time::sleep(LAST).await;
        self.graceful_shutdown(drain.saturating_sub(LAST));
    }

    /// The door at this socket.
    pub(super) fn door(&self, listener: std::net::TcpListener) -> io::Result<Door> {
        let inside = Inside { listener: Some(TcpListener::from_std(listener)?), last: VecDeque::new() };
        Ok(Door { inside: Mutex::new(inside), closing: Arc::clone(&self.closing) })
    }
}

/// Who has connected.
#[derive(Clone, Copy, Debug)]
pub struct Peer(SocketAddr);

impl Connected<Peer> for SocketAddr {
    fn connect_info(peer: Peer) -> Self {
        peer.0
    }
}

impl Address for Peer {
    type Stream = TcpStream;
    type Listener = Door;
}

/// A socket that listens until it is closed.
#[derive(Debug)]
pub struct Door {
    /// One task accepts, so nobody waits for this.
    inside: Mutex<Inside>,
    closing: Arc<Notify>,
}

#[derive(Debug)]
struct Inside {
    /// None: the door is closed.
    listener: Option<TcpListener>,
    /// Those who stood in the door when it closed.
    last: VecDeque<(TcpStream, SocketAddr)>,
}

impl AddrListener<TcpStream, Peer> for Door {
    async fn bind_to(address: Peer) -> io::Result<Self> {
        Handle::new().door(super::listen(address.0)?)
    }

    async fn accept_stream(&self) -> io::Result<(TcpStream, Peer)> {
        let mut inside = self.inside.lock().await;
        if let Some(listener) = &inside.listener {
            tokio::select! {
                biased;
                accepted = listener.accept() => return accepted.map(|(stream, address)| (stream, Peer(address))),
                () = self.closing.notified() => {}
            }
            inside.close()?;
        }
        match inside.last.pop_front() {
            Some((stream, address)) => Ok((stream, Peer(address))),
            None => std::future::pending().await,
        }
    }

    fn get_local_addr(&self) -> io::Result<Peer> {
        let inside = self.inside.try_lock().map_err(|_| io::ErrorKind::WouldBlock)?;
        inside.listener.as_ref().ok_or(io::ErrorKind::NotConnected)?.local_addr().map(Peer)
    }
}

impl Inside {
    /// The system resets whoever waits at a socket that is closed: they come in first.
    fn close(&mut self) -> io::Result<()> {
        let Some(listener) = self.listener.take() else { return Ok(()) };
        let listener = listener.into_std()?;
        while let Ok((stream, address)) = listener.accept() {
            stream.set_nonblocking(true)?;
            self.last.push_back((TcpStream::from_std(stream)?, address));
        }
        Ok(())
    }
}
