//! Streams that send the same bytes again and again: a decoder upstream that hangs, a picture played for a camera.

use std::time::Duration;

use bytes::Bytes;
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
    jpeg: Bytes,
    since: UtcTime,
    frames: u32,
}

impl Unchanged {
    /// Whether this is the last picture again. Different ones differ early: this costs nothing for them.
    pub(super) fn is(&self, jpeg: &Bytes) -> bool {
        self.last.as_ref().is_some_and(|last| last.jpeg == jpeg)
    }

    /// Takes note of a picture; says whether the stream is frozen.
    pub(super) fn note(&mut self, at: UtcTime, jpeg: &Bytes) -> bool {
        match &mut self.last {
            Some(last) if last.jpeg == jpeg => {
                last.frames = last.frames.saturating_add(1);
                last.frames >= FROZEN_FRAMES && at.since(last.since) >= FROZEN_AFTER
            }
            last => {
                *last = Some(Run {
                    jpeg: jpeg.clone(),
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
        let mut note = |millis, picture: &'static str| {
            unchanged.note(UtcTime::from_unix_millis(millis), &Bytes::from(picture))
        };
        assert!(!note(0, "a"));
        for millis in (200..5_200).step_by(200) {
            assert_eq!(note(millis, "b"), millis >= 5_200, "{millis}");
        }
        assert!(note(5_200, "b"));
        assert!(!note(5_400, "c"));
        for millis in (6_000..14_000).step_by(1_000) {
            assert!(!note(millis, "c"), "too few");
        }
        assert!(note(14_000, "c"));
    }
}
