//! One integration-test binary: the real application, called in-process.

mod audit;
mod cli;
mod discovery;
mod forms;
mod happy_path;
mod hostile;
mod introspection;
mod limits;
mod login;
mod logout;
mod revocation;
mod session;
mod socket;
mod support;
mod throttle;
mod tls;
mod userinfo;
mod web;
