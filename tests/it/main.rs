//! One integration-test binary: the real application, called in-process.
#![allow(clippy::panic, reason = "a test that cannot go on says why")]

mod architecture;
mod cli;
mod happy_path;
mod support;
