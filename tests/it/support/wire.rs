//! The server on a real socket, on loopback, and bytes as a client would put them on the wire.

use std::net::SocketAddr;
use std::time::Duration;

use admit::app;
use admit::audit::Origin;
use admit::clock::Clock;
use admit::id::TenantId;
use admit::listener::{self, Handle, RustlsConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::TestApp;
use super::database::{self, Database};
use super::seed::seed;

/// A seeded database whose clock is the machine's, for a server in a process of its own.
pub async fn stocked() -> Database {
    let database = database::fresh().await;
    let now = Clock::System.now();
    let store = database.open(now).await;
    seed(&store, &Origin::command(TenantId::default_tenant(), now)).await;
    store.close().await;
    database
}

/// A listening server; it stops when the test ends.
pub struct Wire {
    pub address: SocketAddr,
    handle: Handle,
}

impl Wire {
    pub async fn open(app: &TestApp) -> Self {
        Self::open_with(app, None).await
    }

    pub async fn open_with(app: &TestApp, tls: Option<RustlsConfig>) -> Self {
        let listener = listener::listen(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let handle = Handle::new();
        tokio::spawn(listener::serve(listener, tls, app::router(&app.app), handle.clone(), false));
        handle.listening().await;
        Self { address, handle }
    }

    /// Lets nobody in any more, and waits until that is so; it ends when those inside have been served.
    pub async fn close(&self) {
        let handle = self.handle.clone();
        tokio::spawn(async move { handle.close(Duration::from_secs(7)).await });
        while TcpStream::connect(self.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// Sends these bytes on a new connection, and returns all that comes back, and whether the server
    /// then closed it; a server that says nothing for a while has not.
    pub async fn say(&self, bytes: &[u8]) -> (String, bool) {
        let mut stream = self.connect().await;
        // The server may hang up before it has read everything.
        let _ = stream.write_all(bytes).await;
        hear(&mut stream, Duration::from_secs(1)).await
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

/// What comes until the other side closes (`true`), or says nothing for this long (`false`).
pub async fn hear(stream: &mut TcpStream, patience: Duration) -> (String, bool) {
    let mut heard = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match tokio::time::timeout(patience, stream.read(&mut buffer)).await {
            Err(_) => return (String::from_utf8_lossy(&heard).into_owned(), false),
            Ok(Ok(0) | Err(_)) => return (String::from_utf8_lossy(&heard).into_owned(), true),
            Ok(Ok(count)) => heard.extend(&buffer[..count]),
        }
    }
}
