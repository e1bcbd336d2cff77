//! The earlier database: opened to read only, checked for its tables, read in pages from one snapshot.
//!
//! Values are taken as loosely as SQLite holds them, and judged in [`super::convert`]. Must not know ours.

mod file;
mod rows;
mod sql;

use std::collections::{BTreeMap, BTreeSet};

use diesel::connection::SimpleConnection;
use diesel::query_builder::SqlQuery;
use diesel::query_dsl::methods::LoadQuery;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl};

use self::file::SourceFile;
pub(super) use self::rows::{OldClient, OldKey, OldUsage};
use self::sql::Dialect;
pub(super) use self::sql::identity;
use super::ImportError;
use crate::migrations::VERSIONS_TABLE;
use crate::{AnyConnection, DatabaseUrl};

/// Clients or usage rows read at a time: what bounds the memory, and how long our own database is held.
const PAGE: usize = 2000;

/// Below every id. Not the least number there is, which no database reads as one literal.
pub(super) const BEFORE_ALL: i64 = -i64::MAX;

/// No limit of the target's holds for the source: a table without an index is read slowly.
const POSTGRES_SETTINGS: &str = "
    SET TIME ZONE 'UTC';
    SET DateStyle = 'ISO';
    SET statement_timeout = 0;
    SET idle_in_transaction_session_timeout = 0;
    SET default_transaction_read_only = on;
    BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;";

const SQLITE_SETTINGS: &str = "
    PRAGMA busy_timeout = 5000;
    PRAGMA query_only = ON;
    PRAGMA trusted_schema = OFF;
    BEGIN;";

/// What is read of each table, beside what is optional.
const NEEDED: [(&str, &[&str]); 3] = [
    ("clients", &["id", "name", "email"]),
    ("api_keys", &["id", "client_id", "key_hash", "is_active"]),
    (
        "api_usage",
        &[
            "id",
            "api_key_id",
            "endpoint",
            "method",
            "status_code",
            "cost",
            "timestamp",
        ],
    ),
];

/// An earlier database, open, in one transaction that ends with this value.
pub(super) struct Source {
    conn: AnyConnection,
    url: DatabaseUrl,
    file: Option<SourceFile>,
    dialect: Dialect,
    columns: BTreeMap<&'static str, BTreeSet<String>>,
}

impl Source {
    pub(super) fn open(url: &DatabaseUrl) -> Result<Self, ImportError> {
        let failed = |reason: String| ImportError::Source {
            url: url.to_string(),
            reason: url.mask(reason.trim()),
        };
        let (mut conn, file, settings) = match url.sqlite_path() {
            Some(path) => {
                let file = SourceFile::find(path)?;
                let conn = file.connect().map_err(|error| failed(error.to_string()))?;
                (AnyConnection::Sqlite(conn), Some(file), SQLITE_SETTINGS)
            }
            None => {
                let conn = PgConnection::establish(url.postgres().unwrap_or_default())
                    .map_err(|error| failed(error.to_string()))?;
                (AnyConnection::Postgres(conn), None, POSTGRES_SETTINGS)
            }
        };
        conn.batch_execute(settings)
            .map_err(|error| failed(error.to_string()))?;
        let mut source = Self {
            conn,
            url: url.clone(),
            file,
            dialect: Dialect(url.backend()),
            columns: BTreeMap::new(),
        };
        source.check_tables()?;
        Ok(source)
    }

    /// Whether the earlier Vigint kept payment details here.
    pub(super) fn has_payment_details(&mut self) -> Result<bool, ImportError> {
        Ok(!self.columns_of("payment_details")?.is_empty())
    }

    /// The next clients behind this id, by id; none when that was the last.
    pub(super) fn clients(&mut self, after: i64) -> Result<Vec<OldClient>, ImportError> {
        let columns = [
            self.dialect.id(),
            self.text("clients", "name"),
            self.text("clients", "email"),
            self.text("clients", "created_at"),
            self.text("clients", "updated_at"),
        ];
        let page: Vec<OldClient> = self.load(format!(
            "SELECT {} FROM clients WHERE id > {after} ORDER BY id LIMIT {PAGE}",
            columns.join(", ")
        ))?;
        self.check_order("clients", after, page.iter().map(|row| row.id))?;
        Ok(page)
    }

    /// The keys of a client, by id.
    pub(super) fn keys_of(&mut self, client: i64) -> Result<Vec<OldKey>, ImportError> {
        self.keys(&format!("client_id = {client}"))
    }

    /// The keys of no client that is there.
    pub(super) fn stray_keys(&mut self) -> Result<Vec<OldKey>, ImportError> {
        self.keys("NOT EXISTS (SELECT 1 FROM clients WHERE clients.id = api_keys.client_id)")
    }

    fn keys(&mut self, which: &str) -> Result<Vec<OldKey>, ImportError> {
        let columns = [
            self.dialect.id(),
            self.dialect.integer("client_id"),
            self.text("api_keys", "key_hash"),
            self.text("api_keys", "name"),
            self.dialect.truth("is_active"),
            self.text("api_keys", "created_at"),
            self.text("api_keys", "updated_at"),
        ];
        self.load(format!(
            "SELECT {} FROM api_keys WHERE {which} ORDER BY id",
            columns.join(", ")
        ))
    }

    /// How many usage rows name each key; `None` is those that name none.
    pub(super) fn usage_counts(&mut self) -> Result<BTreeMap<Option<i64>, usize>, ImportError> {
        #[derive(QueryableByName)]
        struct Count {
            #[diesel(sql_type = Nullable<BigInt>)]
            api_key_id: Option<i64>,
            #[diesel(sql_type = BigInt)]
            usage_rows: i64,
        }
        let key = self.dialect.integer("api_key_id");
        let counts: Vec<Count> = self.load(format!(
            "SELECT {key}, count(*) AS usage_rows FROM api_usage GROUP BY 1"
        ))?;
        Ok(counts
            .into_iter()
            .map(|count| {
                let rows = usize::try_from(count.usage_rows).unwrap_or_default();
                (count.api_key_id, rows)
            })
            .collect())
    }

    /// The next usage rows behind this id, by id; none when that was the last.
    pub(super) fn usage(&mut self, after: i64) -> Result<Vec<OldUsage>, ImportError> {
        let columns = [
            self.dialect.id(),
            self.dialect.integer("api_key_id"),
            self.text("api_usage", "endpoint"),
            self.text("api_usage", "method"),
            self.dialect.integer("status_code"),
            self.dialect.number("cost"),
            self.dialect.is_no_number("cost"),
            self.text("api_usage", "timestamp"),
            self.tokens("prompt_tokens"),
            self.tokens("completion_tokens"),
        ];
        let page: Vec<OldUsage> = self.load(format!(
            "SELECT {} FROM api_usage WHERE id > {after} ORDER BY id LIMIT {PAGE}",
            columns.join(", ")
        ))?;
        self.check_order("api_usage", after, page.iter().map(|row| row.id))?;
        Ok(page)
    }

    /// What tells a PostgreSQL database and the tables in it from every other; `None` on SQLite.
    pub(super) fn identity(&mut self) -> Result<Option<String>, ImportError> {
        match &mut self.conn {
            AnyConnection::Sqlite(_) => Ok(None),
            AnyConnection::Postgres(pg) => match identity(pg) {
                Ok(identity) => Ok(Some(identity)),
                Err(error) => Err(self.failed(&error)),
            },
        }
    }

    pub(super) const fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    fn check_tables(&mut self) -> Result<(), ImportError> {
        if !self.columns_of(VERSIONS_TABLE)?.is_empty() {
            let url = self.url.to_string();
            return Err(ImportError::ThisVigint { url });
        }
        for (table, needed) in NEEDED {
            let found = self.columns_of(table)?;
            let missing = if found.is_empty() {
                Some(format!("table '{table}'"))
            } else {
                let column = needed.iter().find(|column| !found.contains(**column));
                column.map(|column| format!("column '{column}' in its table '{table}'"))
            };
            if let Some(missing) = missing {
                let url = self.url.to_string();
                return Err(ImportError::NotVigint { url, missing });
            }
            self.columns.insert(table, found);
        }
        Ok(())
    }

    /// Pages go by the id: with ids twice, or that are no numbers, rows would come twice, or for ever.
    fn check_order(
        &self,
        table: &str,
        after: i64,
        ids: impl Iterator<Item = i64>,
    ) -> Result<(), ImportError> {
        let mut before = after;
        for id in ids {
            if id <= before {
                return Err(ImportError::Source {
                    url: self.url.to_string(),
                    reason: format!("the ids in {table} are not whole numbers, each of one row"),
                });
            }
            before = id;
        }
        Ok(())
    }

    /// Empty when there is no such table.
    fn columns_of(&mut self, table: &str) -> Result<BTreeSet<String>, ImportError> {
        #[derive(QueryableByName)]
        struct Column {
            #[diesel(sql_type = Text)]
            name: String,
        }
        let columns: Vec<Column> = self.load(self.dialect.columns_of(table))?;
        Ok(columns.into_iter().map(|column| column.name).collect())
    }

    /// A text column, or nothing where an older schema has none.
    fn text(&self, table: &str, column: &str) -> String {
        if self.has(table, column) {
            self.dialect.text(column)
        } else {
            self.dialect.no_text(column)
        }
    }

    fn tokens(&self, column: &str) -> String {
        if self.has("api_usage", column) {
            self.dialect.integer(column)
        } else {
            self.dialect.no_integer(column)
        }
    }

    fn has(&self, table: &str, column: &str) -> bool {
        let columns = self.columns.get(table);
        columns.is_some_and(|columns| columns.contains(column))
    }

    fn load<Row>(&mut self, query: String) -> Result<Vec<Row>, ImportError>
    where
        for<'query> SqlQuery: LoadQuery<'query, AnyConnection, Row>,
    {
        let rows = diesel::sql_query(query).load(&mut self.conn);
        let rows = rows.map_err(|error| self.failed(&error))?;
        if let Some(file) = &self.file {
            file.check_unchanged()?;
        }
        Ok(rows)
    }

    fn failed(&self, error: &diesel::result::Error) -> ImportError {
        let reason = error.to_string();
        if reason == "database is locked" {
            let url = self.url.to_string();
            let reason = "another program is writing to it: stop the earlier Vigint".to_owned();
            return ImportError::Source { url, reason };
        }
        // SQLite's word for a journal that it would have to roll back first.
        let wants_to_write = reason.contains("readonly database");
        if let Some(file) = &self.file
            && wants_to_write
            && file.has_journal()
        {
            return ImportError::HotJournal(file.path().to_path_buf());
        }
        ImportError::Source {
            url: self.url.to_string(),
            reason: self.url.mask(&reason),
        }
    }
}
