//! Asking again and again which keys are still accepted: cheap when nothing was written, and on a connection of its
//! own, so that it never waits for the pool's.

use std::fmt;

use diesel::QueryableByName;
use diesel::RunQueryDsl as _;
use diesel::sql_types::BigInt;
use vigint_core::clock::UtcTime;
use vigint_core::ids::ClientId;

use crate::auth::{AcceptedKey, accepted_keys};
use crate::pool::Connector;
use crate::{AnyConnection, DatabaseUrl, DbError, Operator};

/// The connection, and what it saw last. Every call blocks.
pub struct KeyWatch {
    connector: Connector,
    kept: Option<Kept>,
}

struct Kept {
    conn: AnyConnection,
    /// What SQLite calls the state of the database that was looked at last.
    version: Option<i64>,
}

impl KeyWatch {
    /// Connects to a database that is there.
    ///
    /// # Errors
    /// [`DbError::Unreachable`].
    pub fn open(url: &DatabaseUrl) -> Result<Self, DbError> {
        let mut watch = Self {
            connector: Connector::new(url.clone()),
            kept: None,
        };
        watch.on_connection(|_| Ok(()))?;
        Ok(watch)
    }

    /// Whether anything may have been committed since the last call, by whichever program. SQLite knows without
    /// reading a table; PostgreSQL does not, and the answer is always yes.
    ///
    /// # Errors
    /// When the database fails.
    pub fn has_news(&mut self) -> Result<bool, DbError> {
        self.on_connection(|kept| {
            let AnyConnection::Sqlite(sqlite) = &mut kept.conn else {
                return Ok(true);
            };
            let now: DataVersion = diesel::sql_query("PRAGMA data_version").get_result(sqlite)?;
            Ok(kept.version.replace(now.data_version) != Some(now.data_version))
        })
    }

    /// Of these clients every key that is accepted at `now`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn accepted_keys(
        &mut self,
        operator: &Operator,
        of: &[ClientId],
        now: UtcTime,
    ) -> Result<Vec<AcceptedKey>, DbError> {
        self.on_connection(|kept| accepted_keys(&mut kept.conn, operator, of, now))
    }

    /// A connection on which anything failed is not used again: the next call makes a new one.
    fn on_connection<T>(
        &mut self,
        work: impl FnOnce(&mut Kept) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        let mut kept = match self.kept.take() {
            Some(kept) => kept,
            None => Kept {
                conn: self.connector.connect_once()?,
                version: None,
            },
        };
        let answer = work(&mut kept)?;
        self.kept = Some(kept);
        Ok(answer)
    }
}

#[derive(QueryableByName)]
struct DataVersion {
    #[diesel(sql_type = BigInt)]
    data_version: i64,
}

/// Without the connection, which says nothing.
impl fmt::Debug for KeyWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyWatch({:?})", self.connector)
    }
}
