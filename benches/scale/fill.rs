//! Fills a database by bulk SQL.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

/// How many people are added in one transaction.
const TOGETHER: u64 = 500_000;
/// What an entry of the audit trail holds in this place: about as much as a real one, sealed.
const AUDIT: &str =
    "insert into audit (tenant_id, at_us, event, outcome, user_id, client_id, patient_id, grant_id, jti, request_id, seq, hash)
    with recursive n (i) as (select :from union all select i + 1 from n where i < :from + :rows - 1)
    select 'default', (:now - 20000000 + i) * 1000000, 'token.refreshed', 'success', 'u' || (i % 100000), ':client', 'p' || (i % 100003),
           'g' || (i % 100000), 'g' || (i % 100000) || '.' || i, 'r' || i, i, lower(hex(randomblob(32)))
      from n;";
/// Where the chain stands behind them, with a checkpoint over all.
const CHAIN: &str = "insert into audit_chain (tenant_id, seq, hash, start_seq, start_hash, checkpoint_seq, checkpoint_at)
    select tenant_id, seq, hash, 0, '', seq, :now from audit where tenant_id = 'default' and seq = :rows";

/// Adds so many people, each with a session, a grant, a refresh token and a decision, and so many entries of the audit trail.
pub async fn fill(database: &Path, people: u64, audit: u64) -> Result<(), String> {
    let mut connection = open(database, true).await?;
    // An index is made in a fraction of the time when its rows are there.
    let indexes = "select name, sql from sqlite_master where type = 'index' and sql is not null";
    let indexes: Vec<(String, String)> = sqlx::query_as(indexes).fetch_all(&mut connection).await.map_err(|error| error.to_string())?;
    for (name, _) in &indexes {
        run(&mut connection, &format!("drop index {name}")).await?;
    }
    let now = admit::clock::Clock::System.now().unix_timestamp();
    for (text, all) in [(include_str!("fill.sql"), people), (AUDIT, audit)] {
        for from in (1..=all).step_by(usize::try_from(TOGETHER).unwrap_or(usize::MAX)) {
            let rows = TOGETHER.min(all + 1 - from);
            let text = text.replace(":rows", &rows.to_string()).replace(":from", &from.to_string()).replace(":now", &now.to_string());
            let text = text.replace(":client", "app-es256").replace(":base", "es256");
            run(&mut connection, &format!("begin; {text} commit")).await?;
        }
    }
    for (_, index) in &indexes {
        run(&mut connection, index).await?;
    }
    run(&mut connection, &CHAIN.replace(":rows", &audit.to_string()).replace(":now", &now.to_string())).await?;
    connection.close().await.map_err(|error| error.to_string())
}

/// Lets the time of everything that was added be over, and a purge be due.
pub async fn let_end(database: &Path) -> Result<(), String> {
    let mut connection = open(database, true).await?;
    run(&mut connection, "update refresh_token set expires_at = 1 where digest glob 'sr[0-9]*'; delete from job").await?;
    connection.close().await.map_err(|error| error.to_string())
}

/// How many refresh tokens are left whose time is over.
pub async fn left(database: &Path) -> Result<i64, String> {
    let mut connection = open(database, false).await?;
    let left = sqlx::query_scalar("select count(*) from refresh_token where tenant_id = 'default' and expires_at = 1");
    let left = left.fetch_one(&mut connection).await.map_err(|error| error.to_string())?;
    connection.close().await.map_err(|error| error.to_string())?;
    Ok(left)
}

/// Nobody else has it open while it `is_own`: what is half written then is thrown away as a whole.
async fn open(database: &Path, is_own: bool) -> Result<SqliteConnection, String> {
    let mut options = SqliteConnectOptions::new()
        .filename(database)
        .foreign_keys(false)
        .busy_timeout(std::time::Duration::from_secs(10))
        .pragma("cache_size", "-500000");
    if is_own {
        options = options.journal_mode(SqliteJournalMode::Off).synchronous(SqliteSynchronous::Off);
    }
    SqliteConnection::connect_with(&options).await.map_err(|error| error.to_string())
}

async fn run(connection: &mut SqliteConnection, text: &str) -> Result<(), String> {
    sqlx::raw_sql(AssertSqlSafe(text.to_owned())).execute(connection).await.map(|_| ()).map_err(|error| error.to_string())
}
