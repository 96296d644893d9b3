//! PostgreSQL: a server that any number of instances share.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _};

use super::super::{Error, Pools, Store, migrate};

/// How long a request waits for a connection; then the answer is 503.
const PATIENCE: Duration = Duration::from_secs(2);

/// Opens the pool; `connections` is the most that it may hold.
pub(super) async fn open(url: &str, connections: u32) -> Result<Store, Error> {
    // The URL may hold a password: no error of ours repeats it.
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| Error::Unusable("the database URL is not a valid postgres:// URL".to_owned()))?
        .application_name("admit")
        .options([
            ("statement_timeout", "5s"),
            ("idle_in_transaction_session_timeout", "10s"),
            ("default_transaction_isolation", "read committed"),
        ])
        .statement_cache_capacity(200)
        .disable_statement_logging();
    // Not by way of the pool, which would only say that it waited in vain.
    let mut connection = options.connect().await.map_err(|error| Error::Unusable(format!("PostgreSQL cannot be reached: {error}")))?;
    migrate::postgres(&mut connection).await?;
    connection.close().await?;
    let pool = PgPoolOptions::new().max_connections(connections).acquire_timeout(PATIENCE).connect_lazy_with(options);
    Ok(Store { pools: Pools::Postgres(pool), known_bases: Arc::default() })
}
