//! Tenants and their FHIR bases.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::{Value, json};
use sqlx::FromRow;
use time::OffsetDateTime;

use super::audit::record;
use super::{Error, Known, Store, change, list, read, seconds};
use crate::audit::{Entry, Origin};
use crate::id::TenantId;
use crate::tenant::{AssociatedEndpoint, Brand, FhirBase, Identifier, Panel, PatientSource, Patients, Strategy};

/// The FHIR bases of each tenant as they were when they were last looked at. They hardly ever
/// change, and nearly every token asks for them.
#[derive(Default)]
pub(super) struct KnownBases(RwLock<HashMap<TenantId, Known<Arc<[FhirBase]>>>>);

impl KnownBases {
    fn of(&self, tenant: &TenantId) -> Known<Arc<[FhirBase]>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(tenant).cloned();
        known.unwrap_or_else(|| self.0.write().unwrap_or_else(PoisonError::into_inner).entry(tenant.clone()).or_default().clone())
    }

    /// A look that began before counts no more.
    fn forget(&self, tenant: &TenantId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(tenant);
    }
}

#[derive(FromRow)]
pub(super) struct Row {
    name: String,
    audience: String,
    public_urls: String,
    strategy: String,
    smart_version: String,
    access_token_alg: String,
    brand_bundle: Option<String>,
    brand_identifier_system: Option<String>,
    brand_identifier_value: Option<String>,
    associated_endpoints: String,
    patient_source: String,
    panels: String,
    emergency_access_at: Option<i64>,
    majority: i64,
}

impl TryFrom<Row> for FhirBase {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let corrupt = |column| Error::Corrupt { table: "fhir_base", column };
        Ok(Self {
            public_urls: list("fhir_base", "public_urls", &row.public_urls)?,
            strategy: Strategy::parse(&row.strategy).ok_or(corrupt("strategy"))?,
            access_token_alg: row.access_token_alg.parse().map_err(|_| corrupt("access_token_alg"))?,
            associated_endpoints: serde_json::from_str(&row.associated_endpoints).map_err(|_| corrupt("associated_endpoints"))?,
            brand: row.brand_bundle.map(|bundle| Brand {
                bundle,
                identifier: row.brand_identifier_value.map(|value| Identifier { system: row.brand_identifier_system, value }),
            }),
            patients: Patients {
                source: PatientSource::parse(&row.patient_source).ok_or(corrupt("patient_source"))?,
                panels: row.panels.split_whitespace().map(|text| Panel::parse(text).ok_or(corrupt("panels"))).collect::<Result<_, _>>()?,
                has_emergency_access: row.emergency_access_at.is_some(),
                majority: row.majority.try_into().map_err(|_| corrupt("majority"))?,
            },
            name: row.name,
            audience: row.audience,
            smart_version: row.smart_version,
        })
    }
}

impl Store {
    pub(super) async fn ensure_default_tenant(&self, now: OffsetDateTime) -> Result<(), Error> {
        let tenant = TenantId::default_tenant();
        let statement = "select count(*) from tenant where tenant_id = $1";
        let count: i64 = read!(self, c => sqlx::query_scalar(statement).bind(tenant.as_str()).fetch_one(c))?;
        if count > 0 {
            return Ok(());
        }
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "insert into tenant (tenant_id, created_at) values ($1, $2) on conflict do nothing";
                change!(&mut conn, sqlx::query(statement).bind(tenant.as_str()).bind(seconds(now)))?;
                Ok(())
            })
        })
        .await
    }

    /// Every FHIR base of a tenant, by name.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn fhir_bases(&self, tenant: &TenantId) -> Result<Vec<FhirBase>, Error> {
        let statement = "select name, audience, public_urls, strategy, smart_version, access_token_alg,
                                brand_bundle, brand_identifier_system, brand_identifier_value, associated_endpoints,
                                patient_source, panels, emergency_access_at, majority
                           from fhir_base
                          where tenant_id = $1
                          order by name";
        let rows: Vec<Row> = read!(self, c => sqlx::query_as(statement).bind(tenant.as_str()).fetch_all(c))?;
        rows.into_iter().map(FhirBase::try_from).collect()
    }

    /// The same, at most a second old, for what every request asks. What this process changes
    /// shows at once, what another one changes within the second. Where the database does not answer,
    /// what was known before serves on.
    ///
    /// # Errors
    /// [`Error`], where nothing is known yet.
    pub async fn known_fhir_bases(&self, tenant: &TenantId, now: OffsetDateTime) -> Result<Arc<[FhirBase]>, Error> {
        let known = self.known_bases.of(tenant);
        let look = || {
            let (store, tenant) = (self.clone(), tenant.clone());
            async move { store.fhir_bases(&tenant).await.map(Arc::from) }
        };
        match known.current(now, look).await {
            // What is damaged does not mend itself: somebody has to hear of it.
            Err(error @ Error::Corrupt { .. }) => Err(error),
            Err(error) => known.last().ok_or(error),
            current => current,
        }
    }

    /// What was known last, however long ago.
    #[must_use]
    pub fn last_fhir_bases(&self, tenant: &TenantId) -> Option<Arc<[FhirBase]>> {
        self.known_bases.of(tenant).last()
    }

    /// Registers a FHIR base.
    ///
    /// # Errors
    /// [`Error::Exists`], where its name or its audience is taken.
    pub async fn add_fhir_base(&self, origin: &Origin, base: &FhirBase) -> Result<(), Error> {
        let (tenant, origin, base) = (origin.tenant.clone(), origin.clone(), base.clone());
        let added = self.write(move |mut conn| {
            Box::pin(async move {
                let statement =
                    "insert into fhir_base (tenant_id, name, audience, public_urls, strategy, smart_version, access_token_alg, created_at,
                                            brand_bundle, brand_identifier_system, brand_identifier_value, associated_endpoints,
                                            patient_source, panels, emergency_access_at, majority)
                                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
                let [bundle, system, value] = brand_columns(base.brand.as_ref());
                change!(
                    &mut conn,
                    sqlx::query(statement)
                        .bind(origin.tenant.as_str())
                        .bind(&base.name)
                        .bind(&base.audience)
                        .bind(super::json(&base.public_urls))
                        .bind(base.strategy.as_str())
                        .bind(&base.smart_version)
                        .bind(base.access_token_alg.as_str())
                        .bind(seconds(origin.now))
                        .bind(bundle)
                        .bind(system)
                        .bind(value)
                        .bind(endpoints(&base.associated_endpoints))
                        .bind(base.patients.source.as_str())
                        .bind(panels(&base.patients))
                        .bind(base.patients.has_emergency_access.then_some(seconds(origin.now)))
                        .bind(i64::from(base.patients.majority))
                )?;
                record(&mut conn, &origin, Entry::done("fhir_base.added").detail(&base.name)).await
            })
        });
        let added = added.await;
        self.known_bases.forget(&tenant);
        added
    }

    /// Changes what a FHIR base publishes: its brand and its associated endpoints; `false` where there
    /// is none of this name.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn publish_fhir_base(
        &self,
        origin: &Origin,
        name: &str,
        brand: Option<Brand>,
        associated: Vec<AssociatedEndpoint>,
    ) -> Result<bool, Error> {
        let (tenant, origin, name) = (origin.tenant.clone(), origin.clone(), name.to_owned());
        let changed = self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "update fhir_base
                                    set brand_bundle = $3, brand_identifier_system = $4, brand_identifier_value = $5,
                                        associated_endpoints = $6
                                  where tenant_id = $1 and name = $2";
                let [bundle, system, value] = brand_columns(brand.as_ref());
                let done = change!(
                    &mut conn,
                    sqlx::query(statement)
                        .bind(origin.tenant.as_str())
                        .bind(&name)
                        .bind(bundle)
                        .bind(system)
                        .bind(value)
                        .bind(endpoints(&associated))
                )?;
                if done > 0 {
                    record(&mut conn, &origin, Entry::done("fhir_base.changed").detail(&name)).await?;
                }
                Ok(done > 0)
            })
        });
        let changed = changed.await;
        self.known_bases.forget(&tenant);
        changed
    }

    /// Changes where a FHIR base's patients come from and who may open them; `false` where there is none of this name.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn update_patients(&self, origin: &Origin, name: &str, patients: &Patients) -> Result<bool, Error> {
        let (tenant, origin, name, patients) = (origin.tenant.clone(), origin.clone(), name.to_owned(), patients.clone());
        let updated = self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "update fhir_base
                                    set patient_source = $3, panels = $4, majority = $6,
                                        emergency_access_at = case when $5 = 0 then null else coalesce(emergency_access_at, $5) end
                                  where tenant_id = $1 and name = $2";
                let since = if patients.has_emergency_access { seconds(origin.now) } else { 0 };
                let found = change!(
                    &mut conn,
                    sqlx::query(statement)
                        .bind(origin.tenant.as_str())
                        .bind(&name)
                        .bind(patients.source.as_str())
                        .bind(panels(&patients))
                        .bind(since)
                        .bind(i64::from(patients.majority))
                )?;
                if found > 0 {
                    let emergency = if patients.has_emergency_access { "on" } else { "off" };
                    let detail = format!(
                        "{name}: patients from {}, panel {}, emergency access {emergency}, majority {}",
                        patients.source.as_str(),
                        panels(&patients),
                        patients.majority
                    );
                    record(&mut conn, &origin, Entry::done("fhir_base.updated").detail(&detail)).await?;
                }
                Ok(found > 0)
            })
        });
        let updated = updated.await;
        self.known_bases.forget(&tenant);
        updated
    }

    /// Forgets a FHIR base, what people allowed there, and if so asked the patients that were imported for it; `false`
    /// where there is none of this name.
    ///
    /// # Errors
    /// [`Error::InUse`], where patients were imported for it and are not to be forgotten.
    pub async fn remove_fhir_base(&self, origin: &Origin, name: &str, with_patients: bool) -> Result<bool, Error> {
        let (tenant, origin, name) = (origin.tenant.clone(), origin.clone(), name.to_owned());
        let removed = self.write(move |mut conn| {
            Box::pin(async move {
                if with_patients {
                    let statement = "delete from panel where tenant_id = $1 and fhir_base = $2";
                    change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(&name))?;
                    let statement = "delete from patient where tenant_id = $1 and fhir_base = $2";
                    change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(&name))?;
                }
                let statement = "delete from fhir_base where tenant_id = $1 and name = $2";
                let done = change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(&name))?;
                if done > 0 {
                    // A base that comes back under this name is another one: its patients are not those whom people spoke of.
                    let statement = "delete from remembered_consent where tenant_id = $1 and fhir_base = $2";
                    change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(&name))?;
                    let statement = "update access_grant set revoked_at = $3, revoked_why = 'the FHIR base was removed'
                                      where tenant_id = $1 and fhir_base = $2 and revoked_at is null";
                    change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(&name).bind(seconds(origin.now)))?;
                    record(&mut conn, &origin, Entry::done("fhir_base.removed").detail(&name)).await?;
                }
                Ok(done > 0)
            })
        });
        let removed = removed.await;
        self.known_bases.forget(&tenant);
        removed
    }
}

/// Bundle, and system and value of the identifier.
fn brand_columns(brand: Option<&Brand>) -> [Option<String>; 3] {
    let identifier = brand.and_then(|brand| brand.identifier.as_ref());
    [
        brand.map(|brand| brand.bundle.clone()),
        identifier.and_then(|identifier| identifier.system.clone()),
        identifier.map(|identifier| identifier.value.clone()),
    ]
}

fn endpoints(list: &[AssociatedEndpoint]) -> String {
    list.iter().map(|own| json!({ "url": own.url, "capabilities": own.capabilities })).collect::<Value>().to_string()
}

fn panels(patients: &Patients) -> String {
    patients.panels.iter().map(|panel| panel.as_str()).collect::<Vec<_>>().join(" ")
}
