//! What time it is where the data is.

use time::OffsetDateTime;

use super::pool::within;
use super::{Error, Pools, Store};
use crate::clock::from_micros;

/// The one statement that asks for the time: nothing is decided by the answer.
const TIME: &str = "select (extract(epoch from clock_timestamp()) * 1000000)::bigint";

impl Store {
    /// The time by PostgreSQL's clock; `None` on SQLite, which goes by this machine's.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn database_time(&self) -> Result<Option<OffsetDateTime>, Error> {
        let Pools::Postgres(pool) = &self.pools else { return Ok(None) };
        let mut connection = pool.take().await?;
        let micros: Result<i64, sqlx::Error> = within(sqlx::query_scalar(TIME).fetch_one(&mut *connection)).await;
        connection.give_back(&micros);
        Ok(Some(from_micros(micros?)))
    }
}
