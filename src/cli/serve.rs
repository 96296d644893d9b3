//! `admit serve`: listens, answers, and goes down in good order.

use std::sync::Arc;

use super::{Failure, master_key};
use crate::app::{self, App, Setup};
use crate::clock::Clock;
use crate::config::Config;
use crate::id::TenantId;
use crate::jobs;
use crate::listener::{self, Handle, RustlsConfig};
use crate::store::{InstanceLock, Store};
use crate::tenant::Tenant;

pub(super) async fn run(config: Config) -> Result<(), Failure> {
    // Before anything is made: settings that are wrong leave nothing behind.
    let server = &config.server.clone()?;
    let clock = Clock::System;
    // Before the database is opened, which may change its tables under the feet of whoever serves it.
    let _only_one = InstanceLock::take(&config.database)?;
    let mut database = config.database_options();
    database.connections = server.database_connections.unwrap_or(database.connections);
    let store = Store::open(database, clock.now()).await?;
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
        client_keys: server.key_policy()?,
        is_open_to_registration: server.is_open_to_registration,
        hash_slots: server.hash_slots,
        more_hosts: server.allowed_hosts.clone(),
        trusted_proxies: server.trusted_proxies.clone(),
        validation: server.validation.clone(),
        audit: server.audit.clone(),
    })
    .await?;
    let listener = listener::listen(server.listen).map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            Failure::failed(&format!("{} is in use by another program; choose another with --listen", server.listen))
        }
        _ => Failure::failed(&format!("cannot listen on {}: {error}", server.listen)),
    })?;
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
    let going_down = Arc::clone(&app);
    tokio::spawn(listener::stop_on_signal(handle.clone(), server.shutdown_delay, move || going_down.go_down()));
    let jobs = jobs::start(&app, server.key_rotation);
    tracing::info!(issuer = server.issuer, listen = %server.listen, tls = tls.is_some(), "ready");
    let stopped = listener::serve(listener, tls, app::router(&app), handle, !server.trusted_proxies.is_empty()).await;
    stopped.map_err(|error| Failure::failed(&format!("the server stopped: {error}")))?;
    jobs.stop().await;
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}
