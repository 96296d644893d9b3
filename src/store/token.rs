//! Access tokens: whether one that is validly signed is still wanted.

use super::audit::record;
use super::{Error, Store, change, read};
use crate::audit::{Entry, Origin};
use crate::client::DIRECTORY;
use crate::grant::grant_of;
use crate::id::{ClientId, TenantId};
use crate::token::AccessClaims;

impl Store {
    /// Whether a token that is good by itself still stands: its grant, its user, its client and
    /// itself, and whether it was issued since the database was last restored.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn token_stands(&self, tenant: &TenantId, claims: &AccessClaims) -> Result<bool, Error> {
        let count: i64 = match grant_of(&claims.jti) {
            Some(grant) => {
                let statement = "select count(*)
                                   from access_grant g
                                   join user_account u on u.tenant_id = g.tenant_id and u.user_id = g.user_id
                                   join client c on c.tenant_id = g.tenant_id and c.client_id = g.client_id
                                   join tenant t on t.tenant_id = g.tenant_id
                                  where g.tenant_id = $1 and g.grant_id = $2 and g.client_id = $3 and g.revoked_at is null
                                    and u.disabled_at is null and c.disabled_at is null and c.awaits_approval_since is null
                                    and coalesce(t.valid_from, 0) <= $5
                                    and not exists (select 1 from revoked_token r where r.tenant_id = $1 and r.jti = $4)";
                read!(self, c => sqlx::query_scalar(statement)
                    .bind(tenant.as_str())
                    .bind(grant.as_str())
                    .bind(&claims.client_id)
                    .bind(&claims.jti)
                    .bind(claims.iat)
                    .fetch_one(c))?
            }
            // Our own, for a minute: no client, no person, nothing that could be revoked.
            None if claims.client_id == DIRECTORY => {
                let statement = "select count(*) from tenant where tenant_id = $1 and coalesce(valid_from, 0) <= $2";
                read!(self, c => sqlx::query_scalar(statement).bind(tenant.as_str()).bind(claims.iat).fetch_one(c))?
            }
            None => {
                let statement = "select count(*)
                                   from client c
                                   join tenant t on t.tenant_id = c.tenant_id
                                  where c.tenant_id = $1 and c.client_id = $2 and c.disabled_at is null and c.awaits_approval_since is null
                                    and coalesce(t.valid_from, 0) <= $4
                                    and not exists (select 1 from revoked_token r where r.tenant_id = $1 and r.jti = $3)";
                read!(self, c => sqlx::query_scalar(statement)
                    .bind(tenant.as_str())
                    .bind(&claims.client_id)
                    .bind(&claims.jti)
                    .bind(claims.iat)
                    .fetch_one(c))?
            }
        };
        Ok(count > 0)
    }

    /// Revokes one access token.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn revoke_token(&self, origin: &Origin, claims: &AccessClaims) -> Result<(), Error> {
        let (origin, jti, client, expires_at) = (origin.clone(), claims.jti.clone(), ClientId::new(claims.client_id.clone()), claims.exp);
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "insert into revoked_token (tenant_id, jti, expires_at) values ($1, $2, $3) on conflict do nothing";
                let added = change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(&jti).bind(expires_at))?;
                if added > 0 {
                    record(&mut conn, &origin, Entry::done("token.revoked").client(&client).jti(&jti)).await?;
                }
                Ok(())
            })
        })
        .await
    }
}
