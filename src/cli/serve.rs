//! `admit serve`: listens, answers, and goes down in good order.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum_server::tls_rustls::RustlsConfig;
use axum_server::{Handle, Server};
use hyper_util::rt::TokioTimer;

use super::{Failure, master_key};
use crate::app::{self, App, Setup};
use crate::clock::Clock;
use crate::config::Config;
use crate::id::TenantId;
use crate::store::Store;
use crate::tenant::Tenant;

/// How long requests under way may take once the server is told to stop.
const DRAIN: Duration = Duration::from_secs(10);
/// The request line and headers together, in bytes.
const MAX_HEAD: usize = 32 * 1024;

pub(super) async fn run(config: Config) -> Result<(), Failure> {
    let clock = Clock::System;
    let store = Store::open(&config.database, clock.now()).await?;
    let server = &config.server;
    let app = App::start(Setup {
        master_key: master_key::find(&config, &store, clock.now()).await?,
        tenant: Tenant {
            id: TenantId::default_tenant(),
            issuer: server.issuer.clone(),
            organization: server.organization.clone(),
            notice: None,
        },
        store: store.clone(),
        clock,
        hash_slots: server.hash_slots,
        more_hosts: server.allowed_hosts.clone(),
        trusted_proxies: server.trusted_proxies.clone(),
    })
    .await?;
    let listener = listen(server.listen)?;
    let tls = match &server.tls {
        None => None,
        Some((certificate, key)) => {
            let tls = RustlsConfig::from_pem_file(certificate, key).await;
            Some(tls.map_err(|error| {
                Failure::failed(&format!("the certificate {} and its key cannot be used: {error}", certificate.display()))
            })?)
        }
    };
    let handle = Handle::new();
    tokio::spawn(stop_on_signal(handle.clone()));
    tokio::spawn(purge(Arc::clone(&app)));
    tracing::info!(issuer = server.issuer, listen = %server.listen, tls = tls.is_some(), "ready");
    serve(listener, tls, app::router(&app), handle, !server.trusted_proxies.is_empty()).await?;
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// Takes the address, or says who might have it.
pub(crate) fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    let cannot = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AddrInUse => Failure::failed(&format!("{address} is in use by another program; choose another with --listen")),
        _ => Failure::failed(&format!("cannot listen on {address}: {error}")),
    };
    let listener = TcpListener::bind(address).map_err(cannot)?;
    listener.set_nonblocking(true).map_err(cannot)?;
    Ok(listener)
}

/// Answers until the handle says stop.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<RustlsConfig>,
    routes: Router,
    handle: Handle<SocketAddr>,
    has_proxy: bool,
) -> Result<(), Failure> {
    let routes = routes.into_make_service_with_connect_info::<SocketAddr>();
    let failed = |error: std::io::Error| Failure::failed(&format!("the server stopped: {error}"));
    match tls {
        None => {
            let mut server = axum_server::from_tcp(listener).map_err(failed)?.handle(handle);
            set_limits(&mut server, has_proxy);
            server.serve(routes).await.map_err(failed)
        }
        Some(tls) => {
            let mut server = axum_server::from_tcp_rustls(listener, tls).map_err(failed)?.handle(handle);
            set_limits(&mut server, has_proxy);
            server.serve(routes).await.map_err(failed)
        }
    }
}

fn set_limits<A: axum_server::Address, Acceptor>(server: &mut Server<A, Acceptor>, has_proxy: bool) {
    // The library counts the pause between two requests as part of the second one's headers. A
    // proxy keeps its connections for a minute and takes slow clients upon itself; without one,
    // slow clients are ours to cut off.
    let head = Duration::from_secs(if has_proxy { 65 } else { 5 });
    let builder = server.http_builder();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(head).max_buf_size(MAX_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(100)
        .max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX))
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10));
}

/// SIGTERM or Ctrl-C: no new connections, those at work finish.
pub(crate) async fn stop_on_signal(handle: Handle<SocketAddr>) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    tracing::info!("stopping");
    handle.graceful_shutdown(Some(DRAIN));
}

/// Forgets, once an hour, what can no longer matter.
async fn purge(app: Arc<App>) {
    let mut every = tokio::time::interval(Duration::from_secs(3600));
    loop {
        every.tick().await;
        match app.store.purge(app.clock.now()).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "purged"),
            Err(error) => tracing::warn!(%error, "could not purge"),
        }
    }
}
