//! One integration-test binary: the real application, called in-process.

mod cli;
mod faults;
mod happy_path;
mod jose;
mod keys;
#[cfg(feature = "lambda")]
mod lambda;
mod process;
mod store;
mod support;
mod validator;
