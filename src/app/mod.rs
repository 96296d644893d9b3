//! The server as one thing: what every handler needs, and which handler answers which path.

pub mod bearer;
mod host;
mod known;
mod pages;
mod records;
mod request;
mod session;
mod smart_style;
mod tally;
mod validation;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once};

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ipnet::IpNet;

pub use crate::oauth::KeyPolicy;
pub use host::AllowedHosts;
pub use pages::{Chrome, FormAction, Page, ScriptNonce, locale, see_other};
pub use records::{EncounterRow, PatientRow};
pub use request::{network_of, proxies};
pub use session::{OwnPage, clear_session, cookie, is_our_own_form, session_secret, set_cookie, set_session, signed_in};
pub use smart_style::smart_style_url;
pub use tally::Tally;
pub use validation::{Validation, stands};

use crate::audit::{Keeping, Origin};
use crate::clock::Clock;
use crate::directory::Directory;
use crate::http::{Http, NoClient};
use crate::key::{MasterKey, Purpose};
use crate::keys::{KeyError, KeyRing};
use crate::metadata::Metadata;
use crate::oauth::{ClientKeys, Documents};
use crate::password::{PasswordError, Passwords};
use crate::store::{self, Store};
use crate::tenant::Tenant;
use crate::token::Algorithm;
use crate::{account, authorize, launch_pad, oauth, ops};

/// What every handler needs.
pub struct App {
    /// The tenant that serves the root URL.
    pub tenant: Tenant,
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// The tenant's keys.
    pub keys: Arc<KeyRing>,
    /// Where patients are looked up.
    pub directory: Directory,
    /// Hashing, in bounded slots.
    pub passwords: Passwords,
    /// The public keys of clients that prove themselves by a key.
    pub client_keys: ClientKeys,
    /// Whether apps may register themselves, with an initial access token (RFC 7591).
    pub is_open_to_registration: bool,
    /// The discovery documents.
    pub documents: Documents,
    /// The hosts that this server answers for.
    pub hosts: AllowedHosts,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How it answers as a validator.
    pub validation: Validation,
    /// Introspections that found a good token, until they are written down.
    pub introspections: Tally,
    /// How the audit trail is kept.
    pub audit: Keeping,
    /// By which audit entries reach a collector.
    pub collector: Http,
    /// The log says once that somebody asks the validator and no role is there for the answer.
    pub no_role: Once,
    is_going_down: AtomicBool,
}

/// What the server is set up with.
pub struct Setup {
    /// The tenant that serves the root URL.
    pub tenant: Tenant,
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Opens the signing keys.
    pub master_key: MasterKey,
    /// Where clients may publish their keys.
    pub client_keys: KeyPolicy,
    /// Whether apps may register themselves, with an initial access token (RFC 7591).
    pub is_open_to_registration: bool,
    /// How many passwords may be hashed at once.
    pub hash_slots: usize,
    /// Hosts beside the issuer's.
    pub more_hosts: Vec<String>,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How it answers as a validator.
    pub validation: Validation,
    /// How the audit trail is kept.
    pub audit: Keeping,
}

/// How many clients are warned of at the start.
const MOST_WARNINGS: i64 = 100;

/// The server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// Passwords cannot be hashed.
    #[error(transparent)]
    Passwords(#[from] PasswordError),
    /// Nothing can be fetched over HTTP: no published keys, no patients.
    #[error(transparent)]
    Http(#[from] NoClient),
}

/// How long a collector of audit entries has to answer, and how much of its answer is read.
const COLLECTOR_DEADLINE: std::time::Duration = std::time::Duration::from_secs(10);
const MAX_COLLECTOR_BYTES: usize = 64 * 1024;

impl App {
    /// Sets the server up: the keys that it cannot do without are made if they are not there.
    ///
    /// # Errors
    /// [`StartError`]
    pub async fn start(setup: Setup) -> Result<Arc<Self>, StartError> {
        let Setup {
            tenant,
            store,
            clock,
            master_key,
            client_keys,
            is_open_to_registration,
            hash_slots,
            more_hosts,
            trusted_proxies,
            validation,
            audit,
        } = setup;
        let keys = Arc::new(KeyRing::new(tenant.id.clone(), master_key));
        let origin = Origin::command(tenant.id.clone(), clock.now());
        keys.ensure(&store, &origin, Purpose::Access, Algorithm::Es256).await?;
        keys.ensure(&store, &origin, Purpose::Id, Algorithm::Rs256).await?;
        keys.ensure(&store, &origin, Purpose::Audit, Algorithm::Es256).await?;
        let bases = store.fhir_bases(&tenant.id).await?;
        for base in &bases {
            keys.ensure(&store, &origin, Purpose::Access, base.access_token_alg).await?;
        }
        for algorithm in Algorithm::ALL {
            if store.is_id_token_alg(&tenant.id, algorithm).await? {
                keys.ensure(&store, &origin, Purpose::Id, algorithm).await?;
            }
        }
        for client in store.clients_without_pkce(&tenant.id, MOST_WARNINGS).await? {
            tracing::warn!(%client, "this client may do without PKCE: its codes can be injected. Only conformance suites and STU1 apps need that");
        }
        Ok(Arc::new(Self {
            client_keys: ClientKeys::new(&client_keys)?,
            is_open_to_registration,
            documents: Documents::new(Metadata { issuer: tenant.issuer.clone(), is_open_to_registration }, bases),
            hosts: AllowedHosts::new(&tenant.issuer, more_hosts),
            passwords: Passwords::new(hash_slots)?,
            directory: Directory::new(store.clone(), Arc::clone(&keys), &tenant.issuer, client_keys.authorities.as_deref())?,
            tenant,
            store,
            clock,
            keys,
            trusted_proxies,
            validation,
            introspections: Tally::default(),
            audit,
            collector: Http::new(client_keys.authorities.as_deref(), COLLECTOR_DEADLINE, MAX_COLLECTOR_BYTES)?,
            no_role: Once::new(),
            is_going_down: AtomicBool::new(false),
        }))
    }

    /// From here on the server says that it is not ready, and asks clients to open a new connection
    /// for their next request, which a load balancer leads to another instance. It still answers.
    pub fn go_down(&self) {
        self.is_going_down.store(true, Ordering::Relaxed);
    }

    /// Whether it is about to stop.
    pub fn is_going_down(&self) -> bool {
        self.is_going_down.load(Ordering::Relaxed)
    }
}

/// Every path that the server answers.
pub fn router(app: &Arc<App>) -> Router {
    let routes = Router::new()
        .merge(account::router())
        .merge(authorize::router())
        .merge(oauth::router(app))
        .merge(ops::router())
        .merge(launch_pad::router())
        .merge(pages::router())
        .merge(smart_style::router())
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(Arc::clone(app));
    request::around(routes, app)
}

/// Their bodies are made where it is known whether an app or a browser asked (see `request`).
async fn not_found() -> Response {
    StatusCode::NOT_FOUND.into_response()
}

async fn method_not_allowed() -> Response {
    StatusCode::METHOD_NOT_ALLOWED.into_response()
}
