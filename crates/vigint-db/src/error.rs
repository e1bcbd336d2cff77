//! What can go wrong with the database.

use std::path::PathBuf;

use diesel::result::DatabaseErrorKind;
use vigint_core::incident::ForbiddenTransition;

/// Why a query or a connection failed. No text of it holds a password.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The database cannot be reached, now or any more.
    #[error("cannot use the database {url}: {reason}")]
    Unreachable {
        /// Which one, password masked.
        url: String,
        /// The driver's words, password masked.
        reason: String,
    },
    /// Every connection was taken, or another program held the database, for too long.
    #[error("the database is busy: try again in a moment")]
    Busy,
    /// A file or folder of the database.
    #[error("cannot use {path}: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A second row where only one may be.
    #[error("another row has this {0}")]
    Duplicate(&'static str),
    /// Another server holds this SQLite database.
    #[error(
        "another vigint-server already runs on this database (it holds {path}): \
         stop it first, or use PostgreSQL to run several"
    )]
    ServerRuns {
        /// The lock file.
        path: PathBuf,
    },
    /// The schema is newer than this program.
    #[error(
        "the database has schema {found}, this program knows only up to {known}: \
         use a program as new as the server that upgraded it"
    )]
    SchemaTooNew {
        /// The newest version applied to the database.
        found: String,
        /// The newest version this program has.
        known: String,
    },
    /// The schema is older than this program, which is not the one to upgrade it.
    #[error(
        "the database has schema {found}, this program needs {known}: \
         start the new vigint-server once (or run `vigint-server migrate`) to upgrade it"
    )]
    SchemaTooOld {
        /// The newest version applied to the database.
        found: String,
        /// The version this program needs.
        known: String,
    },
    /// The database holds tables, but not Vigint's.
    #[error(
        "the database already has a table '{table}' that this Vigint did not make: give an empty database, \
         and bring the data of an earlier Vigint over with `vigint-admin import`"
    )]
    NotOurs {
        /// The table in the way.
        table: &'static str,
    },
    /// A migration failed; nothing of it was kept.
    #[error("the database could not be set up or upgraded (nothing was changed): {0}")]
    Migration(String),
    /// A stored text that means nothing to this program.
    #[error(
        "the database holds '{found}' in {table}.{column}, which this program does not know: \
         was it written by a newer one?"
    )]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The text, cut to 40 characters.
        found: String,
    },
    /// Another client has this e-mail address, in whatever case.
    #[error("a client with the e-mail address {email} already exists")]
    EmailTaken {
        /// The address asked for.
        email: String,
    },
    /// The source already has an open incident: extend that one.
    #[error("source '{source_id}' already has an open incident")]
    IncidentOpen {
        /// The source.
        source_id: String,
    },
    /// The client, key or incident that the row belongs to is not there (any more), or is another client's.
    #[error("what this belongs to no longer exists")]
    Gone,
    /// A cursor that none of our pages gave.
    #[error("the cursor is not one that a page of this list gave")]
    BadCursor,
    /// A step that the state does not allow.
    #[error(transparent)]
    Forbidden(#[from] ForbiddenTransition),
    /// Anything else the database said.
    #[error("the database said: {0}")]
    Query(diesel::result::Error),
}

impl From<diesel::result::Error> for DbError {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::Error::DatabaseError;
        match &error {
            DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => Self::Gone,
            // SQLite's words for a lock that outlasted `busy_timeout`; diesel has no kind for it.
            DatabaseError(_, info) if info.message() == "database is locked" => Self::Busy,
            _ => Self::Query(error),
        }
    }
}

impl DbError {
    /// Whether this is the refusal of a second row where only one may be.
    pub(crate) fn is_duplicate(&self) -> bool {
        matches!(
            self,
            Self::Query(diesel::result::Error::DatabaseError(
                DatabaseErrorKind::UniqueViolation,
                _
            ))
        )
    }
}
