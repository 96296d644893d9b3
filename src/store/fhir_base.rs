//! Tenants and their FHIR bases.

use sqlx::FromRow;
use time::OffsetDateTime;

use super::audit::record;
use super::{Error, Store, change, json, list, read, seconds};
use crate::audit::{Entry, Origin};
use crate::id::TenantId;
use crate::tenant::{FhirBase, Strategy};

#[derive(FromRow)]
struct Row {
    name: String,
    audience: String,
    public_urls: String,
    strategy: String,
    smart_version: String,
    access_token_alg: String,
}

impl TryFrom<Row> for FhirBase {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let corrupt = |column| Error::Corrupt { table: "fhir_base", column };
        Ok(Self {
            public_urls: list("fhir_base", "public_urls", &row.public_urls)?,
            strategy: Strategy::parse(&row.strategy).ok_or(corrupt("strategy"))?,
            access_token_alg: row.access_token_alg.parse().map_err(|_| corrupt("access_token_alg"))?,
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
        let statement = "select name, audience, public_urls, strategy, smart_version, access_token_alg
                           from fhir_base
                          where tenant_id = $1
                          order by name";
        let rows: Vec<Row> = read!(self, c => sqlx::query_as(statement).bind(tenant.as_str()).fetch_all(c))?;
        rows.into_iter().map(FhirBase::try_from).collect()
    }

    /// Registers a FHIR base.
    ///
    /// # Errors
    /// [`Error::Exists`], where its name or its audience is taken.
    pub async fn add_fhir_base(&self, origin: &Origin, base: &FhirBase) -> Result<(), Error> {
        let (origin, base) = (origin.clone(), base.clone());
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement =
                    "insert into fhir_base (tenant_id, name, audience, public_urls, strategy, smart_version, access_token_alg, created_at)
                                 values ($1, $2, $3, $4, $5, $6, $7, $8)";
                change!(
                    &mut conn,
                    sqlx::query(statement)
                        .bind(origin.tenant.as_str())
                        .bind(&base.name)
                        .bind(&base.audience)
                        .bind(json(&base.public_urls))
                        .bind(base.strategy.as_str())
                        .bind(&base.smart_version)
                        .bind(base.access_token_alg.as_str())
                        .bind(seconds(origin.now))
                )?;
                record(&mut conn, &origin, Entry::done("fhir_base.added").detail(&base.name)).await
            })
        })
        .await
    }

    /// Forgets a FHIR base, and if so asked the patients that were imported for it; `false` where
    /// there is none of this name.
    ///
    /// # Errors
    /// [`Error::InUse`], where patients were imported for it and are not to be forgotten.
    pub async fn remove_fhir_base(&self, origin: &Origin, name: &str, with_patients: bool) -> Result<bool, Error> {
        let (origin, name) = (origin.clone(), name.to_owned());
        self.write(move |mut conn| {
            Box::pin(async move {
                if with_patients {
                    let statement = "delete from patient where tenant_id = $1 and fhir_base = $2";
                    change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(&name))?;
                }
                let statement = "delete from fhir_base where tenant_id = $1 and name = $2";
                let done = change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(&name))?;
                if done > 0 {
                    record(&mut conn, &origin, Entry::done("fhir_base.removed").detail(&name)).await?;
                }
                Ok(done > 0)
            })
        })
        .await
    }
}
