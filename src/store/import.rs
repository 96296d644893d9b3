//! Patients by the million: first who they are and who may open them, then what finds them, in the order of its index.
//!
//! A row that goes somewhere else in an index than the one before it costs a page of the disk, and so does each
//! transaction that comes back to it. So the terms of many patients are sorted and written in few, larger pieces.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::audit::record;
use super::patient::ImportedPatient;
use super::term::{self, mrn_text, search_text, terms};
use super::{Conn, Error, Pools, Store, change, on, seconds};
use crate::audit::{Entry, Origin};

/// How many patients, and how many terms, are written in one transaction: a fraction of a second for whoever waits behind it.
const PATIENTS: usize = 2000;
const TERMS: usize = 20_000;
/// How many terms go into one statement.
const TOGETHER: usize = 2000;
/// How many patients' terms are sorted together: a hundred megabytes or so.
const SORTED: usize = 100_000;
/// The pages that SQLite keeps in memory meanwhile, in KiB: as many as one transaction may change.
const CACHE: &str = "pragma cache_size = -131072";
const USUAL_CACHE: &str = "pragma cache_size = -2000";
/// Between two large transactions. Another process that waits for SQLite's lock looks for it every tenth of a second.
const OTHERS_TURN: Duration = Duration::from_millis(100);

/// What finds a patient, in the order of the index: by whom, of which kind, as what, and whom.
type Term = (String, &'static str, String, String);

impl Store {
    /// Adds patients, or brings those that are there up to date. A patient's list of who may open
    /// them is replaced when `replace_panel` says so, and added to otherwise. Large imports are many
    /// transactions: where one fails, those before it stay, and the same import again does the rest.
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
        let is_large = patients.len() > PATIENTS;
        if is_large {
            self.keep_pages(CACHE).await?;
        }
        let mut done = Ok(());
        let mut patients = patients.into_iter().peekable();
        while patients.peek().is_some() && done.is_ok() {
            done = self.import_some(origin, fhir_base, patients.by_ref().take(SORTED).collect(), replace_panel).await;
        }
        if is_large {
            self.keep_pages(USUAL_CACHE).await?;
        }
        done
    }

    async fn import_some(
        &self,
        origin: &Origin,
        fhir_base: &str,
        patients: Vec<ImportedPatient>,
        replace_panel: bool,
    ) -> Result<(), Error> {
        let mut fresh = Vec::new();
        let mut patients = patients.into_iter().peekable();
        while patients.peek().is_some() {
            let (batch, origin, fhir_base) = (patients.by_ref().take(PATIENTS).collect::<Vec<_>>(), origin.clone(), fhir_base.to_owned());
            let is_full = batch.len() == PATIENTS;
            let written = self.write(move |mut conn| {
                Box::pin(async move {
                    let entry = Entry::done("patient.imported").detail(&format!("{} into {fhir_base}", batch.len()));
                    let batch = Batch::of(batch);
                    batch.write(&mut conn, &origin, &fhir_base).await?;
                    let openers = batch.open(&mut conn, &origin, &fhir_base, replace_panel).await?;
                    let fresh = batch.forget_terms(&mut conn, &origin, &fhir_base, &openers).await?;
                    record(&mut conn, &origin, entry).await?;
                    Ok(fresh)
                })
            });
            fresh.extend(written.await?);
            self.let_others(is_full).await;
        }
        fresh.sort_unstable();
        for some in fresh.chunks(TERMS) {
            let (some, origin, fhir_base) = (some.to_vec(), origin.clone(), fhir_base.to_owned());
            let is_full = some.len() == TERMS;
            self.write(move |mut conn| {
                Box::pin(async move {
                    for terms in some.chunks(TOGETHER) {
                        insert(&mut conn, &origin, &fhir_base, terms).await?;
                    }
                    Ok(())
                })
            })
            .await?;
            self.let_others(is_full).await;
        }
        Ok(())
    }

    async fn keep_pages(&self, pragma: &'static str) -> Result<(), Error> {
        if matches!(self.pools, Pools::Postgres(_)) {
            return Ok(()); // it has its own memory
        }
        self.write(move |mut conn| Box::pin(async move { Ok(change!(&mut conn, sqlx::query(pragma)).map(|_| ())?) })).await
    }

    async fn let_others(&self, is_large: bool) {
        if is_large && matches!(self.pools, Pools::Sqlite { .. }) {
            tokio::time::sleep(OTHERS_TURN).await;
        }
    }
}

/// Patients that are written together, by id.
struct Batch {
    patients: BTreeMap<String, ImportedPatient>,
    /// An object whose keys are their ids.
    ids: String,
}

impl Batch {
    /// Of one who is there twice, the later counts, and both lists.
    fn of(list: Vec<ImportedPatient>) -> Self {
        let mut patients: BTreeMap<String, ImportedPatient> = BTreeMap::new();
        for mut patient in list {
            if let Some(before) = patients.remove(patient.patient.id.as_str()) {
                patient.opened_by.extend(before.opened_by);
            }
            patients.insert(patient.patient.id.as_str().to_owned(), patient);
        }
        let ids: Map<String, Value> = patients.keys().map(|id| (id.clone(), Value::Null)).collect();
        Self { ids: Value::Object(ids).to_string(), patients }
    }

    async fn write(&self, conn: &mut Conn<'_>, origin: &Origin, fhir_base: &str) -> Result<(), Error> {
        let rows = self.patients.iter().map(|(id, ImportedPatient { patient, is_inactive, .. })| {
            let inactive = is_inactive.then_some("inactive");
            let (search_name, search_mrn) = (search_text(&patient.name), mrn_text(&patient.mrn));
            (id.clone(), json!([patient.name, search_name, patient.birth_date, patient.sex, patient.mrn, search_mrn, inactive]))
        });
        let rows = Value::Object(rows.collect()).to_string();
        let statement = "insert into patient (tenant_id, fhir_base, patient_id, name, search_name, birth_date, sex, mrn, search_mrn,
                                              imported_at, inactive_at)
                         select $1, $2, key, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
                                cast($4 as bigint), case when value ->> 6 is not null then cast($4 as bigint) end
                           from json_each(json($3))
                          where true
                         on conflict (tenant_id, fhir_base, patient_id)
                         do update set name = excluded.name, search_name = excluded.search_name, birth_date = excluded.birth_date,
                                       sex = excluded.sex, mrn = excluded.mrn, search_mrn = excluded.search_mrn,
                                       imported_at = excluded.imported_at, inactive_at = excluded.inactive_at";
        change!(conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(fhir_base).bind(&rows).bind(seconds(origin.now)))?;
        Ok(())
    }

    /// Brings the lists of who may open them up to date, and returns them. Who was on one before keeps the time since when,
    /// unless a later one is known now.
    async fn open(
        &self,
        conn: &mut Conn<'_>,
        origin: &Origin,
        fhir_base: &str,
        replace: bool,
    ) -> Result<HashMap<String, HashSet<String>>, Error> {
        let statement = "select patient_id, fhir_user
                           from panel
                          where tenant_id = $1 and fhir_base = $2 and patient_id in (select key from json_each(json($3)))";
        let before: Vec<(String, String)> = on!(&mut *conn, c => sqlx::query_as(statement)
            .bind(origin.tenant.as_str())
            .bind(fhir_base)
            .bind(&self.ids)
            .fetch_all(c))?;
        let mut openers: HashMap<String, HashSet<String>> = HashMap::new();
        for (patient, who) in before {
            let stays = |new: &ImportedPatient| !replace || new.opened_by.iter().any(|opener| opener.who == who);
            if self.patients.get(&patient).is_none_or(stays) {
                openers.entry(patient).or_default().insert(who);
                continue;
            }
            let statement = "delete from panel where tenant_id = $1 and fhir_base = $2 and patient_id = $3 and fhir_user = $4";
            change!(&mut *conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(fhir_base).bind(&patient).bind(&who))?;
        }
        // In the order of the key; of one who is named twice, the latest time.
        let mut given: BTreeMap<(&str, &str), Option<i64>> = BTreeMap::new();
        for (id, patient) in &self.patients {
            for opener in &patient.opened_by {
                let since = given.entry((&opener.who, id)).or_default();
                *since = (*since).max(opener.since.map(seconds));
                openers.entry(id.clone()).or_default().insert(opener.who.clone());
            }
        }
        let rows = given.iter().map(|((who, id), since)| (format!("{who} {id}"), json!([who, id, since])));
        let rows = Value::Object(rows.collect()).to_string();
        let statement = "insert into panel (tenant_id, fhir_base, fhir_user, patient_id, since)
                         select $1, $2, value ->> 0, value ->> 1, cast(value ->> 2 as bigint) from json_each(json($3)) where true
                         on conflict (tenant_id, fhir_base, fhir_user, patient_id) do update set since = excluded.since
                          where panel.since is null and excluded.since is not null or panel.since < excluded.since";
        change!(conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(fhir_base).bind(&rows))?;
        Ok(openers)
    }

    /// Takes away what finds them no longer. Returns what finds them from now on and is not there yet.
    async fn forget_terms(
        &self,
        conn: &mut Conn<'_>,
        origin: &Origin,
        fhir_base: &str,
        openers: &HashMap<String, HashSet<String>>,
    ) -> Result<Vec<Term>, Error> {
        let mut wanted: HashSet<Term> = HashSet::new();
        for (id, ImportedPatient { patient, is_inactive, .. }) in &self.patients {
            let terms = if *is_inactive { Vec::new() } else { terms(patient) };
            for who in openers.get(id).into_iter().flatten() {
                wanted.extend(terms.iter().map(|(kind, term)| (who.clone(), *kind, term.clone(), id.clone())));
            }
        }
        let statement = "select fhir_user, kind, term, patient_id
                           from panel_term
                          where tenant_id = $1 and fhir_base = $2 and patient_id in (select key from json_each(json($3)))";
        let before: Vec<(String, String, String, String)> = on!(&mut *conn, c => sqlx::query_as(statement)
            .bind(origin.tenant.as_str())
            .bind(fhir_base)
            .bind(&self.ids)
            .fetch_all(c))?;
        for (who, kind, term, patient) in before {
            let kind = if kind == term::NAME { term::NAME } else { term::FIND };
            let known: Term = (who, kind, term, patient);
            if wanted.remove(&known) {
                continue;
            }
            let statement = "delete from panel_term
                              where tenant_id = $1 and fhir_base = $2 and fhir_user = $3 and kind = $4 and term = $5 and patient_id = $6";
            let (who, kind, term, patient) = known;
            change!(
                &mut *conn,
                sqlx::query(statement).bind(origin.tenant.as_str()).bind(fhir_base).bind(&who).bind(kind).bind(&term).bind(&patient)
            )?;
        }
        Ok(wanted.into_iter().collect())
    }
}

/// Writes terms, for those who are on the patient's list still.
async fn insert(conn: &mut Conn<'_>, origin: &Origin, fhir_base: &str, terms: &[Term]) -> Result<(), Error> {
    let rows =
        terms.iter().enumerate().map(|(place, (who, kind, term, patient))| (format!("{place:05}"), json!([who, kind, term, patient])));
    let rows = Value::Object(rows.collect()).to_string();
    let statement = "insert into panel_term (tenant_id, fhir_base, fhir_user, kind, term, patient_id)
                     select o.tenant_id, o.fhir_base, o.fhir_user, t.value ->> 1, t.value ->> 2, o.patient_id
                       from json_each(json($3)) t
                      cross join panel o
                      where o.tenant_id = $1 and o.fhir_base = $2 and o.fhir_user = t.value ->> 0 and o.patient_id = t.value ->> 3
                     on conflict do nothing";
    change!(conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(fhir_base).bind(&rows))?;
    Ok(())
}
