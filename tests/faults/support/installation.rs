//! A database on a real disk, with the people, apps and patients of the traffic in it.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use admit::audit::Origin;
use admit::client::{Asking, Client, ClientAuth, GrantType};
use admit::clock::Clock;
use admit::id::{ClientId, PatientId, TenantId, UserId};
use admit::key::{MasterKey, NewKey};
use admit::person::{Patient, User};
use admit::redirect::RedirectUri;
use admit::scope::ScopeSet;
use admit::secret::ClientSecret;
use admit::store::{ImportedPatient, Location, NewClient, NewUser, Opener, Store};
use admit::tenant::FhirBase;
use admit::token::{Algorithm, Signer};
use argon2::{Argon2, Params, PasswordHasher as _};
use tempfile::TempDir;
use time::Duration;

use super::{AppOfOurs, Database, Http, Kind, Postgres, Target, server};

pub const PASSWORD: &str = "four words in a row";
pub const REDIRECT_URI: &str = "https://app.test/cb";
pub const FHIR_BASE: &str = "https://fhir.test/r4";
pub const VERIFIER: &str = "a-verifier-of-at-least-43-characters-0123456789";
/// That of [`VERIFIER`].
pub const CHALLENGE: &str = "wZL8MkZejwdzHh4jB2kh79_6EBNURpiMV6pTtCVALSs";
/// The app that people open themselves, and that asks them each time.
pub const APP: &str = "app";
/// The app that an EHR opens for clinicians.
pub const LAUNCHED: &str = "launched";

/// Who can sign in: so many that nobody has more sessions than people have.
const PEOPLE: u64 = 1024;
/// Somebody whose turn never comes.
pub const APART: u64 = u64::MAX;
const PATIENTS: u64 = 16;

/// A master key, a database, and the secrets of everybody who uses them.
pub struct Installation {
    folder: TempDir,
    pub location: Location,
    /// What the server is known by, wherever it listens.
    pub issuer: String,
    /// Of every client that keeps one.
    pub secret: String,
    /// The key of the backend service.
    pub signer: Arc<Signer>,
    /// What seals the server's own keys.
    pub master_key: String,
    /// The server of the database, where it is PostgreSQL.
    pub postgres: Option<Postgres>,
}

/// What is particular about an installation.
#[derive(Clone, Copy, Debug)]
pub struct Particulars {
    /// How long a refresh token gives its successor again.
    pub refresh_grace: Duration,
    /// How dear a password's hash is: the product's own price, or next to nothing. The parameters
    /// stand in the stored hash, and the server goes by them.
    pub hashes_at_full_price: bool,
}

impl Default for Particulars {
    fn default() -> Self {
        Self { refresh_grace: Duration::seconds(10), hashes_at_full_price: false }
    }
}

/// A port of this machine that nobody has.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("its address").port()
}

impl Installation {
    /// A new one on this kind of store. PostgreSQL gets a server of its own.
    pub async fn new(kind: Kind) -> Arc<Self> {
        Self::with(kind, Particulars::default()).await
    }

    pub async fn with(kind: Kind, particulars: Particulars) -> Arc<Self> {
        // A real disk: /tmp may be in memory, where there are no syncs and no faults of a disk.
        let folder = tempfile::Builder::new().prefix("admit-faults").tempdir_in("/var/tmp").expect("a folder");
        let postgres = match kind {
            Kind::Sqlite => None,
            Kind::Postgres => Some(Postgres::start().await),
        };
        let location = match &postgres {
            None => Location::Sqlite(folder.path().join("admit.db")),
            Some(postgres) => Location::Postgres(postgres.url()),
        };
        Self::stocked(folder, location, postgres, particulars).await
    }

    /// A new SQLite one whose database lies in this folder, such as one on a small disk.
    pub async fn on_sqlite_in(folder: &Path, particulars: Particulars) -> Arc<Self> {
        let own = tempfile::Builder::new().prefix("admit-faults").tempdir_in("/var/tmp").expect("a folder");
        Self::stocked(own, Location::Sqlite(folder.join("admit.db")), None, particulars).await
    }

    /// A new one on the PostgreSQL that is one of these hosts.
    pub async fn on_postgres_at(hosts: &str, particulars: Particulars) -> Arc<Self> {
        let own = tempfile::Builder::new().prefix("admit-faults").tempdir_in("/var/tmp").expect("a folder");
        Self::stocked(own, Location::Postgres(format!("postgres://admit@{hosts}/postgres")), None, particulars).await
    }

    async fn stocked(folder: TempDir, location: Location, postgres: Option<Postgres>, particulars: Particulars) -> Arc<Self> {
        let key = NewKey::generate(Algorithm::Es384).expect("a key");
        let signer = Arc::new(Signer::from_pkcs8(key.key_id.as_str(), Algorithm::Es384, &key.pkcs8).expect("our own key"));
        let secret = ClientSecret::generate().expose().to_owned();
        let issuer = format!("http://127.0.0.1:{}", free_port());
        let master_key = MasterKey::generate().expose().to_string();
        let installation = Self { folder, location, issuer, secret, signer, master_key, postgres };
        let now = Clock::System.now();
        let store = Store::open(&installation.location, now).await.expect("a new database");
        installation.stock(&store, &Origin::command(TenantId::default_tenant(), now), &key.public_jwk, particulars).await;
        store.close().await;
        Arc::new(installation)
    }

    async fn stock(&self, store: &Store, origin: &Origin, public_jwk: &str, particulars: Particulars) {
        let base = FhirBase { audience: format!("{FHIR_BASE}/"), access_token_alg: Algorithm::Es256, ..FhirBase::new("main", FHIR_BASE) };
        store.add_fhir_base(origin, &base).await.expect("a FHIR base");
        let of = |id: &str, auth, scopes: &str, grants: &[GrantType]| Client {
            scopes: ScopeSet::parse(scopes).expect("scopes"),
            grant_types: grants.to_vec(),
            fhir_bases: vec!["main".to_owned()],
            id_token_alg: Algorithm::Es256,
            refresh_grace: particulars.refresh_grace,
            ..Client::new(ClientId::new(id), &format!("App {id}"), auth, origin.now)
        };
        let app = |id: &str, launch: &str| Client {
            redirect_uris: vec![RedirectUri::register(REDIRECT_URI).expect("a redirect URI")],
            ..of(
                id,
                ClientAuth::None,
                &format!("{launch} offline_access patient/*.rs"),
                &[GrantType::AuthorizationCode, GrantType::RefreshToken],
            )
        };
        let itself = &[GrantType::ClientCredentials];
        let clients = [
            app(APP, "launch/patient"),
            Client {
                asks_clinicians: Asking::PreApproved,
                is_verified: true,
                launch_uri: Some("https://app.test/launch".to_owned()),
                ..app(LAUNCHED, "launch")
            },
            Client { may_introspect: true, ..of("resource-server", ClientAuth::ClientSecretBasic, "", &[]) },
            of("ehr", ClientAuth::ClientSecretBasic, "__launch", itself),
            Client {
                jwks: Some(format!(r#"{{"keys":[{public_jwk}]}}"#)),
                ..of("service", ClientAuth::PrivateKeyJwt, "system/Patient.rs", itself)
            },
        ];
        for client in clients {
            let secret = client.has_secret().then(|| ClientSecret::presented(&self.secret).digest());
            store.create_client(origin, NewClient { client, secret }).await.expect("a client");
        }
        let price = if particulars.hashes_at_full_price { Params::DEFAULT } else { Params::new(8, 1, 1, None).expect("the least") };
        let password_hash = Argon2::from(price).hash_password(PASSWORD.as_bytes()).expect("a hash").to_string();
        let people = (0..PEOPLE).chain([APART]).map(|nth| {
            let user = User {
                id: UserId::new(format!("u-{nth}")),
                username: self.person(nth),
                display_name: format!("Synthetic {nth}"),
                fhir_user: Some("Practitioner/a".parse().expect("a reference")),
                disabled_at: None,
                created_at: origin.now,
            };
            store.create_user(origin, NewUser { user, password_hash: password_hash.clone() })
        });
        // Some together: each commit syncs.
        let mut people = people.peekable();
        while people.peek().is_some() {
            futures_util::future::try_join_all(people.by_ref().take(64)).await.expect("people");
        }
        let patients = (0..PATIENTS).map(|nth| ImportedPatient {
            patient: Patient {
                id: PatientId::new(self.patient(nth)),
                name: format!("Synthetic Patient {nth}"),
                birth_date: "1984-03-09".to_owned(),
                sex: "female".to_owned(),
                mrn: format!("MRN-{nth}"),
            },
            is_inactive: false,
            opened_by: vec![Opener { who: "Practitioner/a".to_owned(), since: None }],
        });
        store.import_patients(origin, "main", patients.collect(), true).await.expect("patients");
    }

    /// The same, but for the SQLite database, which is what lies in this folder.
    pub fn moved_to(&self, folder: TempDir) -> Self {
        Self {
            location: Location::Sqlite(folder.path().join("admit.db")),
            folder,
            issuer: self.issuer.clone(),
            secret: self.secret.clone(),
            signer: Arc::clone(&self.signer),
            master_key: self.master_key.clone(),
            postgres: None,
        }
    }

    /// Everybody in turn.
    pub fn person(&self, nth: u64) -> String {
        format!("person-{}", if nth == APART { nth } else { nth % PEOPLE })
    }

    pub fn patient(&self, nth: u64) -> String {
        format!("p{}", nth % PATIENTS)
    }

    /// A folder for whatever belongs to this installation: the master key, the server's words.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The SQLite database.
    ///
    /// # Panics
    /// Where it is another.
    pub fn sqlite(&self) -> PathBuf {
        match &self.location {
            Location::Sqlite(path) => path.clone(),
            Location::Postgres(_) => panic!("this installation is on PostgreSQL"),
        }
    }

    /// A look into the database; a server should have it open.
    pub async fn database(&self) -> Database {
        Database::open(&self.location).await
    }

    /// Everybody who uses the server behind these ports.
    pub fn clients(self: &Arc<Self>, ports: &[u16]) -> AppOfOurs {
        self.clients_by(Http::new, ports)
    }

    /// The same by way of a load balancer, for a fault in which no server ends.
    pub fn clients_of_a_balancer(self: &Arc<Self>, ports: &[u16]) -> AppOfOurs {
        self.clients_by(Http::with_kept_connections, ports)
    }

    fn clients_by(self: &Arc<Self>, http: fn(Target) -> Http, ports: &[u16]) -> AppOfOurs {
        let host = self.issuer.strip_prefix("http://").expect("an issuer on this machine");
        let http = Arc::new(http(Target::new(host, ports)));
        AppOfOurs { http, installation: Arc::clone(self), patience: std::time::Duration::from_secs(8) }
    }

    /// Runs another command of the program on the same database, beside a server or without one.
    pub fn run(&self, arguments: &[&str]) -> std::process::Output {
        server::command(self, &[]).args(arguments).output().expect("the program")
    }

    /// What the servers said so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder().join("admit.log")).unwrap_or_default()
    }
}
