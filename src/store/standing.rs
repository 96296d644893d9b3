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

/// A statement for each column that it may go by, so that no database reads more than what is meant: the
/// optional conditions alone would have it read every row of the tenant.
macro_rules! by {
    ($which:expr, $head:literal, $( $of:ident = $lead:literal, )* $tail:literal) => {
        match $which.column() {
            $( Column::$of => concat!($head, " and ", $lead, $tail), )*
            _ => concat!($head, $tail),
        }
    };
}
pub(super) use by;

/// What few rows are found by.
enum Column {
    Grant,
    User,
    Patient,
    Client,
    None,
}

impl Selection {
    const fn column(&self) -> Column {
        match self {
            Self { grant: Some(_), .. } => Column::Grant,
            Self { user: Some(_), .. } => Column::User,
            Self { patient: Some(patient), .. } if !patient.is_empty() => Column::Patient,
            Self { client: Some(_), .. } => Column::Client,
            _ => Column::None,
        }
    }

    const fn listing(&self) -> &'static str {
        // An app comes back by its newest refresh token; the time of that one is its last use.
        by!(
            self,
            "select g.grant_id, g.client_id, c.name as client_name, g.user_id, u.username, g.fhir_base, g.patient_id,
                         g.scopes, g.created_at, g.refresh,
                         coalesce((select max(r.issued_at) from refresh_token r
                                    where r.tenant_id = g.tenant_id and r.grant_id = g.grant_id), g.code_used_at) as used_at,
                         (select max(+r.expires_at) from refresh_token r
                           where r.tenant_id = g.tenant_id and r.grant_id = g.grant_id and r.rotated_at is null
                             and +r.expires_at > $2) as refresh_ends_at
                    from access_grant g
                    join user_account u on u.tenant_id = g.tenant_id and u.user_id = g.user_id and u.disabled_at is null
                    join client c on c.tenant_id = g.tenant_id and c.client_id = g.client_id and c.disabled_at is null
                   where g.tenant_id = $1 and g.revoked_at is null and g.code_used_at is not null
                     and (g.code_used_at + $3 > $2
                          or exists (select 1 from refresh_token r
                                      where r.tenant_id = g.tenant_id and r.grant_id = g.grant_id
                                        and (r.issued_at + $3 > $2 or (r.rotated_at is null and +r.expires_at > $2))))
                     and (g.refresh is null or g.refresh <> 'online' or g.session_id is null
                          or exists (select 1 from session s
                                      where s.tenant_id = g.tenant_id and s.session_id = g.session_id and s.ended_at is null
                                        and s.expires_at > $2 and s.seen_at + s.idle_life > $2))
                     and ($4 is null or g.grant_id = $4) and ($5 is null or g.user_id = $5)
                     and ($6 is null or g.client_id = $6) and ($7 is null or coalesce(g.fhir_base, '') = $7)
                     and ($8 is null or coalesce(g.patient_id, '') = $8)",
            Grant = "g.grant_id = $4",
            User = "g.user_id = $5",
            Patient = "g.patient_id = $8",
            Client = "g.client_id = $6",
            " order by u.username, c.name, g.client_id, g.fhir_base, g.patient_id, g.created_at limit $9"
        )
    }

    const fn ending(&self) -> &'static str {
        by!(
            self,
            "update access_grant set revoked_at = $2, revoked_why = $3
              where tenant_id = $1 and revoked_at is null
                and ($4 is null or grant_id = $4) and ($5 is null or user_id = $5)
                and ($6 is null or client_id = $6) and ($7 is null or coalesce(fhir_base, '') = $7)
                and ($8 is null or coalesce(patient_id, '') = $8)",
            Grant = "grant_id = $4",
            User = "user_id = $5",
            Patient = "patient_id = $8",
            Client = "client_id = $6",
            " returning grant_id, client_id, user_id, fhir_base, patient_id"
        )
    }

    const fn forgetting(&self) -> &'static str {
        by!(
            self,
            "delete from remembered_consent
              where tenant_id = $1 and ($2 is null or user_id = $2) and ($3 is null or client_id = $3)
                and ($4 is null or fhir_base = $4) and ($5 is null or patient_id = $5)",
            User = "user_id = $2",
            Patient = "patient_id = $5",
            Client = "client_id = $3",
            " returning client_id, user_id, patient_id"
        )
    }

    /// Every flow of the selection, also one that nothing was allowed in yet: it is locked, so that no decision answers it
    /// meanwhile. By another column than the person, that is a walk along the flows of the last minutes.
    const fn pending(&self) -> &'static str {
        match self.column() {
            // The person's few flows, not all that are under way.
            Column::User => {
                "update flow set approved_scopes = null
                  where tenant_id = $1 and +expires_at > $2 and finished_at is null and user_id = $3
                    and ($4 is null or client_id = $4) and ($5 is null or coalesce(patient_id, $5) = $5)"
            }
            _ => {
                "update flow set approved_scopes = null
                  where tenant_id = $1 and expires_at > $2 and finished_at is null
                    and ($3 is null or user_id = $3) and ($4 is null or client_id = $4)
                    and ($5 is null or coalesce(patient_id, $5) = $5)"
            }
        }
    }
}

impl Store {
    /// The grants of this selection that an app can use now, by person, app and patient; at most `limit`.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn standing(&self, tenant: &TenantId, which: &Selection, now: OffsetDateTime, limit: i64) -> Result<Vec<Standing>, Error> {
        let rows: Vec<Row> = read!(self, c => sqlx::query_as(which.listing())
            .bind(tenant.as_str())
            .bind(seconds(now))
            .bind(ACCESS_LIFE.whole_seconds())
            .bind(which.grant.as_ref().map(GrantId::as_str))
            .bind(which.user.as_ref().map(UserId::as_str))
            .bind(which.client.as_ref().map(ClientId::as_str))
            .bind(which.fhir_base.as_deref())
            .bind(which.patient.as_deref())
            .bind(limit)
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
                // One grant takes the decision along that it came of; else the selection says which ones go.
                let about = match &which.grant {
                    None => which.clone(),
                    Some(grant) => {
                        let statement = "select grant_id, client_id, user_id, fhir_base, patient_id
                                           from access_grant
                                          where tenant_id = $1 and grant_id = $2 and revoked_at is null
                                            and ($3 is null or user_id = $3) and ($4 is null or client_id = $4)
                                            and ($5 is null or coalesce(fhir_base, '') = $5) and ($6 is null or coalesce(patient_id, '') = $6)";
                        let one: Option<Ended> = on!(&mut conn, c => sqlx::query_as(statement)
                            .bind(tenant)
                            .bind(grant.as_str())
                            .bind(which.user.as_ref().map(UserId::as_str))
                            .bind(which.client.as_ref().map(ClientId::as_str))
                            .bind(which.fhir_base.as_deref())
                            .bind(which.patient.as_deref())
                            .fetch_optional(c))?;
                        let Some(one) = one else { return Ok(Revoked::default()) };
                        Selection {
                            grant: None,
                            user: Some(UserId::new(one.user_id)),
                            client: Some(ClientId::new(one.client_id)),
                            fhir_base: Some(one.fhir_base.unwrap_or_default()),
                            patient: Some(one.patient_id.unwrap_or_default()),
                        }
                    }
                };
                // Everybody takes flows first, then decisions, then grants: else two wait for each other.
                // What was allowed and has not been answered yet, because something failed on the way, is asked again.
                change!(
                    &mut conn,
                    sqlx::query(about.pending())
                        .bind(tenant)
                        .bind(now)
                        .bind(about.user.as_ref().map(UserId::as_str))
                        .bind(about.client.as_ref().map(ClientId::as_str))
                        .bind(about.patient.as_deref())
                )?;
                let forgotten: Vec<Forgotten> = on!(&mut conn, c => sqlx::query_as(about.forgetting())
                    .bind(tenant)
                    .bind(about.user.as_ref().map(UserId::as_str))
                    .bind(about.client.as_ref().map(ClientId::as_str))
                    .bind(about.fhir_base.as_deref())
                    .bind(about.patient.as_deref())
                    .fetch_all(c))?;
                let ended: Vec<Ended> = on!(&mut conn, c => sqlx::query_as(which.ending())
                    .bind(tenant)
                    .bind(now)
                    .bind(&why)
                    .bind(which.grant.as_ref().map(GrantId::as_str))
                    .bind(which.user.as_ref().map(UserId::as_str))
                    .bind(which.client.as_ref().map(ClientId::as_str))
                    .bind(which.fhir_base.as_deref())
                    .bind(which.patient.as_deref())
                    .fetch_all(c))?;
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

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

    use super::*;

    /// Each goes by an index, as far as there is something to go by; a revocation holds the only writer.
    #[tokio::test]
    async fn nothing_reads_every_grant_of_a_tenant() {
        let mut connection = SqliteConnection::connect(":memory:").await.expect("a database");
        crate::store::migrate::sqlite(&mut connection).await.expect("the tables");
        let any = Selection::default();
        let grant = Selection { grant: Some(GrantId::new("g")), ..any.clone() };
        let user = Selection { user: Some(UserId::new("u")), patient: Some(String::new()), ..any.clone() };
        let client = Selection { client: Some(ClientId::new("c")), patient: Some(String::new()), ..any.clone() };
        let patient = Selection { client: Some(ClientId::new("c")), patient: Some("p".to_owned()), ..any };
        let by_grant = "sqlite_autoindex_access_grant_1 (tenant_id=? AND grant_id=?)";
        let by_user = "access_grant_recent (tenant_id=? AND user_id=?)";
        let by_client = "access_grant_client (tenant_id=? AND client_id=?)";
        let by_patient = "access_grant_patient (tenant_id=? AND patient_id=?)";
        for (statement, table, index) in [
            (grant.listing(), "g", by_grant),
            (user.listing(), "g", by_user),
            (client.listing(), "g", by_client),
            (patient.listing(), "g", by_patient),
            (grant.ending(), "access_grant", by_grant),
            (user.ending(), "access_grant", by_user),
            (client.ending(), "access_grant", by_client),
            (patient.ending(), "access_grant", by_patient),
            (user.forgetting(), "remembered_consent", "remembered_consent_user (tenant_id=? AND user_id=?)"),
            (client.forgetting(), "remembered_consent", "sqlite_autoindex_remembered_consent_1 (tenant_id=? AND client_id=?)"),
            (patient.forgetting(), "remembered_consent", "remembered_consent_patient (tenant_id=? AND patient_id=?)"),
            (user.pending(), "flow", "flow_user (tenant_id=? AND user_id=?)"),
            (client.pending(), "flow", "flow_live (tenant_id=? AND expires_at>?)"),
        ] {
            let explained = AssertSqlSafe(format!("explain query plan {statement}"));
            let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(explained).fetch_all(&mut connection).await.expect("a plan");
            let steps: Vec<&str> = plan.iter().map(|(_, _, _, step)| step.as_str()).collect();
            let goes_by = |step: &&str| step.starts_with(&format!("SEARCH {table} USING ")) && step.ends_with(&format!(" {index}"));
            assert!(steps.iter().any(goes_by), "{statement}: {steps:#?}");
            assert!(!steps.iter().any(|step| step.starts_with("SCAN")), "{statement}: {steps:#?}");
        }
    }
}
