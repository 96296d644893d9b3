//! One integration-test binary: the real application, called in-process.

mod cli;
mod happy_path;
mod support;
