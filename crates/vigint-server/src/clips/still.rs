//! The still picture of a clip: what a mail shows of it.
//!
//! The first look judges the newest seconds of what is kept, evenly spread over them: the frame in their middle is as
//! near to all that was judged as one can be. The newest frame would often show only how somebody leaves.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use vigint_video::picture;

use super::store::{ClipStore, StorageKey};

/// The longest a still may be, in bytes: mails have it inside.
const MOST_BYTES: usize = 150_000;
/// The longer side in pixels: the first that makes it short enough.
const SIDES: [u16; 4] = [640, 480, 320, 160];

/// The still beside the film or, while there is none, made of the frames; none when there are no frames, or none of
/// them that decodes. Blocks.
pub(super) fn find(
    store: &ClipStore,
    key: StorageKey,
    before_end: Duration,
) -> io::Result<Option<Vec<u8>>> {
    if let Some(still) = store.read_still(key)? {
        return Ok(Some(still));
    }
    match of_frames(store, key, before_end) {
        // Made into a film meanwhile, with its still; or there never were any.
        Err(error) if error.kind() == io::ErrorKind::NotFound => store.read_still(key),
        still => Ok(still?.map(Vec::from)),
    }
}

/// Makes the still of the kept frames, from the one nearest to `before_end` before the newest. Blocks.
pub(super) fn of_frames(
    store: &ClipStore,
    key: StorageKey,
    before_end: Duration,
) -> io::Result<Option<Bytes>> {
    store.pick_frame(key, before_end, |jpeg| small(jpeg))
}

fn small(jpeg: &[u8]) -> Option<Bytes> {
    for side in SIDES {
        match picture::shrink(jpeg, side) {
            Ok(still) if still.len() <= MOST_BYTES => return Some(still),
            Ok(_) => {}
            Err(error) => {
                tracing::debug!(%error, "a frame is no still");
                return None;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;
    use vigint_core::clock::UtcTime;
    use vigint_core::ids::{ClientId, ClipId};
    use vigint_testkit::scene::noise_frame;
    use vigint_video::jpeg::inspect;

    use super::*;

    const KEY: StorageKey = StorageKey::new(ClientId(3), ClipId(Uuid::from_u128(1)));

    fn kept(jpegs: &[Bytes]) -> (tempfile::TempDir, ClipStore) {
        let dir = tempfile::tempdir().unwrap();
        let store = ClipStore::open(dir.path(), 1 << 24).unwrap();
        let frames = jpegs.iter().zip(0..);
        let frames = frames.map(|(jpeg, n)| (UtcTime::from_unix_millis(n * 100), jpeg));
        store.keep_frames(KEY, frames).unwrap();
        (dir, store)
    }

    fn noise(seed: u64, width: u16, height: u16) -> Bytes {
        noise_frame(seed, width, height).into()
    }

    fn size(still: &[u8]) -> (u16, u16) {
        let info = inspect(still, u64::MAX).unwrap();
        (info.width, info.height)
    }

    #[test]
    fn a_still_is_small_whatever_the_camera_sends() {
        for (width, height) in [(1920, 1080), (1080, 1920), (320, 180)] {
            let (_dir, store) = kept(&[noise(1, width, height)]);
            let still = find(&store, KEY, Duration::ZERO).unwrap().unwrap();
            let (wide, high) = size(&still);
            assert!(wide <= 640 && high <= 640, "{wide}x{high}");
            assert!(still.len() <= 150_000, "{} bytes", still.len());
        }
    }

    #[test]
    fn a_frame_that_does_not_decode_gives_way_to_its_neighbour() {
        let broken = Bytes::from_static(b"\xff\xd8\xff\xd9");
        let (_dir, store) = kept(&[noise(1, 64, 48), broken.clone()]);
        let still = find(&store, KEY, Duration::ZERO).unwrap().unwrap();
        assert_eq!(size(&still), (64, 48));
        let (_dir, store) = kept(&[broken]);
        assert_eq!(find(&store, KEY, Duration::ZERO).unwrap(), None);
    }

    #[test]
    fn the_still_beside_the_film_is_taken_and_without_frames_there_is_none() {
        let (_dir, store) = kept(&[noise(1, 64, 48)]);
        store.write_still(KEY, b"the still").unwrap();
        store.remove_frames(KEY).unwrap();
        let still = find(&store, KEY, Duration::ZERO).unwrap();
        assert_eq!(still.as_deref(), Some(&b"the still"[..]));
        store.remove(KEY).unwrap();
        assert_eq!(find(&store, KEY, Duration::ZERO).unwrap(), None);
    }
}
