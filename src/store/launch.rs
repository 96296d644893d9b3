//! EHR launches, from the record system to the one authorization request that each is for.

use sqlx::FromRow;

use super::audit::record;
use super::{Error, Store, change, on, read, seconds};
use crate::audit::{Entry, Origin};
use crate::id::{ClientId, FlowId, LaunchId, PatientId, TenantId, UserId};
use crate::launch::{LAUNCH_LIFE, Launch};
use crate::secret::Digest;

/// A launch that begins.
#[derive(Clone, Debug)]
pub struct NewLaunch {
    /// What it is about.
    pub launch: Launch,
    /// Of the value that the app is given.
    pub digest: Digest,
}

#[derive(FromRow)]
pub(super) struct Row {
    launch_id: String,
    client_id: String,
    user_id: String,
    fhir_base: String,
    patient_id: Option<String>,
    encounter_id: Option<String>,
    context: String,
}

impl TryFrom<Row> for Launch {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: LaunchId::new(row.launch_id),
            client_id: ClientId::new(row.client_id),
            user_id: UserId::new(row.user_id),
            fhir_base: row.fhir_base,
            patient_id: row.patient_id.map(PatientId::new),
            encounter_id: row.encounter_id,
            context: serde_json::from_str(&row.context).map_err(|_| Error::Corrupt { table: "launch", column: "context" })?,
        })
    }
}

impl Store {
    /// Writes a launch down; `entry` says who began it.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn begin_launch(&self, origin: &Origin, new: NewLaunch, entry: Entry) -> Result<(), Error> {
        let origin = origin.clone();
        self.write(move |mut conn| {
            Box::pin(async move {
                let NewLaunch { launch, digest } = new;
                let context = serde_json::to_string(&launch.context).map_err(|_| Error::Corrupt { table: "launch", column: "context" })?;
                let statement = "insert into launch (tenant_id, launch_id, digest, client_id, user_id, fhir_base, patient_id,
                                                     encounter_id, context, created_at, expires_at)
                                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
                change!(
                    &mut conn,
                    sqlx::query(statement)
                        .bind(origin.tenant.as_str())
                        .bind(launch.id.as_str())
                        .bind(digest.as_str())
                        .bind(launch.client_id.as_str())
                        .bind(launch.user_id.as_str())
                        .bind(&launch.fhir_base)
                        .bind(launch.patient_id.as_ref().map(PatientId::as_str))
                        .bind(&launch.encounter_id)
                        .bind(&context)
                        .bind(seconds(origin.now))
                        .bind(seconds(origin.now + LAUNCH_LIFE))
                )?;
                let mut entry = entry.user(&launch.user_id).client(&launch.client_id);
                entry.patient = launch.patient_id;
                record(&mut conn, &origin, entry).await
            })
        })
        .await
    }

    /// Binds a launch to the authorization request that names it. The `update` is the lock: of any
    /// number of requests exactly one gets the launch, and one of another app, for another FHIR base
    /// or too late takes nothing. That request makes one code at most, and so the launch does.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn bind_launch(
        &self,
        origin: &Origin,
        digest: &Digest,
        client: &ClientId,
        fhir_base: &str,
        flow: &FlowId,
    ) -> Result<Option<Launch>, Error> {
        let (origin, digest, client, fhir_base, flow) =
            (origin.clone(), digest.clone(), client.clone(), fhir_base.to_owned(), flow.clone());
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "update launch
                                    set flow_id = $5
                                  where tenant_id = $1 and digest = $2 and client_id = $3 and fhir_base = $4
                                    and flow_id is null and expires_at > $6
                              returning launch_id, client_id, user_id, fhir_base, patient_id, encounter_id, context";
                let row: Option<Row> = on!(&mut conn, c => sqlx::query_as(statement)
                    .bind(origin.tenant.as_str())
                    .bind(digest.as_str())
                    .bind(client.as_str())
                    .bind(&fhir_base)
                    .bind(flow.as_str())
                    .bind(seconds(origin.now))
                    .fetch_optional(c))?;
                match row {
                    Some(row) => Launch::try_from(row).map(Some),
                    None => {
                        let entry = Entry::refused("launch.presented").client(&client);
                        record(&mut conn, &origin, entry.detail("unknown, expired, used before, or for another app or FHIR base")).await?;
                        Ok(None)
                    }
                }
            })
        })
        .await
    }

    /// The launch that is bound to this request.
    pub(super) async fn launch_of_flow(&self, tenant: &TenantId, id: &LaunchId, flow: &FlowId) -> Result<Option<Launch>, Error> {
        let statement = "select launch_id, client_id, user_id, fhir_base, patient_id, encounter_id, context
                           from launch
                          where tenant_id = $1 and launch_id = $2 and flow_id = $3";
        let row: Option<Row> = read!(self, c => sqlx::query_as(statement)
            .bind(tenant.as_str())
            .bind(id.as_str())
            .bind(flow.as_str())
            .fetch_optional(c))?;
        row.map(Launch::try_from).transpose()
    }
}
