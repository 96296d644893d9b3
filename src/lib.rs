//! Admit: a SMART on FHIR authorization server, and the token validator that AWS HealthLake calls.

pub mod clock;
pub mod id;
pub mod scope;
pub mod token;
pub mod validate;
