//! `[Database]`: where the rows are.

use std::fmt;
use std::ops::Deref;

use super::definition::section;
use super::masking::without_passwords;
use super::parse::number;

section! {
    /// Where clients, keys, usage and incidents are kept.
    Database in "Database" {
        /// sqlite:///x is a file from the working directory, sqlite:////x one from the root;
        /// or postgresql://user:password@host:5432/name.
        @masked database_url: DatabaseAddress = "sqlite:///vigint-data/vigint.db", env DATABASE_URL => database_url;
        /// Connections held open, 1 to 200.
        pool_size: u32 = "10" => number(1..=200);
    }
}

/// Where the database is. There may be a password in it: `Debug` strikes that out.
#[derive(Clone)]
pub struct DatabaseAddress(String);

impl Deref for DatabaseAddress {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DatabaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_passwords(&self.0))
    }
}

/// Only the scheme and that something follows: vigint-db reads the rest.
fn database_url(text: &str) -> Result<DatabaseAddress, String> {
    let known = ["sqlite:///", "postgresql://", "postgres://"];
    if known.iter().any(|scheme| {
        text.strip_prefix(scheme)
            .is_some_and(|rest| !rest.is_empty())
    }) {
        Ok(DatabaseAddress(text.to_owned()))
    } else {
        Err("must be sqlite:///relative/path, sqlite:////absolute/path or postgresql://user:password@host/name".to_owned())
    }
}
