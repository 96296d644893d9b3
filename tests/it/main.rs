//! One integration-test binary: the real application, called in-process.
#![allow(clippy::panic, reason = "a test that cannot go on says why")]

mod architecture;
mod audience;
mod audit;
mod authorization_code;
mod authorization_request;
mod authorize_endpoint;
mod cli;
mod client_authentication;
mod client_credentials;
mod discovery;
mod faults;
mod forms;
mod happy_path;
mod hostile;
mod introspection;
mod jose;
mod keys;
#[cfg(feature = "lambda")]
mod lambda;
mod limits;
mod login;
mod logout;
mod patient_context;
mod pkce;
mod process;
mod prompt;
mod races;
mod redirect_uri;
mod refresh_grace;
mod refresh_token;
mod response_mode;
mod revocation;
mod scope;
mod secrets_in_logs;
mod session;
mod sign_in_again;
mod smart_discovery;
mod socket;
mod store;
mod support;
mod throttle;
mod tls;
mod userinfo;
mod validator;
mod web;
