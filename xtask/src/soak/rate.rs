//! How many frames of a camera come: at the end each must send again what it should.

use std::collections::VecDeque;
use std::time::Duration;

use vigint_core::clock::UtcTime;
use vigint_testkit::camera::Camera;

/// Over how long frames are counted.
const WINDOW: Duration = Duration::from_secs(10);
/// So many does a film have in it.
const OF_FILM: usize = 100;
/// A frame may be on its way for so long: younger ones are not counted yet.
const ON_ITS_WAY: Duration = Duration::from_secs(3);
/// A rate that was lowered while the server was away or slow is raised again, step by step, within this time: three times
/// ten seconds of little that waits, and as much for what was waiting and for a camera
/// that is opened once more; and more where the machine is busy.
pub(super) const SETTLES_WITHIN: Duration = Duration::from_secs(90);
/// The share of what a camera showed that must come. Where the machine is busy some pictures miss their time.
const ENOUGH_PERCENT: usize = 80;
/// And so many in any case: who reads too slowly is shown fewer.
const LEAST: usize = 40;

/// What came of one camera in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) frames: usize,
    /// Pictures that the camera showed.
    pub(super) shown: usize,
}

impl Count {
    /// Frames that must have come.
    pub(super) fn enough(self) -> usize {
        (self.shown * ENOUGH_PERCENT / 100).max(LEAST)
    }

    pub(super) fn is_enough(self) -> bool {
        self.frames >= self.enough()
    }
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

    /// Those in the newest window, beside what `camera` showed in it; none before that lies wholly after `since`. Of a
    /// film all that it has count as shown.
    pub(super) fn count(
        &self,
        camera: Option<&Camera>,
        since: UtcTime,
        now: UtcTime,
    ) -> Option<Count> {
        let until = now - ON_ITS_WAY;
        let after = until - WINDOW;
        if after < since {
            return None;
        }
        let is_within = |at: &&UtcTime| after < **at && **at <= until;
        Some(Count {
            frames: self.0.iter().filter(is_within).count(),
            shown: camera.map_or(OF_FILM, |camera| camera.shown(after, until)),
        })
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
        let count = |since, now| recent.count(None, tenth(since), tenth(now));
        let frames = |since, now| count(since, now).map(|count| count.frames);
        assert_eq!(frames(470, 600), Some(100));
        assert_eq!(frames(471, 600), None);
        assert!(recent.0.len() <= 262, "{}", recent.0.len());
        // Nothing more comes.
        assert_eq!(frames(470, 680), Some(49));
    }

    #[test]
    fn half_of_what_is_shown_is_not_enough_and_of_a_slow_camera_some_must_come() {
        let is_enough = |frames, shown| Count { frames, shown }.is_enough();
        assert!(is_enough(90, 100) && is_enough(80, 100) && !is_enough(79, 100));
        assert!(!is_enough(50, 100) && is_enough(40, 50));
        assert!(!is_enough(39, 39), "it may be slow because its reader is");
    }
}
