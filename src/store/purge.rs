//! Forgets what can no longer matter, a little at a time. `docs/retention.md` says what is kept for how long, and why.

use serde_json::{Map, Value};
use time::Duration;

use super::{Error, Store, change, on, seconds};
use crate::audit::Origin;
use crate::clock::micros;

/// How many rows go in one transaction: whoever writes meanwhile waits some milliseconds for it at most, and what fails
/// half-way has done all but its last ones. It stands in the statements as well: a plan for any number reads whole tables.
const BATCH: u64 = 100;

/// What goes by a time of its own: the statement that takes some of it, and for how long it is kept after that time. The
/// condition stands in it twice: what is renewed meanwhile stays.
const KINDS: [(&str, Duration); 10] = [
    (
        "delete from flow
          where tenant_id = $1 and +expires_at < $2
            and flow_id in (select flow_id from flow where tenant_id = $1 and expires_at < $2 limit 100)",
        CLOCKS,
    ),
    // A request that it opened has a life of its own.
    (
        "delete from launch
          where tenant_id = $1 and +expires_at < $2
            and launch_id in (select launch_id from launch where tenant_id = $1 and expires_at < $2 limit 100)",
        Duration::hours(2),
    ),
    (
        "delete from session
          where tenant_id = $1 and +expires_at < $2
            and session_id in (select session_id from session where tenant_id = $1 and expires_at < $2 limit 100)",
        CLOCKS,
    ),
    (
        "delete from remembered_consent
          where tenant_id = $1 and +expires_at < $2
            and (client_id, user_id, fhir_base, patient_id) in
                (select client_id, user_id, fhir_base, patient_id from remembered_consent where tenant_id = $1 and expires_at < $2 limit 100)",
        Duration::ZERO,
    ),
    (
        "delete from revoked_token
          where tenant_id = $1 and +expires_at < $2
            and jti in (select jti from revoked_token where tenant_id = $1 and expires_at < $2 limit 100)",
        Duration::DAY,
    ),
    // A clock that is ahead must not open the way to a replay for the others.
    (
        "delete from client_assertion
          where tenant_id = $1 and +expires_at < $2
            and (client_id, jti) in (select client_id, jti from client_assertion where tenant_id = $1 and expires_at < $2 limit 100)",
        Duration::DAY,
    ),
    // An administrator's list says of it that it has expired.
    (
        "delete from registration_token
          where tenant_id = $1 and +expires_at < $2
            and token_id in (select token_id from registration_token where tenant_id = $1 and expires_at < $2 limit 100)",
        Duration::DAY,
    ),
    // No refresh token ever came of it. Whom somebody opened last is read from it as well.
    (
        "delete from access_grant
          where tenant_id = $1
            and grant_id in (select grant_id from access_grant
                              where tenant_id = $1 and (refresh is null or code_used_at is null) and code_expires_at < $2 limit 100)",
        Duration::DAY,
    ),
    // What is presented after the end is told from what never was.
    (
        "delete from access_grant
          where tenant_id = $1
            and grant_id in (select grant_id from access_grant where tenant_id = $1 and revoked_at is not null and revoked_at < $2 limit 100)",
        Duration::days(30),
    ),
    // After a day a row counts as new, and its lock lasts for another day at most.
    (
        "delete from login_throttle
          where tenant_id = $1 and +first_at < $2
            and account in (select account from login_throttle where tenant_id = $1 and first_at < $2 limit 100)",
        Duration::days(2),
    ),
];

/// By so much an instance's clock may be ahead of the others', and what it forgets is over for them as well.
const CLOCKS: Duration = Duration::HOUR;
/// No window in which failed sign-ins are counted is longer than ten minutes.
const FAILURES: Duration = Duration::hours(2);

impl Store {
    /// Forgets what can no longer matter. Everybody else writes in between; where it fails, the next one goes on. Returns
    /// how many rows went.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn purge(&self, origin: &Origin) -> Result<u64, Error> {
        let mut gone = 0;
        for (statement, kept) in KINDS {
            gone += self.purge_kind(origin, statement, seconds(origin.now - kept)).await?;
        }
        let statement = "delete from login_failure
                          where tenant_id = $1 and +at_us < $2
                            and (address, at_us, account) in
                                (select address, at_us, account from login_failure where tenant_id = $1 and at_us < $2 limit 100)";
        gone += self.purge_kind(origin, statement, micros(origin.now - FAILURES)).await?;
        Ok(gone + self.purge_refresh_tokens(origin).await?)
    }

    async fn purge_kind(&self, origin: &Origin, statement: &'static str, before: i64) -> Result<u64, Error> {
        let mut all = 0;
        loop {
            let tenant = origin.tenant.clone();
            let gone = self.write(move |mut conn| {
                Box::pin(async move { Ok(change!(&mut conn, sqlx::query(statement).bind(tenant.as_str()).bind(before))?) })
            });
            let gone = gone.await?;
            all += gone;
            if gone < BATCH {
                return Ok(all);
            }
        }
    }

    /// Refresh tokens whose time or grace is over, and with the last one of a family its grant: nothing can come of it any more.
    async fn purge_refresh_tokens(&self, origin: &Origin) -> Result<u64, Error> {
        let mut all = 0;
        loop {
            let (tenant, before) = (origin.tenant.clone(), seconds(origin.now - CLOCKS));
            let gone = self.write(move |mut conn| {
                Box::pin(async move {
                    let statement = "delete from refresh_token
                                      where tenant_id = $1 and +expires_at < $2
                                        and digest in (select digest from refresh_token where tenant_id = $1 and expires_at < $2 limit 100)
                                  returning grant_id";
                    let grants: Vec<String> = on!(&mut conn, c => sqlx::query_scalar(statement)
                        .bind(tenant.as_str())
                        .bind(before)
                        .fetch_all(c))?;
                    let tokens = grants.len() as u64;
                    let names: Map<String, Value> = grants.into_iter().map(|grant| (grant, Value::Null)).collect();
                    let statement = "delete from access_grant
                                      where tenant_id = $1 and grant_id in (select key from json_each(json($2)))
                                        and not exists (select 1 from refresh_token r
                                                         where r.tenant_id = $1 and r.grant_id = access_grant.grant_id)";
                    let names = Value::Object(names).to_string();
                    let grants = change!(&mut conn, sqlx::query(statement).bind(tenant.as_str()).bind(&names))?;
                    Ok((tokens, grants))
                })
            });
            let (tokens, grants) = gone.await?;
            all += tokens + grants;
            if tokens < BATCH {
                return Ok(all);
            }
        }
    }
}
