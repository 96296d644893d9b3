//! However much there is, a request reads what it is about: every statement of the store goes by an index, on the
//! database of this run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use admit::store::Location;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

use crate::support::TestApp;

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

/// What opens, copies, brings up to date or restores a whole database is not for requests; what asks for the time reads no table.
const WHOLE: [&str; 11] =
    ["catalogue.rs", "check.rs", "clock.rs", "connect", "copy.rs", "migrate", "pool", "restore.rs", "snapshot.rs", "status.rs", "writer"];
/// Statements that may read a whole table, and why.
const EXCEPTIONS: [(&str, &str); 13] = [
    ("client.rs clients", "an administrator's list: the first so many, in the order of the key"),
    ("user.rs users", "the same"),
    ("patient.rs patients", "the same"),
    ("client.rs launchable_clients", "at most a thousand, and its index has no others"),
    ("client_survey.rs clients_without_pkce", "at most a hundred, likewise"),
    ("client_survey.rs client_of_base", "an administrator removes a FHIR base"),
    ("fhir_base.rs remove_fhir_base", "the same: with all of its patients, or with what was allowed there"),
    ("standing.rs listing", "an administrator asks for everybody's grants"),
    ("standing.rs ending", "an administrator revokes by FHIR base alone"),
    ("standing.rs forgetting", "the same"),
    ("audit.rs audit_tail", "the latest so many"),
    ("audit_chain.rs audit_chain", "what is not sealed yet has an index of its own, and is a second's worth"),
    ("audit_chain.rs seal", "the same"),
];
/// What PostgreSQL does otherwise while there is as little as here. The sizes of real tables decide; SQLite goes by its rules alone.
const POSTGRES: [(&str, &str); 4] = [
    ("audit_chain.rs audit_hash", "nothing here is sealed"),
    ("audit_chain.rs purge_audit", "the same"),
    ("purge.rs const", "a hundred of two thousand rows are a large part of them"),
    ("purge.rs purge", "the same"),
];
/// Statements whose parameters PostgreSQL cannot tell the types of by their text.
const UNTYPED: [&str; 1] = ["audit_chain.rs seal"];

/// A statement of the store, by the function that it is in.
struct Statement {
    of: String,
    text: String,
}

/// Every statement that stands in `src/store`, with what its macros make of it.
fn statements() -> Vec<Statement> {
    let mut found = Vec::new();
    let files: Vec<(String, Vec<Word>)> = sources().into_iter().map(|(file, text)| (file, words(&text))).collect();
    // A macro that holds the columns, by how many literals it is given.
    let templates: BTreeMap<usize, Vec<&str>> =
        files.iter().map(|(_, words)| after(words, "macro_rules! select")).map(|parts| (parts.len(), parts)).collect();
    for (file, words) in &files {
        let mut at = 0;
        while at < words.len() {
            let of = || format!("{file} {}", function(&words[..=at]));
            match &words[at] {
                Word::Code(code) if code.ends_with("by!(self,") => {
                    let parts = literals(&words[at + 1..], ")");
                    let (head, tail) = (parts[0], parts[parts.len() - 1]);
                    for lead in &parts[1..parts.len() - 1] {
                        let column = lead.split(' ').next().unwrap_or_default();
                        found.push(Statement { of: format!("{} by {column}", of()), text: format!("{head} and {lead}{tail}") });
                    }
                    found.push(Statement { of: of(), text: format!("{head}{tail}") });
                    at += 1; // its head is a statement by its looks
                }
                Word::Code(code) if code.ends_with("select!(") => {
                    let parts = literals(&words[at + 1..], ")");
                    let template = templates.get(&parts.len()).expect("a macro with as many places");
                    found.push(Statement { of: of(), text: template.iter().zip(parts).flat_map(|(own, part)| [*own, part]).collect() });
                }
                Word::Literal(text) if is_statement(text) && !templates.values().flatten().any(|own| own == text) => {
                    found.push(Statement { of: of(), text: text.clone() });
                }
                _ => {}
            }
            at += 1;
        }
    }
    found
}

fn is_statement(text: &str) -> bool {
    ["select ", "insert ", "update ", "delete ", "with "].iter().any(|verb| text.trim_start().starts_with(verb))
}

/// The files of the store, without tests.
fn sources() -> Vec<(String, String)> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).expect("src/store can be read") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut found = Vec::new();
    walk(&root, &mut found);
    found.sort();
    let name = |path: &Path| path.strip_prefix(&root).expect("below the store").display().to_string();
    let of_requests = |path: &&PathBuf| !name(path).ends_with("tests.rs") && !WHOLE.iter().any(|whole| name(path).starts_with(whole));
    let read = found.iter().filter(of_requests).map(|path| {
        let text = fs::read_to_string(path).expect("a source file");
        (name(path), text.split("#[cfg(test)]").next().unwrap_or_default().to_owned())
    });
    read.collect()
}

enum Word {
    /// What stands between two literals, without white space.
    Code(String),
    Literal(String),
}

fn words(text: &str) -> Vec<Word> {
    let (mut words, mut code, mut rest) = (Vec::new(), String::new(), text.chars().peekable());
    while let Some(c) = rest.next() {
        match c {
            '/' if rest.peek() == Some(&'/') => while rest.next_if(|c| *c != '\n').is_some() {},
            '\'' if rest.peek() == Some(&'"') => {
                rest.next();
            }
            '"' => {
                let mut literal = String::new();
                while let Some(c) = rest.next_if(|c| *c != '"') {
                    literal.push(c);
                    literal.extend(rest.next_if(|_| c == '\\'));
                }
                rest.next();
                words.extend([Word::Code(std::mem::take(&mut code)), Word::Literal(literal)]);
            }
            c if c.is_whitespace() => {}
            c => code.push(c),
        }
    }
    words.push(Word::Code(code));
    words
}

/// The literals up to where the code says that it is the end.
fn literals<'w>(words: &'w [Word], end: &str) -> Vec<&'w str> {
    let mut found = Vec::new();
    for word in words {
        match word {
            Word::Literal(text) => found.push(text.as_str()),
            Word::Code(code) if code.contains(end) => break,
            Word::Code(_) => {}
        }
    }
    found
}

/// The literals of a macro.
fn after<'w>(words: &'w [Word], name: &str) -> Vec<&'w str> {
    let name: String = name.split_whitespace().collect();
    let start = words.iter().position(|word| matches!(word, Word::Code(code) if code.contains(&name)));
    start.map(|start| literals(&words[start + 1..], "}")).unwrap_or_default()
}

/// The function that these words end in.
fn function(words: &[Word]) -> String {
    let code = words.iter().rev().find_map(|word| match word {
        Word::Code(code) => code.rfind("fn").filter(|at| code[at + 2..].contains(['(', '<'])).map(|at| &code[at + 2..]),
        Word::Literal(_) => None,
    });
    code.and_then(|code| code.split(['(', '<']).next()).unwrap_or("const").to_owned()
}

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

/// Whether an index is asked for more than what all rows have in common.
fn is_narrow(condition: &str) -> bool {
    let columns =
        condition.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| word.starts_with(|c: char| c.is_alphabetic()));
    let is_column = |word: &&str| !COMMON.contains(word) && !["AND", "OR", "text", "bigint", "and", "tenant"].contains(word);
    columns.filter(is_column).any(|word| word != "ANY")
}

/// What is wrong with a plan of SQLite.
fn faults_of_sqlite(steps: &[String], statement: &str, growing: &BTreeSet<String>) -> Vec<String> {
    let names = aliases(statement);
    let is_bad = |step: &&String| {
        let mut words = step.split(' ');
        let (verb, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if !names.get(name).is_some_and(|table| growing.contains(table)) {
            return false;
        }
        match verb {
            "SCAN" => true,
            "SEARCH" => step.contains("AUTOMATIC") || !is_narrow(step.split_once('(').map_or("", |(_, condition)| condition)),
            _ => false,
        }
    };
    steps.iter().filter(is_bad).cloned().collect()
}

/// What is wrong with a plan of PostgreSQL.
fn faults_of_postgres(node: &Value, table: &str, growing: &BTreeSet<String>, faults: &mut Vec<String>) {
    let text = |name: &str| node[name].as_str().unwrap_or_default();
    let table = if text("Relation Name").is_empty() { table } else { text("Relation Name") };
    let kind = text("Node Type");
    let is_bad = match kind {
        "Seq Scan" => true,
        "Index Scan" | "Index Only Scan" | "Bitmap Index Scan" => !is_narrow(text("Index Cond")),
        _ => false,
    };
    if is_bad && growing.contains(table) {
        faults.push(format!("{kind} of {table} by {} {}", text("Index Name"), text("Index Cond")));
    }
    for below in node["Plans"].as_array().into_iter().flatten() {
        faults_of_postgres(below, table, growing, faults);
    }
}

/// Fills the tables a little, so that PostgreSQL knows which index serves best.
async fn fill(app: &TestApp) {
    let now = app.clock.now().unix_timestamp().to_string();
    let fill = include_str!("../../benches/scale/fill.sql");
    let fill = fill.replace(":rows", "20000").replace(":from", "1").replace(":now", &now).replace(":base", "one");
    app.sql(
        "insert into client (tenant_id, client_id, name, auth_method, grant_types, scopes, redirect_uris, post_logout_redirect_uris,
                             fhir_bases, id_token_alg, refresh_grace, created_at)
         with recursive n (i) as (select 1 union all select i + 1 from n where i < 2000)
         select 'default', 'many-' || i, 'Many', 'none', '', 'openid', '[]', '[]', '[]', 'RS256', 10, 1 from n",
    )
    .await;
    app.sql(&fill.replace("':client'", "'many-' || (1 + i % 2000)")).await;
    app.sql(
        "insert into client_logo (tenant_id, client_id, digest, kind, data, set_at)
         select 'default', client_id, client_id, '', '', 1 from client where client_id like 'many-%';
         insert into launch (tenant_id, launch_id, digest, client_id, user_id, fhir_base, context, created_at, expires_at)
         select 'default', flow_id, flow_id, client_id, user_id, 'one', '{}', created_at, expires_at from flow where user_id is not null;
         insert into client_origin (tenant_id, origin, client_id) select 'default', 'https://' || client_id || '.test', client_id from client;
         insert into patient (tenant_id, fhir_base, patient_id, name, search_name, birth_date, sex, mrn, search_mrn, imported_at)
         with recursive n (i) as (select 1 union all select i + 1 from n where i < 20000)
         select 'default', 'one', 'many-' || i, 'Many ' || i, 'many ' || i, cast(1900 + i % 100 as text), '', 'M' || i, 'm' || i, 1 from n;
         insert into panel (tenant_id, fhir_base, fhir_user, patient_id)
         select 'default', 'one', 'Practitioner/scale-' || length(patient_id), patient_id from patient where patient_id like 'many-%';
         insert into panel_term (tenant_id, fhir_base, fhir_user, kind, term, patient_id)
         select 'default', 'one', fhir_user, 'find', patient_id, patient_id from panel where patient_id like 'many-%';
         insert into encounter (tenant_id, fhir_base, encounter_id, patient_id, status, class, reason, started, ended)
         select 'default', 'one', 'e' || patient_id, patient_id, '', '', '', '', '' from patient where patient_id like 'many-%';
         insert into audit (tenant_id, at_us, event, outcome) select 'default', created_at * 1000000, 'login', 'success' from user_account",
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
                let explained = AssertSqlSafe(format!("explain query plan {text}"));
                let plan: Result<Vec<(i64, i64, i64, String)>, _> = sqlx::query_as(explained).fetch_all(&mut connection).await;
                let plan = plan.unwrap_or_else(|error| panic!("{of}: {error}: {text}"));
                let steps: Vec<String> = plan.into_iter().map(|(_, _, _, step)| step).collect();
                faults.extend(faults_of_sqlite(&steps, text, &growing).into_iter().map(|fault| (of.clone(), fault)));
            }
        }
        Location::Postgres(url) => {
            fill(&app).await;
            app.sql("analyze").await;
            let mut connection = PgConnection::connect(url).await.expect("the database");
            let tables: Vec<String> = sqlx::query_scalar("select tablename::text from pg_tables where schemaname = current_schema()")
                .fetch_all(&mut connection)
                .await
                .expect("tables");
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
                faults_of_postgres(&plan[0]["Plan"], "", &growing, &mut own);
                faults.extend(own.into_iter().map(|fault| (of.clone(), fault)));
            }
        }
    }
    let is_postgres = matches!(app.location(), Location::Postgres(_));
    let allowed =
        |of: &String| EXCEPTIONS.iter().any(|(known, _)| known == of) || (is_postgres && POSTGRES.iter().any(|(known, _)| known == of));
    let unexpected: Vec<_> = faults.iter().filter(|(of, _)| !allowed(of)).collect();
    assert!(unexpected.is_empty(), "these read whole tables: {unexpected:#?}");
    for (known, why) in EXCEPTIONS.iter().filter(|_| !is_postgres) {
        assert!(faults.iter().any(|(of, _)| of == known), "{known} goes by an index now: it needs no exception ({why})");
    }
}

fn growing(tables: Vec<String>) -> BTreeSet<String> {
    tables.into_iter().filter(|table| !SMALL.contains(&table.as_str()) && !table.starts_with("sqlite_")).collect()
}
