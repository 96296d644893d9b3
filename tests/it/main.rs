//! One integration-test binary: the real application, called in-process.
#![allow(clippy::panic, reason = "a test that cannot go on says why")]

mod architecture;
mod audience;
mod authorization_request;
mod authorize_endpoint;
mod cli;
mod faults;
mod happy_path;
mod jose;
mod keys;
mod patient_context;
mod pkce;
mod process;
mod prompt;
mod redirect_uri;
mod response_mode;
mod smart_discovery;
mod store;
mod support;
mod validator;
