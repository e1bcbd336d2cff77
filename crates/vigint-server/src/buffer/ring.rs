//! One source's frames in order of time: a pure data structure, without clock, lock or thread.
//!
//! It is bounded in seconds and in frames a second by itself, and in bytes by whoever owns it, through
//! [`Ring::pop_oldest`]. Windows count back from the newest frame, never from now.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use vigint_core::clock::UtcTime;

use super::frame::Frame;

/// A capture time this far ahead of the arrival is still believed.
const MAX_AHEAD: Duration = Duration::from_secs(5);

/// So many late frames in a row mean that the camera's clock was set back.
const LATE_IN_A_ROW: u32 = 20;

/// What a frame costs beside its JPEG, about: the frame itself, what the gate saw, its place in the ring.
pub(super) const FRAME_OVERHEAD_BYTES: usize = 256;

/// A second, less the jitter of a camera that sends exactly as many frames as a ring keeps.
const CROWDED_BELOW_MS: i64 = 1_000 - 15;

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inserted {
    /// It is the newest.
    Newest,
    /// It was put in its place among the older ones, or thinned out at once.
    Placed,
    /// It stands where a frame of the same time stood.
    Replaced {
        /// Whether that is the newest place.
        newest: bool,
    },
    /// It is older than all that a ring keeps; dropped.
    Late,
    /// It was late, once too often: it is the first of a new ring.
    Restarted,
}

/// The frames of one source.
#[derive(Debug)]
pub(super) struct Ring {
    frames: VecDeque<Arc<Frame>>,
    jpeg_bytes: usize,
    late_in_a_row: u32,
    long_window: Duration,
    /// Frames a second, at least 1.
    fps: usize,
}

impl Ring {
    /// An empty ring that keeps `fps` (at least 1) frames a second of this many seconds.
    pub(super) fn new(long_window: Duration, fps: u32) -> Self {
        Self {
            frames: VecDeque::new(),
            jpeg_bytes: 0,
            late_in_a_row: 0,
            long_window,
            fps: usize::try_from(fps).unwrap_or(usize::MAX).max(1),
        }
    }

    /// The place of a frame that arrives now: its capture time when that can be believed, else its
    /// arrival. Two arrivals in one millisecond are two frames, not one sent twice: the second goes behind
    /// the first.
    pub(super) fn place(&self, captured_at: Option<UtcTime>, arrived_at: UtcTime) -> UtcTime {
        if let Some(captured_at) = captured_at
            && captured_at <= arrived_at + MAX_AHEAD
        {
            return captured_at;
        }
        let mut at = arrived_at;
        while self.position(at).is_ok() {
            at = at.plus_millis(1);
        }
        at
    }

    /// Takes a frame in, and lets go of what the bounds no longer allow.
    pub(super) fn insert(&mut self, frame: &Arc<Frame>) -> Inserted {
        if self.oldest_kept().is_some_and(|oldest| frame.at < oldest) {
            self.late_in_a_row += 1;
            if self.late_in_a_row < LATE_IN_A_ROW {
                return Inserted::Late;
            }
            *self = Self {
                frames: VecDeque::new(),
                jpeg_bytes: 0,
                late_in_a_row: 0,
                ..*self
            };
            self.put(0, frame);
            return Inserted::Restarted;
        }
        self.late_in_a_row = 0;
        match self.position(frame.at) {
            Ok(index) => {
                if self.take(index).is_some_and(|old| old.is_picked()) {
                    // What the gate said of the old picture does not hold for this one.
                    frame.pick();
                }
                self.put(index, frame);
                Inserted::Replaced {
                    newest: index + 1 == self.frames.len(),
                }
            }
            Err(index) => {
                self.put(index, frame);
                self.thin(index);
                self.let_go();
                match self
                    .newest()
                    .is_some_and(|newest| Arc::ptr_eq(newest, frame))
                {
                    true => Inserted::Newest,
                    false => Inserted::Placed,
                }
            }
        }
    }

    /// Takes the oldest frame out.
    pub(super) fn pop_oldest(&mut self) -> Option<Arc<Frame>> {
        self.take(0)
    }

    /// The frames, oldest first. No picture is copied.
    pub(super) fn snapshot(&self) -> Vec<Arc<Frame>> {
        self.frames.iter().cloned().collect()
    }

    /// The frame of exactly this time.
    pub(super) fn get(&self, at: UtcTime) -> Option<&Arc<Frame>> {
        self.frames.get(self.position(at).ok()?)
    }

    pub(super) fn newest(&self) -> Option<&Arc<Frame>> {
        self.frames.back()
    }

    pub(super) fn oldest(&self) -> Option<&Arc<Frame>> {
        self.frames.front()
    }

    pub(super) fn len(&self) -> usize {
        self.frames.len()
    }

    /// Bytes of all JPEGs.
    pub(super) fn jpeg_bytes(&self) -> usize {
        self.jpeg_bytes
    }

    /// Bytes that count against the bounds: the JPEGs and what a frame costs beside.
    pub(super) fn held_bytes(&self) -> usize {
        self.jpeg_bytes + self.frames.len() * FRAME_OVERHEAD_BYTES
    }

    /// The oldest time that is not late; `None` while the ring is empty.
    fn oldest_kept(&self) -> Option<UtcTime> {
        self.newest().map(|newest| newest.at - self.long_window)
    }

    /// Where the frame of this time stands, or else where it would. Most come in order: then only the newest is
    /// looked at, for each older one is a cache line to wait for.
    fn position(&self, at: UtcTime) -> Result<usize, usize> {
        if self.newest().is_none_or(|newest| newest.at < at) {
            return Err(self.frames.len());
        }
        self.frames.binary_search_by_key(&at, |frame| frame.at)
    }

    fn put(&mut self, index: usize, frame: &Arc<Frame>) {
        self.jpeg_bytes += frame.jpeg.len();
        self.frames.insert(index, Arc::clone(frame));
    }

    fn take(&mut self, index: usize) -> Option<Arc<Frame>> {
        let frame = self.frames.remove(index)?;
        self.jpeg_bytes -= frame.jpeg.len();
        Some(frame)
    }

    /// Lets go of frames before the long window, and of the oldest beyond its number of frames.
    fn let_go(&mut self) {
        let long_ms = usize::try_from(self.long_window.as_millis()).unwrap_or(usize::MAX);
        let most = self.fps.saturating_mul(long_ms).div_ceil(1_000).max(1);
        while let (Some(oldest), Some(kept_from)) = (self.oldest(), self.oldest_kept())
            && (oldest.at < kept_from || self.frames.len() > most)
        {
            self.take(0);
        }
    }

    /// Takes frames out around this index until no second holds more than its number of frames.
    fn thin(&mut self, index: usize) {
        while let Some(last) = self.crowded_run(index) {
            self.take(self.most_redundant(last));
        }
    }

    /// The end of a run of one frame too many within a second, near this index.
    fn crowded_run(&self, index: usize) -> Option<usize> {
        let ends = index.saturating_sub(1).max(self.fps)..=index.saturating_add(self.fps);
        ends.take_while(|end| *end < self.frames.len())
            .find(|end| self.span_ms(end - self.fps, *end) < CROWDED_BELOW_MS)
    }

    /// The frame of the run up to `last` that is missed least: neither its first nor its last, rather
    /// one that the gate did not pick (the gate's word lives in its frames), and there the one whose
    /// neighbours are closest to each other, so that what stays is spread evenly; among equals the latest,
    /// for the older ones are the first to make room as the second moves on.
    fn most_redundant(&self, last: usize) -> usize {
        let first = last.saturating_sub(self.fps);
        (first + 1..last)
            .rev()
            .min_by_key(|index| {
                let is_picked = self
                    .frames
                    .get(*index)
                    .is_some_and(|frame| frame.is_picked());
                (is_picked, self.span_ms(index - 1, index + 1))
            })
            .unwrap_or(last)
    }

    fn span_ms(&self, from: usize, to: usize) -> i64 {
        match (self.frames.get(from), self.frames.get(to)) {
            (Some(from), Some(to)) => to.at.millis_since(from.at),
            _ => i64::MAX,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::super::frame::IncomingFrame;
    use super::*;

    pub(in super::super) fn time(millis: i64) -> UtcTime {
        UtcTime::from_unix_millis(1_700_000_000_000 + millis)
    }

    pub(in super::super) fn incoming(jpeg: &[u8]) -> IncomingFrame {
        IncomingFrame {
            jpeg: Bytes::copy_from_slice(jpeg),
            width: 1280,
            height: 720,
            frame_count: 1,
            captured_at: None,
            source_name: None,
        }
    }

    fn frame(millis: i64) -> Arc<Frame> {
        Arc::new(Frame::new(incoming(b"jpeg"), time(millis), time(millis)))
    }

    fn ring() -> Ring {
        Ring::new(Duration::from_secs(10), 10)
    }

    fn times(ring: &Ring) -> Vec<i64> {
        let millis = |frame: &Arc<Frame>| frame.at.millis_since(time(0));
        ring.frames.iter().map(millis).collect()
    }

    #[test]
    fn frames_stand_in_order_of_time_however_they_come() {
        let mut ring = ring();
        assert_eq!(ring.insert(&frame(0)), Inserted::Newest);
        assert_eq!(ring.insert(&frame(1_000)), Inserted::Newest);
        assert_eq!(ring.insert(&frame(500)), Inserted::Placed);
        assert_eq!(times(&ring), [0, 500, 1_000]);
    }

    #[test]
    fn the_same_time_replaces_the_frame_that_was_there() {
        let mut ring = ring();
        for millis in [0, 500, 1_000] {
            ring.insert(&frame(millis));
        }
        let again = Arc::new(Frame::new(incoming(b"another"), time(500), time(1_100)));
        assert_eq!(ring.insert(&again), Inserted::Replaced { newest: false });
        assert_eq!(
            ring.insert(&frame(1_000)),
            Inserted::Replaced { newest: true }
        );
        assert_eq!(times(&ring), [0, 500, 1_000]);
        assert!(Arc::ptr_eq(ring.get(time(500)).unwrap(), &again));
        assert_eq!(ring.jpeg_bytes(), 4 + 7 + 4);
    }

    #[test]
    fn the_window_counts_back_from_the_newest_frame() {
        let mut ring = ring();
        for millis in [0, 5_000, 10_000] {
            ring.insert(&frame(millis));
        }
        assert_eq!(times(&ring), [0, 5_000, 10_000]);
        ring.insert(&frame(10_001));
        assert_eq!(times(&ring), [5_000, 10_000, 10_001]);
        assert_eq!(ring.insert(&frame(0)), Inserted::Late);
        assert_eq!(ring.insert(&frame(1)), Inserted::Placed);
        assert_eq!(times(&ring), [1, 5_000, 10_000, 10_001]);
    }

    #[test]
    fn twenty_late_frames_in_a_row_start_the_ring_anew() {
        let mut ring = ring();
        ring.insert(&frame(3_600_000));
        for millis in 0..19 {
            assert_eq!(ring.insert(&frame(millis)), Inserted::Late);
        }
        assert_eq!(times(&ring), [3_600_000]);
        assert_eq!(ring.insert(&frame(19)), Inserted::Restarted);
        assert_eq!(times(&ring), [19]);
        assert_eq!(ring.jpeg_bytes(), 4);
        assert_eq!(ring.insert(&frame(20)), Inserted::Newest);
    }

    #[test]
    fn one_good_frame_among_late_ones_keeps_the_ring() {
        let mut ring = ring();
        ring.insert(&frame(3_600_000));
        for round in 1..4 {
            for millis in 0..19 {
                assert_eq!(ring.insert(&frame(millis)), Inserted::Late);
            }
            assert_eq!(
                ring.insert(&frame(3_600_000 + round * 100)),
                Inserted::Newest
            );
        }
        assert_eq!(ring.len(), 4);
    }

    #[test]
    fn a_frame_stands_at_its_capture_time_unless_that_is_missing_or_too_far_ahead() {
        let mut ring = ring();
        assert_eq!(ring.place(Some(time(-9_000)), time(0)), time(-9_000));
        assert_eq!(ring.place(Some(time(5_000)), time(0)), time(5_000));
        assert_eq!(ring.place(Some(time(5_001)), time(0)), time(0));
        assert_eq!(ring.place(None, time(0)), time(0));
        ring.insert(&frame(0));
        ring.insert(&frame(1));
        assert_eq!(
            ring.place(None, time(0)),
            time(2),
            "it is no frame sent twice"
        );
        assert_eq!(
            ring.place(Some(time(1)), time(0)),
            time(1),
            "it is a frame sent twice"
        );
    }

    /// The times that stay of ten seconds of a camera with this many frames a second.
    fn kept_of(camera_fps: i64) -> Vec<i64> {
        let mut ring = ring();
        for number in 0..10 * camera_fps {
            assert_eq!(
                ring.insert(&frame(number * 1_000 / camera_fps)),
                Inserted::Newest
            );
        }
        times(&ring)
    }

    #[test]
    fn a_faster_camera_is_thinned_evenly() {
        for camera_fps in [11, 12, 15, 20, 24, 25, 30, 50, 60] {
            let kept = kept_of(camera_fps);
            assert!(
                (90..=100).contains(&kept.len()),
                "{camera_fps} fps: {} kept",
                kept.len()
            );
            for run in kept.windows(11) {
                assert!(run[10] - run[0] >= 985, "{camera_fps} fps: {run:?}");
            }
            for pair in kept.windows(2) {
                assert!(pair[1] - pair[0] <= 200, "{camera_fps} fps: {pair:?}");
            }
        }
    }

    #[test]
    fn a_camera_at_the_rings_own_rate_loses_nothing_to_jitter() {
        let mut ring = ring();
        let jitter = [0, 7, -6, 3, -7, 5, 1, -2, 6, -5, 4];
        for number in 0..90_i64 {
            let shift = jitter[usize::try_from(number).unwrap() % jitter.len()];
            ring.insert(&frame(number * 100 + shift));
        }
        assert_eq!(ring.len(), 90);
    }

    #[test]
    fn a_ring_keeps_its_rate_times_its_window_and_no_frame_more() {
        let mut ring = ring();
        for number in 0..150 {
            ring.insert(&frame(number * 100));
        }
        assert_eq!((ring.len(), times(&ring)[0]), (100, 5_000));
    }

    #[test]
    fn a_burst_stays_as_long_as_its_second_has_room() {
        let mut ring = ring();
        for millis in 0..10 {
            ring.insert(&frame(millis));
        }
        assert_eq!(times(&ring), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        ring.insert(&frame(10));
        assert_eq!(ring.len(), 10);
        assert_eq!(ring.newest().unwrap().at, time(10));
    }

    #[test]
    fn frames_the_gate_picked_are_thinned_last() {
        let mut ring = ring();
        for number in 0..100 {
            let next = frame(number * 33);
            ring.insert(&next);
            if number % 6 == 0 {
                next.pick();
            }
        }
        let picked = |frame: &&Arc<Frame>| frame.is_picked();
        assert_eq!(ring.frames.iter().filter(picked).count(), 17);
    }

    #[test]
    fn a_ring_of_one_frame_a_second_keeps_one_a_second() {
        let mut ring = Ring::new(Duration::from_secs(10), 1);
        for number in 0..50 {
            ring.insert(&frame(number * 100));
        }
        assert_eq!(times(&ring), [0, 1_000, 2_000, 3_000, 4_000]);
    }

    proptest! {
        #[test]
        fn whatever_comes_a_ring_keeps_its_bounds(
            steps in prop::collection::vec((-12_000_i64..3_000, 1_usize..50), 1..300),
            fps in 1_u32..20,
        ) {
            let mut ring = Ring::new(Duration::from_secs(10), fps);
            let mut now = 0;
            for (step, size) in steps {
                now += step.max(0);
                let at = time(now + step.min(0));
                ring.insert(&Arc::new(Frame::new(incoming(&vec![1; size]), at, at)));
                let kept = times(&ring);
                let fps = usize::try_from(fps).unwrap();
                prop_assert!(kept.is_sorted_by(|a, b| a < b));
                prop_assert!(kept[kept.len() - 1] - kept[0] <= 10_000);
                prop_assert!(kept.len() <= fps * 10);
                for run in kept.windows(fps + 1) {
                    prop_assert!(run[fps] - run[0] >= CROWDED_BELOW_MS);
                }
                let bytes: usize = ring.frames.iter().map(|frame| frame.jpeg.len()).sum();
                prop_assert_eq!(ring.jpeg_bytes(), bytes);
            }
        }
    }
}
