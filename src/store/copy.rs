//! Copies a whole installation from one database into another.

use aws_lc_rs::digest;
use futures_util::{TryFutureExt as _, TryStreamExt as _};
use sqlx::{Connection as _, PgConnection};

use super::catalogue::{self, Line, Table, Value, on};
use super::{Error, Pools, Store};
use crate::id::TenantId;
use crate::token::base64url;

/// So many rows go in by one statement,
const ROWS: usize = 256;
/// or as many as have about so many bytes of text: this is what a copy needs of memory.
const BYTES: usize = 1 << 20;

/// What was copied of one table, and found to be the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The table.
    pub table: String,
    /// How many rows it has.
    pub rows: u64,
    /// SHA-256 of all its rows in the order of the primary key, base64url. Equal rows have an equal digest in every database.
    pub digest: String,
}

impl Store {
    /// Copies everything, of every tenant, into an empty database: as it is at one moment, in one transaction there,
    /// which is kept once every row was read again on both sides and found to be equal. Who else uses the source is
    /// not kept waiting.
    ///
    /// # Errors
    /// [`Error::NotEmpty`]; [`Error::Unusable`], where the tables of the two differ, or a row cannot be copied.
    pub async fn copy_to(&self, target: &Self) -> Result<Vec<Copied>, Error> {
        match &self.pools {
            Pools::Sqlite { readers, .. } => {
                let mut reader = readers.take().await?;
                let mut snapshot = reader.begin().await?;
                target.fill(Line::Sqlite(&mut snapshot)).await
            }
            Pools::Postgres(pool) => {
                let mut connection = pool.connect().await?;
                let mut snapshot = connection.begin_with("begin isolation level repeatable read, read only").await?;
                take_time(&mut snapshot).await?;
                target.fill(Line::Postgres(&mut snapshot)).await
            }
        }
    }

    async fn fill(&self, source: Line<'_>) -> Result<Vec<Copied>, Error> {
        match &self.pools {
            // Not by way of the writer, where everybody is answered within seconds.
            Pools::Sqlite { readers, .. } => {
                let mut connection = readers.connect_to_write().await?;
                let mut all = connection.begin_with("begin immediate").await?;
                let copied = copy(source, Line::Sqlite(&mut all)).await?;
                all.commit().await?;
                connection.close().await?;
                Ok(copied)
            }
            Pools::Postgres(pool) => {
                let mut connection = pool.connect().await?;
                let mut all = connection.begin().await?;
                take_time(&mut all).await?;
                let copied = copy(source, Line::Postgres(&mut all)).await?;
                all.commit().await?;
                Ok(copied)
            }
        }
    }
}

/// The limits of time are for requests. This is none.
async fn take_time(transaction: &mut PgConnection) -> Result<(), Error> {
    sqlx::raw_sql("set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0").execute(transaction).await?;
    Ok(())
}

async fn copy(mut source: Line<'_>, mut target: Line<'_>) -> Result<Vec<Copied>, Error> {
    let tables = catalogue::tables(&mut source).await?;
    if tables != catalogue::tables(&mut target).await? {
        return Err(Error::Unusable("the two databases do not have the same tables: nothing but Admit's may be in them".to_owned()));
    }
    catalogue::lock(&mut target, &tables).await?;
    make_empty(&mut target, &tables).await?;
    for table in &tables {
        copy_rows(table, &mut source, &mut target).await?;
    }
    let mut copied = Vec::with_capacity(tables.len());
    for table in &tables {
        copied.push(compare(table, &mut source, &mut target).await?);
    }
    // Last: on PostgreSQL, this outlives a transaction that fails.
    for (table, column) in tables.iter().filter_map(|table| Some((table, table.identity.as_deref()?))) {
        if let Some(last) = table.last_number(&mut source, column).await? {
            table.continue_after(&mut target, column, last).await?;
        }
    }
    Ok(copied)
}

/// What [`Store::open`] puts into a new database makes room; what anybody else put there is not touched.
async fn make_empty(target: &mut Line<'_>, tables: &[Table]) -> Result<(), Error> {
    const TENANT: &str = "tenant";
    let is_tenant = |table: &&Table| table.name == TENANT;
    for table in tables.iter().filter(|table| !is_tenant(table)) {
        refuse_rows(target, table).await?;
    }
    let statement = "delete from tenant where tenant_id = $1";
    let tenant = TenantId::default_tenant();
    on!(&mut *target, c => sqlx::query(statement).bind(tenant.as_str()).execute(c).map_ok(|_| ()))?;
    for table in tables.iter().filter(is_tenant) {
        refuse_rows(target, table).await?;
    }
    Ok(())
}

async fn refuse_rows(target: &mut Line<'_>, table: &Table) -> Result<(), Error> {
    match table.is_empty(target).await? {
        true => Ok(()),
        false => Err(Error::NotEmpty { table: table.name.clone() }),
    }
}

async fn copy_rows(table: &Table, source: &mut Line<'_>, target: &mut Line<'_>) -> Result<(), Error> {
    let mut rows = table.rows(source);
    let mut batch = Vec::with_capacity(ROWS);
    let mut bytes = 0;
    while let Some(row) = rows.try_next().await? {
        bytes += row.iter().map(Value::len).sum::<usize>();
        batch.push(row);
        if batch.len() == ROWS || bytes >= BYTES {
            table.insert(target, &batch).await?;
            batch.clear();
            bytes = 0;
        }
    }
    if batch.is_empty() { Ok(()) } else { table.insert(target, &batch).await }
}

/// Reads both sides in the same order, and compares every column of every row.
async fn compare(table: &Table, source: &mut Line<'_>, target: &mut Line<'_>) -> Result<Copied, Error> {
    let (mut ours, mut theirs) = (table.rows(source), table.rows(target));
    let mut digest = digest::Context::new(&digest::SHA256);
    let mut rows = 0;
    loop {
        match (ours.try_next().await?, theirs.try_next().await?) {
            (None, None) => break,
            (Some(row), Some(copy)) if row == copy => copy.iter().for_each(|value| value.add_to(&mut digest)),
            _ => return Err(Error::Unusable(format!("row {} of {} came out different: nothing was kept", rows + 1, table.name))),
        }
        rows += 1;
    }
    Ok(Copied { table: table.name.clone(), rows, digest: base64url(digest.finish().as_ref()) })
}

impl Value {
    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.as_ref().map_or(0, String::len),
            Self::Integer(_) => size_of::<i64>(),
        }
    }

    /// No two rows that differ may look alike: each value says how long it is.
    fn add_to(&self, digest: &mut digest::Context) {
        match self {
            Self::Text(None) | Self::Integer(None) => digest.update(b"0"),
            Self::Text(Some(text)) => {
                digest.update(format!("t{}:", text.len()).as_bytes());
                digest.update(text.as_bytes());
            }
            Self::Integer(Some(number)) => digest.update(format!("i{number};").as_bytes()),
        }
    }
}
