//! One integration-test binary: the real application, called in-process.

mod authorization_code;
mod cli;
mod client_authentication;
mod client_credentials;
mod happy_path;
mod races;
mod refresh_grace;
mod refresh_token;
mod scope;
mod secrets_in_logs;
mod support;
