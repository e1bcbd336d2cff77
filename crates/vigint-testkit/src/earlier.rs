//! A database of the earlier Python Vigint, for tests that cannot write SQL: one shop with a live key and a dead
//! one and a use of 0.1 + 0.2 euros, a client without an address, and payment details.
//!
//! `vigint-db` tests that the file and the SQL say the same.

use std::path::{Path, PathBuf};

use crate::postgres::{self, TestDatabase};

/// The key that works.
pub const KEY: &str = "a-key-of-the-earlier-vigint";

/// What makes it, on SQLite and on PostgreSQL.
pub const SQL: &str = include_str!("earlier/shop.sql");

const SQLITE: &[u8] = include_bytes!("earlier/shop.sqlite3");

/// Puts it into a folder, as a file of SQLite.
///
/// # Panics
/// When the file cannot be written.
#[must_use]
pub fn sqlite(folder: &Path) -> PathBuf {
    let file = folder.join("earlier.db");
    std::fs::write(&file, SQLITE).expect("a test's folder can be written to");
    file
}

/// Makes it on PostgreSQL; `None` as for [`postgres::database`].
///
/// # Panics
/// When PostgreSQL does not take it.
#[must_use]
pub fn postgres() -> Option<TestDatabase> {
    let database = postgres::database()?;
    database.run(SQL).expect("the SQL is right");
    Some(database)
}
