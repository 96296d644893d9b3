//! Registered apps and their secrets.

use std::collections::BTreeSet;

use sqlx::FromRow;
use time::{Duration, OffsetDateTime};

use super::audit::record;
use super::{Error, Store, change, json, list, read, seconds, time};
use crate::audit::{Entry, Origin};
use crate::client::{Asking, Client, ClientAuth, GrantType};
use crate::id::{ClientId, TenantId};
use crate::redirect::{RedirectUri, without_loopback_port};
use crate::scope::ScopeSet;
use crate::secret::Digest;

/// A client to be registered, and the digest of its secret if it has one.
pub struct NewClient {
    /// What is registered.
    pub client: Client,
    /// Of the secret that was just made.
    pub secret: Option<Digest>,
}

/// A statement about clients: the columns stand here once.
macro_rules! select {
    ($more:literal, $from:literal) => {
        concat!(
            "select client_id, name, developer, auth_method, grant_types, scopes, redirect_uris, post_logout_redirect_uris,
                    fhir_bases, id_token_alg, refresh_grace, refresh_max_life, created_at, verified_at, may_introspect_at,
                    pkce_exempt_at, disabled_at, website, policy_uri, tos_uri, attested, asks_clinicians, asks_patients,
                    launch_uri, smart_version, jwks, jwks_uri, assertion_algs, issuer_only_at, awaits_approval_since",
            $more,
            " from client ",
            $from
        )
    };
}

#[derive(FromRow)]
pub(super) struct Row {
    client_id: String,
    name: String,
    developer: Option<String>,
    auth_method: String,
    grant_types: String,
    scopes: String,
    redirect_uris: String,
    post_logout_redirect_uris: String,
    fhir_bases: String,
    id_token_alg: String,
    refresh_grace: i64,
    refresh_max_life: Option<i64>,
    created_at: i64,
    verified_at: Option<i64>,
    may_introspect_at: Option<i64>,
    pkce_exempt_at: Option<i64>,
    disabled_at: Option<i64>,
    website: Option<String>,
    policy_uri: Option<String>,
    tos_uri: Option<String>,
    attested: Option<String>,
    asks_clinicians: String,
    asks_patients: String,
    launch_uri: Option<String>,
    smart_version: Option<String>,
    jwks: Option<String>,
    jwks_uri: Option<String>,
    assertion_algs: String,
    issuer_only_at: Option<i64>,
    awaits_approval_since: Option<i64>,
}

#[derive(FromRow)]
struct RowWithSecrets {
    #[sqlx(flatten)]
    client: Row,
    right_secrets: i64,
}

impl TryFrom<Row> for Client {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        const TABLE: &str = "client";
        let corrupt = |column| Error::Corrupt { table: TABLE, column };
        let redirect_uris: Vec<RedirectUri> = serde_json::from_str(&row.redirect_uris).map_err(|_| corrupt("redirect_uris"))?;
        Ok(Self {
            auth: ClientAuth::parse(&row.auth_method).ok_or(corrupt("auth_method"))?,
            grant_types: words(&row.grant_types).map(GrantType::parse).collect::<Option<_>>().ok_or(corrupt("grant_types"))?,
            scopes: ScopeSet::parse(&row.scopes).map_err(|_| corrupt("scopes"))?,
            redirect_uris,
            post_logout_redirect_uris: list(TABLE, "post_logout_redirect_uris", &row.post_logout_redirect_uris)?,
            fhir_bases: list(TABLE, "fhir_bases", &row.fhir_bases)?,
            id_token_alg: row.id_token_alg.parse().map_err(|_| corrupt("id_token_alg"))?,
            refresh_grace: Duration::seconds(row.refresh_grace),
            refresh_max_life: row.refresh_max_life.map(Duration::seconds),
            is_verified: row.verified_at.is_some(),
            attested: row
                .attested
                .map(|answer| {
                    if answer == "yes" {
                        Ok(true)
                    } else if answer == "no" {
                        Ok(false)
                    } else {
                        Err(corrupt("attested"))
                    }
                })
                .transpose()?,
            asks_clinicians: Asking::parse(&row.asks_clinicians).ok_or(corrupt("asks_clinicians"))?,
            asks_patients: Asking::parse(&row.asks_patients).ok_or(corrupt("asks_patients"))?,
            assertion_algs: words(&row.assertion_algs).map(str::parse).collect::<Result<_, _>>().map_err(|_| corrupt("assertion_algs"))?,
            is_issuer_only: row.issuer_only_at.is_some(),
            awaits_approval: row.awaits_approval_since.is_some(),
            may_introspect: row.may_introspect_at.is_some(),
            is_pkce_exempt: row.pkce_exempt_at.is_some(),
            disabled_at: row.disabled_at.map(|at| time(TABLE, "disabled_at", at)).transpose()?,
            created_at: time(TABLE, "created_at", row.created_at)?,
            id: ClientId::new(row.client_id),
            name: row.name,
            developer: row.developer,
            website: row.website,
            policy_uri: row.policy_uri,
            tos_uri: row.tos_uri,
            launch_uri: row.launch_uri,
            smart_version: row.smart_version,
            jwks: row.jwks,
            jwks_uri: row.jwks_uri,
        })
    }
}

impl Store {
    /// A client, switched off or not.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn client(&self, tenant: &TenantId, id: &ClientId) -> Result<Option<Client>, Error> {
        let statement = select!("", "where tenant_id = $1 and client_id = $2");
        let row: Option<Row> = read!(self, c => sqlx::query_as(statement).bind(tenant.as_str()).bind(id.as_str()).fetch_optional(c))?;
        row.map(Client::try_from).transpose()
    }

    /// A client, switched off or not, and whether this is a live secret of it. One statement, so
    /// that an unknown client takes as long as a wrong secret.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn client_with_secret(
        &self,
        tenant: &TenantId,
        id: &ClientId,
        digest: &Digest,
        now: OffsetDateTime,
    ) -> Result<Option<(Client, bool)>, Error> {
        let statement = select!(
            ", (select count(*) from client_secret s
                 where s.tenant_id = $1 and s.client_id = $2 and s.digest = $3
                   and (s.expires_at is null or s.expires_at > $4)) as right_secrets",
            "where tenant_id = $1 and client_id = $2"
        );
        let row: Option<RowWithSecrets> = read!(self, c => sqlx::query_as(statement)
            .bind(tenant.as_str())
            .bind(id.as_str())
            .bind(digest.as_str())
            .bind(seconds(now))
            .fetch_optional(c))?;
        row.map(|row| Ok((row.client.try_into()?, row.right_secrets > 0))).transpose()
    }

    /// The first clients, by id; at most `limit`.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn clients(&self, tenant: &TenantId, limit: i64) -> Result<Vec<Client>, Error> {
        let statement = select!("", "where tenant_id = $1 order by client_id limit $2");
        let rows: Vec<Row> = read!(self, c => sqlx::query_as(statement).bind(tenant.as_str()).bind(limit).fetch_all(c))?;
        rows.into_iter().map(Client::try_from).collect()
    }

    /// The clients that say where an EHR opens them, by id; at most `limit`.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn launchable_clients(&self, tenant: &TenantId, limit: i64) -> Result<Vec<Client>, Error> {
        let statement = select!("", "where tenant_id = $1 and launch_uri is not null order by client_id limit $2");
        let rows: Vec<Row> = read!(self, c => sqlx::query_as(statement).bind(tenant.as_str()).bind(limit).fetch_all(c))?;
        rows.into_iter().map(Client::try_from).collect()
    }

    /// Registers a client.
    ///
    /// # Errors
    /// [`Error::Exists`], where the id is taken.
    pub async fn create_client(&self, origin: &Origin, new: NewClient) -> Result<(), Error> {
        let origin = origin.clone();
        self.write(move |mut conn| {
            Box::pin(async move {
                let id = new.client.id.clone();
                insert(&mut conn, &origin, new).await?;
                record(&mut conn, &origin, Entry::done("client.created").client(&id)).await
            })
        })
        .await
    }

    /// Adds a secret; the ones before it end at `old_until`. `false` where there is no such client.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn rotate_client_secret(
        &self,
        origin: &Origin,
        id: &ClientId,
        digest: Digest,
        old_until: OffsetDateTime,
    ) -> Result<bool, Error> {
        let (origin, id) = (origin.clone(), id.clone());
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "update client_secret set expires_at = $3
                                  where tenant_id = $1 and client_id = $2 and (expires_at is null or expires_at > $3)";
                let old =
                    change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(id.as_str()).bind(seconds(old_until)))?;
                if old == 0 {
                    return Ok(false);
                }
                insert_secret(&mut conn, &origin, &id, &digest).await?;
                record(&mut conn, &origin, Entry::done("client.secret_rotated").client(&id)).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Gives a client that proves itself by its key other public keys: a JWK Set, or where it publishes one. `false` where
    /// there is no such client.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn set_client_keys(&self, origin: &Origin, id: &ClientId, jwks: Option<&str>, uri: Option<&str>) -> Result<bool, Error> {
        let (origin, id, jwks, uri) = (origin.clone(), id.clone(), jwks.map(str::to_owned), uri.map(str::to_owned));
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "update client set jwks = $3, jwks_uri = $4
                                  where tenant_id = $1 and client_id = $2 and auth_method = 'private_key_jwt'";
                let found =
                    change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(id.as_str()).bind(&jwks).bind(&uri))?;
                if found > 0 {
                    record(&mut conn, &origin, Entry::done("client.keys_changed").client(&id)).await?;
                }
                Ok(found > 0)
            })
        })
        .await
    }

    /// Switches a client off, and ends everything that it was given. `false` where there is none.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn disable_client(&self, origin: &Origin, id: &ClientId) -> Result<bool, Error> {
        let (origin, id) = (origin.clone(), id.clone());
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "update client set disabled_at = coalesce(disabled_at, $3) where tenant_id = $1 and client_id = $2";
                let found =
                    change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(id.as_str()).bind(seconds(origin.now)))?;
                if found == 0 {
                    return Ok(false);
                }
                let statement = "update access_grant set revoked_at = $3, revoked_why = 'client disabled'
                                  where tenant_id = $1 and client_id = $2 and revoked_at is null";
                change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(id.as_str()).bind(seconds(origin.now)))?;
                record(&mut conn, &origin, Entry::done("client.disabled").client(&id)).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Forgets a client and everything that it was given. `false` where there is none.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn delete_client(&self, origin: &Origin, id: &ClientId) -> Result<bool, Error> {
        let (origin, id) = (origin.clone(), id.clone());
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "delete from client where tenant_id = $1 and client_id = $2";
                let found = change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(id.as_str()))?;
                if found > 0 {
                    record(&mut conn, &origin, Entry::done("client.deleted").client(&id)).await?;
                }
                Ok(found > 0)
            })
        })
        .await
    }

    /// Whether a browser app of some client lives at this web origin.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn is_client_origin(&self, tenant: &TenantId, web: &str) -> Result<bool, Error> {
        let statement = "select count(*)
                           from client_origin o
                           join client c on c.tenant_id = o.tenant_id and c.client_id = o.client_id
                          where o.tenant_id = $1 and o.origin = $2 and c.awaits_approval_since is null";
        let count: i64 =
            read!(self, c => sqlx::query_scalar(statement).bind(tenant.as_str()).bind(without_loopback_port(web)).fetch_one(c))?;
        Ok(count > 0)
    }
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(' ').filter(|word| !word.is_empty())
}

/// One more client, with its origins and its secret.
pub(super) async fn insert(conn: &mut super::Conn<'_>, origin: &Origin, new: NewClient) -> Result<(), Error> {
    let NewClient { client, secret } = new;
    let flag = |is: bool| is.then_some(seconds(origin.now));
    let grant_types: Vec<&str> = client.grant_types.iter().map(|grant| grant.as_str()).collect();
    let assertion_algs: Vec<&str> = client.assertion_algs.iter().map(|algorithm| algorithm.as_str()).collect();
    let statement = "insert into client (tenant_id, client_id, name, developer, auth_method, grant_types, scopes, redirect_uris,
                                         post_logout_redirect_uris, fhir_bases, id_token_alg, refresh_grace, refresh_max_life,
                                         created_at, verified_at, may_introspect_at, pkce_exempt_at, website, policy_uri,
                                         tos_uri, attested, asks_clinicians, asks_patients, launch_uri, smart_version,
                                         jwks, jwks_uri, assertion_algs, issuer_only_at, awaits_approval_since)
                     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
                             $21, $22, $23, $24, $25, $26, $27, $28, $29, $30)";
    change!(
        conn,
        sqlx::query(statement)
            .bind(origin.tenant.as_str())
            .bind(client.id.as_str())
            .bind(&client.name)
            .bind(&client.developer)
            .bind(client.auth.as_str())
            .bind(grant_types.join(" "))
            .bind(client.scopes.to_string())
            .bind(json(&client.redirect_uris.iter().map(RedirectUri::as_str).collect::<Vec<_>>()))
            .bind(json(&client.post_logout_redirect_uris))
            .bind(json(&client.fhir_bases))
            .bind(client.id_token_alg.as_str())
            .bind(client.refresh_grace.whole_seconds())
            .bind(client.refresh_max_life.map(time::SignedDuration::whole_seconds))
            .bind(seconds(origin.now))
            .bind(flag(client.is_verified))
            .bind(flag(client.may_introspect))
            .bind(flag(client.is_pkce_exempt))
            .bind(&client.website)
            .bind(&client.policy_uri)
            .bind(&client.tos_uri)
            .bind(client.attested.map(|yes| if yes { "yes" } else { "no" }))
            .bind(client.asks_clinicians.as_str())
            .bind(client.asks_patients.as_str())
            .bind(&client.launch_uri)
            .bind(&client.smart_version)
            .bind(&client.jwks)
            .bind(&client.jwks_uri)
            .bind(assertion_algs.join(" "))
            .bind(flag(client.is_issuer_only))
            .bind(flag(client.awaits_approval))
    )?;
    insert_origins(conn, origin, &client).await?;
    if let Some(digest) = secret {
        insert_secret(conn, origin, &client.id, &digest).await?;
    }
    Ok(())
}

/// The web origins from which browsers may call the token endpoint for this client.
pub(super) async fn insert_origins(conn: &mut super::Conn<'_>, origin: &Origin, client: &Client) -> Result<(), Error> {
    let origins = client.redirect_uris.iter().filter_map(RedirectUri::origin);
    let origins: BTreeSet<String> = origins.map(|web| without_loopback_port(&web).to_owned()).collect();
    for web in &origins {
        let statement = "insert into client_origin (tenant_id, origin, client_id) values ($1, $2, $3)";
        change!(conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(web).bind(client.id.as_str()))?;
    }
    Ok(())
}

async fn insert_secret(conn: &mut super::Conn<'_>, origin: &Origin, id: &ClientId, digest: &Digest) -> Result<(), Error> {
    let statement = "insert into client_secret (tenant_id, client_id, digest, created_at) values ($1, $2, $3, $4)";
    change!(conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(id.as_str()).bind(digest.as_str()).bind(seconds(origin.now)))?;
    Ok(())
}
