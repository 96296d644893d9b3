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
    references: Vec<Reference>,
}

/// A foreign key.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Reference {
    to: String,
    /// Each column, and the one there that it stands for.
    columns: Vec<(String, String)>,
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

#[derive(FromRow)]
struct ReferenceRow {
    table_name: String,
    name: String,
    target: String,
    own_column: String,
    target_column: String,
}

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
    select t.name as table_name, cast(r.id as text) as name, r.\"table\" as target, r.\"from\" as own_column, r.\"to\" as target_column
      from sqlite_master t
      join pragma_foreign_key_list(t.name) r
     where t.type = 'table'
     order by t.name, r.id, r.seq";

const POSTGRES_REFERENCES: &str = "
    select t.relname::text as table_name, k.conname::text as name, r.relname::text as target,
           own.attname::text as own_column, other.attname::text as target_column
      from pg_constraint k
      join pg_class t on t.oid = k.conrelid
      join pg_namespace n on n.oid = t.relnamespace
      join pg_class r on r.oid = k.confrelid
     cross join lateral unnest(k.conkey, k.confkey) with ordinality as pair (own, other, place)
      join pg_attribute own on own.attrelid = t.oid and own.attnum = pair.own
      join pg_attribute other on other.attrelid = r.oid and other.attnum = pair.other
     where n.nspname = current_schema() and k.contype = 'f'
     order by t.relname, k.conname, pair.place";

/// Every table, those that others refer to first.
pub(super) async fn tables(line: &mut Line<'_>) -> Result<Vec<Table>, Error> {
    let (columns, references) = match line {
        Line::Sqlite(_) => (SQLITE_COLUMNS, SQLITE_REFERENCES),
        Line::Postgres(_) => (POSTGRES_COLUMNS, POSTGRES_REFERENCES),
    };
    let columns: Vec<ColumnRow> = on!(line, c => sqlx::query_as(columns).fetch_all(c))?;
    let references: Vec<ReferenceRow> = on!(line, c => sqlx::query_as(references).fetch_all(c))?;
    let tables = columns.chunk_by(|one, next| one.table_name == next.table_name).map(|rows| Table::parse(rows, &references));
    in_order(tables.collect::<Result<_, _>>()?)
}

fn in_order(mut waiting: Vec<Table>) -> Result<Vec<Table>, Error> {
    let mut placed: Vec<Table> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let is_placed = |name: &String| placed.iter().any(|table| table.name == *name);
        let (ready, rest): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|table| table.references.iter().all(|other| is_placed(&other.to)));
        if ready.is_empty() {
            return Err(Error::Unusable("the tables refer to one another in a circle, and cannot be put in order".to_owned()));
        }
        placed.extend(ready);
        waiting = rest;
    }
    Ok(placed)
}

impl Reference {
    /// Those of this table. Each database has an order of its own for them.
    fn parse(rows: &[ReferenceRow], table: &str) -> Vec<Self> {
        let keys = rows.chunk_by(|one, next| (&one.table_name, &one.name) == (&next.table_name, &next.name));
        let own = keys.filter(|rows| rows.iter().all(|row| row.table_name == table));
        let mut references: Vec<Self> = own
            .map(|rows| Self {
                to: rows.first().map(|row| row.target.clone()).unwrap_or_default(),
                columns: rows.iter().map(|row| (row.own_column.clone(), row.target_column.clone())).collect(),
            })
            .collect();
        references.sort();
        references
    }
}

impl Table {
    fn parse(rows: &[ColumnRow], references: &[ReferenceRow]) -> Result<Self, Error> {
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
            references: Reference::parse(references, &name),
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
        let sql = format!("select {} from {} order by {}", self.column_list(), quoted(&self.name), order.collect::<Vec<_>>().join(", "));
        let values = |row: Vec<Option<Value>>| {
            let odd = row.iter().position(Option::is_none).and_then(|place| self.columns.get(place));
            match odd {
                None => Ok(row.into_iter().flatten().collect()),
                Some(column) => Err(Error::Unusable(format!("the database holds an invalid value in {}.{}", self.name, column.name))),
            }
        };
        self.select(line, sql).map(move |row| values(row?)).boxed()
    }

    /// Every row, in any order. `None` where there is a value of another type: SQLite keeps whatever it is given.
    pub(super) fn raw_rows<'c>(&'c self, line: &'c mut Line<'_>) -> BoxStream<'c, Result<Vec<Option<Value>>, Error>> {
        self.select(line, format!("select {} from {}", self.column_list(), quoted(&self.name)))
    }

    fn select<'c>(&'c self, line: &'c mut Line<'_>, sql: String) -> BoxStream<'c, Result<Vec<Option<Value>>, Error>> {
        let query = AssertSqlSafe(sql);
        match line {
            Line::Sqlite(c) => sqlx::query(query).fetch(&mut **c).map_ok(|row| self.values(&row)).map_err(Error::from).boxed(),
            Line::Postgres(c) => sqlx::query(query).fetch(&mut **c).map_ok(|row| self.values(&row)).map_err(Error::from).boxed(),
        }
    }

    fn values<R>(&self, row: &R) -> Vec<Option<Value>>
    where
        R: sqlx::Row,
        usize: ColumnIndex<R>,
        for<'r> String: Decode<'r, R::Database> + Type<R::Database>,
        for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    {
        let value = |(place, column): (usize, &Column)| match column.kind {
            Kind::Text => row.try_get(place).map(Value::Text).ok(),
            Kind::Integer => row.try_get(place).map(Value::Integer).ok(),
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
        let sql = format!("insert into {} ({}){overriding} values {}", quoted(&self.name), self.column_list(), places.join(", "));
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

    /// Its columns, in the order of the values of a row.
    pub(super) fn column_names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// How many rows refer to something that is not there. A database that enforces its foreign keys has none.
    pub(super) async fn orphans(&self, line: &mut Line<'_>) -> Result<u64, Error> {
        let mut orphans = 0;
        for Reference { to, columns } in &self.references {
            let pairs = columns.iter().map(|(own, other)| (quoted(own), quoted(other)));
            let (given, equal): (Vec<_>, Vec<_>) =
                pairs.map(|(own, other)| (format!("own.{own} is not null"), format!("other.{other} = own.{own}"))).unzip();
            let sql = format!(
                "select count(*) from {} own where {} and not exists (select 1 from {} other where {})",
                quoted(&self.name),
                given.join(" and "),
                quoted(to),
                equal.join(" and ")
            );
            let count: i64 = on!(&mut *line, c => sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(c))?;
            orphans += count.unsigned_abs();
        }
        Ok(orphans)
    }

    fn column_list(&self) -> String {
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
