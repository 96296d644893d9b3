//! What every fault needs: a server that can be killed, clients that remember what they were told,
//! and a verifier.

mod client;
mod database;
mod http;
mod installation;
mod ledger;
mod nginx;
mod postgres;
mod proxy;
mod server;
mod trace;
mod traffic;
mod verifier;

use std::fmt;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

pub use client::{AppOfOurs, Browser, Lost, tokens_of};
pub use database::Database;
pub use http::{Http, Reply, Target};
pub use installation::{APART, FHIR_BASE, Installation, Particulars};
pub use ledger::{Family, Ledger, Tokens, jti};
pub use nginx::Nginx;
pub use postgres::Postgres;
pub use proxy::{Cut, Proxy};
pub use server::{Server, Start, is_ready, signal};
pub use trace::{CALLS, Call, Event, Exchange, Tracer, exchanges};
pub use traffic::{Load, Traffic};
pub use verifier::{assert_assertions_are_spent, verify, verify_store};

/// The server's program.
pub static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Which store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    Sqlite,
    Postgres,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// How a fault is to be run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub is_long: bool,
    pub store: Kind,
}

impl Plan {
    /// One for the short form, the other for the long one.
    pub fn either<T>(&self, short: T, long: T) -> T {
        if self.is_long { long } else { short }
    }

    /// How soon a server has to be ready (I8). The catalogue's figure is for a machine of one's own;
    /// the short form runs where others take the processor away, and has five times as much.
    pub fn ready_within(&self) -> Duration {
        Duration::from_secs(self.either(10, 2))
    }
}

/// Waits.
pub async fn pause(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}
