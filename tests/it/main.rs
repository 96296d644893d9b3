//! One integration-test binary: the real application, called in-process.

mod cli;
mod happy_path;
mod jose;
mod keys;
mod store;
mod support;
mod validator;
