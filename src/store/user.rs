//! People with an account.

use sqlx::FromRow;

use super::audit::record;
use super::{Conn, Error, Store, change, on, read, seconds, time};
use crate::audit::{Entry, Origin};
use crate::id::{TenantId, UserId};
use crate::person::{FhirUser, User};
use crate::secret::Digest;

/// An account to be made.
pub struct NewUser {
    /// The person.
    pub user: User,
    /// A PHC string.
    pub password_hash: String,
}

#[derive(FromRow)]
pub(super) struct Row {
    pub(super) user_id: String,
    pub(super) username: String,
    pub(super) display_name: String,
    pub(super) fhir_user: Option<String>,
    pub(super) disabled_at: Option<i64>,
    pub(super) created_at: i64,
}

#[derive(FromRow)]
struct RowWithHash {
    #[sqlx(flatten)]
    user: Row,
    password_hash: String,
}

impl TryFrom<Row> for User {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        const TABLE: &str = "user_account";
        Ok(Self {
            fhir_user: row
                .fhir_user
                .map(|text| text.parse())
                .transpose()
                .map_err(|_| Error::Corrupt { table: TABLE, column: "fhir_user" })?,
            disabled_at: row.disabled_at.map(|at| time(TABLE, "disabled_at", at)).transpose()?,
            created_at: time(TABLE, "created_at", row.created_at)?,
            id: UserId::new(row.user_id),
            username: row.username,
            display_name: row.display_name,
        })
    }
}

impl Store {
    /// A person and their password's hash, by the canonical user name; switched off or not.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn user_by_name(&self, tenant: &TenantId, username: &str) -> Result<Option<(User, String)>, Error> {
        let statement = "select user_id, username, display_name, fhir_user, disabled_at, created_at, password_hash
                           from user_account
                          where tenant_id = $1 and username = $2";
        let row: Option<RowWithHash> = read!(self, c => sqlx::query_as(statement).bind(tenant.as_str()).bind(username).fetch_optional(c))?;
        row.map(|row| Ok((row.user.try_into()?, row.password_hash))).transpose()
    }

    /// A person, by id; switched off or not.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn user(&self, tenant: &TenantId, id: &UserId) -> Result<Option<User>, Error> {
        let statement = "select user_id, username, display_name, fhir_user, disabled_at, created_at
                           from user_account
                          where tenant_id = $1 and user_id = $2";
        let row: Option<Row> = read!(self, c => sqlx::query_as(statement).bind(tenant.as_str()).bind(id.as_str()).fetch_optional(c))?;
        row.map(User::try_from).transpose()
    }

    /// The people for whom this FHIR resource stands; switched off or not.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn users_by_fhir_user(&self, tenant: &TenantId, who: &FhirUser) -> Result<Vec<User>, Error> {
        let statement = "select user_id, username, display_name, fhir_user, disabled_at, created_at
                           from user_account
                          where tenant_id = $1 and fhir_user = $2
                          order by username";
        let rows: Vec<Row> = read!(self, c => sqlx::query_as(statement).bind(tenant.as_str()).bind(who.to_string()).fetch_all(c))?;
        rows.into_iter().map(User::try_from).collect()
    }

    /// The first people, by user name; at most `limit`.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn users(&self, tenant: &TenantId, limit: i64) -> Result<Vec<User>, Error> {
        let statement = "select user_id, username, display_name, fhir_user, disabled_at, created_at
                           from user_account
                          where tenant_id = $1
                          order by username
                          limit $2";
        let rows: Vec<Row> = read!(self, c => sqlx::query_as(statement).bind(tenant.as_str()).bind(limit).fetch_all(c))?;
        rows.into_iter().map(User::try_from).collect()
    }

    /// Makes an account.
    ///
    /// # Errors
    /// [`Error::Exists`], where the user name is taken.
    pub async fn create_user(&self, origin: &Origin, new: NewUser) -> Result<(), Error> {
        let origin = origin.clone();
        self.write(move |mut conn| {
            Box::pin(async move {
                let NewUser { user, password_hash } = new;
                let statement = "insert into user_account (tenant_id, user_id, username, display_name, fhir_user, password_hash, password_set_at, created_at)
                                 values ($1, $2, $3, $4, $5, $6, $7, $7)";
                change!(&mut conn, sqlx::query(statement)
                    .bind(origin.tenant.as_str())
                    .bind(user.id.as_str())
                    .bind(&user.username)
                    .bind(&user.display_name)
                    .bind(user.fhir_user.as_ref().map(ToString::to_string))
                    .bind(&password_hash)
                    .bind(seconds(origin.now)))?;
                record(&mut conn, &origin, Entry::done("user.created").user(&user.id)).await
            })
        })
        .await
    }

    /// Sets a password. Every session ends and every app has to be allowed again: whoever knew the
    /// old password may have used it.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn set_password(&self, origin: &Origin, id: &UserId, hash: &str) -> Result<bool, Error> {
        let (origin, id, hash) = (origin.clone(), id.clone(), hash.to_owned());
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "update user_account set password_hash = $3, password_set_at = $4 where tenant_id = $1 and user_id = $2";
                let found = change!(
                    &mut conn,
                    sqlx::query(statement).bind(origin.tenant.as_str()).bind(id.as_str()).bind(&hash).bind(seconds(origin.now))
                )?;
                if found == 0 {
                    return Ok(false);
                }
                end_everything(&mut conn, &origin, &id, "password changed").await?;
                // Tries at the old password are not held against the new one.
                let statement = "select username from user_account where tenant_id = $1 and user_id = $2";
                let username: String =
                    on!(&mut conn, c => sqlx::query_scalar(statement).bind(origin.tenant.as_str()).bind(id.as_str()).fetch_one(c))?;
                let statement = "delete from login_throttle where tenant_id = $1 and account = $2";
                let account = Digest::of(&username);
                change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(account.as_str()))?;
                record(&mut conn, &origin, Entry::done("user.password_set").user(&id)).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Switches an account off, at once and everywhere.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn disable_user(&self, origin: &Origin, id: &UserId) -> Result<bool, Error> {
        let (origin, id) = (origin.clone(), id.clone());
        self.write(move |mut conn| {
            Box::pin(async move {
                let statement = "update user_account set disabled_at = coalesce(disabled_at, $3) where tenant_id = $1 and user_id = $2";
                let found =
                    change!(&mut conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(id.as_str()).bind(seconds(origin.now)))?;
                if found == 0 {
                    return Ok(false);
                }
                end_everything(&mut conn, &origin, &id, "user disabled").await?;
                record(&mut conn, &origin, Entry::done("user.disabled").user(&id)).await?;
                Ok(true)
            })
        })
        .await
    }
}

/// Ends a person's sessions and everything that apps were allowed in their name.
async fn end_everything(conn: &mut Conn<'_>, origin: &Origin, id: &UserId, why: &'static str) -> Result<(), Error> {
    let statement = "update session set ended_at = $3 where tenant_id = $1 and user_id = $2 and ended_at is null";
    change!(&mut *conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(id.as_str()).bind(seconds(origin.now)))?;
    let statement =
        "update access_grant set revoked_at = $3, revoked_why = $4 where tenant_id = $1 and user_id = $2 and revoked_at is null";
    change!(&mut *conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(id.as_str()).bind(seconds(origin.now)).bind(why))?;
    Ok(())
}
