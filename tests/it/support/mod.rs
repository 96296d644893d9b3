//! The stage of every test: a freshly seeded server whose clock the test owns.
//!
//! SQLite in a temporary folder, or, with `TEST_DATABASE_URL=postgres://…`, a schema of its own.

mod app;
mod browser;
mod database;
mod reply;
mod seed;

pub use app::{FHIR1, FHIR2, ISSUER, TestApp};
pub use browser::{Browser, Landing};
pub use reply::Reply;
pub use seed::{PASSWORD, VERIFIER, challenge};
