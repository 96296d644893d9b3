//! Admit: a SMART on FHIR authorization server, and the token validator that AWS HealthLake calls.

// Vocabulary: in both artefacts, pure but for the HTTP client and the validator's key fetch.
pub mod clock;
pub mod http;
pub mod id;
pub mod scope;
pub mod token;
pub mod validate;

// The validator Lambda's loop.
#[cfg(feature = "lambda")]
pub mod lambda;

// The server's model.
#[cfg(feature = "server")]
pub mod client;
#[cfg(feature = "server")]
pub mod consent;
#[cfg(feature = "server")]
pub mod flow;
#[cfg(feature = "server")]
pub mod grant;
#[cfg(feature = "server")]
pub mod key;
#[cfg(all(feature = "server", feature = "kms"))]
pub mod kms;
#[cfg(all(feature = "server", not(feature = "kms")))]
#[path = "kms/absent.rs"]
pub mod kms;
#[cfg(feature = "server")]
pub mod label;
#[cfg(feature = "server")]
pub mod launch;
#[cfg(feature = "server")]
pub mod metadata;
#[cfg(feature = "server")]
pub mod password;
#[cfg(feature = "server")]
pub mod person;
#[cfg(feature = "server")]
pub mod pkce;
#[cfg(feature = "server")]
pub mod redirect;
#[cfg(feature = "server")]
pub mod secret;
#[cfg(feature = "server")]
pub mod tenant;
#[cfg(feature = "server")]
pub mod words;

// What the rooms share.
#[cfg(feature = "server")]
pub mod audit;
#[cfg(feature = "server")]
pub mod backup;
#[cfg(feature = "server")]
pub mod directory;
#[cfg(feature = "server")]
pub mod error;
#[cfg(feature = "server")]
pub mod keys;
#[cfg(feature = "server")]
pub mod listener;
#[cfg(feature = "server")]
pub mod params;
#[cfg(feature = "server")]
pub mod store;

// The rooms. They do not know one another.
#[cfg(feature = "server")]
pub mod account;
#[cfg(feature = "server")]
pub mod app;
#[cfg(feature = "server")]
pub mod authorize;
#[cfg(feature = "server")]
pub mod cli;
#[cfg(feature = "server")]
pub mod config;
#[cfg(feature = "server")]
pub mod demo;
#[cfg(feature = "server")]
pub mod jobs;
#[cfg(feature = "server")]
pub mod launch_pad;
#[cfg(feature = "server")]
pub mod oauth;
#[cfg(feature = "server")]
pub mod ops;
