//! Everything that is kept about one client, row by row: for whoever asks what we hold on them.
//!
//! Every table is in [`TABLES`] or in [`TABLES_LEFT_OUT`], and every column of theirs is given or left out with a
//! reason: `tests/it/export.rs` compares both with the databases' own catalogues, so that nothing new is forgotten.

mod tables;
mod usage;
mod value;

pub use self::tables::TABLES;
pub use self::value::Value;
use crate::stored::Moment;
use crate::{AnyConnection, DbError, Tenant};

/// How many rows are read at a time.
const PAGE: i64 = 1000;

/// Tables of which nothing is given, and why.
pub const TABLES_LEFT_OUT: &[(&str, &str)] = &[
    (
        crate::migrations::VERSIONS_TABLE,
        "the versions of the schema concern no client",
    ),
    (
        "clips_folder",
        "which folder holds everybody's clips concerns no client",
    ),
    (
        "erasures",
        "whose files are still to be erased: a client that is there has none",
    ),
];

/// One row: its values stand in the order of [`Table::columns`].
pub type Row = Vec<Value>;

/// A table that holds rows of clients.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The columns that are given.
    pub columns: &'static [&'static str],
    /// The columns that are not, and why.
    pub left_out: &'static [(&'static str, &'static str)],
    page: ReadPage,
}

type ReadPage = fn(&mut AnyConnection, &Tenant, &Place) -> Result<(Vec<Row>, Place), DbError>;

/// How far a table has been read.
#[derive(Clone, Debug)]
enum Place {
    Start,
    /// Behind the row with this number.
    Number(i64),
    /// Behind the row with this text.
    Text(String),
    /// Behind this use of this key; none: at the key's first.
    Use(i64, Option<(Moment, i64)>),
    End,
}

impl Table {
    /// Reads the client's rows, page by page. Call it for all tables in one snapshot ([`crate::Db::snapshot`]): then
    /// they belong together.
    #[must_use]
    pub const fn of<'a>(&'a self, tenant: &'a Tenant) -> Reading<'a> {
        Reading {
            table: self,
            tenant,
            place: Place::Start,
        }
    }
}

/// A table on its way to be read: see [`Table::of`].
#[derive(Debug)]
pub struct Reading<'a> {
    table: &'a Table,
    tenant: &'a Tenant,
    place: Place,
}

impl Reading<'_> {
    /// The next rows, at most a thousand, in an order of the table's own; none when all were given.
    ///
    /// # Errors
    /// When the database fails.
    pub fn next_page(&mut self, conn: &mut AnyConnection) -> Result<Option<Vec<Row>>, DbError> {
        if matches!(self.place, Place::End) {
            return Ok(None);
        }
        let (rows, place) = (self.table.page)(conn, self.tenant, &self.place)?;
        self.place = place;
        Ok(Some(rows))
    }
}
