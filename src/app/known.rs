//! Keys and FHIR bases for a request: as they are, or where the database takes its time, as they were.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use super::App;
use crate::error::OAuthError;
use crate::keys::Keys;
use crate::store;
use crate::tenant::FhirBase;

/// How long a request waits: much longer than a look takes, and short beside the two seconds after which it gives up on the database.
const PATIENCE: Duration = Duration::from_millis(250);

impl App {
    /// The keys that sign and verify, at most a second old while the database answers within a quarter of one.
    ///
    /// # Errors
    /// Where there are none to be had.
    pub async fn current_keys(&self, now: OffsetDateTime) -> Result<Arc<Keys>, OAuthError> {
        self.keys_within(PATIENCE, now).await
    }

    /// The same, for those who cannot wait as long.
    ///
    /// # Errors
    /// Where there are none to be had.
    pub async fn keys_within(&self, patience: Duration, now: OffsetDateTime) -> Result<Arc<Keys>, OAuthError> {
        let keys = self.or_last(patience, self.keys.current(&self.store, now), self.keys.last()).await;
        keys.map_err(OAuthError::server_error)
    }

    /// The FHIR bases of the tenant, at most a second old while the database answers within a quarter of one.
    ///
    /// # Errors
    /// Where nothing is known of them yet, and the store fails.
    pub async fn fhir_bases(&self, now: OffsetDateTime) -> Result<Arc<[FhirBase]>, store::Error> {
        let tenant = &self.tenant.id;
        self.or_last(PATIENCE, self.store.known_fhir_bases(tenant, now), self.store.last_fhir_bases(tenant)).await
    }

    async fn or_last<T, E>(&self, patience: Duration, current: impl Future<Output = Result<T, E>>, last: Option<T>) -> Result<T, E> {
        match last {
            Some(last) => self.clock.within(patience, current).await.unwrap_or(Ok(last)),
            None => current.await,
        }
    }
}
