//! Patients of our own.

use sqlx::FromRow;
use time::OffsetDateTime;

use super::term::mrn_text;
use super::{Conn, Error, Store, on, read};
use crate::audit::Origin;
use crate::id::{PatientId, TenantId};
use crate::person::Patient;

/// A patient to be imported, and the people who may open them.
#[derive(Clone, Debug)]
pub struct ImportedPatient {
    /// The patient.
    pub patient: Patient,
    /// No longer treated here, or merged into another record.
    pub is_inactive: bool,
    /// Who may open them.
    pub opened_by: Vec<Opener>,
}

/// Somebody who may open a patient.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opener {
    /// `Practitioner/a`, `RelatedPerson/b`
    pub who: String,
    /// Since when; `None` where nobody knows. What was given over a child ends when the child comes of age.
    pub since: Option<OffsetDateTime>,
}

#[derive(FromRow)]
pub(super) struct Row {
    patient_id: String,
    name: String,
    birth_date: String,
    sex: String,
    mrn: String,
}

impl From<Row> for Patient {
    fn from(row: Row) -> Self {
        Self { id: PatientId::new(row.patient_id), name: row.name, birth_date: row.birth_date, sex: row.sex, mrn: row.mrn }
    }
}

impl Store {
    /// A patient, whoever asks.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn patient(&self, tenant: &TenantId, fhir_base: &str, id: &PatientId) -> Result<Option<Patient>, Error> {
        let statement = "select patient_id, name, birth_date, sex, mrn
                           from patient
                          where tenant_id = $1 and fhir_base = $2 and patient_id = $3 and inactive_at is null";
        let row: Option<Row> = read!(self, c => sqlx::query_as(statement)
            .bind(tenant.as_str())
            .bind(fhir_base)
            .bind(id.as_str())
            .fetch_optional(c))?;
        Ok(row.map(Patient::from))
    }

    /// The active patients who have exactly this MRN, capitals aside; at most `limit`.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn patients_by_mrn(&self, tenant: &TenantId, fhir_base: &str, mrn: &str, limit: i64) -> Result<Vec<Patient>, Error> {
        let statement = "select patient_id, name, birth_date, sex, mrn
                           from patient
                          where tenant_id = $1 and fhir_base = $2 and search_mrn = $3 and inactive_at is null
                          order by patient_id
                          limit $4";
        let rows: Vec<Row> = read!(self, c => sqlx::query_as(statement)
            .bind(tenant.as_str())
            .bind(fhir_base)
            .bind(mrn_text(mrn))
            .bind(limit)
            .fetch_all(c))?;
        Ok(rows.into_iter().map(Patient::from).collect())
    }

    /// The active patients who were born on exactly this day; at most `limit`.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn patients_by_birth_date(
        &self,
        tenant: &TenantId,
        fhir_base: &str,
        birth_date: &str,
        limit: i64,
    ) -> Result<Vec<Patient>, Error> {
        let statement = "select patient_id, name, birth_date, sex, mrn
                           from patient
                          where tenant_id = $1 and fhir_base = $2 and birth_date = $3 and inactive_at is null
                          order by patient_id
                          limit $4";
        let rows: Vec<Row> = read!(self, c => sqlx::query_as(statement)
            .bind(tenant.as_str())
            .bind(fhir_base)
            .bind(birth_date)
            .bind(limit)
            .fetch_all(c))?;
        Ok(rows.into_iter().map(Patient::from).collect())
    }

    /// Every patient of a base, by id, for an administrator.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn patients(&self, tenant: &TenantId, fhir_base: &str, limit: i64) -> Result<Vec<Patient>, Error> {
        let statement = "select patient_id, name, birth_date, sex, mrn
                           from patient
                          where tenant_id = $1 and fhir_base = $2 and inactive_at is null
                          order by patient_id
                          limit $3";
        let rows: Vec<Row> = read!(self, c => sqlx::query_as(statement).bind(tenant.as_str()).bind(fhir_base).bind(limit).fetch_all(c))?;
        Ok(rows.into_iter().map(Patient::from).collect())
    }
}

/// The same of a patient, in the transaction at hand.
pub(super) async fn load(conn: &mut Conn<'_>, origin: &Origin, fhir_base: &str, id: &PatientId) -> Result<Option<Patient>, Error> {
    let statement = "select patient_id, name, birth_date, sex, mrn
                       from patient
                      where tenant_id = $1 and fhir_base = $2 and patient_id = $3 and inactive_at is null";
    let row: Option<Row> =
        on!(conn, c => sqlx::query_as(statement).bind(origin.tenant.as_str()).bind(fhir_base).bind(id.as_str()).fetch_optional(c))?;
    Ok(row.map(Patient::from))
}
