//! What is asked of all clients at once, however many there are.

use super::{Error, Store, read};
use crate::id::{ClientId, TenantId};
use crate::token::Algorithm;

impl Store {
    /// Whether a client's ID tokens are signed with this algorithm.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn is_id_token_alg(&self, tenant: &TenantId, algorithm: Algorithm) -> Result<bool, Error> {
        let statement = "select client_id from client where tenant_id = $1 and id_token_alg = $2 limit 1";
        let one: Option<String> =
            read!(self, c => sqlx::query_scalar(statement).bind(tenant.as_str()).bind(algorithm.as_str()).fetch_optional(c))?;
        Ok(one.is_some())
    }

    /// The clients that may do without PKCE, by id; at most `limit`.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn clients_without_pkce(&self, tenant: &TenantId, limit: i64) -> Result<Vec<ClientId>, Error> {
        let statement = "select client_id from client where tenant_id = $1 and pkce_exempt_at is not null order by client_id limit $2";
        let ids: Vec<String> = read!(self, c => sqlx::query_scalar(statement).bind(tenant.as_str()).bind(limit).fetch_all(c))?;
        Ok(ids.into_iter().map(ClientId::new).collect())
    }

    /// A client that is registered for this FHIR base by its name. Reads all of them, and keeps one.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn client_of_base(&self, tenant: &TenantId, fhir_base: &str) -> Result<Option<ClientId>, Error> {
        let statement = "select client_id from client where tenant_id = $1 and fhir_bases like $2 escape '!' order by client_id limit 1";
        let name = serde_json::Value::from(fhir_base).to_string();
        let named = format!("%{}%", name.replace('!', "!!").replace('%', "!%").replace('_', "!_"));
        let id: Option<String> = read!(self, c => sqlx::query_scalar(statement).bind(tenant.as_str()).bind(&named).fetch_optional(c))?;
        Ok(id.map(ClientId::new))
    }
}
