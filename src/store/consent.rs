//! Decisions that are remembered, so that a person is not asked the same question each time.

use sqlx::FromRow;
use time::OffsetDateTime;

use super::audit::record;
use super::{Conn, Error, Store, change, read, seconds, time};
use crate::audit::{Entry, Origin};
use crate::consent::{Decision, Subject};
use crate::flow::Flow;
use crate::id::{ClientId, PatientId, SessionId, TenantId, UserId};
use crate::scope::ScopeSet;

#[derive(FromRow)]
pub(super) struct Row {
    client_id: String,
    user_id: String,
    fhir_base: String,
    patient_id: String,
    asked: String,
    approved: String,
    registered: String,
    decided_at: i64,
    expires_at: i64,
}

impl TryFrom<Row> for (Subject, Decision) {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        const TABLE: &str = "remembered_consent";
        let scopes = |column, text: &str| ScopeSet::parse(text).map_err(|_| Error::Corrupt { table: TABLE, column });
        let decision = Decision {
            asked: scopes("asked", &row.asked)?,
            approved: scopes("approved", &row.approved)?,
            registered: scopes("registered", &row.registered)?,
            decided_at: time(TABLE, "decided_at", row.decided_at)?,
            expires_at: time(TABLE, "expires_at", row.expires_at)?,
        };
        let subject = Subject {
            client_id: ClientId::new(row.client_id),
            user_id: UserId::new(row.user_id),
            fhir_base: Some(row.fhir_base).filter(|name| !name.is_empty()),
            patient_id: Some(row.patient_id).filter(|id| !id.is_empty()).map(PatientId::new),
        };
        Ok((subject, decision))
    }
}

/// What stands in a column that cannot be null.
pub(super) fn base_of(subject: &Subject) -> &str {
    subject.fhir_base.as_deref().unwrap_or_default()
}

/// See [`base_of`].
pub(super) fn patient_of(subject: &Subject) -> &str {
    subject.patient_id.as_ref().map(PatientId::as_str).unwrap_or_default()
}

impl Store {
    /// What this person decided the last time, if that still counts.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn decision(&self, tenant: &TenantId, subject: &Subject, now: OffsetDateTime) -> Result<Option<Decision>, Error> {
        let statement = "select client_id, user_id, fhir_base, patient_id, asked, approved, registered, decided_at, expires_at
                           from remembered_consent
                          where tenant_id = $1 and client_id = $2 and user_id = $3 and fhir_base = $4 and patient_id = $5
                            and expires_at > $6";
        let row: Option<Row> = read!(self, c => sqlx::query_as(statement)
            .bind(tenant.as_str())
            .bind(subject.client_id.as_str())
            .bind(subject.user_id.as_str())
            .bind(base_of(subject))
            .bind(patient_of(subject))
            .bind(seconds(now))
            .fetch_optional(c))?;
        row.map(|row| <(Subject, Decision)>::try_from(row).map(|(_, decision)| decision)).transpose()
    }

    /// Everything that this person decided and that still counts.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn decisions(&self, tenant: &TenantId, user: &UserId, now: OffsetDateTime) -> Result<Vec<(Subject, Decision)>, Error> {
        let statement = "select client_id, user_id, fhir_base, patient_id, asked, approved, registered, decided_at, expires_at
                           from remembered_consent
                          where tenant_id = $1 and user_id = $2 and +expires_at > $3
                          order by client_id, fhir_base, patient_id";
        let rows: Vec<Row> = read!(self, c => sqlx::query_as(statement)
            .bind(tenant.as_str())
            .bind(user.as_str())
            .bind(seconds(now))
            .fetch_all(c))?;
        rows.into_iter().map(TryFrom::try_from).collect()
    }

    /// Lets a remembered decision answer a flow. `false` where it was taken back meanwhile, or the
    /// flow has been answered: the person is asked.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn recall(
        &self,
        origin: &Origin,
        flow: &Flow,
        person: (&UserId, &SessionId),
        (subject, decision): (Subject, Decision),
        answer: &ScopeSet,
    ) -> Result<bool, Error> {
        let (origin, flow, answer) = (origin.clone(), flow.clone(), answer.to_string());
        let (user, session) = (person.0.clone(), person.1.clone());
        self.write(move |mut conn| {
            Box::pin(async move {
                // Everybody takes the flow first, then the decision: else two wait for each other.
                let statement = "update flow set expires_at = $4
                                  where tenant_id = $1 and flow_id = $2 and user_id = $3 and finished_at is null";
                let found = change!(
                    &mut conn,
                    sqlx::query(statement)
                        .bind(origin.tenant.as_str())
                        .bind(flow.id.as_str())
                        .bind(user.as_str())
                        .bind(seconds(flow.expires_at(origin.now)))
                )?;
                if found == 0 {
                    return Ok(false);
                }
                // Takes the decision's row, which whoever takes the decision back deletes.
                let statement = "update remembered_consent set used_at = $6
                                  where tenant_id = $1 and client_id = $2 and user_id = $3 and fhir_base = $4 and patient_id = $5
                                    and decided_at = $7 and expires_at > $6";
                let counts = change!(
                    &mut conn,
                    sqlx::query(statement)
                        .bind(origin.tenant.as_str())
                        .bind(subject.client_id.as_str())
                        .bind(subject.user_id.as_str())
                        .bind(base_of(&subject))
                        .bind(patient_of(&subject))
                        .bind(seconds(origin.now))
                        .bind(seconds(decision.decided_at))
                )?;
                if counts == 0 {
                    return Ok(false);
                }
                let statement = "update flow set approved_scopes = $4, session_id = $3 where tenant_id = $1 and flow_id = $2";
                change!(
                    &mut conn,
                    sqlx::query(statement).bind(origin.tenant.as_str()).bind(flow.id.as_str()).bind(session.as_str()).bind(&answer)
                )?;
                let mut entry = Entry::done("consent.recalled").user(&user).client(&subject.client_id).session(&session).detail(&answer);
                entry.patient = subject.patient_id;
                record(&mut conn, &origin, entry).await?;
                Ok(true)
            })
        })
        .await
    }
}

/// Remembers a decision instead of whatever was remembered before.
pub(super) async fn remember(conn: &mut Conn<'_>, origin: &Origin, subject: &Subject, decision: &Decision) -> Result<(), Error> {
    let statement = "insert into remembered_consent (tenant_id, client_id, user_id, fhir_base, patient_id, asked, approved, registered,
                                                     decided_at, expires_at)
                     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                     on conflict (tenant_id, client_id, user_id, fhir_base, patient_id)
                     do update set asked = excluded.asked, approved = excluded.approved, registered = excluded.registered,
                                   decided_at = excluded.decided_at, expires_at = excluded.expires_at, used_at = null";
    change!(
        conn,
        sqlx::query(statement)
            .bind(origin.tenant.as_str())
            .bind(subject.client_id.as_str())
            .bind(subject.user_id.as_str())
            .bind(base_of(subject))
            .bind(patient_of(subject))
            .bind(decision.asked.to_string())
            .bind(decision.approved.to_string())
            .bind(decision.registered.to_string())
            .bind(seconds(decision.decided_at))
            .bind(seconds(decision.expires_at))
    )?;
    Ok(())
}
