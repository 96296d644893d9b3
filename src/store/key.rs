//! Signing keys, sealed.

use sqlx::FromRow;
use time::OffsetDateTime;

use super::audit::record;
use super::{Conn, Error, Store, change, on, read, seconds, time};
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
    /// The private half, under the master key; `None` once it is erased.
    pub sealed: Option<String>,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// From when on it signs: until the next one of its kind does.
    pub active_at: OffsetDateTime,
    /// From when on it signs no more, once another one has taken over.
    pub retired_at: Option<OffsetDateTime>,
    /// From when on it is no longer published, once another one has taken over.
    pub removed_at: Option<OffsetDateTime>,
}

impl StoredKey {
    /// What it signs, and how: keys take over from one another within a kind.
    #[must_use]
    pub fn kind(&self) -> (Purpose, Algorithm) {
        (self.purpose, self.algorithm)
    }

    /// What its sealed half is bound to: it cannot be moved to another tenant, purpose or name.
    #[must_use]
    pub fn about(&self, tenant: &TenantId) -> String {
        format!("{tenant}/{}/{}/{}", self.purpose.as_str(), self.algorithm, self.id)
    }

    /// Whether it may sign, now or later.
    #[must_use]
    pub fn is_in_service(&self, now: OffsetDateTime) -> bool {
        self.sealed.is_some() && self.retired_at.is_none_or(|end| now < end)
    }
}

#[derive(FromRow)]
pub(super) struct Row {
    key_id: String,
    purpose: String,
    algorithm: String,
    public_jwk: String,
    sealed: String,
    created_at: i64,
    active_at: i64,
    retired_at: Option<i64>,
    removed_at: Option<i64>,
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
            removed_at: row.removed_at.map(|at| time(TABLE, "removed_at", at)).transpose()?,
            public_jwk: row.public_jwk,
            sealed: Some(row.sealed).filter(|sealed| !sealed.is_empty()),
        })
    }
}

impl Store {
    /// Every key that verifies now, the last to sign first.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn published_keys(&self, tenant: &TenantId, now: OffsetDateTime) -> Result<Vec<StoredKey>, Error> {
        let statement = "select key_id, purpose, algorithm, public_jwk, sealed, created_at, active_at, retired_at, removed_at
                           from signing_key
                          where tenant_id = $1 and revoked_at is null and (removed_at is null or removed_at > $2)
                          order by active_at desc, created_at desc, key_id";
        let rows: Vec<Row> = read!(self, c => sqlx::query_as(statement).bind(tenant.as_str()).bind(seconds(now)).fetch_all(c))?;
        rows.into_iter().map(StoredKey::try_from).collect()
    }

    /// Adds a key that comes after the youngest one known of its kind; `None` where none is known.
    /// Where several instances do so at once, one of them wins; `false` says that another one did.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn add_key_after(&self, origin: &Origin, youngest: Option<OffsetDateTime>, key: StoredKey) -> Result<bool, Error> {
        let origin = origin.clone();
        self.write(move |mut conn| {
            Box::pin(async move {
                lock(&mut conn, &origin).await?;
                let statement = "select count(*) from signing_key
                                  where tenant_id = $1 and purpose = $2 and algorithm = $3
                                    and retired_at is null and revoked_at is null and active_at > $4";
                let younger: i64 = on!(&mut conn, c => sqlx::query_scalar(statement)
                    .bind(origin.tenant.as_str())
                    .bind(key.purpose.as_str())
                    .bind(key.algorithm.as_str())
                    .bind(youngest.map_or(i64::MIN, seconds))
                    .fetch_one(c))?;
                if younger > 0 {
                    return Ok(false);
                }
                insert(&mut conn, &origin, &key).await?;
                record(&mut conn, &origin, Entry::done("key.created").detail(key.id.as_str())).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Adds a key that takes over at its `active_at`, because somebody said so.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn rotate_key(&self, origin: &Origin, key: StoredKey) -> Result<(), Error> {
        let origin = origin.clone();
        self.write(move |mut conn| {
            Box::pin(async move {
                lock(&mut conn, &origin).await?;
                insert(&mut conn, &origin, &key).await?;
                record(&mut conn, &origin, Entry::done("key.rotated").detail(key.id.as_str())).await
            })
        })
        .await
    }

    /// Closes the book on the keys from which `signing` has taken over; they stay published until `until`.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn retire_keys_before(&self, origin: &Origin, signing: &StoredKey, until: OffsetDateTime) -> Result<(), Error> {
        let (origin, (purpose, algorithm), active_at) = (origin.clone(), signing.kind(), signing.active_at);
        self.write(move |mut conn| {
            Box::pin(async move {
                lock(&mut conn, &origin).await?;
                let statement = "update signing_key set retired_at = $4, removed_at = $5
                                  where tenant_id = $1 and purpose = $2 and algorithm = $3
                                    and retired_at is null and revoked_at is null and active_at < $4
                              returning key_id";
                let retired: Vec<String> = on!(&mut conn, c => sqlx::query_scalar(statement)
                    .bind(origin.tenant.as_str())
                    .bind(purpose.as_str())
                    .bind(algorithm.as_str())
                    .bind(seconds(active_at))
                    .bind(seconds(until))
                    .fetch_all(c))?;
                for id in retired {
                    record(&mut conn, &origin, Entry::done("key.retired").detail(&id)).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Whether there are private halves to be erased.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn has_removed_keys(&self, origin: &Origin) -> Result<bool, Error> {
        let statement = "select count(*) from signing_key where tenant_id = $1 and removed_at <= $2 and sealed <> ''";
        let count: i64 =
            read!(self, c => sqlx::query_scalar(statement).bind(origin.tenant.as_str()).bind(seconds(origin.now)).fetch_one(c))?;
        Ok(count > 0)
    }

    /// Erases the private halves of keys that are no longer published.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn erase_removed_keys(&self, origin: &Origin) -> Result<(), Error> {
        let origin = origin.clone();
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "update signing_key set sealed = ''
                                  where tenant_id = $1 and removed_at <= $2 and sealed <> ''
                              returning key_id";
                let now = seconds(origin.now);
                let erased: Vec<String> =
                    on!(&mut conn, c => sqlx::query_scalar(statement).bind(origin.tenant.as_str()).bind(now).fetch_all(c))?;
                for id in erased {
                    record(&mut conn, &origin, Entry::done("key.erased").detail(&id)).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Revokes a key: from here on it verifies nothing, and its private half is erased. Where it was the one that signs,
    /// the next of its kind signs at once, and where there is none, `spare` does. `None`, where the key is not
    /// there or is revoked already; otherwise the one that signs now.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn revoke_key(&self, origin: &Origin, id: &KeyId, spare: StoredKey) -> Result<Option<KeyId>, Error> {
        let (origin, id) = (origin.clone(), id.clone());
        self.write(move |mut conn| {
            Box::pin(async move {
                lock(&mut conn, &origin).await?;
                let statement = "update signing_key
                                    set revoked_at = $3, removed_at = $3, retired_at = coalesce(retired_at, $3), sealed = ''
                                  where tenant_id = $1 and key_id = $2 and revoked_at is null";
                let now = seconds(origin.now);
                let revoked = change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(id.as_str()).bind(now))?;
                if revoked == 0 {
                    return Ok(None);
                }
                record(&mut conn, &origin, Entry::done("key.revoked").detail(id.as_str())).await?;
                let signing = succeed(&mut conn, &origin, spare).await?;
                Ok(Some(signing))
            })
        })
        .await
    }
}

/// Sees to it that a key of the spare's kind signs, and says which.
async fn succeed(conn: &mut Conn<'_>, origin: &Origin, spare: StoredKey) -> Result<KeyId, Error> {
    let statement = "select key_id, active_at from signing_key
                      where tenant_id = $1 and purpose = $2 and algorithm = $3 and retired_at is null and revoked_at is null
                      order by active_at, created_at, key_id desc";
    let left: Vec<(String, i64)> = on!(&mut *conn, c => sqlx::query_as(statement)
        .bind(origin.tenant.as_str())
        .bind(spare.purpose.as_str())
        .bind(spare.algorithm.as_str())
        .fetch_all(c))?;
    let now = seconds(origin.now);
    if let Some((signing, _)) = left.iter().rfind(|(_, active_at)| *active_at <= now) {
        return Ok(KeyId::new(signing));
    }
    if let Some((next, _)) = left.first() {
        let statement = "update signing_key set active_at = $3 where tenant_id = $1 and key_id = $2";
        change!(&mut *conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(next).bind(now))?;
        return Ok(KeyId::new(next));
    }
    insert(conn, origin, &spare).await?;
    record(conn, origin, Entry::done("key.created").detail(spare.id.as_str())).await?;
    Ok(spare.id)
}

/// The tenant's row is the lock between those who change its keys.
pub(super) async fn lock(conn: &mut Conn<'_>, origin: &Origin) -> Result<(), Error> {
    let statement = "update tenant set created_at = created_at where tenant_id = $1";
    change!(conn, sqlx::query(statement).bind(origin.tenant.as_str()))?;
    Ok(())
}

async fn insert(conn: &mut Conn<'_>, origin: &Origin, key: &StoredKey) -> Result<(), Error> {
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
            .bind(key.sealed.as_deref().unwrap_or_default())
            .bind(seconds(key.created_at))
            .bind(seconds(key.active_at))
    )?;
    Ok(())
}
