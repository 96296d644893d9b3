//! Brings the tables up to date.

mod backup;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqlSafeStr as _, SqliteConnection};

use super::Error;
use super::catalogue::{Line, on};

pub(super) use backup::{back_up, beside, newest_backup};

/// Every migration, oldest first. One that has been released is never changed.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "first", include_str!("../../migrations/0001_first.sql")),
    (2, "client", include_str!("../../migrations/0002_client.sql")),
    (3, "client_keys", include_str!("../../migrations/0003_client_keys.sql")),
    (4, "launch", include_str!("../../migrations/0004_launch.sql")),
    (5, "directory", include_str!("../../migrations/0005_directory.sql")),
    (6, "consent", include_str!("../../migrations/0006_consent.sql")),
    (7, "discovery", include_str!("../../migrations/0007_discovery.sql")),
    (8, "job", include_str!("../../migrations/0008_job.sql")),
    (9, "keys", include_str!("../../migrations/0009_keys.sql")),
    (10, "audit", include_str!("../../migrations/0010_audit.sql")),
    (11, "restore", include_str!("../../migrations/0011_restore.sql")),
    (12, "retention", include_str!("../../migrations/0012_retention.sql")),
];

/// What ends a line that is for one database alone.
const MARKS: [&str; 2] = ["--sqlite", "--postgres"];

/// How far the tables of a database have come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The last migration that they have seen; 0: there are no tables yet.
    pub version: i64,
    /// Those that they have not seen, oldest first.
    pub pending: Vec<i64>,
    /// Those that they have seen and this program does not know: a newer one was here.
    pub unknown: Vec<i64>,
}

impl Schema {
    /// Changes nothing.
    pub(super) async fn read(line: &mut Line<'_>) -> Result<Self, Error> {
        let table = match line {
            Line::Sqlite(_) => "select count(*) from sqlite_master where type = 'table' and name = '_sqlx_migrations'",
            Line::Postgres(_) => "select count(*) from pg_tables where schemaname = current_schema() and tablename = '_sqlx_migrations'",
        };
        let tables: i64 = on!(&mut *line, c => sqlx::query_scalar(table).fetch_one(c))?;
        let seen: Vec<i64> = match tables {
            0 => vec![],
            _ => on!(line, c => sqlx::query_scalar("select version from _sqlx_migrations where success order by version").fetch_all(c))?,
        };
        let known = MIGRATIONS.iter().map(|(version, ..)| *version);
        Ok(Self {
            version: seen.last().copied().unwrap_or_default(),
            pending: known.clone().filter(|version| !seen.contains(version)).collect(),
            unknown: seen.iter().copied().filter(|version| !known.clone().any(|own| own == *version)).collect(),
        })
    }

    /// What this program brings tables up to.
    #[must_use]
    pub fn newest() -> i64 {
        MIGRATIONS.iter().map(|(version, ..)| *version).max().unwrap_or_default()
    }
}

pub(super) async fn sqlite(connection: &mut SqliteConnection) -> Result<(), Error> {
    // Several processes may start at once, and sqlx has no lock for SQLite: the first one takes
    // the write lock before it looks, the others wait for it and find everything done. What fails
    // half-way is undone.
    let mut transaction = connection.begin_with("begin immediate").await?;
    let schema = Schema::read(&mut Line::Sqlite(&mut transaction)).await?;
    migrator("--sqlite").run(&mut *transaction).await.map_err(explain)?;
    // It reads everything: only where there was something, and it was changed.
    if schema.version > 0 && !schema.pending.is_empty() {
        let broken = sqlx::query("pragma foreign_key_check").fetch_optional(&mut *transaction).await?;
        if broken.is_some() {
            let why = "the database is inconsistent (a foreign key points nowhere), and was left as it is; restore a backup";
            return Err(Error::Unusable(why.to_owned()));
        }
    }
    Ok(transaction.commit().await?)
}

pub(super) async fn postgres(connection: &mut PgConnection) -> Result<(), Error> {
    // sqlx holds an advisory lock meanwhile, so that several instances may start at once.
    migrator("--postgres").run(connection).await.map_err(explain)
}

fn migrator(database: &str) -> Migrator {
    let text = |sql: &str| {
        let lines = sql.lines().filter(|line| {
            let end = line.trim_end();
            !MARKS.iter().any(|mark| *mark != database && end.ends_with(mark))
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    Migrator::with_migrations(
        MIGRATIONS
            .iter()
            .map(|(version, name, sql)| {
                Migration::new(*version, (*name).into(), MigrationType::Simple, AssertSqlSafe(text(sql)).into_sql_str(), false)
            })
            .collect(),
    )
}

fn explain(error: sqlx::migrate::MigrateError) -> Error {
    use sqlx::migrate::MigrateError;
    match error {
        MigrateError::VersionMissing(version) | MigrateError::VersionTooNew(version, _) => Error::Unusable(format!(
            "the database was written by a newer version of Admit (migration {version} is unknown here); use that version"
        )),
        MigrateError::VersionMismatch(version) => {
            Error::Unusable(format!("migration {version} of the database is not the one that this program knows"))
        }
        MigrateError::Execute(error) => error.into(),
        other => Error::Unusable(format!("the database's tables cannot be brought up to date: {other}")),
    }
}
