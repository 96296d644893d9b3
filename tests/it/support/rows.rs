//! What stands in the database, for tests of what must not change.

use admit::store::Location;
use sqlx::Connection as _;

use super::TestApp;

/// One line of text per row of the state that requests can change; the audit trail is left out.
const STATE: [&str; 4] = [
    "select 'flow ' || flow_id || ' ' || coalesce(session_id, '') || ' ' || coalesce(user_id, '') || ' ' || coalesce(patient_id, '') || ' '
         || coalesce(approved_scopes, '') || ' ' || coalesce(cast(finished_at as text), '') as line from flow order by line",
    "select 'session ' || session_id || ' ' || user_id || ' ' || cast(seen_at as text) || ' ' || coalesce(cast(ended_at as text), '') as line
       from session order by line",
    "select 'grant ' || grant_id || ' ' || coalesce(cast(code_used_at as text), '') || ' ' || coalesce(cast(revoked_at as text), '') as line
       from access_grant order by line",
    "select 'refresh ' || digest || ' ' || coalesce(cast(rotated_at as text), '') as line from refresh_token order by line",
];

impl TestApp {
    /// Everything that a request can have changed, apart from the audit trail.
    pub async fn state(&self) -> Vec<String> {
        let mut lines = Vec::new();
        match &self.database.location {
            Location::Sqlite(path) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).read_only(true);
                let mut connection = sqlx::SqliteConnection::connect_with(&options).await.expect("a second connection");
                for statement in STATE {
                    let rows: Vec<String> = sqlx::query_scalar(statement).fetch_all(&mut connection).await.expect("rows");
                    lines.extend(rows);
                }
            }
            Location::Postgres(url) => {
                let mut connection = sqlx::PgConnection::connect(url).await.expect("a second connection");
                for statement in STATE {
                    let rows: Vec<String> = sqlx::query_scalar(statement).fetch_all(&mut connection).await.expect("rows");
                    lines.extend(rows);
                }
            }
        }
        lines
    }

    /// How many live sessions there are.
    pub async fn live_sessions(&self) -> usize {
        self.state().await.iter().filter(|line| line.starts_with("session ") && line.ends_with(' ')).count()
    }
}
