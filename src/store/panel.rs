//! Who may open whom, as far as it stands in our own tables.

use sqlx::FromRow;
use time::OffsetDateTime;

use super::audit::record;
use super::patient::{Opener, Row as PatientRow, load};
use super::term::{self, Search};
use super::{Conn, Error, Store, change, read, seconds, time};
use crate::audit::{Entry, Origin};
use crate::id::{PatientId, TenantId, UserId};
use crate::person::{FhirUser, Patient};

/// A patient whom somebody may open.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The patient.
    pub patient: Patient,
    /// Since when; `None` where nobody knows.
    pub since: Option<OffsetDateTime>,
}

#[derive(FromRow)]
struct Row {
    #[sqlx(flatten)]
    patient: PatientRow,
    since: Option<i64>,
}

impl TryFrom<Row> for Opened {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let since = row.since.map(|since| time("panel", "since", since)).transpose()?;
        Ok(Self { patient: row.patient.into(), since })
    }
}

/// Puts a person on a patient's list. `false` where they are on it, and since no earlier time: the latest time counts.
pub(super) async fn open(conn: &mut Conn<'_>, origin: &Origin, fhir_base: &str, id: &PatientId, opener: &Opener) -> Result<bool, Error> {
    let statement = "insert into panel (tenant_id, fhir_base, fhir_user, patient_id, since) values ($1, $2, $3, $4, $5)
                     on conflict (tenant_id, fhir_base, fhir_user, patient_id) do update set since = excluded.since
                      where panel.since is null and excluded.since is not null or panel.since < excluded.since";
    let changed = change!(
        conn,
        sqlx::query(statement)
            .bind(origin.tenant.as_str())
            .bind(fhir_base)
            .bind(&opener.who)
            .bind(id.as_str())
            .bind(opener.since.map(seconds))
    )?;
    Ok(changed > 0)
}

impl Store {
    /// Lets a person open a patient. `false` where they could before, and since no earlier time: whoever came of age may
    /// allow it again.
    ///
    /// # Errors
    /// [`Error::InUse`], where there is no such FHIR base.
    pub async fn open_patient_to(&self, origin: &Origin, fhir_base: &str, id: &PatientId, opener: &Opener) -> Result<bool, Error> {
        let (origin, fhir_base, id, opener) = (origin.clone(), fhir_base.to_owned(), id.clone(), opener.clone());
        self.write(move |mut conn| {
            Box::pin(async move {
                if !open(&mut conn, &origin, &fhir_base, &id, &opener).await? {
                    return Ok(false);
                }
                if let Some(patient) = load(&mut conn, &origin, &fhir_base, &id).await? {
                    term::index(&mut conn, &origin, &fhir_base, &patient, false).await?;
                }
                record(&mut conn, &origin, Entry::done("patient.opened_to").patient(&id).detail(&opener.who)).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Takes a patient off a person's list. `false` where they were not on it.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn close_patient_to(&self, origin: &Origin, fhir_base: &str, id: &PatientId, who: &FhirUser) -> Result<bool, Error> {
        let (origin, fhir_base, id, who) = (origin.clone(), fhir_base.to_owned(), id.clone(), who.to_string());
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "delete from panel where tenant_id = $1 and fhir_base = $2 and fhir_user = $3 and patient_id = $4";
                let removed =
                    change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(&fhir_base).bind(&who).bind(id.as_str()))?;
                if removed > 0 {
                    record(&mut conn, &origin, Entry::done("patient.closed_to").patient(&id).detail(&who)).await?;
                }
                Ok(removed > 0)
            })
        })
        .await
    }

    /// The patients of our own whom this person may open and who match what was typed: the beginnings of words of a name,
    /// of an MRN, of a birth date. In the order of what was found; at most `limit`.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn patients_open_to(
        &self,
        tenant: &TenantId,
        fhir_base: &str,
        who: &FhirUser,
        typed: &str,
        limit: usize,
    ) -> Result<Vec<Opened>, Error> {
        // The joins stand in the order in which SQLite is to go about them.
        let statement = "select p.patient_id, p.name, p.birth_date, p.sex, p.mrn, o.since
                           from panel_term t
                          cross join patient p
                          cross join panel o
                          where t.tenant_id = $1 and t.fhir_base = $2 and t.fhir_user = $3 and t.kind = $4 and t.term >= $5 and t.term < $6
                            and p.tenant_id = $1 and p.fhir_base = $2 and p.patient_id = t.patient_id and p.inactive_at is null
                            and o.tenant_id = $1 and o.fhir_base = $2 and o.fhir_user = $3 and o.patient_id = t.patient_id
                            and ' ' || p.search_name || ' ' || replace(p.search_name, '-', ' ') || ' ' || p.search_mrn || ' ' || p.birth_date
                                like $7 escape '!'
                            and ' ' || p.search_name || ' ' || replace(p.search_name, '-', ' ') || ' ' || p.search_mrn || ' ' || p.birth_date
                                like $8 escape '!'
                            and ' ' || p.search_name || ' ' || replace(p.search_name, '-', ' ') || ' ' || p.search_mrn || ' ' || p.birth_date
                                like $9 escape '!'
                          order by t.term, t.patient_id
                          limit $10";
        let Search { kind, from, to, like: [second, third, fourth] } = Search::of(typed);
        // Planned anew each time: a plan that PostgreSQL keeps for any person and any word reads a whole panel, and sorts it.
        let rows: Vec<Row> = read!(self, c => sqlx::query_as(statement)
            .persistent(false)
            .bind(tenant.as_str())
            .bind(fhir_base)
            .bind(who.to_string())
            .bind(kind)
            .bind(&from)
            .bind(&to)
            .bind(&second)
            .bind(&third)
            .bind(&fourth)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX).saturating_mul(term::REPEATS))
            .fetch_all(c))?;
        let mut seen = std::collections::HashSet::new();
        let once = rows.into_iter().map(Opened::try_from).filter(|opened| match opened {
            Ok(opened) => seen.insert(opened.patient.id.clone()),
            Err(_) => true,
        });
        once.take(limit).collect()
    }

    /// This patient of our own, where this person may open them.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn patient_open_to(
        &self,
        tenant: &TenantId,
        fhir_base: &str,
        who: &FhirUser,
        id: &PatientId,
    ) -> Result<Option<Opened>, Error> {
        let statement = "select p.patient_id, p.name, p.birth_date, p.sex, p.mrn, o.since
                           from panel o
                           join patient p on p.tenant_id = o.tenant_id and p.fhir_base = o.fhir_base and p.patient_id = o.patient_id
                          where o.tenant_id = $1 and o.fhir_base = $2 and o.fhir_user = $3 and o.patient_id = $4 and p.inactive_at is null";
        let row: Option<Row> = read!(self, c => sqlx::query_as(statement)
            .bind(tenant.as_str())
            .bind(fhir_base)
            .bind(who.to_string())
            .bind(id.as_str())
            .fetch_optional(c))?;
        row.map(Opened::try_from).transpose()
    }

    /// The ids on a person's list and since when they are there, by id, whether or not the patients are in our own tables.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn listed(
        &self,
        tenant: &TenantId,
        fhir_base: &str,
        who: &FhirUser,
        limit: i64,
    ) -> Result<Vec<(PatientId, Option<OffsetDateTime>)>, Error> {
        let statement = "select patient_id, since
                           from panel
                          where tenant_id = $1 and fhir_base = $2 and fhir_user = $3
                          order by patient_id
                          limit $4";
        let rows: Vec<(String, Option<i64>)> = read!(self, c => sqlx::query_as(statement)
            .bind(tenant.as_str())
            .bind(fhir_base)
            .bind(who.to_string())
            .bind(limit)
            .fetch_all(c))?;
        let listed =
            |(id, since): (String, Option<i64>)| Ok((PatientId::new(id), since.map(|since| time("panel", "since", since)).transpose()?));
        rows.into_iter().map(listed).collect()
    }

    /// Since when a patient is on a person's list; `None` where they are not on it.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn listed_since(
        &self,
        tenant: &TenantId,
        fhir_base: &str,
        who: &FhirUser,
        id: &PatientId,
    ) -> Result<Option<Option<OffsetDateTime>>, Error> {
        let statement = "select since from panel where tenant_id = $1 and fhir_base = $2 and fhir_user = $3 and patient_id = $4";
        let row: Option<Option<i64>> = read!(self, c => sqlx::query_scalar(statement)
            .bind(tenant.as_str())
            .bind(fhir_base)
            .bind(who.to_string())
            .bind(id.as_str())
            .fetch_optional(c))?;
        row.map(|since| since.map(|since| time("panel", "since", since)).transpose()).transpose()
    }

    /// The patients whom this person's apps were allowed to open last, latest first, at most `limit`.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn recent_patients(&self, tenant: &TenantId, fhir_base: &str, user: &UserId, limit: usize) -> Result<Vec<PatientId>, Error> {
        /// How far back is looked.
        const GRANTS: i64 = 50;
        let statement = "select patient_id
                           from access_grant
                          where tenant_id = $1 and user_id = $2 and fhir_base = $3 and patient_id is not null and emergency_reason is null
                          order by created_at desc
                          limit $4";
        let ids: Vec<String> = read!(self, c => sqlx::query_scalar(statement)
            .bind(tenant.as_str())
            .bind(user.as_str())
            .bind(fhir_base)
            .bind(GRANTS)
            .fetch_all(c))?;
        let mut seen = std::collections::HashSet::new();
        Ok(ids.into_iter().filter(|id| seen.insert(id.clone())).take(limit).map(PatientId::new).collect())
    }
}
