//! How many frames of a camera come: at the end each must send again what it should.

use std::collections::VecDeque;
use std::time::Duration;

use vigint_core::clock::UtcTime;
use vigint_testkit::camera::FRAMES_PER_SECOND;

/// Over how long frames are counted.
const WINDOW: Duration = Duration::from_secs(10);
/// A frame may be on its way for so long: younger ones are not counted yet.
const ON_ITS_WAY: Duration = Duration::from_secs(3);
/// A rate that was lowered while the server was away or slow is raised again, step by step, within this time: three times
/// ten seconds of little that waits, and as much for what was waiting and for a camera
/// that is opened once more; and more where the machine is busy.
pub(super) const SETTLES_WITHIN: Duration = Duration::from_secs(90);
/// The share that must come. Where the machine is busy a camera or its reader misses some.
const ENOUGH_PERCENT: u32 = 80;

/// Frames that must come in a window.
pub(super) fn enough() -> usize {
    let all = FRAMES_PER_SECOND * u32::try_from(WINDOW.as_secs()).unwrap_or(u32::MAX);
    usize::try_from(all * ENOUGH_PERCENT / 100).unwrap_or(usize::MAX)
}

/// The times of the last frames of one camera.
#[derive(Debug, Default)]
pub(super) struct Recent(VecDeque<UtcTime>);

impl Recent {
    /// One more. They come in order.
    pub(super) fn add(&mut self, at: UtcTime) {
        self.0.push_back(at);
        let oldest = at - (WINDOW + ON_ITS_WAY) * 2;
        while self.0.front().is_some_and(|first| *first < oldest) {
            self.0.pop_front();
        }
    }

    /// Those in the newest window; none before that lies wholly after `since`.
    pub(super) fn count(&self, since: UtcTime, now: UtcTime) -> Option<usize> {
        let to = now - ON_ITS_WAY;
        let from = to - WINDOW;
        let is_within = |at: &&UtcTime| from < **at && **at <= to;
        (from >= since).then(|| self.0.iter().filter(is_within).count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenth(tenth: i64) -> UtcTime {
        UtcTime::from_unix_millis(tenth * 100)
    }

    #[test]
    fn the_newest_whole_window_is_counted_and_none_that_began_too_early() {
        let mut recent = Recent::default();
        (0..600).for_each(|at| recent.add(tenth(at)));
        assert_eq!(recent.count(tenth(470), tenth(600)), Some(100));
        assert_eq!(recent.count(tenth(471), tenth(600)), None);
        assert!(recent.0.len() <= 262, "{}", recent.0.len());
        // Nothing more comes.
        assert_eq!(recent.count(tenth(470), tenth(680)), Some(49));
    }

    #[test]
    fn half_of_the_frames_are_not_enough_and_nine_of_ten_are() {
        let mut half = Recent::default();
        (0..300).step_by(2).for_each(|at| half.add(tenth(at)));
        assert!(half.count(tenth(0), tenth(300)).unwrap() < enough());
        let mut most = Recent::default();
        let nine = (0..300).filter(|at| at % 10 != 3);
        nine.for_each(|at| most.add(tenth(at)));
        assert!(most.count(tenth(0), tenth(300)).unwrap() >= enough());
    }
}
