//! Why a mail was not handed over, and what is to be done about it.

use std::io;
use std::time::Duration;

use super::smtp::SmtpError;

/// Why a mail was not handed over.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// It could not be put together.
    #[error("the mail could not be composed: {0}")]
    Compose(String),
    /// The outbox's folder failed.
    #[error("the mail could not be written to the outbox: {0}")]
    Outbox(#[from] io::Error),
    /// The mail server, or the way to it.
    #[error(transparent)]
    Smtp(#[from] SmtpError),
}

/// What a failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// This mail may go out another time, with the same Message-ID: whether it has gone out already may not be known.
    TryAgain,
    /// This mail will never go out.
    GiveUp,
    /// No mail goes out this way, and none is at fault.
    ChannelStopped {
        /// How long to wait before one mail tries whether it goes again. Who stops again after that waits longer.
        pause: Duration,
    },
    /// The same as far as one mail can tell. One that is refused again although others went out is at fault itself.
    ChannelSeemsStopped {
        /// As above.
        pause: Duration,
    },
}

impl MailError {
    /// Whether the mail may be out all the same: it was sent, and the answer is missing.
    #[must_use]
    pub fn may_be_out(&self) -> bool {
        matches!(self, Self::Smtp(error) if error.may_be_out())
    }

    /// What to do.
    #[must_use]
    pub fn fate(&self) -> Fate {
        match self {
            Self::Compose(_) => Fate::GiveUp,
            Self::Outbox(_) => Fate::TryAgain,
            Self::Smtp(error) => error.fate(),
        }
    }
}
