//! A database with everything that the scenarios need, made through the library.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use admit::audit::Origin;
use admit::client::{Client, ClientAuth, GrantType};
use admit::clock::Clock;
use admit::id::{ClientId, PatientId, TenantId, UserId};
use admit::key::{MasterKey, NewKey, Purpose};
use admit::keys::KeyRing;
use admit::person::{Patient, User};
use admit::redirect::RedirectUri;
use admit::scope::ScopeSet;
use admit::secret::ClientSecret;
use admit::store::{ImportedPatient, Location, NewClient, NewUser, Opener, Store};
use admit::tenant::FhirBase;
use admit::token::{Algorithm, Signer};
use argon2::{Argon2, Params, PasswordHasher as _};
use futures_util::future::try_join_all;

/// Everybody's password.
pub const PASSWORD: &str = "four words in a row";
/// Where the public clients are sent back to.
pub const REDIRECT_URI: &str = "https://app.test/cb";
/// The FHIR base whose access tokens are signed with ES256; the other one's are RS256.
pub const FHIR_BASE: &str = "https://fhir.test/r4";
/// What the public clients ask for.
pub const SCOPE: &str = "openid fhirUser launch/patient offline_access patient/*.rs";
/// Who can sign in, at each price of the hash: so many that nobody has more sessions than people have.
pub const PEOPLE: usize = 2048;
/// How many patients each of them may open.
const PATIENTS: usize = 20;

/// A prepared database in a folder that goes when this goes.
pub struct Stage {
    folder: tempfile::TempDir,
    /// Of every client that keeps one.
    pub secret: String,
    /// The key of the service that proves itself by one.
    pub signer: Arc<Signer>,
}

/// Whose password is as dear as it should be, and whose costs next to nothing to check.
#[derive(Clone, Copy, Debug)]
pub enum Hash {
    /// The product's own: argon2id, 19 MiB, two passes.
    Real,
    /// argon2id with 8 KiB and one pass. The parameters stand in the stored hash, and the server
    /// goes by them: everything but the work of the hash is as it always is.
    Cheap,
}

/// The user name of the next one of them: everybody in turn.
pub fn next_person(hash: Hash) -> String {
    static TURN: AtomicUsize = AtomicUsize::new(0);
    username(hash, TURN.fetch_add(1, Ordering::Relaxed))
}

fn username(hash: Hash, place: usize) -> String {
    format!("{}-{}", if matches!(hash, Hash::Real) { "real" } else { "cheap" }, place % PEOPLE)
}

impl Stage {
    pub async fn set(folder: Option<&Path>) -> Result<Self, String> {
        Self::set_on(folder, None).await
    }

    /// The same in an empty database of PostgreSQL, if there is one.
    pub async fn set_on(folder: Option<&Path>, postgres: Option<&str>) -> Result<Self, String> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("admit-load");
        let folder = folder.map_or_else(|| builder.tempdir(), |own| builder.tempdir_in(own)).map_err(|error| error.to_string())?;
        let key = NewKey::generate(Algorithm::Es384).map_err(|error| error.to_string())?;
        let signer = Signer::from_pkcs8(key.key_id.as_str(), Algorithm::Es384, &key.pkcs8).map_err(|error| error.to_string())?;
        let stage = Self { folder, secret: ClientSecret::generate().expose().to_owned(), signer: Arc::new(signer) };
        let now = Clock::System.now();
        let location = postgres.map_or_else(|| Location::Sqlite(stage.database()), |url| Location::Postgres(url.to_owned()));
        let store = Store::open(&location, now).await.map_err(|error| error.to_string())?;
        let origin = Origin::command(TenantId::default_tenant(), now);
        let stocked = match stock(&store, &origin, &stage.secret, &key).await {
            Ok(()) => stage.make_keys(&store, &origin).await,
            failed => failed,
        };
        store.close().await;
        stocked.map(|()| stage).map_err(|error| format!("the database cannot be prepared: {error}"))
    }

    /// The server makes the keys that it cannot do without; one that only a client's registration
    /// asks for has to be there before.
    async fn make_keys(&self, store: &Store, origin: &Origin) -> Result<(), Failure> {
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        let master = MasterKey::generate();
        let path = self.database().with_extension("key");
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        writeln!(file, "{}", master.expose().as_str())?;
        Ok(KeyRing::new(origin.tenant.clone(), master).ensure(store, origin, Purpose::Id, Algorithm::Es256).await?)
    }

    pub fn database(&self) -> PathBuf {
        self.folder.path().join("load.db")
    }

    /// What the server said last, for whoever has to find out why a request failed.
    pub fn last_of_log(&self) -> String {
        let text = std::fs::read_to_string(self.database().with_extension("log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(3)..].join("\n")
    }

    /// How large the database is by now, in MB.
    pub fn megabytes(&self) -> f64 {
        std::fs::metadata(self.database()).map_or(0.0, |data| f64::from(u32::try_from(data.len() / 1000).unwrap_or(u32::MAX)) / 1000.0)
    }
}

type Failure = Box<dyn std::error::Error>;

async fn stock(store: &Store, origin: &Origin, secret: &str, key: &NewKey) -> Result<(), Failure> {
    for (name, url, algorithm) in [("es256", FHIR_BASE, Algorithm::Es256), ("rs256", "https://other.test/r4", Algorithm::Rs256)] {
        let base = FhirBase { audience: format!("{url}/"), access_token_alg: algorithm, ..FhirBase::new(name, url) };
        store.add_fhir_base(origin, &base).await?;
    }
    let service = |id: &str, base: &str| Client {
        grant_types: vec![GrantType::ClientCredentials],
        ..client(id, ClientAuth::ClientSecretBasic, "system/*.rs", base, origin)
    };
    let resource_server = Client { may_introspect: true, ..client("resource-server", ClientAuth::ClientSecretBasic, "", "es256", origin) };
    for client in [service("service-es256", "es256"), service("service-rs256", "rs256"), resource_server] {
        let secret = Some(ClientSecret::presented(secret).digest());
        store.create_client(origin, NewClient { client, secret }).await?;
    }
    let asserting = Client {
        auth: ClientAuth::PrivateKeyJwt,
        jwks: Some(format!(r#"{{"keys":[{}]}}"#, key.public_jwk)),
        ..service("service-key", "es256")
    };
    store.create_client(origin, NewClient { client: asserting, secret: None }).await?;
    for (id, id_token_alg) in [("app-rs256", Algorithm::Rs256), ("app-es256", Algorithm::Es256)] {
        let app = Client {
            grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
            redirect_uris: vec![RedirectUri::register(REDIRECT_URI)?],
            id_token_alg,
            ..client(id, ClientAuth::None, SCOPE, "es256", origin)
        };
        store.create_client(origin, NewClient { client: app, secret: None }).await?;
    }
    for (hash, params) in [(Hash::Real, Params::DEFAULT), (Hash::Cheap, Params::new(8, 1, 1, None)?)] {
        let password_hash = Argon2::from(params).hash_password(PASSWORD.as_bytes())?.to_string();
        let names: Vec<String> = (0..PEOPLE).map(|place| username(hash, place)).collect();
        for together in names.chunks(512) {
            let made = together.iter().map(|name| store.create_user(origin, person(name, &password_hash, origin)));
            try_join_all(made).await?;
        }
    }
    let patients = (0..PATIENTS).map(|number| ImportedPatient {
        patient: Patient {
            id: PatientId::new(format!("p{number}")),
            name: format!("Synthetic Patient {number}"),
            birth_date: "1984-03-09".to_owned(),
            sex: "female".to_owned(),
            mrn: format!("MRN-{number}"),
        },
        is_inactive: false,
        opened_by: vec![Opener { who: "Practitioner/a".to_owned(), since: None }],
    });
    Ok(store.import_patients(origin, "es256", patients.collect(), true).await?)
}

fn person(name: &str, password_hash: &str, origin: &Origin) -> NewUser {
    let user = User {
        id: UserId::new(format!("u-{name}")),
        username: name.to_owned(),
        display_name: format!("Synthetic {name}"),
        fhir_user: "Practitioner/a".parse().ok(),
        disabled_at: None,
        created_at: origin.now,
    };
    NewUser { user, password_hash: password_hash.to_owned() }
}

fn client(id: &str, auth: ClientAuth, scopes: &str, base: &str, origin: &Origin) -> Client {
    Client {
        scopes: ScopeSet::parse(scopes).unwrap_or_default(),
        fhir_bases: vec![base.to_owned()],
        ..Client::new(ClientId::new(id), &format!("App {id}"), auth, origin.now)
    }
}
