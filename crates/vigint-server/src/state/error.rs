//! Why a server does not start: each error names the setting, and what to mend.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use vigint_core::link::SecretTooShort;
use vigint_db::DbError;

use super::tls::TlsError;

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The database.
    #[error("[Database] database_url: {0}")]
    Database(#[from] DbError),
    /// The database's address.
    #[error("[Database] database_url: {0}")]
    DatabaseUrl(#[from] vigint_db::InvalidUrl),
    /// A folder or file that cannot be used.
    #[error("{what} {}: {error}", path.display())]
    File {
        /// What it is for.
        what: &'static str,
        /// Where it is.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The folder of clips is not this database's.
    #[error(transparent)]
    ClipsFolder(#[from] crate::clips::FolderError),
    /// The signing secret.
    #[error("[API] secret_key: {0}")]
    Secret(#[from] SecretTooShort),
    /// Where the models are.
    #[error(transparent)]
    ModelAddress(#[from] crate::analysis::model::AddressError),
    /// What calls models.
    #[error("{0}")]
    Model(#[from] crate::analysis::model::ModelError),
    /// The certificate or its key.
    #[error("{0}")]
    Tls(#[from] TlsError),
    /// The hosting service.
    #[error(transparent)]
    Hosting(#[from] crate::hosting::SetupError),
    /// The mail server's certificates.
    #[error(transparent)]
    Mail(#[from] crate::alerts::SmtpSetupError),
    /// The listener for `/metrics`.
    #[error("[API] metrics_listen: cannot listen on {address}: {error}")]
    MetricsListen {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// The system gave no thread.
    #[error("the motion gate could not be started: {0}")]
    Gate(io::Error),
}

impl BuildError {
    /// What a folder or file that cannot be used turns into.
    pub(super) fn file(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::File { what, path, error }
    }
}
