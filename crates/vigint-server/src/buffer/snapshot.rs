//! What an analysis looks at: the frames of one source at one moment, shared, not copied.

use std::ops::RangeInclusive;
use std::sync::Arc;

use vigint_core::clock::UtcTime;
use vigint_core::ids::SourceId;

use super::frame::Frame;

/// One source's ring as it stood at one moment. Never empty.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Which camera.
    pub source_id: SourceId,
    /// What people call it.
    pub source_name: Option<String>,
    /// The long window, oldest first.
    pub frames: Vec<Arc<Frame>>,
    /// The newest frame's number, as its sender gave it.
    pub newest_frame_count: i64,
    /// The newest frame's time in the ring.
    pub newest_at: UtcTime,
    /// To be added to a frame's `at` to have it by the server's clock, in milliseconds.
    pub clock_offset_ms: i64,
    /// Where the screen's tail begins: at the newest frame of this source's last screen, but at least the
    /// short and at most the long window before the newest frame.
    pub screen_from: UtcTime,
}

impl Snapshot {
    /// What the screen looks at.
    #[must_use]
    pub fn screen_frames(&self) -> &[Arc<Frame>] {
        let start = self
            .frames
            .partition_point(|frame| frame.at < self.screen_from);
        self.frames.get(start..).unwrap_or_default()
    }

    /// The time that the screen covers. It begins where the last screen ended, though the frame that stood there
    /// may have been thinned out since: otherwise the time to the next one would be nobody's.
    #[must_use]
    pub fn screen_window(&self) -> RangeInclusive<UtcTime> {
        let oldest = self
            .frames
            .first()
            .map_or(self.newest_at, |oldest| oldest.at);
        self.screen_from.max(oldest)..=self.newest_at
    }
}
