//! One integration-test binary: the real application, called in-process.
#![allow(clippy::panic, reason = "a test that cannot go on says why")]

mod architecture;
mod audience;
mod authorization_code;
mod authorization_request;
mod authorize_endpoint;
mod cli;
mod client_authentication;
mod client_credentials;
mod faults;
mod happy_path;
mod jose;
mod keys;
mod patient_context;
mod pkce;
mod process;
mod prompt;
mod races;
mod redirect_uri;
mod refresh_grace;
mod refresh_token;
mod response_mode;
mod scope;
mod secrets_in_logs;
mod smart_discovery;
mod store;
mod support;
mod validator;
