//! Master keys that a key management service has wrapped: nothing here opens them.

use super::audit::record;
use super::{Error, Store, change, read, seconds};
use crate::audit::{Entry, Origin};
use crate::id::TenantId;
use crate::token::{base64url, from_base64url};

impl Store {
    /// The master key that this key of the service has wrapped, if there is one.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn wrapped_master_key(&self, tenant: &TenantId, kms_key: &str) -> Result<Option<Vec<u8>>, Error> {
        let statement = "select wrapped from wrapped_master_key where tenant_id = $1 and kms_key = $2";
        let wrapped: Option<String> =
            read!(self, c => sqlx::query_scalar(statement).bind(tenant.as_str()).bind(kms_key).fetch_optional(c))?;
        let corrupt = Error::Corrupt { table: "wrapped_master_key", column: "wrapped" };
        wrapped.map(|text| from_base64url(&text).ok_or(corrupt)).transpose()
    }

    /// Keeps the first one that this key of the service has wrapped; a second one is dropped.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn keep_wrapped_master_key(&self, origin: &Origin, kms_key: &str, wrapped: Vec<u8>) -> Result<(), Error> {
        let (origin, kms_key) = (origin.clone(), kms_key.to_owned());
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "insert into wrapped_master_key (tenant_id, kms_key, wrapped, created_at) values ($1, $2, $3, $4)
                                 on conflict (tenant_id, kms_key) do nothing";
                let kept = change!(
                    &mut conn,
                    sqlx::query(statement).bind(origin.tenant.as_str()).bind(&kms_key).bind(base64url(&wrapped)).bind(seconds(origin.now))
                )?;
                if kept > 0 {
                    record(&mut conn, &origin, Entry::done("master_key.created").detail(&kms_key)).await?;
                }
                Ok(())
            })
        })
        .await
    }
}
