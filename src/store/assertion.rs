//! Client assertions that were believed: each is good once (RFC 7523 §3, SMART App Launch 2.2 "Asymmetric").

use super::audit::record;
use super::{Conn, Error, Store, change};
use crate::audit::{Entry, Origin};
use crate::id::ClientId;
use crate::token::Proof;

impl Store {
    /// Takes an assertion, whose signature is good: of any number of concurrent callers exactly one is told `true`. One
    /// that could have been taken before the database was restored may be one that the backup does not know: nobody is.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn spend_assertion(&self, origin: &Origin, client: &ClientId, proof: &Proof) -> Result<bool, Error> {
        let (origin, client, proof) = (origin.clone(), client.clone(), proof.clone());
        self.write(move |mut conn| Box::pin(async move { spend(&mut conn, &origin, &client, &proof).await })).await
    }

    /// The same, where what the assertion is for is one entry in the books: both or neither, in one commit.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn spend_assertion_on(&self, origin: &Origin, client: &ClientId, proof: &Proof, entry: Entry) -> Result<bool, Error> {
        let (origin, client, proof) = (origin.clone(), client.clone(), proof.clone());
        self.write(move |mut conn| {
            Box::pin(async move {
                let is_new = spend(&mut conn, &origin, &client, &proof).await?;
                if is_new {
                    record(&mut conn, &origin, entry).await?;
                }
                Ok(is_new)
            })
        })
        .await
    }
}

async fn spend(conn: &mut Conn<'_>, origin: &Origin, client: &ClientId, proof: &Proof) -> Result<bool, Error> {
    let statement = "insert into client_assertion (tenant_id, client_id, jti, expires_at)
                     select $1, $2, $3, $4 from tenant where tenant_id = $1 and coalesce(valid_from, 0) <= $5
                     on conflict do nothing";
    let inserted = change!(
        conn,
        sqlx::query(statement).bind(origin.tenant.as_str()).bind(client.as_str()).bind(&proof.jti).bind(proof.until).bind(proof.since)
    )?;
    Ok(inserted > 0)
}
