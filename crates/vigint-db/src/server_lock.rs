//! One server on one SQLite database: a lock on a file beside it.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::{Db, DbError};

/// Held by the server while it lives. On PostgreSQL it holds nothing: several servers may share one.
#[derive(Debug)]
pub struct ServerLock {
    /// Closing the file gives the lock back, also when the process is killed.
    _file: Option<File>,
}

impl Db {
    /// Takes this database for one server; the lock lasts while the value lives.
    ///
    /// # Errors
    /// [`DbError::ServerRuns`] when another server has it, [`DbError::File`].
    pub fn lock_for_server(&self) -> Result<ServerLock, DbError> {
        let Some(database) = self.url().sqlite_path() else {
            return Ok(ServerLock { _file: None });
        };
        let path = lock_path(database);
        let file = open(&path)?;
        let failed = |source| DbError::File {
            path: path.clone(),
            source,
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(source)) => return Err(failed(source)),
            Err(TryLockError::WouldBlock) => {
                // A program that only asks (`server_is_running`) holds a shared lock for a moment; a server
                // holds it alone. Who can share it waits for no server.
                file.try_lock_shared().map_err(|error| match error {
                    TryLockError::WouldBlock => DbError::ServerRuns { path: path.clone() },
                    TryLockError::Error(source) => failed(source),
                })?;
                file.lock().map_err(failed)?;
            }
        }
        Ok(ServerLock { _file: Some(file) })
    }

    /// Whether a server runs on this database; `None` on PostgreSQL, where it cannot be known from here.
    ///
    /// # Errors
    /// [`DbError::File`].
    pub fn server_is_running(&self) -> Result<Option<bool>, DbError> {
        let Some(database) = self.url().sqlite_path() else {
            return Ok(None);
        };
        let path = lock_path(database);
        match open(&path)?.try_lock_shared() {
            Ok(()) => Ok(Some(false)),
            Err(TryLockError::WouldBlock) => Ok(Some(true)),
            Err(TryLockError::Error(source)) => Err(DbError::File { path, source }),
        }
    }
}

/// `<database>.lock`, beside the file that the path leads to, so that two names of it are one lock.
fn lock_path(database: &Path) -> PathBuf {
    let real = database
        .canonicalize()
        .unwrap_or_else(|_| database.to_path_buf());
    let mut name: OsString = real.into();
    name.push(".lock");
    name.into()
}

fn open(path: &Path) -> Result<File, DbError> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|source| DbError::File {
            path: path.to_path_buf(),
            source,
        })
}
