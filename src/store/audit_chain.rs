//! The chain of audit entries: sealing, checkpoints, and letting go of what is old enough.
//!
//! The row in `audit_chain` is the lock: whoever moves it on has sealed. Entries that PostgreSQL
//! commits late, with a lower id than one that is sealed already, are sealed when they are seen:
//! the order of sealing is the chain's.

use sqlx::FromRow;
use time::OffsetDateTime;

use super::audit::{AuditRow, record};
use super::{Conn, Error, Store, change, on, read, seconds};
use crate::audit::chain::{Checkpoint, Sealed};
use crate::audit::{Entry, Origin};
use crate::id::TenantId;

/// The most that are sealed in one transaction.
const BATCH: i64 = 240;
/// How many one statement seals: its text has so many places.
const AT_ONCE: usize = 12;
/// How many one statement deletes.
const PURGED_AT_ONCE: i64 = 1000;

/// Where a tenant's chain stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromRow)]
pub struct AuditChain {
    /// The last entry; 0 where there is none.
    pub seq: i64,
    /// Its hash.
    pub hash: String,
    /// The last entry that was purged; 0 where none was.
    pub start_seq: i64,
    /// Its hash, which a checkpoint has signed.
    pub start_hash: String,
    /// The last entry that a checkpoint was signed over.
    pub checkpoint_seq: i64,
    /// When, in seconds since 1970.
    pub checkpoint_at: i64,
    /// How many entries wait for the sealer; more than one counts as one.
    pub waiting: i64,
}

#[derive(FromRow)]
struct Head {
    seq: i64,
    hash: String,
}

/// A key that signs checkpoints, or did.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct AuditKey {
    /// Its public half (RFC 7517).
    pub public_jwk: String,
    /// When it was revoked, in seconds since 1970: somebody else may have it.
    pub revoked_at: Option<i64>,
}

/// A checkpoint as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct StoredCheckpoint {
    /// The last entry that it was signed over.
    pub seq: i64,
    /// That entry's hash.
    pub hash: String,
    /// The signed form.
    pub jws: String,
}

impl Store {
    /// Where the chain stands, and whether there is something to seal. One statement along indexes.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn audit_chain(&self, tenant: &TenantId) -> Result<AuditChain, Error> {
        let statement = "select coalesce(c.seq, 0) as seq, coalesce(c.hash, '') as hash, coalesce(c.start_seq, 0) as start_seq,
                                coalesce(c.start_hash, '') as start_hash, coalesce(c.checkpoint_seq, 0) as checkpoint_seq,
                                coalesce(c.checkpoint_at, 0) as checkpoint_at,
                                (select count(*)
                                   from (select 1 from audit a where a.tenant_id = $1 and a.seq is null limit 1) as one) as waiting
                           from tenant t
                           left join audit_chain c on c.tenant_id = t.tenant_id
                          where t.tenant_id = $1";
        let chain: Option<AuditChain> = read!(self, c => sqlx::query_as(statement).bind(tenant.as_str()).fetch_optional(c))?;
        Ok(chain.unwrap_or_default())
    }

    /// Gives the entries that wait their places in the chain. Returns how many it were; as many as
    /// fit into one transaction, so that zero says that all are sealed.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn seal_audit(&self, origin: &Origin) -> Result<usize, Error> {
        let origin = origin.clone();
        self.write(move |mut conn| Box::pin(async move { seal(&mut conn, &origin).await })).await
    }

    /// The sealed entries behind `walk`, in the chain's order, at most `limit`.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn audit_page(&self, tenant: &TenantId, after: (i64, &str), limit: i64) -> Result<Vec<Sealed>, Error> {
        let statement = "select audit_id, at_us, event, outcome, user_id, client_id, patient_id, grant_id, session_id,
                                jti, address, agent, request_id, detail, seq, hash
                           from audit
                          where tenant_id = $1 and seq > $2
                          order by seq
                          limit $3";
        let rows: Vec<AuditRow> = read!(self, c => sqlx::query_as(statement).bind(tenant.as_str()).bind(after.0).bind(limit).fetch_all(c))?;
        let mut previous = after.1.to_owned();
        let sealed = rows.into_iter().map(|row| {
            let seq = row.seq.unwrap_or_default();
            let entry = row.sealed(tenant, seq, &previous);
            previous = entry.hash.clone().unwrap_or_default();
            entry
        });
        Ok(sealed.collect())
    }

    /// The place and the hash of the entry before the first one that was written at this moment or
    /// later. An entry that a clock dated back by less than a day is not passed over.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn audit_place(&self, tenant: &TenantId, since_us: i64) -> Result<(i64, String), Error> {
        const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;
        let chain = self.audit_chain(tenant).await?;
        let statement = "select at_us from audit where tenant_id = $1 and at_us >= $2 and seq is not null order by at_us limit 1";
        let first: Option<i64> = read!(self, c => sqlx::query_scalar(statement).bind(tenant.as_str()).bind(since_us).fetch_optional(c))?;
        let Some(first) = first else { return Ok((chain.seq, chain.hash)) };
        // A sum, lest PostgreSQL look for the least one from the beginning of the chain on.
        let statement = "select min(seq + 0) from audit where tenant_id = $1 and at_us >= $2 and at_us < $3 and seq is not null";
        let seq: Option<i64> = read!(self, c => sqlx::query_scalar(statement)
            .bind(tenant.as_str())
            .bind(first)
            .bind(first.saturating_add(DAY_US))
            .fetch_one(c))?;
        let before = seq.unwrap_or(1) - 1;
        Ok((before, self.audit_hash(tenant, before).await?))
    }

    /// The hash of the entry in this place; empty before the first one.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn audit_hash(&self, tenant: &TenantId, seq: i64) -> Result<String, Error> {
        let statement = "select hash from audit where tenant_id = $1 and seq = $2
                         union all
                         select start_hash from audit_chain where tenant_id = $1 and start_seq = $2
                         limit 1";
        let hash: Option<String> = read!(self, c => sqlx::query_scalar(statement).bind(tenant.as_str()).bind(seq).fetch_optional(c))?;
        Ok(hash.unwrap_or_default())
    }

    /// Keeps a checkpoint that was signed over the chain as it stands, and says so in the trail.
    /// `false` where another instance was faster than `before`, the last checkpoint that we know of.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn add_audit_checkpoint(&self, origin: &Origin, before: i64, checkpoint: Checkpoint, jws: String) -> Result<bool, Error> {
        let origin = origin.clone();
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement =
                    "update audit_chain set checkpoint_seq = $3, checkpoint_at = $4 where tenant_id = $1 and checkpoint_seq = $2";
                let claimed = change!(
                    &mut conn,
                    sqlx::query(statement).bind(origin.tenant.as_str()).bind(before).bind(checkpoint.seq).bind(checkpoint.iat)
                )?;
                if claimed == 0 {
                    return Ok(false);
                }
                let statement = "insert into audit_checkpoint (tenant_id, seq, hash, at, jws) values ($1, $2, $3, $4, $5)";
                change!(
                    &mut conn,
                    sqlx::query(statement)
                        .bind(origin.tenant.as_str())
                        .bind(checkpoint.seq)
                        .bind(&checkpoint.hash)
                        .bind(checkpoint.iat)
                        .bind(&jws)
                )?;
                record(&mut conn, &origin, Entry::done("audit.checkpoint").detail(&jws)).await?;
                Ok(true)
            })
        })
        .await
    }

    /// The checkpoints from this place in the chain on.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn audit_checkpoints(&self, tenant: &TenantId, from: i64) -> Result<Vec<StoredCheckpoint>, Error> {
        let statement = "select seq, hash, jws from audit_checkpoint where tenant_id = $1 and seq >= $2 order by seq";
        Ok(read!(self, c => sqlx::query_as(statement).bind(tenant.as_str()).bind(from).fetch_all(c))?)
    }

    /// The keys that have ever signed checkpoints.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn audit_keys(&self, tenant: &TenantId) -> Result<Vec<AuditKey>, Error> {
        let statement =
            "select public_jwk, revoked_at from signing_key where tenant_id = $1 and purpose = 'audit' order by created_at, key_id";
        Ok(read!(self, c => sqlx::query_as(statement).bind(tenant.as_str()).fetch_all(c))?)
    }

    /// Lets go of entries up to the last checkpoint that was signed before this moment: what is left
    /// begins where a signature says what was before. Returns how many went.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn purge_audit(&self, origin: &Origin, before: OffsetDateTime) -> Result<u64, Error> {
        let statement = "select seq, hash, jws from audit_checkpoint where tenant_id = $1 and at < $2 order by seq desc limit 1";
        let last: Option<StoredCheckpoint> =
            read!(self, c => sqlx::query_as(statement).bind(origin.tenant.as_str()).bind(seconds(before)).fetch_optional(c))?;
        let Some(last) = last else { return Ok(0) };
        let (moved, to) = (origin.clone(), last.seq);
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "update audit_chain set start_seq = $2, start_hash = $3 where tenant_id = $1 and start_seq < $2";
                let claimed = change!(&mut conn, sqlx::query(statement).bind(moved.tenant.as_str()).bind(last.seq).bind(&last.hash))?;
                if claimed > 0 {
                    record(&mut conn, &moved, Entry::done("audit.purged").detail(&format!("entries up to {}", last.seq))).await?;
                    let statement = "delete from audit_checkpoint where tenant_id = $1 and seq < $2";
                    change!(&mut conn, sqlx::query(statement).bind(moved.tenant.as_str()).bind(last.seq))?;
                }
                Ok(())
            })
        })
        .await?;
        let mut gone = 0;
        loop {
            let statement = "select seq from audit where tenant_id = $1 and seq > 0 and seq <= $2 order by seq limit 1";
            let first: Option<i64> =
                read!(self, c => sqlx::query_scalar(statement).bind(origin.tenant.as_str()).bind(to).fetch_optional(c))?;
            let Some(first) = first else { return Ok(gone) };
            let (tenant, end) = (origin.tenant.clone(), to.min(first + PURGED_AT_ONCE - 1));
            gone += self
                .write(move |mut conn| {
                    Box::pin(async move {
                        let statement = "delete from audit where tenant_id = $1 and seq >= $2 and seq <= $3";
                        Ok(change!(&mut conn, sqlx::query(statement).bind(tenant.as_str()).bind(first).bind(end))?)
                    })
                })
                .await?;
        }
    }
}

async fn seal(conn: &mut Conn<'_>, origin: &Origin) -> Result<usize, Error> {
    let tenant = origin.tenant.as_str();
    // Takes the chain's row: a second sealer waits here, and then goes on from where this one came to.
    let statement = "insert into audit_chain (tenant_id, seq, hash, start_seq, start_hash, checkpoint_seq, checkpoint_at)
                     values ($1, 0, '', 0, '', 0, 0)
                     on conflict (tenant_id) do update set seq = audit_chain.seq
                     returning seq, hash";
    let head: Head = on!(&mut *conn, c => sqlx::query_as(statement).bind(tenant).fetch_one(c))?;
    let statement = "select audit_id, at_us, event, outcome, user_id, client_id, patient_id, grant_id, session_id,
                        jti, address, agent, request_id, detail, seq, hash
                   from audit
                  where tenant_id = $1 and seq is null
                  order by audit_id
                  limit $2";
    let rows: Vec<AuditRow> = on!(&mut *conn, c => sqlx::query_as(statement).bind(tenant).bind(BATCH).fetch_all(c))?;
    let (mut seq, mut hash) = (head.seq, head.hash);
    let mut sealed = Vec::with_capacity(rows.len());
    for row in rows {
        let id = row.audit_id;
        seq += 1;
        hash = row.sealed(&origin.tenant, seq, &hash).digest();
        sealed.push((id, seq, hash.clone()));
    }
    for some in sealed.chunks(AT_ONCE) {
        let statement = "with sealed (audit_id, seq, hash) as (values (cast($2 as bigint), cast($3 as bigint), cast($4 as text)),
                                                              ($5, $6, $7), ($8, $9, $10), ($11, $12, $13), ($14, $15, $16),
                                                              ($17, $18, $19), ($20, $21, $22), ($23, $24, $25), ($26, $27, $28),
                                                              ($29, $30, $31), ($32, $33, $34), ($35, $36, $37))
                         update audit set seq = sealed.seq, hash = sealed.hash
                           from sealed
                          where audit.tenant_id = $1 and audit.audit_id = sealed.audit_id and audit.seq is null";
        let done = change!(&mut *conn, {
            let mut query = sqlx::query(statement).bind(tenant);
            for place in 0..AT_ONCE {
                let entry = some.get(place);
                query = query.bind(entry.map(|own| own.0)).bind(entry.map(|own| own.1)).bind(entry.map(|own| own.2.as_str()));
            }
            query
        })?;
        if usize::try_from(done) != Ok(some.len()) {
            return Err(Error::Corrupt { table: "audit", column: "seq" });
        }
    }
    if !sealed.is_empty() {
        let statement = "update audit_chain set seq = $2, hash = $3 where tenant_id = $1";
        change!(&mut *conn, sqlx::query(statement).bind(tenant).bind(seq).bind(&hash))?;
    }
    Ok(sealed.len())
}
