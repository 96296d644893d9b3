//! However much there is, a request reads what it is about: every statement of the store goes by an index, on the
//! database of this run.

mod statements;

use std::collections::{BTreeMap, BTreeSet};

use admit::store::Location;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

use crate::support::TestApp;
use statements::{Statement, statements};

/// Tables with a few rows, whatever happens; all others grow with people, patients and time.
const SMALL: [&str; 9] = [
    "tenant",
    "fhir_base",
    "signing_key",
    "registration_token",
    "job",
    "audit_chain",
    "audit_checkpoint",
    "audit_tail",
    "_sqlx_migrations",
];
/// What every row has in common with a great many: to go by these alone is to read everything.
const COMMON: [&str; 2] = ["tenant_id", "fhir_base"];

/// Statements that may read a whole table, and whose they are, as `docs/retention.md` says.
const EXCEPTIONS: [(&str, &str); 14] = [
    ("client.rs clients", "`admit client list`"),
    ("user.rs users", "`admit user list`"),
    ("patient.rs patients", "`admit patient list`"),
    ("client.rs launchable_clients", "the launch pad"), // by an index that has no others
    ("client_survey.rs clients_without_pkce", "the start of the server"), // likewise
    ("client_survey.rs client_of_base", REMOVAL),
    ("fhir_base.rs remove_fhir_base", REMOVAL),
    ("standing.rs listing", "`admit grant list` without a name"),
    ("standing.rs ending", REVOCATION),
    ("standing.rs forgetting", REVOCATION),
    ("standing.rs pending", UNDER_WAY),
    ("audit.rs audit_tail", "the latest entries of the audit trail"),
    ("audit_chain.rs audit_chain", SEALER), // by an index of what is not sealed yet
    ("audit_chain.rs seal", SEALER),
];
/// Statements that take a piece of an index: from one end, by a limit, or between two ends.
const PIECES: [&str; 9] = [
    "audit.rs listing",
    "audit_chain.rs audit_page",
    "audit_chain.rs audit_place",
    "audit_chain.rs purge_audit",
    "grant.rs redeem_code", // PostgreSQL, by an index of the few codes that nobody has redeemed
    "purge.rs const",
    "purge.rs purge",
    "purge.rs purge_refresh_tokens",
    "session.rs end_some_dead_sessions",
];
/// References without an index, by table and what they lead to, and who goes along them.
const REFERENCES: [(&str, &str, &str); 3] =
    [("flow", "client", "`admit client delete`"), ("launch", "client", "`admit client delete`"), ("launch", "fhir_base", REMOVAL)];
const REMOVAL: &str = "`admit fhir-base remove`";
const REVOCATION: &str = "`admit grant revoke --fhir-base` alone";
const UNDER_WAY: &str = "`admit grant revoke` without a user"; // the authorizations of the last minutes
const SEALER: &str = "the sealer of the audit trail";
/// Statements whose parameters PostgreSQL cannot tell the types of by their text.
const UNTYPED: [&str; 1] = ["audit_chain.rs seal"];

/// What a statement calls its tables.
fn aliases(statement: &str) -> BTreeMap<String, String> {
    let words: Vec<&str> = statement.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).collect();
    let mut names = BTreeMap::new();
    for (at, word) in words.iter().enumerate() {
        if ["from", "join", "update", "into"].contains(word)
            && let Some(table) = words.get(at + 1)
        {
            names.insert((*table).to_owned(), (*table).to_owned());
            if let Some(alias) = words.get(at + 2).filter(|alias| alias.len() == 1) {
                names.insert((*alias).to_owned(), (*table).to_owned());
            }
        }
    }
    names
}

/// Whether an index is asked for more than what all rows have in common. That something lies before or behind a moment is
/// true of nearly all rows, which is well where only a piece of them is taken.
fn is_narrow(condition: &str, is_piece: bool) -> bool {
    let is_equality = |part: &&str| is_piece || !part.replace("->>", "").contains(['<', '>']);
    condition.split(" AND ").filter(is_equality).any(|part| {
        let columns = part.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| word.starts_with(|c: char| c.is_alphabetic()));
        let is_column = |word: &&str| !COMMON.contains(word) && !["OR", "text", "bigint", "tenant"].contains(word);
        columns.filter(is_column).any(|word| word != "ANY")
    })
}

/// What is wrong with a plan of SQLite.
fn faults_of_sqlite(steps: &[String], statement: &str, growing: &BTreeSet<String>, is_piece: bool) -> Vec<String> {
    let names = aliases(statement);
    let is_bad = |step: &&String| {
        let mut words = step.split(' ');
        let (verb, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if !names.get(name).is_some_and(|table| growing.contains(table)) {
            return false;
        }
        match verb {
            "SCAN" => true,
            "SEARCH" => step.contains("AUTOMATIC") || !is_narrow(step.split_once('(').map_or("", |(_, condition)| condition), is_piece),
            _ => false,
        }
    };
    steps.iter().filter(is_bad).cloned().collect()
}

/// What is wrong with a plan of PostgreSQL.
fn faults_of_postgres(node: &Value, table: &str, growing: &BTreeSet<String>, is_piece: bool, faults: &mut Vec<String>) {
    let text = |name: &str| node[name].as_str().unwrap_or_default();
    let table = if text("Relation Name").is_empty() { table } else { text("Relation Name") };
    let kind = text("Node Type");
    let is_bad = match kind {
        "Seq Scan" => true,
        "Index Scan" | "Index Only Scan" | "Bitmap Index Scan" => !is_narrow(text("Index Cond"), is_piece),
        _ => false,
    };
    if is_bad && growing.contains(table) {
        faults.push(format!("{kind} of {table} by {} {}", text("Index Name"), text("Index Cond")));
    }
    for below in node["Plans"].as_array().into_iter().flatten() {
        faults_of_postgres(below, table, growing, is_piece, faults);
    }
}

/// Fills the tables a little, and has PostgreSQL believe that there is a thousand times as much: it knows then which index
/// serves best among millions.
async fn fill(app: &TestApp) {
    let now = app.clock.now().unix_timestamp().to_string();
    let fill = include_str!("../../benches/scale/fill.sql");
    let fill = fill.replace(":rows", "1000").replace(":from", "1").replace(":now", &now).replace(":base", "one");
    app.sql(
        "insert into client (tenant_id, client_id, name, auth_method, grant_types, scopes, redirect_uris, post_logout_redirect_uris,
                             fhir_bases, id_token_alg, refresh_grace, created_at)
         with recursive n (i) as (select 1 union all select i + 1 from n where i < 1000)
         select 'default', 'many-' || i, 'Many', 'none', '', 'openid', '[]', '[]', '[]', 'RS256', 10, 1 from n",
    )
    .await;
    app.sql(&fill.replace("':client'", "'many-' || (1 + i % 1000)")).await;
    app.sql(
        "insert into client_logo (tenant_id, client_id, digest, kind, data, set_at)
         select 'default', client_id, client_id, '', '', 1 from client where client_id like 'many-%';
         insert into launch (tenant_id, launch_id, digest, client_id, user_id, fhir_base, context, created_at, expires_at)
         select 'default', flow_id, flow_id, client_id, user_id, 'one', '{}', created_at, expires_at from flow where user_id is not null;
         insert into client_origin (tenant_id, origin, client_id) select 'default', 'https://' || client_id || '.test', client_id from client where client_id like 'many-%';
         insert into patient (tenant_id, fhir_base, patient_id, name, search_name, birth_date, sex, mrn, search_mrn, imported_at)
         with recursive n (i) as (select 1 union all select i + 1 from n where i < 1000)
         select 'default', 'one', 'many-' || i, 'Many ' || i, 'many ' || i, cast(1900 + i % 100 as text), '', 'M' || i, 'm' || i, 1 from n;
         insert into panel (tenant_id, fhir_base, fhir_user, patient_id)
         select 'default', 'one', 'Practitioner/scale-' || length(patient_id), patient_id from patient where patient_id like 'many-%';
         insert into panel_term (tenant_id, fhir_base, fhir_user, kind, term, patient_id)
         select 'default', 'one', fhir_user, 'find', patient_id, patient_id from panel where patient_id like 'many-%';
         insert into encounter (tenant_id, fhir_base, encounter_id, patient_id, status, class, reason, started, ended)
         select 'default', 'one', 'e' || patient_id, patient_id, '', '', '', '', '' from patient where patient_id like 'many-%';
         insert into audit (tenant_id, at_us, event, outcome, user_id, seq, hash)
         select 'default', created_at * 1000000, 'login', 'success', user_id, 1000000 + row_number() over (), user_id from user_account",
    )
    .await;
}

#[tokio::test]
async fn every_statement_goes_by_an_index() {
    let app = TestApp::start().await;
    let statements = statements();
    assert!(statements.len() > 120, "only {} statements were found", statements.len());
    let mut faults: Vec<(String, String)> = Vec::new();
    match app.location() {
        Location::Sqlite(path) => {
            let mut connection = SqliteConnection::connect(&path.to_string_lossy()).await.expect("the database");
            let tables: Vec<String> =
                sqlx::query_scalar("select name from sqlite_master where type = 'table'").fetch_all(&mut connection).await.expect("tables");
            let growing = growing(tables);
            for Statement { of, text } in &statements {
                let is_piece = PIECES.contains(&of.as_str());
                let explained = AssertSqlSafe(format!("explain query plan {text}"));
                let plan: Result<Vec<(i64, i64, i64, String)>, _> = sqlx::query_as(explained).fetch_all(&mut connection).await;
                let plan = plan.unwrap_or_else(|error| panic!("{of}: {error}: {text}"));
                let steps: Vec<String> = plan.into_iter().map(|(_, _, _, step)| step).collect();
                faults.extend(faults_of_sqlite(&steps, text, &growing, is_piece).into_iter().map(|fault| (of.clone(), fault)));
            }
        }
        Location::Postgres(url) => {
            fill(&app).await;
            let mut connection = PgConnection::connect(url).await.expect("the database");
            let tables: Vec<String> = sqlx::query_scalar("select tablename::text from pg_tables where schemaname = current_schema()")
                .fetch_all(&mut connection)
                .await
                .expect("tables");
            app.sql(&format!("analyze {}", tables.join(", "))).await; // not what other tests fill meanwhile
            app.sql(
                "update pg_class set reltuples = reltuples * 1000
                  where relnamespace = current_schema()::regnamespace and relkind in ('r', 'i') and reltuples >= 50",
            )
            .await;
            let growing = growing(tables);
            for setting in ["set enable_seqscan = off", "set plan_cache_mode = force_generic_plan"] {
                sqlx::raw_sql(setting).execute(&mut connection).await.expect("a setting");
            }
            for Statement { of, text } in &statements {
                let count = (1..40).take_while(|number| text.contains(&format!("${number}"))).count();
                let nothing = vec!["null"; count].join(", ");
                let nothing = if count == 0 { String::new() } else { format!("({nothing})") };
                // Of what type a parameter is cannot be told by whether it is null, which may be either here.
                let mut typed = text.clone();
                for number in 1..=count {
                    typed = typed.replace(&format!("${number} is null"), "random() < 0");
                    typed = typed.replace(&format!("${number} is not null"), "random() >= 0");
                    typed = typed.replace(&format!("json(${number})"), &format!("json(cast(${number} as text))"));
                }
                let prepared = format!("deallocate all; prepare one as {typed}");
                let done = sqlx::raw_sql(AssertSqlSafe(prepared)).execute(&mut connection).await;
                if done.is_err() && UNTYPED.contains(&of.as_str()) {
                    continue;
                }
                done.unwrap_or_else(|error| panic!("{of}: {error}: {text}"));
                let explained = AssertSqlSafe(format!("explain (format json) execute one{nothing}"));
                let plan: String = {
                    use sqlx::Row as _;
                    let row = sqlx::raw_sql(explained).fetch_one(&mut connection).await.unwrap_or_else(|error| panic!("{of}: {error}"));
                    row.try_get_unchecked(0).expect("a plan")
                };
                let plan: Value = serde_json::from_str(&plan).expect("JSON");
                let mut own = Vec::new();
                let is_piece = PIECES.contains(&of.as_str());
                faults_of_postgres(&plan[0]["Plan"], "", &growing, is_piece, &mut own);
                faults.extend(own.into_iter().map(|fault| (of.clone(), fault)));
            }
        }
    }
    let is_postgres = matches!(app.location(), Location::Postgres(_));
    let allowed = |of: &String| EXCEPTIONS.iter().any(|(known, _)| known == of);
    let unexpected: Vec<_> = faults.iter().filter(|(of, _)| !allowed(of)).collect();
    assert!(unexpected.is_empty(), "these read whole tables: {unexpected:#?}");
    for (known, whose) in EXCEPTIONS.iter().filter(|_| !is_postgres) {
        assert!(faults.iter().any(|(of, _)| of == known), "{known} goes by an index now: it needs no exception ({whose})");
    }
}

/// What goes takes what hangs on it along, and finds it by an index.
#[tokio::test]
async fn every_reference_that_is_followed_has_an_index() {
    let app = TestApp::start().await;
    let Location::Sqlite(path) = app.location() else { return }; // the tables are the same on both
    let mut connection = SqliteConnection::connect(&path.to_string_lossy()).await.expect("the database");
    let all = "select m.name, f.id, f.\"table\", f.on_delete, f.\"from\"
                 from sqlite_master m join pragma_foreign_key_list(m.name) f where m.type = 'table' order by 1, 2, 5";
    let all: Vec<(String, i64, String, String, String)> = sqlx::query_as(all).fetch_all(&mut connection).await.expect("references");
    let mut references: BTreeMap<(String, i64), (String, bool, BTreeSet<String>)> = BTreeMap::new();
    for (table, id, to, on_delete, column) in all {
        let own = references.entry((table, id)).or_insert_with(|| (to, on_delete == "CASCADE", BTreeSet::new()));
        own.2.insert(column);
    }
    let statements = statements();
    let goes = |table: &str| {
        let is_taken_along = references.iter().any(|((own, _), (_, cascades, _))| own == table && *cascades);
        is_taken_along || statements.iter().any(|statement| statement.text.contains(&format!("delete from {table} ")))
    };
    let mut without = BTreeSet::new();
    for ((table, _), (to, _, columns)) in references.iter().filter(|(_, (to, _, _))| to != "tenant" && goes(to)) {
        let indexes = "select group_concat(c.name) from pragma_index_list($1) i join pragma_index_info(i.name) c
                        where i.partial = 0 and c.seqno < $2 group by i.name";
        let indexes: Vec<String> = sqlx::query_scalar(indexes)
            .bind(table)
            .bind(i64::try_from(columns.len()).expect("a few columns"))
            .fetch_all(&mut connection)
            .await
            .expect("indexes");
        if !indexes.iter().any(|index| index.split(',').map(str::to_owned).collect::<BTreeSet<_>>() == *columns) {
            without.insert((table.as_str(), to.as_str()));
        }
    }
    assert_eq!(without, REFERENCES.iter().map(|(table, to, _)| (*table, *to)).collect());
}

#[test]
fn the_exceptions_are_those_of_the_documentation() {
    let text = include_str!("../../docs/retention.md");
    let (_, rest) = text.split_once("| what reads more |").expect("the table of exceptions");
    let rows = rest.lines().skip(2).take_while(|line| line.starts_with('|'));
    let said: BTreeSet<&str> = rows.filter_map(|row| row.split('|').nth(1)).map(str::trim).collect();
    assert_eq!(said, EXCEPTIONS.iter().map(|(_, whose)| *whose).chain(REFERENCES.iter().map(|(_, _, whose)| *whose)).collect());
}

fn growing(tables: Vec<String>) -> BTreeSet<String> {
    tables.into_iter().filter(|table| !SMALL.contains(&table.as_str()) && !table.starts_with("sqlite_")).collect()
}
