//! Signing keys, sealed.

use sqlx::FromRow;
use time::OffsetDateTime;

use super::audit::record;
use super::{Error, Store, change, on, read, seconds, time};
use crate::audit::{Entry, Origin};
use crate::id::{KeyId, TenantId};
use crate::key::Purpose;
use crate::token::Algorithm;

/// A key as the store has it: the private half is sealed.
#[derive(Clone, Debug)]
pub struct StoredKey {
    /// Its name.
    pub id: KeyId,
    /// What it signs.
    pub purpose: Purpose,
    /// How.
    pub algorithm: Algorithm,
    /// The public half, JSON.
    pub public_jwk: String,
    /// The private half, under the master key.
    pub sealed: String,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// From when on it signs.
    pub active_at: OffsetDateTime,
    /// From when on it signs no more.
    pub retired_at: Option<OffsetDateTime>,
}

#[derive(FromRow)]
struct Row {
    key_id: String,
    purpose: String,
    algorithm: String,
    public_jwk: String,
    sealed: String,
    created_at: i64,
    active_at: i64,
    retired_at: Option<i64>,
}

impl TryFrom<Row> for StoredKey {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        const TABLE: &str = "signing_key";
        let corrupt = |column| Error::Corrupt { table: TABLE, column };
        Ok(Self {
            id: KeyId::new(row.key_id),
            purpose: Purpose::parse(&row.purpose).ok_or(corrupt("purpose"))?,
            algorithm: row.algorithm.parse().map_err(|_| corrupt("algorithm"))?,
            created_at: time(TABLE, "created_at", row.created_at)?,
            active_at: time(TABLE, "active_at", row.active_at)?,
            retired_at: row.retired_at.map(|at| time(TABLE, "retired_at", at)).transpose()?,
            public_jwk: row.public_jwk,
            sealed: row.sealed,
        })
    }
}

impl Store {
    /// Every key that is to be published now, the youngest first.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn published_keys(&self, tenant: &TenantId, now: OffsetDateTime) -> Result<Vec<StoredKey>, Error> {
        let statement = "select key_id, purpose, algorithm, public_jwk, sealed, created_at, active_at, retired_at
                           from signing_key
                          where tenant_id = $1 and (removed_at is null or removed_at > $2)
                          order by active_at desc, created_at desc, key_id";
        let rows: Vec<Row> = read!(self, c => sqlx::query_as(statement).bind(tenant.as_str()).bind(seconds(now)).fetch_all(c))?;
        rows.into_iter().map(StoredKey::try_from).collect()
    }

    /// Adds the first key of its purpose and algorithm. Where several instances start at once, one
    /// of them wins; `false` says that there was a key already.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn add_first_key(&self, origin: &Origin, key: StoredKey) -> Result<bool, Error> {
        let origin = origin.clone();
        self.write(move |mut conn| {
            Box::pin(async move {
                // The tenant's row is the lock between instances.
                let statement = "update tenant set created_at = created_at where tenant_id = $1";
                change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()))?;
                let statement =
                    "select count(*) from signing_key where tenant_id = $1 and purpose = $2 and algorithm = $3 and retired_at is null";
                let count: i64 = on!(&mut conn, c => sqlx::query_scalar(statement)
                    .bind(origin.tenant.as_str())
                    .bind(key.purpose.as_str())
                    .bind(key.algorithm.as_str())
                    .fetch_one(c))?;
                if count > 0 {
                    return Ok(false);
                }
                insert(&mut conn, &origin, &key).await?;
                record(&mut conn, &origin, Entry::done("key.created").detail(key.id.as_str())).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Adds a key that takes over from the others of its purpose and algorithm at its `active_at`;
    /// those stay published until `old_until`. One that was to take over later is passed over.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn rotate_key(&self, origin: &Origin, key: StoredKey, old_until: OffsetDateTime) -> Result<(), Error> {
        let origin = origin.clone();
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "update signing_key set retired_at = $4, removed_at = $5
                                  where tenant_id = $1 and purpose = $2 and algorithm = $3 and (retired_at is null or retired_at > $4)";
                change!(
                    &mut conn,
                    sqlx::query(statement)
                        .bind(origin.tenant.as_str())
                        .bind(key.purpose.as_str())
                        .bind(key.algorithm.as_str())
                        .bind(seconds(key.active_at))
                        .bind(seconds(old_until))
                )?;
                insert(&mut conn, &origin, &key).await?;
                record(&mut conn, &origin, Entry::done("key.rotated").detail(key.id.as_str())).await
            })
        })
        .await
    }
}

async fn insert(conn: &mut super::Conn<'_>, origin: &Origin, key: &StoredKey) -> Result<(), Error> {
    let statement = "insert into signing_key (tenant_id, key_id, purpose, algorithm, public_jwk, sealed, created_at, active_at)
                     values ($1, $2, $3, $4, $5, $6, $7, $8)";
    change!(
        conn,
        sqlx::query(statement)
            .bind(origin.tenant.as_str())
            .bind(key.id.as_str())
            .bind(key.purpose.as_str())
            .bind(key.algorithm.as_str())
            .bind(&key.public_jwk)
            .bind(&key.sealed)
            .bind(seconds(key.created_at))
            .bind(seconds(key.active_at))
    )?;
    Ok(())
}
