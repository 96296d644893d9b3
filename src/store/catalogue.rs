//! The tables as the database itself describes them, and the only statements that are made from names. Whoever walks
//! over every table goes by this, and cannot miss what a later migration adds.

use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use sqlx::{AssertSqlSafe, ColumnIndex, Decode, FromRow, PgConnection, SqliteConnection, Type};

use super::Error;

/// A connection for what takes as long as it takes. [`Conn`](super::Conn) is for requests, which do not wait.
pub(super) enum Line<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

/// Runs a statement on whichever connection is there: `on!(line, c => query.fetch_one(c))`.
macro_rules! on {
    ($line:expr, $c:ident => $statement:expr) => {
        match $line {
            $crate::store::catalogue::Line::Sqlite(connection) => {
                let $c = &mut **connection;
                $statement.await
            }
            $crate::store::catalogue::Line::Postgres(connection) => {
                let $c = &mut **connection;
                $statement.await
            }
        }
    };
}

pub(super) use on;

/// A table of ours. Names come from the catalogue alone.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub name: String,
    columns: Vec<Column>,
    /// The column that the database numbers by itself.
    pub identity: Option<String>,
    /// The columns of the primary key, in its order.
    key: Vec<Column>,
    /// The tables that it refers to.
    references: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Column {
    name: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Integer,
}

/// What stands in one column of one row: house rule 1 knows no other types.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(Option<String>),
    Integer(Option<i64>),
}

#[derive(FromRow)]
struct ColumnRow {
    table_name: String,
    column_name: String,
    kind: String,
    key_place: i64,
    identity: i64,
}

/// Names that begin with a low line are sqlx's own and litestream's.
const SQLITE_COLUMNS: &str = "
    select t.name as table_name, c.name as column_name, lower(c.type) as kind, c.pk as key_place,
           case when c.pk = 1 and t.sql like '%autoincrement%' then 1 else 0 end as identity
      from sqlite_master t
      join pragma_table_info(t.name) c
     where t.type = 'table' and t.name not like 'sqlite!_%' escape '!' and t.name not like '!_%' escape '!'
     order by t.name, c.name";

const POSTGRES_COLUMNS: &str = "
    select t.relname::text as table_name, c.attname::text as column_name, format_type(c.atttypid, null) as kind,
           coalesce(array_position(k.conkey, c.attnum), 0)::bigint as key_place,
           case when c.attidentity <> '' then 1 else 0 end::bigint as identity
      from pg_class t
      join pg_namespace n on n.oid = t.relnamespace
      join pg_attribute c on c.attrelid = t.oid and c.attnum > 0 and not c.attisdropped
      left join pg_constraint k on k.conrelid = t.oid and k.contype = 'p'
     where n.nspname = current_schema() and t.relkind in ('r', 'p') and t.relname <> '_sqlx_migrations'
     order by t.relname::text collate \"C\", c.attname::text collate \"C\"";

const SQLITE_REFERENCES: &str = "
    select distinct t.name, r.\"table\"
      from sqlite_master t
      join pragma_foreign_key_list(t.name) r
     where t.type = 'table'
     order by 1, 2";

const POSTGRES_REFERENCES: &str = "
    select distinct t.relname::text collate \"C\", r.relname::text collate \"C\"
      from pg_constraint k
      join pg_class t on t.oid = k.conrelid
      join pg_namespace n on n.oid = t.relnamespace
      join pg_class r on r.oid = k.confrelid
     where n.nspname = current_schema() and k.contype = 'f'
     order by 1, 2";

/// Every table, those that others refer to first.
pub(super) async fn tables(line: &mut Line<'_>) -> Result<Vec<Table>, Error> {
    let (columns, references) = match line {
        Line::Sqlite(_) => (SQLITE_COLUMNS, SQLITE_REFERENCES),
        Line::Postgres(_) => (POSTGRES_COLUMNS, POSTGRES_REFERENCES),
    };
    let columns: Vec<ColumnRow> = on!(line, c => sqlx::query_as(columns).fetch_all(c))?;
    let references: Vec<(String, String)> = on!(line, c => sqlx::query_as(references).fetch_all(c))?;
    let tables = columns.chunk_by(|one, next| one.table_name == next.table_name).map(|rows| Table::parse(rows, &references));
    in_order(tables.collect::<Result<_, _>>()?)
}

fn in_order(mut waiting: Vec<Table>) -> Result<Vec<Table>, Error> {
    let mut placed: Vec<Table> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let is_placed = |name: &String| placed.iter().any(|table| table.name == *name);
        let (ready, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|table| table.references.iter().all(is_placed));
        if ready.is_empty() {
            return Err(Error::Unusable("the tables refer to one another in a circle, and cannot be put in order".to_owned()));
        }
        placed.extend(ready);
        waiting = rest;
    }
    Ok(placed)
}

impl Table {
    fn parse(rows: &[ColumnRow], references: &[(String, String)]) -> Result<Self, Error> {
        let name = rows.first().map(|row| row.table_name.clone()).unwrap_or_default();
        let mut columns = Vec::with_capacity(rows.len());
        let mut key = Vec::new();
        for row in rows {
            let kind = match row.kind.as_str() {
                "text" => Kind::Text,
                "bigint" | "integer" => Kind::Integer,
                other => {
                    return Err(Error::Unusable(format!("the column {name}.{} has a type that is not ours: {other}", row.column_name)));
                }
            };
            let column = Column { name: row.column_name.clone(), kind };
            if row.key_place > 0 {
                key.push((row.key_place, column.clone()));
            }
            columns.push(column);
        }
        key.sort_by_key(|(place, _)| *place);
        if key.is_empty() {
            return Err(Error::Unusable(format!("the table {name} has no primary key")));
        }
        Ok(Self {
            columns,
            identity: rows.iter().find(|row| row.identity > 0).map(|row| row.column_name.clone()),
            key: key.into_iter().map(|(_, column)| column).collect(),
            references: references.iter().filter(|(from, _)| *from == name).map(|(_, to)| to.clone()).collect(),
            name,
        })
    }

    /// Every row in the order of the primary key, which is the same in both databases. Few of them are in memory at a
    /// time.
    pub(super) fn rows<'c>(&'c self, line: &'c mut Line<'_>) -> BoxStream<'c, Result<Vec<Value>, Error>> {
        // Their own orders of texts differ: PostgreSQL's goes by the language, unless it is told not to.
        let collation = if matches!(line, Line::Sqlite(_)) { "binary" } else { "\"C\"" };
        let order = self.key.iter().map(|column| match column.kind {
            Kind::Text => format!("{} collate {collation}", quoted(&column.name)),
            Kind::Integer => quoted(&column.name),
        });
        let sql = format!("select {} from {} order by {}", self.column_names(), quoted(&self.name), order.collect::<Vec<_>>().join(", "));
        let query = AssertSqlSafe(sql);
        match line {
            Line::Sqlite(c) => sqlx::query(query).fetch(&mut **c).map_err(Error::from).and_then(async |row| self.values(&row)).boxed(),
            Line::Postgres(c) => sqlx::query(query).fetch(&mut **c).map_err(Error::from).and_then(async |row| self.values(&row)).boxed(),
        }
    }

    fn values<R>(&self, row: &R) -> Result<Vec<Value>, Error>
    where
        R: sqlx::Row,
        usize: ColumnIndex<R>,
        for<'r> String: Decode<'r, R::Database> + Type<R::Database>,
        for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    {
        let value = |(place, column): (usize, &Column)| {
            let value = match column.kind {
                Kind::Text => row.try_get(place).map(Value::Text),
                Kind::Integer => row.try_get(place).map(Value::Integer),
            };
            // SQLite keeps whatever it is given.
            value.map_err(|_| Error::Unusable(format!("the database holds an invalid value in {}.{}", self.name, column.name)))
        };
        self.columns.iter().enumerate().map(value).collect()
    }

    /// Puts in rows that [`Table::rows`] gave.
    pub(super) async fn insert(&self, line: &mut Line<'_>, rows: &[Vec<Value>]) -> Result<(), Error> {
        if let Line::Postgres(_) = line {
            self.refuse_nul(rows)?;
        }
        let overriding = if self.identity.is_some() && matches!(line, Line::Postgres(_)) { " overriding system value" } else { "" };
        let width = self.columns.len();
        let row = |place: usize| {
            let holders = (1..=width).map(|column| format!("${}", place * width + column));
            format!("({})", holders.collect::<Vec<_>>().join(", "))
        };
        let places: Vec<String> = (0..rows.len()).map(row).collect();
        let sql = format!("insert into {} ({}){overriding} values {}", quoted(&self.name), self.column_names(), places.join(", "));
        macro_rules! insert {
            () => {{
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for value in rows.iter().flatten() {
                    query = match value {
                        Value::Text(text) => query.bind(text),
                        Value::Integer(number) => query.bind(number),
                    };
                }
                query
            }};
        }
        Ok(match line {
            Line::Sqlite(c) => insert!().execute(&mut **c).await.map(|_| ()),
            Line::Postgres(c) => insert!().execute(&mut **c).await.map(|_| ()),
        }?)
    }

    /// SQLite can hold it in a text, PostgreSQL cannot.
    fn refuse_nul(&self, rows: &[Vec<Value>]) -> Result<(), Error> {
        let is_bad = |value: &Value| matches!(value, Value::Text(Some(text)) if text.contains('\0'));
        let bad = rows.iter().find_map(|row| row.iter().position(is_bad)).and_then(|place| self.columns.get(place));
        match bad {
            None => Ok(()),
            Some(column) => Err(Error::Unusable(format!(
                "a text in {}.{} has a NUL character in it, which PostgreSQL does not take",
                self.name, column.name
            ))),
        }
    }

    /// Whether there is no row.
    pub(super) async fn is_empty(&self, line: &mut Line<'_>) -> Result<bool, Error> {
        let sql = format!("select count(*) from (select 1 from {} limit 1) as first", quoted(&self.name));
        let count: i64 = on!(line, c => sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(c))?;
        Ok(count == 0)
    }

    /// How many rows there are.
    pub(super) async fn count(&self, line: &mut Line<'_>) -> Result<i64, Error> {
        let sql = format!("select count(*) from {}", quoted(&self.name));
        Ok(on!(line, c => sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(c))?)
    }

    /// The last number that its identity column was given, be the row there or not.
    pub(super) async fn last_number(&self, line: &mut Line<'_>, column: &str) -> Result<Option<i64>, Error> {
        let last = match line {
            Line::Sqlite(c) => {
                sqlx::query_scalar("select seq from sqlite_sequence where name = $1").bind(&self.name).fetch_optional(&mut **c).await?
            }
            Line::Postgres(c) => {
                let sequence = "select pg_sequence_last_value(pg_get_serial_sequence(quote_ident($1), $2)::regclass)";
                sqlx::query_scalar(sequence).bind(&self.name).bind(column).fetch_one(&mut **c).await?
            }
        };
        Ok(last)
    }

    /// The next number comes after `last`.
    pub(super) async fn continue_after(&self, line: &mut Line<'_>, column: &str, last: i64) -> Result<(), Error> {
        match line {
            Line::Sqlite(c) => {
                sqlx::query("delete from sqlite_sequence where name = $1").bind(&self.name).execute(&mut **c).await?;
                let sequence = "insert into sqlite_sequence (name, seq) values ($1, $2)";
                sqlx::query(sequence).bind(&self.name).bind(last).execute(&mut **c).await?;
            }
            Line::Postgres(c) => {
                let sequence = "select setval(pg_get_serial_sequence(quote_ident($1), $2), $3)";
                sqlx::query(sequence).bind(&self.name).bind(column).bind(last).execute(&mut **c).await?;
            }
        }
        Ok(())
    }

    fn column_names(&self) -> String {
        self.columns.iter().map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ")
    }
}

/// Nobody else writes until the transaction ends. On SQLite that is so already.
pub(super) async fn lock(line: &mut Line<'_>, tables: &[Table]) -> Result<(), Error> {
    if let Line::Postgres(c) = line {
        let names: Vec<String> = tables.iter().map(|table| quoted(&table.name)).collect();
        let sql = format!("lock table {} in exclusive mode", names.join(", "));
        sqlx::query(AssertSqlSafe(sql)).execute(&mut **c).await?;
    }
    Ok(())
}

/// A name from the catalogue, as SQL writes it in both databases.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
