//! Connections that only read, one for each thread that asks often.
//!
//! The pool hands a connection to whoever waits, which takes two locks and three looks at the clock: more than a look-up
//! by index takes on SQLite. Here each thread comes back to the connection it had before.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use diesel::r2d2::R2D2Connection as _;

use crate::pool::Connector;
use crate::{AnyConnection, DatabaseUrl, DbError};

/// As many connections as threads ask; with more threads some share one. Every call blocks.
pub struct Readers {
    connector: Connector,
    connections: Vec<Mutex<Option<AnyConnection>>>,
}

/// Numbers the threads that ask.
static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static NUMBER: usize = THREADS.fetch_add(1, Ordering::Relaxed);
}

impl Readers {
    /// Opens `count` connections, at least one, to a database that is there.
    ///
    /// # Errors
    /// [`DbError::Unreachable`].
    pub fn open(url: &DatabaseUrl, count: usize) -> Result<Self, DbError> {
        let connector = Connector::new(url.clone());
        let connections = (0..count.max(1))
            .map(|_| Ok(Mutex::new(Some(connector.connect_once()?))))
            .collect::<Result<_, DbError>>()?;
        Ok(Self {
            connector,
            connections,
        })
    }

    /// Runs queries that need no transaction: each sees what is committed when it runs.
    ///
    /// # Errors
    /// What `work` returns; [`DbError::Unreachable`] when a broken connection cannot be made anew.
    pub fn read<T, E: From<DbError>>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut slot = self.slot().ok_or(DbError::Busy)?;
        // Out of its place meanwhile: one that `work` panics with is not used again.
        let mut conn = match slot.take() {
            Some(conn) => conn,
            None => self.connector.connect_once()?,
        };
        let outcome = work(&mut conn);
        if !conn.is_broken() {
            *slot = Some(conn);
        }
        outcome
    }

    /// The thread's own connection, or another that is free, or its own once that is.
    fn slot(&self) -> Option<MutexGuard<'_, Option<AnyConnection>>> {
        let number = NUMBER.with(|number| *number) % self.connections.len().max(1);
        let (before, own) = self.connections.split_at_checked(number)?;
        let free = own
            .iter()
            .chain(before)
            .find_map(|slot| slot.try_lock().ok());
        free.or_else(|| {
            let slot = own.first()?.lock();
            Some(slot.unwrap_or_else(PoisonError::into_inner))
        })
    }
}

/// Without the connections, which say nothing.
impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Readers({}, {:?})",
            self.connections.len(),
            self.connector
        )
    }
}
