//! Admit: a SMART on FHIR authorization server, and the token validator that AWS HealthLake calls.

#[cfg(feature = "server")]
pub mod demo;
