//! Which seconds of a source were looked at. Each is counted once, under what came of it first.

use std::ops::RangeInclusive;

use vigint_core::clock::UtcTime;
use vigint_core::wire::SourceSeconds;

/// What came of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An analyzer looked at it.
    Analysed,
    /// Nothing moved: nobody was asked.
    Skipped,
    /// The analysis failed: nobody knows.
    Failed,
}

/// The seconds of one source since it came into memory.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    covered_to: Option<UtcTime>,
    analysed_ms: u64,
    skipped_ms: u64,
    failed_ms: u64,
}

impl Ledger {
    /// Counts what of this window was not counted yet. Windows overlap: a screen looks back at least the
    /// short window, whatever was looked at before.
    pub(super) fn account(&mut self, outcome: Outcome, window: RangeInclusive<UtcTime>) {
        let (start, end) = window.into_inner();
        let from = self.covered_to.map_or(start, |covered| start.max(covered));
        let millis = u64::try_from(end.millis_since(from)).unwrap_or(0);
        let sum = match outcome {
            Outcome::Analysed => &mut self.analysed_ms,
            Outcome::Skipped => &mut self.skipped_ms,
            Outcome::Failed => &mut self.failed_ms,
        };
        *sum = sum.saturating_add(millis);
        self.covered_to = self.covered_to.max(Some(end));
    }

    /// The camera's clock was set back: what comes now is new, whatever time it bears.
    pub(super) fn forget_times(&mut self) {
        self.covered_to = None;
    }

    /// The sums, in seconds.
    pub(super) fn seconds(&self) -> SourceSeconds {
        let seconds = |ms: u64| std::time::Duration::from_millis(ms).as_secs_f64();
        SourceSeconds {
            analysed: seconds(self.analysed_ms),
            skipped: seconds(self.skipped_ms),
            failed: seconds(self.failed_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(from: i64, to: i64) -> RangeInclusive<UtcTime> {
        UtcTime::from_unix_seconds(from)..=UtcTime::from_unix_seconds(to)
    }

    #[test]
    fn each_second_is_counted_once_under_what_came_of_it_first() {
        let mut ledger = Ledger::default();
        ledger.account(Outcome::Skipped, window(10, 20));
        ledger.account(Outcome::Failed, window(17, 23));
        ledger.account(Outcome::Analysed, window(20, 24));
        ledger.account(Outcome::Analysed, window(12, 22));
        let expected = SourceSeconds {
            analysed: 1.0,
            skipped: 10.0,
            failed: 3.0,
        };
        assert_eq!(ledger.seconds(), expected);
    }

    #[test]
    fn seconds_nobody_asked_about_are_not_covered() {
        let mut ledger = Ledger::default();
        ledger.account(Outcome::Analysed, window(0, 3));
        ledger.account(Outcome::Analysed, window(100, 103));
        assert_eq!(ledger.seconds().analysed, 6.0);
    }

    #[test]
    fn after_the_camera_was_set_back_its_seconds_count_again() {
        let mut ledger = Ledger::default();
        ledger.account(Outcome::Analysed, window(3600, 3603));
        ledger.forget_times();
        ledger.account(Outcome::Analysed, window(0, 3));
        assert_eq!(ledger.seconds().analysed, 6.0);
    }
}
