//! What apps can do for people at this moment, and taking it away.

use sqlx::FromRow;
use time::OffsetDateTime;

use super::audit::record;
use super::{Error, Store, change, on, read, seconds, time};
use crate::audit::{Entry, Origin};
use crate::consent::Subject;
use crate::grant::{ACCESS_LIFE, Refresh};
use crate::id::{ClientId, GrantId, PatientId, TenantId, UserId};
use crate::scope::ScopeSet;

/// A grant that an app can use now: it holds a token that works, or one that gets it another.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Its name.
    pub id: GrantId,
    /// Whose, and about what.
    pub subject: Subject,
    /// The app, as people know it.
    pub client_name: String,
    /// What the person types to sign in.
    pub username: String,
    /// What was allowed.
    pub scopes: ScopeSet,
    /// When.
    pub created_at: OffsetDateTime,
    /// When the app last asked for a token.
    pub last_used_at: OffsetDateTime,
    /// Whether, and for how long, it can be refreshed.
    pub refresh: Option<Refresh>,
    /// When it ends if it is not used again.
    pub ends_at: OffsetDateTime,
}

/// Which grants are meant. What is not said does not matter; an empty base or patient means that
/// there is none.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// This one.
    pub grant: Option<GrantId>,
    /// This person's.
    pub user: Option<UserId>,
    /// This app's.
    pub client: Option<ClientId>,
    /// For this FHIR base.
    pub fhir_base: Option<String>,
    /// About this patient.
    pub patient: Option<String>,
}

/// How much was taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Revoked {
    /// Grants, each with all of its tokens.
    pub grants: usize,
    /// Decisions that were remembered.
    pub decisions: usize,
}

#[derive(FromRow)]
struct Row {
    grant_id: String,
    client_id: String,
    client_name: String,
    user_id: String,
    username: String,
    fhir_base: Option<String>,
    patient_id: Option<String>,
    scopes: String,
    created_at: i64,
    refresh: Option<String>,
    used_at: i64,
    refresh_ends_at: Option<i64>,
}

impl TryFrom<Row> for Standing {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        const TABLE: &str = "access_grant";
        let corrupt = |column| Error::Corrupt { table: TABLE, column };
        let last_used_at = time(TABLE, "code_used_at", row.used_at)?;
        Ok(Self {
            id: GrantId::new(row.grant_id),
            subject: Subject {
                client_id: ClientId::new(row.client_id),
                user_id: UserId::new(row.user_id),
                fhir_base: row.fhir_base,
                patient_id: row.patient_id.map(PatientId::new),
            },
            client_name: row.client_name,
            username: row.username,
            scopes: ScopeSet::parse(&row.scopes).map_err(|_| corrupt("scopes"))?,
            created_at: time(TABLE, "created_at", row.created_at)?,
            last_used_at,
            refresh: row.refresh.map(|text| Refresh::parse(&text).ok_or(corrupt("refresh"))).transpose()?,
            ends_at: match row.refresh_ends_at {
                Some(at) => time("refresh_token", "expires_at", at)?,
                None => last_used_at + ACCESS_LIFE,
            },
        })
    }
}

#[derive(FromRow)]
struct Ended {
    grant_id: String,
    client_id: String,
    user_id: String,
    fhir_base: Option<String>,
    patient_id: Option<String>,
}

#[derive(FromRow)]
struct Forgotten {
    client_id: String,
    user_id: String,
    patient_id: String,
}

impl Store {
    /// The grants of this selection that an app can use now, by person, app and patient.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn standing(&self, tenant: &TenantId, which: &Selection, now: OffsetDateTime) -> Result<Vec<Standing>, Error> {
        // An app comes back by its newest refresh token; the time of that one is its last use.
        let statement = "select g.grant_id, g.client_id, c.name as client_name, g.user_id, u.username, g.fhir_base, g.patient_id,
                                g.scopes, g.created_at, g.refresh,
                                coalesce((select max(r.issued_at) from refresh_token r
                                           where r.tenant_id = g.tenant_id and r.grant_id = g.grant_id), g.code_used_at) as used_at,
                                (select max(r.expires_at) from refresh_token r
                                  where r.tenant_id = g.tenant_id and r.grant_id = g.grant_id and r.rotated_at is null
                                    and r.expires_at > $2) as refresh_ends_at
                           from access_grant g
                           join user_account u on u.tenant_id = g.tenant_id and u.user_id = g.user_id and u.disabled_at is null
                           join client c on c.tenant_id = g.tenant_id and c.client_id = g.client_id and c.disabled_at is null
                          where g.tenant_id = $1 and g.revoked_at is null and g.code_used_at is not null
                            and (g.code_used_at + $3 > $2
                                 or exists (select 1 from refresh_token r
                                             where r.tenant_id = g.tenant_id and r.grant_id = g.grant_id
                                               and (r.issued_at + $3 > $2 or (r.rotated_at is null and r.expires_at > $2))))
                            and (g.refresh is null or g.refresh <> 'online' or g.session_id is null
                                 or exists (select 1 from session s
                                             where s.tenant_id = g.tenant_id and s.session_id = g.session_id and s.ended_at is null
                                               and s.expires_at > $2 and s.seen_at + s.idle_life > $2))
                            and ($4 is null or g.grant_id = $4) and ($5 is null or g.user_id = $5)
                            and ($6 is null or g.client_id = $6) and ($7 is null or coalesce(g.fhir_base, '') = $7)
                            and ($8 is null or coalesce(g.patient_id, '') = $8)
                          order by u.username, c.name, g.client_id, g.fhir_base, g.patient_id, g.created_at";
        let rows: Vec<Row> = read!(self, c => sqlx::query_as(statement)
            .bind(tenant.as_str())
            .bind(seconds(now))
            .bind(ACCESS_LIFE.whole_seconds())
            .bind(which.grant.as_ref().map(GrantId::as_str))
            .bind(which.user.as_ref().map(UserId::as_str))
            .bind(which.client.as_ref().map(ClientId::as_str))
            .bind(which.fhir_base.as_deref())
            .bind(which.patient.as_deref())
            .fetch_all(c))?;
        rows.into_iter().map(Standing::try_from).collect()
    }

    /// Takes away what apps were allowed: whole grants with every token of theirs, also those whose
    /// code is still on its way, and the decisions that are remembered, so that no app comes back
    /// without asking. `why` is kept with each of them.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn revoke_standing(&self, origin: &Origin, which: Selection, why: &str) -> Result<Revoked, Error> {
        let (origin, why) = (origin.clone(), why.to_owned());
        self.write(move |mut conn| {
            Box::pin(async move {
                let (tenant, now) = (origin.tenant.as_str(), seconds(origin.now));
                let statement = "update access_grant set revoked_at = $2, revoked_why = $3
                                  where tenant_id = $1 and revoked_at is null
                                    and ($4 is null or grant_id = $4) and ($5 is null or user_id = $5)
                                    and ($6 is null or client_id = $6) and ($7 is null or coalesce(fhir_base, '') = $7)
                                    and ($8 is null or coalesce(patient_id, '') = $8)
                              returning grant_id, client_id, user_id, fhir_base, patient_id";
                let ended: Vec<Ended> = on!(&mut conn, c => sqlx::query_as(statement)
                    .bind(tenant)
                    .bind(now)
                    .bind(&why)
                    .bind(which.grant.as_ref().map(GrantId::as_str))
                    .bind(which.user.as_ref().map(UserId::as_str))
                    .bind(which.client.as_ref().map(ClientId::as_str))
                    .bind(which.fhir_base.as_deref())
                    .bind(which.patient.as_deref())
                    .fetch_all(c))?;
                // One grant takes the decision along that it came of; else the selection says which ones go.
                let which = match (&which.grant, ended.first()) {
                    (None, _) => which,
                    (Some(_), None) => return Ok(Revoked::default()),
                    (Some(_), Some(one)) => Selection {
                        grant: None,
                        user: Some(UserId::new(&one.user_id)),
                        client: Some(ClientId::new(&one.client_id)),
                        fhir_base: Some(one.fhir_base.clone().unwrap_or_default()),
                        patient: Some(one.patient_id.clone().unwrap_or_default()),
                    },
                };
                let statement = "delete from remembered_consent
                                  where tenant_id = $1 and ($2 is null or user_id = $2) and ($3 is null or client_id = $3)
                                    and ($4 is null or fhir_base = $4) and ($5 is null or patient_id = $5)
                              returning client_id, user_id, patient_id";
                let forgotten: Vec<Forgotten> = on!(&mut conn, c => sqlx::query_as(statement)
                    .bind(tenant)
                    .bind(which.user.as_ref().map(UserId::as_str))
                    .bind(which.client.as_ref().map(ClientId::as_str))
                    .bind(which.fhir_base.as_deref())
                    .bind(which.patient.as_deref())
                    .fetch_all(c))?;
                // What was allowed and has not been answered yet, because something failed on the way, is asked again.
                let statement = "update flow set approved_scopes = null
                                  where tenant_id = $1 and expires_at > $2 and finished_at is null and approved_scopes is not null
                                    and ($3 is null or user_id = $3) and ($4 is null or client_id = $4)
                                    and ($5 is null or coalesce(patient_id, $5) = $5)";
                change!(
                    &mut conn,
                    sqlx::query(statement)
                        .bind(tenant)
                        .bind(now)
                        .bind(which.user.as_ref().map(UserId::as_str))
                        .bind(which.client.as_ref().map(ClientId::as_str))
                        .bind(which.patient.as_deref())
                )?;
                let revoked = Revoked { grants: ended.len(), decisions: forgotten.len() };
                for grant in ended {
                    let entry = Entry::done("grant.revoked").grant(&GrantId::new(grant.grant_id)).detail(&why);
                    let entry = entry.user(&UserId::new(grant.user_id)).client(&ClientId::new(grant.client_id));
                    record(&mut conn, &origin, Entry { patient: grant.patient_id.map(PatientId::new), ..entry }).await?;
                }
                for decision in forgotten {
                    let entry = Entry::done("consent.forgotten").detail(&why);
                    let entry = entry.user(&UserId::new(decision.user_id)).client(&ClientId::new(decision.client_id));
                    let patient = Some(decision.patient_id).filter(|id| !id.is_empty()).map(PatientId::new);
                    record(&mut conn, &origin, Entry { patient, ..entry }).await?;
                }
                Ok(revoked)
            })
        })
        .await
    }
}
