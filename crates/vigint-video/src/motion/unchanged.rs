//! Streams that send the same bytes again and again: a decoder upstream that hangs, a picture played for a camera.

use std::time::Duration;

use vigint_core::clock::UtcTime;

/// Frozen after this time, and after this many pictures that were the same.
const FROZEN_AFTER: Duration = Duration::from_secs(5);
const FROZEN_FRAMES: u32 = 10;

/// The last picture, and since when it has been the same.
#[derive(Debug, Default)]
pub(super) struct Unchanged {
    last: Option<Run>,
}

#[derive(Debug)]
struct Run {
    picture: Fingerprint,
    since: UtcTime,
    frames: u32,
}

/// What tells pictures apart: length and checksum. The picture itself is not kept: what leaves its ring leaves memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint {
    length: usize,
    checksum: u32,
}

impl Fingerprint {
    pub(super) fn of(jpeg: &[u8]) -> Self {
        Self {
            length: jpeg.len(),
            checksum: crc32fast::hash(jpeg),
        }
    }
}

impl Unchanged {
    /// Whether this is the last picture again.
    pub(super) fn is(&self, picture: Fingerprint) -> bool {
        self.last
            .as_ref()
            .is_some_and(|last| last.picture == picture)
    }

    /// Takes note of a picture; says whether the stream is frozen.
    pub(super) fn note(&mut self, at: UtcTime, picture: Fingerprint) -> bool {
        match &mut self.last {
            Some(last) if last.picture == picture => {
                last.frames = last.frames.saturating_add(1);
                last.frames >= FROZEN_FRAMES && at.since(last.since) >= FROZEN_AFTER
            }
            last => {
                *last = Some(Run {
                    picture,
                    since: at,
                    frames: 1,
                });
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_frozen_after_five_seconds_and_ten_pictures() {
        let mut unchanged = Unchanged::default();
        let mut note = |millis, picture: &[u8]| {
            let picture = Fingerprint::of(picture);
            unchanged.note(UtcTime::from_unix_millis(millis), picture)
        };
        assert!(!note(0, b"a"));
        for millis in (200..5_200).step_by(200) {
            assert_eq!(note(millis, b"b"), millis >= 5_200, "{millis}");
        }
        assert!(note(5_200, b"b"));
        assert!(!note(5_400, b"c"));
        for millis in (6_000..14_000).step_by(1_000) {
            assert!(!note(millis, b"c"), "too few");
        }
        assert!(note(14_000, b"c"));
    }
}
