//! Failed sign-ins: what an account and an address owe before the next try.
//!
//! A try is charged before the password is looked at, in the same statement that says whether it
//! may be: a hundred tries at once are a hundred charges and a handful of looks.

use sqlx::FromRow;
use time::Duration;

use super::audit::record;
use super::{Conn, Error, Store, change, on, read, seconds};
use crate::audit::{Entry, Origin};
use crate::clock::{from_micros, micros};
use crate::id::UserId;
use crate::secret::Digest;

/// So many failures cost nothing.
const FREE_FAILURES: i64 = 5;
/// At so many within a day, the account waits for the next day.
const DAILY_FAILURES: i64 = 100;
const DAY: Duration = Duration::days(1);
/// From one network, so many failures in a minute, and so many different accounts in ten, are
/// everybody's own mistakes; more are an attack. A failure that its owner made good by signing in
/// is taken off the books, and a try that had to wait is not put on them: a hospital behind one
/// address is not shut out by its own people, and never for longer than these ten minutes at once.
const ADDRESS_FAILURES: i64 = 16;
const ADDRESS_FAILURES_IN: Duration = Duration::minutes(1);
const ADDRESS_ACCOUNTS: i64 = 20;
const ADDRESS_ACCOUNTS_IN: Duration = Duration::minutes(10);

/// Someone wants to sign in.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Digest of the canonical user name, whether or not there is such an account.
    pub account: Digest,
    /// The IPv4 /24 or IPv6 /64 that they come from.
    pub network: String,
}

/// Whether the password may be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowance {
    /// It may; a failure is already counted.
    Granted,
    /// The account has to wait: the answer is the same as for a wrong password.
    AccountWaits,
    /// The address has to wait: 429.
    AddressWaits(Duration),
}

/// The person signed in after all: nothing is held against the account any more, nor against the
/// network for it.
pub(super) async fn forgive(conn: &mut Conn<'_>, origin: &Origin, attempt: &Attempt) -> Result<(), Error> {
    let statement = "delete from login_throttle where tenant_id = $1 and account = $2";
    change!(&mut *conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(attempt.account.as_str()))?;
    let statement = "delete from login_failure where tenant_id = $1 and address = $2 and account = $3";
    change!(&mut *conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(&attempt.network).bind(attempt.account.as_str()))?;
    Ok(())
}

#[derive(FromRow)]
struct Row {
    failures: i64,
    locked_until: i64,
    first_at: i64,
}

/// How long an account waits after its n-th failure.
fn delay(failures: i64) -> i64 {
    match failures {
        ..FREE_FAILURES => 0,
        FREE_FAILURES..9 => 3,
        9..25 => 5,
        25..DAILY_FAILURES => 10,
        DAILY_FAILURES.. => DAY.whole_seconds(),
    }
}

impl Store {
    /// Charges a try, to its network and to its account.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn charge_attempt(&self, origin: &Origin, attempt: &Attempt) -> Result<Allowance, Error> {
        let (origin, attempt) = (origin.clone(), attempt.clone());
        self.write(move |mut conn| {
            Box::pin(async move {
                let now = seconds(origin.now);
                // Takes the network's row first: whoever comes from there at the same time waits for
                // this charge, and then counts it.
                touch(&mut conn, &origin, &network_lock(&attempt)).await?;
                if let Some(wait) = network_waits(&mut conn, &origin, &attempt).await? {
                    return Ok(Allowance::AddressWaits(wait));
                }
                let statement =
                    "insert into login_failure (tenant_id, address, account, at_us) values ($1, $2, $3, $4) on conflict do nothing";
                change!(
                    &mut conn,
                    sqlx::query(statement)
                        .bind(origin.tenant.as_str())
                        .bind(&attempt.network)
                        .bind(attempt.account.as_str())
                        .bind(micros(origin.now))
                )?;
                let row = touch(&mut conn, &origin, attempt.account.as_str()).await?;
                if row.locked_until > now {
                    return Ok(Allowance::AccountWaits);
                }
                let is_old = now - row.first_at >= DAY.whole_seconds();
                let failures = if is_old { 1 } else { row.failures + 1 };
                let statement =
                    "update login_throttle set failures = $3, first_at = $4, locked_until = $5 where tenant_id = $1 and account = $2";
                change!(
                    &mut conn,
                    sqlx::query(statement)
                        .bind(origin.tenant.as_str())
                        .bind(attempt.account.as_str())
                        .bind(failures)
                        .bind(if is_old { now } else { row.first_at })
                        .bind(now + delay(failures))
                )?;
                Ok(Allowance::Granted)
            })
        })
        .await
    }

    /// Writes down that a sign-in failed, and why. It is charged already.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn record_failure(&self, origin: &Origin, user: Option<UserId>, why: &'static str) -> Result<(), Error> {
        let mut entry = Entry::refused("login").detail(why);
        entry.user = user;
        self.audit(origin, entry).await
    }

    /// Takes a charge back: nobody looked at the password, because there was too much to do.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn refund_attempt(&self, origin: &Origin, attempt: &Attempt, user: Option<UserId>) -> Result<(), Error> {
        let (origin, attempt) = (origin.clone(), attempt.clone());
        self.write(move |mut conn| {
            Box::pin(async move {
                // It was let in, so there was no lock; the one that the charge set goes with it.
                let statement = "update login_throttle set failures = failures - 1, locked_until = 0
                                  where tenant_id = $1 and account = $2 and failures > 0";
                change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(attempt.account.as_str()))?;
                let statement = "delete from login_failure where tenant_id = $1 and address = $2 and account = $3 and at_us = $4";
                change!(
                    &mut conn,
                    sqlx::query(statement)
                        .bind(origin.tenant.as_str())
                        .bind(&attempt.network)
                        .bind(attempt.account.as_str())
                        .bind(micros(origin.now))
                )?;
                let mut entry = Entry::refused("login").detail("too many sign-ins at once");
                entry.user = user;
                record(&mut conn, &origin, entry).await
            })
        })
        .await
    }

    /// How often an account was tried since its last success: for an administrator, and for tests.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn attempts(&self, origin: &Origin, account: &Digest) -> Result<i64, Error> {
        let statement = "select attempts from login_throttle where tenant_id = $1 and account = $2";
        let attempts: Option<i64> = read!(self, c => sqlx::query_scalar(statement)
            .bind(origin.tenant.as_str())
            .bind(account.as_str())
            .fetch_optional(c))?;
        Ok(attempts.unwrap_or(0))
    }
}

/// The row that those who come from one network take in turn. No digest looks like it.
fn network_lock(attempt: &Attempt) -> String {
    format!("network {}", attempt.network)
}

/// Takes the row of this name, making it where it is not there, and counts the try.
async fn touch(conn: &mut Conn<'_>, origin: &Origin, name: &str) -> Result<Row, Error> {
    let statement = "insert into login_throttle (tenant_id, account, attempts, failures, first_at, locked_until)
                     values ($1, $2, 1, 0, $3, 0)
                     on conflict (tenant_id, account) do update set attempts = login_throttle.attempts + 1
                     returning failures, locked_until, first_at";
    Ok(on!(conn, c => sqlx::query_as(statement).bind(origin.tenant.as_str()).bind(name).bind(seconds(origin.now)).fetch_one(c))?)
}

/// How long a network has to wait, if it has to: until enough of its failures are old.
async fn network_waits(conn: &mut Conn<'_>, origin: &Origin, attempt: &Attempt) -> Result<Option<Duration>, Error> {
    let statement = "select at_us
                       from login_failure
                      where tenant_id = $1 and address = $2 and at_us > $3
                      order by at_us desc
                      limit 1 offset $4";
    let by_number = deciding_failure(conn, origin, attempt, statement, ADDRESS_FAILURES_IN, ADDRESS_FAILURES - 1).await?;
    let statement = "select max(at_us) as at_us
                       from login_failure
                      where tenant_id = $1 and address = $2 and at_us > $3
                      group by account
                      order by at_us desc
                      limit 1 offset $4";
    let by_accounts = deciding_failure(conn, origin, attempt, statement, ADDRESS_ACCOUNTS_IN, ADDRESS_ACCOUNTS).await?;
    Ok(by_number.max(by_accounts))
}

/// How long it takes until the failure at this place in the order, newest first, is older than
/// `window`; `None` where there are not so many.
async fn deciding_failure(
    conn: &mut Conn<'_>,
    origin: &Origin,
    attempt: &Attempt,
    statement: &'static str,
    window: Duration,
    place: i64,
) -> Result<Option<Duration>, Error> {
    let at: Option<i64> = on!(conn, c => sqlx::query_scalar(statement)
        .bind(origin.tenant.as_str())
        .bind(&attempt.network)
        .bind(micros(origin.now - window))
        .bind(place)
        .fetch_optional(c))?;
    Ok(at.map(|at| from_micros(at) + window - origin.now))
}
