//! The stage of every test: a freshly seeded server whose clock the test owns.
//!
//! SQLite in a temporary folder, or, with `TEST_DATABASE_URL=postgres://…`, a schema of its own.

mod app;
pub mod ask;
pub mod asserting;
mod authority;
mod browser;
pub mod certificate;
mod database;
mod fhir_server;
mod forge;
mod key_server;
pub mod launch;
mod log;
mod reply;
mod rows;
mod seed;
mod tokens;
pub mod visit;
pub mod wire;

pub use app::{FHIR1, FHIR2, ISSUER, READER, ROLE, TestApp, encode};
pub use authority::{Authority, Question, Saying, endpoint_of};
pub use browser::{Browser, Landing, request};
pub use database::{Database, fresh, postgres_url};
pub use fhir_server::LIVE;
pub use forge::{Forge, compact, genuine_claims};
pub use key_server::{KeyServer, Mood};
pub use log::Log;
pub use reply::{Reply, param_of};
pub use seed::{PASSWORD, SECRET, VERIFIER, challenge, client, password_hash};
pub use tokens::{SCOPE, at_once, claims, redirect_uri, rounds};
