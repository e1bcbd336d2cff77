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
    use std::collections::BTreeMap;

    use proptest::prelude::*;

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

    proptest! {
        /// Windows of one ring, as analyses have them: each ends no earlier than the one before and looks back over
        /// what was looked at already, but not behind a gap, for no ring reaches so far. Now and then the camera is
        /// set back, and its times begin again.
        #[test]
        fn analysed_skipped_and_failed_are_together_the_seconds_covered(
            windows in prop::collection::vec(
                (
                    0_i64..40,
                    0_i64..24,
                    prop::sample::select(vec![Outcome::Analysed, Outcome::Skipped, Outcome::Failed]),
                    prop::bool::weighted(0.1),
                ),
                0..60,
            ),
        ) {
            let mut ledger = Ledger::default();
            // Every half second of every life of the camera, and what came of it first.
            let mut covered = BTreeMap::new();
            let (mut life, mut end, mut behind_the_gap) = (0, 0, 0);
            for (ahead, back, outcome, is_set_back) in windows {
                if is_set_back {
                    ledger.forget_times();
                    (life, end, behind_the_gap) = (life + 1, 0, 0);
                }
                let before = end;
                end += ahead;
                let start = (end - back).max(behind_the_gap);
                if start > before {
                    behind_the_gap = start;
                }
                let at = |half_seconds| UtcTime::from_unix_millis(half_seconds * 500);
                ledger.account(outcome, at(start)..=at(end));
                for half_second in start..end {
                    covered.entry((life, half_second)).or_insert(outcome);
                }
            }
            let seconds = ledger.seconds();
            let half_seconds = |n: usize| f64::from(u32::try_from(n).unwrap()) / 2.0;
            let first = |outcome| half_seconds(covered.values().filter(|first| **first == outcome).count());
            prop_assert_eq!(seconds.analysed, first(Outcome::Analysed));
            prop_assert_eq!(seconds.skipped, first(Outcome::Skipped));
            prop_assert_eq!(seconds.failed, first(Outcome::Failed));
            let sum = seconds.analysed + seconds.skipped + seconds.failed;
            prop_assert_eq!(sum, half_seconds(covered.len()));
        }
    }
}
