//! How a command fails, and with which exit code.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use vigint_config::ConfigError;
use vigint_core::text::plain_line;
use vigint_db::admin::AdminError;
use vigint_db::import::ImportError;
use vigint_db::{DbError, InvalidUrl};

use crate::reach::InvalidAddress;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A wrong file may name the wrong database: it is not read past its mistakes.
    #[error("{0}{way_on}", way_on = way_on(.0))]
    Config(#[from] ConfigError),
    #[error("[Database] database_url: {0}")]
    DatabaseUrl(#[from] InvalidUrl),
    #[error(
        "there is no database at {}: work in the server's folder, or name the right one with --config FILE \
         or DATABASE_URL",
        .0.display()
    )]
    NoDatabase(PathBuf),
    #[error(
        "the database {0} is empty, without Vigint's tables: name the right one with --config FILE or DATABASE_URL, \
         or make the first client with `vigint-admin create`"
    )]
    EmptyDatabase(String),
    #[error("{0}")]
    Usage(&'static str),
    #[error("--from: {0}")]
    ImportUrl(InvalidUrl),
    #[error("{0}")]
    Import(#[from] ImportError),
    #[error("nothing was changed")]
    Declined,
    #[error("{0}")]
    Admin(#[from] AdminError),
    #[error("{0}")]
    Address(#[from] InvalidAddress),
    #[error("VIGINT_ADMIN_KEY must be visible ASCII characters without spaces")]
    UnusableAdminKey,
    #[error("--ca-file {}: {reason}", path.display())]
    CaFile { path: PathBuf, reason: String },
    #[error("no thread to work with: {0}")]
    NoRuntime(io::Error),
    #[error("{server} cannot be reached: {reason}")]
    Unreachable { server: String, reason: String },
    #[error("{server} is not a Vigint server's admin API: {reason}")]
    NotVigint { server: String, reason: String },
    #[error(
        "{0} has no admin API: set [Admin] api_key in its configuration and start it again, or look whether \
         the address is right"
    )]
    NoAdminApi(String),
    #[error(
        "too many wrong admin keys came from this address: look at VIGINT_ADMIN_KEY, and try again in {0} s"
    )]
    TooManyTries(String),
    /// In the server's words.
    #[error("{}", plain_line(message))]
    Refused { status: u16, message: String },
    #[error("the terminal could not be asked: {0}")]
    Terminal(io::Error),
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    /// Everything else was done by then.
    #[error("done, but the answer could not be written to standard output: {0}")]
    Unanswered(#[from] io::Error),
    /// Only its hash was kept: nobody will ever see this key.
    #[error(
        "{made}, but its key was not shown, and it cannot be shown again: {cause}. Run `{cure}`, and do it \
         again where standard output can be written"
    )]
    KeyNotShown {
        made: String,
        cure: String,
        cause: io::Error,
    },
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Self::Admin(error.into())
    }
}

impl Failure {
    /// Whether whoever reads has simply had enough, as `head` does: that is no failure.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Unanswered(cause) if cause.kind() == io::ErrorKind::BrokenPipe)
    }

    /// 1 failed, 2 wrong usage, 3 not found, 4 conflict.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage(_) | Self::Address(_) | Self::UnusableAdminKey | Self::ImportUrl(_) => 2,
            Self::Admin(error) => code_of(error),
            Self::Refused { status, .. } => match status {
                400 | 413 | 422 => 2,
                404 => 3,
                409 => 4,
                _ => 1,
            },
            Self::Config(_)
            | Self::DatabaseUrl(_)
            | Self::NoDatabase(_)
            | Self::EmptyDatabase(_)
            | Self::Declined
            | Self::Import(_)
            | Self::CaFile { .. }
            | Self::NoRuntime(_)
            | Self::Unreachable { .. }
            | Self::NotVigint { .. }
            | Self::NoAdminApi(_)
            | Self::TooManyTries(_)
            | Self::Terminal(_)
            | Self::File { .. }
            | Self::Unanswered(_)
            | Self::KeyNotShown { .. } => 1,
        })
    }
}

/// A key may have to be revoked before a file is mended.
const fn way_on(error: &ConfigError) -> &'static str {
    match error {
        ConfigError::Invalid(_) => {
            "\nTo work without it all the same, name the database: DATABASE_URL=… vigint-admin --config /dev/null …"
        }
        ConfigError::Unreadable { .. } => "",
    }
}

const fn code_of(error: &AdminError) -> u8 {
    match error {
        AdminError::Details(_)
        | AdminError::KeyRequest(_)
        | AdminError::Database(DbError::BadCursor) => 2,
        AdminError::NoClient(_)
        | AdminError::NoKey(_)
        | AdminError::NoAlert(_)
        | AdminError::KeyOfAnother { .. } => 3,
        AdminError::EmailTaken(_)
        | AdminError::KeyIsDead(_)
        | AdminError::KeyNotLive(_)
        | AdminError::NoLiveKey(_)
        | AdminError::SeveralLiveKeys { .. }
        | AdminError::NotToRetry { .. } => 4,
        AdminError::Database(_) => 1,
    }
}
