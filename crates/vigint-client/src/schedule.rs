//! When the next analysis is due, by the capture times of the frames that the server has.

use std::time::Duration;

use vigint_core::clock::UtcTime;

/// Due every so often in capture time.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    interval: Duration,
    /// From when the running interval counts.
    since: Option<UtcTime>,
}

impl Schedule {
    /// The first time is one interval after the first frame.
    pub(crate) fn every(interval: Duration) -> Self {
        Self {
            interval,
            since: None,
        }
    }

    /// Whether the frame of this time completes an interval.
    pub(crate) fn is_due(&mut self, captured_at: UtcTime) -> bool {
        match self.since {
            // A camera's clock that was set back must not put off the next analysis.
            Some(since) if captured_at >= since => {
                let is_due = captured_at.since(since) >= self.interval;
                if is_due {
                    self.since = Some(captured_at);
                }
                is_due
            }
            _ => {
                self.since = Some(captured_at);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn analyses_are_due_every_interval_of_capture_time() {
        let mut schedule = Schedule::every(Duration::from_secs(3));
        let mut due = |tenths: i64| schedule.is_due(UtcTime::from_unix_millis(tenths * 100));
        let all: Vec<i64> = (1000..1100).filter(|tenths| due(*tenths)).collect();
        assert_eq!(all, [1030, 1060, 1090]);
        assert!(!due(500), "the clock was set back");
        assert!(due(530));
        assert!(due(5000), "after a gap at once, and only once");
        assert!(!due(5001));
    }
}
