//! What the official test kits expect of an authorization server, driven as they drive it: from the
//! discovery document of the FHIR base on, over HTTP, with a person at the browser and the FHIR stand-in
//! behind the tokens.
//!
//! The SMART App Launch Test Kit has the suites STU1 (`smart`), STU2 (`smart_stu2`) and STU2.2
//! (`smart_stu2_2`); ONC's (g)(10) kit has numbered groups. Each test names those that it repeats.

mod asymmetric;
mod backend;
mod discovery;
mod ehr_launch;
mod granular;
mod introspection;
mod invalid_aud;
mod invalid_pkce;
mod invalid_token_request;
mod kit;
mod limited;
mod openid;
mod patient_scopes;
mod public;
mod refresh;
mod revocation;
mod selection;
mod standalone;
mod stu1;
mod v1_scopes;

pub use kit::{CONFIDENTIAL, DOCTOR, HOST, Inferno, PUBLIC, REDIRECT, Sitting, granted, text};
