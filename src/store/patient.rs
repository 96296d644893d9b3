//! Patients that the picker can show, and who may open whom.

use sqlx::FromRow;

use super::audit::record;
use super::{Error, Store, change, read, seconds};
use crate::audit::{Entry, Origin};
use crate::id::{PatientId, TenantId};
use crate::person::{FhirUser, Patient, User};

/// A patient to be imported, and the people (`Practitioner/a`, `RelatedPerson/b`) who may open them.
#[derive(Clone, Debug)]
pub struct ImportedPatient {
    /// The patient.
    pub patient: Patient,
    /// No longer treated here, or merged into another record.
    pub is_inactive: bool,
    /// Who may open them.
    pub opened_by: Vec<String>,
}

#[derive(FromRow)]
struct Row {
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
                    let statement = "insert into patient (tenant_id, fhir_base, patient_id, name, search_name, birth_date, sex, mrn, imported_at, inactive_at)
                                     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                                     on conflict (tenant_id, fhir_base, patient_id)
                                     do update set name = excluded.name, search_name = excluded.search_name, birth_date = excluded.birth_date,
                                                   sex = excluded.sex, mrn = excluded.mrn, imported_at = excluded.imported_at,
                                                   inactive_at = excluded.inactive_at";
                    change!(&mut conn, sqlx::query(statement)
                        .bind(origin.tenant.as_str())
                        .bind(&fhir_base)
                        .bind(patient.id.as_str())
                        .bind(&patient.name)
                        .bind(search_text(&patient.name))
                        .bind(&patient.birth_date)
                        .bind(&patient.sex)
                        .bind(&patient.mrn)
                        .bind(seconds(origin.now))
                        .bind(is_inactive.then_some(seconds(origin.now))))?;
                    if replace_panel {
                        let statement = "delete from panel where tenant_id = $1 and fhir_base = $2 and patient_id = $3";
                        change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(&fhir_base).bind(patient.id.as_str()))?;
                    }
                    for person in opened_by {
                        let statement = "insert into panel (tenant_id, fhir_base, fhir_user, patient_id) values ($1, $2, $3, $4) on conflict do nothing";
                        change!(&mut conn, sqlx::query(statement)
                            .bind(origin.tenant.as_str())
                            .bind(&fhir_base)
                            .bind(&person)
                            .bind(patient.id.as_str()))?;
                    }
                }
                record(&mut conn, &origin, Entry::done("patient.imported").detail(&format!("{count} into {fhir_base}"))).await
            })
        })
        .await
    }

    /// Lets a person open a patient. `false` where there is no such patient.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn open_patient_to(&self, origin: &Origin, fhir_base: &str, patient: &PatientId, who: &FhirUser) -> Result<bool, Error> {
        let (origin, fhir_base, patient, who) = (origin.clone(), fhir_base.to_owned(), patient.clone(), who.to_string());
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "insert into panel (tenant_id, fhir_base, fhir_user, patient_id)
                                 select tenant_id, fhir_base, $4, patient_id from patient
                                  where tenant_id = $1 and fhir_base = $2 and patient_id = $3
                                 on conflict do nothing";
                let added = change!(
                    &mut conn,
                    sqlx::query(statement).bind(origin.tenant.as_str()).bind(&fhir_base).bind(patient.as_str()).bind(&who)
                )?;
                if added > 0 {
                    record(&mut conn, &origin, Entry::done("patient.opened_to").patient(&patient).detail(&who)).await?;
                }
                Ok(added > 0)
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

    /// The patients whom this person may open and who match what was typed, by name: part of a
    /// name, the beginning of an MRN, or a birth date. At most `limit`.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn patients_open_to(
        &self,
        tenant: &TenantId,
        fhir_base: &str,
        who: &FhirUser,
        typed: &str,
        limit: i64,
    ) -> Result<Vec<Patient>, Error> {
        let statement = "select p.patient_id, p.name, p.birth_date, p.sex, p.mrn
                           from panel o
                           join patient p on p.tenant_id = o.tenant_id and p.fhir_base = o.fhir_base and p.patient_id = o.patient_id
                          where o.tenant_id = $1 and o.fhir_base = $2 and o.fhir_user = $3 and p.inactive_at is null
                            and (p.search_name like $4 escape '!' or lower(p.mrn) like $5 escape '!' or p.birth_date like $5 escape '!')
                          order by p.search_name, p.birth_date, p.patient_id
                          limit $6";
        let typed = escape_like(&search_text(typed));
        let rows: Vec<Row> = read!(self, c => sqlx::query_as(statement)
            .bind(tenant.as_str())
            .bind(fhir_base)
            .bind(who.to_string())
            .bind(format!("%{}%", typed.replace(' ', "%")))
            .bind(format!("{typed}%"))
            .bind(limit)
            .fetch_all(c))?;
        Ok(rows.into_iter().map(Patient::from).collect())
    }

    /// Whether this user may open this patient: their own record, or one that is open to them.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn may_open(&self, tenant: &TenantId, fhir_base: &str, user: &User, id: &PatientId) -> Result<bool, Error> {
        if user.own_patient().as_ref() == Some(id) {
            return Ok(self.patient(tenant, fhir_base, id).await?.is_some());
        }
        match &user.fhir_user {
            Some(who) => self.is_patient_open_to(tenant, fhir_base, who, id).await,
            None => Ok(false),
        }
    }

    /// Whether this person may open this patient.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn is_patient_open_to(&self, tenant: &TenantId, fhir_base: &str, who: &FhirUser, id: &PatientId) -> Result<bool, Error> {
        let statement = "select count(*)
                           from panel o
                           join patient p on p.tenant_id = o.tenant_id and p.fhir_base = o.fhir_base and p.patient_id = o.patient_id
                          where o.tenant_id = $1 and o.fhir_base = $2 and o.fhir_user = $3 and o.patient_id = $4 and p.inactive_at is null";
        let count: i64 = read!(self, c => sqlx::query_scalar(statement)
            .bind(tenant.as_str())
            .bind(fhir_base)
            .bind(who.to_string())
            .bind(id.as_str())
            .fetch_one(c))?;
        Ok(count > 0)
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

/// Lower case and single spaces, so that both sides of a comparison look alike.
fn search_text(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `%` and `_` typed by a person are themselves.
fn escape_like(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}
