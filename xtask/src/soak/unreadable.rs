//! Pictures in which no number can be read. A camera that sends garbage makes them, and nothing else may: among them any
//! order is hidden.

use std::time::Duration;

use vigint_core::clock::UtcTime;

/// So many in a row may be of a camera: where it begins anew or its size changes a decoder can show what is half of one
/// and half of another.
pub(super) const FEW: u64 = 3;
/// So long after garbage what was made of it may still be shown: an ffmpeg that was started amid it looks at it for ten
/// seconds before its first pictures, and these are of the garbage (seen with H.265: 9 s after the cure). That the camera
/// is live by then, with a picture taken since, is held by others.
const AFTERMATH: Duration = Duration::from_secs(15);

/// Those of one camera.
#[derive(Debug, Default)]
pub(super) struct Unreadable {
    /// When it sent garbage: from when, and until when.
    garbage: Vec<(UtcTime, Option<UtcTime>)>,
    in_a_row: u64,
    /// All of them, also of garbage.
    pub(super) frames: u64,
}

impl Unreadable {
    /// From now on it sends garbage.
    pub(super) fn garbage_begins(&mut self, at: UtcTime) {
        self.garbage.push((at, None));
    }

    /// From now on it sends none.
    pub(super) fn garbage_ends(&mut self, at: UtcTime) {
        if let Some((_, until)) = self.garbage.last_mut() {
            until.get_or_insert(at);
        }
    }

    /// The next frame, taken at this time. Whether it is the first of a row that is longer than `most` and not of garbage.
    pub(super) fn is_too_many(&mut self, is_readable: bool, at: UtcTime, most: u64) -> bool {
        if is_readable {
            self.in_a_row = 0;
            return false;
        }
        self.frames += 1;
        let is_of_garbage = self
            .garbage
            .iter()
            .any(|(from, until)| *from <= at && until.is_none_or(|until| at <= until + AFTERMATH));
        if is_of_garbage {
            return false;
        }
        self.in_a_row += 1;
        self.in_a_row == most + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> UtcTime {
        UtcTime::from_unix_seconds(second)
    }

    #[test]
    fn a_few_in_a_row_may_be_and_one_more_is_told_once() {
        let mut unreadable = Unreadable::default();
        let mut next = |is_readable, second| unreadable.is_too_many(is_readable, at(second), FEW);
        for second in 0..3 {
            assert!(!next(false, second));
        }
        assert!(!next(true, 3), "another row begins");
        let told: Vec<bool> = (4..10).map(|second| next(false, second)).collect();
        assert_eq!(told, [false, false, false, true, false, false]);
        assert_eq!(unreadable.frames, 9);
    }

    #[test]
    fn of_garbage_and_shortly_after_any_number_may_be_however_late_they_come() {
        let mut unreadable = Unreadable::default();
        unreadable.garbage_begins(at(100));
        unreadable.garbage_ends(at(110));
        unreadable.garbage_begins(at(200));
        let mut told = (100..=125).map(|second| unreadable.is_too_many(false, at(second), 0));
        assert!(!told.any(|is_told| is_told));
        assert!(
            !unreadable.is_too_many(false, at(500), 0),
            "it still sends garbage"
        );
        unreadable.garbage_ends(at(510));
        assert!(unreadable.is_too_many(false, at(526), 0));
    }
}
