//! Whether a camera that was live again goes on to show pictures.

use std::time::Duration;

use vigint_core::clock::UtcTime;

use super::script::LIVE_WITHIN;

/// A camera that is well, with a server that is well, shows a new picture at least so often. It is lost and opened anew
/// within less, after its fault is over.
pub(super) const LONGEST: Duration = Duration::from_secs(15);

/// The silence of one camera since it was live after a cure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Silence {
    counted_from: UtcTime,
    is_told: bool,
}

impl Silence {
    /// Of a camera that has been seen since this time, when it or the server was cured, and that was last cured itself at
    /// the other. What its own fault leaves behind may still show within the time of the promise: that it flooded or had
    /// another size is known only when it is well again, and then it is opened anew.
    pub(super) fn since(cure: UtcTime, own_cure: Option<UtcTime>) -> Self {
        Self {
            counted_from: own_cure.map_or(cure, |own| cure.max(own + LIVE_WITHIN)),
            is_told: false,
        }
    }

    /// Whether it is too long now, with the last new picture at this time. Told once.
    pub(super) fn is_too_long(&mut self, now: UtcTime, last_new: Option<UtcTime>) -> bool {
        let from = last_new.map_or(self.counted_from, |at| at.max(self.counted_from));
        let is_news = !self.is_told && now.since(from) > LONGEST;
        self.is_told |= is_news;
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> UtcTime {
        UtcTime::from_unix_seconds(second)
    }

    #[test]
    fn a_camera_that_shows_one_picture_and_no_other_is_told_of_once() {
        let mut silence = Silence::since(at(100), Some(at(100)));
        let told: Vec<i64> = (100..200)
            .filter(|second| silence.is_too_long(at(*second), Some(at(101))))
            .collect();
        assert_eq!(
            told,
            [146],
            "half a minute is its own, then fifteen seconds"
        );
        let mut silence = Silence::since(at(100), None);
        assert!(!silence.is_too_long(at(116), Some(at(101))));
        assert!(silence.is_too_long(at(117), Some(at(101))));
    }

    #[test]
    fn a_camera_that_goes_on_is_not_silent_and_may_be_later() {
        let mut silence = Silence::since(at(100), Some(at(40)));
        let mut told = (100..300).map(|second| silence.is_too_long(at(second), Some(at(second))));
        assert!(!told.any(|is_told| is_told));
        assert!(!silence.is_too_long(at(314), Some(at(299))));
        assert!(silence.is_too_long(at(315), Some(at(299))));
    }
}
