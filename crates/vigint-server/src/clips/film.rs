//! Making a film of kept frames, on a thread of its own.

use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use vigint_db::clips::MadeClip;
use vigint_video::clip::{ClipEncoder, ClipError};

use super::error::MakeFilmError;
use super::still;
use super::store::{ClipStore, StorageKey};

/// A film that is not on the disk yet.
pub(super) struct Film {
    bytes: Vec<u8>,
    /// None when no frame is one.
    still: Option<Bytes>,
    made: MadeClip,
}

impl Film {
    /// What its files take, in bytes.
    pub(super) fn file_bytes(&self) -> u64 {
        let still = self.still.as_ref().map_or(0, Bytes::len);
        u64::try_from(self.bytes.len().saturating_add(still)).unwrap_or(u64::MAX)
    }
}

/// Encodes the kept frames of `key`, and makes a still of the one nearest to `still_before_end` before the newest.
/// Blocks for seconds.
pub(super) fn encode(
    store: &ClipStore,
    encoder: &dyn ClipEncoder,
    key: StorageKey,
    still_before_end: Duration,
) -> Result<Film, MakeFilmError> {
    let mut film = Vec::new();
    let info = encoder
        .encode(&mut store.frames(key)?, &mut film)
        .map_err(|error| match error {
            ClipError::Read(disk) => disk.into(),
            other => MakeFilmError::Encoder(other),
        })?;
    let made = MadeClip {
        bytes: i64::try_from(film.len()).unwrap_or(i64::MAX),
        duration_ms: i64::try_from(info.duration_ms).unwrap_or(i64::MAX),
        width: i32::try_from(info.width).unwrap_or(i32::MAX),
        height: i32::try_from(info.height).unwrap_or(i32::MAX),
        sha256: hex::encode(Sha256::digest(&film)),
    };
    Ok(Film {
        still: still::of_frames(store, key, still_before_end)?,
        bytes: film,
        made,
    })
}

/// Puts the film beside its frames: the still first, so that it is there once the film is. Blocks.
pub(super) fn write(
    store: &ClipStore,
    key: StorageKey,
    film: &Film,
) -> Result<MadeClip, MakeFilmError> {
    if let Some(still) = &film.still {
        store.write_still(key, still)?;
    }
    store.write_film(key, &film.bytes)?;
    Ok(film.made.clone())
}
