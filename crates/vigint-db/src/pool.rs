//! The pool of connections: opening the database, reading, writing.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::r2d2::R2D2Connection;
use diesel::{Connection, ConnectionError, PgConnection, RunQueryDsl, SqliteConnection};

use crate::connection::{in_snapshot, in_transaction};
use crate::{AnyConnection, Backend, DatabaseUrl, DbError};

/// How long a caller waits for a connection.
const POOL_TIMEOUT: Duration = Duration::from_secs(5);

/// WAL with `synchronous=FULL`: what was committed survives a power cut. `secure_delete`: what was deleted
/// is overwritten, not only unlinked.
const SQLITE_SETTINGS: &str = "
    PRAGMA busy_timeout = 5000;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA secure_delete = ON;";

const POSTGRES_SETTINGS: &str = "
    SET statement_timeout = '10s';
    SET idle_in_transaction_session_timeout = '60s';
    SET TIME ZONE 'UTC';";

/// An open database. Clones share one pool. Every call blocks.
#[derive(Clone, Debug)]
pub struct Db {
    pool: r2d2::Pool<Connector>,
    url: DatabaseUrl,
}

impl Db {
    /// Opens the database and connects once, so that a wrong address is said at once, in the driver's words.
    /// On SQLite makes the file (0600) and its folder (0700) when they are missing. Sets up no tables: see
    /// [`Db::migrate`] and [`Db::ensure_schema`].
    ///
    /// `pool_size`: the most connections at a time, at least 1.
    ///
    /// # Errors
    /// [`DbError::Unreachable`], [`DbError::File`].
    pub fn open(url: &DatabaseUrl, pool_size: u32) -> Result<Self, DbError> {
        if let Some(path) = url.sqlite_path() {
            create_privately(path)?;
        }
        let connector = Connector::new(url.clone());
        // The pool would try again and again until its time limit, and hide the reason until then.
        drop(connector.connect_once()?);
        let pool = r2d2::Pool::builder()
            .max_size(pool_size.max(1))
            .min_idle(Some(1))
            .connection_timeout(POOL_TIMEOUT)
            .test_on_check_out(false)
            .error_handler(Box::new(LogConnectErrors))
            .build_unchecked(connector);
        Ok(Self {
            pool,
            url: url.clone(),
        })
    }

    /// Runs queries that need no transaction: each sees what is committed when it runs.
    ///
    /// # Errors
    /// What `work` returns; [`DbError::Busy`] or [`DbError::Unreachable`] when no connection is to be had.
    pub fn read<T, E: From<DbError>>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        work(&mut *self.connection()?)
    }

    /// Runs `work` in one transaction: kept when it returns `Ok`, rolled back when it returns `Err` or panics.
    /// On SQLite one writer at a time is let in; PostgreSQL lets in several, each at READ COMMITTED.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub fn write<T, E: From<DbError>>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        in_transaction(&mut *self.connection()?, work)
    }

    /// Runs queries that belong together: all see what was committed when the first one began. Do not dwell in it: until
    /// it ends SQLite's write-ahead log only grows, and after a minute without a query PostgreSQL ends it.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub fn snapshot<T, E: From<DbError>>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        in_snapshot(&mut *self.connection()?, work)
    }

    /// Which database this is.
    #[must_use]
    pub const fn backend(&self) -> Backend {
        self.url.backend()
    }

    /// Where it is. Shown without the password.
    #[must_use]
    pub const fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Empties SQLite's write-ahead log into the database file, so that what was deleted is in neither of
    /// them. Does nothing on PostgreSQL.
    ///
    /// # Errors
    /// [`DbError::Busy`] when readers were in the way: nothing is lost, call again later.
    pub fn truncate_wal(&self) -> Result<(), DbError> {
        #[derive(diesel::QueryableByName)]
        struct Checkpoint {
            #[diesel(sql_type = diesel::sql_types::Integer)]
            busy: i32,
        }
        self.read(|conn| match conn {
            AnyConnection::Postgres(_) => Ok(()),
            AnyConnection::Sqlite(sqlite) => {
                let done: Checkpoint =
                    diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result(sqlite)?;
                if done.busy == 0 {
                    Ok(())
                } else {
                    Err(DbError::Busy)
                }
            }
        })
    }

    fn connection(&self) -> Result<r2d2::PooledConnection<Connector>, DbError> {
        self.pool.get().map_err(|error| {
            // r2d2 tells a full pool from a database that cannot be reached only by its text.
            match error.to_string().split_once(": ") {
                Some((_, reason)) => unreachable(&self.url, reason.to_owned()),
                None => DbError::Busy,
            }
        })
    }
}

fn unreachable(url: &DatabaseUrl, reason: String) -> DbError {
    DbError::Unreachable {
        url: url.to_string(),
        reason,
    }
}

/// Makes connections for the pool.
///
/// Not diesel's own `ConnectionManager`: on a connection of several kinds that one hides why connecting failed.
#[derive(Debug)]
pub(crate) struct Connector {
    url: DatabaseUrl,
}

/// Why a connection could not be made: the driver's words, the password masked.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ConnectError(String);

impl Connector {
    pub(crate) fn new(url: DatabaseUrl) -> Self {
        Self { url }
    }

    /// A connection, or at once the reason why there is none.
    pub(crate) fn connect_once(&self) -> Result<AnyConnection, DbError> {
        self.establish()
            .map_err(|error| unreachable(&self.url, error.to_string()))
    }

    fn establish(&self) -> Result<AnyConnection, ConnectError> {
        let conn = match self.url.sqlite_path() {
            Some(path) => sqlite(path).map(AnyConnection::Sqlite),
            None => postgres(self.url.postgres().unwrap_or_default()).map(AnyConnection::Postgres),
        };
        conn.map_err(|error| ConnectError(self.url.mask(error.to_string().trim())))
    }
}

fn sqlite(path: &Path) -> Result<SqliteConnection, ConnectionError> {
    let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
    conn.batch_execute(SQLITE_SETTINGS)
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

fn postgres(url: &str) -> Result<PgConnection, ConnectionError> {
    let mut conn = PgConnection::establish(url)?;
    conn.batch_execute(POSTGRES_SETTINGS)
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

impl r2d2::ManageConnection for Connector {
    type Connection = AnyConnection;
    type Error = ConnectError;

    fn connect(&self) -> Result<AnyConnection, ConnectError> {
        self.establish()
    }

    fn is_valid(&self, conn: &mut AnyConnection) -> Result<(), ConnectError> {
        conn.ping().map_err(|error| ConnectError(error.to_string()))
    }

    /// Asked when a connection comes back: one whose server went away, or that hangs in a transaction that
    /// could not be ended, is not used again.
    fn has_broken(&self, conn: &mut AnyConnection) -> bool {
        conn.is_broken()
    }
}

#[derive(Debug)]
struct LogConnectErrors;

impl r2d2::HandleError<ConnectError> for LogConnectErrors {
    fn handle_error(&self, error: ConnectError) {
        tracing::warn!(%error, "connecting to the database failed");
    }
}

/// Makes the file of a SQLite database, and its folder, for nobody else to read. SQLite gives the files it
/// puts beside it (`-wal`, `-shm`) the same mode. A file that is there is left as it is, and not even opened:
/// closing it again would drop the locks that SQLite holds on it in this process.
fn create_privately(path: &Path) -> Result<(), DbError> {
    let failed = |at: &Path| {
        let path = at.to_path_buf();
        move |source| DbError::File { path, source }
    };
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(failed(folder))?;
    }
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(path)(error)),
    }
}
