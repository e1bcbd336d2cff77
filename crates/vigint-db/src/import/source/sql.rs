//! The earlier database's columns in the words of each backend: read as one type whatever they hold.

use diesel::sql_types::Text;
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl};

use crate::Backend;

/// Whose words. Each function gives an item of a `SELECT`, named as its column.
#[derive(Clone, Copy)]
pub(super) struct Dialect(pub(super) Backend);

impl Dialect {
    pub(super) fn id(self) -> String {
        match self.0 {
            Backend::Sqlite => r#"CAST("id" AS INTEGER) AS "id""#.to_owned(),
            Backend::Postgres => r#""id"::bigint AS "id""#.to_owned(),
        }
    }

    /// The bytes of a text, which SQLite does not hold to be UTF-8.
    pub(super) fn text(self, column: &str) -> String {
        match self.0 {
            Backend::Sqlite => format!(r#"CAST("{column}" AS BLOB) AS "{column}""#),
            Backend::Postgres => format!(r#"convert_to("{column}"::text, 'UTF8') AS "{column}""#),
        }
    }

    pub(super) fn no_text(self, column: &str) -> String {
        let kind = match self.0 {
            Backend::Sqlite => "BLOB",
            Backend::Postgres => "BYTEA",
        };
        format!(r#"CAST(NULL AS {kind}) AS "{column}""#)
    }

    /// Nothing where it is no number.
    pub(super) fn integer(self, column: &str) -> String {
        match self.0 {
            Backend::Sqlite => format!(
                r#"CASE WHEN typeof("{column}") IN ('integer', 'real') THEN CAST("{column}" AS INTEGER) END
                   AS "{column}""#
            ),
            Backend::Postgres => format!(r#""{column}"::bigint AS "{column}""#),
        }
    }

    pub(super) fn no_integer(self, column: &str) -> String {
        format!(r#"CAST(NULL AS BIGINT) AS "{column}""#)
    }

    /// Nothing where it is no number: see [`Self::is_no_number`].
    pub(super) fn number(self, column: &str) -> String {
        match self.0 {
            Backend::Sqlite => format!(
                r#"CASE WHEN typeof("{column}") IN ('integer', 'real') THEN CAST("{column}" AS REAL) END
                   AS "{column}""#
            ),
            Backend::Postgres => format!(r#""{column}"::double precision AS "{column}""#),
        }
    }

    /// Whether something stands there that is no number: SQLite keeps any text in any column.
    pub(super) fn is_no_number(self, column: &str) -> String {
        let test = match self.0 {
            Backend::Sqlite => format!(r#"typeof("{column}") IN ('text', 'blob')"#),
            Backend::Postgres => "FALSE".to_owned(),
        };
        format!(r#"{test} AS "{column}_is_no_number""#)
    }

    /// Nothing is false.
    pub(super) fn truth(self, column: &str) -> String {
        format!(
            r#"COALESCE(CAST("{column}" AS TEXT) IN ('1', 'true', 'True', 't'), FALSE) AS "{column}""#
        )
    }

    /// A query for the names of a table's columns.
    pub(super) fn columns_of(self, table: &str) -> String {
        match self.0 {
            Backend::Sqlite => format!("SELECT name FROM pragma_table_info('{table}')"),
            Backend::Postgres => format!(
                "SELECT attname::text AS name FROM pg_attribute
                 WHERE attrelid = to_regclass('{table}') AND attnum > 0 AND NOT attisdropped"
            ),
        }
    }
}

/// The server by the moment it started, the database in it, and its table of clients: a URL may be written in
/// many ways.
pub(in crate::import) fn identity(pg: &mut PgConnection) -> QueryResult<String> {
    #[derive(QueryableByName)]
    struct Identity {
        #[diesel(sql_type = Text)]
        identity: String,
    }
    let found: Identity = diesel::sql_query(
        "SELECT concat_ws('/', extract(epoch FROM pg_postmaster_start_time()), d.oid,
                          to_regclass('clients')::oid) AS identity
         FROM pg_database d WHERE d.datname = current_database()",
    )
    .get_result(pg)?;
    Ok(found.identity)
}
