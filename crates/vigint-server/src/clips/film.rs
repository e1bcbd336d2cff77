//! Making a film of kept frames, on a thread of its own.

use std::io;

use sha2::{Digest as _, Sha256};
use vigint_db::clips::MadeClip;
use vigint_video::clip::{ClipEncoder, ClipError};

use super::store::{ClipStore, StorageKey};

/// Why there is no film.
#[derive(Debug, thiserror::Error)]
pub enum MakeFilmError {
    /// The disk failed: it may work later.
    #[error("the clip's files: {0}")]
    Disk(io::Error),
    /// The kept frames are gone or damaged, or a client was erased meanwhile: trying again would change nothing.
    #[error("the clip's files: {0}")]
    Lost(io::Error),
    /// The frames are no film: trying again would change nothing.
    #[error(transparent)]
    Encoder(ClipError),
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
            _ => Self::Disk(error),
        }
    }
}

impl MakeFilmError {
    /// Whether another try could succeed.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Disk(_))
    }
}

/// Encodes the kept frames of `key` and puts the film beside them. Blocks for seconds.
pub(super) fn make(
    store: &ClipStore,
    encoder: &dyn ClipEncoder,
    key: StorageKey,
) -> Result<MadeClip, MakeFilmError> {
    let mut film = Vec::new();
    let info = encoder
        .encode(&mut store.frames(key)?, &mut film)
        .map_err(|error| match error {
            ClipError::Read(disk) => disk.into(),
            other => MakeFilmError::Encoder(other),
        })?;
    store.write_film(key, &film)?;
    Ok(MadeClip {
        bytes: i64::try_from(film.len()).unwrap_or(i64::MAX),
        duration_ms: i64::try_from(info.duration_ms).unwrap_or(i64::MAX),
        width: i32::try_from(info.width).unwrap_or(i32::MAX),
        height: i32::try_from(info.height).unwrap_or(i32::MAX),
        sha256: hex::encode(Sha256::digest(&film)),
    })
}
