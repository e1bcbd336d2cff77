//! How far a camera's clock stands from the server's.
//!
//! Arrival minus capture is the clocks' difference plus the time on the way; its minimum over a minute is
//! the difference and the quickest way, so one slow upload does not count. It is kept in slots of five
//! seconds, so that its size does not hang on the frame rate.

use vigint_core::clock::UtcTime;

const SLOT_MS: i64 = 5_000;
/// A minute of them.
const SLOT_COUNT: i64 = 12;

/// The clock offset of one source.
#[derive(Debug, Default)]
pub(super) struct ClockOffset {
    believed: MinuteMinimum,
    refused: MinuteMinimum,
}

impl ClockOffset {
    /// Learns from a frame; `is_believed` when its place in the ring is its capture time.
    pub(super) fn learn(&mut self, captured_at: UtcTime, arrived_at: UtcTime, is_believed: bool) {
        let minimum = match is_believed {
            true => &mut self.believed,
            false => &mut self.refused,
        };
        minimum.learn(arrived_at, arrived_at.millis_since(captured_at));
    }

    /// What must be added to the times in the ring, in milliseconds. Zero for a camera whose frames were
    /// taken at their arrival.
    pub(super) fn correction_ms(&self) -> i64 {
        self.believed.get().unwrap_or(0)
    }

    /// Arrival minus capture, in milliseconds, also of a camera too far ahead to be believed.
    pub(super) fn shown_ms(&self) -> i64 {
        self.believed.get().or(self.refused.get()).unwrap_or(0)
    }
}

/// The least of what was learnt in the minute up to the last arrival, to within one slot.
#[derive(Debug, Default)]
struct MinuteMinimum {
    last: i64,
    slots: [Option<(i64, i64)>; 12],
}

impl MinuteMinimum {
    fn learn(&mut self, arrived_at: UtcTime, value: i64) {
        let number = arrived_at.unix_millis().div_euclid(SLOT_MS);
        self.last = number;
        let index = usize::try_from(number.rem_euclid(SLOT_COUNT)).unwrap_or(0);
        if let Some(slot) = self.slots.get_mut(index) {
            *slot = match *slot {
                Some((held, least)) if held == number => Some((held, least.min(value))),
                _ => Some((number, value)),
            };
        }
    }

    fn get(&self) -> Option<i64> {
        let minute = self.last.saturating_sub(SLOT_COUNT - 1)..=self.last;
        let in_minute = |(number, value): &(i64, i64)| minute.contains(number).then_some(*value);
        self.slots.iter().flatten().filter_map(in_minute).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> UtcTime {
        UtcTime::from_unix_millis(1_000_000_000 + millis)
    }

    #[test]
    fn the_quickest_upload_of_the_last_minute_counts() {
        let mut offset = ClockOffset::default();
        offset.learn(at(0), at(250), true);
        offset.learn(at(1_000), at(1_100), true);
        offset.learn(at(2_000), at(9_000), true);
        assert_eq!(offset.correction_ms(), 100);
        offset.learn(at(62_000), at(62_300), true);
        assert_eq!(offset.correction_ms(), 300, "100 is more than a minute old");
    }

    #[test]
    fn a_camera_too_far_ahead_is_shown_but_corrects_nothing() {
        let mut offset = ClockOffset::default();
        offset.learn(at(3_600_000), at(0), false);
        assert_eq!((offset.shown_ms(), offset.correction_ms()), (-3_600_000, 0));
        offset.learn(at(1_000), at(1_040), true);
        assert_eq!((offset.shown_ms(), offset.correction_ms()), (40, 40));
    }

    #[test]
    fn the_offset_of_a_camera_that_is_ahead_is_negative() {
        let mut offset = ClockOffset::default();
        offset.learn(at(3_000), at(0), true);
        assert_eq!(offset.correction_ms(), -3_000);
    }
}
