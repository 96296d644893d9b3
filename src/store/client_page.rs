//! What people come to see of an app, how they are asked about it, and how it is opened. It can be changed later.

use sqlx::FromRow;

use super::audit::record;
use super::{Error, Store, change, read, seconds};
use crate::audit::{Entry, Origin};
use crate::client::{Asking, Client};
use crate::id::{ClientId, TenantId};
use crate::secret::Digest;
use crate::token::{base64url, from_base64url};

/// Changes to what people see; what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientPage {
    /// The name.
    pub name: Option<String>,
    /// Who made it.
    pub developer: Option<String>,
    /// Its web site.
    pub website: Option<String>,
    /// What becomes of the data.
    pub policy_uri: Option<String>,
    /// Terms of service.
    pub tos_uri: Option<String>,
    /// Whether its developer attested to a code of conduct.
    pub attested: Option<bool>,
    /// When clinicians are asked.
    pub asks_clinicians: Option<Asking>,
    /// When everybody else is.
    pub asks_patients: Option<Asking>,
    /// Where an EHR opens it.
    pub launch_uri: Option<String>,
    /// The version of SMART App Launch that it speaks.
    pub smart_version: Option<String>,
    /// An administrator knows who is behind it.
    pub is_verified: Option<bool>,
}

/// A picture by which people know an app.
#[derive(Clone, Debug)]
pub struct Logo {
    /// Its media type.
    pub kind: String,
    /// The file.
    pub data: Vec<u8>,
}

#[derive(FromRow)]
struct LogoRow {
    kind: String,
    data: String,
}

impl Store {
    /// Changes what people see of a client. `false` where there is none.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn change_client_page(&self, origin: &Origin, id: &ClientId, new: ClientPage) -> Result<bool, Error> {
        let (origin, id) = (origin.clone(), id.clone());
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "update client
                                    set name = coalesce($3, name), developer = coalesce($4, developer), website = coalesce($5, website),
                                        policy_uri = coalesce($6, policy_uri), tos_uri = coalesce($7, tos_uri),
                                        attested = coalesce($8, attested), asks_clinicians = coalesce($9, asks_clinicians),
                                        asks_patients = coalesce($10, asks_patients), launch_uri = coalesce($13, launch_uri),
                                        smart_version = coalesce($14, smart_version),
                                        verified_at = case when $11 = 'yes' then coalesce(verified_at, $12)
                                                           when $11 = 'no' then null
                                                           else verified_at end
                                  where tenant_id = $1 and client_id = $2";
                let answer = |is: bool| if is { "yes" } else { "no" };
                let found = change!(
                    &mut conn,
                    sqlx::query(statement)
                        .bind(origin.tenant.as_str())
                        .bind(id.as_str())
                        .bind(&new.name)
                        .bind(&new.developer)
                        .bind(&new.website)
                        .bind(&new.policy_uri)
                        .bind(&new.tos_uri)
                        .bind(new.attested.map(answer))
                        .bind(new.asks_clinicians.map(Asking::as_str))
                        .bind(new.asks_patients.map(Asking::as_str))
                        .bind(new.is_verified.map(answer))
                        .bind(seconds(origin.now))
                        .bind(&new.launch_uri)
                        .bind(&new.smart_version)
                )?;
                if found > 0 {
                    record(&mut conn, &origin, Entry::done("client.changed").client(&id)).await?;
                }
                Ok(found > 0)
            })
        })
        .await
    }

    /// Gives a client its picture instead of the one that it had.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn set_logo(&self, origin: &Origin, client: &Client, logo: Logo) -> Result<Digest, Error> {
        let (origin, id) = (origin.clone(), client.id.clone());
        self.write(move |mut conn| {
            Box::pin(async move {
                let data = base64url(&logo.data);
                let digest = Digest::of(&data);
                let statement = "insert into client_logo (tenant_id, client_id, digest, kind, data, set_at) values ($1, $2, $3, $4, $5, $6)
                                 on conflict (tenant_id, client_id)
                                 do update set digest = excluded.digest, kind = excluded.kind, data = excluded.data, set_at = excluded.set_at";
                change!(
                    &mut conn,
                    sqlx::query(statement)
                        .bind(origin.tenant.as_str())
                        .bind(id.as_str())
                        .bind(digest.as_str())
                        .bind(&logo.kind)
                        .bind(&data)
                        .bind(seconds(origin.now))
                )?;
                record(&mut conn, &origin, Entry::done("client.logo_set").client(&id)).await?;
                Ok(digest)
            })
        })
        .await
    }

    /// The digest of a client's picture, which is what its address is made of.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn logo_of(&self, tenant: &TenantId, client: &ClientId) -> Result<Option<String>, Error> {
        let statement = "select digest from client_logo where tenant_id = $1 and client_id = $2";
        Ok(read!(self, c => sqlx::query_scalar(statement).bind(tenant.as_str()).bind(client.as_str()).fetch_optional(c))?)
    }

    /// The picture of this digest.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn logo(&self, tenant: &TenantId, digest: &str) -> Result<Option<Logo>, Error> {
        let statement = "select kind, data from client_logo where tenant_id = $1 and digest = $2 limit 1";
        let row: Option<LogoRow> = read!(self, c => sqlx::query_as(statement).bind(tenant.as_str()).bind(digest).fetch_optional(c))?;
        let corrupt = Error::Corrupt { table: "client_logo", column: "data" };
        row.map(|row| from_base64url(&row.data).map(|data| Logo { kind: row.kind, data }).ok_or(corrupt)).transpose()
    }
}
