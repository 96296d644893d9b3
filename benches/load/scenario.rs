//! What is asked, and what it may cost.

use std::sync::{Arc, Mutex, PoisonError};

use admit::clock::Clock;
use admit::token::{CLIENT_ASSERTION_TYPE, Signer, client_assertion};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::browser::{Browser, expect};
use crate::connection::{Connection, get, post};
use crate::stage::{Hash, Stage};

/// Something that can be measured.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    pub name: &'static str,
    /// CPU time of the server per request (per flow, for flows) in µs.
    pub budget: Option<f64>,
    /// The same as a multiple of a bare axum server that is asked in turns with ours.
    pub of_bare: Option<f64>,
    /// How many HTTP requests one of it is.
    pub requests: u32,
    /// Whether it writes, and so whether its syncs are worth counting.
    pub writes: bool,
    /// Whether checking a password at its full price is part of it.
    pub hashes: bool,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Get(&'static str),
    ClientCredentials(&'static str),
    Assertion(&'static str),
    Introspection,
    Flow(&'static str, Hash),
    Arrival,
    Login(Hash),
    Refresh,
}

const fn one(name: &'static str, budget: f64, kind: Kind) -> Scenario {
    Scenario { name, budget: Some(budget), of_bare: None, requests: 1, writes: false, hashes: false, kind }
}

const fn flow(name: &'static str, budget: Option<f64>, client: &'static str, hash: Hash) -> Scenario {
    let hashes = matches!(hash, Hash::Real);
    Scenario { name, budget, of_bare: None, requests: 9, writes: true, hashes, kind: Kind::Flow(client, hash) }
}

/// Every scenario, in the order in which they run.
pub const ALL: &[Scenario] = &[
    Scenario { of_bare: Some(1.5), ..one("discovery", 15.0, Kind::Get("/.well-known/smart-configuration")) },
    Scenario { of_bare: Some(1.5), ..one("jwks", 15.0, Kind::Get("/.well-known/jwks.json")) },
    Scenario { writes: true, ..one("client-credentials-es256", 70.0, Kind::ClientCredentials("service-es256")) },
    Scenario { writes: true, ..one("client-credentials-rs256", 340.0, Kind::ClientCredentials("service-rs256")) },
    Scenario { writes: true, ..one("client-credentials-key", 350.0, Kind::Assertion("service-key")) },
    one("introspection", 60.0, Kind::Introspection),
    Scenario { budget: None, writes: true, ..one("refresh", 0.0, Kind::Refresh) },
    flow("flow", None, "app-rs256", Hash::Real),
    flow("flow-besides-hash", Some(1000.0), "app-rs256", Hash::Cheap),
    flow("flow-besides-hash-es256", Some(1000.0), "app-es256", Hash::Cheap),
    Scenario { budget: None, requests: 2, writes: true, ..one("authorize", 0.0, Kind::Arrival) },
    Scenario { budget: None, requests: 3, writes: true, hashes: true, ..one("login", 0.0, Kind::Login(Hash::Real)) },
    Scenario { budget: None, requests: 3, writes: true, ..one("login-besides-hash", 0.0, Kind::Login(Hash::Cheap)) },
];

/// A scenario, ready to be sent at one server.
#[derive(Clone)]
pub enum Work {
    /// The same bytes every time, and what an answer has to hold.
    Fixed(Vec<u8>, &'static str),
    /// A service that signs a new ES384 assertion each time.
    Assertion(u16, &'static str, Arc<Signer>),
    /// A browser and its app.
    Flow(u16, &'static str, Hash),
    /// A browser as far as the page that asks for the password.
    Arrival(u16),
    /// A browser as far as the page after the sign-in.
    Login(u16, Hash),
    /// An app that refreshes, with whichever of these tokens nobody else uses.
    Refresh(u16, Arc<Mutex<Vec<String>>>),
}

/// How many apps refresh.
const FAMILIES: usize = 256;

impl Scenario {
    /// Makes it ready; for introspection, that takes a token.
    pub async fn prepare(&self, stage: &Stage, port: u16) -> Result<Work, String> {
        let basic = |id: &str| format!("authorization: Basic {}\r\n", STANDARD.encode(format!("{id}:{}", stage.secret)));
        Ok(match self.kind {
            Kind::Get(path) => Work::Fixed(get(port, path, ""), "{"),
            Kind::ClientCredentials(id) => {
                let form = [("grant_type", "client_credentials"), ("scope", "system/Patient.rs system/Observation.rs")];
                Work::Fixed(post(port, "/token", &basic(id), &form), "\"access_token\":")
            }
            Kind::Assertion(id) => Work::Assertion(port, id, Arc::clone(&stage.signer)),
            Kind::Introspection => {
                let mut connection = Connection::open(port).await.map_err(|error| error.to_string())?;
                let tokens = Browser::new(&mut connection, port).launch("app-es256", Hash::Cheap).await?;
                Work::Fixed(post(port, "/introspect", &basic("resource-server"), &[("token", &tokens.access)]), "\"active\":true")
            }
            Kind::Flow(client, hash) => Work::Flow(port, client, hash),
            Kind::Arrival => Work::Arrival(port),
            Kind::Login(hash) => Work::Login(port, hash),
            Kind::Refresh => {
                let mut connection = Connection::open(port).await.map_err(|error| error.to_string())?;
                let mut tokens = Vec::new();
                for _ in 0..FAMILIES {
                    tokens.push(Browser::new(&mut connection, port).launch("app-es256", Hash::Cheap).await?.refresh);
                }
                Work::Refresh(port, Arc::new(Mutex::new(tokens)))
            }
        })
    }
}

impl Work {
    /// A static document of whichever server listens there.
    pub fn bare(port: u16) -> Self {
        Self::Fixed(get(port, "/", ""), "{")
    }

    /// Does it once, as the next person; an answer that is not the expected one is an error.
    pub async fn once(&self, connection: &mut Connection) -> Result<(), String> {
        match self {
            Self::Fixed(request, expected) => {
                let answer = connection.ask(request).await.map_err(|error| error.to_string())?;
                expect(&answer, 200)?;
                if answer.body.contains(expected) { Ok(()) } else { Err(format!("no {expected} in {}", answer.body)) }
            }
            Self::Assertion(port, id, signer) => {
                let issuer = format!("http://127.0.0.1:{port}");
                let assertion = client_assertion(signer, id, &issuer, Clock::System.now()).map_err(|error| error.to_string())?;
                let form = [
                    ("grant_type", "client_credentials"),
                    ("scope", "system/Patient.rs system/Observation.rs"),
                    ("client_assertion_type", CLIENT_ASSERTION_TYPE),
                    ("client_assertion", &assertion),
                ];
                let answer = connection.ask(&post(*port, "/token", "", &form)).await.map_err(|error| error.to_string())?;
                expect(&answer, 200)
            }
            Self::Flow(port, client, hash) => Browser::new(connection, *port).launch(client, *hash).await.map(|_| ()),
            Self::Arrival(port) => Browser::new(connection, *port).arrive("app-rs256").await.map(|_| ()),
            Self::Login(port, hash) => Browser::new(connection, *port).sign_in("app-rs256", *hash).await.map(|_| ()),
            Self::Refresh(port, tokens) => {
                let own = || tokens.lock().unwrap_or_else(PoisonError::into_inner);
                let token = own().pop().ok_or("more connections than apps that refresh")?;
                let next = Browser::new(connection, *port).refresh("app-es256", &token).await?.refresh;
                own().push(next);
                Ok(())
            }
        }
    }
}
