//! Patients of our own.

use sqlx::FromRow;
use time::OffsetDateTime;

use super::audit::record;
use super::term::{index, mrn_text, search_text};
use super::{Conn, Error, Store, change, on, panel, read, seconds};
use crate::audit::{Entry, Origin};
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
    /// Adds patients, or brings those that are there up to date. A patient's list of who may open
    /// them is replaced when `replace_panel` says so, and added to otherwise.
    ///
    /// # Errors
    /// [`Error::InUse`], where there is no such FHIR base.
    pub async fn import_patients(
        &self,
        origin: &Origin,
        fhir_base: &str,
        patients: Vec<ImportedPatient>,
        replace_panel: bool,
    ) -> Result<(), Error> {
        let (origin, fhir_base) = (origin.clone(), fhir_base.to_owned());
        self.write(move |mut conn| {
            Box::pin(async move {
                let count = patients.len();
                for ImportedPatient { patient, is_inactive, opened_by } in patients {
                    let statement = "insert into patient (tenant_id, fhir_base, patient_id, name, search_name, birth_date, sex, mrn, search_mrn,
                                                          imported_at, inactive_at)
                                     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
                                     on conflict (tenant_id, fhir_base, patient_id)
                                     do update set name = excluded.name, search_name = excluded.search_name, birth_date = excluded.birth_date,
                                                   sex = excluded.sex, mrn = excluded.mrn, search_mrn = excluded.search_mrn,
                                                   imported_at = excluded.imported_at, inactive_at = excluded.inactive_at";
                    change!(&mut conn, sqlx::query(statement)
                        .bind(origin.tenant.as_str())
                        .bind(&fhir_base)
                        .bind(patient.id.as_str())
                        .bind(&patient.name)
                        .bind(search_text(&patient.name))
                        .bind(&patient.birth_date)
                        .bind(&patient.sex)
                        .bind(&patient.mrn)
                        .bind(mrn_text(&patient.mrn))
                        .bind(seconds(origin.now))
                        .bind(is_inactive.then_some(seconds(origin.now))))?;
                    open_to(&mut conn, &origin, &fhir_base, &patient.id, &opened_by, replace_panel).await?;
                    index(&mut conn, &origin, &fhir_base, &patient, is_inactive).await?;
                }
                record(&mut conn, &origin, Entry::done("patient.imported").detail(&format!("{count} into {fhir_base}"))).await
            })
        })
        .await
    }

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

/// Brings the list of who may open a patient up to date. Who was on it before keeps the time since when, unless a
/// later one is known now.
async fn open_to(
    conn: &mut Conn<'_>,
    origin: &Origin,
    fhir_base: &str,
    id: &PatientId,
    opened_by: &[Opener],
    replace: bool,
) -> Result<(), Error> {
    if replace {
        let statement = "select fhir_user from panel where tenant_id = $1 and fhir_base = $2 and patient_id = $3";
        let before: Vec<String> =
            on!(conn, c => sqlx::query_scalar(statement).bind(origin.tenant.as_str()).bind(fhir_base).bind(id.as_str()).fetch_all(c))?;
        for gone in before.iter().filter(|before| !opened_by.iter().any(|opener| opener.who == **before)) {
            let statement = "delete from panel where tenant_id = $1 and fhir_base = $2 and patient_id = $3 and fhir_user = $4";
            change!(conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(fhir_base).bind(id.as_str()).bind(gone))?;
        }
    }
    for opener in opened_by {
        panel::open(conn, origin, fhir_base, id, opener).await?;
    }
    Ok(())
}
