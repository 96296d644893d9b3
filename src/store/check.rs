//! Looks for damage: what the database engine finds in itself, references that point nowhere, and values that this
//! program would not have written.

use std::collections::BTreeMap;

use futures_util::TryStreamExt as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, PgConnection, SqliteConnection};
use time::OffsetDateTime;

use super::catalogue::{self, Line, Table, Value, on};
use super::{Error, Pools, Store, client, consent, fhir_base, flow, grant, key, launch, registration, user};
use crate::client::Client;
use crate::consent::{Decision, Subject};
use crate::flow::Flow;
use crate::grant::Grant;
use crate::launch::Launch;
use crate::person::User;
use crate::tenant::FhirBase;

/// Something that should not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where: a table, a column of it, or the database as a whole.
    pub place: String,
    /// What is wrong there.
    pub what: String,
    /// In how many rows, where that is known.
    pub rows: Option<u64>,
}

/// What was found, and what could not be looked at.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// By place.
    pub findings: Vec<Finding>,
    /// A sentence for each thing that was left out.
    pub left_out: Vec<String>,
}

#[derive(Default)]
struct Findings {
    counted: BTreeMap<(String, &'static str), u64>,
    checked: Checked,
}

/// How many of its faults SQLite lists.
const MOST: usize = 100;

impl Store {
    /// Reads everything, and changes nothing. On PostgreSQL this is not one moment: what is removed meanwhile may be missed.
    ///
    /// # Errors
    /// [`Error`], where it cannot be read at all.
    pub async fn check(&self) -> Result<Checked, Error> {
        let mut findings = Findings::default();
        match &self.pools {
            Pools::Sqlite { readers, .. } => {
                let mut reader = readers.take().await?;
                engine_of_sqlite(&mut reader, &mut findings).await?;
                look(Line::Sqlite(&mut reader), &mut findings).await?;
            }
            Pools::Postgres(pool) => {
                let mut connection = pool.connect().await?;
                sqlx::raw_sql("set statement_timeout = 0; set default_transaction_read_only = on").execute(&mut connection).await?;
                engine_of_postgres(&mut connection, &mut findings).await?;
                look(Line::Postgres(&mut connection), &mut findings).await?;
            }
        }
        let Findings { counted, mut checked } = findings;
        checked.findings.extend(counted.into_iter().map(|((place, what), rows)| Finding {
            place,
            what: what.to_owned(),
            rows: Some(rows),
        }));
        Ok(checked)
    }
}

impl Findings {
    fn count(&mut self, place: String, what: &'static str, rows: u64) {
        if rows > 0 {
            *self.counted.entry((place, what)).or_default() += rows;
        }
    }

    fn add(&mut self, place: String, what: impl Into<String>) {
        self.checked.findings.push(Finding { place, what: what.into(), rows: None });
    }
}

async fn engine_of_sqlite(connection: &mut SqliteConnection, findings: &mut Findings) -> Result<(), Error> {
    let said: Vec<String> = sqlx::query_scalar("pragma integrity_check(100)").fetch_all(connection).await?;
    for line in said.iter().filter(|line| *line != "ok").take(MOST) {
        findings.add("database".to_owned(), line.as_str());
    }
    Ok(())
}

/// What PostgreSQL's own tool for it finds, where an administrator has installed that.
async fn engine_of_postgres(connection: &mut PgConnection, findings: &mut Findings) -> Result<(), Error> {
    let installed: i64 =
        sqlx::query_scalar("select count(*) from pg_extension where extname = 'amcheck'").fetch_one(&mut *connection).await?;
    if installed == 0 {
        findings.checked.left_out.push("PostgreSQL's own structures: `create extension amcheck` lets this command look at them".to_owned());
    } else {
        for (kind, check) in [
            ("i", "select count(*) from (select bt_index_check($1::text::regclass, true)) as looked"),
            ("r", "select count(*) from verify_heapam($1::text::regclass)"),
        ] {
            let names = "select quote_ident(n.nspname) || '.' || quote_ident(t.relname)
                           from pg_class t
                           join pg_namespace n on n.oid = t.relnamespace
                          where n.nspname = current_schema() and t.relkind::text = $1
                          order by 1";
            let names: Vec<String> = sqlx::query_scalar(names).bind(kind).fetch_all(&mut *connection).await?;
            for name in names {
                match sqlx::query_scalar::<_, i64>(check).bind(&name).fetch_one(&mut *connection).await {
                    Ok(faults) if kind == "r" => findings.count(name, "PostgreSQL finds the table damaged", faults.unsigned_abs()),
                    Ok(_) => {}
                    Err(sqlx::Error::Database(error)) if error.code().is_some_and(|code| code.starts_with("XX")) => {
                        findings.add(name, error.message());
                    }
                    Err(sqlx::Error::Database(error)) => {
                        findings.checked.left_out.push(format!("{name}: amcheck cannot look at it: {}", error.message()));
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
    let unproven = "select t.relname::text
                      from pg_constraint k
                      join pg_class t on t.oid = k.conrelid
                      join pg_namespace n on n.oid = t.relnamespace
                     where n.nspname = current_schema() and k.contype = 'f' and not k.convalidated
                     order by 1";
    let unproven: Vec<String> = sqlx::query_scalar(unproven).fetch_all(connection).await?;
    for table in unproven {
        findings.add(table, "a foreign key was never validated");
    }
    Ok(())
}

/// The same in both databases.
async fn look(mut line: Line<'_>, findings: &mut Findings) -> Result<(), Error> {
    let line = &mut line;
    for table in &catalogue::tables(line).await? {
        findings.count(table.name.clone(), "refers to something that is not there", table.orphans(line).await?);
        values(table, line, findings).await?;
    }
    models::<fhir_base::Row, FhirBase>(line, "select * from fhir_base", findings).await?;
    models::<client::Row, Client>(line, "select * from client", findings).await?;
    models::<registration::Row, super::RegistrationToken>(line, "select * from registration_token", findings).await?;
    models::<user::Row, User>(line, "select * from user_account", findings).await?;
    models::<key::Row, super::StoredKey>(line, "select * from signing_key", findings).await?;
    models::<launch::Row, Launch>(line, "select * from launch", findings).await?;
    models::<flow::Row, Flow>(line, "select * from flow", findings).await?;
    models::<grant::Row, Grant>(line, "select * from access_grant", findings).await?;
    models::<consent::Row, (Subject, Decision)>(line, "select * from remembered_consent", findings).await
}

/// Every value is of its column's type, every time is in the calendar, and every text can go into either database.
async fn values(table: &Table, line: &mut Line<'_>, findings: &mut Findings) -> Result<(), Error> {
    let mut rows = table.raw_rows(line);
    while let Some(row) = rows.try_next().await? {
        for (column, value) in table.column_names().zip(row) {
            let fault = match value {
                None => Some("holds a value of another type"),
                Some(Value::Text(Some(text))) if text.contains('\0') => Some("holds a NUL character, which PostgreSQL would not take"),
                Some(Value::Integer(Some(number))) if !is_in_the_calendar(column, number) => Some("holds a time outside of the calendar"),
                Some(_) => None,
            };
            if let Some(what) = fault {
                findings.count(format!("{}.{column}", table.name), what, 1);
            }
        }
    }
    Ok(())
}

/// Where the column is one of times, by its name: house rule 1.
fn is_in_the_calendar(column: &str, number: i64) -> bool {
    let seconds = match column {
        name if name.ends_with("_us") => number.div_euclid(1_000_000),
        "at" => number,
        name if name.ends_with("_at") || name.ends_with("_since") || name.ends_with("_until") || name.ends_with("_time") => number,
        _ => return true,
    };
    OffsetDateTime::from_unix_timestamp(seconds).is_ok()
}

/// Every row is one that the program can use: its own parsers say so.
async fn models<R, T>(line: &mut Line<'_>, statement: &'static str, findings: &mut Findings) -> Result<(), Error>
where
    R: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>,
    T: TryFrom<R, Error = Error>,
{
    on!(line, c => async {
        let mut rows = sqlx::query(statement).fetch(c);
        while let Some(row) = rows.try_next().await? {
            // A value of another type was found before.
            let Ok(row) = R::from_row(&row) else { continue };
            match T::try_from(row) {
                Err(Error::Corrupt { table, column }) => findings.count(format!("{table}.{column}"), "holds what this program cannot read", 1),
                Err(error) => return Err(error),
                Ok(_) => {}
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_known_by_the_names_of_their_columns() {
        for (column, number, is_good) in [
            ("created_at", 1_800_000_000, true),
            ("created_at", 253_402_300_799, true),
            ("created_at", 253_402_300_800, false),
            ("at", i64::MAX, false),
            ("auth_time", i64::MAX, false),
            ("awaits_approval_since", i64::MIN, false),
            ("locked_until", 253_402_300_800, false),
            ("at_us", 1_800_000_000_000_000, true),
            ("at_us", i64::MAX, false),
            ("uses_left", i64::MAX, true),
        ] {
            assert_eq!(is_in_the_calendar(column, number), is_good, "{column} {number}");
        }
    }
}
