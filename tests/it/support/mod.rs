//! The stage of every test: a freshly seeded server whose clock the test owns.
//!
//! SQLite in a temporary folder, or, with `TEST_DATABASE_URL=postgres://…`, a schema of its own.

mod app;
mod browser;
pub mod certificate;
mod database;
mod reply;
mod rows;
mod seed;
pub mod visit;
pub mod wire;

pub use app::{FHIR1, FHIR2, ISSUER, TestApp, encode};
pub use browser::{Browser, Landing, request};
pub use reply::Reply;
pub use seed::{PASSWORD, SECRET, VERIFIER, challenge, client};
