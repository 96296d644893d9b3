//! Refresh tokens: each is good once, and a used one that comes back ends the whole family.
//!
//! For a short while after its rotation, and until its successor is used, the parent gives the
//! *same* successor again: a phone whose answer was lost, a browser app with two tabs. The
//! successor follows from the parent and a random salt on the parent's row, so that neither the
//! store nor a server key could make one. The row goes when the successor is used, or by
//! [`Store::purge`] once the while is over: a family has two rows at most, however often and for
//! however long it is refreshed. A token whose row is gone is known by its family.

use sqlx::FromRow;
use time::{Duration, OffsetDateTime};

use super::audit::record;
use super::grant::{Row as GrantRow, insert_refresh, record_token, revoke};
use super::{Conn, Error, Store, change, on, read, seconds, time};
use crate::audit::{Entry, Origin};
use crate::client::Client;
use crate::grant::{Grant, Refresh};
use crate::id::{ClientId, GrantId, TenantId};
use crate::secret::{RefreshToken, nonce};

/// A refresh token that a client presents.
#[derive(Debug)]
pub struct RotationRequest {
    /// Who presents it.
    pub client_id: ClientId,
    /// The token.
    pub presented: RefreshToken,
    /// For how long after its rotation it still gives its successor.
    pub grace: Duration,
    /// The random half of the new access token's `jti`.
    pub jti: String,
}

/// What became of it.
#[derive(Debug)]
pub enum Rotation {
    /// It was good; this is its successor, and the grant that both belong to.
    Done(Box<Grant>, RefreshToken),
    /// It had been used before: the family has been revoked (RFC 9700 §4.14.2).
    Reused,
    /// Unknown, expired, revoked, or another client's.
    Refused,
}

#[derive(FromRow)]
struct Row {
    grant_id: String,
    client_id: String,
    rotated_at: Option<i64>,
    successor_salt: Option<String>,
    /// Whether the family can still be refreshed: by this token, or by the one that came of it.
    is_live: i64,
}

impl Store {
    /// Whose refresh token this is, whether or not it is still good.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn client_of_refresh_token(&self, tenant: &TenantId, token: &RefreshToken) -> Result<Option<Client>, Error> {
        match self.grant_of_anyones_refresh_token(tenant, token).await? {
            Some((_, client)) => self.client(tenant, &client).await,
            None => Ok(None),
        }
    }

    /// The grant behind a client's refresh token, whether or not the token is still good.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn grant_of_refresh_token(&self, tenant: &TenantId, client: &ClientId, token: &RefreshToken) -> Result<Option<Grant>, Error> {
        let statement = "select g.grant_id, g.client_id, g.user_id, g.session_id, g.fhir_base, g.audience, g.scopes, g.patient_id,
                                g.encounter_id, g.fhir_user, g.nonce, g.auth_time, g.created_at, g.refresh, g.refresh_expires_at,
                                g.launch_context, emergency_reason
                           from access_grant g
                          where g.tenant_id = $1 and g.client_id = $3
                            and g.grant_id = coalesce((select r.grant_id from refresh_token r where r.tenant_id = $1 and r.digest = $2),
                                                      (select f.grant_id from access_grant f where f.tenant_id = $1 and f.refresh_family = $4))";
        let row: Option<GrantRow> = read!(self, c => sqlx::query_as(statement)
            .bind(tenant.as_str())
            .bind(token.digest().as_str())
            .bind(client.as_str())
            .bind(token.family().as_str())
            .fetch_optional(c))?;
        row.map(Grant::try_from).transpose()
    }

    /// The grant of a refresh token and its client, whosever it is: for the books, when somebody else presents it.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn grant_of_anyones_refresh_token(
        &self,
        tenant: &TenantId,
        token: &RefreshToken,
    ) -> Result<Option<(GrantId, ClientId)>, Error> {
        let statement = "select g.grant_id, g.client_id
                           from access_grant g
                          where g.tenant_id = $1
                            and g.grant_id = coalesce((select r.grant_id from refresh_token r where r.tenant_id = $1 and r.digest = $2),
                                                      (select f.grant_id from access_grant f where f.tenant_id = $1 and f.refresh_family = $3))";
        let ids: Option<(String, String)> = read!(self, c => sqlx::query_as(statement)
            .bind(tenant.as_str())
            .bind(token.digest().as_str())
            .bind(token.family().as_str())
            .fetch_optional(c))?;
        Ok(ids.map(|(grant, client)| (GrantId::new(grant), ClientId::new(client))))
    }

    /// The grant and the end of a client's refresh token that could be used now.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn live_refresh_token(
        &self,
        origin: &Origin,
        client: &ClientId,
        token: &RefreshToken,
    ) -> Result<Option<(Grant, OffsetDateTime)>, Error> {
        let statement = "select r.expires_at
                           from refresh_token r
                           join access_grant g on g.tenant_id = r.tenant_id and g.grant_id = r.grant_id
                           join user_account u on u.tenant_id = g.tenant_id and u.user_id = g.user_id
                          where r.tenant_id = $1 and r.digest = $2 and r.rotated_at is null and r.expires_at > $3
                            and g.revoked_at is null and u.disabled_at is null
                            and (g.refresh <> 'online' or g.session_id is null
                                 or exists (select 1 from session s
                                             where s.tenant_id = g.tenant_id and s.session_id = g.session_id and s.ended_at is null
                                               and s.expires_at > $3 and s.seen_at + s.idle_life > $3))";
        let expires_at: Option<i64> = read!(self, c => sqlx::query_scalar(statement)
            .bind(origin.tenant.as_str())
            .bind(token.digest().as_str())
            .bind(seconds(origin.now))
            .fetch_optional(c))?;
        let Some(expires_at) = expires_at else { return Ok(None) };
        let expires_at = time("refresh_token", "expires_at", expires_at)?;
        Ok(self.grant_of_refresh_token(&origin.tenant, client, token).await?.map(|grant| (grant, expires_at)))
    }

    /// Rotates a refresh token. The `update` is the lock: of any number of concurrent callers one
    /// makes the successor.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn rotate(&self, origin: &Origin, request: RotationRequest) -> Result<Rotation, Error> {
        let origin = origin.clone();
        self.write(move |mut conn| {
            Box::pin(async move {
                let presented = request.presented.digest();
                let salt = nonce();
                let now = seconds(origin.now);
                // The grant is looked up from the token: `grant_id in (…)` would list all of the client's.
                // What is rotated ends with its grace.
                let statement = "update refresh_token
                                    set rotated_at = $3, successor_salt = $4, expires_at = case when expires_at < $6 then expires_at else $6 end
                                  where tenant_id = $1 and digest = $2 and rotated_at is null and expires_at > $3
                                    and exists (select 1
                                                  from access_grant g
                                                  join user_account u on u.tenant_id = g.tenant_id and u.user_id = g.user_id
                                                 where g.tenant_id = $1 and g.grant_id = refresh_token.grant_id and g.client_id = $5
                                                   and g.revoked_at is null and u.disabled_at is null)
                              returning grant_id, parent_digest";
                let claimed: Option<(String, Option<String>)> = on!(&mut conn, c => sqlx::query_as(statement)
                    .bind(origin.tenant.as_str())
                    .bind(presented.as_str())
                    .bind(now)
                    .bind(&salt)
                    .bind(request.client_id.as_str())
                    .bind(seconds(origin.now + request.grace))
                    .fetch_optional(c))?;
                let Some((grant, parent)) = claimed else { return not_claimed(&mut conn, &origin, &request).await };
                let grant = load(&mut conn, &origin, &GrantId::new(grant)).await?;
                if !session_allows(&mut conn, &origin, &grant).await? {
                    revoke(&mut conn, &origin, &grant.id, "session ended", Entry::refused("token.refreshed").client(&grant.client_id))
                        .await?;
                    return Ok(Rotation::Refused);
                }
                if request.presented.is_without_family() {
                    // Its parent is of another family, so to say: it is known by its own row alone, which stays.
                    let statement = "update access_grant set refresh_family = $3 where tenant_id = $1 and grant_id = $2";
                    let family = request.presented.family();
                    change!(
                        &mut conn,
                        sqlx::query(statement).bind(origin.tenant.as_str()).bind(grant.id.as_str()).bind(family.as_str())
                    )?;
                } else if let Some(parent) = parent {
                    // This token is used now: its parent gives it no more.
                    let statement = "delete from refresh_token where tenant_id = $1 and digest = $2";
                    change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(&parent))?;
                }
                let successor = request.presented.successor(&salt);
                insert_refresh(&mut conn, &origin, &grant, &successor.digest(), Some(&presented)).await?;
                record_token(&mut conn, &origin, "token.refreshed", &grant, &request.jti).await?;
                Ok(Rotation::Done(Box::new(grant), successor))
            })
        })
        .await
    }
}

/// The token was not there to be taken: unknown, another client's, too old, or used before.
async fn not_claimed(conn: &mut Conn<'_>, origin: &Origin, request: &RotationRequest) -> Result<Rotation, Error> {
    let refused = Entry::refused("token.refreshed").client(&request.client_id);
    let Some(row) = look(conn, origin, &request.presented).await? else {
        record(conn, origin, refused.detail("unknown token")).await?;
        return Ok(Rotation::Refused);
    };
    let grant = &GrantId::new(row.grant_id);
    let refused = refused.grant(grant);
    if row.client_id != request.client_id.as_str() {
        record(conn, origin, refused.detail("another client's token")).await?;
        return Ok(Rotation::Refused);
    }
    let Some(rotated_at) = row.rotated_at.filter(|_| row.is_live > 0) else {
        record(conn, origin, refused.detail("expired or revoked")).await?;
        return Ok(Rotation::Refused);
    };
    // Of two at once, one may have come a second before the other was done: that is no grace where there is none.
    let in_grace = (seconds(origin.now) - rotated_at).max(0) < request.grace.whole_seconds();
    let Some(salt) = row.successor_salt.filter(|_| in_grace) else {
        revoke(conn, origin, grant, "refresh token reused", Entry::refused("refresh.reuse").client(&request.client_id)).await?;
        return Ok(Rotation::Reused);
    };
    let grant = load(conn, origin, grant).await?;
    if !session_allows(conn, origin, &grant).await? {
        record(conn, origin, refused.detail("session ended")).await?;
        return Ok(Rotation::Refused);
    }
    record_token(conn, origin, "token.refreshed", &grant, &request.jti).await?;
    Ok(Rotation::Done(Box::new(grant), request.presented.successor(&salt)))
}

/// What is known of a token: by its own row, or where that is gone, as a used one of its family.
async fn look(conn: &mut Conn<'_>, origin: &Origin, token: &RefreshToken) -> Result<Option<Row>, Error> {
    let statement = "select g.grant_id, g.client_id, r.successor_salt,
                            case when r.digest is null then g.created_at else r.rotated_at end as rotated_at,
                            (select count(*)
                               from user_account u
                              where u.tenant_id = g.tenant_id and u.user_id = g.user_id and u.disabled_at is null and g.revoked_at is null
                                and exists (select 1 from refresh_token n
                                             where n.tenant_id = g.tenant_id and n.grant_id = g.grant_id and n.rotated_at is null
                                               and +n.expires_at > $3)) as is_live
                       from access_grant g
                       left join refresh_token r on r.tenant_id = g.tenant_id and r.digest = $2
                      where g.tenant_id = $1
                        and g.grant_id = coalesce((select o.grant_id from refresh_token o where o.tenant_id = $1 and o.digest = $2),
                                                  (select f.grant_id from access_grant f where f.tenant_id = $1 and f.refresh_family = $4))";
    Ok(on!(conn, c => sqlx::query_as(statement)
        .bind(origin.tenant.as_str())
        .bind(token.digest().as_str())
        .bind(seconds(origin.now))
        .bind(token.family().as_str())
        .fetch_optional(c))?)
}

async fn load(conn: &mut Conn<'_>, origin: &Origin, id: &GrantId) -> Result<Grant, Error> {
    let statement = "select grant_id, client_id, user_id, session_id, fhir_base, audience, scopes, patient_id, encounter_id,
                            fhir_user, nonce, auth_time, created_at, refresh, refresh_expires_at, launch_context, emergency_reason
                       from access_grant
                      where tenant_id = $1 and grant_id = $2";
    let row: GrantRow = on!(conn, c => sqlx::query_as(statement).bind(origin.tenant.as_str()).bind(id.as_str()).fetch_one(c))?;
    row.try_into()
}

/// `online_access` lives as long as its session.
async fn session_allows(conn: &mut Conn<'_>, origin: &Origin, grant: &Grant) -> Result<bool, Error> {
    let (Some(Refresh::Online), Some(session)) = (grant.refresh, &grant.session_id) else { return Ok(true) };
    let statement = "select count(*) from session
                      where tenant_id = $1 and session_id = $2 and ended_at is null and expires_at > $3 and seen_at + idle_life > $3";
    let count: i64 = on!(conn, c => sqlx::query_scalar(statement)
        .bind(origin.tenant.as_str())
        .bind(session.as_str())
        .bind(seconds(origin.now))
        .fetch_one(c))?;
    Ok(count > 0)
}
