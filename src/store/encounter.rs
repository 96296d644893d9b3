//! Visits of the patients in our own tables.

use sqlx::FromRow;

use super::audit::record;
use super::{Error, Store, change, read};
use crate::audit::{Entry, Origin};
use crate::id::{PatientId, TenantId};
use crate::person::Encounter;

#[derive(FromRow)]
struct Row {
    encounter_id: String,
    status: String,
    class: String,
    reason: String,
    started: String,
    ended: String,
}

impl From<Row> for Encounter {
    fn from(row: Row) -> Self {
        Self { id: row.encounter_id, status: row.status, class: row.class, reason: row.reason, started: row.started, ended: row.ended }
    }
}

impl Store {
    /// Adds visits, or brings those that are there up to date. Says how many were left out because their patient is not here.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn import_encounters(&self, origin: &Origin, fhir_base: &str, visits: Vec<(PatientId, Encounter)>) -> Result<usize, Error> {
        let (origin, fhir_base) = (origin.clone(), fhir_base.to_owned());
        self.write(move |mut conn| {
            Box::pin(async move {
                let (count, mut done) = (visits.len(), 0);
                for (patient, visit) in visits {
                    let statement =
                        "insert into encounter (tenant_id, fhir_base, encounter_id, patient_id, status, class, reason, started, ended)
                                     select tenant_id, fhir_base, $3, patient_id, $5, $6, $7, $8, $9
                                       from patient
                                      where tenant_id = $1 and fhir_base = $2 and patient_id = $4
                                     on conflict (tenant_id, fhir_base, encounter_id)
                                     do update set patient_id = excluded.patient_id, status = excluded.status, class = excluded.class,
                                                   reason = excluded.reason, started = excluded.started, ended = excluded.ended";
                    let added = change!(
                        &mut conn,
                        sqlx::query(statement)
                            .bind(origin.tenant.as_str())
                            .bind(&fhir_base)
                            .bind(&visit.id)
                            .bind(patient.as_str())
                            .bind(&visit.status)
                            .bind(&visit.class)
                            .bind(&visit.reason)
                            .bind(&visit.started)
                            .bind(&visit.ended)
                    )?;
                    done += usize::from(added > 0);
                }
                record(&mut conn, &origin, Entry::done("encounter.imported").detail(&format!("{done} into {fhir_base}"))).await?;
                Ok(count - done)
            })
        })
        .await
    }

    /// Whose visit this is; `None` where it is not here.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn patient_of_encounter(&self, tenant: &TenantId, fhir_base: &str, encounter: &str) -> Result<Option<PatientId>, Error> {
        let statement = "select patient_id from encounter where tenant_id = $1 and fhir_base = $2 and encounter_id = $3";
        let id: Option<String> = read!(self, c => sqlx::query_scalar(statement)
            .bind(tenant.as_str())
            .bind(fhir_base)
            .bind(encounter)
            .fetch_optional(c))?;
        Ok(id.map(PatientId::new))
    }

    /// A patient's visits, latest first, at most `limit`.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn encounters(&self, tenant: &TenantId, fhir_base: &str, patient: &PatientId, limit: usize) -> Result<Vec<Encounter>, Error> {
        let statement = "select encounter_id, status, class, reason, started, ended
                           from encounter
                          where tenant_id = $1 and fhir_base = $2 and patient_id = $3 and status <> 'entered-in-error'
                          order by started desc, encounter_id
                          limit $4";
        let rows: Vec<Row> = read!(self, c => sqlx::query_as(statement)
            .bind(tenant.as_str())
            .bind(fhir_base)
            .bind(patient.as_str())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(c))?;
        Ok(rows.into_iter().map(Encounter::from).collect())
    }
}
