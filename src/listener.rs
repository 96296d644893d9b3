//! Listening: an address, limits against slow and greedy clients, and an orderly end.

mod door;
mod punctual;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum_server::Server;
use hyper_util::rt::TokioTimer;

pub use axum_server::tls_rustls::RustlsConfig;

use axum_server::tls_rustls::RustlsAcceptor;
pub use door::Handle;
use punctual::Punctual;

/// How long requests under way may take once there are no new connections.
const DRAIN: Duration = Duration::from_secs(7);
/// How long a connection may say nothing, a request's headers may take, and TLS may take to begin.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a proxy's connection may rest.
const PATIENCE_WITH_PROXY: Duration = Duration::from_secs(65);
/// The request line and headers together, in bytes.
const MAX_HEAD: usize = 32 * 1024;

/// Takes an address.
///
/// # Errors
/// What the system says; most often that another program has it.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Answers until the handle says stop. Behind a proxy (`has_proxy`), connections may rest longer.
///
/// # Errors
/// What the system says, where it takes the listener away.
pub async fn serve(listener: TcpListener, tls: Option<RustlsConfig>, routes: Router, handle: Handle, has_proxy: bool) -> io::Result<()> {
    let routes = routes.into_make_service_with_connect_info::<SocketAddr>();
    let mut server = Server::from_listener(handle.door(listener)?).handle(handle.server);
    set_limits(&mut server, has_proxy);
    match tls {
        None => server.map(|inner| Punctual { inner, within: patience(has_proxy) }).serve(routes).await,
        Some(tls) => {
            let server = server.acceptor(RustlsAcceptor::new(tls).handshake_timeout(PATIENCE));
            server.map(|inner| Punctual { inner, within: patience(has_proxy) }).serve(routes).await
        }
    }
}

/// The library counts the pause between two requests as part of the second one's headers. A proxy
/// keeps its connections for a minute and takes slow clients upon itself; without one, slow clients
/// are ours to cut off.
fn patience(has_proxy: bool) -> Duration {
    if has_proxy { PATIENCE_WITH_PROXY } else { PATIENCE }
}

fn set_limits<A: axum_server::Address, Acceptor>(server: &mut Server<A, Acceptor>, has_proxy: bool) {
    let builder = server.http_builder();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(patience(has_proxy)).max_buf_size(MAX_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(100)
        .max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX))
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10));
}

/// SIGTERM or Ctrl-C: no new connections, those at work finish. From this call on, not from the
/// first poll of what it returns, a signal no longer ends the process at once.
///
/// At the signal, `announce` tells everybody who asks that the server is about to stop. SIGTERM
/// leaves a load balancer `delay` to see that and to send its requests elsewhere: until then, all is
/// answered. Ctrl-C, or a second signal, does not wait.
pub fn stop_on_signal(handle: Handle, delay: Duration, announce: impl FnOnce() + Send) -> impl Future<Output = ()> + Send {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = signal(SignalKind::terminate()).and_then(|terminate| Ok((terminate, signal(SignalKind::interrupt())?)));
    async move {
        let Ok((mut terminate, mut interrupt)) = signals else { return };
        let delay = tokio::select! {
            _ = terminate.recv() => delay,
            _ = interrupt.recv() => Duration::ZERO,
        };
        announce();
        tracing::info!(seconds = delay.as_secs(), "no longer ready; requests are still answered");
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        handle.close(DRAIN).await;
    }
}
