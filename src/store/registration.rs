//! Apps that register themselves (RFC 7591, RFC 7592): by a token that an administrator made, and with no right to
//! anything until an administrator has approved them.

use sqlx::FromRow;
use time::OffsetDateTime;

use super::audit::record;
use super::client::{insert, insert_origins};
use super::{Error, NewClient, Store, change, json, on, read, seconds, time};
use crate::audit::{Entry, Origin};
use crate::client::{Asking, Client, GrantType};
use crate::id::{ClientId, TenantId};
use crate::redirect::RedirectUri;
use crate::secret::Digest;
use crate::token::Algorithm;

/// An initial access token, as an administrator sees it.
#[derive(Clone, Debug)]
pub struct RegistrationToken {
    /// Its name; the token itself is not kept.
    pub id: String,
    /// Whom it was made for.
    pub label: String,
    /// How many apps it may still register.
    pub uses_left: i64,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// Its end.
    pub expires_at: OffsetDateTime,
}

/// An app that registers itself.
pub struct SelfRegistered {
    /// What is registered.
    pub new: NewClient,
    /// Of the token that manages the registration.
    pub management: Digest,
}

#[derive(FromRow)]
pub(super) struct Row {
    token_id: String,
    label: String,
    uses_left: i64,
    created_at: i64,
    expires_at: i64,
}

impl TryFrom<Row> for RegistrationToken {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.token_id,
            label: row.label,
            uses_left: row.uses_left,
            created_at: time("registration_token", "created_at", row.created_at)?,
            expires_at: time("registration_token", "expires_at", row.expires_at)?,
        })
    }
}

impl Store {
    /// Keeps an initial access token, by its digest.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn add_registration_token(&self, origin: &Origin, token: RegistrationToken, digest: Digest) -> Result<(), Error> {
        let origin = origin.clone();
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "insert into registration_token (tenant_id, token_id, digest, label, uses_left, created_at, expires_at)
                     values ($1, $2, $3, $4, $5, $6, $7)";
                change!(
                    &mut conn,
                    sqlx::query(statement)
                        .bind(origin.tenant.as_str())
                        .bind(&token.id)
                        .bind(digest.as_str())
                        .bind(&token.label)
                        .bind(token.uses_left)
                        .bind(seconds(token.created_at))
                        .bind(seconds(token.expires_at))
                )?;
                record(&mut conn, &origin, Entry::done("registration_token.created").detail(&token.id)).await
            })
        })
        .await
    }

    /// Every initial access token, oldest first.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn registration_tokens(&self, tenant: &TenantId) -> Result<Vec<RegistrationToken>, Error> {
        let statement = "select token_id, label, uses_left, created_at, expires_at
                           from registration_token
                          where tenant_id = $1
                          order by created_at, token_id";
        let rows: Vec<Row> = read!(self, c => sqlx::query_as(statement).bind(tenant.as_str()).fetch_all(c))?;
        rows.into_iter().map(RegistrationToken::try_from).collect()
    }

    /// Ends an initial access token; what it registered stays. `false` where there is none of this name.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn delete_registration_token(&self, origin: &Origin, id: &str) -> Result<bool, Error> {
        let (origin, id) = (origin.clone(), id.to_owned());
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "delete from registration_token where tenant_id = $1 and token_id = $2";
                let found = change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(&id))?;
                if found > 0 {
                    record(&mut conn, &origin, Entry::done("registration_token.deleted").detail(&id)).await?;
                }
                Ok(found > 0)
            })
        })
        .await
    }

    /// Whether an app could register with this token now. [`Store::register_client`] decides.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn registration_token_is_good(&self, origin: &Origin, digest: &Digest) -> Result<bool, Error> {
        let statement = "select count(*)
                           from registration_token
                          where tenant_id = $1 and digest = $2 and uses_left > 0 and expires_at > $3";
        let count: i64 = read!(self, c => sqlx::query_scalar(statement)
            .bind(origin.tenant.as_str())
            .bind(digest.as_str())
            .bind(seconds(origin.now))
            .fetch_one(c))?;
        Ok(count > 0)
    }

    /// Registers an app, which takes one use of its initial access token. `false` where the token has none left, has expired, or
    /// is none.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn register_client(&self, origin: &Origin, token: &Digest, registered: SelfRegistered) -> Result<bool, Error> {
        let (origin, token) = (origin.clone(), token.clone());
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "update registration_token set uses_left = uses_left - 1
                                  where tenant_id = $1 and digest = $2 and uses_left > 0 and expires_at > $3
                              returning token_id";
                let taken: Option<String> = on!(&mut conn, c => sqlx::query_scalar(statement)
                    .bind(origin.tenant.as_str())
                    .bind(token.as_str())
                    .bind(seconds(origin.now))
                    .fetch_optional(c))?;
                let Some(token_id) = taken else { return Ok(false) };
                let SelfRegistered { new, management } = registered;
                let id = new.client.id.clone();
                insert(&mut conn, &origin, new).await?;
                let statement = "insert into client_registration (tenant_id, client_id, digest, token_id) values ($1, $2, $3, $4)";
                change!(
                    &mut conn,
                    sqlx::query(statement).bind(origin.tenant.as_str()).bind(id.as_str()).bind(management.as_str()).bind(&token_id)
                )?;
                record(&mut conn, &origin, Entry::done("client.registered").client(&id).detail(&token_id)).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Whether this token manages this client's registration.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn manages_registration(&self, tenant: &TenantId, id: &ClientId, management: &Digest) -> Result<bool, Error> {
        let statement = "select count(*) from client_registration where tenant_id = $1 and client_id = $2 and digest = $3";
        let count: i64 = read!(self, c => sqlx::query_scalar(statement)
            .bind(tenant.as_str())
            .bind(id.as_str())
            .bind(management.as_str())
            .fetch_one(c))?;
        Ok(count > 0)
    }

    /// Takes down what an app that registered itself says of itself now. What an administrator approved was something else:
    /// it waits for approval again, people are asked again, and what the administrator said of it is gone. `false` where there is no such client.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn update_registration(&self, origin: &Origin, client: Client) -> Result<bool, Error> {
        let origin = origin.clone();
        self.write(move |mut conn| {
            Box::pin(async move {
                let grant_types: Vec<&str> = client.grant_types.iter().copied().map(GrantType::as_str).collect();
                let assertion_algs: Vec<&str> = client.assertion_algs.iter().copied().map(Algorithm::as_str).collect();
                let statement = "update client set name = $3, grant_types = $4, scopes = $5, redirect_uris = $6,
                                        post_logout_redirect_uris = $7, id_token_alg = $8, website = $9, policy_uri = $10, tos_uri = $11,
                                        jwks = $12, jwks_uri = $13, assertion_algs = $14, awaits_approval_since = $15, verified_at = null,
                                        asks_clinicians = $16, asks_patients = $16, developer = null, attested = null, launch_uri = null,
                                        pkce_exempt_at = null, may_introspect_at = null
                                  where tenant_id = $1 and client_id = $2";
                let found = change!(
                    &mut conn,
                    sqlx::query(statement)
                        .bind(origin.tenant.as_str())
                        .bind(client.id.as_str())
                        .bind(&client.name)
                        .bind(grant_types.join(" "))
                        .bind(client.scopes.to_string())
                        .bind(json(&client.redirect_uris.iter().map(RedirectUri::as_str).collect::<Vec<_>>()))
                        .bind(json(&client.post_logout_redirect_uris))
                        .bind(client.id_token_alg.as_str())
                        .bind(&client.website)
                        .bind(&client.policy_uri)
                        .bind(&client.tos_uri)
                        .bind(&client.jwks)
                        .bind(&client.jwks_uri)
                        .bind(assertion_algs.join(" "))
                        .bind(seconds(origin.now))
                        .bind(Asking::Always.as_str())
                )?;
                if found == 0 {
                    return Ok(false);
                }
                for statement in [
                    "delete from remembered_consent where tenant_id = $1 and client_id = $2",
                    "delete from client_logo where tenant_id = $1 and client_id = $2",
                ] {
                    change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(client.id.as_str()))?;
                }
                let statement = "delete from client_origin where tenant_id = $1 and client_id = $2";
                change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(client.id.as_str()))?;
                insert_origins(&mut conn, &origin, &client).await?;
                record(&mut conn, &origin, Entry::done("client.updated").client(&client.id)).await?;
                Ok(true)
            })
        })
        .await
    }

    /// An administrator has looked at an app that registered itself. `false` where none of this name waits.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn approve_client(&self, origin: &Origin, id: &ClientId) -> Result<bool, Error> {
        let (origin, id) = (origin.clone(), id.clone());
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "update client set awaits_approval_since = null
                                  where tenant_id = $1 and client_id = $2 and awaits_approval_since is not null";
                let found = change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(id.as_str()))?;
                if found > 0 {
                    record(&mut conn, &origin, Entry::done("client.approved").client(&id)).await?;
                }
                Ok(found > 0)
            })
        })
        .await
    }
}
