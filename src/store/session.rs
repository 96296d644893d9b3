//! Browser sessions.

use sqlx::FromRow;
use time::{Duration, OffsetDateTime};

use super::audit::record;
use super::throttle::{self, Attempt};
use super::{Conn, Error, Store, change, on, read, seconds, time, user};
use crate::audit::{Entry, Origin};
use crate::id::{FlowId, SessionId, TenantId, UserId};
use crate::person::{SignedIn, User};
use crate::secret::Digest;

/// A sign-in that has just succeeded.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Its public name, the `sid` of ID tokens.
    pub id: SessionId,
    /// Of the cookie's value.
    pub digest: Digest,
    /// Who signed in.
    pub user: User,
    /// The hash that their password was compared with.
    pub password_hash: String,
    /// The try that succeeded: what was held against the account is forgiven.
    pub attempt: Attempt,
    /// The flow that the person signed in for, and when it ends if nothing more happens; none for
    /// a page of ours.
    pub flow: Option<(FlowId, OffsetDateTime)>,
    /// The session that this browser had before; it ends.
    pub replaces: Option<SessionId>,
}

/// A person's most recent sessions that are kept; older ones end.
const MAX_SESSIONS: i64 = 10;
/// How many dead sessions are closed in one transaction, as the statement says as well; each is several statements.
const DEAD_AT_ONCE: usize = 20;
/// How often a session's last use is written down.
const TOUCH_EVERY: Duration = Duration::minutes(1);

#[derive(FromRow)]
struct Row {
    session_id: String,
    auth_time: i64,
    seen_at: i64,
    #[sqlx(flatten)]
    user: user::Row,
}

/// A session that has just ended.
#[derive(FromRow)]
struct Ended {
    session_id: String,
    user_id: String,
}

impl Store {
    /// Starts a session: the flow learns who it is, the failed sign-ins are forgotten, and a
    /// session that the browser had before ends (a new id on every change of subject). `false`
    /// where the password was changed or the account switched off since it was looked at.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn start_session(&self, origin: &Origin, new: NewSession) -> Result<bool, Error> {
        let origin = origin.clone();
        self.write(move |mut conn| {
            Box::pin(async move {
                let tenant = origin.tenant.as_str();
                let now = seconds(origin.now);
                let (idle, life) = new.user.session_lives();
                // Takes the account's row, which a change of the password takes as well: one of the two
                // waits, and then sees what the other did.
                let statement = "update user_account set password_hash = password_hash
                                  where tenant_id = $1 and user_id = $2 and password_hash = $3 and disabled_at is null";
                let proven = change!(&mut conn, sqlx::query(statement).bind(tenant).bind(new.user.id.as_str()).bind(&new.password_hash))?;
                if proven == 0 {
                    return Ok(false);
                }
                let statement = "insert into session (tenant_id, session_id, digest, user_id, auth_time, seen_at, idle_life, expires_at)
                                 values ($1, $2, $3, $4, $5, $5, $6, $7)";
                change!(
                    &mut conn,
                    sqlx::query(statement)
                        .bind(tenant)
                        .bind(new.id.as_str())
                        .bind(new.digest.as_str())
                        .bind(new.user.id.as_str())
                        .bind(now)
                        .bind(idle.whole_seconds())
                        .bind(now + life.whole_seconds())
                )?;
                // First the one that makes room, so that no other has to.
                if let Some(old) = &new.replaces {
                    let statement = "update session set ended_at = $3
                                      where tenant_id = $1 and session_id = $2 and ended_at is null
                                  returning session_id, user_id";
                    let ended = on!(&mut conn, c => sqlx::query_as(statement).bind(tenant).bind(old.as_str()).bind(now).fetch_all(c))?;
                    follow_ends(&mut conn, &origin, ended, "replaced by another sign-in").await?;
                }
                // Those that died of themselves take no place.
                let statement = "update session set ended_at = $3
                                  where tenant_id = $1 and user_id = $2 and ended_at is null
                                    and +expires_at > $3 and seen_at + idle_life > $3
                                    and session_id not in (select session_id from session
                                                            where tenant_id = $1 and user_id = $2 and ended_at is null
                                                              and +expires_at > $3 and seen_at + idle_life > $3
                                                            order by auth_time desc, session_id desc
                                                            limit $4)
                              returning session_id, user_id";
                let ended = on!(&mut conn, c => sqlx::query_as(statement)
                    .bind(tenant)
                    .bind(new.user.id.as_str())
                    .bind(now)
                    .bind(MAX_SESSIONS)
                    .fetch_all(c))?;
                follow_ends(&mut conn, &origin, ended, "too many sessions").await?;
                throttle::forgive(&mut conn, &origin, &new.attempt).await?;
                if let Some((flow, expires_at)) = &new.flow {
                    // Facts of another person do not carry over.
                    let statement = "update flow
                                        set patient_id = case when user_id = $4 then patient_id end,
                                            emergency_reason = case when user_id = $4 then emergency_reason end,
                                            encounter_id = case when user_id = $4 then encounter_id end,
                                            no_encounter_at = case when user_id = $4 then no_encounter_at end,
                                            approved_scopes = null,
                                            session_id = $3, user_id = $4, expires_at = $5
                                      where tenant_id = $1 and flow_id = $2 and finished_at is null";
                    change!(
                        &mut conn,
                        sqlx::query(statement)
                            .bind(tenant)
                            .bind(flow.as_str())
                            .bind(new.id.as_str())
                            .bind(new.user.id.as_str())
                            .bind(seconds(*expires_at))
                    )?;
                }
                record(&mut conn, &origin, Entry::done("login").user(&new.user.id).session(&new.id)).await?;
                Ok(true)
            })
        })
        .await
    }

    /// The live session behind a cookie, and whose it is.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn session(&self, tenant: &TenantId, digest: &Digest, now: OffsetDateTime) -> Result<Option<SignedIn>, Error> {
        let statement =
            "select s.session_id, s.auth_time, s.seen_at, u.user_id, u.username, u.display_name, u.fhir_user, u.disabled_at, u.created_at
                           from session s
                           join user_account u on u.tenant_id = s.tenant_id and u.user_id = s.user_id
                          where s.tenant_id = $1 and s.digest = $2 and s.ended_at is null and s.expires_at > $3
                            and s.seen_at + s.idle_life > $3 and u.disabled_at is null";
        let row: Option<Row> = read!(self, c => sqlx::query_as(statement)
            .bind(tenant.as_str())
            .bind(digest.as_str())
            .bind(seconds(now))
            .fetch_optional(c))?;
        row.map(|row| {
            Ok(SignedIn {
                session_id: SessionId::new(row.session_id),
                auth_time: time("session", "auth_time", row.auth_time)?,
                seen_at: time("session", "seen_at", row.seen_at)?,
                user: row.user.try_into()?,
            })
        })
        .transpose()
    }

    /// Notes that a person used their session, at most once a minute.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn touch_session(&self, origin: &Origin, signed_in: &SignedIn) -> Result<(), Error> {
        if origin.now - signed_in.seen_at < TOUCH_EVERY {
            return Ok(());
        }
        let (origin, id) = (origin.clone(), signed_in.session_id.clone());
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement =
                    "update session set seen_at = $3 where tenant_id = $1 and session_id = $2 and seen_at < $3 and ended_at is null";
                change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(id.as_str()).bind(seconds(origin.now)))?;
                Ok(())
            })
        })
        .await
    }

    /// Writes down which sessions have died of themselves, by rest or by age, and ends what apps
    /// were allowed for as long as they lasted. Returns how many there were.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn end_dead_sessions(&self, origin: &Origin) -> Result<usize, Error> {
        let mut count = 0;
        loop {
            let ended = self.end_some_dead_sessions(origin).await?;
            count += ended;
            if ended < DEAD_AT_ONCE {
                return Ok(count);
            }
        }
    }

    async fn end_some_dead_sessions(&self, origin: &Origin) -> Result<usize, Error> {
        let origin = origin.clone();
        self.write(move |mut conn| {
            Box::pin(async move {
                // The condition stands twice: whoever comes back meanwhile keeps their session.
                let statement = "update session set ended_at = $2
                                  where tenant_id = $1 and ended_at is null and (expires_at <= $2 or seen_at + idle_life <= $2)
                                    and session_id in
                                        (select session_id
                                           from session
                                          where tenant_id = $1 and ended_at is null
                                            and case when seen_at + idle_life < expires_at then seen_at + idle_life else expires_at end <= $2
                                          limit 20)
                              returning session_id, user_id";
                let ended: Vec<Ended> = on!(&mut conn, c => sqlx::query_as(statement)
                    .bind(origin.tenant.as_str())
                    .bind(seconds(origin.now))
                    .fetch_all(c))?;
                let count = ended.len();
                follow_ends(&mut conn, &origin, ended, "timeout").await?;
                Ok(count)
            })
        })
        .await
    }

    /// Ends a session, and what apps were allowed for as long as it lasted.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn end_session(&self, origin: &Origin, signed_in: &SignedIn) -> Result<(), Error> {
        let (origin, signed_in) = (origin.clone(), signed_in.clone());
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "update session set ended_at = $3 where tenant_id = $1 and session_id = $2 and ended_at is null";
                let ended = change!(
                    &mut conn,
                    sqlx::query(statement).bind(origin.tenant.as_str()).bind(signed_in.session_id.as_str()).bind(seconds(origin.now))
                )?;
                if ended == 0 {
                    return Ok(());
                }
                end_online_grants(&mut conn, &origin, &signed_in.session_id).await?;
                record(&mut conn, &origin, Entry::done("logout").user(&signed_in.user.id).session(&signed_in.session_id)).await
            })
        })
        .await
    }
}

/// What follows when a session ends without its person's saying so.
async fn follow_ends(conn: &mut Conn<'_>, origin: &Origin, ended: Vec<Ended>, why: &'static str) -> Result<(), Error> {
    for Ended { session_id, user_id } in ended {
        let session = SessionId::new(session_id);
        end_online_grants(conn, origin, &session).await?;
        record(conn, origin, Entry::done("session.ended").user(&UserId::new(user_id)).session(&session).detail(why)).await?;
    }
    Ok(())
}

async fn end_online_grants(conn: &mut Conn<'_>, origin: &Origin, session: &SessionId) -> Result<(), Error> {
    let statement = "update access_grant set revoked_at = $3, revoked_why = 'session ended'
                      where tenant_id = $1 and session_id = $2 and refresh = 'online' and revoked_at is null";
    change!(conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(session.as_str()).bind(seconds(origin.now)))?;
    Ok(())
}
