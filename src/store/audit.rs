//! Audit entries, written in the transaction of what they record, and read by what they are about.

use super::standing::by;
use super::{Conn, Error, Store, on, pool, read};
use crate::audit::chain::Sealed;
use crate::audit::{Entry, Origin};
use crate::clock::micros;
use crate::id::{ClientId, GrantId, PatientId, SessionId, TenantId, UserId};

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
    /// Who gave the command, where it was one.
    pub agent: Option<String>,
    /// The request's number.
    pub request_id: Option<String>,
    /// What else there is to know.
    pub detail: Option<String>,
    /// Its place in the chain, once it is sealed.
    pub seq: Option<i64>,
    /// Its hash there.
    pub hash: Option<String>,
}

impl AuditRow {
    /// As it stands in the tenant's chain behind `previous`.
    pub(super) fn sealed(self, tenant: &TenantId, seq: i64, previous: &str) -> Sealed {
        Sealed {
            address: self.address,
            agent: self.agent,
            at_us: self.at_us,
            client: self.client_id,
            detail: self.detail,
            event: self.event,
            grant: self.grant_id,
            hash: self.hash,
            jti: self.jti,
            outcome: self.outcome,
            patient: self.patient_id,
            previous: previous.to_owned(),
            request_id: self.request_id,
            seq,
            session: self.session_id,
            tenant: tenant.as_str().to_owned(),
            user: self.user_id,
        }
    }
}

/// Which entries are meant. What is not said does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditSelection {
    /// What happened.
    pub event: Option<String>,
    /// Who acted, or was acted upon.
    pub user: Option<UserId>,
    /// The app.
    pub client: Option<ClientId>,
    /// The patient.
    pub patient: Option<PatientId>,
    /// From this moment on, in microseconds since 1970.
    pub since_us: i64,
    /// Before this moment.
    pub until_us: i64,
}

/// What few entries are found by.
enum Column {
    Patient,
    User,
    Client,
    Event,
    None,
}

impl AuditSelection {
    const fn column(&self) -> Column {
        match self {
            Self { patient: Some(_), .. } => Column::Patient,
            Self { user: Some(_), .. } => Column::User,
            // A client has many entries, an event of which it is asked for by name often few.
            Self { event: Some(_), .. } => Column::Event,
            Self { client: Some(_), .. } => Column::Client,
            _ => Column::None,
        }
    }

    const fn listing(&self) -> &'static str {
        by!(
            self,
            "select audit_id, at_us, event, outcome, user_id, client_id, patient_id, grant_id, session_id,
                    jti, address, agent, request_id, detail, seq, hash
               from audit
              where tenant_id = $1 and seq is not null and at_us >= $6 and at_us < $7
                and (user_id = $2 or $2 is null) and (client_id = $3 or $3 is null)
                and (patient_id = $4 or $4 is null) and (event = $5 or $5 is null)",
            Patient = "patient_id = $4",
            User = "user_id = $2",
            Event = "event = $5",
            Client = "client_id = $3",
            " order by at_us desc, seq desc limit $8"
        )
    }
}

/// Writes one entry into the transaction at hand.
pub(super) async fn record(conn: &mut Conn<'_>, origin: &Origin, entry: Entry) -> Result<(), Error> {
    let statement = "insert into audit (tenant_id, at_us, event, outcome, user_id, client_id, patient_id,
                                        grant_id, session_id, jti, address, agent, request_id, detail)
                     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
                  returning audit_id";
    let at_us = micros(origin.now);
    let audit_id: i64 = on!(conn, c => sqlx::query_scalar(statement)
            .bind(origin.tenant.as_str())
            .bind(at_us)
            .bind(entry.event)
            .bind(if entry.refused { "refused" } else { "success" })
            .bind(entry.user.as_ref().map(UserId::as_str))
            .bind(entry.client.as_ref().map(ClientId::as_str))
            .bind(entry.patient.as_ref().map(PatientId::as_str))
            .bind(entry.grant.as_ref().map(GrantId::as_str))
            .bind(entry.session.as_ref().map(SessionId::as_str))
            .bind(entry.jti)
            .bind(origin.address.map(|address| address.to_string()))
            .bind(&origin.agent)
            .bind(&origin.request_id)
            .bind(entry.detail)
            .fetch_one(c))?;
    if let Conn::Postgres(_, mark) = conn {
        **mark = Some(pool::Mark { tenant: origin.tenant.to_string(), audit_id, at_us, request_id: origin.request_id.clone() });
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

    /// The latest entries, newest first, sealed or not.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn audit_tail(&self, origin: &Origin, limit: i64) -> Result<Vec<AuditRow>, Error> {
        let statement = "select audit_id, at_us, event, outcome, user_id, client_id, patient_id, grant_id, session_id,
                                jti, address, agent, request_id, detail, seq, hash
                           from audit
                          where tenant_id = $1
                          order by audit_id desc
                          limit $2";
        Ok(read!(self, c => sqlx::query_as(statement).bind(origin.tenant.as_str()).bind(limit).fetch_all(c))?)
    }

    /// Sealed entries, newest first. Each way to ask goes along an index of its own, by what leaves
    /// fewest to look at.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn audit_list(&self, tenant: &TenantId, which: &AuditSelection, limit: i64) -> Result<Vec<AuditRow>, Error> {
        Ok(read!(self, c => sqlx::query_as(which.listing())
            .bind(tenant.as_str())
            .bind(which.user.as_ref().map(UserId::as_str))
            .bind(which.client.as_ref().map(ClientId::as_str))
            .bind(which.patient.as_ref().map(PatientId::as_str))
            .bind(&which.event)
            .bind(which.since_us)
            .bind(which.until_us)
            .bind(limit)
            .fetch_all(c))?)
    }
}
