//! Starts the three servers of the demonstration.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

use super::environment::{self, EnvironmentFiles, Variable};
use super::fhir::{self, AskValidator, DiscoverySource, StandIn};
use super::people::{DemoPerson, World};
use super::stock::Secrets;
use super::{sample_app, stock};
use crate::app::{self, App, KeyPolicy, Setup, Validation};
use crate::audit::{Keeping, Origin};
use crate::clock::Clock;
use crate::id::TenantId;
use crate::jobs::{self, Jobs};
use crate::key::{CannotMake, MasterKey, NewKey};
use crate::keys::Schedule;
use crate::listener::{Handle, listen, serve};
use crate::password::PasswordError;
use crate::redirect::BadRedirectUri;
use crate::secret::ClientSecret;
use crate::store::{self, Location, Store};
use crate::tenant::Tenant;
use crate::token::Jwks;
use crate::validate::{Http, KeySource, Profile, Trust, Validator};

/// The ports that are tried first; the next free one is taken where one is not.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// The authorization server's.
    pub server: u16,
    /// The FHIR stand-in's.
    pub fhir: u16,
    /// The sample apps'.
    pub app: u16,
}

/// A demonstration that is running.
pub struct Demo {
    /// The authorization server.
    pub issuer: String,
    /// The FHIR base.
    pub fhir_base: String,
    /// The page that leads to the sample apps.
    pub app_url: String,
    /// Who can sign in.
    pub people: Vec<DemoPerson>,
    /// Everybody's password.
    pub password: &'static str,
    /// The backend service, and its secret.
    pub service: (&'static str, ClientSecret),
    /// The backend service that proves itself by a key.
    pub keyed_service: KeyedService,
    /// The resource server, which may ask about tokens, and its secret.
    pub gateway: (&'static str, ClientSecret),
    /// All of this for HTTP clients.
    pub environment: EnvironmentFiles,
    handle: Handle,
    store: Store,
    jobs: Jobs,
    _dir: TempDir,
}

/// A backend service, and what it signs its assertions with.
pub struct KeyedService {
    /// Its `client_id`.
    pub client_id: &'static str,
    /// The `kid` of the key.
    pub key_id: String,
    /// The private key: a PEM file for ES384, gone with the demonstration.
    pub key_file: PathBuf,
}

/// The demonstration cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No port, no temporary folder, or the like.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The server cannot start.
    #[error(transparent)]
    Server(#[from] app::StartError),
    /// The validator cannot fetch keys.
    #[error(transparent)]
    Validator(#[from] crate::validate::NoClient),
    /// Passwords cannot be hashed.
    #[error(transparent)]
    Passwords(#[from] PasswordError),
    /// No key for the backend service.
    #[error(transparent)]
    Key(#[from] CannotMake),
    /// Our own redirect URI is not one.
    #[error(transparent)]
    Redirect(#[from] BadRedirectUri),
}

/// How many ports are tried before giving up.
const TRIES: u16 = 100;
/// The role that a real data store would take on.
const ROLE: &str = "arn:aws:iam::000000000000:role/demo-fhir-access";

impl Demo {
    /// Starts everything; it runs until [`Demo::stop`]. `launch_url` is where the launch pad opens
    /// the developer's own app.
    ///
    /// # Errors
    /// [`StartError`]
    pub async fn start(ports: Ports, launch_url: Option<String>) -> Result<Self, StartError> {
        let clock = Clock::System;
        let now = clock.now();
        let (server, issuer) = take(ports.server, "127.0.0.1")?;
        let (fhir_port, fhir_url) = take(ports.fhir, "localhost")?;
        let (app_port, app_url) = take(ports.app, "localhost")?;
        let fhir_base = format!("{fhir_url}/fhir");

        let dir = tempfile::Builder::new().prefix("admit-demo").tempdir()?;
        let store = Store::open(&Location::Sqlite(dir.path().join("demo.db")), now).await?;
        let world = World::generate(now.date());
        let origin = Origin::command(TenantId::default_tenant(), now);
        let secrets = stock::stock(&store, &origin, &world, &fhir_base, &app_url, launch_url).await?;
        let keyed_service = keyed_service(dir.path(), &secrets.key)?;
        let environment = environment(dir.path(), &issuer, &fhir_base, &secrets)?;
        let people = world.people();
        let app = App::start(Setup {
            tenant: Tenant {
                id: TenantId::default_tenant(),
                issuer: issuer.clone(),
                organization: "Demo Hospital".to_owned(),
                notice: Some("Demonstration: every person and record here is synthetic.".to_owned()),
            },
            store: store.clone(),
            clock: clock.clone(),
            master_key: MasterKey::generate(),
            audit: Keeping::default(),
            client_keys: KeyPolicy { allow_private: true, authorities: None },
            is_open_to_registration: false,
            hash_slots: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            more_hosts: vec![],
            trusted_proxies: vec![],
            validation: Validation { role: Some(ROLE.to_owned()), ..Validation::default() },
        })
        .await?;

        let apps = sample_app::router(&issuer, &fhir_base, &people, stock::PASSWORD);
        let stand_in = fhir::router(stand_in(&issuer, &fhir_base, world, clock)?);
        let handle = Handle::new();
        let jobs = jobs::start(&app, Schedule::NEVER);
        run(server, &app::router(&app), &handle);
        for (listeners, routes) in [(fhir_port, stand_in), (app_port, apps)] {
            run(listeners, &routes, &handle);
        }
        Ok(Self {
            issuer,
            fhir_base,
            app_url,
            people,
            password: stock::PASSWORD,
            service: (stock::SERVICE, secrets.service),
            keyed_service,
            gateway: (stock::GATEWAY, secrets.gateway),
            environment,
            handle,
            store,
            jobs,
            _dir: dir,
        })
    }

    /// Ends it; nothing is left behind.
    pub async fn stop(self) {
        self.handle.graceful_shutdown(Duration::from_secs(1));
        // Before the store closes under them.
        self.jobs.stop().await;
        self.store.close().await;
    }
}

fn run(listeners: Vec<TcpListener>, routes: &Router, handle: &Handle) {
    for listener in listeners {
        let (routes, handle) = (routes.clone(), handle.clone());
        tokio::spawn(async move {
            if let Err(error) = serve(listener, None, routes, handle, false).await {
                tracing::error!(%error, "a demo server stopped");
            }
        });
    }
}

/// Puts the backend service's key where its program can read it. The folder is ours alone.
fn keyed_service(dir: &Path, key: &NewKey) -> io::Result<KeyedService> {
    let key_file = dir.join(format!("{}.pem", stock::KEYED_SERVICE));
    fs::write(&key_file, pem(&key.pkcs8))?;
    Ok(KeyedService { client_id: stock::KEYED_SERVICE, key_id: key.key_id.to_string(), key_file })
}

/// Writes down what the requests of `docs/try` need.
fn environment(dir: &Path, issuer: &str, fhir_base: &str, secrets: &Secrets) -> io::Result<EnvironmentFiles> {
    let open = |name, value| Variable { name, value, is_secret: false };
    let hidden = |name, value| Variable { name, value, is_secret: true };
    let private_key = STANDARD.encode(&secrets.key.pkcs8);
    let variables = [
        open("issuer", issuer),
        open("fhir_base", fhir_base),
        open("password", stock::PASSWORD),
        hidden("service_secret", secrets.service.expose()),
        hidden("gateway_secret", secrets.gateway.expose()),
        open("key_id", secrets.key.key_id.as_str()),
        hidden("private_key", &private_key),
    ];
    environment::write(dir, &variables)
}

/// A private key as text (RFC 7468 §10).
fn pem(pkcs8: &[u8]) -> String {
    let body = STANDARD.encode(pkcs8);
    let lines: Vec<&str> = (0..body.len()).step_by(64).map(|at| &body[at..body.len().min(at + 64)]).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
}

/// Takes the first free port from `first` on, on IPv4 loopback; for `localhost`, which a browser
/// may look for on IPv6, there as well where there is such a thing.
fn take(first: u16, host: &str) -> io::Result<(Vec<TcpListener>, String)> {
    let mut last = io::Error::other("no port");
    for port in first..first.saturating_add(TRIES) {
        match listen(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)) {
            Ok(v4) => {
                let mut listeners = vec![v4];
                if host == "localhost" {
                    listeners.extend(listen(SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), port)));
                }
                return Ok((listeners, format!("http://{host}:{port}")));
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The FHIR stand-in: it asks the validator for every request, and passes our discovery on.
fn stand_in(issuer: &str, fhir_base: &str, world: World, clock: Clock) -> Result<StandIn, StartError> {
    let trust = Trust {
        tenant: Some(TenantId::default_tenant().to_string()),
        datastores: vec![format!("{fhir_base}/")],
        ..Trust::new(issuer, Profile::Admit, ROLE)
    };
    let keys = KeySource::remote(&format!("{issuer}/.well-known/jwks.json"), Jwks::default())?;
    let validator = Arc::new(Validator::new(trust, keys));
    let time = clock.clone();
    let ask_validator: AskValidator = Arc::new(move |event| {
        let (validator, now) = (Arc::clone(&validator), time.now());
        Box::pin(async move { validator.answer(&event, now).await })
    });
    let discovery = format!("{issuer}/fhir-bases/{}/.well-known/smart-configuration", stock::BASE);
    let http = Http::new(None, Duration::from_secs(5), 64 * 1024)?;
    let smart_configuration: DiscoverySource = Arc::new(move || {
        let (http, discovery) = (http.clone(), discovery.clone());
        Box::pin(async move { http.get(&discovery, &[]).await.ok() })
    });
    Ok(StandIn {
        world: Arc::new(world),
        base: fhir_base.to_owned(),
        datastore_endpoint: format!("{fhir_base}/"),
        smart_configuration,
        ask_validator,
        clock: Arc::new(move || clock.now()),
    })
}
