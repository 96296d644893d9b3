//! A database that comes back: what was given before is worth nothing any more.
//!
//! A backup does not know what was used since. So that no code, token, session, launch or client
//! assertion comes to life again, all that it has of them ends, in one transaction, and the tenant
//! learns since when something counts (`tenant.valid_from`): what was issued earlier is refused by
//! [`Store::token_stands`](super::Store::token_stands) and
//! [`Store::spend_assertion`](super::Store::spend_assertion).

use std::fmt;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use time::OffsetDateTime;

use super::audit::record;
use super::connect::turn;
use super::{Conn, Error, change, migrate, seconds};
use crate::audit::{Entry, Origin};
use crate::clock::from_micros;
use crate::id::TenantId;

/// What a restore ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Sessions.
    pub sessions: u64,
    /// Authorization requests on their way through the pages.
    pub flows: u64,
    /// Launches from an EHR.
    pub launches: u64,
    /// Grants, each with its code, or all of its tokens.
    pub grants: u64,
    /// Decisions about apps that were remembered.
    pub decisions: u64,
    /// Initial access tokens for apps that register themselves.
    pub registration_tokens: u64,
    /// Keys that sign tokens; only where that was asked for.
    pub keys: u64,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sessions, flows, launches, grants, decisions, registration_tokens, keys } = self;
        write!(
            f,
            "sessions {sessions}, flows {flows}, launches {launches}, grants {grants}, remembered decisions {decisions}, registration tokens {registration_tokens}, keys {keys}"
        )
    }
}

/// A database file that can take the place of the one before.
#[derive(Clone, Debug)]
pub struct Restored {
    /// What ended.
    pub ended: Ended,
    /// When the last thing happened that it knows of.
    pub known_until: Option<OffsetDateTime>,
    /// From when on something that is issued counts.
    pub valid_from: OffsetDateTime,
}

/// Makes a copy of a database fit to be used: it is whole and ours, its tables are up to date, and
/// what was given before `origin.now` is worth nothing. Where the keys that sign tokens are revoked
/// as well, the next server makes new ones. `source` says in the audit trail where it came from.
/// Nobody else may have the file open; it is one file again at the end.
///
/// # Errors
/// [`Error::Unusable`] says what is wrong with it.
pub async fn revive(file: &Path, origin: &Origin, source: &str, revoke_keys: bool) -> Result<Restored, Error> {
    let mut connection = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(false)
        // It is a copy until it is put in place, which comes after a sync.
        .synchronous(SqliteSynchronous::Off)
        .journal_mode(SqliteJournalMode::Memory)
        .locking_mode(sqlx::sqlite::SqliteLockingMode::Exclusive)
        .foreign_keys(true)
        .busy_timeout(Duration::ZERO)
        .pragma("trusted_schema", "off")
        .pragma("cell_size_check", "on")
        .disable_statement_logging()
        .connect()
        .await
        .map_err(|error| foreign(&error))?;
    check(&mut connection).await?;
    migrate::sqlite(&mut connection).await?;
    let broken = sqlx::query("pragma foreign_key_check").fetch_optional(&mut connection).await?;
    if broken.is_some() {
        return Err(Error::Unusable("it is inconsistent: a foreign key points nowhere".to_owned()));
    }
    let restored = renew(&mut connection, origin, source, revoke_keys).await?;
    // What Litestream writes down of a file is not about this one.
    sqlx::raw_sql("drop table if exists _litestream_seq; drop table if exists _litestream_lock").execute(&mut connection).await?;
    connection.close().await?;
    Ok(restored)
}

/// A database that is about to be replaced. As long as this is kept, no process of ours opens it.
pub struct Settled {
    /// Whether the one file is all there is: [`Error::Unavailable`], where somebody uses it; any other error, where it cannot
    /// be read.
    pub outcome: Result<(), Error>,
    _turn: Option<File>,
}

/// Brings the journal of a database that nobody uses back into it.
pub async fn settle(file: &Path) -> Settled {
    let _turn = turn(file).await;
    Settled { outcome: bring_in_journal(file).await, _turn }
}

async fn bring_in_journal(file: &Path) -> Result<(), Error> {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(false).busy_timeout(Duration::from_secs(2));
    let mut connection = options.disable_statement_logging().connect().await?;
    // It needs the database for itself.
    let mode: String = sqlx::query_scalar("pragma journal_mode = delete").fetch_one(&mut connection).await?;
    connection.close().await?;
    if mode == "delete" { Ok(()) } else { Err(Error::Unavailable("another process has it open".to_owned())) }
}

/// Whether it is a whole database, and one of ours.
async fn check(connection: &mut SqliteConnection) -> Result<(), Error> {
    let ours = "select count(*) from sqlite_master where type = 'table' and name in ('tenant', 'client', 'audit', '_sqlx_migrations')";
    let found: i64 = sqlx::query_scalar(ours).fetch_one(&mut *connection).await.map_err(|error| foreign(&error))?;
    if found != 4 {
        return Err(Error::Unusable("it is a database, but not one of Admit".to_owned()));
    }
    let faults: Vec<String> =
        sqlx::query_scalar("pragma integrity_check(1)").fetch_all(connection).await.map_err(|error| foreign(&error))?;
    match faults.as_slice() {
        [one] if one == "ok" => Ok(()),
        faults => Err(Error::Unusable(format!("it is damaged: {}", faults.join("; ")))),
    }
}

fn foreign(error: &sqlx::Error) -> Error {
    Error::Unusable(format!("it is damaged, or no database: {error}"))
}

/// One transaction: everything ends, and the tenants learn since when something counts.
async fn renew(connection: &mut SqliteConnection, origin: &Origin, source: &str, revoke_keys: bool) -> Result<Restored, Error> {
    let known_until: Option<i64> = sqlx::query_scalar("select max(at_us) from audit").fetch_one(&mut *connection).await?;
    let tenants: Vec<String> = sqlx::query_scalar("select tenant_id from tenant order by tenant_id").fetch_all(&mut *connection).await?;
    let mut transaction = connection.begin_with("begin immediate").await?;
    let mut all = Ended::default();
    let mut valid_from = seconds(origin.now) + 1;
    for tenant in tenants {
        let origin = Origin { tenant: TenantId::new(tenant), ..origin.clone() };
        let mut conn = Conn::Sqlite(&mut transaction);
        let mut ended = end_everything(&mut conn, &origin).await?;
        if revoke_keys {
            ended.keys = end_keys(&mut conn, &origin).await?;
        }
        // Of two restores the later one counts, whatever the clock says. What is issued in this second still is from before.
        let statement = "update tenant set valid_from = case when valid_from > $2 then valid_from else $2 end
                          where tenant_id = $1
                      returning valid_from";
        let since: i64 = super::on!(&mut conn, c => sqlx::query_scalar(statement)
            .bind(origin.tenant.as_str())
            .bind(seconds(origin.now) + 1)
            .fetch_one(c))?;
        valid_from = valid_from.max(since);
        record(&mut conn, &origin, Entry::done("database.restored").detail(&format!("{source}; ended: {ended}"))).await?;
        all = all.and(ended);
    }
    transaction.commit().await?;
    Ok(Restored { ended: all, known_until: known_until.map(from_micros), valid_from: super::time("tenant", "valid_from", valid_from)? })
}

async fn end_everything(conn: &mut Conn<'_>, origin: &Origin) -> Result<Ended, Error> {
    let (tenant, now) = (origin.tenant.as_str(), seconds(origin.now));
    let statement = "update session set ended_at = $2 where tenant_id = $1 and ended_at is null";
    let sessions = change!(conn, sqlx::query(statement).bind(tenant).bind(now))?;
    // With its codes, refresh tokens and access tokens, all of which ask for it.
    let statement = "update access_grant set revoked_at = $2, revoked_why = 'restored' where tenant_id = $1 and revoked_at is null";
    let grants = change!(conn, sqlx::query(statement).bind(tenant).bind(now))?;
    let mut gone = [0; 4];
    for (statement, gone) in [
        "delete from flow where tenant_id = $1 and finished_at is null",
        "delete from launch where tenant_id = $1",
        // One that was taken back since would let an app in without a question.
        "delete from remembered_consent where tenant_id = $1",
        // How many apps each may still register, nobody knows.
        "delete from registration_token where tenant_id = $1",
    ]
    .into_iter()
    .zip(&mut gone)
    {
        *gone = change!(conn, sqlx::query(statement).bind(tenant))?;
    }
    let [flows, launches, decisions, registration_tokens] = gone;
    Ok(Ended { sessions, flows, launches, grants, decisions, registration_tokens, keys: 0 })
}

/// As [`Store::revoke_key`](super::Store::revoke_key) does, but for those that sign the audit trail, which say nothing of tokens.
async fn end_keys(conn: &mut Conn<'_>, origin: &Origin) -> Result<u64, Error> {
    let statement = "update signing_key
                        set revoked_at = $2, removed_at = $2, retired_at = coalesce(retired_at, $2), sealed = ''
                      where tenant_id = $1 and purpose in ('access', 'id') and revoked_at is null";
    Ok(change!(conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(seconds(origin.now)))?)
}

impl Ended {
    fn and(self, other: Self) -> Self {
        Self {
            sessions: self.sessions + other.sessions,
            flows: self.flows + other.flows,
            launches: self.launches + other.launches,
            grants: self.grants + other.grants,
            decisions: self.decisions + other.decisions,
            registration_tokens: self.registration_tokens + other.registration_tokens,
            keys: self.keys + other.keys,
        }
    }
}
