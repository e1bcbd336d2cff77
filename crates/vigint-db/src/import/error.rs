//! Why an import stops. What concerns one row stops nothing: see [`super::Skipped`].

use std::path::PathBuf;

use vigint_core::ids::KeyId;

use crate::DbError;

/// Why an import stopped. No text of it holds a password.
///
/// What was brought in before stays, each client with its keys whole; the same import run again goes on where
/// this one stopped.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file of the earlier database is not there.
    #[error("there is no database of the earlier Vigint at {}", .0.display())]
    NoSource(PathBuf),
    /// The earlier database cannot be opened or read.
    #[error("cannot read the earlier Vigint's database {url}: {reason}")]
    Source {
        /// Which one, password masked.
        url: String,
        /// The driver's words, password masked.
        reason: String,
    },
    /// A table or column is missing that the earlier Vigint has.
    #[error("{url} is no database of the earlier Vigint: it has no {missing}")]
    NotVigint {
        /// Which one, password masked.
        url: String,
        /// `table 'clients'`, `column 'cost' in table 'api_usage'`.
        missing: String,
    },
    /// It is a database of this Vigint, not of the earlier one.
    #[error(
        "{url} is a database of this Vigint, not of the earlier one: there is nothing to import"
    )]
    ThisVigint {
        /// Which one, password masked.
        url: String,
    },
    /// Source and target are one database.
    #[error(
        "{url} is the very database that would be imported into: name another with DATABASE_URL or --config FILE"
    )]
    SameDatabase {
        /// Which one, password masked.
        url: String,
    },
    /// A write-ahead log lies beside the file without its index: SQLite would have to write there to read it.
    #[error(
        "{} has a write-ahead log (-wal) but not its index (-shm), and cannot be read whole without writing beside \
         it: copy both files to another folder, run `sqlite3 COPY 'PRAGMA wal_checkpoint(TRUNCATE)'` there, and \
         import the copy", .0.display()
    )]
    LogWithoutIndex(PathBuf),
    /// The earlier Vigint was cut short in the middle of a write, which has to be taken back first.
    #[error(
        "{} was left in the middle of a write (its -journal lies beside it), which only a program that may write \
         can take back: copy both files to another folder, run `sqlite3 COPY 'PRAGMA integrity_check'` there, and \
         import the copy", .0.display()
    )]
    HotJournal(PathBuf),
    /// Somebody wrote to the file while it was read without locks.
    #[error("{} was written to while it was read: stop the earlier Vigint, and import again", .0.display())]
    SourceChanged(PathBuf),
    /// Another import is bringing in the same usage, or the key was deleted meanwhile.
    #[error(
        "another import is at work on key {0}, or the key was deleted meanwhile: wait for the other to end, and \
         import again"
    )]
    Overtaken(KeyId),
    /// Our own database.
    #[error(transparent)]
    Target(#[from] DbError),
}

impl From<diesel::result::Error> for ImportError {
    /// An error of our own database: those of the source are told apart where they come up.
    fn from(error: diesel::result::Error) -> Self {
        Self::Target(DbError::from(error))
    }
}
