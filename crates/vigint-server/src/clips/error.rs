//! Why frames or films are not kept.

use std::io;

use vigint_db::DbError;
use vigint_video::clip::ClipError;

use super::store::ClipStore;

/// Why the frames of an incident were not kept: it has no clip then.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The disk is nearly full.
    #[error(
        "storage full: {free} bytes are free where clips are kept, and {needed} must stay free"
    )]
    StorageFull {
        /// Bytes that are free.
        free: u64,
        /// Bytes that must stay so.
        needed: u64,
    },
    /// They are more than all clips of the client may take, or files that are no clip's take the client's room.
    #[error(
        "the clip takes {needed} bytes, and [Clips] max_bytes_per_client allows {most}, of which {held} are taken \
         by what cannot be removed"
    )]
    NoRoom {
        /// Bytes that this clip takes.
        needed: u64,
        /// Bytes that others take and that cannot be had.
        held: u64,
        /// Bytes that the client's clips may take.
        most: u64,
    },
    /// The client's other clips could not be read or ended in the database.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The disk failed.
    #[error("the clip's files: {0}")]
    Disk(#[from] io::Error),
}

impl KeepError {
    /// The [`Self::reason`] of a disk that is nearly full.
    pub const STORAGE_FULL: &str = "storage full";

    /// The same in a few stable words, for the row of the incident's clip and its mail.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::StorageFull { .. } => Self::STORAGE_FULL,
            // It filled up between the look at it and the last byte.
            Self::Disk(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
                ) =>
            {
                Self::STORAGE_FULL
            }
            Self::NoRoom { .. } => "larger than all clips of the client may be",
            Self::Database(_) => "database failed",
            Self::Disk(_) => "disk failed",
        }
    }

    /// Whether our disk is to blame: health speaks of that.
    pub(super) const fn is_of_disk(&self) -> bool {
        matches!(self, Self::StorageFull { .. } | Self::Disk(_))
    }
}

/// Why there is no film.
#[derive(Debug, thiserror::Error)]
pub enum MakeFilmError {
    /// There is no room for it, or it could not be written: see [`KeepError`].
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// The kept frames are gone or damaged, or a client was erased meanwhile: trying again would change nothing.
    #[error("the clip's files: {0}")]
    Lost(io::Error),
    /// The frames are no film.
    #[error(transparent)]
    Encoder(ClipError),
    /// The clip has ended, or another server has taken it over: there is nothing to do any more.
    #[error("the clip has ended meanwhile, or another server makes its film")]
    Overtaken,
    /// The encoder panicked on them.
    #[error("the encoder failed on these frames")]
    Panicked,
}

impl From<io::Error> for MakeFilmError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => {
                Self::Lost(error)
            }
            _ => Self::Keep(KeepError::Disk(error)),
        }
    }
}

/// Whether to try again to make a film.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Until the disk or the database is well again: the frames are there.
    Often,
    /// A few times: encoders have bad moments, but the same frames mostly fail the same way.
    Seldom,
    /// It would change nothing.
    Never,
}

impl MakeFilmError {
    /// What is missing because the folder is not mounted will be there again.
    pub(super) fn unless_unmounted(self, store: &ClipStore) -> Self {
        match (self, store.check_mark()) {
            (Self::Lost(_), Err(error)) => Self::Keep(KeepError::Disk(error)),
            (error, _) => error,
        }
    }

    /// Whether another try could succeed.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Keep(KeepError::NoRoom { .. })
            | Self::Lost(_)
            | Self::Overtaken
            | Self::Encoder(ClipError::NoFrames { .. }) => Retry::Never,
            Self::Keep(_) => Retry::Often,
            Self::Encoder(_) | Self::Panicked => Retry::Seldom,
        }
    }

    /// Whether our disk is to blame, and not the camera.
    pub(super) const fn is_of_disk(&self) -> bool {
        matches!(self, Self::Keep(error) if error.is_of_disk())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_fills_up_while_it_is_written_to_is_a_full_one() {
        for full in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
            let error = KeepError::from(io::Error::from(full));
            assert_eq!(error.reason(), KeepError::STORAGE_FULL);
        }
        let refused = KeepError::from(io::Error::from(io::ErrorKind::PermissionDenied));
        assert_eq!(refused.reason(), "disk failed");
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let full = KeepError::StorageFull { free: 1, needed: 2 };
        assert_eq!(MakeFilmError::from(full).retry(), Retry::Often);
        let refused = io::Error::from(io::ErrorKind::PermissionDenied);
        assert_eq!(MakeFilmError::from(refused).retry(), Retry::Often);
        for gone in [io::ErrorKind::NotFound, io::ErrorKind::UnexpectedEof] {
            let error = MakeFilmError::from(io::Error::from(gone));
            assert_eq!(error.retry(), Retry::Never);
            assert!(!error.is_of_disk());
        }
        let encoder = MakeFilmError::Encoder(ClipError::Encode("no".to_owned()));
        assert_eq!(encoder.retry(), Retry::Seldom);
        assert_eq!(MakeFilmError::Panicked.retry(), Retry::Seldom);
        let none = MakeFilmError::Encoder(ClipError::NoFrames { skipped: 3 });
        assert_eq!(none.retry(), Retry::Never);
    }
}
