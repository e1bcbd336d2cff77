//! How a command fails, and with which exit code.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use vigint_config::ConfigError;
use vigint_core::client::InvalidDetails;
use vigint_core::ids::{ClientId, KeyId};
use vigint_db::{DbError, InvalidUrl};

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Config(#[from] ConfigError),
    #[error("[Database] database_url: {0}")]
    DatabaseUrl(#[from] InvalidUrl),
    #[error(
        "there is no database at {}: work in the server's folder, or name the right one with --config FILE \
         or DATABASE_URL",
        .0.display()
    )]
    NoDatabase(PathBuf),
    #[error("{0}")]
    Details(#[from] InvalidDetails),
    #[error("{0}")]
    Usage(&'static str),
    #[error("there is no client {0}")]
    NoClient(ClientId),
    #[error("there is no key {0}")]
    NoKey(KeyId),
    #[error("client {client} has no key {key}")]
    KeyOfAnother { client: ClientId, key: KeyId },
    #[error("key {0} was revoked by its own number, which is for good: make a new key instead")]
    KeyIsDead(KeyId),
    #[error("a client with the e-mail address {0} is there already")]
    EmailTaken(String),
    #[error("nothing was changed")]
    Declined,
    #[error("{0}")]
    Database(#[from] DbError),
    #[error("the terminal could not be asked: {0}")]
    Terminal(io::Error),
    /// Everything else was done by then.
    #[error("done, but the answer could not be written to standard output: {0}")]
    Unanswered(#[from] io::Error),
    /// Only its hash was kept: nobody will ever see this key.
    #[error(
        "client {client} was made, but its key was not shown, and it cannot be shown again: {cause}. \
         Run `vigint-admin delete --client-id {client} --yes`, and create it again where standard output \
         can be written"
    )]
    KeyNotShown { client: ClientId, cause: io::Error },
}

impl Failure {
    /// Whether whoever reads has simply had enough, as `head` does: that is no failure.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Unanswered(cause) if cause.kind() == io::ErrorKind::BrokenPipe)
    }

    /// 1 failed, 2 wrong usage, 3 not found, 4 conflict.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Details(_) | Self::Usage(_) => 2,
            Self::NoClient(_) | Self::NoKey(_) | Self::KeyOfAnother { .. } => 3,
            Self::EmailTaken(_) | Self::KeyIsDead(_) => 4,
            Self::Config(_)
            | Self::DatabaseUrl(_)
            | Self::NoDatabase(_)
            | Self::Declined
            | Self::Database(_)
            | Self::Terminal(_)
            | Self::Unanswered(_)
            | Self::KeyNotShown { .. } => 1,
        })
    }
}
