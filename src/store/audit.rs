//! Audit entries, written in the transaction of what they record.

use super::{Conn, Error, Store, on, pool, read};
use crate::audit::{Entry, Origin};
use crate::clock::micros;

/// A stored entry, as an administrator reads it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct AuditRow {
    /// Its place in the order of writing.
    pub audit_id: i64,
    /// When, in microseconds since 1970.
    pub at_us: i64,
    /// What happened.
    pub event: String,
    /// `success` or `refused`.
    pub outcome: String,
    /// Who acted, or was acted upon.
    pub user_id: Option<String>,
    /// The app.
    pub client_id: Option<String>,
    /// The patient.
    pub patient_id: Option<String>,
    /// The grant.
    pub grant_id: Option<String>,
    /// The session.
    pub session_id: Option<String>,
    /// The token's own name.
    pub jti: Option<String>,
    /// Where the request came from.
    pub address: Option<String>,
    /// The request's number.
    pub request_id: Option<String>,
    /// What else there is to know.
    pub detail: Option<String>,
}

/// Writes one entry into the transaction at hand.
pub(super) async fn record(conn: &mut Conn<'_>, origin: &Origin, entry: Entry) -> Result<(), Error> {
    let statement = "insert into audit (tenant_id, at_us, event, outcome, user_id, client_id, patient_id,
                                        grant_id, session_id, jti, address, request_id, detail)
                     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
                  returning audit_id";
    let at_us = micros(origin.now);
    let audit_id: i64 = on!(conn, c => sqlx::query_scalar(statement)
            .bind(origin.tenant.as_str())
            .bind(at_us)
            .bind(entry.event)
            .bind(if entry.refused { "refused" } else { "success" })
            .bind(entry.user.as_ref().map(super::super::id::UserId::as_str))
            .bind(entry.client.as_ref().map(super::super::id::ClientId::as_str))
            .bind(entry.patient.as_ref().map(super::super::id::PatientId::as_str))
            .bind(entry.grant.as_ref().map(super::super::id::GrantId::as_str))
            .bind(entry.session.as_ref().map(super::super::id::SessionId::as_str))
            .bind(entry.jti)
            .bind(origin.address.map(|address| address.to_string()))
            .bind(&origin.request_id)
            .bind(entry.detail)
            .fetch_one(c))?;
    if let Conn::Postgres(_, course) = conn {
        course.mark(pool::Mark { tenant: origin.tenant.to_string(), audit_id, at_us, request_id: origin.request_id.clone() });
    }
    Ok(())
}

impl Store {
    /// Writes an entry for something that changed nothing else: a refusal, for instance.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn audit(&self, origin: &Origin, entry: Entry) -> Result<(), Error> {
        let origin = origin.clone();
        self.write(move |mut conn| Box::pin(async move { record(&mut conn, &origin, entry).await })).await
    }

    /// The latest entries, newest first.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn audit_tail(&self, origin: &Origin, limit: i64) -> Result<Vec<AuditRow>, Error> {
        let statement = "select audit_id, at_us, event, outcome, user_id, client_id, patient_id, grant_id, session_id,
                                jti, address, request_id, detail
                           from audit
                          where tenant_id = $1
                          order by audit_id desc
                          limit $2";
        Ok(read!(self, c => sqlx::query_as(statement).bind(origin.tenant.as_str()).bind(limit).fetch_all(c))?)
    }
}
