//! Why there is no export.

use std::io;
use std::path::PathBuf;

use vigint_core::ids::ClientId;
use vigint_db::DbError;
use vigint_db::admin::AdminError;

/// Why an export cannot be written where it should be: nothing was done.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the texts say it")]
pub enum TargetError {
    #[error(
        "--to -: a zip file cannot be written to a pipe, its writer has to go back in it: name a file, as in --to \
         client.zip"
    )]
    Pipe,
    #[error("{} is there already: name another file, or give --force to replace it", .0.display())]
    Exists(PathBuf),
    #[error("{} is no file: name one, as in --to client.zip", .0.display())]
    NoFile(PathBuf),
    #[error("there is no folder {}: make it, or name a file in another", .0.display())]
    NoFolder(PathBuf),
    #[error(
        "{} is there: another export is writing it, or one was killed while it did. If none is at work, remove it: it \
         holds a client's pictures", .0.display()
    )]
    Unfinished(PathBuf),
}

/// Why an export was not made.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// It cannot be written there.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// No such client, or the export could not be noted in the audit log.
    #[error("no export is made without a line in the audit log: {0}")]
    NotNoted(AdminError),
    /// No such client.
    #[error("there is no client {0}")]
    NoClient(ClientId),
    /// The client was erased while the export was made.
    #[error("client {0} was erased while its export was made: the export was removed, too")]
    Erased(ClientId),
    /// The rows cannot be read.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The folder of mails cannot be read.
    #[error("[Email] outbox_directory: {0}")]
    Mails(io::Error),
    /// The file cannot be written: the disk may be full.
    #[error("{} cannot be written, nothing of it is left: {source}", path.display())]
    NotWritten {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody said stop.
    #[error("stopped: no export was made, and nothing of it is left")]
    Stopped,
}

impl From<AdminError> for ExportError {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::NoClient(id) => Self::NoClient(id),
            error => Self::NotNoted(error),
        }
    }
}
