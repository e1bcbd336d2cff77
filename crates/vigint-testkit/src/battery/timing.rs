//! When a camera's pictures are taken.

#![allow(
    clippy::cast_possible_truncation,
    reason = "shares of a frame's time are small"
)]

use super::truth::Span;
use crate::splitmix::SplitMix;

/// How late or early an irregular frame may be, as a share of the time between two.
const JITTER: f32 = 0.35;
/// The share of frames that an irregular stream loses.
const LOST: f32 = 0.15;

/// When frames come.
#[derive(Debug, Clone, Copy)]
pub(super) enum Timing {
    /// As a perfect camera's.
    Steady,
    /// Early and late, some lost, and none at all in `gaps`. Those in `whole` are early or late only.
    Irregular {
        gaps: &'static [Span],
        whole: &'static [Span],
    },
}

impl Timing {
    /// The times in milliseconds, rising.
    pub(super) fn times(self, frames_per_second: u32, length: f64, seed: u64) -> Vec<i64> {
        let rate = i64::from(frames_per_second);
        let steady = (0_i64..).map(|number| number * 1000 / rate);
        let steady = steady.take_while(|at| super::seconds(*at) < length);
        let Self::Irregular { gaps, whole } = self else {
            return steady.collect();
        };
        let mut random = SplitMix(seed ^ u64::from(frames_per_second));
        let step = 1000.0 / frames_per_second as f32;
        let within = |spans: &[Span], at: f64| spans.iter().any(|span| span.0 <= at && at < span.1);
        steady
            .filter_map(|at| {
                let late = (random.share() * 2.0 - 1.0) * JITTER * step;
                let is_lost = random.share() < LOST;
                if at == 0 {
                    return Some(at);
                }
                let at = at + late as i64;
                let now = super::seconds(at);
                let comes = !within(gaps, now) && (!is_lost || within(whole, now));
                comes.then_some(at)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_camera_keeps_time() {
        assert_eq!(Timing::Steady.times(5, 1.0, 1), [0, 200, 400, 600, 800]);
        assert_eq!(Timing::Steady.times(3, 1.0, 1), [0, 333, 666]);
    }

    #[test]
    fn an_irregular_one_loses_frames_but_never_goes_back() {
        let timing = Timing::Irregular {
            gaps: &[(3.0, 4.5)],
            whole: &[(6.0, 8.0)],
        };
        for rate in [5, 10] {
            let times = timing.times(rate, 20.0, 7);
            assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
            assert!(!times.iter().any(|at| (3000..4500).contains(at)));
            let whole = times.iter().filter(|at| (6000..8000).contains(*at)).count();
            assert!(whole.abs_diff(2 * rate as usize) <= 1, "{whole}");
            assert!(times.len() < 17 * rate as usize, "{}", times.len());
            let longest = times.windows(2).map(|pair| pair[1] - pair[0]).max();
            assert!(longest >= Some(1500), "{longest:?}");
        }
    }
}
