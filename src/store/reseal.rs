//! Everything that is sealed under the master key, and its way under another one.

use std::sync::Arc;

use sqlx::FromRow;

use super::audit::record;
use super::key::{self, StoredKey};
use super::{Error, Store, change, on};
use crate::audit::{Entry, Origin};
use crate::id::{KeyId, TenantId};
use crate::key::{CannotOpen, MasterKey};

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resealed {
    /// The name of the present master key.
    pub under: String,
    /// How many were sealed under another master key, and now are under the present one.
    pub changed: u64,
    /// How many are under the present one in all.
    pub all: u64,
}

#[derive(FromRow)]
struct Row {
    tenant_id: String,
    #[sqlx(flatten)]
    key: key::Row,
}

impl Store {
    /// Brings whatever is sealed under the present master key, in one transaction; what it wrote was opened again before it is
    /// there for good. The inner error names what cannot be opened; nothing has changed then.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn reseal(&self, origin: &Origin, master: Arc<MasterKey>) -> Result<Result<Resealed, (KeyId, CannotOpen)>, Error> {
        let origin = origin.clone();
        self.write(move |mut conn| {
            Box::pin(async move {
                key::lock(&mut conn, &origin).await?;
                // The master key is that of the whole database, and so of every tenant in it.
                let statement =
                    "select tenant_id, key_id, purpose, algorithm, public_jwk, sealed, created_at, active_at, retired_at, removed_at
                                   from signing_key
                                  where sealed <> ''
                                  order by tenant_id, key_id";
                let rows: Vec<Row> = on!(&mut conn, c => sqlx::query_as(statement).fetch_all(c))?;
                let all = rows.len() as u64;
                let mut anew = Vec::new();
                for row in rows {
                    let tenant = TenantId::new(row.tenant_id);
                    let key = StoredKey::try_from(row.key)?;
                    match reseal(&master, &tenant, &key) {
                        Ok(Some(sealed)) => anew.push((tenant, key, sealed)),
                        Ok(None) => {}
                        Err(why) => return Ok(Err((key.id, why))),
                    }
                }
                let mut changed = 0;
                for (tenant, key, sealed) in &anew {
                    // A key that was erased meanwhile stays erased.
                    let statement = "update signing_key set sealed = $3 where tenant_id = $1 and key_id = $2 and sealed = $4";
                    changed += change!(
                        &mut conn,
                        sqlx::query(statement).bind(tenant.as_str()).bind(key.id.as_str()).bind(sealed).bind(&key.sealed)
                    )?;
                }
                if changed > 0 {
                    let detail = format!("{changed} under {}", master.id());
                    record(&mut conn, &origin, Entry::done("key.resealed").detail(&detail)).await?;
                }
                Ok(Ok(Resealed { under: master.id().to_owned(), changed, all }))
            })
        })
        .await
    }
}

/// What it is sealed as from here on; `None`, where it is already.
fn reseal(master: &MasterKey, tenant: &TenantId, key: &StoredKey) -> Result<Option<String>, CannotOpen> {
    let Some(sealed) = &key.sealed else { return Ok(None) };
    let about = key.about(tenant);
    let plain = master.open(&about, sealed)?;
    if MasterKey::named_in(sealed) == Some(master.id()) {
        return Ok(None);
    }
    let anew = master.seal(&about, &plain)?;
    if master.open(&about, &anew)? != plain {
        return Err(CannotOpen::Damaged);
    }
    Ok(Some(anew))
}
