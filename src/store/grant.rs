//! Grants and their codes.

use sqlx::FromRow;
use time::OffsetDateTime;

use super::audit::record;
use super::{Conn, Error, Store, change, on, read, seconds, time};
use crate::audit::{Entry, Origin};
use crate::flow::Flow;
use crate::grant::{CODE_LIFE, CodeBinding, Grant, MAX_CODE_FAILURES, OFFLINE_LIFE, Refresh};
use crate::id::{ClientId, GrantId, PatientId, SessionId, TenantId, UserId};
use crate::pkce::Challenge;
use crate::scope::ScopeSet;
use crate::secret::Digest;

/// A grant that is born, with its code.
#[derive(Clone, Debug)]
pub struct NewGrant {
    /// What was allowed.
    pub grant: Grant,
    /// What the code is bound to.
    pub binding: CodeBinding,
    /// Of the code.
    pub code: Digest,
}

/// Whether a flow's answer is the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    /// The code may be sent.
    Now,
    /// The answer has been sent before; there is no second code.
    Before,
    /// What the person allowed was taken back while the answer was made: they have to be asked again.
    TakenBack,
    /// The person's session ended, or their account was switched off, while they decided.
    SignedOut,
}

/// What a token response adds to a grant.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The random half of the access token's `jti`.
    pub jti: String,
    /// Of the refresh token; stored only where the grant can be refreshed.
    pub refresh: Digest,
    /// Of what its successors will have in common with it.
    pub family: Digest,
}

/// What became of a code.
#[derive(Clone, Debug)]
pub enum Redemption {
    /// It was good, and is used now.
    Done(Box<Grant>),
    /// It was used before by the same client with everything right: it has leaked, and what it
    /// bought has been revoked (RFC 6749 §4.1.2).
    Replayed,
    /// Unknown, expired, used up, revoked, or presented with something that does not match.
    Refused,
}

#[derive(FromRow)]
pub(super) struct Row {
    grant_id: String,
    client_id: String,
    user_id: String,
    session_id: Option<String>,
    fhir_base: Option<String>,
    audience: String,
    scopes: String,
    patient_id: Option<String>,
    encounter_id: Option<String>,
    fhir_user: Option<String>,
    nonce: Option<String>,
    auth_time: i64,
    created_at: i64,
    refresh: Option<String>,
    refresh_expires_at: Option<i64>,
    launch_context: Option<String>,
    emergency_reason: Option<String>,
}

impl TryFrom<Row> for Grant {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        const TABLE: &str = "access_grant";
        let corrupt = |column| Error::Corrupt { table: TABLE, column };
        Ok(Self {
            id: GrantId::new(row.grant_id),
            client_id: ClientId::new(row.client_id),
            user_id: UserId::new(row.user_id),
            session_id: row.session_id.map(SessionId::new),
            fhir_base: row.fhir_base,
            audience: row.audience,
            scopes: ScopeSet::parse(&row.scopes).map_err(|_| corrupt("scopes"))?,
            patient_id: row.patient_id.map(PatientId::new),
            encounter_id: row.encounter_id,
            emergency_reason: row.emergency_reason,
            fhir_user: row.fhir_user,
            nonce: row.nonce,
            auth_time: time(TABLE, "auth_time", row.auth_time)?,
            created_at: time(TABLE, "created_at", row.created_at)?,
            refresh: row.refresh.map(|text| Refresh::parse(&text).ok_or(corrupt("refresh"))).transpose()?,
            refresh_expires_at: row.refresh_expires_at.map(|at| time(TABLE, "refresh_expires_at", at)).transpose()?,
            launch_context: row
                .launch_context
                .map(|json| serde_json::from_str(&json))
                .transpose()
                .map_err(|_| corrupt("launch_context"))?,
        })
    }
}

#[derive(FromRow)]
struct Spent {
    grant_id: String,
    redirect_uri: String,
    challenge: Option<String>,
    code_used_at: Option<i64>,
}

impl Store {
    /// Answers a flow: its row is finished and the grant is born in one transaction. Of any number
    /// of concurrent callers exactly one gets [`Finished::Now`].
    ///
    /// # Errors
    /// [`Error`]
    pub async fn finish_flow(&self, origin: &Origin, flow: &Flow, new: NewGrant) -> Result<Finished, Error> {
        let (origin, flow_id) = (origin.clone(), flow.id.clone());
        let approved = flow.approved.as_ref().map(ScopeSet::to_string).unwrap_or_default();
        self.write(move |mut conn| {
            Box::pin(async move {
                let NewGrant { grant, binding, code } = new;
                if !hold_session(&mut conn, &origin, &grant).await? {
                    return Ok(Finished::SignedOut);
                }
                let statement = "update flow set finished_at = $3
                                  where tenant_id = $1 and flow_id = $2 and finished_at is null and coalesce(approved_scopes, '') = $4";
                let found = change!(
                    &mut conn,
                    sqlx::query(statement)
                        .bind(origin.tenant.as_str())
                        .bind(flow_id.as_str())
                        .bind(seconds(origin.now))
                        .bind(&approved)
                )?;
                if found == 0 {
                    let statement = "select count(*) from flow where tenant_id = $1 and flow_id = $2 and finished_at is null";
                    let open: i64 =
                        on!(&mut conn, c => sqlx::query_scalar(statement).bind(origin.tenant.as_str()).bind(flow_id.as_str()).fetch_one(c))?;
                    return Ok(if open > 0 { Finished::TakenBack } else { Finished::Before });
                }
                insert(&mut conn, &origin, &grant, &binding, &code).await?;
                let mut entry = Entry::done("code.issued")
                    .user(&grant.user_id)
                    .client(&grant.client_id)
                    .grant(&grant.id)
                    .detail(&grant.scopes.to_string());
                entry.patient = grant.patient_id.clone();
                entry.session = grant.session_id.clone();
                record(&mut conn, &origin, entry).await?;
                Ok(Finished::Now)
            })
        })
        .await
    }

    /// Redeems a code. The `update` is the lock: it names everything that has to match, so a
    /// client, redirect URI or verifier that does not match consumes nothing.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn redeem_code(
        &self,
        origin: &Origin,
        client: &ClientId,
        code: Digest,
        presented: CodeBinding,
        issued: Issued,
    ) -> Result<Redemption, Error> {
        let (origin, client) = (origin.clone(), client.clone());
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "update access_grant
                                    set code_used_at = $6, refresh_family = case when refresh is not null then $8 end
                                  where tenant_id = $1 and code_digest = $2 and client_id = $3 and redirect_uri = $4
                                    and coalesce(challenge, '') = $5 and code_used_at is null and code_expires_at > $6
                                    and code_failures < $7 and revoked_at is null
                                    and exists (select 1 from user_account u
                                                 where u.tenant_id = $1 and u.user_id = access_grant.user_id and u.disabled_at is null)
                              returning grant_id, client_id, user_id, session_id, fhir_base, audience, scopes, patient_id, encounter_id,
                                        fhir_user, nonce, auth_time, created_at, refresh, refresh_expires_at, launch_context, emergency_reason";
                let challenge = presented.challenge.as_ref().map_or("", Challenge::as_str);
                let row: Option<Row> = on!(&mut conn, c => sqlx::query_as(statement)
                    .bind(origin.tenant.as_str())
                    .bind(code.as_str())
                    .bind(client.as_str())
                    .bind(&presented.redirect_uri)
                    .bind(challenge)
                    .bind(seconds(origin.now))
                    .bind(MAX_CODE_FAILURES)
                    .bind(issued.family.as_str())
                    .fetch_optional(c))?;
                match row {
                    Some(row) => {
                        let grant = Grant::try_from(row)?;
                        if grant.refresh.is_some() {
                            insert_refresh(&mut conn, &origin, &grant, &issued.refresh, None).await?;
                        }
                        record_token(&mut conn, &origin, "code.redeemed", &grant, &issued.jti).await?;
                        Ok(Redemption::Done(Box::new(grant)))
                    }
                    None => failed(&mut conn, &origin, &client, &code, &presented).await,
                }
            })
        })
        .await
    }

    /// Revokes a grant and every token that came of it. Nothing happens where that was done before.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn revoke_grant(&self, origin: &Origin, grant: &GrantId, why: &'static str) -> Result<(), Error> {
        let (origin, grant) = (origin.clone(), grant.clone());
        self.write(move |mut conn| Box::pin(async move { revoke(&mut conn, &origin, &grant, why, Entry::done("grant.revoked")).await }))
            .await
    }
}

/// Takes the session in which the person decided, if it still stands. Whatever ends it (signing
/// out, a new password, a disabled account) takes it as well and then revokes the grants that it
/// finds: it either comes first and stops this one, or waits and finds it.
async fn hold_session(conn: &mut Conn<'_>, origin: &Origin, grant: &Grant) -> Result<bool, Error> {
    let Some(session) = &grant.session_id else { return Ok(true) };
    let statement = "update session set seen_at = seen_at
                      where tenant_id = $1 and session_id = $2 and user_id = $3 and ended_at is null
                        and exists (select 1 from user_account u where u.tenant_id = $1 and u.user_id = $3 and u.disabled_at is null)";
    let held = change!(conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(session.as_str()).bind(grant.user_id.as_str()))?;
    Ok(held > 0)
}

/// Finds out why a redemption failed, and does what follows from it.
async fn failed(
    conn: &mut Conn<'_>,
    origin: &Origin,
    client: &ClientId,
    code: &Digest,
    presented: &CodeBinding,
) -> Result<Redemption, Error> {
    let statement = "select grant_id, redirect_uri, challenge, code_used_at
                       from access_grant
                      where tenant_id = $1 and code_digest = $2 and client_id = $3";
    let spent: Option<Spent> = on!(&mut *conn, c => sqlx::query_as(statement)
        .bind(origin.tenant.as_str())
        .bind(code.as_str())
        .bind(client.as_str())
        .fetch_optional(c))?;
    let entry = Entry::refused("code.redeemed").client(client);
    let Some(spent) = spent else {
        record(conn, origin, entry.detail("unknown code, or another client's")).await?;
        return Ok(Redemption::Refused);
    };
    let grant = GrantId::new(spent.grant_id);
    let matches = spent.redirect_uri == presented.redirect_uri
        && spent.challenge.as_deref().unwrap_or_default() == presented.challenge.as_ref().map_or("", Challenge::as_str);
    if spent.code_used_at.is_some() && matches {
        revoke(conn, origin, &grant, "code replayed", Entry::refused("code.replay").client(client)).await?;
        return Ok(Redemption::Replayed);
    }
    if spent.code_used_at.is_none() && !matches {
        let statement = "update access_grant set code_failures = code_failures + 1 where tenant_id = $1 and grant_id = $2";
        change!(&mut *conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(grant.as_str()))?;
    }
    record(conn, origin, entry.grant(&grant).detail("expired, used, revoked or not matching")).await?;
    Ok(Redemption::Refused)
}

async fn insert(conn: &mut Conn<'_>, origin: &Origin, grant: &Grant, binding: &CodeBinding, code: &Digest) -> Result<(), Error> {
    let corrupt = |_| Error::Corrupt { table: "access_grant", column: "launch_context" };
    let context = grant.launch_context.as_ref().map(serde_json::to_string).transpose().map_err(corrupt)?;
    let statement =
        "insert into access_grant (tenant_id, grant_id, client_id, user_id, session_id, fhir_base, audience, scopes, patient_id,
                                               encounter_id, fhir_user, nonce, auth_time, created_at, code_digest, code_expires_at,
                                               code_failures, redirect_uri, challenge, refresh, refresh_expires_at, launch_context, emergency_reason)
                     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 0, $17, $18, $19, $20, $21, $22)";
    change!(
        conn,
        sqlx::query(statement)
            .bind(origin.tenant.as_str())
            .bind(grant.id.as_str())
            .bind(grant.client_id.as_str())
            .bind(grant.user_id.as_str())
            .bind(grant.session_id.as_ref().map(SessionId::as_str))
            .bind(&grant.fhir_base)
            .bind(&grant.audience)
            .bind(grant.scopes.to_string())
            .bind(grant.patient_id.as_ref().map(PatientId::as_str))
            .bind(&grant.encounter_id)
            .bind(&grant.fhir_user)
            .bind(&grant.nonce)
            .bind(seconds(grant.auth_time))
            .bind(seconds(grant.created_at))
            .bind(code.as_str())
            .bind(seconds(grant.created_at + CODE_LIFE))
            .bind(&binding.redirect_uri)
            .bind(binding.challenge.as_ref().map(Challenge::as_str))
            .bind(grant.refresh.map(Refresh::as_str))
            .bind(grant.refresh_expires_at.map(seconds))
            .bind(&context)
            .bind(&grant.emergency_reason)
    )?;
    Ok(())
}

/// Adds a refresh token to a grant's family.
pub(super) async fn insert_refresh(
    conn: &mut Conn<'_>,
    origin: &Origin,
    grant: &Grant,
    token: &Digest,
    parent: Option<&Digest>,
) -> Result<(), Error> {
    let statement = "insert into refresh_token (tenant_id, digest, grant_id, parent_digest, issued_at, expires_at)
                     values ($1, $2, $3, $4, $5, $6)";
    change!(
        conn,
        sqlx::query(statement)
            .bind(origin.tenant.as_str())
            .bind(token.as_str())
            .bind(grant.id.as_str())
            .bind(parent.map(Digest::as_str))
            .bind(seconds(origin.now))
            .bind(seconds(refresh_end(grant, origin.now)))
    )?;
    Ok(())
}

/// Three months from now, or the grant's own end; `online_access` is also bound to its session.
fn refresh_end(grant: &Grant, now: OffsetDateTime) -> OffsetDateTime {
    let sliding = now + OFFLINE_LIFE;
    grant.refresh_expires_at.map_or(sliding, |end| end.min(sliding))
}

/// Revokes a grant, and says so with `entry`.
pub(super) async fn revoke(conn: &mut Conn<'_>, origin: &Origin, grant: &GrantId, why: &'static str, entry: Entry) -> Result<(), Error> {
    let statement =
        "update access_grant set revoked_at = $3, revoked_why = $4 where tenant_id = $1 and grant_id = $2 and revoked_at is null";
    let revoked =
        change!(&mut *conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(grant.as_str()).bind(seconds(origin.now)).bind(why))?;
    // What was refused is said each time; what was done, once.
    if revoked > 0 || entry.refused { record(conn, origin, entry.grant(grant).detail(why)).await } else { Ok(()) }
}

/// Says that a token was issued.
pub(super) async fn record_token(conn: &mut Conn<'_>, origin: &Origin, event: &'static str, grant: &Grant, jti: &str) -> Result<(), Error> {
    let jti = crate::grant::jti(&grant.id, jti);
    let mut entry = Entry::done(event).user(&grant.user_id).client(&grant.client_id).grant(&grant.id).jti(&jti);
    entry.patient = grant.patient_id.clone();
    entry.session = grant.session_id.clone();
    record(conn, origin, entry).await
}

impl Store {
    /// The grant that a tenant's tokens of this id came of, revoked or not.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn grant(&self, tenant: &TenantId, id: &GrantId) -> Result<Option<Grant>, Error> {
        let statement = "select grant_id, client_id, user_id, session_id, fhir_base, audience, scopes, patient_id, encounter_id,
                                fhir_user, nonce, auth_time, created_at, refresh, refresh_expires_at, launch_context, emergency_reason
                           from access_grant
                          where tenant_id = $1 and grant_id = $2";
        let row: Option<Row> = read!(self, c => sqlx::query_as(statement).bind(tenant.as_str()).bind(id.as_str()).fetch_optional(c))?;
        row.map(Grant::try_from).transpose()
    }
}
