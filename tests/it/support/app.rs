//! The application under test.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use admit::app::{self, App, KeyPolicy, Setup, Validation};
use admit::audit::{Keeping, Origin};
use admit::clock::Clock;
use admit::id::TenantId;
use admit::key::MasterKey;
use admit::store::{AuditRow, Store, StoredKey};
use admit::tenant::Tenant;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use serde_json::Value;
use time::{Duration, OffsetDateTime};
use tokio::sync::OnceCell;
use tower::ServiceExt as _;

use super::database::{self, Database};
use super::seed::{SECRET, seed};
use super::{Browser, Reply};

/// The issuer.
pub const ISSUER: &str = "https://idp.test";
/// The role that tokens get at `/validate`, and the one for those that may only read.
pub const ROLE: &str = "arn:aws:iam::123456789012:role/smart";
pub const READER: &str = "arn:aws:iam::123456789012:role/smart-read-only";
/// The FHIR base that most clients use.
pub const FHIR1: &str = "https://fhir.test/r4";
/// Another one.
pub const FHIR2: &str = "https://other.test/r4";

/// A server, its clock, and its database.
pub struct TestApp {
    pub app: Arc<App>,
    pub clock: Clock,
    router: Router,
    pub(super) database: Database,
    pub(super) master: String,
}

/// Keys are made once for all tests: an RSA key takes longer than a test.
async fn keys() -> (String, Vec<StoredKey>) {
    static KEYS: OnceCell<(String, Vec<StoredKey>)> = OnceCell::const_new();
    let make = || async {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let location = admit::store::Location::Sqlite(dir.path().join("keys.db"));
        let now = start_time();
        let store = Store::open(&location, now).await.expect("a database");
        let master = MasterKey::generate();
        let text = master.expose().to_string();
        App::start(setup(store.clone(), Clock::manual(now), master)).await.expect("a server");
        (text, store.published_keys(&TenantId::default_tenant(), now).await.expect("keys"))
    };
    KEYS.get_or_init(make).await.clone()
}

fn start_time() -> OffsetDateTime {
    time::macros::datetime!(2026-11-22 12:00 UTC)
}

fn setup(store: Store, clock: Clock, master_key: MasterKey) -> Setup {
    Setup {
        tenant: Tenant { id: TenantId::default_tenant(), issuer: ISSUER.to_owned(), organization: "Test Clinic".to_owned(), notice: None },
        store,
        clock,
        master_key,
        client_keys: KeyPolicy { allow_private: true, authorities: None },
        is_open_to_registration: true,
        hash_slots: 2,
        more_hosts: vec![],
        trusted_proxies: vec!["10.0.0.1/32".parse().expect("a network")],
        validation: Validation { role: Some(ROLE.to_owned()), read_only_role: Some(READER.to_owned()), boolean_is_authorized: false },
        audit: Keeping::default(),
    }
}

impl TestApp {
    /// A freshly seeded server at noon.
    pub async fn start() -> Self {
        Self::start_on(database::fresh().await).await
    }

    /// The same, on this database.
    pub async fn start_on(database: Database) -> Self {
        let (master, keys) = keys().await;
        let clock = Clock::manual(start_time());
        let store = database.open(clock.now()).await;
        let origin = Origin::command(TenantId::default_tenant(), clock.now());
        for key in keys {
            store.add_key_after(&origin, None, key).await.expect("a key");
        }
        seed(&store, &origin).await;
        let app = App::start(setup(store, clock.clone(), MasterKey::parse(&master).expect("our own key"))).await.expect("a server");
        Self { router: app::router(&app), app, clock, database, master }
    }

    /// A second instance on the same database, or the same one after a restart.
    pub async fn another(&self) -> Self {
        self.another_with(|_| {}).await
    }

    /// The same, set up otherwise.
    pub async fn another_with(&self, change: impl FnOnce(&mut Setup)) -> Self {
        let store = self.database.open(self.clock.now()).await;
        let mut setup = setup(store, self.clock.clone(), self.master());
        change(&mut setup);
        let app = App::start(setup).await.expect("a server");
        let database = Database::borrowed(&self.database);
        Self { router: app::router(&app), app, clock: self.clock.clone(), database, master: self.master.clone() }
    }

    /// Both instances behind a load balancer that knows no sessions: each request goes to the one that did not get the last.
    pub fn in_turn_with(&self, other: &Self) -> Self {
        let (routers, turn) = ([self.router.clone(), other.router.clone()], Arc::new(AtomicUsize::new(0)));
        let balance = tower::service_fn(move |request| routers[turn.fetch_add(1, Ordering::Relaxed) % 2].clone().oneshot(request));
        let database = Database::borrowed(&self.database);
        let router = Router::new().fallback_service(balance);
        Self { router, app: Arc::clone(&self.app), clock: self.clock.clone(), database, master: self.master.clone() }
    }

    /// The key under which this server's signing keys are sealed.
    pub fn master(&self) -> MasterKey {
        MasterKey::parse(&self.master).expect("our own key")
    }

    /// Changes the database behind the server's back.
    pub async fn sql(&self, statement: &str) {
        self.database.sql(statement).await;
    }

    /// Where the data is.
    pub fn location(&self) -> &admit::store::Location {
        &self.database.location
    }

    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Who changes things from outside, as the command line does.
    pub fn origin(&self) -> Origin {
        Origin::command(TenantId::default_tenant(), self.clock.now())
    }

    pub fn store(&self) -> &Store {
        &self.app.store
    }

    pub fn browser(&self) -> Browser<'_> {
        Browser::new(self)
    }

    /// Sends a request as it is; `Host` is the issuer's unless the request says otherwise.
    pub async fn call(&self, mut request: Request<Body>) -> Reply {
        if !request.headers().contains_key("host") {
            request.headers_mut().insert("host", "idp.test".parse().expect("a host"));
        }
        let response = self.router.clone().oneshot(request).await.expect("the router never fails");
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 4 << 20).await.expect("a body");
        Reply { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).expect("UTF-8") }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.call(Request::get(path).body(Body::empty()).expect("a request")).await
    }

    /// Posts a form, with `client_id:secret` as Basic where there is one.
    pub async fn post(&self, path: &str, basic: Option<(&str, &str)>, form: &[(&str, &str)]) -> Reply {
        let mut request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        if let Some((id, secret)) = basic {
            let credentials = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"));
            request = request.header("authorization", format!("Basic {credentials}"));
        }
        self.call(request.body(Body::from(encode(form))).expect("a request")).await
    }

    /// Posts to the token endpoint as this client, by the method that it is registered with.
    pub async fn token(&self, client: &str, form: &[(&str, &str)]) -> Reply {
        self.as_client("/token", client, form).await
    }

    /// Posts to any endpoint for apps as this client.
    pub async fn as_client(&self, path: &str, client: &str, form: &[(&str, &str)]) -> Reply {
        match client {
            "ehr" | "webq" | "evil" | "rs" | "bsc" => self.post(path, Some((client, SECRET)), form).await,
            "post" => self.post(path, None, &[form, &[("client_id", client), ("client_secret", SECRET)]].concat()).await,
            _ => self.post(path, None, &[form, &[("client_id", client)]].concat()).await,
        }
    }

    /// What the introspection endpoint tells the resource server.
    pub async fn introspect(&self, token: &str) -> Value {
        self.as_client("/introspect", "rs", &[("token", token)]).await.json()
    }

    /// The latest audit entries of this event.
    pub async fn audit(&self, event: &str) -> Vec<AuditRow> {
        let rows = self.app.store.audit_tail(&self.origin(), 1000).await.expect("the audit trail");
        rows.into_iter().filter(|row| row.event == event).collect()
    }
}

/// A form, encoded.
pub fn encode(form: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
}
