//! Queries off the async threads. Callers pass closures over [`vigint_db`].

use std::sync::Arc;

use vigint_core::clock::UtcTime;
use vigint_core::key::KeyHash;
use vigint_db::auth::Caller;
use vigint_db::{AnyConnection, Backend, Db, DbError, Readers};

/// The database as async code uses it: each call runs on a blocking thread.
#[derive(Clone)]
pub struct Database {
    db: Db,
    /// On SQLite: connections for looking keys up, one for each thread that answers requests.
    lookups: Option<Arc<Readers>>,
}

impl Database {
    /// Wraps an open database for a server whose requests are answered by `workers` threads.
    ///
    /// # Errors
    /// When the connections for looking keys up cannot be opened.
    pub fn new(db: Db, workers: usize) -> Result<Self, DbError> {
        let lookups = match db.backend() {
            Backend::Sqlite => Some(Arc::new(Readers::open(db.url(), workers)?)),
            Backend::Postgres => None,
        };
        Ok(Self { db, lookups })
    }

    /// Runs queries that change nothing.
    ///
    /// # Errors
    /// What `query` returns, or [`DbError`] when no connection could be had in time.
    pub async fn read<T, E, F>(&self, query: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: FnOnce(&mut AnyConnection) -> Result<T, E> + Send + 'static,
    {
        let db = self.db.clone();
        run_blocking(move || db.read(query)).await
    }

    /// Runs `change` in one transaction: all of it happens or, on an error or a panic, none.
    ///
    /// # Errors
    /// What `change` returns, or [`DbError`] when the transaction could not begin or commit.
    pub async fn write<T, E, F>(&self, change: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: FnOnce(&mut AnyConnection) -> Result<T, E> + Send + 'static,
    {
        let db = self.db.clone();
        run_blocking(move || db.write(change)).await
    }

    /// The caller behind a key: every request asks this.
    ///
    /// # Errors
    /// When the database cannot be asked: nobody is let in then.
    pub async fn authenticate(
        &self,
        hash: KeyHash,
        now: UtcTime,
    ) -> Result<Option<Caller>, DbError> {
        match &self.lookups {
            // A read of SQLite's memory takes less than handing it to another thread: 16 µs. It waits for
            // nobody: readers do not wait for writers (WAL), and each thread has its connection.
            Some(lookups) => lookups.read(|conn| vigint_db::auth::authenticate(conn, hash, now)),
            None => {
                self.read(move |conn| vigint_db::auth::authenticate(conn, hash, now))
                    .await
            }
        }
    }

    /// Empties SQLite's write-ahead log into the database file; does nothing on PostgreSQL.
    ///
    /// # Errors
    /// [`DbError::Busy`] when readers were in the way: nothing is lost, call again later.
    pub async fn truncate_wal(&self) -> Result<(), DbError> {
        let db = self.db.clone();
        run_blocking(move || db.truncate_wal()).await
    }
}

/// A query that panics is a bug: the panic goes on in the task that asked, and hurts only it.
async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(failure) => std::panic::resume_unwind(failure.into_panic()),
    }
}
