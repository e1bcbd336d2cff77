//! What the program ends with. Part of the contract: scripts and services read it.

use std::process::ExitCode;

use vigint_client::{ApiError, RunError};

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The films ended, or it was stopped.
    Done,
    /// One thing was asked for and could not be done: there is no such incident, or no room for its film.
    Failed,
    /// The command line or a setting makes no sense.
    Usage,
    /// The key was refused, or is mistyped.
    Key,
    /// The server cannot be reached.
    Server,
    /// No source could be opened.
    Source,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Key => 3,
            Exit::Server => 4,
            Exit::Source => 5,
        })
    }
}

impl From<&RunError> for Exit {
    fn from(error: &RunError) -> Self {
        match error {
            RunError::KeyRefused(_) => Self::Key,
            RunError::Unreachable(_) => Self::Server,
            RunError::CannotOpen(_) | RunError::NothingOpened => Self::Source,
        }
    }
}

impl From<&ApiError> for Exit {
    fn from(error: &ApiError) -> Self {
        match error {
            ApiError::NoKey | ApiError::KeyRefused(_) => Self::Key,
            ApiError::Refused { .. } => Self::Failed,
            _ => Self::Server,
        }
    }
}
