//! Authorization requests on their way through the pages.

use sqlx::FromRow;
use time::OffsetDateTime;

use super::audit::record;
use super::consent::remember;
use super::{Error, Store, change, read, seconds, time};
use crate::audit::{Entry, Origin};
use crate::consent::Decision;
use crate::flow::{Ask, Flow};
use crate::id::{FlowId, PatientId, SessionId, TenantId, UserId};
use crate::scope::ScopeSet;
use crate::secret::Digest;

/// A flow that begins.
#[derive(Clone, Debug)]
pub struct NewFlow {
    /// Its name in URLs.
    pub id: FlowId,
    /// Of the cookie that binds it to a browser.
    pub browser: Digest,
    /// What was asked.
    pub ask: Ask,
    /// When it ends if nothing happens.
    pub expires_at: OffsetDateTime,
}

/// One thing learnt on the way.
#[derive(Clone, Debug)]
pub enum Fact {
    /// This browser's session is the one to go on with.
    Person,
    /// The patient whom the person chose.
    Patient(PatientId),
    /// The encounter that the person chose; none, where they go on without one.
    Encounter(Option<String>),
    /// A patient outside of their panel, and why.
    Emergency(PatientId, String),
    /// What the person allowed, and the decision that is remembered of it.
    Approved(ScopeSet, Option<Box<Decision>>),
}

#[derive(FromRow)]
pub(super) struct Row {
    flow_id: String,
    ask: String,
    created_at: i64,
    session_id: Option<String>,
    user_id: Option<String>,
    patient_id: Option<String>,
    encounter_id: Option<String>,
    no_encounter_at: Option<i64>,
    emergency_reason: Option<String>,
    approved_scopes: Option<String>,
    finished_at: Option<i64>,
}

impl TryFrom<Row> for Flow {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        const TABLE: &str = "flow";
        let corrupt = |column| Error::Corrupt { table: TABLE, column };
        Ok(Self {
            id: FlowId::new(row.flow_id),
            ask: serde_json::from_str(&row.ask).map_err(|_| corrupt("ask"))?,
            created_at: time(TABLE, "created_at", row.created_at)?,
            session_id: row.session_id.map(SessionId::new),
            user_id: row.user_id.map(UserId::new),
            launch: None,
            patient_id: row.patient_id.map(PatientId::new),
            encounter_id: row.encounter_id,
            has_no_encounter: row.no_encounter_at.is_some(),
            emergency_reason: row.emergency_reason,
            approved: row.approved_scopes.map(|text| ScopeSet::parse(&text)).transpose().map_err(|_| corrupt("approved_scopes"))?,
            finished_at: row.finished_at.map(|at| time(TABLE, "finished_at", at)).transpose()?,
        })
    }
}

impl Store {
    /// Writes down a valid request.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn begin_flow(&self, origin: &Origin, new: NewFlow) -> Result<(), Error> {
        let origin = origin.clone();
        self.write(move |mut conn| {
            Box::pin(async move {
                let ask = serde_json::to_string(&new.ask).map_err(|_| Error::Corrupt { table: "flow", column: "ask" })?;
                let statement = "insert into flow (tenant_id, flow_id, browser_digest, client_id, ask, created_at, expires_at)
                                 values ($1, $2, $3, $4, $5, $6, $7)";
                change!(
                    &mut conn,
                    sqlx::query(statement)
                        .bind(origin.tenant.as_str())
                        .bind(new.id.as_str())
                        .bind(new.browser.as_str())
                        .bind(new.ask.client_id.as_str())
                        .bind(&ask)
                        .bind(seconds(origin.now))
                        .bind(seconds(new.expires_at))
                )?;
                Ok(())
            })
        })
        .await
    }

    /// A flow that has not ended, for the browser that it belongs to and for no other.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn flow(&self, tenant: &TenantId, id: &FlowId, browser: &Digest, now: OffsetDateTime) -> Result<Option<Flow>, Error> {
        let statement = "select flow_id, ask, created_at, session_id, user_id, patient_id, encounter_id, no_encounter_at, emergency_reason,
                                approved_scopes, finished_at
                           from flow
                          where tenant_id = $1 and flow_id = $2 and browser_digest = $3 and expires_at > $4";
        let row: Option<Row> = read!(self, c => sqlx::query_as(statement)
            .bind(tenant.as_str())
            .bind(id.as_str())
            .bind(browser.as_str())
            .bind(seconds(now))
            .fetch_optional(c))?;
        let Some(mut flow) = row.map(Flow::try_from).transpose()? else { return Ok(None) };
        if let Some(launch) = &flow.ask.launch {
            flow.launch = self.launch_of_flow(tenant, launch, id).await?;
            if flow.launch.is_none() {
                return Ok(None); // without what the EHR has open, the request would be another one
            }
            flow.take_from_launch();
        }
        Ok(Some(flow))
    }

    /// Writes down a fact of this person's. `false` where the flow has been answered meanwhile, or they have chosen another
    /// patient.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn learn(&self, origin: &Origin, flow: &Flow, person: (&UserId, &SessionId), fact: Fact) -> Result<bool, Error> {
        let (origin, flow, user, session) = (origin.clone(), flow.clone(), person.0.clone(), person.1.clone());
        self.write(move |mut conn| {
            Box::pin(async move {
                let expires_at = seconds(flow.expires_at(origin.now));
                // Facts of another person are dropped in the same statement that names this one, and what was allowed for
                // another patient or encounter. A person chooses one patient: of two tabs at the same moment, the first counts.
                let statement = "update flow
                                    set patient_id = coalesce($6, case when user_id = $4 then patient_id end),
                                        encounter_id = coalesce($8, case when user_id = $4 and $6 is null and $9 is null then encounter_id end),
                                        no_encounter_at = coalesce($9, case when user_id = $4 and $6 is null and $8 is null then no_encounter_at end),
                                        emergency_reason = case when $6 is not null then $10 when user_id = $4 then emergency_reason end,
                                        approved_scopes = coalesce($7, case when user_id = $4 and $6 is null and $8 is null and $9 is null then approved_scopes end),
                                        session_id = $3, user_id = $4, expires_at = $5
                                  where tenant_id = $1 and flow_id = $2 and finished_at is null
                                    and ($6 is null or user_id is null or user_id <> $4 or patient_id is null or patient_id = $6)";
                let (mut patient, mut reason, mut encounter, mut no_encounter_at, mut approved) = (None, None, None, None, None);
                match &fact {
                    Fact::Person => {}
                    Fact::Patient(chosen) => patient = Some(chosen.as_str()),
                    Fact::Emergency(chosen, why) => (patient, reason) = (Some(chosen.as_str()), Some(why.as_str())),
                    Fact::Encounter(Some(chosen)) => encounter = Some(chosen.as_str()),
                    Fact::Encounter(None) => no_encounter_at = Some(seconds(origin.now)),
                    Fact::Approved(scopes, _) => approved = Some(scopes.to_string()),
                }
                let found = change!(
                    &mut conn,
                    sqlx::query(statement)
                        .bind(origin.tenant.as_str())
                        .bind(flow.id.as_str())
                        .bind(session.as_str())
                        .bind(user.as_str())
                        .bind(expires_at)
                        .bind(patient)
                        .bind(approved.as_deref())
                        .bind(encounter)
                        .bind(no_encounter_at)
                        .bind(reason)
                )?;
                if found == 0 {
                    return Ok(false);
                }
                let client = &flow.ask.client_id;
                match &fact {
                    Fact::Person | Fact::Encounter(None) => Ok(()),
                    Fact::Encounter(Some(encounter)) => {
                        let entry = Entry::done("encounter.selected").user(&user).client(client).session(&session).detail(encounter);
                        record(&mut conn, &origin, Entry { patient: flow.patient_id.clone(), ..entry }).await
                    }
                    Fact::Patient(patient) => {
                        let entry = Entry::done("patient.selected").user(&user).client(client).patient(patient).session(&session);
                        record(&mut conn, &origin, entry).await
                    }
                    Fact::Emergency(patient, reason) => {
                        let entry = Entry::done("patient.emergency_access").user(&user).client(client).patient(patient).session(&session);
                        record(&mut conn, &origin, entry.detail(reason)).await
                    }
                    Fact::Approved(scopes, decision) => {
                        if let Some(decision) = decision {
                            remember(&mut conn, &origin, &flow.subject(&user), decision).await?;
                        }
                        let mut entry =
                            Entry::done("consent.granted").user(&user).client(client).session(&session).detail(&scopes.to_string());
                        entry.patient = flow.patient_id.clone();
                        record(&mut conn, &origin, entry).await
                    }
                }?;
                Ok(true)
            })
        })
        .await
    }

    /// Ends a flow without a code; the app is told why. `false` where it has been answered before.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn abandon_flow(&self, origin: &Origin, flow: &Flow, entry: Entry) -> Result<bool, Error> {
        let (origin, id) = (origin.clone(), flow.id.clone());
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "update flow set finished_at = $3 where tenant_id = $1 and flow_id = $2 and finished_at is null";
                let found =
                    change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(id.as_str()).bind(seconds(origin.now)))?;
                if found > 0 {
                    record(&mut conn, &origin, entry).await?;
                }
                Ok(found > 0)
            })
        })
        .await
    }
}
