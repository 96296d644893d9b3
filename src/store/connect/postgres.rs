//! PostgreSQL: a server that any number of instances share, and what has to be so for it to be safe.

mod url;

use std::sync::Arc;

use sqlx::{Connection as _, PgConnection};

use super::super::pool::Pool;
use super::super::{Error, Pools, Store, migrate};

/// The oldest version that its makers still mend (version 14 had its last release in November 2026).
const MIN_POSTGRES: i64 = 15_00_00;

/// What the server says of itself: its version as a number and as text, whether it syncs, when it
/// acknowledges a commit where nobody asks otherwise, how many connections it lets such as us have,
/// and how many are taken.
const FACTS: &str = "select current_setting('server_version_num')::bigint, current_setting('server_version'), current_setting('fsync'),
                            (select reset_val from pg_settings where name = 'synchronous_commit'),
                            (current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
                                - coalesce(current_setting('reserved_connections', true), '0')::int)::bigint,
                            (select count(*) from pg_stat_activity where datid is not null and pid <> pg_backend_pid())";

/// Opens the pool; `connections` is the most that it may hold.
pub(super) async fn open(url: &str, connections: u32) -> Result<Store, Error> {
    let pool = Pool::new(url::hosts(url)?, connections);
    // Not by way of `take`, which would only say that it waited in vain.
    let mut connection = pool.connect().await.map_err(|error| unusable(&error))?;
    check(&mut connection, connections).await?;
    // Another instance may be at the migrations: however long it takes, this one waits for it.
    sqlx::raw_sql("set statement_timeout = 0; set lock_timeout = 0").execute(&mut connection).await?;
    migrate::postgres(&mut connection).await?;
    connection.close().await?;
    Ok(Store { pools: Pools::Postgres(pool), known_bases: Arc::default() })
}

/// One connection, for a look at a database that nobody serves from here.
pub(in crate::store) async fn connect(url: &str) -> Result<PgConnection, Error> {
    Pool::new(url::hosts(url)?, 1).connect().await.map_err(|error| unusable(&error))
}

fn unusable(error: &sqlx::Error) -> Error {
    Error::Unusable(format!("PostgreSQL cannot be used: {}", reason(error)))
}

/// Refuses a server that is too old, and warns about what an administrator may not know.
async fn check(connection: &mut PgConnection, connections: u32) -> Result<(), Error> {
    let facts: (i64, String, String, String, i64, i64) = sqlx::query_as(FACTS).fetch_one(&mut *connection).await?;
    let (number, version, fsync, synchronous_commit, room, taken) = facts;
    check_version(number, &version)?;
    if fsync == "off" {
        tracing::warn!("PostgreSQL runs with fsync = off: a crash of its machine may destroy the database");
    }
    if synchronous_commit == "off" {
        tracing::warn!(
            "PostgreSQL is set to synchronous_commit = off, which forgets revocations in a crash: Admit's own sessions use `on`"
        );
    }
    if room - taken < i64::from(connections) {
        tracing::warn!(
            "PostgreSQL lets {room} connections in, {taken} are taken, and this instance may need {connections}: \
             raise max_connections, or lower --database-connections"
        );
    }
    Ok(())
}

fn check_version(number: i64, version: &str) -> Result<(), Error> {
    if number < MIN_POSTGRES {
        return Err(Error::Unusable(format!("PostgreSQL {version} gets no security updates any more; 15 or later is needed")));
    }
    Ok(())
}

/// What sqlx says, with what lies beneath it: "error with TLS" alone helps nobody.
fn reason(error: &sqlx::Error) -> String {
    let is_certificate = error.to_string().contains("certificate");
    let hint = if is_certificate { "; name the authority that signed it: sslrootcert=FILE in the database URL" } else { "" };
    format!("{error}{hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_nobody_mends_are_refused() {
        for (old, text) in [(90_624, "9.6.24"), (130_023, "13.23"), (140_020, "14.20")] {
            assert!(check_version(old, text).is_err_and(|error| error.to_string().contains(text)), "{text}");
        }
        for (new, text) in [(150_000, "15.0"), (150_018, "15.18"), (180_001, "18.1"), (200_000, "20beta1")] {
            assert!(check_version(new, text).is_ok(), "{text}");
        }
    }
}
