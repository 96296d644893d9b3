//! The demonstration: a synthetic population, and a FHIR R4 stand-in that serves it.
//!
//! Nothing here is about real people, and nothing here is meant for production. The same parts
//! are what our own tests run apps against.

pub mod fhir;
pub mod people;
