//! The demonstration: a server, a synthetic population, a FHIR R4 stand-in that serves it, and a
//! sample app, all on one machine and all gone when it ends.
//!
//! Nothing here is about real people, and nothing here is meant for production. The same parts
//! are what our own tests run apps against.

mod environment;
pub mod fhir;
pub mod people;
mod sample_app;
mod start;
mod stock;

pub use environment::EnvironmentFiles;
pub use start::{Demo, Ports, StartError};
